"""What was first sent too long ago is not sent again; and a job refused before any row ran is no attempt."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from overnight.errors import JobError
from overnight.run import loop
from overnight.run.plan import make_plan
from overnight.run.publish import Closing, account
from overnight.run.world import Options
from tests.contract.test_run_loop import RECORDS, Desk, TwoStages, length
from tests.support.memory_backend import Line, MemoryBackend, MemoryJob, answers, prompt_of
from tests.support.studies import SmallStudy

GOOD = answers(length)
DAYS = 3


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    study = SmallStudy.of(tmp_path, RECORDS, more=f"give_up_after_days: {DAYS}\n")
    return Desk(study, MemoryBackend(GOOD), TwoStages(qa=False))


def silent_about(word: str) -> MemoryBackend:
    """No line for a record with this word."""

    def answer(line: Line) -> Line | None:
        return None if word in prompt_of(line) else GOOD(line)

    return MemoryBackend(answer)


def send_and_fetch(desk: Desk) -> Closing:
    """What came back is known, and nothing was sent again."""
    with desk.world() as world:
        loop.run(world, Options(detach=True))
        return loop.fetch(world, Options())


def later(desk: Desk, **time: float) -> None:
    desk.time.now += timedelta(**time).total_seconds()


def stands(desk: Desk) -> Closing:
    with desk.world() as world:
        closing = Closing(world.study, world.realm)
        account(world, closing)
        return closing


class TestDeadline:
    def test_before_it_a_problem_is_sent_again(self, desk: Desk) -> None:
        desk.backend = silent_about("ward 0001")
        send_and_fetch(desk)
        later(desk, days=DAYS)
        closing = stands(desk)
        assert (closing.open, closing.problems.total(), closing.past_deadline) == (1, 0, 0)
        desk.backend.answer = GOOD
        assert desk.run().requests_sent == 1

    def test_after_it_a_problem_is_final_named_and_costs_nothing(self, desk: Desk) -> None:
        desk.backend = silent_about("ward 0001")
        send_and_fetch(desk)
        later(desk, days=DAYS, hours=1)
        closing = stands(desk)
        assert (closing.open, closing.problems.total(), closing.past_deadline) == (0, 1, 1)
        desk.backend.answer = GOOD
        assert desk.run().requests_sent == 0
        [late] = [row for row in desk.study.results() if row["outcome"] == "problem"]
        assert (late["problem"], late["attempts"]) == ("missing", "1")
        assert late["detail"].endswith("; not sent again: past the deadline (give_up_after_days)")

    def test_plan_counts_it(self, desk: Desk) -> None:
        desk.backend = silent_about("ward 0001")
        send_and_fetch(desk)
        later(desk, days=DAYS, hours=1)
        with desk.world() as world:
            plan = make_plan(world).plan
        assert (plan.to_send, plan.given_up, plan.past_deadline) == (0, 1, 1)

    def test_retry_opens_it_and_the_time_counts_from_then(self, desk: Desk) -> None:
        desk.backend = silent_about("ward 0001")
        send_and_fetch(desk)
        later(desk, days=DAYS, hours=1)
        assert desk.retry().total() == 1
        send_and_fetch(desk)
        later(desk, days=DAYS - 1)
        assert (stands(desk).open, stands(desk).past_deadline) == (1, 0)
        later(desk, days=2)
        assert (stands(desk).open, stands(desk).past_deadline) == (0, 1)

    def test_what_was_never_sent_and_what_is_under_way_have_none(self, desk: Desk) -> None:
        desk.backend.looks = 10**9
        with desk.world() as world:
            loop.run(world, Options(detach=True))
        later(desk, days=1_000)
        desk.study.texts["new"] = "A new text."
        desk.study.write()
        with desk.world() as world:
            plan = make_plan(world).plan
        assert (plan.in_flight, plan.to_send, plan.past_deadline) == (RECORDS, 1, 0)

    def test_changing_it_asks_nothing_again(self, desk: Desk) -> None:
        desk.run()
        desk.study.more = "give_up_after_days: 300\n"
        desk.study.write()
        assert desk.run().requests_sent == 0


class Refusing(MemoryBackend):
    """Its jobs fail for a reason of the account; `ran`: of the rows, so many are counted as done before."""

    ran: int | None = None

    def _finish(self, job: MemoryJob) -> None:
        job.status = replace(
            job.status, state="JOB_STATE_FAILED", error=(9, "no bucket"), succeeded=self.ran, start_time=""
        )


class TestRefusedJobs:
    @pytest.mark.parametrize("ran", [None, 0])
    def test_however_often_one_is_refused_mending_it_is_enough(self, desk: Desk, ran: int | None) -> None:
        desk.backend = Refusing(GOOD)
        desk.backend.ran = ran
        for _ in range(5):
            with pytest.raises(JobError, match="no bucket"):
                desk.run()
        assert desk.jobs == [RECORDS] * 5, "each stops the run"
        mended = MemoryBackend(GOOD)
        mended.jobs, mended._numbers = desk.backend.jobs, desk.backend._numbers
        desk.backend = mended
        closing = desk.run()
        assert (closing.answers, closing.requests_sent) == (RECORDS, RECORDS)

    def test_one_that_ran_first_is_an_attempt(self, desk: Desk) -> None:
        """It could not write: sent again without end, it would be paid for without end."""
        desk.backend = Refusing(GOOD)
        desk.backend.ran = RECORDS
        for _ in range(3):
            with pytest.raises(JobError, match="no bucket"):
                desk.run()
        closing = desk.run()
        assert (closing.requests_sent, closing.problems.total()) == (0, RECORDS)
        assert desk.jobs == [RECORDS] * 3
