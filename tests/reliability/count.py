"""What `make reliability` does, and what it counts: faults tried, commands killed, steps in any order."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.crash.driver import Driver
from tests.crash.machine import Stage, interleaved
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.walk import At, Walk, Wrong, every
from tests.faults.page import rows
from tests.faults.walk import walk, walking
from tests.reliability.kinds import Tried, every_kind, tried
from tests.support.cloud import SWIFT
from tests.support.local_cloud import LocalCloud

WORKERS = 4
RUNS, STEPS = 40, 30
FEWER_RUNS, FEWER_STEPS = 10, 20
SLICE = 10
"""So many runs of the state machine at a time, before the clock is looked at; the first of them is a short one."""
T = TypeVar("T")


@dataclass
class Counts:
    """kinds_of_points: names of the points killed at. pairs: killed, and run again. wrong: what must not be."""

    plans: int = 0
    strikes: int = 0
    scenarios: int = 0
    kinds_of_points: set[str] = field(default_factory=set)
    pairs: int = 0
    machine: Counter[str] = field(default_factory=Counter)
    wrong: Wrong = field(default_factory=Wrong)
    seconds: float = 0.0
    cut_short: bool = False


class Counting:
    """folder: for everything that is made. tell: says each case that is wrong, at once. minutes: nothing new is begun
    after so many; 0 for no end."""

    def __init__(self, folder: Path, tell: Callable[[str], None], *, fewer: bool, minutes: float) -> None:
        self._folder, self._tell, self._fewer = folder, tell, fewer
        self._end = time.monotonic() + 60 * minutes if minutes else float("inf")
        self._lock = threading.Lock()
        self.counts = Counts()

    def all(self) -> Counts:
        """All of it, `WORKERS` parts at a time: half of it is waiting."""
        started = time.monotonic()
        parts: list[Callable[[], None]] = [self._machine, lambda: self._kinds(list(every_kind()))]
        parts += [] if self._fewer else [self._page]
        parts += [self._scenario_of(scenario) for scenario in SCENARIOS]
        with ThreadPoolExecutor(WORKERS) as workers:
            for done in [workers.submit(part) for part in parts]:
                done.result()
        self.counts.seconds = time.monotonic() - started
        return self.counts

    def _in_time(self, things: Iterable[T]) -> Iterator[T]:
        for thing in things:
            if time.monotonic() > self._end:
                self.counts.cut_short = True
                return
            yield thing

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[Stage]:
        """A local cloud and a driver of its own."""
        folder = self._folder / name
        (folder / "cases").mkdir(parents=True)
        cloud = LocalCloud(folder / "cloud", **SWIFT)
        cloud.bucket("my-bucket")
        with Driver(folder) as driver:
            stage = Stage(cloud, driver, folder / "cases")
            yield stage
        stage.cloud.stop()

    def _is_wrong(self, wrong: Wrong) -> None:
        with self._lock:
            self.counts.wrong.add(wrong)
            for words in wrong.words:
                self._tell(words)

    def _kinds(self, all_of_them: Iterable[Tried]) -> None:
        with self._stage("kinds") as stage:
            for one in self._in_time(all_of_them):
                case, strikes = tried(stage.cloud, stage.driver, stage.folder / one.name.replace(" ", "-"), one)
                self._is_wrong(case.wrong)
                self.counts.plans += 1
                self.counts.strikes += strikes

    def _page(self) -> None:
        """Each row of docs/reference/problems.md, as tests/faults walks it; in this process, as no other part is."""
        with self._stage("page") as stage, walking(stage.cloud):
            for number, row in enumerate(self._in_time(rows())):
                walked = walk(stage.cloud, stage.folder / f"{number:04d}", row)
                words = [f"problems.md, {row.name}: {what}" for what in walked.differs]
                self._is_wrong(Wrong(walked.lost, walked.wrong, walked.paid_twice, walked.tracebacks, words))
                self.counts.plans += len(row.plans)
                self.counts.strikes += walked.strikes

    def _scenario_of(self, scenario: Scenario) -> Callable[[], None]:
        def walked() -> None:
            with self._stage(scenario.name.replace(" ", "-").replace(",", "")) as stage:
                walk_ = Walk(stage.cloud, stage.driver, stage.folder)
                for case in walk_.walked(scenario, lambda points: self._in_time(self._points(points))):
                    self._is_wrong(case.wrong)
                    if case.killed and case.at is not None:
                        with self._lock:
                            self.counts.pairs += 1
                            self.counts.kinds_of_points.add(case.at[0])
            self.counts.scenarios += 1

        def in_time() -> None:
            for _ in self._in_time([scenario]):
                walked()

        return in_time

    def _points(self, points: tuple[str, ...]) -> Iterator[At]:
        """All of them; of fewer, each the first and the last time it is passed."""
        often = Counter(points)
        return (at for at in every(points) if not self._fewer or at[1] in {1, often[at[0]]})

    def _machine(self) -> None:
        runs, steps = (FEWER_RUNS, FEWER_STEPS) if self._fewer else (RUNS, STEPS)
        given = settings(
            max_examples=SLICE,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        with self._stage("machine") as stage:
            try:
                for _ in self._in_time(range(runs // SLICE)):
                    run_state_machine_as_test(interleaved(stage), settings=given)
            except AssertionError as failed:  # its words name what was broken; the notes, the steps that led there
                self._is_wrong(_of_the_machine(failed))
            self.counts.machine = Counter(runs=stage.runs, steps=stage.steps, kills=stage.kills, strikes=stage.strikes)
            self.counts.strikes += stage.strikes


def _of_the_machine(failed: AssertionError) -> Wrong:
    steps = "\n".join(getattr(failed, "__notes__", []))
    words = f"state machine: {failed}\n{steps}"
    return Wrong(
        rows_lost="rows lost" in words,
        attached_wrongly="attached wrongly" in words,
        paid_twice="paid" in words,
        tracebacks="a traceback" in words,
        words=[words],
    )
