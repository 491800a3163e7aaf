"""Step 2: may this be sent? Said before anything is uploaded; each refusal names the words that allow it."""

from dataclasses import dataclass

from overnight.core.realm import GOOGLE
from overnight.core.usage import Usd
from overnight.errors import BreakerError, BudgetError, ConsentError
from overnight.ledger.shards import Cap
from overnight.planning.difference import Reason
from overnight.run.plan import Planned
from overnight.run.world import Options, World


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to send, under these caps."""

    caps: tuple[Cap, ...] = ()


def gate(world: World, planned: Planned, options: Options, first_shard: int) -> Pass:
    """first_shard: the number of this invocation's first, from which on --max-usd counts.

    Raises BreakerError, ConsentError or BudgetError.
    """
    check_breaker(world)
    _pay_again(world, planned, options)
    if world.realm != GOOGLE:
        return Pass()
    return _money(world, planned, options, first_shard)


def check_breaker(world: World) -> None:
    """Raises BreakerError while a job's rows are wrong in a way that nobody has looked at."""
    for shard in world.ledger.shards.all(world.realm, "collected"):
        if shard.breaker == "tripped":
            raise BreakerError(
                f"too many rows of job {shard.id} are wrong in the same way: nothing is sent again",
                where=shard.job_name,
                hint="Look at the problems and raw lines in report.html. `overnight fetch --reparse` reads them again"
                " for free; `overnight retry` sends them again and lifts this stop.",
            )


def _pay_again(world: World, planned: Planned, options: Options) -> None:
    """Raises ConsentError where answers would be paid for again, or a study seems to have lost its memory."""
    if options.pay_again:
        return
    question = _question(planned) or (world.lost if world.realm == GOOGLE else "")
    if not question or (options.ask is not None and options.ask(f"{question} Pay again?")):
        return
    raise ConsentError(
        question, hint="Say `overnight run --pay-again` if that is meant, or put the study back as it was."
    )


def _question(planned: Planned) -> str:
    n, plan = planned.paid_again, planned.plan
    if not n:
        return ""
    if planned.unused:
        return (
            f"{n:,} requests would be sent although the study has {planned.unused:,} answers: given under another"
            " prompt, model or answer fields, and under other record ids, so none of them fits."
        )
    causes = [
        f"{plan.reasons[reason]:,} because the {word} changed"
        for reason, word in (
            (Reason.RECIPE_CHANGED, "prompt, answer fields or thinking"),
            (Reason.MODEL_CHANGED, "model"),
        )
        if plan.reasons[reason]
    ]
    waste = "" if planned.wasted is None else f"; the answers you have cost {planned.wasted}"
    return f"{n:,} records answered before would be asked again: {', '.join(causes)}{waste}."


def _money(world: World, planned: Planned, options: Options, first_shard: int) -> Pass:
    caps = []
    if world.limit is not None:
        caps.append(Cap(world.limit))
    if options.max_usd is not None:
        caps.append(Cap(options.max_usd, since=first_shard))
    if planned.worst is None or planned.expected is None:
        raise BudgetError(
            f"the price of {world.model.id} is not known, so no limit can be kept",
            hint="Use a model with a price (docs/reference/models-and-prices.md).",
        )
    left = world.ledger.shards.left(GOOGLE, caps)
    if left is not None and planned.expected > left:
        committed = world.ledger.shards.committed(GOOGLE)
        raise BudgetError(
            f"about {planned.expected} is expected, and {left} is left to spend ({committed} spent or reserved before)",
            hint="Raise budget.limit_usd or --max-usd, choose a cheaper model or less thinking, or leave records out.",
        )
    _consent(world, planned, options, left)
    return Pass(tuple(caps))


def _consent(world: World, planned: Planned, options: Options, left: Usd | None) -> None:
    if options.yes or options.max_usd is not None:
        return
    cap = f", never more than {left}" if left is not None else ""
    question = (
        f"Send {planned.plan.to_send:,} requests to {world.model.id}:"
        f" about {planned.expected}, at worst {planned.worst}{cap}. Go on?"
    )
    if options.ask is not None:
        if options.ask(question):
            return
        raise ConsentError("nothing was sent", hint="`overnight plan` shows the requests and what they may cost.")
    if world.limit is None:
        raise ConsentError(
            f"{question} Nobody is there to say so.",
            hint="Write budget.limit_usd into the study, or say --max-usd X (a cap) or --yes.",
        )
