"""Step 2: may this be sent? Said before anything is uploaded; each refusal names the words that allow it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from overnight.core.events import Note
from overnight.core.outcome import NotSent
from overnight.core.realm import GOOGLE
from overnight.core.usage import Usd, total_of
from overnight.errors import BreakerError, BudgetError, ConsentError
from overnight.ledger.shards import Cap, ShardFact
from overnight.planning.causes import PAID_AGAIN, Reason
from overnight.planning.difference import Plan
from overnight.planning.fit import ALL
from overnight.run.plan import Planned
from overnight.run.preflight import preflight
from overnight.run.raw import harmless, raw_line
from overnight.run.rebuild import sent_before
from overnight.run.smoke import Smoke, prepare
from overnight.run.world import Options, World

_LINES_SHOWN: Final = 3
_CHARS_SHOWN: Final = 400


CHANGED: Final = {
    Reason.PROMPT_CHANGED: "the prompt",
    Reason.FIELDS_CHANGED: "the answer fields",
    Reason.CRITERIA_CHANGED: "the criteria or the question",
    Reason.THINKING_CHANGED: "the thinking",
    Reason.WORDING_CHANGED: "this version's wording",
    Reason.RECIPE_CHANGED: "several of the prompt, criteria, answer fields and thinking",
    Reason.MODEL_CHANGED: "the model",
}
"""What of the study was edited, as the middle of a sentence."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to send, under these caps. smoke: what is to be asked at once before."""

    caps: tuple[Cap, ...] = ()
    smoke: Smoke | None = None


@dataclass(slots=True)
class Agreed:
    """What the person said yes to in this invocation: asked once, and again only where more would be spent.

    first_shard: the number of this invocation's first, from which on its money is counted. worst: what they agreed to
    spend at worst, all rounds together; None before they were asked. looked, tried: the account was looked at, and
    no more rows are to be asked before a job: once an invocation is enough.
    """

    first_shard: int
    worst: Usd | None = None
    pay_again: bool = False
    looked: bool = False
    tried: bool = False
    bound: int = ALL
    """No farther down the draw of `when_over: fit` than the first question said."""
    said: bool = False
    """What it will cost is in the ledger."""
    warned: bool = False
    """That money may not last for what follows on these requests."""


def gate(world: World, planned: Planned, options: Options, agreed: Agreed) -> Pass:
    """Raises BreakerError, ConsentError or BudgetError; StudyError where the model cannot be sent to any more;
    CloudError where the account is not ready."""
    check_breaker(world)
    if world.refusal is not None:
        raise world.refusal(planned.plan.to_send)
    if world.realm == GOOGLE and not agreed.looked:
        preflight(world)  # before all that is asked of the person, and of the bucket
        agreed.looked = True
    _pay_again(world, planned, options, agreed)
    if world.realm != GOOGLE:
        return Pass()
    return _money(world, planned, options, agreed)


def check_breaker(world: World) -> None:
    """Raises BreakerError while a job's rows are wrong in a way that nobody has looked at."""
    for shard in world.ledger.shards.all(world.realm, "collected"):
        if shard.breaker == "tripped":
            raise BreakerError(
                f"too many rows of job {shard.id} are wrong in the same way, or not there: nothing is sent again"
                + "".join(_raw_lines(world, shard)),
                where=shard.job_name,
                hint=f"The whole output is in {world.home.raw / shard.label}. `overnight fetch --reparse` reads it"
                " again for free; `overnight retry` sends those rows again and lifts this stop.",
            )


def _raw_lines(world: World, shard: ShardFact) -> Iterator[str]:
    """The first few suspicious lines as they came, each with what is wrong with it."""
    for kind, detail, source in world.ledger.outcomes.suspicious(shard.id, _LINES_SHOWN):
        said = harmless(detail, _CHARS_SHOWN)
        yield f"\n  {kind}: {said}\n    {raw_line(world.home.raw, source, _CHARS_SHOWN)}"


