"""The smoke test: two of the rows to be sent are asked at once (generateContent) before a study's first job.

A job accepts what no row of it survives: a schema or a thinking setting that is refused shows only when the job has
run, row by row (facts 10). The same request asked at once says so in seconds.

Which two: the first of the plan, which `plan --show 2` prints. They are typical of the table, where the longest would
be the dearest and the shortest would show little of what thinking costs.

The answers are used for nothing: they settle no request, and the job asks these rows like all others. What they cost
counts: reserved under the same caps before each call, billed after it, and kept reserved where the reply was lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import orjson

from overnight.answers.match import Expected, Matcher, Taken
from overnight.answers.validate import validator
from overnight.core.events import Note, StepStarted
from overnight.core.outcome import Outcome, ProblemKind
from overnight.core.realm import GOOGLE, STAND_IN_SUFFIX
from overnight.core.usage import Usage, Usd
from overnight.errors import (
    BreakerError,
    CloudError,
    CredentialsError,
    RefusedError,
    UnavailableError,
    UnreachableError,
)
from overnight.ledger.shards import Cap
from overnight.ledger.smokes import Tried
from overnight.planning.difference import Group
from overnight.pricing.bill import cost
from overnight.pricing.prices import STANDARD
from overnight.requests.render import Line, Renderer
from overnight.run.bill import Pricing
from overnight.run.money import SMOKE_ROWS, worst_case_for
from overnight.run.plan import Planned
from overnight.run.raw import harmless
from overnight.run.world import World

_CHARS_SHOWN: Final = 400
_TOO_MANY_REQUESTS: Final = 429
_NO_WAY_IN: Final = frozenset({401, 403, 404})
"""Of the account, the model or the place, not of the request: the job would be refused too."""
_UNUSABLE: Final = frozenset({ProblemKind.MALFORMED, ProblemKind.INVALID, ProblemKind.TRUNCATED})
_ALL_THE_SAME: Final = "`overnight run --no-smoke` sends all the same."


@dataclass(frozen=True, slots=True)
class Ask:
    """One row. line: as its job would hold it. worst: what asking it at once may cost."""

    record_id: str
    address: bytes
    attempt: int
    line: Line
    worst: Usd


@dataclass(frozen=True, slots=True)
class Smoke:
    """What is to be asked before the job of one recipe is made."""

    tried: Tried
    asks: tuple[Ask, ...]

    @property
    def worst(self) -> Usd:
        return sum((one.worst for one in self.asks), Usd())


class Verdict(Enum):
    PASSED = auto()
    REFUSED = auto()  # the request itself, with a 400
    UNUSABLE = auto()  # an answer came that is none
    UNDECIDED = auto()  # busy, down, blocked: says nothing about the other rows


@dataclass(frozen=True, slots=True)
class _Heard:
    """How a row ended. words: for people, harmless. refused: the service's own error."""

    verdict: Verdict
    words: str
    usage: Usage | None = None
    refused: RefusedError | None = None


def prepare(world: World, planned: Planned, place: str) -> Smoke | None:
    """place: project/location. None where there is nothing to be learned, or no source states what asking at once
    costs (then that is said)."""
    for group in planned.plan.groups.values():
        tried = Tried(world.realm, place, world.model.id, group.recipe)
        if world.ledger.smokes.passed(tried) or _served_before(world, tried):
            continue
        bound = worst_case_for(world, group.shape.max_output_tokens, STANDARD)
        if bound is None:
            no_price = f"no source states what {world.model.id} costs outside a job"
            world.tell(Note(f"no smoke test: {no_price}, so nothing could be reserved for it", "warning"))
            return None
        asks = [
            Ask(record_id, address, attempt, line, bound.of(1, len(line.data), len(line.data)))
            for record_id, address, attempt, line in _first_rows(group)
        ]
        return Smoke(tried, tuple(asks))
    return None


