"""How the ledger's lines become a bill: each with the price of the model that served it, on the day it did."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from overnight.core.outcome import ProblemKind
from overnight.core.task import Settled
from overnight.core.usage import Usd, total_of
from overnight.ledger.bills import SMOKE, AnswerGroup, LineGroup, Said, SmokeLine
from overnight.ledger.shards import ShardFact
from overnight.pricing.bill import cost
from overnight.pricing.prices import BATCH, LONG_PROMPT_TOKENS, STANDARD, pays_surcharge
from overnight.run.bill import Before, Billed, Pricing, StudyBill, Why, sum_cost_of
from overnight.run.world import World

_NOT_SERVED: Final = frozenset({ProblemKind.SERVICE_ERROR.value, ProblemKind.REFUSED.value})
"""Lines that say the row was not served. Any other line without token counts keeps its share of the reservation: what
it cost is unknown, not zero."""


def study_bill(world: World) -> StudyBill:
    """Reads every line of the realm once: about 2 µs each."""
    ledger, pricing = world.ledger, Pricing(world.prices)
    said = ledger.bills.said(world.realm)
    shards = ledger.shards.all(world.realm)
    rows: list[Billed] = []
    for shard in shards:
        if shard.state == "collected":
            groups = ledger.bills.of_shard(shard.id, LONG_PROMPT_TOKENS)
            rows.extend(bill_of_job(pricing, shard, groups, run=run_of(shard, said)))
    stages = {recipe.digest: stage for (stage, _), recipe in ledger.recipes.pinned().items()}
    for line in ledger.bills.smokes(world.realm):
        stage = stages.get(line.recipe) or ledger.recipes.load(line.recipe).stage
        rows.append(bill_of_smoke(pricing, line, stage, said))
    return StudyBill(world.realm, tuple(rows), _shared(world, pricing, shards), _before(shards, said))


def bill_of_job(
    pricing: Pricing, shard: ShardFact, groups: Iterable[LineGroup], *, run: str = "", now: str = ""
) -> list[Billed]:
    """now: while the job is being collected, when the ledger does not say yet that it is."""
    return [_priced(pricing, shard, group, run, now) for group in groups]


def _priced(pricing: Pricing, shard: ShardFact, group: LineGroup, run: str, now: str) -> Billed:
    day = group.day or last_day(shard, now)
    usage = group.usage
    price = pricing.price_of(group.served or shard.model, day) if usage.known else None
    amount = None
    if price is not None:
        amount = sum_cost_of(usage, price, long=group.long, surcharge=pays_surcharge(shard.place.location))
    return Billed(
        run,
        shard.id,
        shard.job_name,
        shard.stage,
        shard.recipe,
        shard.model,
        group.served,
        day,
        BATCH,
        shard.place.location,
        group.kind,
        group.n,
        usage,
        group.long,
        price,
        amount,
        None if amount is not None else _why(shard, group),
    )


def _why(shard: ShardFact, group: LineGroup) -> Why:
    if group.usage.known:
        return Why.NO_PRICE
    if group.copy:
        return Why.COPY
    if not group.has_line:
        status = shard.job
        refused = status is not None and status.is_refused and not status.succeeded
        return Why.NOT_BILLED if refused else Why.NO_LINE
    return Why.NOT_BILLED if group.kind in _NOT_SERVED else Why.NO_COUNTS


def bill_of_smoke(pricing: Pricing, line: SmokeLine, stage: str, said: Sequence[Said]) -> Billed:
    """One row is one line of the bill: there are few."""
    usage, location = line.usage, line.place.rsplit("/", 1)[-1]
    price = pricing.price_of(line.served or line.asked, line.day, STANDARD) if usage.known else None
    amount = None if price is None else cost(usage, price, surcharge=pays_surcharge(location))
    why = None
    if amount is None:
        kept = Why.NO_COUNTS if line.kept is not None else Why.NOT_BILLED
        why = Why.NO_PRICE if usage.known else kept
    return Billed(
        _began(line.before_shard, said) or line.day,
        0,
        "",
        stage,
        line.recipe,
        line.asked,
        line.served,
        line.day,
        STANDARD,
        location,
        SMOKE,
        1,
        usage,
        (usage.prompt or 0) > LONG_PROMPT_TOKENS,
        price,
        amount,
        why,
    )


def run_of(shard: ShardFact, said: Sequence[Said]) -> str:
    """When the run that sent a shard began; of a job made by hand, or one recovered, when it was made."""
    own = shard.submitted or shard.intended
    return own if shard.adopted else _began(shard.id, said) or own


def _began(number: int, said: Sequence[Said]) -> str:
    return next((one.began for one in reversed(said) if one.first_shard <= number), "")


def _before(shards: Sequence[ShardFact], said: Sequence[Said]) -> Before | None:
    """Added up over the runs that sent something."""
    if not said:
        return None
    sent = Counter[str]()
    for shard in shards:
        if shard.state in {"submitted", "collected"} and not shard.adopted:
            sent[_began(shard.id, said)] += shard.n_rows
    runs = [(one, min(Decimal(1), Decimal(sent[one.began]) / one.n_requests)) for one in said if one.n_requests]
    runs = [(one, share) for one, share in runs if share]
    if not runs:
        return None
    return Before(
        _scaled([(one.low, share) for one, share in runs]),
        _scaled([(one.expected, share) for one, share in runs]),
        _scaled([(one.high, share) for one, share in runs]),
        _scaled([(one.worst, share) for one, share in runs]),
    )


def _scaled(amounts: Sequence[tuple[Usd | None, Decimal]]) -> Usd | None:
    return total_of(None if amount is None else amount * share for amount, share in amounts)


def _shared(world: World, pricing: Pricing, shards: Sequence[ShardFact]) -> Usd | None:
    by_id = {shard.id: shard for shard in shards}
    groups = world.ledger.bills.shared(world.realm, LONG_PROMPT_TOKENS)
    # Left out: what another realm answered, or came without counts.
    return total_of(
        _cost_of_group(pricing, by_id[group.shard], group)
        for group in groups
        if group.shard in by_id and group.usage.known
    )


def cost_of_answers(world: World, rows: Sequence[int]) -> Usd | None:
    """What these answers of the ledger cost; None where that is not known of all of them."""
    pricing, by_id = Pricing(world.prices), {shard.id: shard for shard in world.ledger.shards.all(world.realm)}
    groups = world.ledger.bills.of_answers(rows, LONG_PROMPT_TOKENS)
    return total_of(_cost_of_group(pricing, by_id[group.shard], group) for group in groups)


def _cost_of_group(pricing: Pricing, shard: ShardFact, group: AnswerGroup) -> Usd | None:
    day = group.day or last_day(shard)
    price = pricing.price_of(group.served or shard.model, day) if group.usage.known else None
    if price is None:
        return None
    surcharge = pays_surcharge(shard.place.location)
    return sum_cost_of(group.usage, price, long=group.long, surcharge=surcharge) * group.times


class RowPricing:
    """The cost of single outcomes, as results and samples show them: by what the ledger knows of their job."""

    def __init__(self, world: World) -> None:
        self._pricing = Pricing(world.prices)
        self._shards = {shard.id: shard for shard in world.ledger.shards.all(world.realm)}

    def cost_of(self, settled: Settled) -> Usd | None:
        shard = self._shards.get(settled.shard)
        if shard is None:
            return None
        served = settled.outcome.model_version or shard.model
        day, surcharge = settled.day or last_day(shard), pays_surcharge(shard.place.location)
        return self._pricing.cost_of(settled.outcome.usage, served, day, BATCH, surcharge=surcharge)


def last_day(shard: ShardFact, now: str = "") -> str:
    """The day on which a job's lines were served at the latest, as far as anybody says. now: while it is collected."""
    ended = utc_day(shard.job.end_time) if shard.job is not None else ""
    return ended or utc_day(shard.collected or now) or utc_day(shard.submitted or shard.intended)


def utc_day(stamp: str) -> str:
    """The day of an RFC 3339 time, in UTC; empty for what is no time."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    return (when if when.tzinfo is None else when.astimezone(UTC)).date().isoformat()
