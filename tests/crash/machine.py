"""The state machine: lives told by stories, each a seed's, each with kills, strikes of faults, edits and words in it.

    python -m tests.crash.machine stand-in 17 [--leave-out 3,5]

tells one story again. Stories are not drawn by hypothesis: it prefers short examples and equal choices, so that most of
its runs held no kill at all. Here every story has at least two steps of each kind, and one in which nothing was killed
and nothing struck is an error.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from tests.crash.driver import Driver
from tests.crash.life import Broken, Life, Stage
from tests.crash.steps import REALMS, STEPS, Kind
from tests.support.cloud import SWIFT
from tests.support.local_cloud import LocalCloud

STEPS_A_STORY: Final = 12
SHARES: Final[dict[Kind, int]] = {"kill": 4, "strike": 4, "edit": 2, "word": 2}
"""Of the steps beyond the first two of each kind."""
SHORTER_S: Final = 60


@dataclass(frozen=True)
class Story:
    """steps: (name, seed of the step's own generator), in order. left_out: numbers of steps that are not told."""

    realm: str
    seed: int
    steps: tuple[tuple[str, str], ...]
    left_out: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return f"{self.realm}-{self.seed}"

    @property
    def command(self) -> str:
        out = f" --leave-out {','.join(map(str, sorted(self.left_out)))}" if self.left_out else ""
        return f"python -m tests.crash.machine {self.realm} {self.seed}{out}"


def story_of(realm: str, seed: int, n: int = STEPS_A_STORY) -> Story:
    draw = Random(f"{realm} {seed}")
    kinds: list[Kind] = [kind for kind in SHARES for _ in range(2)]
    kinds += draw.choices(list(SHARES), list(SHARES.values()), k=max(0, n - len(kinds)))
    draw.shuffle(kinds)
    steps = []
    for number, kind in enumerate(kinds):
        there = [one for one in STEPS.values() if one.kind == kind and realm in one.realms]
        there = [one for one in there if one.parity in {None, seed % 2}]
        (chosen,) = draw.choices(there, [one.weight for one in there])
        steps.append((chosen.name, f"{realm} {seed} {number}"))
    return Story(realm, seed, tuple(steps))


def tell(stage: Stage, story: Story) -> Counter[str]:
    """What happened in it. Raises Broken where something was as it must not be."""
    before = stage.counts.copy()
    life = Life(stage, story.realm, str(story))
    told: list[str] = []
    try:
        life.run()
        for number, (name, seed) in enumerate(story.steps):
            if number not in story.left_out:
                told.append(f"{number}. {name}")
                STEPS[name].act(life, Random(seed))
                life.heed()
                life.judge()
        told.append("the end")
        life.ends()
    except AssertionError as cause:
        life.well_again()
        kind = cause.kind if isinstance(cause, Broken) else "harness"
        steps = "\n  ".join(told)
        raise Broken(kind, f"{cause}\n  {steps}\nagain: {story.command}") from cause
    happened = stage.counts - before
    if not story.left_out:
        life.must(bool(happened["kills"] and happened["strikes"]), "shows nothing", f"{story}: {happened}")
    return happened


def shorter(stage: Stage, story: Story, seconds: float = SHORTER_S) -> Story:
    """Of a story that fails: without the steps that it fails without."""
    end = time.monotonic() + seconds
    for number in reversed(range(len(story.steps))):
        without = replace(story, left_out=story.left_out | {number})
        if time.monotonic() > end:
            break
        try:
            tell(stage, without)
        except Broken:
            story = without
    return story


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A local cloud and a driver for stories one after the other."""
    (folder / "lives").mkdir(parents=True)
    cloud = LocalCloud(folder / "cloud", **SWIFT)
    with Driver(folder) as driver:
        stage = Stage(cloud, driver, folder / "lives")
        yield stage
    stage.cloud.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("realm", choices=REALMS)
    parser.add_argument("seed", type=int)
    parser.add_argument("--until", type=int, help="stories of all seeds until this one")
    parser.add_argument("--leave-out", default="", metavar="N,N", help="numbers of steps that are not told")
    parser.add_argument("--shorter", action="store_true", help="of a story that fails, look for a shorter one")
    asked = parser.parse_args()
    left_out = frozenset(int(number) for number in asked.leave_out.split(",") if number)
    failed = 0
    with staged(Path(tempfile.mkdtemp(prefix="story-"))) as stage:
        for seed in range(asked.seed, (asked.until or asked.seed) + 1):
            story = replace(story_of(asked.realm, seed), left_out=left_out)
            started = time.monotonic()
            try:
                told = tell(stage, story)
                print(f"{story}: {time.monotonic() - started:.1f} s, {dict(told)}", flush=True)
            except Broken as cause:
                failed += 1
                print(f"{story}: {cause}", flush=True)
                if asked.shorter:
                    print(f"shorter: {shorter(stage, story).command}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
