"""What can befall a whole job: what becomes of its rows, what a person sees, and how it goes on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overnight.core.events import Event
from overnight.run.loop import run
from overnight.run.world import Options
from overnight.wiring import service
from overnight.wiring.opening import open_study
from tests.faults.conftest import RECORDS
from tests.support.cloud import served
from tests.support.fake_time import FakeTime
from tests.support.local_cloud import LocalCloud
from tests.support.studies import Ended, SmallStudy, outcomes

pytestmark = pytest.mark.usefixtures("nobody_has_anothers_answer")


def counts(ended: Ended) -> tuple[int, dict[str, int], int, int]:
    """(answers, problems, requests sent now, jobs so far)"""
    found = ended.json
    return found["answers"], found["problems"], found["requests_sent"], len(found["jobs"])


def mended(cloud: LocalCloud, study: SmallStudy, *, first: str = "retry") -> Ended:
    """The cause is taken away and the study run again."""
    cloud.reset()
    if first:
        assert study.cli(first).code == 0
    return study.cli("run", "--json")


def test_a_job_whose_import_fails_is_a_persons_to_mend_and_is_not_sent_again_by_itself(
    cloud: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = cloud.bucket("far-away", "EUROPE-WEST4")  # no job of us-central1 can read it, and create does not say so
    cloud.switch(bucket_region="enforce")
    monkeypatch.setattr(service, "LOCAL_LOCATION", "us-central1")
    monkeypatch.setattr(service, "LOCAL_BUCKET", bucket)
    ended = study.cli("run", "--json")
    assert (ended.code, *counts(ended)) == (10, 0, {}, RECORDS, 1), ended.err
    assert "job 1 failed:" in ended.err
    assert "no row ran, so nothing is billed" in ended.err
    assert set(outcomes(study.results()).values()) == {"open"}, "they are sent again by the next run"
    monkeypatch.setattr(service, "LOCAL_BUCKET", cloud.bucket("near-by", "US-CENTRAL1"))
    assert counts(mended(cloud, study, first="")) == (RECORDS, {}, RECORDS, 2)


def test_a_job_that_fails_inside_the_service_is_sent_again_until_its_attempts_are_used_up(
    cloud: LocalCloud, study: SmallStudy
) -> None:
    cloud.switch(fail_job="Internal error encountered.", fail_job_code=13)
    ended = study.cli("run", "--json")
    assert (ended.code, *counts(ended)) == (0, 0, {"service_error": RECORDS}, 3 * RECORDS, 3)
    assert {row["detail"] for row in study.results()} == {"the job failed (code 13): Internal error encountered."}
    assert counts(mended(cloud, study)) == (RECORDS, {}, RECORDS, 4)


def test_a_job_that_may_not_write_its_output_is_not_paid_for_again_by_itself(
    cloud: LocalCloud, study: SmallStudy
) -> None:
    cloud.switch(output_unwritable=True)
    ended = study.cli("run", "--json")
    assert (ended.code, *counts(ended)) == (10, 0, {}, RECORDS, 1)
    assert "doesn't have sufficient permission `storage.objects.create`" in ended.err
    assert set(served(cloud.data, study.uid).values()) == {1}, "all the work was done once, and that is enough"
    assert counts(mended(cloud, study, first="")) == (RECORDS, {}, RECORDS, 2)


def test_an_expired_job_with_a_status_on_the_rows_it_left(cloud: LocalCloud, study: SmallStudy) -> None:
    cloud.switch(expire_after_rows=45, cancelled_rows="status")
    ended = study.cli("run", "--json")
    assert (ended.code, *counts(ended)) == (0, RECORDS, {}, RECORDS + 15, 2)


def test_a_paused_job_needs_a_person_and_cancelling_it_keeps_what_is_done(cloud: LocalCloud, study: SmallStudy) -> None:
    cloud.switch(pause_after_rows=45)
    ended = study.cli("run", "--json")
    assert (ended.code, ended.json["open"], ended.json["requests_in_flight"]) == (10, RECORDS, RECORDS)
    assert "job 1 is paused: it can go on, but no call makes it go on" in ended.err
    assert study.cli("cancel").code == 0
    cancelled = study.cli("run", "--json")
    assert (cancelled.code, *counts(cancelled)) == (0, 45, {"cancelled": 15}, 0, 1)
    assert counts(mended(cloud, study)) == (RECORDS, {}, 15, 2)


class Watched:
    """A run whose clock only its own sleeping moves; it is interrupted after so many looks."""

    def __init__(self, looks: int) -> None:
        self.time, self.looks, self.told = FakeTime(), looks, list[str]()

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.time.clock())

    def sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)
        self.looks -= 1
        if not self.looks:
            raise KeyboardInterrupt

    def tell(self, event: Event) -> None:
        self.told.append(event.text)

    def run(self, study: SmallStudy) -> Any:
        with open_study(
            study.path, command="run", connect=True, now=self.now, sleep=self.sleep, tell=self.tell
        ) as opened:
            return run(opened.world, Options())


def test_a_job_that_stays_pending_is_looked_at_ever_more_seldom_named_as_unusual_and_can_be_left(
    cloud: LocalCloud, study: SmallStudy
) -> None:
    cloud.switch(stuck_pending=True)
    watched = Watched(looks=900)
    closing = watched.run(study)
    assert closing.detached
    assert (closing.requests_sent, closing.in_flight, closing.open) == (RECORDS, RECORDS, RECORDS)
    assert [line for line in watched.told if "unusually long" in line] == [
        (
            "job 1 waits in the queue for unusually long: 60 seconds, since 2026-11-22 00:00 UTC; no job of this study"
            " has ended yet, and the local cloud takes no more than 60 seconds. A switch or a fault plan of the local"
            " cloud may hold it. Wait, or `overnight cancel`"
        )
    ]
    assert sorted(watched.time.slept) == watched.time.slept, "never more often than before"
    assert counts(mended(cloud, study, first="")) == (RECORDS, {}, 0, 1)