def _first_rows(group: Group) -> list[tuple[str, bytes, int, Line]]:
    renderer = Renderer(group.recipe, group.shape.max_output_tokens)
    rows = []
    for record, wanted in group.first[:SMOKE_ROWS]:
        attempt = wanted.standing.attempts + 1
        line = renderer.line(wanted.address, attempt, wanted.want.texts)
        rows.append((record.record_id, wanted.address, attempt, line))
    return rows


def _served_before(world: World, tried: Tried) -> bool:
    """Has a job of the same brought lines back, and were they no reason to stop? Then it has shown more than two rows
    can."""
    return any(
        shard.lines
        and shard.breaker != "tripped"
        and (shard.model, shard.recipe) == (tried.model, tried.recipe.digest)
        and f"{shard.place.project}/{shard.place.location}" == tried.place
        for shard in world.ledger.shards.all(tried.realm, "collected")
    )


def ask_at_once(world: World, smoke: Smoke, caps: Sequence[Cap], n_requests: int) -> None:
    """Ask, tell, judge. Returns when the job may be made; n_requests: how many are to be sent, for a middle price.

    Raises RefusedError, CredentialsError or CloudError when the job would be refused too, BreakerError when no row came
    back as asked for.
    """
    for lost in world.ledger.smokes.unended(smoke.tried):
        world.tell(Note(f"a row was asked before and its reply never came: {lost} stays reserved for it", "warning"))
    what = f"{len(smoke.asks)} of the rows, at most {smoke.worst}"
    world.tell(StepStarted("smoke", what))
    heard = []
    for one in smoke.asks:
        row = world.ledger.smokes.reserve(smoke.tried, one.address, one.worst, caps, world.stamp())
        if row is None:
            world.tell(Note(f"smoke test: {one.worst} is more than is left to spend; it ends here", "warning"))
            break
        heard.append(_ask_one(world, smoke, one, row))
    _judge(heard)
    _tell_what_it_means(world, heard, n_requests)


def _ask_one(world: World, smoke: Smoke, one: Ask, row: int) -> _Heard:
    """One call. Its row in the ledger is ended whatever comes back; Ctrl-C leaves it reserved."""
    smokes, started = world.ledger.smokes, world.now()
    request = orjson.dumps(orjson.loads(one.line.data)["request"])
    name = f"smoke test, record {harmless(one.record_id, 60)}"
    try:
        reply = world.backend.generate(world.model.id, request)
    except (RefusedError, CredentialsError, UnreachableError) as error:  # a definite no: nothing was answered
        refused = isinstance(error, RefusedError)
        kind = ProblemKind.REFUSED if refused else ProblemKind.SERVICE_ERROR
        smokes.end(row, now=world.stamp(), passed=False, kind=kind, detail=error.what)
        if isinstance(error, CredentialsError) or (isinstance(error, RefusedError) and error.code in _NO_WAY_IN):
            raise _with_a_way_round(error) from error
        heard = _Heard(Verdict.UNDECIDED, error.what)
        if isinstance(error, RefusedError) and error.code != _TOO_MANY_REQUESTS:
            heard = _Heard(Verdict.REFUSED, error.what, refused=error)
    except UnavailableError as error:
        smokes.end(row, now=world.stamp(), passed=False, kind=ProblemKind.SERVICE_ERROR, detail=error.what, keep=True)
        heard = _Heard(Verdict.UNDECIDED, f"{error.what}; {one.worst} stays reserved, as it may have been answered")
    else:
        outcome = _read(world, smoke, one, reply)
        now = world.stamp()
        served = outcome.model_version or world.model.id
        pricing = Pricing(world.prices)
        amount = pricing.cost_of(outcome.usage, served, now[:10], STANDARD, surcharge=world.surcharge)
        smokes.end(
            row,
            now=now,
            passed=outcome.kind is None,
            kind=outcome.kind,
            detail=outcome.detail,
            usage=outcome.usage,
            model_version=outcome.model_version,
            billed=amount,
            keep=amount is None,
        )
        _check_who_answered(world, outcome)
        heard = _heard(outcome, reply, (world.now() - started).total_seconds())
    passed = heard.verdict is Verdict.PASSED
    world.tell(Note(f"{name}: {heard.words}", "info" if passed else "warning"))
    return heard


