"""What a fresh reader of the loop found: doubtful creates, cancels, cut connections, what was agreed to."""

import contextlib
import re
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from overnight.backends.backend import Patience
from overnight.core.outcome import ProblemKind
from overnight.core.record import Record
from overnight.core.states import JobStatus
from overnight.core.usage import Usd
from overnight.errors import (
    BreakerError,
    DoubtfulSubmitError,
    JobError,
    LedgerError,
    RecordsError,
    RefusedError,
    UnavailableError,
)
from overnight.ledger.ledger import Ledger
from overnight.ledger.outcomes import LedgerCounts
from overnight.ledger.shards import Place
from overnight.records import RecordSet
from overnight.requests.shards import ShardLimits
from overnight.run import loop
from overnight.run.publish import Closing, account
from overnight.run.reopen import retry
from overnight.run.world import Options, World
from overnight.wiring.opening import open_study
from tests.contract.test_run_loop import RECORDS, Desk, TwoStages, interrupt, length
from tests.support.memory_backend import MemoryBackend, answers
from tests.support.studies import CLOUD, SmallStudy

MODEL = "gemini-3.5-flash-lite"
LAGGING = Patience((1.0,), then_create=False, poll_s=(1, 60), unusual_s=3600)
"""A service whose list may lag behind, as Google's: not listed is not proof of not made."""


@dataclass
class Shaky(MemoryBackend):
    """A service whose list may lag behind, and whose answers to a look or a cancel can be chosen.

    refuses: jobs whose cancel is refused, since they have ended.
    states: job → a state that a look gives instead of its own.
    """

    patience: Patience = LAGGING
    refuses: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)

    def poll(self, place: Place, job: str) -> JobStatus:
        status = super().poll(place, job)
        return replace(status, state=self.states[job]) if job in self.states else status

    def cancel(self, place: Place, job: str) -> None:
        if job in self.refuses:
            raise RefusedError("the job has ended", code=400)
        super().cancel(place, job)


@pytest.fixture
def shaky(tmp_path: Path) -> Desk:
    return desk_with(tmp_path, Shaky(answers(length, model=MODEL)))


def desk_with(home: Path, backend: MemoryBackend, n: int = RECORDS, more: str = "") -> Desk:
    return Desk(SmallStudy.of(home, n, more=more), backend, TwoStages(qa=False))


def cancel(desk: Desk) -> int:
    with desk.world() as world:
        return loop.cancel(world)


