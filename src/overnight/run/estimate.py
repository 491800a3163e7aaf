"""What the plan will cost: what the estimate (pricing/estimate.py) is fed with, from the plan, the ledger, the tables.

No second look at the records: the plan has counted their characters, and kept some of the requests for this.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import orjson

from overnight.core.recipe import Recipe
from overnight.core.usage import Usage, Usd
from overnight.planning.difference import KEPT_OF_ANSWERED, Group, Plan
from overnight.planning.usual import aim_s, usual
from overnight.planning.wants import Wanted
from overnight.pricing.catalogue import Model
from overnight.pricing.characters import Characters
from overnight.pricing.estimate import (
    FRAME,
    Estimate,
    Pair,
    Part,
    Prices,
    again_of,
    calibrated,
    estimate,
)
from overnight.pricing.output import by_answers, by_table, level_of
from overnight.pricing.prices import STANDARD, Price
from overnight.requests.render import Renderer, request_body
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
    output tokens were looked at; 0: by the table for `level`. rounds: at most, the first included. later_stages: stages
    that may follow and are in no amount.
    """

    amounts: Estimate
    price: Price
    level: str
    n_counted: int
    asked_to_count: bool
    n_answers: int
    changes: tuple[PriceChange, ...]
    rounds: int
    later_stages: tuple[str, ...]


@dataclass
class Evidence:
    """What is known of requests like those of the plan. counted: (request, its input tokens), as countTokens says."""

    world: World
    plan: Plan
    counted: Sequence[tuple[Wanted, int]] = ()
    _frames: dict[str, Characters] = field(default_factory=dict)

    def frame(self, recipe: Recipe) -> Characters:
        """What each request holds besides the record's texts. Its schema counts as input (facts 10, [D])."""
        if recipe.digest not in self._frames:
            words = "".join(part.value for part in recipe.prompt if part.kind == "text")
            self._frames[recipe.digest] = Characters([recipe.system, words, orjson.dumps(recipe.schema).decode()])
        return self._frames[recipe.digest]

    def pairs(self, recipe: Recipe) -> list[Pair]:
        """Of requests of the same recipe: counted by the service when asked, else in answers and rows asked at once."""
        asked = [(wanted, n) for wanted, n in self.counted if wanted.want.recipe.digest == recipe.digest]
        known = asked or [(one, n) for one, n in self._prompts if one.want.recipe.digest == recipe.digest]
        frame = self.frame(recipe).tokens().expected + FRAME.expected
        return [Pair(n, frame + Characters(one.want.texts).tokens().expected) for one, n in known]

    def outputs(self, recipe: Recipe) -> list[int]:
        """Output tokens, thinking included, of answers under the same recipe, else of the ones to be asked anew of the
        same stage and thinking."""
        alike = [usage.output for one, usage in self._answers if one.want.recipe.digest == recipe.digest]
        alike += [usage.output for digest, _, usage in self._asked_at_once if digest == recipe.digest]
        return alike or [usage.output for usage in self._answers_before(recipe).values()]

    @cached_property
    def _answers(self) -> list[tuple[Wanted, Usage]]:
        answered = self.plan.answered.items()
        usages = self.world.ledger.outcomes.usages(one.standing.row for one in answered)
        return [(one, usages[one.standing.row]) for one in answered if one.standing.row in usages]

    @cached_property
    def _asked_at_once(self) -> list[tuple[str, bytes, Usage]]:
        return self.world.ledger.smokes.usages(self.world.realm, self.world.model.id)

    @cached_property
    def _prompts(self) -> list[tuple[Wanted, int]]:
        found = [(one, usage.prompt) for one, usage in self._answers if usage.prompt is not None]
        first = {one.address: one for group in self.plan.groups.values() for _, one in group.first}
        for _, address, usage in self._asked_at_once:
            if address in first and usage.prompt is not None:
                found.append((first[address], usage.prompt))
        return found

    def _answers_before(self, recipe: Recipe) -> Mapping[int, Usage]:
        """Of records that are asked again: they were answered under another recipe, or text."""
        rows = [row for rows in self.plan.before.values() for row in rows]
        step = max(1, len(rows) // KEPT_OF_ANSWERED)
        return self.world.ledger.outcomes.like(rows[::step], self.world.model.id, recipe.stage, recipe.thinking)


def estimate_plan(
    world: World, plan: Plan, *, model: Model | None = None, counted: Sequence[tuple[Wanted, int]] = ()
) -> Estimated | None:
    """None where the model's price is not known. model: another than the study's, to compare: then what is known of
    the study's answers is no evidence."""
    asked = model or world.model
    prices = _prices(world, asked)
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
        changes=tuple(_changes(world, asked, parts, prices, amounts)),
        rounds=max((len(part.rooms) for part in parts), default=0),
        later_stages=_later_stages(world, plan),
    )


