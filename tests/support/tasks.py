"""Test-only tasks: so many samples; a third sample where two differ; a second stage for what is contested.

Beside them a desk with records and a ledger that is three lists, on which a run's rounds are played without a service.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from overnight.core.compared import Compared
from overnight.core.outcome import NotSent, Outcome, ProblemKind
from overnight.core.recipe import Recipe
from overnight.core.record import Cell, Record
from overnight.core.task import Column, Later, Settled, Settlements, Table, Want
from overnight.planning.difference import Difference, Plan, Previous
from overnight.planning.pilot import Pilot, drawn_pilot
from overnight.planning.standing import Policy, Standings
from overnight.planning.wants import Wants
from overnight.requests.shards import ToRender
from tests.support.recipes import recipe

ANSWER = recipe("Judge: ", "{text}", stage="answer")
ADJUDICATE = recipe("Decide: ", "{text}", " after ", "{said}", stage="adjudicate")


def said(settled: Settlements, stage: str = "answer") -> list[str]:
    """What the samples of a stage answered, in order of the samples; a problem as its kind."""
    ordered = sorted((place[1], one.outcome) for place, one in settled.items() if place[0] == stage)
    return [outcome.answer.decode() if outcome.kind is None else outcome.kind.value for _, outcome in ordered]


@dataclass
class SamplesTask:
    """The same question, `samples` times."""

    samples: int = 1
    recipe: Recipe = ANSWER
    stages: Sequence[str] = ("answer",)
    dependent: bool = False
    columns: Sequence[Column] = (Column("a_said"),)
    tables: Sequence[Table] = ()

    @property
    def recipes(self) -> Sequence[Recipe]:
        return (self.recipe,)

    def not_sent(self, record: Record) -> NotSent | None:
        return None if record.values["text"] else NotSent.NO_TEXT

    def wants(self, record: Record, settled: Settlements) -> Iterable[Want]:
        if self.not_sent(record) is None:
            for sample in range(1, self.samples + 1):
                yield Want("answer", sample, self.recipe, (str(record.values["text"]),))

    def cells(self, record: Record, settled: Settlements) -> Sequence[Cell]:
        return [" ".join(said(settled)) or None]

    def later(self, record: Record, settled: Settlements) -> Iterable[Later]:
        return ()

    def tallied(self, record: Record, settled: Settlements) -> Iterable[tuple[str, str]]:
        return ()

    def compared(self, record: Record, settled: Settlements) -> Compared | None:
        heard = said(settled)
        return Compared(len(set(heard)) > 1) if len(heard) == self.samples > 1 else None


@dataclass
class ThirdWhereTwoDiffer(SamplesTask):
    """Two samples, and a third of the same stage where they differ."""

    samples: int = 2
    dependent: bool = True

    def wants(self, record: Record, settled: Settlements) -> Iterable[Want]:
        yield from super().wants(record, settled)
        first_two = said({place: one for place, one in settled.items() if place[1] <= 2})
        if len(first_two) == 2 and len(set(first_two)) == 2:
            yield Want("answer", 3, self.recipe, (str(record.values["text"]),))

    def later(self, record: Record, settled: Settlements) -> Iterable[Later]:
        first_two = said({place: one for place, one in settled.items() if place[1] <= 2})
        known = len(set(first_two)) == 2 if len(first_two) == 2 else None
        yield Later("answer", 3, (self.recipe,), (str(record.values["text"]),), wanted=known)


@dataclass
class ContestedTask(SamplesTask):
    """Samples, then one request of a second stage for records whose samples do not all say the same."""

    samples: int = 2
    stages: Sequence[str] = ("answer", "adjudicate")
    dependent: bool = True

    @property
    def recipes(self) -> Sequence[Recipe]:
        return (self.recipe, ADJUDICATE)

    def wants(self, record: Record, settled: Settlements) -> Iterable[Want]:
        yield from super().wants(record, settled)
        heard = said(settled)
        if len(heard) == self.samples and len(set(heard)) > 1:
            yield Want("adjudicate", 1, ADJUDICATE, (str(record.values["text"]), " / ".join(heard)))

    def later(self, record: Record, settled: Settlements) -> Iterable[Later]:
        heard = said(settled)
        known = len(set(heard)) > 1 if len(heard) == self.samples else None
        said_by = (self.recipe,) * self.samples
        yield Later("adjudicate", 1, (ADJUDICATE,), (str(record.values["text"]), ""), said_by, known)


def record(text: str, number: int = 0, record_id: str = "") -> Record:
    return Record(record_id or f"r{number}", number, {"text": text}, f"t.csv:{number + 2}")


def records(*texts: str) -> list[Record]:
    return [record(text, number) for number, text in enumerate(texts)]


Service = Callable[[ToRender], ProblemKind | str]
"""Who answers: an answer's text, or the kind of problem it ends with."""