class TestCancel:
    def test_a_job_whose_create_had_no_reply_is_found_and_cancelled(self, shaky: Desk) -> None:
        shaky.backend.looks = 99
        interrupt(shaky.backend, "submit", after=True)
        shaky.run()
        assert cancel(shaky) == 1
        assert [job.cancel_asked for job in shaky.backend.jobs.values()] == [True]
        assert shaky.run().problems == {ProblemKind.CANCELLED: RECORDS}

    def test_a_job_that_may_exist_is_spoken_of_after_the_others_were_cancelled(self, shaky: Desk) -> None:
        shaky.backend.looks, shaky.backend.limits = 99, ShardLimits(max_lines=RECORDS // 2)
        real = shaky.backend.submit
        shaky.backend.submit = lambda *a: interrupted(shaky, real(*a))  # type: ignore[method-assign]
        shaky.run()
        with pytest.raises(DoubtfulSubmitError, match="the create of job 2 had no reply"):
            cancel(shaky)
        assert [job.cancel_asked for job in shaky.backend.jobs.values()] == [True]

    def test_a_state_nobody_knows_keeps_no_other_job_from_being_cancelled(self, shaky: Desk) -> None:
        shaky.backend.looks, shaky.backend.limits = 99, ShardLimits(max_lines=RECORDS // 3)
        shaky.run(detach=True)
        shaky.backend.states = {"memory/jobs/1": "JOB_STATE_BETWITCHED"}  # type: ignore[attr-defined]
        with pytest.raises(JobError):
            shaky.run(detach=True)
        assert cancel(shaky) == 3
        assert [job.cancel_asked for job in shaky.backend.jobs.values()] == [True] * 3

    def test_rows_of_a_job_that_failed_before_the_cancel_are_not_called_cancelled(self, shaky: Desk) -> None:
        shaky.study.attempts = 1
        shaky.study.write()
        shaky.backend.looks = 2
        shaky.run(detach=True)
        shaky.backend.refuses, shaky.backend.end = {"memory/jobs/1"}, "JOB_STATE_FAILED"  # type: ignore[attr-defined]
        shaky.backend.answer = lambda _: None
        cancel(shaky)
        assert shaky.run().problems == {ProblemKind.SERVICE_ERROR: RECORDS}

    def test_a_second_cancel_that_is_refused_leaves_the_first_in_force(self, shaky: Desk) -> None:
        shaky.backend.looks = 99
        shaky.run(detach=True)
        cancel(shaky)
        shaky.backend.refuses = {"memory/jobs/1"}  # type: ignore[attr-defined]
        cancel(shaky)
        assert shaky.run().problems == {ProblemKind.CANCELLED: RECORDS}


def interrupted(desk: Desk, status: JobStatus) -> JobStatus:
    """The first create goes well; the next is interrupted before it is heard."""
    interrupt(desk.backend, "submit")
    return status


class TestDoubt:
    def test_one_doubtful_create_keeps_no_job_from_being_collected(self, shaky: Desk) -> None:
        shaky.backend.limits = ShardLimits(max_lines=RECORDS // 2)
        shaky.backend.looks = 2
        real = shaky.backend.submit
        shaky.backend.submit = lambda *a: interrupted(shaky, real(*a))  # type: ignore[method-assign]
        assert shaky.run().detached
        sent_before = list(shaky.backend.created)
        with pytest.raises(DoubtfulSubmitError):
            shaky.run()
        assert Counter(shaky.column("outcome")) == {"answer": RECORDS // 2, "open": RECORDS // 2}
        assert shaky.backend.created == sent_before, "nothing was sent"

    def test_fetch_publishes_what_ended_and_then_speaks_of_the_doubt(self, shaky: Desk) -> None:
        shaky.backend.limits = ShardLimits(max_lines=RECORDS // 2)
        shaky.backend.looks = 1
        real = shaky.backend.submit
        shaky.backend.submit = lambda *a: interrupted(shaky, real(*a))  # type: ignore[method-assign]
        shaky.run()
        with shaky.world() as world, pytest.raises(DoubtfulSubmitError):
            loop.fetch(world, Options())
        assert Counter(shaky.column("outcome")) == {"answer": RECORDS // 2, "open": RECORDS // 2}

    def test_sent_again_on_a_persons_word_the_first_jobs_worst_case_stays_reserved(self, tmp_path: Path) -> None:
        desk = desk_with(tmp_path, Shaky(answers(length, model=MODEL)), more=CLOUD)
        stop = {"yes": True, "max_usd": None}
        interrupt(desk.backend, "submit")
        desk.run(**stop)
        (reserved,) = desk.study.query("SELECT reserved_usd FROM shard")[0]
        closing = desk.run(**stop, resubmit=True)
        assert closing.answers == RECORDS
        with desk.world() as world:
            committed, spent = world.ledger.shards.committed(world.realm), closing.cost
        assert spent is not None
        assert committed == spent + Usd(reserved)

    def test_a_definite_no_frees_the_reservation(self, tmp_path: Path) -> None:
        desk = desk_with(tmp_path, Shaky(answers(length, model=MODEL)), more=CLOUD)
        real = desk.backend.submit

        def refuse(*_: Any) -> JobStatus:
            desk.backend.submit = real  # type: ignore[method-assign]
            raise RefusedError("no", code=403)

        desk.backend.submit = refuse  # type: ignore[assignment]
        with pytest.raises(RefusedError):
            desk.run(yes=True, smoke=False)
        with desk.world() as world:
            assert world.ledger.shards.committed(world.realm) == Usd()

    def test_a_twin_is_said_to_bill_and_where_to_look_at_it(self, shaky: Desk) -> None:
        real = shaky.backend.submit

        def twice(*arguments: Any) -> JobStatus:
            shaky.backend.submit = real  # type: ignore[method-assign]
            real(*arguments)
            real(*arguments)
            raise UnavailableError("no reply")

        shaky.backend.submit = twice  # type: ignore[assignment]
        assert shaky.run().answers == RECORDS
        (said,) = [line for line in shaky.told if "memory/jobs/2" in line]
        assert "both are billed" in said
        assert "console (/global)" in said
        assert "cancel" in said


class TestCopiedLedger:
    def test_two_copies_of_a_ledger_never_share_a_label_or_a_place(self, shaky: Desk, tmp_path: Path) -> None:
        shaky.run()
        copied = Desk(SmallStudy(tmp_path / "copy"), shaky.backend, shaky.task)
        shutil.copytree(shaky.study.home, copied.study.home, ignore=shutil.ignore_patterns("copy"))
        for desk, text in ((shaky, "one more"), (copied, "another one")):
            desk.study.texts = {**shaky.study.texts, "new": text}
            desk.study.write()
            assert (desk.run().requests_sent, desk.column("outcome").count("answer")) == (1, RECORDS + 1)
        labels = shaky.backend.created
        assert len(labels) == len(set(labels)) == 3
        assert all(re.fullmatch(r"[a-z0-9_-]{1,63}", label) for label in labels), "what a label of Google's may be"

    def test_an_object_somebody_else_wrote_is_not_removed(self, shaky: Desk) -> None:
        def there(place: Place, *_: object) -> None:
            shaky.backend.inputs[place.input] = [b"not ours"]
            raise RefusedError("it is there already", code=412)

        shaky.backend.stage = there  # type: ignore[method-assign]
        with pytest.raises(RefusedError):
            shaky.run()
        assert list(shaky.backend.inputs.values()) == [[b"not ours"]]


class TestStatusDuringARun:
    """Another process collects while one looks: both see whole facts."""

    def test_a_job_collected_between_two_reads_of_the_ledger_does_not_unbalance_the_sums(self, shaky: Desk) -> None:
        shaky.backend.looks = 2
        shaky.run(detach=True)
        collector = threading.Thread(target=shaky.run)
        with open_study(shaky.study.path) as opened:
            real = opened.world.ledger.outcomes.counts

            def meanwhile(realm: str) -> LedgerCounts:
                collector.start()
                collector.join(timeout=1)  # it waits with its commit until this look is over
                return real(realm)

            opened.world.ledger.outcomes.counts = meanwhile  # type: ignore[method-assign]
            closing = looked_at(opened.world)
        collector.join(timeout=30)
        assert (closing.open, closing.in_flight, closing.answers) == (RECORDS, RECORDS, 0)
        assert Counter(shaky.column("outcome")) == {"answer": RECORDS}

    def test_a_look_at_many_records_does_not_hold_up_the_one_who_collects(self, shaky: Desk) -> None:
        shaky.backend.looks = 2
        shaky.run(detach=True)
        with open_study(shaky.study.path) as opened:
            records = opened.world.records

            class Slowly:
                def __iter__(self) -> Iterator[Record]:
                    assert shaky.run().answers == RECORDS, "collected while the look goes on"
                    return iter(records)

                def __getattr__(self, name: str) -> object:
                    return getattr(records, name)

            opened.world.records = cast("RecordSet", Slowly())
            assert looked_at(opened.world).in_flight == RECORDS

    def test_a_study_without_a_ledger_can_be_looked_at(self, shaky: Desk) -> None:
        with open_study(shaky.study.path) as opened:
            assert looked_at(opened.world).open == RECORDS
        assert not shaky.study.ledger.exists()


def looked_at(world: World) -> Closing:
    closing = Closing(world.study, world.realm)
    account(world, closing)
    return closing


class TestInterruptedWhileTheServiceIsBusy:
    def test_a_job_that_was_turned_away_is_not_looked_for(self, shaky: Desk) -> None:
        real = shaky.backend.submit

        def busy(*_: Any) -> JobStatus:
            raise RefusedError("Resource has been exhausted", code=429)

        def ctrl_c(seconds: float) -> None:
            raise KeyboardInterrupt

        wait = shaky.time.sleep
        shaky.backend.submit, shaky.time.sleep = busy, ctrl_c  # type: ignore[method-assign,assignment]
        with pytest.raises(KeyboardInterrupt):
            shaky.run()
        assert shaky.study.query("SELECT state FROM shard") == [("abandoned",)]
        shaky.backend.submit, shaky.time.sleep = real, wait  # type: ignore[method-assign]
        assert shaky.run().answers == RECORDS


def cut_off(backend: MemoryBackend, call: str, times: int) -> None:
    """The next such calls have no reply."""
    real = getattr(backend, call)
    left = iter(range(times))

    def cut(*arguments: Any) -> Any:
        if next(left, None) is not None:
            raise UnavailableError("the connection was cut")
        return real(*arguments)

    setattr(backend, call, cut)


class TestCutConnections:
    @pytest.mark.parametrize("call", ["outputs", "fetch"])
    def test_a_cut_while_output_is_fetched_is_waited_out(self, shaky: Desk, call: str) -> None:
        cut_off(shaky.backend, call, times=3)
        closing = shaky.run()
        assert (closing.answers, shaky.backend.served.total()) == (RECORDS, RECORDS)
        assert sum("not to be had just now (the connection was cut)" in line for line in shaky.told) == 3

    def test_a_cut_keeps_no_other_job_from_being_collected(self, shaky: Desk) -> None:
        shaky.backend.limits = ShardLimits(max_lines=RECORDS // 2)
        shaky.backend.looks = 2
        shaky.run(detach=True)
        cut_off(shaky.backend, "outputs", times=1)
        with shaky.world() as world, pytest.raises(UnavailableError, match="cut"):
            loop.fetch(world, Options())
        assert Counter(shaky.column("outcome")) == {"answer": RECORDS // 2, "open": RECORDS // 2}

    def test_a_run_that_does_not_wait_reports_it(self, shaky: Desk) -> None:
        shaky.backend.looks = 2
        shaky.run(detach=True)
        cut_off(shaky.backend, "outputs", times=10)
        with pytest.raises(UnavailableError, match="cut"):
            shaky.run(detach=True)


class TestBreakerAndRetry:
    @pytest.fixture
    def stopped(self, shaky: Desk) -> Desk:
        shaky.backend.answer = answers(lambda prompt: {"n": str(len(prompt))}, model=MODEL)  # a text, not a number
        with pytest.raises(BreakerError):
            shaky.run()
        shaky.told.clear()
        return shaky

    def test_reading_again_does_not_bring_back_a_stop_that_a_person_lifted(self, stopped: Desk) -> None:
        stopped.retry()
        with stopped.world() as world:
            loop.fetch(world, Options(), again=True)
        stopped.backend.answer = answers(length, model=MODEL)
        assert stopped.run().answers == RECORDS

    def test_retry_of_a_kind_that_nothing_ended_with_leaves_the_stop(self, stopped: Desk) -> None:
        with stopped.world() as world:
            assert not retry(world, [ProblemKind.BLOCKED])
        assert stopped.told == []
        with pytest.raises(BreakerError):
            stopped.run()

    def test_retry_says_that_it_lifted_the_stop(self, stopped: Desk) -> None:
        ended = stopped.study.cli("retry")
        assert "the stop for suspicious rows (1 job) is lifted" in ended.out
        assert "is lifted" not in stopped.study.cli("retry").out


class TestRecordsChangedMeanwhile:
    def test_a_table_that_is_saved_anew_during_a_run_stops_it_and_says_so(self, shaky: Desk) -> None:
        shaky.backend.looks = 99
        wait = shaky.time.sleep

        def save(seconds: float) -> None:
            shaky.study.texts |= {"new": "a row more"}
            shaky.study.write()
            wait(seconds)

        shaky.time.sleep = save  # type: ignore[method-assign]
        with pytest.raises(RecordsError, match="the file changed while it was read"):
            shaky.run()
        shaky.time.sleep = wait  # type: ignore[method-assign]
        closing = shaky.run()
        assert (closing.answers, shaky.backend.served.total()) == (RECORDS + 1, RECORDS + 1)


def test_a_ledger_that_another_program_holds_is_not_called_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with (
        Ledger.open(path, study="s", now="2026-11-22T00:00:00Z") as ledger,
        contextlib.closing(sqlite3.connect(path)) as viewer,
    ):
        ledger._db.execute("PRAGMA busy_timeout = 0")
        viewer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError) as stopped, ledger.transaction():
            pytest.fail("it was locked")
    assert "Make room" not in str(stopped.value)
    assert "Another program has the file open" in str(stopped.value)
