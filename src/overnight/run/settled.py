"""What jobs were settled at, against the lines they are of; and the bill for machines."""

from collections.abc import Sequence
from decimal import Decimal

from overnight.core.events import Note
from overnight.core.outcome import ProblemKind, StrayKind
from overnight.core.usage import Usd
from overnight.errors import AccountingError
from overnight.ledger.shards import ShardFact
from overnight.pricing.prices import LONG_PROMPT_TOKENS
from overnight.run.bill import ANSWER, Billed, Pricing, StudyBill, Why, sum_of
from overnight.run.billing import bill_of_job, bill_of_smoke
from overnight.run.world import World


def settled_amounts(shard: ShardFact, rows: Sequence[Billed]) -> tuple[Usd, Usd | None]:
    """(billed, kept) of a job with these lines. kept: the part of its reservation for rows whose cost is unknown, None
    when there are none. Each row of a job is there once among answers, problems and surplus; a second line of it has
    no share of its own, but for one whose price nobody knows.

    An unknown row may have been the dearest of the job, so each keeps the worst case of the longest; and never more
    together than what is left of the reservation, which bounds the whole job.
    """
    of_rows = {*ProblemKind, ANSWER, StrayKind.SURPLUS}
    unknown = sum(row.n for row in rows if row.unknown and (row.kind in of_rows or row.why is Why.NO_PRICE))
    billed = sum_of(rows)
    if shard.reserved is None or not shard.n_rows or not unknown:
        return billed, None if shard.reserved is None or not shard.n_rows else Usd()
    n = min(unknown, shard.n_rows)
    kept = shard.row * n if shard.row is not None else shard.reserved * (Decimal(n) / shard.n_rows)
    return billed, max(min(kept, shard.reserved - billed), Usd())


def settle_anew(world: World) -> None:
    """Amounts that were settled by other prices than those of today's tables become what the tables now say.

    A price that was corrected, or added for a model that had none, counts for the budget too. Changes nothing else,
    and nothing at all as long as the tables stay the same: a line's price is that of the day it served.
    """
    ledger, pricing = world.ledger, Pricing(world.prices)
    anew = []
    for shard in ledger.shards.all(world.realm, "collected"):
        rows = bill_of_job(pricing, shard, ledger.bills.of_shard(shard.id, LONG_PROMPT_TOKENS))
        billed, kept = settled_amounts(shard, rows)
        if (billed, kept or Usd()) != (shard.billed, shard.kept or Usd()):
            anew.append((shard.id, billed, kept))
            was = shard.billed or Usd()
            world.tell(Note(f"job {shard.id}: billed anew by the price tables of now: {billed}, was {was}", "warning"))
    smokes = []
    for line in ledger.bills.smokes(world.realm):
        amount = bill_of_smoke(pricing, line, "", ()).cost
        if amount is not None and amount != line.billed:
            smokes.append((line.id, amount))
    if anew:
        ledger.bills.settle_anew(anew)
    if smokes:
        ledger.bills.settle_smokes_anew(smokes)


def check_bill(world: World, bill: StudyBill) -> None:
    """Raises AccountingError where a job's settled amount is not the sum of its lines, or the study's not that of its
    jobs and of the rows asked before them."""
    by_job: dict[int, Usd] = {}
    for row in bill.rows:
        by_job[row.job] = by_job.get(row.job, Usd()) + (row.cost or Usd())
    for shard in world.ledger.shards.all(world.realm, "collected"):
        lines = by_job.get(shard.id, Usd())
        if shard.billed != lines:
            raise AccountingError(
                f"job {shard.id} was settled at {shard.billed!r}, and its lines come to {lines!r}",
                where=shard.job_name,
                hint="Nothing was published. Keep the folder as it is and report this.",
            )
    spent = world.ledger.bills.spent(world.realm)
    if spent != bill.known:
        raise AccountingError(
            f"the ledger has {spent!r} as spent, and the bill comes to {bill.known!r}",
            hint="Nothing was published. Keep the folder as it is and report this.",
        )


def bill_json(bill: StudyBill) -> dict[str, object]:
    """Amounts are exact texts, null where they are not known; `estimate_usd` is null where nothing was said before."""
    usage = bill.usage
    before = bill.before
    return {
        "known_usd": bill.known.exact(),
        "tokens": {
            "prompt": usage.prompt,
            "cached": usage.cached,
            "thinking": usage.thinking,
            "answer": usage.answer,
        },
        "parts": [{"name": part.name, "tokens": part.tokens, "cost_usd": part.cost.exact()} for part in bill.parts()],
        "unknown_lines": {why.value: n for why, n in sorted(bill.unknown.items())},
        "saved_usd": {
            "caching": bill.by_caching.exact(),
            "equal_prompts": None if bill.shared is None else bill.shared.exact(),
        },
        "estimate_usd": None
        if before is None
        else {
            "low": _text(before.low),
            "expected": _text(before.expected),
            "high": _text(before.high),
            "worst": _text(before.worst),
        },
        "simulated": bill.simulated,
    }


def _text(amount: Usd | None) -> str | None:
    return None if amount is None else amount.exact()
