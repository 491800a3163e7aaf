"""The plans in force and what they did, on disk: a process killed and started again goes on with them.

A strike is written before a client can see its effect. What a plan decided about a job is kept with the job's id, so
a job taken up again meets the same faults and counts once. Rows are counted in the transaction that also saves how
far the job is: a chunk done again after a crash is counted once.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from overnight.localcloud.database import Database
from overnight.localcloud.faults.call import CallFault
from overnight.localcloud.faults.catalogue import order_of
from overnight.localcloud.faults.kind import PlanError
from overnight.localcloud.faults.lines import Hits, LineFault
from overnight.localcloud.faults.plan import SWITCH, Plan
from overnight.localcloud.faults.scope import Call, JobFacts
from overnight.localcloud.values import JsonObject, now_us
from overnight.localcloud.vertex.output.line import Line

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS faults (
  seq INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, plan TEXT NOT NULL, seen INTEGER NOT NULL,
  strikes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fault_decisions (
  name TEXT NOT NULL, job TEXT NOT NULL, struck INTEGER NOT NULL, time_us INTEGER NOT NULL,
  PRIMARY KEY (name, job)) WITHOUT ROWID;
"""
F = TypeVar("F")


@dataclass(slots=True)
class _Tally:
    """seen: how much of what its scope names a plan has met."""

    plan: Plan
    seen: int = 0
    strikes: int = 0

    def meets(self) -> bool:
        """One more of what the scope names: whether it is struck."""
        self.seen += 1
        struck = self.plan.when.strikes(self.seen, self.strikes)
        self.strikes += struck
        return struck


@dataclass(frozen=True, slots=True)
class Struck(Generic[F]):
    """A fault that has struck a job, and when that was decided (microseconds since 1970)."""

    fault: F
    since_us: int


