"""A run that waits says once of each job that it takes unusually long, and tells standing still from waiting."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from overnight.core.states import JobStatus
from overnight.ledger.shards import Place
from tests.contract.test_run_loop import RECORDS, Desk, TwoStages, length
from tests.support.memory_backend import MemoryBackend, answers
from tests.support.studies import CLOUD, SmallStudy

HOUR = 3600


@dataclass
class Slow(MemoryBackend):
    """Its jobs take many looks. moves: they count one more row done at each look, up to all but one; None: none."""

    moves: bool | None = None
    seen: int = 0

    def poll(self, place: Place, job: str) -> JobStatus:
        status = super().poll(place, job)
        if status.state != "JOB_STATE_RUNNING" or self.moves is None:
            return status
        self.seen += self.moves
        return replace(status, succeeded=min(3 + self.seen, RECORDS - 1))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(SmallStudy.of(tmp_path, RECORDS), MemoryBackend(answers(length)), TwoStages(qa=False))


def unusual(desk: Desk) -> list[str]:
    return [line for line in desk.told if line.startswith("job 1 is running") and "requests" not in line]


def waiting(desk: Desk, looks: int, *, moves: bool | None, aim_h: float) -> None:
    patience = replace(desk.backend.patience, unusual_s=aim_h * HOUR, poll_s=(60, 60))
    desk.backend = Slow(answers(length), looks=looks, moves=moves, patience=patience)
    assert desk.run().answers == RECORDS


def test_a_count_that_stands_still_for_a_quarter_of_the_aim_is_named_once(desk: Desk) -> None:
    waiting(desk, looks=300, moves=False, aim_h=16)
    [line] = unusual(desk)
    assert line.startswith("job 1 is running, but its count of done rows has stood at 3 of 12 for 4 hours. ")


def test_one_that_moves_is_not(desk: Desk) -> None:
    waiting(desk, looks=245, moves=True, aim_h=16)
    assert unusual(desk) == []


def test_a_job_that_is_past_the_aim_is_named_once_and_ends_well(desk: Desk) -> None:
    waiting(desk, looks=150, moves=None, aim_h=2)
    [line] = unusual(desk)
    assert line.startswith("job 1 is running for unusually long: 2 hours, since 2026-11-22 00:00 UTC; ")


def test_a_job_of_the_local_cloud_that_stood_still_between_two_runs_is_as_usual(desk: Desk) -> None:
    desk.backend = Slow(answers(length), looks=3, patience=replace(desk.backend.patience, unusual_s=60))
    desk.run(detach=True)
    desk.time.sleep(14 * HOUR)
    assert desk.run().answers == RECORDS
    assert unusual(desk) == []


def test_a_run_that_goes_on_from_an_earlier_one_names_it_once(desk: Desk) -> None:
    patience = replace(desk.backend.patience, unusual_s=HOUR, poll_s=(60, 60))
    desk.backend = Slow(answers(length), looks=100, patience=patience)
    desk.study.more = CLOUD
    desk.study.write()
    desk.run(detach=True, yes=True, smoke=False)
    desk.time.sleep(2 * HOUR)
    desk.told.clear()
    assert desk.run(yes=True, smoke=False).answers == RECORDS
    [_] = unusual(desk)
