"""A scenario walked: once undisturbed, then killed at each point chosen and run again; compared with the first.

What is wrong with a case is counted and said in words, not raised: the reliability page counts, the tests assert.
"""

import contextlib
import itertools
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from overnight.errors import BudgetError, DoubtfulSubmitError
from tests.crash.compare import comparable
from tests.crash.driver import Driver, Struck
from tests.crash.scenarios import MENDED, Scenario, Step
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy

RECORDS = 9
At = tuple[str, int]
"""A point's name and which time it is passed, from 1."""


@dataclass
class Wrong:
    """What must not be, counted; and the same in words."""

    rows_lost: int = 0
    attached_wrongly: int = 0
    paid_twice: int = 0
    tracebacks: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.rows_lost or self.attached_wrongly or self.paid_twice or self.tracebacks or self.words)

    def add(self, other: "Wrong") -> None:
        self.rows_lost += other.rows_lost
        self.attached_wrongly += other.attached_wrongly
        self.paid_twice += other.paid_twice
        self.tracebacks += other.tracebacks
        self.words += other.words


@dataclass
class Case:
    """One walk through a scenario. at: where it was to be killed. codes: exit codes of the resumed command. struck: how
    often each fault plan did."""

    scenario: str
    at: At | None
    home: Path
    killed: bool = False
    points: tuple[str, ...] = ()
    codes: list[int] = field(default_factory=list)
    results: bytes = b""
    served: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    wrong: Wrong = field(default_factory=Wrong)

    def is_wrong(self, words: str) -> None:
        at = f"killed {self.at[0]} ({self.at[1]})" if self.at else "undisturbed"
        self.wrong.words.append(f"{self.scenario}, {at}: {words}; see {self.home}")

    def judge_said(self, ended: Struck) -> None:
        if "Traceback" in ended.err or ended.code in {1, 99}:
            self.wrong.tracebacks += 1
            self.is_wrong(f"a traceback: {ended.err[-600:]}")

    def judge_paid(self, labels: Counter[str], served: Counter[str]) -> None:
        """labels: jobs made for each; served: how often each key was."""
        twice = [name for counts in (labels, served) for name, times in counts.items() if times > 1]
        if twice:
            self.wrong.paid_twice += len(twice)
            self.is_wrong(f"paid twice: {twice}")

    def judge_rows(self, lost: int, strangers: list[str]) -> None:
        """strangers: records that have another's answer."""
        self.wrong.rows_lost += lost
        self.wrong.attached_wrongly += len(strangers)
        if lost or strangers:
            self.is_wrong(f"{lost} rows lost; another's answer: {strangers}")


@dataclass(frozen=True)
class _Google:
    """What a study in realm google says of its cloud and budget, at first and when a person has raised the budget.

    failing: keys of the requests that fail at their first attempt.
    """

    more: str = ""
    raised: str = ""
    failing: tuple[str, ...] = ()

    def at(self, case: str, *, raised: bool = False) -> str:
        """Each case has its own place in the bucket: studies of one name in one place look like one that lost its
        memory."""
        return (self.raised if raised else self.more).replace("/overnight}", f"/{case}}}")


