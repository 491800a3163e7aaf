"""What `make reliability` does, and what it counts: faults tried, commands killed, stories told in any order."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.crash.life import Broken, Stage
from tests.crash.machine import Story, shorter, staged, story_of, tell
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.steps import REALMS
from tests.crash.walk import At, Walk, Wrong, every
from tests.faults.page import rows
from tests.faults.walk import walk, walking
from tests.reliability.kinds import every_kind, tried

WORKERS: Final = 4
"""Half of each part is waiting: four of them keep two cores busy."""
STORIES, STEPS = 24, 18
FEWER_STORIES, FEWER_CASES = 2, 4
PARTS: Final = ("page", "machine", "kinds", "scenarios")
LEAST_PLANS, LEAST_PAIRS = 60, 500


@dataclass
class Counts:
    """kinds_of_points: names of the points killed at. pairs: killed, and run again. idle: plans that never struck.
    wrong: what must not be."""

    plans: int = 0
    strikes: int = 0
    idle: list[str] = field(default_factory=list)
    scenarios: int = 0
    kinds_of_points: set[str] = field(default_factory=set)
    pairs: int = 0
    machine: Counter[str] = field(default_factory=Counter)
    wrong: Wrong = field(default_factory=Wrong)
    seconds: float = 0.0


def shortfalls(counts: Counts) -> list[str]:
    """Why this is no count to show; empty where it is one."""
    wrong, machine = counts.wrong, counts.machine
    zeros = {"rows lost": wrong.rows_lost, "answers attached wrongly": wrong.attached_wrongly,
             "paid twice": wrong.paid_twice, "tracebacks": wrong.tracebacks, "cases wrong": len(wrong.words),
             "plans that never struck": len(counts.idle)}  # fmt: skip
    least = {"fault plans": (counts.plans, LEAST_PLANS), "kill-resume pairs": (counts.pairs, LEAST_PAIRS),
             "scenarios": (counts.scenarios, len(SCENARIOS)), "strikes": (counts.strikes, counts.plans),
             "lives of the state machine": (machine["lives"], len(REALMS) * STORIES),
             "kills in the state machine": (machine["kills"], len(REALMS) * STORIES),
             "strikes in the state machine": (machine["strikes"], len(REALMS) * STORIES)}  # fmt: skip
    return [f"{n} {name}, must be 0" for name, n in zeros.items() if n] + [
        f"{n} {name}, must be {bound} or more" for name, (n, bound) in least.items() if n < bound
    ]


@dataclass(frozen=True)
class Asked:
    """What to count. parts: of PARTS. case: of the parts, only what is called so. at: of a scenario, only there."""

    parts: tuple[str, ...] = PARTS
    fewer: bool = False
    case: str = ""
    at: At | None = None

    @property
    def whole(self) -> bool:
        return self.parts == PARTS and not (self.fewer or self.case or self.at)

    def of(self, names: Iterable[str]) -> list[str]:
        """Those to count."""
        chosen = [name for name in names if self.case in {"", name}]
        return chosen[:: max(1, len(chosen) // FEWER_CASES)] if self.fewer else chosen


class Counting:
    """folder: for everything that is made. tell: says each case that is wrong, at once, and each part that is over."""

    def __init__(self, folder: Path, say: Callable[[str], None], asked: Asked) -> None:
        self._folder, self._say, self._asked = folder, say, asked
        self._lock = threading.Lock()
        self.counts = Counts()

    def all(self) -> Counts:
        """The longest parts begin first."""
        started = time.monotonic()
        parts = [part for name in self._asked.parts for part in getattr(self, f"_{name}")()]
        with ThreadPoolExecutor(WORKERS) as workers:
            for done in [workers.submit(self._timed, name, part) for name, part in parts]:
                done.result()
        self.counts.seconds = time.monotonic() - started
        return self.counts

    def _timed(self, name: str, part: Callable[[Stage], None]) -> None:
        started = time.monotonic()
        with staged(self._folder / name.replace(" ", "-").replace(",", "")) as stage:
            stage.cloud.bucket("my-bucket")
            part(stage)
        self._say(f"{name}: {time.monotonic() - started:.0f} s")

    def _is_wrong(self, wrong: Wrong, again: str) -> None:
        with self._lock:
            self.counts.wrong.add(wrong)
            for words in wrong.words:
                self._say(f"WRONG {words}\n  again: {again}")

    def _plan(self, name: str, strikes: int, plans: int = 1) -> None:
        with self._lock:
            self.counts.plans += plans
            self.counts.strikes += strikes
            if plans and not strikes:
                self.counts.idle.append(name)

    # Each part: what it is called, and what is to be done with a cloud of its own

    def _kinds(self) -> Iterator[tuple[str, Callable[[Stage], None]]]:
        all_of_them = {one.name: one for one in every_kind()}

        def part(stage: Stage) -> None:
            for name in self._asked.of(all_of_them):
                home = stage.folder / name.replace(" ", "-")
                case, strikes = tried(stage.cloud, stage.driver, home, all_of_them[name])
                self._is_wrong(case.wrong, _again("kinds", name))
                self._plan(name, strikes)

        yield "kinds of faults", part

    def _page(self) -> Iterator[tuple[str, Callable[[Stage], None]]]:
        """Each row of docs/reference/problems.md, as tests/faults walks it; in this process, as no other part is."""
        all_of_them = {row.name: row for row in rows()}

        def part(stage: Stage) -> None:
            with walking(stage.cloud):
                for number, name in enumerate(self._asked.of(all_of_them)):
                    row = all_of_them[name]
                    walked = walk(stage.cloud, stage.folder / f"{number:04d}", row)
                    words = [f"problems.md, {name}: {what}" for what in walked.differs]
                    wrong = Wrong(walked.lost, walked.wrong, walked.paid_twice, walked.tracebacks, words)
                    self._is_wrong(wrong, _again("page", name))
                    self._plan(name, walked.strikes, len(row.plans))

        yield "the page of problems", part

    def _scenarios(self) -> Iterator[tuple[str, Callable[[Stage], None]]]:
        names = {scenario.name: scenario for scenario in SCENARIOS}
        for name in names if self._asked.fewer else self._asked.of(names):
            yield name, lambda stage, scenario=names[name]: self._scenario(stage, scenario)  # type: ignore[misc]

    def _scenario(self, stage: Stage, scenario: Scenario) -> None:
        for case in Walk(stage.cloud, stage.driver, stage.folder).walked(scenario, self._points):
            place = f" --at '{case.at[0]}' {case.at[1]}" if case.at else ""
            self._is_wrong(case.wrong, _again("scenarios", scenario.name) + place)
            with self._lock:
                self.counts.strikes += case.struck.total()
                if case.killed and case.at is not None:
                    self.counts.pairs += 1
                    self.counts.kinds_of_points.add(case.at[0])
        with self._lock:
            self.counts.scenarios += 1

    def _points(self, points: tuple[str, ...]) -> Iterator[At]:
        """Each kind of point at most three times: the first, the last, and between."""
        if self._asked.at is not None:
            return iter([self._asked.at])
        often = Counter(points)
        chosen = (at for at in every(points) if at[1] in {1, (1 + often[at[0]]) // 2, often[at[0]]})
        few = list(chosen)
        return iter(few[:: max(1, len(few) // FEWER_CASES)] if self._asked.fewer else few)

    def _machine(self) -> Iterator[tuple[str, Callable[[Stage], None]]]:
        seeds = range(1, 1 + (FEWER_STORIES if self._asked.fewer else STORIES))
        for realm in REALMS:
            stories = {str(story_of(realm, seed)): story_of(realm, seed, STEPS) for seed in seeds}
            told = [story for name, story in stories.items() if self._asked.case in {"", name}]
            if told:
                yield f"state machine {realm}", lambda stage, told=told: self._stories(stage, told)  # type: ignore[misc]

    def _stories(self, stage: Stage, stories: list[Story]) -> None:
        for story in stories:
            try:
                tell(stage, story)
            except Broken as broken:
                again = shorter(stage, replace(story)).command
                self._is_wrong(_of_the_machine(broken), f"{_again('machine', str(story))}, or shorter: {again}")
        with self._lock:
            self.counts.machine.update(stage.counts)
            self.counts.strikes += stage.counts["strikes"]


def _again(part: str, case: str) -> str:
    return f'python -m tests.reliability --only {part} --case "{case}"'


def _of_the_machine(broken: Broken) -> Wrong:
    return Wrong(
        rows_lost=int(broken.kind == "rows lost"),
        attached_wrongly=int(broken.kind == "attached wrongly"),
        paid_twice=int(broken.kind == "paid twice"),
        tracebacks=int(broken.kind == "a traceback"),
        words=[f"state machine: {broken}"],
    )
