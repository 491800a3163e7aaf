"""When a job has been under way for unusually long, and what is said of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from overnight.core.events import JobStuck
from overnight.core.realm import GOOGLE, STAND_IN
from overnight.core.states import JobStatus
from overnight.ledger.shards import Place, ShardFact
from overnight.planning.usual import PastJob, aim_s, quiet_s, usual
from overnight.requests.shards import SentRow
from overnight.run.stuck import Look, spell, stuck
from overnight.run.world import World
from overnight.wiring import opening
from overnight.wiring.opening import open_study
from tests.support.recipes import recipe
from tests.support.studies import CLOUD, SmallStudy

HOUR = 3600.0
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MODEL = "gemini-3.5-flash-lite"


class TestUsual:
    AIM = 24 * HOUR

    def test_without_past_jobs_it_is_what_the_service_aims_at(self) -> None:
        found = usual([], 1_000, self.AIM)
        assert (found.unusual_s, found.n_jobs, found.within_s) == (self.AIM, 0, self.AIM)

    def test_with_few_jobs_it_is_three_times_the_longest(self) -> None:
        past = [PastJob(1_000, hours * HOUR) for hours in (1, 5, 3)]
        found = usual(past, 1_000, self.AIM)
        assert (found.unusual_s, found.n_jobs, found.within_s) == (15 * HOUR, 3, 5 * HOUR)

    def test_with_many_the_longest_tenth_is_left_aside(self) -> None:
        past = [PastJob(100, 3 * HOUR)] * 9 + [PastJob(100, 60 * HOUR)]
        assert usual(past, 100, self.AIM).unusual_s == 9 * HOUR
        assert usual(past[1:], 100, self.AIM).unusual_s == 72 * HOUR, "of nine, the longest counts"

    def test_quick_jobs_do_not_make_a_word_out_of_a_short_wait(self) -> None:
        assert usual([PastJob(20, 240)], 20, self.AIM).unusual_s == 6 * HOUR == quiet_s(self.AIM)

    def test_a_smaller_job_is_given_as_long_and_a_larger_one_longer(self) -> None:
        past = [PastJob(100, 2 * HOUR), PastJob(1_000, 3 * HOUR)]
        assert usual(past, 1, self.AIM) == usual(past, 1_000, self.AIM)
        assert usual(past, 2_000, self.AIM).unusual_s == 18 * HOUR

    @pytest.mark.parametrize("n_requests", [1, 1_000, 200_000])
    def test_it_is_never_later_than_google_keeps_a_job_in_the_queue(self, n_requests: int) -> None:
        assert usual([PastJob(1, 90 * HOUR)], n_requests, aim_s(GOOGLE)).unusual_s == 72 * HOUR


@pytest.fixture(params=[GOOGLE])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    study = SmallStudy.of(tmp_path, 1, more=CLOUD if request.param == GOOGLE else "")
    with open_study(study.path, command="run", now=lambda: NOON) as opened:
        yield opened.world


def job(world: World, *, waited_h: float, state: str = "JOB_STATE_PENDING", n: int = 2, model: str = MODEL) -> Look:
    """Submitted so long before now, seen in this state now."""
    ledger, made = world.ledger, recipe()
    label = f"label-{ledger.shards.next_number()}"
    begun = (NOON - timedelta(hours=waited_h)).strftime("%Y-%m-%dT%H:%M:%SZ")
    place = Place("memory", "", "", "", label, label)
    with ledger.transaction():
        ledger.recipes.store(made)
    number = ledger.shards.intend(
        realm=world.realm,
        stage="answer",
        recipe=made.digest,
        model=model,
        max_output_tokens=1,
        label=label,
        place=place,
        now=begun,
    )
    rows = [SentRow(bytes([number, row]) * 8, 1, bytes(16)) for row in range(n)]
    ledger.shards.staged(number, rows, 1)
    ledger.shards.submitting(number, None)
    status = JobStatus(f"jobs/{number}", state, create_time=begun)
    ledger.shards.submitted(number, status, begun)
    return Look(ledger.shards.get(number), status, aim_s(world.realm))


def past_job(
    world: World, took_h: float, *, n: int = 2, state: str = "JOB_STATE_SUCCEEDED", model: str = MODEL
) -> None:
    """It was submitted a hundred hours ago, and is collected."""
    begun = job(world, waited_h=100, n=n, model=model)
    ended = (NOON - timedelta(hours=100 - took_h)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    world.ledger.shards.seen(begun.shard.id, replace(begun.status, state=state, end_time=ended))
    with world.ledger.outcomes.collecting(begun.shard.id, world.stamp()):
        pass


def said(found: JobStuck | None) -> str:
    assert found is not None
    assert found.level == "warning"
    assert "\n" not in found.message
    return found.message


class TestWaiting:
    def test_a_first_job_is_measured_by_googles_aim(self, world: World) -> None:
        assert stuck(world, job(world, waited_h=24)) is None
        assert said(stuck(world, job(world, waited_h=25))) == (
            "job 2 waits in the queue for unusually long: 25 hours, since 2026-11-21 11:00 UTC; no job of this study"
            " has ended yet, and Google aims at 24 hours. It may still begin by itself: Google keeps a job in the"
            " queue for up to 72 hours, then it expires. Wait, look at it in the console"
            " (https://console.cloud.google.com/vertex-ai/batch-predictions), or `overnight cancel`: as long as no row"
            " was run, that costs nothing"
        )

    def test_a_later_one_by_the_studys_own_jobs(self, world: World) -> None:
        past_job(world, 3)
        assert stuck(world, job(world, waited_h=9)) is None
        assert "; this study's earlier job ended within 3 hours. " in said(stuck(world, job(world, waited_h=10)))

    def test_of_many_the_words_name_nine_of_ten(self, world: World) -> None:
        for hours in range(1, 11):
            past_job(world, hours)
        late = job(world, waited_h=28)
        assert "; nine of ten of this study's 10 earlier jobs ended within 9 hours. " in said(stuck(world, late))

    @pytest.mark.parametrize(
        ("state", "model"),
        [("JOB_STATE_FAILED", MODEL), ("JOB_STATE_EXPIRED", MODEL), ("JOB_STATE_SUCCEEDED", "gemini-3.8-flash")],
    )
    def test_jobs_of_another_model_or_with_another_end_say_nothing(self, world: World, state: str, model: str) -> None:
        past_job(world, 1, state=state, model=model)
        assert stuck(world, job(world, waited_h=23)) is None
        assert "no job of this study has ended yet" in said(stuck(world, job(world, waited_h=25)))

    def test_the_event_names_the_job_by_what_stays_the_same(self, world: World) -> None:
        found = stuck(world, job(world, waited_h=25))
        assert found is not None
        assert found.job == "label-1"


class TestRunning:
    def test_it_is_told_apart_from_waiting(self, world: World) -> None:
        text = said(stuck(world, job(world, waited_h=30, state="JOB_STATE_RUNNING")))
        assert text.startswith("job 1 is running for unusually long: 30 hours, since 2026-11-21 06:00 UTC; ")
        assert "after about 24 hours of running Google stops a job and keeps what is done" in text
        assert "rows done by then are kept and billed, the others given up until `overnight retry`" in text

    def test_a_count_that_stands_still_is_named(self, world: World) -> None:
        seen = job(world, waited_h=10, state="JOB_STATE_RUNNING", n=5)
        counted = replace(seen, status=replace(seen.status, succeeded=3))
        assert stuck(world, replace(counted, still_since=NOON - timedelta(hours=6))) is None
        text = said(stuck(world, replace(counted, still_since=NOON - timedelta(hours=7))))
        assert text.startswith("job 1 is running, but its count of done rows has stood at 3 of 5 for 7 hours. ")

    def test_in_the_queue_no_count_is_to_be_expected(self, world: World) -> None:
        seen = job(world, waited_h=10)
        waiting = replace(seen, status=replace(seen.status, succeeded=0), still_since=NOON - timedelta(hours=10))
        assert stuck(world, waiting) is None

    def test_a_cancelled_one_is_not_advised_to_be_cancelled(self, world: World) -> None:
        seen = job(world, waited_h=30, state="JOB_STATE_CANCELLING")
        world.ledger.shards.cancelled(seen.shard.id)
        cancelled: ShardFact = world.ledger.shards.get(seen.shard.id)
        text = said(stuck(world, replace(seen, shard=cancelled)))
        assert "is cancelling for unusually long" in text
        assert "overnight cancel" not in text

    @pytest.mark.parametrize("state", ["JOB_STATE_SUCCEEDED", "JOB_STATE_PAUSED"])
    def test_what_has_ended_or_needs_a_person_is_not_stuck(self, world: World, state: str) -> None:
        assert stuck(world, job(world, waited_h=99, state=state)) is None


@pytest.mark.parametrize("world", [STAND_IN], indirect=True)
def test_on_the_stand_in_google_is_not_spoken_of(world: World) -> None:
    text = said(stuck(world, job(world, waited_h=0.1)))
    assert "the local cloud takes no more than 2 minutes" in text
    assert "Google" not in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (3600, "60 minutes"),
        (5400, "2 hours"),
        (1e5, "28 hours"),
    ],
)
def test_times_are_spelled_as_one_says_them(seconds: float, words: str) -> None:
    assert spell(seconds) == words


@pytest.mark.parametrize(("waited_h", "unusual"), [(23, False), (31, True)])
def test_status_shows_a_job_that_was_unusual_when_it_was_last_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited_h: int, unusual: bool
) -> None:
    monkeypatch.setattr(opening, "utc_now", lambda: NOON)
    study = SmallStudy.of(tmp_path, 1, more=CLOUD)
    with open_study(study.path, command="run") as opened:
        job(opened.world, waited_h=waited_h)
    line = f"  when last looked at: job 1 waits in the queue for unusually long: {waited_h} hours, since "
    assert (line in study.cli("status").out) is unusual
    assert bool(study.cli("status", "--json").json["job_states"][0]["unusual"]) is unusual