class Walk:
    """cloud: for this walk alone while it lasts. folder: for the studies of all cases."""

    def __init__(self, cloud: LocalCloud, driver: Driver, folder: Path) -> None:
        self._cloud, self._driver, self._folder = cloud, driver, folder
        self._numbers = itertools.count()

    def walked(self, scenario: Scenario, choose: Callable[[tuple[str, ...]], Iterable[At]]) -> Iterator[Case]:
        """The undisturbed case first, then one for each point chosen from those it passed."""
        self._cloud.switch(model_version_suffix="" if scenario.google else "@local-stand-in")
        google = self._google(scenario)
        undisturbed = self._case(scenario, None, google)
        for number, plan in enumerate(scenario.plans):
            if not undisturbed.struck[f"plan-{number}"]:
                undisturbed.is_wrong(f"{plan['kind']} never struck: this case shows nothing of it")
        yield undisturbed
        for at in choose(undisturbed.points):
            case = self._case(scenario, at, google)
            self._compare(case, undisturbed)
            yield case
            if not case.wrong.words:
                shutil.rmtree(case.home)

    def _google(self, scenario: Scenario) -> _Google:
        """A study like the scenario's is priced, and run at Google for its requests' keys."""
        if not scenario.google:
            return _Google()
        study = SmallStudy.of(self._home("asked before"), RECORDS, more=CLOUD)
        worst = Decimal(self._run(study, ("plan", "--json")).json["cost_usd"]["worst"])
        limits = (worst * Decimal(str(share)) for share in (scenario.budget, 10))
        first, raised = (f"{CLOUD}budget: {{limit_usd: {limit:.6f}}}\n" for limit in limits)
        Plans(self._cloud).clear()
        assert self._run(study, ("run", "--yes")).code == 0
        addresses = study.query(f"SELECT DISTINCT hex(address) FROM sent ORDER BY 1 LIMIT {scenario.first_tries}")
        return _Google(first, raised, tuple(f"k{address.lower()}-a1" for (address,) in addresses))

    def _home(self, name: str) -> Path:
        return self._folder / f"{next(self._numbers):05d}-{name.replace(' ', '-').replace(',', '')}"

    def _run(self, study: SmallStudy, words: Step, at: At | None = None) -> Struck:
        return self._driver.command([words[0], str(study.path), *words[1:]], self._cloud.endpoint, at)

    def _case(self, scenario: Scenario, at: At | None, google: _Google) -> Case:
        home = self._home(scenario.name)
        study = scenario.study(home, RECORDS, google.at(home.name))
        case = Case(scenario.name, at, study.home)
        plans = Plans(self._cloud)
        plans.clear()
        for number, plan in enumerate(scenario.plans):
            plans.add(f"plan-{number}", **plan)
        if google.failing:
            plans.add("first-tries", "row_failed", {}, {"keys": list(google.failing)})
        creates, served = last_entries(self._cloud)
        self._steps(case, study, scenario.before, scenario.codes)
        self._strike(case, study, scenario, google)
        self._steps(case, study, scenario.then, (0,))
        self._well_again(case)
        folder = "results" if scenario.google else "stand-in"
        try:
            case.results = comparable(study, folder)
        except (AssertionError, OSError, StopIteration) as cause:
            case.is_wrong(f"a raw line is not to be found: {cause!r}")
        labels, case.served = since(self._cloud, creates, served)
        case.jobs = labels.total()
        case.judge_paid(labels, case.served)
        rows = study.results(folder) if case.results else []
        case.judge_rows(RECORDS - sum(row["outcome"] != "open" for row in rows), [
            row["record_id"] for row in rows if row["outcome"] == "answer" and not is_its_own(row)
        ])  # fmt: skip
        return case

    def _strike(self, case: Case, study: SmallStudy, scenario: Scenario, google: _Google) -> None:
        """The command, killed; then the same command, and what it asks a person to do."""
        first = self._said(case, self._run(study, scenario.struck, case.at))
        case.killed, case.points = first.killed, first.points
        ended = self._said(case, self._run(study, scenario.struck)) if first.killed else first
        case.codes.append(ended.code)
        if ended.code == DoubtfulSubmitError.exit_code and scenario.google:
            ended = self._said(case, self._run(study, (*scenario.struck, "--resubmit")))
            case.codes.append(ended.code)
        if ended.code == BudgetError.exit_code and scenario.google and len(case.codes) > 1:
            study.more = google.at(
                study.home.name, raised=True
            )  # what a job that nobody found may have cost stays reserved: a person gives more
            study.write()
            ended = self._said(case, self._run(study, scenario.struck))
            case.codes.append(ended.code)
        if ended.code:
            case.is_wrong(f"{scenario.struck[0]} ended {case.codes}: {ended.err[-300:]}")

    def _steps(self, case: Case, study: SmallStudy, steps: Iterable[Step], codes: Iterable[int]) -> None:
        for step in steps:
            if step == MENDED:
                self._well_again(case)
                continue
            ended = self._said(case, self._run(study, step))
            if ended.code not in codes:
                case.is_wrong(f"{step[0]} ended {ended.code}: {ended.err[-300:]}")

    def _well_again(self, case: Case) -> None:
        plans = Plans(self._cloud)
        case.struck.update(plans.all_strikes())
        plans.clear()

    def _said(self, case: Case, ended: Struck) -> Struck:
        case.judge_said(ended)
        return ended

    def _compare(self, case: Case, undisturbed: Case) -> None:
        if case.results != undisturbed.results:
            case.is_wrong("results.csv differs from the undisturbed run's")
        again = case.served - undisturbed.served
        if again:
            case.wrong.paid_twice += again.total()
        if case.served != undisturbed.served:
            case.is_wrong(f"served {again} more, {undisturbed.served - case.served} less than undisturbed")


def is_its_own(row: dict[str, str], prefix: str = "r") -> bool:
    """The stand-in's answer to a small study's record holds the number in its text, which is that of its id. Of a
    screen, every quote and the summary name the ward, which has that number."""
    number = row["record_id"].removeprefix(prefix)
    if "a_people" in row:
        return row["a_people"] == number
    said = " ".join(row[name] for name in row if name == "rationale" or name.endswith("_quote"))
    return set(_WARD.findall(said)) <= {f"{int(number):04d}"}


def every(points: tuple[str, ...]) -> Iterator[At]:
    """Each time each point is passed."""
    seen: Counter[str] = Counter()
    for name in points:
        seen[name] += 1
        yield name, seen[name]


_WARD = re.compile(r"\bward (\d{4})\b")
_LABELS = "SELECT json_extract(labels, '$.overnight-job') FROM creates WHERE seq > ?"
_KEYS = "SELECT key FROM served WHERE seq > ?"


def last_entries(cloud: LocalCloud) -> tuple[int, int]:
    """The journal's last numbers: of creates and of rows served."""
    creates, served = (
        _journal(cloud, f"SELECT coalesce(max(seq), 0) FROM {kind} WHERE seq > ?", 0)[0][0]
        for kind in ("creates", "served")
    )
    return int(creates), int(served)


def since(cloud: LocalCloud, creates: int, served: int) -> tuple[Counter[str], Counter[str]]:
    """(jobs for each `overnight-job` label, how often each key was served), after these numbers of the journal."""
    labels = Counter(label for (label,) in _journal(cloud, _LABELS, creates))
    return labels, Counter(key for (key,) in _journal(cloud, _KEYS, served))


def _journal(cloud: LocalCloud, sql: str, after: int) -> list[tuple[str]]:
    with contextlib.closing(sqlite3.connect(cloud.data / "journal.sqlite")) as journal:
        return journal.execute(sql, (after,)).fetchall()
