"""What the plan will cost: what the estimate (pricing/estimate.py) is fed with, from the plan, the ledger, the tables.

No second look at the records: the plan has counted their characters, and kept some of the requests for this.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import orjson

from overnight.core.recipe import Recipe
from overnight.core.usage import Usd
from overnight.planning.ahead import Ahead
from overnight.planning.difference import Group, Plan
from overnight.planning.usual import aim_s, usual
from overnight.planning.wants import Wanted
from overnight.pricing.catalogue import Model
from overnight.pricing.estimate import FRAME, Again, Estimate, Pair, Part, Prices, again_of, calibrated, estimate
from overnight.pricing.later import LaterStage, Together, coming_to_it, later_stage, together
from overnight.pricing.output import answer_tokens, by_answers, by_table, level_of
from overnight.pricing.prices import STANDARD, Price
from overnight.pricing.range import NOTHING
from overnight.requests.render import Renderer, request_body
from overnight.run.evidence import Evidence
from overnight.run.money import ROUND_HOURS
from overnight.run.stuck import past_jobs
from overnight.run.world import World


@dataclass(frozen=True, slots=True)
class PriceChange:
    """day: the first on which a price holds that differs. before, after: the expected cost at today's and at that."""

    day: date
    before: Usd
    after: Usd | None


@dataclass(frozen=True, slots=True)
class Estimated:
    """An estimate with what it rests on. price: today's in a job.

    n_counted: requests whose input tokens the service counted, in answers or when asked. n_answers: answers whose
    output tokens were looked at; 0: by the table for `level`. rounds: at most, the first included. later: what may
    follow on these requests, once they are answered, and is in none of `amounts`.
    """

    amounts: Estimate
    price: Price
    level: str
    n_counted: int
    asked_to_count: bool
    n_answers: int
    changes: tuple[PriceChange, ...]
    rounds: int
    later: tuple[LaterStage, ...] = ()

    @property
    def together(self) -> Together:
        """Of what is sent now and what may follow on it."""
        return together(self.amounts, self.later)


def estimate_plan(
    world: World, plan: Plan, *, model: Model | None = None, counted: Sequence[tuple[Wanted, int]] = ()
) -> Estimated | None:
    """None where the model's price is not known. model: another than the study's, to compare: then what is known of
    the study's answers is no evidence."""
    asked = model or world.model
    prices = _prices(world, plan, asked)
    if prices is None:
        return None
    evidence = Evidence(world, plan, counted)
    parts, n_counted, n_answers, level = [], 0, 0, ""
    for group in plan.groups.values():
        pairs = evidence.pairs(group.recipe) if asked.id == world.model.id else []
        outputs = evidence.outputs(group.recipe) if asked.id == world.model.id else []
        n_counted, n_answers = max(n_counted, len(pairs)), max(n_answers, len(outputs))
        level = level or level_of(asked, group.recipe.thinking)
        parts.append(_part(world, group, evidence, pairs, outputs, asked))
    again = again_of(plan.failed, plan.ended)
    amounts = estimate(parts, prices, again)
    return Estimated(
        amounts=amounts,
        price=prices.now,
        level=level,
        n_counted=n_counted,
        asked_to_count=bool(counted),
        n_answers=n_answers,
        changes=tuple(_changes(world, plan, asked, parts, prices, amounts)),
        rounds=max((len(part.rooms) for part in parts), default=0),
        later=tuple(_later(world, plan, evidence, asked, prices, again)),
    )


def _later(
    world: World, plan: Plan, evidence: Evidence, model: Model, prices: Prices, again: Again
) -> Iterator[LaterStage]:
    """high and worst at the dearest price until the last of them may end: nobody knows when they will be sent."""
    own = model.id == world.model.id
    then = replace(prices, dearest=prices.last)
    for ahead in plan.ahead.values():
        if ahead.records:
            first = ahead.first
            share = coming_to_it(ahead.wanted, ahead.decided if own else 0, sure=first.sure)
            part = _part_ahead(world, ahead, evidence, model)
            yield later_stage(first.stage, first.sample, ahead.records, part, then, again, share)


def _part_ahead(world: World, ahead: Ahead, evidence: Evidence, model: Model) -> Part:
    """Of the requests of all records that may come to it. Of what answers will add to their prompts, each may be as
    long as its room allows."""
    first, recipe, each = ahead.first, ahead.first.recipes[0], len(ahead.first.recipes)
    n, own = ahead.records * each, model.id == world.model.id
    words = NOTHING
    for said in first.said:
        known = evidence.words(said) if own else []
        words = words + (by_answers(known) if known else answer_tokens(said.schema))
    by_rule = ahead.characters.tokens(each) + (evidence.frame(recipe).tokens() + FRAME + words).times(n)
    outputs = evidence.outputs(recipe) if own else []
    for said in first.said:
        outputs = outputs or (evidence.outputs(said) if own else [])
    empty = line_size(recipe, ahead.room) + len(first.said) * world.room(world.attempts - 1)
    return Part(
        n_requests=n,
        prompt=calibrated(by_rule, evidence.pairs(recipe) if own else []),
        output=by_answers(outputs) if outputs else by_table(level_of(model, recipe.thinking), recipe.schema),
        rooms=tuple(_rooms(world, ahead.room, world.attempts)),
        size_bytes=empty * n + ahead.text_bytes * each,
        longest_bytes=empty + ahead.longest_bytes,
    )