def _pay_again(world: World, planned: Planned, options: Options, agreed: Agreed) -> None:
    """Raises ConsentError where answers would be paid for again, or a study seems to have lost its memory."""
    if options.pay_again or agreed.pay_again:
        return
    lost = (world.lost or sent_before(world)) if world.realm == GOOGLE else ""
    question = _question(planned) or lost
    if not question:
        return
    if options.ask is not None and options.ask(f"{question} Pay again?"):
        agreed.pay_again = True
        return
    raise ConsentError(
        question,
        hint=f"Say `overnight {'run' if world.pilot is None else 'pilot'} --pay-again` if that is meant, or "
        + ("`overnight recover` to bring back what is known." if question == lost else "put the study back as it was."),
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
    causes = [f"{n:,} because {CHANGED[reason]} changed" for reason, n in paid_again(plan)]
    cost = total_of(planned.wasted.get(reason) for reason, _ in paid_again(plan))
    waste = "" if cost is None else f"; the answers you have cost {cost}"
    asked = f"{n:,} {'request' if n == 1 else 'requests'} answered before"
    return f"{asked} would be asked again: {', '.join(causes)}{waste}."


def paid_again(plan: Plan) -> list[tuple[Reason, int]]:
    """Reasons to pay again for what was answered, and for how many, the largest first."""
    return [(reason, n) for reason, n in plan.reasons.most_common() if reason in PAID_AGAIN]


def caps_of(world: World, options: Options, agreed: Agreed) -> tuple[Cap, ...]:
    """Of the study's whole life, and of this invocation."""
    caps = [] if world.limit is None else [Cap(world.limit)]
    if options.max_usd is not None:
        caps.append(Cap(options.max_usd, since=agreed.first_shard))
    return tuple(caps)


def _left_out(planned: Planned) -> str:
    n, outside = planned.plan.not_sent[NotSent.OVER_BUDGET], planned.plan.outside_pilot
    words = [f"{n:,} records, drawn at random, are left out for their price"] if n else []
    words += [f"a pilot: {outside:,} records wait"] if outside else []
    return f" ({'; '.join(words)})" if words else ""


def _money(world: World, planned: Planned, options: Options, agreed: Agreed) -> Pass:
    caps = caps_of(world, options, agreed)
    worst = planned.worst
    if worst is None or planned.expected is None:
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
    _warn_of_later(world, planned, left, agreed)
    smoke = _smoke(world, planned, options, left, agreed)
    _consent(world, planned, smoke, options, left, agreed)
    return Pass(caps, smoke)


def _warn_of_later(world: World, planned: Planned, left: Usd | None, agreed: Agreed) -> None:
    """Said once and not refused: what is answered is worth having, how much will follow is an estimate of answers that
    nobody has seen, and each further round is asked, reserved and refused by itself."""
    whole = planned.together
    if agreed.warned or left is None or whole is None or whole <= left:
        return
    agreed.warned = True
    world.tell(
        Note(
            f"about {whole} is expected with what may follow on these requests ({_later(planned)}), and {left} is left"
            " to spend: what does not fit waits for a higher limit",
            "warning",
        )
    )


def _later(planned: Planned) -> str:
    assert planned.estimated is not None, "asked only where the price is known"
    return ", ".join(f"{one.stage}: about {one.expected} ({one.low} to {one.high})" for one in planned.estimated.later)


def _smoke(world: World, planned: Planned, options: Options, left: Usd | None, agreed: Agreed) -> Smoke | None:
    """The rows to ask at once, unless the limit holds no room for them beside what the requests will cost."""
    if not options.smoke or agreed.tried:
        return None
    place = world.backend.place(world.ledger.uid, "smoke")
    smoke = prepare(world, planned, f"{place.project}/{place.location}")
    agreed.tried = smoke is None  # else when they were asked and nothing spoke against sending
    if smoke is None or left is None or planned.expected is None or planned.expected + smoke.worst <= left:
        return smoke
    world.tell(
        Note(
            f"no smoke test: it may cost {smoke.worst}, and of the {left} left to spend about {planned.expected} is"
            " expected for the requests",
            "warning",
        )
    )
    return None


def _and(smoke: Smoke | None) -> str:
    if smoke is None:
        return ""
    them = "two of them" if len(smoke.asks) > 1 else "the first"
    return f" (and {them} at once before, at most {smoke.worst})"


def _consent(
    world: World, planned: Planned, smoke: Smoke | None, options: Options, left: Usd | None, agreed: Agreed
) -> None:
    """Asks unless what this round may cost at worst is within what was agreed to before."""
    if options.yes or options.max_usd is not None:
        return
    assert planned.estimated is not None, "asked only where the price is known"
    amounts = planned.estimated.amounts
    worst = amounts.worst if smoke is None else amounts.worst + smoke.worst
    before = world.ledger.shards.committed(GOOGLE, since=agreed.first_shard)
    if agreed.worst is not None and before + worst <= agreed.worst:
        return
    cap = f", never more than {left}" if left is not None else ""
    later = f"; what may follow is not in this ({_later(planned)})" if planned.estimated.later else ""
    more = "" if agreed.worst is None else f" more, beyond the {agreed.worst} you agreed to"
    question = (
        f"Send {planned.plan.to_send:,} requests{more} to {world.model.id}{_left_out(planned)}:"
        f" about {amounts.expected} ({amounts.low} to {amounts.high}), at worst {amounts.worst}"
        f"{_and(smoke)}{cap}{later}. Go on?"
    )
    if options.ask is not None:
        if options.ask(question):
            agreed.worst = before + worst
            return
        said = "nothing was sent" if agreed.worst is None else "nothing more was sent; what was sent before is kept"
        raise ConsentError(said, hint="`overnight plan` shows the requests and what they may cost.")
    if world.limit is None:
        raise ConsentError(
            f"{question} Nobody is there to say so.",
            hint="Write budget.limit_usd into the study, or say --max-usd X (a cap) or --yes.",
        )
