"""The difference: what is to be sent, why, and what it may cost. Changes nothing outside the standings it is given."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

from overnight.core.outcome import NotSent
from overnight.core.recipe import Recipe
from overnight.core.record import Record
from overnight.planning.standing import Policy, State
from overnight.planning.wants import Wanted, Wants, is_to_send, why_not_sent
from overnight.requests.shards import Shape, ToRender


class Reason(StrEnum):
    """Why a request is to be sent."""

    NEW = "new"
    AGAIN = "again"  # a problem that may go away
    REOPENED = "reopened"  # `retry` or `forget`
    TEXT_CHANGED = "text_changed"
    RECIPE_CHANGED = "recipe_changed"  # prompt, answer fields, criteria or thinking
    MODEL_CHANGED = "model_changed"


PAID_AGAIN = frozenset({Reason.RECIPE_CHANGED, Reason.MODEL_CHANGED})
"""Reasons that pay again for records answered before because the *study* was edited: asked first. An edited text is a
new question about a new text, and is sent."""


@dataclass(frozen=True, slots=True)
class Previous:
    """What the ledger had bound to (record, stage, sample) before. row: of its answer, 0 when it had none."""

    address: bytes
    recipe: str
    model: str
    row: int


@dataclass(slots=True)
class Group:
    """Requests of one shape of line. chars: of the records' texts. attempts: how many are not the first."""

    shape: Shape
    recipe: Recipe
    n_requests: int = 0
    chars: int = 0
    text_bytes: int = 0
    first: list[tuple[Record, Wanted]] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """`overnight plan` shows it, `overnight run` closes it. Counts of requests but where it says records.

    past_deadline: of those given up, the ones that would be sent again had they not been sent first too long ago.
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
    again_rows: list[int] = field(default_factory=list)

    @property
    def to_send(self) -> int:
        return sum(group.n_requests for group in self.groups.values())

    @property
    def paid_again(self) -> int:
        return sum(self.reasons[reason] for reason in PAID_AGAIN)


class Difference:
    """Two passes over the same records: `plan` counts and queues, `requests` gives the queued ones of a shape.

    keep: how many of each group to keep whole for `plan --show`.
    """

    def __init__(
        self,
        wants: Wants,
        policy: Policy,
        previous: Callable[[str, str, int], Previous | None],
        *,
        keep: int = 0,
    ) -> None:
        self._wants, self._policy, self._previous, self._keep = wants, policy, previous, keep

    def plan(self, records: Iterable[Record]) -> Plan:
        plan = Plan()
        for record in records:
            plan.records += 1
            found = self._wants.of(record)
            if not found:
                plan.not_sent[why_not_sent(self._wants.task, record)] += 1
            for wanted in found:
                plan.wanted += 1
                self._place(plan, record, wanted)
        return plan

    def requests(self, records: Iterable[Record], shape: Shape) -> Iterator[ToRender]:
        """The plan's requests of one shape, in record order. Each is given once and is then in flight."""
        for record in records:
            for wanted in self._wants.of(record):
                if wanted.standing.state is State.QUEUED and self._shape(wanted) == shape:
                    self._wants.standings.mark(wanted.address, State.IN_FLIGHT)
                    yield ToRender(wanted.address, wanted.standing.attempts + 1, wanted.want.texts)

    def _place(self, plan: Plan, record: Record, wanted: Wanted) -> None:
        standing = wanted.standing
        if standing.state is State.QUEUED:
            plan.same_prompt += 1
        elif standing.state is State.IN_FLIGHT:
            plan.in_flight += 1
        elif standing.state is State.ANSWERED:
            plan.settled += 1
        elif not is_to_send(standing, self._policy):
            plan.given_up += 1
            plan.past_deadline += self._policy.past_deadline(standing)
        else:
            self._queue(plan, record, wanted)

    def _queue(self, plan: Plan, record: Record, wanted: Wanted) -> None:
        shape = self._shape(wanted)
        group = plan.groups.setdefault(shape, Group(shape, wanted.want.recipe))
        group.n_requests += 1
        for text in wanted.want.texts:
            group.chars += len(text)
            group.text_bytes += len(orjson.dumps(text)) - 2  # escaped, as it will stand in the line
        if len(group.first) < self._keep:
            group.first.append((record, wanted))
        reason, row = self._why(record, wanted)
        plan.reasons[reason] += 1
        if reason in PAID_AGAIN:
            plan.again_rows.append(row)
        self._wants.standings.mark(wanted.address, State.QUEUED)

    def _shape(self, wanted: Wanted) -> Shape:
        room = self._policy.room(wanted.standing.truncations)
        return Shape(wanted.want.stage, wanted.want.recipe.digest, room)

    def _why(self, record: Record, wanted: Wanted) -> tuple[Reason, int]:
        """(reason, row of the answer that is paid for again)."""
        standing = wanted.standing
        if standing.state is State.REOPENED:
            return Reason.REOPENED, 0
        if standing.state is State.PROBLEM:
            return Reason.AGAIN, 0
        before = self._previous(record.record_id, wanted.want.stage, wanted.want.sample)
        if before is None or not before.row or before.address == wanted.address:
            return Reason.NEW, 0
        if before.model != self._wants.model:
            return Reason.MODEL_CHANGED, before.row
        if before.recipe != wanted.want.recipe.digest:
            return Reason.RECIPE_CHANGED, before.row
        return Reason.TEXT_CHANGED, before.row
