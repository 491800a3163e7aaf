"""A service that says 429 to a create made nothing: it is asked again, patiently, and then believed."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from overnight.core.states import JobStatus
from overnight.errors import RefusedError
from overnight.ledger.shards import Place
from overnight.run.send import BUSY_WAITS_S
from tests.contract.test_run_loop import RECORDS, Desk, answers, desk, length
from tests.support.memory_backend import MemoryBackend

__all__ = ["desk"]  # a fixture


@dataclass
class Busy(MemoryBackend):
    """Refuses the first creates with 429."""

    busy: int = 0

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        if self.busy:
            self.busy -= 1
            raise RefusedError("Resource has been exhausted", code=429)
        return super().submit(place, model, labels)


def test_a_busy_service_is_waited_for_and_each_job_is_made_once(desk: Desk) -> None:
    desk.backend = Busy(answers(length), busy=3)
    closing = desk.run()
    assert (closing.answers, closing.requests_sent) == (RECORDS, RECORDS)
    assert len(desk.backend.created) == len(set(desk.backend.created))
    assert desk.time.clock() >= sum(BUSY_WAITS_S[:3])
    assert any("busy (429)" in line for line in desk.told)


def test_a_service_that_stays_busy_ends_the_run_with_nothing_paid_and_nothing_lost(desk: Desk) -> None:
    desk.backend = Busy(answers(length), busy=1_000)
    with pytest.raises(RefusedError, match="exhausted"):
        desk.run()
    assert desk.backend.created == []
    desk.backend.busy = 0
    assert desk.run().answers == RECORDS