class Faults:
    def __init__(self, database: Database) -> None:
        self._database = database
        rows = database.rows("SELECT name, plan, seen, strikes FROM faults ORDER BY seq")
        self._tallies: dict[str, _Tally] = {}
        for row in rows:
            plan = Plan.made(row["name"], json.loads(row["plan"]))
            self._tallies[plan.name] = _Tally(plan, row["seen"], row["strikes"])
        self._ordered: Sequence[_Tally] = ()
        self._sort()

    def _sort(self) -> None:
        """Plans act in the order of the catalogue; of one kind, in the order they were made."""
        self._ordered = sorted(self._tallies.values(), key=lambda tally: order_of(type(tally.plan.fault)))

    # Plans

    def put(self, plans: Sequence[Plan], *, keep: bool = False) -> None:
        """A plan takes the place of one with its name and counts anew. keep: an equal one stays as it is."""
        with self._database.transaction():
            for plan in plans:
                old = self._tallies.get(plan.name)
                if keep and old is not None and old.plan == plan:
                    continue
                self._remove(plan.name)
                self._tallies[plan.name] = _Tally(plan)
                self._database.write(
                    "INSERT INTO faults (name, plan, seen, strikes) VALUES (?, ?, 0, 0)",
                    (plan.name, json.dumps(plan.describe())),
                )
            self._sort()

    def remove(self, name: str) -> None:
        """Jobs it holds go on. Raises PlanError when there is none of this name."""
        if name not in self._tallies:
            raise PlanError(f"there is no fault plan {name!r}")
        self.discard(name)

    def discard(self, name: str) -> None:
        """As `remove`; nothing when there is none."""
        if name in self._tallies:
            with self._database.transaction():
                self._remove(name)
                self._sort()

    def _remove(self, name: str) -> None:
        self._tallies.pop(name, None)
        self._database.write("DELETE FROM faults WHERE name = ?", (name,))
        self._database.write("DELETE FROM fault_decisions WHERE name = ?", (name,))

    def names(self) -> list[str]:
        """Of plans that clients made, oldest first."""
        return [name for name in self._tallies if not name.startswith(SWITCH)]

    def describe(self, name: str) -> JsonObject:
        """Raises PlanError when there is none of this name."""
        if name not in self._tallies:
            raise PlanError(f"there is no fault plan {name!r}")
        tally = self._tallies[name]
        return {**tally.plan.describe(), "seen": tally.seen, "strikes": tally.strikes}

    def strikes(self, name: str) -> int:
        """0 when there is no such plan."""
        tally = self._tallies.get(name)
        return tally.strikes if tally else 0

    # Calls

    def look_into_bodies(self) -> bool:
        """Whether some scope needs what only the body of a call says: an upload's name, a new job's labels."""
        scopes = [tally.plan.scope for tally in self._ordered]
        return any(
            (scope.object_prefix and "upload" in scope.calls) or (scope.names_jobs and "create" in scope.calls)
            for scope in scopes
        )

    def strike_calls(self) -> bool:
        """Whether there is any plan that may."""
        return any(isinstance(tally.plan.fault, CallFault) for tally in self._ordered)

    def of_call(self, call: Call) -> CallFault | None:
        """What strikes this call, counted. At most one plan: the first that is due; later ones have not seen it."""
        with self._database.transaction():
            for tally in self._ordered:
                fault = tally.plan.fault
                if isinstance(fault, CallFault) and tally.plan.scope.has_call(call):
                    struck = tally.meets()
                    self._save(tally)
                    if struck:
                        return fault
        return None

    # Jobs

    def of_job(self, job: JobFacts, kind: type[F]) -> list[Struck[F]]:
        """The faults of a kind that strike this job. Decided, and counted, when it is first asked; then as before."""
        found: list[Struck[F]] = []
        for tally in self._ordered:
            fault = tally.plan.fault
            if isinstance(fault, kind) and tally.plan.scope.has_job(job):
                since_us = self._decided(tally, job)
                if since_us:
                    found.append(Struck(fault, since_us))
        return found

    def ahead_of_job(self, job: JobFacts, kind: type[F]) -> list[F]:
        """The faults of a kind that may strike this job; nothing is decided."""
        return [
            tally.plan.fault
            for tally in self._ordered
            if isinstance(tally.plan.fault, kind) and tally.plan.scope.has_job(job)
        ]

    def strike_job(self, job: JobFacts, fault: object) -> int:
        """Decides one of `ahead_of_job`: when it struck the job, or 0 when it does not."""
        tally = next((one for one in self._ordered if one.plan.fault is fault), None)
        return self._decided(tally, job) if tally else 0

    def _decided(self, tally: _Tally, job: JobFacts) -> int:
        name = tally.plan.name
        with self._database.transaction():
            row = self._database.row(
                "SELECT struck, time_us FROM fault_decisions WHERE name = ? AND job = ?", (name, job.id)
            )
            if row is None:
                struck, time_us = tally.meets(), now_us()
                self._save(tally)
                self._database.write(
                    "INSERT INTO fault_decisions VALUES (?, ?, ?, ?)", (name, job.id, int(struck), time_us)
                )
            else:
                struck, time_us = bool(row["struck"]), row["time_us"]
        return time_us if struck else 0

    # Rows

    @contextmanager
    def of_rows(self, job: JobFacts) -> Iterator[list[tuple[LineFault, Hits]]]:
        """The faults that may strike rows of this job, each with its aim. One transaction: also for the caller."""
        tallies = [
            tally
            for tally in self._ordered
            if isinstance(tally.plan.fault, LineFault) and tally.plan.scope.has_job(job)
        ]
        with self._database.transaction():
            before = [(tally.seen, tally.strikes) for tally in tallies]
            with ExitStack() as undo:
                undo.callback(_put_back, tallies, before)
                yield [(tally.plan.fault, _aim(tally)) for tally in tallies if isinstance(tally.plan.fault, LineFault)]
                for tally in tallies:
                    self._save(tally)
                undo.pop_all()

    def _save(self, tally: _Tally) -> None:
        self._database.write(
            "UPDATE faults SET seen = ?, strikes = ? WHERE name = ?", (tally.seen, tally.strikes, tally.plan.name)
        )


def _put_back(tallies: Sequence[_Tally], counts: Sequence[tuple[int, int]]) -> None:
    for tally, (seen, strikes) in zip(tallies, counts, strict=True):
        tally.seen, tally.strikes = seen, strikes


def _aim(tally: _Tally) -> Callable[[Line], bool]:
    scope = tally.plan.scope

    def hits(line: Line) -> bool:
        return scope.has_row(line.row, line.key) and tally.meets()

    return hits
