"""Law: killed before or after any ledger write, call or file, a command given again ends as if nothing had happened."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.crash.driver import Driver
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.walk import At, Walk, every
from tests.support.cloud import SWIFT
from tests.support.local_cloud import LocalCloud

NEEDED = ("COMMIT", "stage", "submit", "find", "poll", "outputs", "fetch", "cancel", "unstage", "replace")
SIDES = ("before", "after")
KILLS_OF_STAGES = 4


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), **SWIFT)
    cloud.bucket("my-bucket")
    with Driver(tmp_path_factory.mktemp("driver")) as driver:
        yield Walk(cloud, driver, tmp_path_factory.mktemp("cases"))
    cloud.stop()


@pytest.fixture(scope="module")
def walked_before() -> Counter[str]:
    """Names of points that an earlier scenario of this module was killed at."""
    return Counter()


def covering(done: Counter[str], times: int) -> Callable[[tuple[str, ...]], Iterator[At]]:
    """Of each point that earlier scenarios were killed at fewer times: once in this one, at no fixed moment of it."""

    def choose(points: tuple[str, ...]) -> Iterator[At]:
        for name, n in Counter(points).items():
            if done[name] < times:
                done[name] += 1
                yield name, 1 + sum(done.values()) % n

    return choose


def spread(kills: int) -> Callable[[tuple[str, ...]], Iterator[At]]:
    """So many of the points, evenly over the whole way: in each stage a few."""

    def choose(points: tuple[str, ...]) -> Iterator[At]:
        passed = list(every(points))
        for number in range(kills):
            yield passed[(2 * number + 1) * len(passed) // (2 * kills)]

    return choose


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_killed_at_each_kind_of_point_the_same_command_ends_the_same(
    walk: Walk, walked_before: Counter[str], scenario: Scenario
) -> None:
    """Each name of a point in two of the scenarios, and of those with several stages a few of each; `make reliability`
    walks every one of all of them."""
    choose = spread(KILLS_OF_STAGES) if scenario.deep else covering(walked_before, 2)
    cases = list(walk.walked(scenario, choose))
    assert [words for case in cases for words in case.wrong.words] == []
    missed = [case.at for case in cases[1:] if not case.killed]  # a run may look at its job once more or once less
    assert len(missed) <= len(cases) / 5, f"points that were not passed again: {missed}"


def test_the_instruments_have_seen_every_kind_of_write_and_call(walked_before: Counter[str]) -> None:
    assert {f"{side} {what}" for side in SIDES for what in NEEDED} <= walked_before.keys()
    calls = {name.removeprefix("unread ") for name in walked_before if name.startswith("unread ")}
    assert {f"{side} {call}" for side in SIDES for call in calls} <= walked_before.keys()
    assert {call.split()[0] for call in calls} == {"GET", "POST", "PUT", "DELETE"}
    assert any("alt=media" in call for call in calls)
