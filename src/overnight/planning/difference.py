"""The difference: what is to be sent, why, and what it may cost. Changes nothing outside the standings it is given."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import orjson

from overnight.core.compared import Comparison
from overnight.core.outcome import AGAIN, Next, NotSent
from overnight.core.recipe import Recipe
from overnight.core.record import Record
from overnight.core.task import Settlements, Want
from overnight.planning.ahead import Ahead
from overnight.planning.causes import PAID_AGAIN, Reason, what_changed
from overnight.planning.fit import ALL, Draw, Drawn
from overnight.planning.pilot import Pilot
from overnight.planning.sample import Sample
from overnight.planning.standing import Policy, Standing, State
from overnight.planning.wants import Wanted, Wants, begun, is_to_send, why_not_sent
from overnight.pricing.characters import Characters
from overnight.pricing.room import Room
from overnight.requests.shards import Shape, ToRender

KEPT_OF_ANSWERED: Final = 500
"""Answered requests whose token counts tell what the others will take: enough for a mean within a few percent."""
KEPT_OF_TRIED: Final = 2_000
"""The same, of what share of attempts failed."""
COUNTED_AT_ONCE: Final = 30
"""Requests whose tokens the service counts, where it is asked to: half a minute at most."""


@dataclass(frozen=True, slots=True)
class Previous:
    """What the ledger had bound to (record, stage, sample) before. row: of its answer, 0 when it had none."""

    address: bytes
    recipe: str
    model: str
    row: int


@dataclass(slots=True)
class Group:
    """Requests of one shape of line.

    characters: of the records' texts. text_bytes, longest_bytes: of the texts as they will stand in their lines, of all
    and of the longest request. some: of the requests, for counting. tries: the fewest that any of them has behind it.
    drawn: those that `when_over: fit` may leave for later.
    """

    shape: Shape
    recipe: Recipe
    n_requests: int = 0
    characters: Characters = field(default_factory=Characters)
    text_bytes: int = 0
    longest_bytes: int = 0
    tries: int | None = None
    first: list[tuple[Record, Wanted]] = field(default_factory=list)
    some: Sample[Wanted] = field(default_factory=lambda: Sample(COUNTED_AT_ONCE))
    drawn: Drawn = field(default_factory=Drawn)


@dataclass(slots=True)
class Plan:
    """`overnight plan` shows it, `overnight run` closes it. Counts of requests but where it says records.

    past_deadline: of those given up, the ones that would be sent again had they not been sent first too long ago.
    before: of what is asked again, the ledger's rows of the answers there are, by reason. answered: some of what is
    settled. tried: of some of what was sent before, (attempts that ended, those of them whose problem is sent again).
    ahead: what may follow on what is sent, by stage and first sample. compared: samples of records, where the task
    depends on what they say.
    """

    records: int = 0
    not_sent: Counter[NotSent] = field(default_factory=Counter)
    wanted: int = 0
    settled: int = 0
    given_up: int = 0
    past_deadline: int = 0
    in_flight: int = 0
    same_prompt: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    groups: dict[Shape, Group] = field(default_factory=dict)
    before: dict[Reason, list[int]] = field(default_factory=dict)
    answered: Sample[Wanted] = field(default_factory=lambda: Sample(KEPT_OF_ANSWERED))
    tried: Sample[tuple[int, int]] = field(default_factory=lambda: Sample(KEPT_OF_TRIED))
    ahead: dict[tuple[str, int], Ahead] = field(default_factory=dict)
    compared: Comparison = field(default_factory=Comparison)
    outside_pilot: int = 0
    """Records of which something is not asked now, since the pilot does not take them."""

    @property
    def ended(self) -> int:
        """Attempts of `tried`; failed: those of them whose problem is sent again."""
        return sum(ended for ended, _ in self.tried.items())

    @property
    def failed(self) -> int:
        return sum(failed for _, failed in self.tried.items())

    @property
    def to_send(self) -> int:
        return sum(group.n_requests for group in self.groups.values())

    @property
    def paid_again(self) -> int:
        return sum(self.reasons[reason] for reason in PAID_AGAIN)


class Difference:
    """Two passes over the same records: `plan` counts and queues, `requests` gives the queued ones of a shape.

    recipe: of that digest, None where it is not known. why_open: by which word a request was opened again, `retry` or
    `forget`. keep: how many of each group to keep whole for `plan --show`. draw, bound: of records never begun, only
    those go whose number is not above the bound; without a draw all. rooms: of what was never cut off, by recipe; by
    the model where it is not said. pilot: of records that it does not take nothing is asked for the first time.
    """

    def __init__(
        self,
        wants: Wants,
        policy: Policy,
        previous: Callable[[str, str, int], Previous | None],
        *,
        recipe: Callable[[str], Recipe | None] = lambda _: None,
        why_open: Callable[[bytes], str] = lambda _: Reason.RETRY,
        keep: int = 0,
        draw: Draw | None = None,
        bound: int = ALL,
        rooms: Mapping[str, Room] = MappingProxyType({}),
        pilot: Pilot | None = None,
    ) -> None:
        self._wants, self._policy, self._previous, self._keep = wants, policy, previous, keep
        self._recipe, self._why_open = recipe, why_open
        self._draw, self._bound = draw, bound
        self._rooms, self._pilot = rooms, pilot

    def plan(self, records: Iterable[Record]) -> Plan:
        plan = Plan()
        for record in records:
            plan.records += 1
            found, settled = self._wants.unfold(record)
            if not found:
                plan.not_sent[why_not_sent(self._wants.task, record)] += 1
            asked = self._asked_now(record, found)
            plan.outside_pilot += len(asked) < len(found)
            number = self._number(asked)
            if number is not None and number > self._bound:
                plan.not_sent[NotSent.OVER_BUDGET] += 1
                continue
            queued = {}
            for wanted in asked:
                plan.wanted += 1
                if (reason := self._place(plan, record, found, wanted, number)) is not None:
                    queued[wanted.want.stage, wanted.want.sample] = reason
            if found and self._wants.task.dependent:
                self._look_ahead(plan, record, settled, queued)
        return plan

    def _look_ahead(
        self, plan: Plan, record: Record, settled: Settlements, queued: Mapping[tuple[str, int], Reason]
    ) -> None:
        plan.compared.see(self._wants.task.compared(record, settled))
        for one in self._wants.task.later(record, settled):
            place = one.stage, one.sample
            if place not in plan.ahead:
                known = self._rooms.get(one.recipes[0].digest)
                plan.ahead[place] = Ahead(one, self._policy.room(0) if known is None else known.tokens)
            plan.ahead[place].see(one, queued)

    def requests(self, records: Iterable[Record], shape: Shape, *, upto: int = ALL) -> Iterator[ToRender]:
        """The plan's requests of one shape, in record order. Each is given once and is then in flight.

        upto: of records never begun, only those whose number is not above it.
        """
        for record in records:
            found = self._wants.of(record)
            number = self._number(found) if upto < ALL else None
            if number is not None and number > upto:
                continue
            for wanted in found:
                if wanted.standing.state is State.QUEUED and self._shape(wanted) == shape:
                    self._wants.standings.mark(wanted.address, State.IN_FLIGHT)
                    yield ToRender(wanted.address, wanted.standing.attempts + 1, wanted.want.texts)

    def _asked_now(self, record: Record, found: list[Wanted]) -> list[Wanted]:
        """All of it, but of a record outside the pilot only what was asked before."""
        if self._pilot is None or not found or self._pilot.takes(record, found[0].want.texts):
            return found
        return [wanted for wanted in found if wanted.standing.state is not State.UNKNOWN]

    def _number(self, found: list[Wanted]) -> int | None:
        """None: nothing is drawn, or the record was begun, and what is begun is finished first."""
        if self._draw is None or not found or begun(found):
            return None
        return self._draw(found[0].want.texts)

    def _place(
        self, plan: Plan, record: Record, found: Sequence[Wanted], wanted: Wanted, number: int | None
    ) -> Reason | None:
        """Counts it. Why it is sent, None where it is not. found: all of the record."""
        standing = wanted.standing
        if standing.attempts and standing.state is not State.QUEUED:
            plan.tried.offer(wanted.address, _ended(standing))
        if standing.state is State.QUEUED:
            plan.same_prompt += 1
        elif standing.state is State.IN_FLIGHT:
            plan.in_flight += 1
        elif standing.state is State.ANSWERED:
            plan.settled += 1
            plan.answered.offer(wanted.address, wanted)
        elif not is_to_send(standing, self._policy):
            plan.given_up += 1
            plan.past_deadline += self._policy.past_deadline(standing)
        else:
            reason, row = self._why(record, found, wanted)
            plan.reasons[reason] += 1
            if row:
                plan.before.setdefault(reason, []).append(row)
            self._queue(plan, record, wanted, number)
            return reason
        return None

    def _queue(self, plan: Plan, record: Record, wanted: Wanted, number: int | None) -> None:
        shape = self._shape(wanted)
        group = plan.groups.get(shape)
        if group is None:
            group = plan.groups[shape] = Group(shape, wanted.want.recipe)
        group.n_requests += 1
        group.some.offer(wanted.address, wanted)
        group.tries = wanted.standing.tries if group.tries is None else min(group.tries, wanted.standing.tries)
        size_bytes = 0
        for text in wanted.want.texts:
            group.characters.add(text)
            size_bytes += len(orjson.dumps(text)) - 2  # escaped, as it will stand in the line
        group.text_bytes += size_bytes
        group.longest_bytes = max(group.longest_bytes, size_bytes)
        if number is not None:
            group.drawn.add(number, size_bytes)
        if len(group.first) < self._keep:
            group.first.append((record, wanted))
        self._wants.standings.mark(wanted.address, State.QUEUED)

    def _shape(self, wanted: Wanted) -> Shape:
        """The room is the attempt's alone: another one is another line and another job, and the same request."""
        recipe, standing = wanted.want.recipe.digest, wanted.standing
        found = None if standing.truncations else self._rooms.get(recipe)
        tokens = self._policy.next_room(standing) if found is None else found.tokens
        return Shape(wanted.want.stage, recipe, tokens)

    def _why(self, record: Record, found: Sequence[Wanted], wanted: Wanted) -> tuple[Reason, int]:
        """(reason, row of the answer there is, 0 for none)."""
        standing = wanted.standing
        if standing.state is State.REOPENED:
            return Reason(self._why_open(wanted.address)), 0
        if standing.state is State.PROBLEM:
            return Reason.AGAIN, 0
        want = wanted.want
        before = self._previous(record.record_id, want.stage, want.sample)
        if before is None:
            return Reason.MORE_SAMPLES if _has_more(found, wanted) else Reason.NEW, 0
        if not before.row or before.address == wanted.address:
            return Reason.NEW, 0
        if self._made_of_others(found, want, before):
            return Reason.ANSWERS_CHANGED, before.row
        if before.model != self._wants.model:
            return Reason.MODEL_CHANGED, before.row
        if before.recipe != want.recipe.digest:
            return what_changed(self._recipe(before.recipe), want.recipe), before.row
        return Reason.TEXT_CHANGED, before.row

    def _made_of_others(self, found: Sequence[Wanted], want: Want, before: Previous) -> bool:
        """Of a later stage: did the answers before it change, or were they given anew in the same words?"""
        stages = self._wants.task.stages
        place = stages.index(want.stage)
        if place and self._wants.address(want, before.model, before.recipe) != before.address:
            return True
        earlier = (one for one in found if stages.index(one.want.stage) < place)
        return any(one.standing.row > before.row for one in earlier)


def _has_more(found: Sequence[Wanted], wanted: Wanted) -> bool:
    """Was an earlier sample of the record answered?"""
    place = wanted.want
    return any(
        one.want.stage == place.stage and one.want.sample < place.sample and one.standing.state is State.ANSWERED
        for one in found
    )


def _ended(standing: Standing) -> tuple[int, int]:
    """(attempts that ended, those of them whose problem is sent again)."""
    if standing.state is State.ANSWERED:
        return standing.attempts, standing.attempts - 1
    if standing.kind is None:
        return 0, 0
    return standing.tries, standing.tries - (AGAIN[standing.kind] is Next.GIVE_UP)