def _part(
    world: World, group: Group, evidence: Evidence, pairs: Sequence[Pair], outputs: Sequence[int], model: Model
) -> Part:
    recipe, n = group.recipe, group.n_requests
    by_rule = group.characters.tokens() + evidence.frame(recipe).tokens(n) + FRAME.times(n)
    level = level_of(model, recipe.thinking)
    empty = line_bytes(group)
    return Part(
        n_requests=n,
        prompt=calibrated(by_rule, pairs),
        output=by_answers(outputs) if outputs else by_table(level, recipe.schema),
        rooms=tuple(_rooms(world, group.shape.max_output_tokens, world.attempts - (group.tries or 0))),
        size_bytes=empty * n + group.text_bytes,
        longest_bytes=empty + group.longest_bytes,
    )


def line_bytes(group: Group) -> int:
    """Of one line of the group without its texts."""
    return line_size(group.recipe, group.shape.max_output_tokens)


def line_size(recipe: Recipe, room: int) -> int:
    return len(Renderer(recipe, room).line(bytes(16), 1, [""] * len(recipe.slots)).data)


def size_bytes_of(plan: Plan) -> int:
    """Of all lines together."""
    return sum(line_bytes(group) * group.n_requests + group.text_bytes for group in plan.groups.values())


def _rooms(world: World, first: int, attempts: int) -> Iterator[int]:
    """`maxOutputTokens` of this attempt, `first`, and of those that may follow it, each after a truncation."""
    room = world.room
    truncations = 0
    while room(truncations) < first and room(truncations) < room(truncations + 1):
        truncations += 1
    yield first
    for later in range(1, max(1, attempts)):
        yield max(first, room(truncations + later))


@dataclass(frozen=True, slots=True)
class Times:
    """Rounds: the first sending, one for each time that problems are sent again, and the same of each later stage.
    n_jobs: past ones it is told by, 0 for the service's aim alone."""

    rounds_usually: int
    rounds_at_worst: int
    usually_s: float
    at_worst_s: float
    n_jobs: int


def times_of(world: World, plan: Plan) -> Times:
    again = again_of(plan.failed, plan.ended)
    largest = max((group.n_requests for group in plan.groups.values()), default=0)
    most = max((world.attempts - (group.tries or 0) for group in plan.groups.values()), default=1)
    rounds = min(most, 2 if plan.to_send * again.expected >= 1000 else 1)
    ahead = [one for one in plan.ahead.values() if one.records]
    rounds += sum(one.likely > 0 for one in ahead)
    most += world.attempts * len(ahead)
    normal = usual(past_jobs(world), largest, aim_s(world.realm))
    return Times(rounds, most, rounds * normal.within_s, most * ROUND_HOURS * 3600.0, normal.n_jobs)


def latest_end(world: World, plan: Plan) -> date:
    """The last day on which a request of this plan, or one that follows on it, may be served: every attempt used and
    every job at its slowest."""
    days = min(world.attempts * ROUND_HOURS // 24, world.give_up_after_days + ROUND_HOURS // 24)
    return world.today + timedelta(days=days * (1 + sum(one.records > 0 for one in plan.ahead.values())))


def _prices(world: World, plan: Plan, model: Model) -> Prices | None:
    today, list_ = world.today, world.prices
    now, dearest = list_.price(model.id, today), list_.dearest(model.id, today, ROUND_HOURS)
    if now is None or dearest is None:
        return None
    soon = [row for _, row in list_.changes(model.id, today, today + timedelta(hours=ROUND_HOURS)) if row is not None]
    last = list_.dearest(model.id, today, (latest_end(world, plan) - today).days * 24) or dearest
    return Prices(
        now=now,
        cheapest=min((now, *soon), key=lambda row: (row.output_usd_per_mtok, row.input_usd_per_mtok)),
        dearest=dearest,
        last=last,
        standard=list_.price(model.id, today, STANDARD),
        surcharge=world.surcharge,
    )


def _changes(
    world: World, plan: Plan, model: Model, parts: Iterable[Part], prices: Prices, amounts: Estimate
) -> Iterator[PriceChange]:
    for day, row in world.prices.changes(model.id, world.today, latest_end(world, plan)):
        if row is None:
            yield PriceChange(day, amounts.expected, None)
            continue
        same = Prices(row, row, row, row, None, prices.surcharge)
        now = Prices(prices.now, prices.now, prices.now, prices.now, None, prices.surcharge)
        before, after = (estimate(list(parts), one, amounts.again).expected for one in (now, same))
        if before != after:
            yield PriceChange(day, before, after)


def count_tokens(world: World, plan: Plan) -> list[tuple[Wanted, int]]:
    """Some of the requests that are to be sent, counted by the service, free of charge. Raises CloudError."""
    return [
        (wanted, world.backend.count_tokens(world.model.id, _request(group, wanted)))
        for group in plan.groups.values()
        for wanted in group.some.items()
    ]


def _request(group: Group, wanted: Wanted) -> bytes:
    renderer = Renderer(group.recipe, group.shape.max_output_tokens)
    body = request_body(group.recipe, renderer.prompt_text(wanted.want.texts), group.shape.max_output_tokens)
    return orjson.dumps(body)