def _later_stages(world: World, plan: Plan) -> tuple[str, ...]:
    """How many of their requests will be wanted, the answers tell."""
    if not world.task.dependent:
        return ()
    places = [world.task.stages.index(group.recipe.stage) for group in plan.groups.values()]
    return tuple(world.task.stages[min(places) + 1 :]) if places else ()


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
        rooms=tuple(_rooms(world, group)),
        size_bytes=empty * n + group.text_bytes,
        longest_bytes=empty + group.longest_bytes,
    )


def line_bytes(group: Group) -> int:
    """Of one line of the group without its texts."""
    renderer = Renderer(group.recipe, group.shape.max_output_tokens)
    return len(renderer.line(bytes(16), 1, [""] * len(group.recipe.slots)).data)


def size_bytes_of(plan: Plan) -> int:
    """Of all lines together."""
    return sum(line_bytes(group) * group.n_requests + group.text_bytes for group in plan.groups.values())


def _rooms(world: World, group: Group) -> Iterator[int]:
    """`maxOutputTokens` of this attempt and of those that may follow, each after a truncation."""
    room = world.room
    truncations = 0
    while room(truncations) < group.shape.max_output_tokens and room(truncations) < room(truncations + 1):
        truncations += 1
    yield group.shape.max_output_tokens
    for later in range(1, max(1, world.attempts - (group.tries or 0))):
        yield max(group.shape.max_output_tokens, room(truncations + later))


@dataclass(frozen=True, slots=True)
class Times:
    """Rounds: the first sending, and one for each time that problems are sent again. n_jobs: past ones it is told by,
    0 for the service's aim alone."""

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
    normal = usual(past_jobs(world), largest, aim_s(world.realm))
    return Times(rounds, most, rounds * normal.within_s, most * ROUND_HOURS * 3600.0, normal.n_jobs)


def latest_end(world: World) -> date:
    """The last day on which a request of this plan may be served, every attempt used and every job at its slowest."""
    days = min(world.attempts * ROUND_HOURS // 24, world.give_up_after_days + ROUND_HOURS // 24)
    return world.today + timedelta(days=days)


def _prices(world: World, model: Model) -> Prices | None:
    today, list_ = world.today, world.prices
    now, dearest = list_.price(model.id, today), list_.dearest(model.id, today, ROUND_HOURS)
    if now is None or dearest is None:
        return None
    soon = [row for _, row in list_.changes(model.id, today, today + timedelta(hours=ROUND_HOURS)) if row is not None]
    last = list_.dearest(model.id, today, (latest_end(world) - today).days * 24) or dearest
    return Prices(
        now=now,
        cheapest=min((now, *soon), key=lambda row: (row.output_usd_per_mtok, row.input_usd_per_mtok)),
        dearest=dearest,
        last=last,
        standard=list_.price(model.id, today, STANDARD),
        surcharge=world.surcharge,
    )


def _changes(
    world: World, model: Model, parts: Iterable[Part], prices: Prices, amounts: Estimate
) -> Iterator[PriceChange]:
    for day, row in world.prices.changes(model.id, world.today, latest_end(world)):
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