@dataclass
class Desk:
    """The facts of a study, and what one round of a run does with them. A plan is always made from the facts alone."""

    task: SamplesTask
    records: list[Record]
    realm: str = "stand-in"
    model: str = "m"
    attempts: int = 3
    room: Callable[[int], int] = lambda truncations: 100 << min(truncations, 2)
    sent: list[tuple[bytes, int]] = field(default_factory=list)
    outcomes: list[tuple[bytes, int, ProblemKind | None, int]] = field(default_factory=list)
    reopened: dict[bytes, int] = field(default_factory=dict)
    rows: dict[int, Outcome] = field(default_factory=dict)
    bound: dict[tuple[str, str, int], tuple[bytes, str, str]] = field(default_factory=dict)
    pilot: Pilot | None = None

    @property
    def policy(self) -> Policy:
        return Policy(self.attempts, self.room)

    def standings(self) -> Standings:
        sent = ((address, attempt, 0) for address, attempt in self.sent)
        return Standings(sent, self.outcomes, self.reopened.items())

    def wants(self, standings: Standings | None = None) -> Wants:
        folded = self.standings() if standings is None else standings
        return Wants(self.task, self.realm, self.model, folded, self.policy, self._settled)

    def _settled(self, row: int) -> Settled:
        return Settled(self.rows[row], self.rows[row].attempt)

    def difference(self) -> Difference:
        standings = self.standings()

        def previous(record_id: str, stage: str, sample: int) -> Previous | None:
            found = self.bound.get((record_id, stage, sample))
            if found is None:
                return None
            standing = standings[found[0]]
            return Previous(*found, standing.row if standing.kind is None else 0)

        return Difference(self.wants(standings), self.policy, previous, keep=1, pilot=self.pilot)

    def plan(self) -> Plan:
        return self.difference().plan(self.records)

    def send(self) -> list[ToRender]:
        """What the plan holds goes out; nothing comes back yet. Checks that the plan said how much it would be."""
        difference = self.difference()
        plan = difference.plan(self.records)
        for one in self.records:
            for wanted in self.wants().of(one):
                place = one.record_id, wanted.want.stage, wanted.want.sample
                self.bound[place] = wanted.address, wanted.want.recipe.digest, self.model
        requests = []
        for shape, group in plan.groups.items():
            found = list(difference.requests(self.records, shape))
            assert len(found) == group.n_requests
            requests += found
        assert len(requests) == plan.to_send == sum(plan.reasons.values())
        self.sent += [(request.address, request.attempt) for request in requests]
        return requests

    def end(self, request: ToRender, ended: ProblemKind | str) -> None:
        kind = ended if isinstance(ended, ProblemKind) else None
        answer = b"" if isinstance(ended, ProblemKind) else ended.encode()
        row = len(self.rows) + 1
        self.rows[row] = Outcome(request.address, request.attempt, kind, answer)
        self.outcomes.append((request.address, request.attempt, kind, row))

    def round(self, service: Service) -> int:
        """One round of a run. Returns how many were sent."""
        requests = self.send()
        for request in requests:
            self.end(request, service(request))
        return len(requests)

    def run(self, service: Service) -> list[int]:
        """Rounds until nothing is left to send: how many each sent."""
        sizes = []
        while size := self.round(service):
            sizes.append(size)
            assert len(sizes) < 100, "it does not come to an end"
        return sizes

    def draw(self, n: int, seed: int = 1) -> Pilot:
        """From now on only these are asked."""
        self.pilot = drawn_pilot(self.task, self.records, n, seed)
        return self.pilot

    def reopen(self, *kinds: ProblemKind | None) -> None:
        """`retry` of these kinds of problem; None stands for answers (`forget`)."""
        for address, standing in self.standings().items():
            if standing.row and standing.kind in kinds:
                self.reopened[address] = standing.attempts

    def accounts(self) -> list[tuple[str, ProblemKind | None]]:
        return [(found.outcome, found.problem) for found in map(self.wants().account, self.records)]


def fine(request: ToRender) -> str:
    return "yes"