def _read(world: World, smoke: Smoke, one: Ask, reply: Mapping[str, object]) -> Outcome:
    """By the code that reads a job's output, from the line that a job would have written."""
    sent = orjson.loads(one.line.data)
    line = {"status": "", "processed_time": world.stamp(), "request": sent["request"], "response": reply}
    expected = {one.address: Expected(one.attempt, one.line.fingerprint)}
    matcher = Matcher(smoke.tried.realm, expected, validator(smoke.tried.recipe.schema))
    found = matcher.line(orjson.dumps({**line, "key": sent["key"]}), "")
    assert isinstance(found, Taken), "the key is the one that was sent"
    return found.outcome


def _check_who_answered(world: World, outcome: Outcome) -> None:
    served = outcome.model_version
    if world.realm == GOOGLE and STAND_IN_SUFFIX in served:
        raise CloudError(
            f"{served} answered: a stand-in, not Google",
            hint="Something stands between here and Google. Nothing was sent; take it away, then run again.",
        )
    if served and world.prices.priced_id(served) != world.prices.priced_id(world.model.id):
        world.tell(Note(f"{world.model.id} was asked for, and {harmless(served, 100)} answered", "warning"))


def _heard(outcome: Outcome, reply: Mapping[str, object], seconds: float) -> _Heard:
    usage = outcome.usage
    tokens = f"{usage.thinking or 0:,} thinking and {usage.answer or 0:,} answer tokens" if usage.known else "no counts"
    if outcome.kind is None:
        return _Heard(Verdict.PASSED, f"an answer in {seconds:.1f} s, {tokens}", usage)
    came = harmless(orjson.dumps(reply).decode(), _CHARS_SHOWN)
    words = f"{outcome.kind.value}: {harmless(outcome.detail, _CHARS_SHOWN)} ({tokens})\n    {came}"
    return _Heard(Verdict.UNUSABLE if outcome.kind in _UNUSABLE else Verdict.UNDECIDED, words, usage)


def _with_a_way_round(error: CredentialsError | RefusedError) -> CloudError:
    """The same error, with what else can be done: who may send jobs may not always ask at once."""
    hint = f"{error.hint} Nothing was sent. {_ALL_THE_SAME}".strip()
    if isinstance(error, RefusedError):
        return type(error)(error.what, code=error.code, where=error.where, hint=hint)
    return type(error)(error.what, where=error.where, hint=hint)


def _judge(heard: Sequence[_Heard]) -> None:
    """Stops only where every row that was asked ended badly, by itself and not by the day."""
    verdicts = {one.verdict for one in heard}
    refused = next((one.refused for one in heard if one.refused is not None), None)
    if verdicts == {Verdict.REFUSED} and refused is not None:
        hint = f"{refused.hint} Nothing was sent: a job would end with every row refused. {_ALL_THE_SAME}".strip()
        raise RefusedError(refused.what, code=refused.code, where=refused.where, hint=hint) from refused
    if verdicts and verdicts <= {Verdict.REFUSED, Verdict.UNUSABLE}:
        raise BreakerError(
            "no row that was asked at once came back as asked for; no job was made"
            + "".join(f"\n  {one.words}" for one in heard),
            hint="Change the prompt, the answer fields or the thinking, then run again. " + _ALL_THE_SAME,
        )


def _tell_what_it_means(world: World, heard: Sequence[_Heard], n_requests: int) -> None:
    usages = [one.usage for one in heard if one.verdict is Verdict.PASSED and one.usage is not None and one.usage.known]
    batch = world.price_now()
    if not usages or batch is None:
        return
    total = sum((cost(usage, batch, surcharge=world.surcharge) for usage in usages), Usd())
    middle = Usd(total.amount * n_requests / len(usages))
    world.tell(Note(f"smoke test: if all {n_requests:,} requests are like these, the job costs about {middle}"))
