"""The loop with another task and another backend than it was written for, and nothing changed under run/."""

import contextlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from overnight.answers.validate import Checked, validator
from overnight.backends.backend import OutputFile
from overnight.core.compared import Compared
from overnight.core.events import Event
from overnight.core.outcome import NotSent, ProblemKind
from overnight.core.recipe import Part, Recipe
from overnight.core.record import Cell, Record
from overnight.core.states import JobStatus
from overnight.core.task import Column, Later, Settlements, Table, Want
from overnight.errors import BreakerError, JobError, NotFoundError, UnavailableError
from overnight.ledger.shards import Place
from overnight.requests.shards import ShardLimits
from overnight.run import collect, loop
from overnight.run.publish import Closing
from overnight.run.reopen import retry
from overnight.run.world import Options, World
from overnight.wiring.opening import open_study
from tests.support.fake_time import FakeTime
from tests.support.memory_backend import MemoryBackend, answers, prompt_of
from tests.support.studies import SmallStudy

RECORDS = 12
SCHEMA = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]}


def recipe(stage: str, words: str, *slots: str) -> Recipe:
    parts = (Part("text", words), *(Part("slot", slot) for slot in slots))
    return Recipe(stage, "", parts, SCHEMA, {}, own=words)


FIRST, SECOND = recipe("answer", "How many? ", "text"), recipe("qa", "Are you sure? ", "text", "before")


@dataclass
class TwoStages:
    """`answer`, so often as there are samples; then `qa` for records whose samples add up to an even number."""

    samples: int = 1
    qa: bool = True
    stages: Sequence[str] = ("answer", "qa")
    dependent: bool = True
    recipes: Sequence[Recipe] = (FIRST, SECOND)
    columns: Sequence[Column] = (Column("a_n", "text"), Column("a_qa", "text"))
    tables: Sequence[Table] = ()

    def not_sent(self, record: Record) -> NotSent | None:
        return None if record.values["text"] else NotSent.NO_TEXT

    def wants(self, record: Record, settled: Settlements) -> Iterable[Want]:
        text = str(record.values["text"])
        for sample in range(1, self.samples + 1):
            yield Want("answer", sample, FIRST, (text,))
        found = numbers(settled, "answer")
        if self.qa and len(found) == self.samples and sum(found) % 2 == 0:
            yield Want("qa", 1, SECOND, (text, str(found)))

    def cells(self, record: Record, settled: Settlements) -> Sequence[Cell]:
        return [" ".join(map(str, numbers(settled, stage))) or None for stage in self.stages]

    def later(self, record: Record, settled: Settlements) -> Iterable[Later]:
        if self.qa:
            found = numbers(settled, "answer")
            known = sum(found) % 2 == 0 if len(found) == self.samples else None
            texts = str(record.values["text"]), ""
            yield Later("qa", 1, (SECOND,), texts, (FIRST,) * self.samples, known)

    def tallied(self, record: Record, settled: Settlements) -> Iterable[tuple[str, str]]:
        return ()

    def compared(self, record: Record, settled: Settlements) -> Compared | None:
        return None


def numbers(settled: Settlements, stage: str) -> list[int]:
    """Answers of a stage, in order of the samples."""
    done = [one.outcome for (name, _), one in sorted(settled.items()) if name == stage]
    return [json.loads(outcome.answer)["n"] for outcome in done if outcome.kind is None]


def length(prompt: str) -> Mapping[str, Any]:
    return {"n": len(prompt)}


@dataclass
class Desk:
    """A study with a backend in memory; its clock is moved by sleeping only."""

    study: SmallStudy
    backend: MemoryBackend
    task: TwoStages
    time: FakeTime = field(default_factory=FakeTime)
    told: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.time.clock())

    def tell(self, event: Event) -> None:
        self.told.append(event.text)

    @contextlib.contextmanager
    def world(self) -> Iterator[World]:
        with open_study(self.study.path, command="run", tell=self.tell, now=self.now, sleep=self.time.sleep) as opened:
            world = opened.world
            world.backend, world.task, world.reporter = self.backend, self.task, None
            yield world

    def run(self, **options: Any) -> Closing:
        with self.world() as world:
            return loop.run(world, Options(**options))

    def retry(self) -> Counter[ProblemKind]:
        with self.world() as world:
            return retry(world)

    def column(self, name: str) -> list[str]:
        return [row[name] for row in self.study.results()]

    @property
    def jobs(self) -> list[int]:
        """Requests in each job, in the order in which they were made."""
        return [len(self.backend.inputs[job.place.input]) for job in self.backend.jobs.values()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(SmallStudy.of(tmp_path, RECORDS), MemoryBackend(answers(length)), TwoStages(qa=False))


def in_two_halves(desk: Desk) -> None:
    """Prompts of both parities."""
    desk.study.texts = {f"r{n}": f"text {'x' * n}" for n in range(RECORDS)}
    desk.study.write()


class TestStages:
    def test_the_second_stage_is_asked_for_the_records_the_first_one_chose(self, desk: Desk) -> None:
        in_two_halves(desk)
        desk.task = TwoStages()
        closing = desk.run()
        assert (closing.answers, closing.requests_sent, desk.jobs) == (RECORDS, RECORDS + 6, [RECORDS, 6])
        firsts = [len(f"How many? {text}") for text in desk.study.texts.values()]
        assert desk.column("a_n") == [str(n) for n in firsts]
        seconds = [len(f"Are you sure? {text}[{n}]") for text, n in zip(desk.study.texts.values(), firsts, strict=True)]
        assert desk.column("a_qa") == [
            str(second) if n % 2 == 0 else "" for second, n in zip(seconds, firsts, strict=True)
        ]
        assert desk.run().requests_sent == 0
        assert set(desk.backend.served.values()) == {1}

    def test_a_first_stage_that_is_given_up_has_no_second(self, desk: Desk) -> None:
        in_two_halves(desk)
        desk.task = TwoStages()
        blocked = {"status": "", "response": {"promptFeedback": {"blockReason": "SAFETY"}}}
        good = answers(length)
        desk.backend.answer = lambda line: blocked if prompt_of(line).endswith("text x") else good(line)
        closing = desk.run()
        assert (closing.answers, closing.problems) == (RECORDS - 1, {ProblemKind.BLOCKED: 1})
        assert desk.jobs == [RECORDS, 5]

    def test_a_second_stage_is_not_asked_anew_when_its_parent_is_read_again(self, desk: Desk) -> None:
        in_two_halves(desk)
        desk.task = TwoStages()
        desk.run()
        with desk.world() as world:
            loop.fetch(world, Options(), again=True)
        assert desk.run().requests_sent == 0


class TestSamples:
    def test_raised_from_one_to_three_only_the_new_ones_are_sent(self, desk: Desk) -> None:
        assert desk.run().requests_sent == RECORDS
        desk.task = TwoStages(samples=3, qa=False)
        assert desk.run().requests_sent == 2 * RECORDS
        assert (len(desk.backend.served), desk.backend.served.total()) == (3 * RECORDS, 3 * RECORDS)
        assert all(len(cell.split()) == 3 for cell in desk.column("a_n"))
        desk.task = TwoStages(samples=1, qa=False)
        assert desk.run().requests_sent == 0

    def test_equal_texts_are_sent_once_a_sample_and_never_across_samples(self, desk: Desk) -> None:
        desk.study.texts = dict.fromkeys(desk.study.texts, "the same text")
        desk.study.write()
        desk.task = TwoStages(samples=2, qa=False)
        closing = desk.run()
        assert (closing.requests_sent, closing.answers) == (2, RECORDS)


class TestAttempts:
    def test_a_truncated_answer_gets_more_room_each_time_and_is_given_up_when_there_is_no_more(
        self, desk: Desk
    ) -> None:
        rooms: list[int] = []

        def cut(line: dict[str, Any]) -> dict[str, Any]:
            rooms.append(line["request"]["generationConfig"]["maxOutputTokens"])
            return {"status": "", "response": {"candidates": [{"finishReason": "MAX_TOKENS"}]}}

        desk.study.texts = {"r0": "one"}
        desk.study.attempts = 9
        desk.study.write()
        desk.backend.answer = cut
        closing = desk.run()
        assert closing.problems == {ProblemKind.TRUNCATED: 1}
        assert rooms == sorted(set(rooms)), "each attempt has more room than the one before"
        assert rooms[-1] == 65_536, "the model's own limit"
        assert len(rooms) > 2

    def test_a_cancelled_job_is_given_up_until_retry(self, desk: Desk) -> None:
        desk.backend.looks = 99
        assert desk.run(detach=True).detached
        with desk.world() as world:
            assert loop.cancel(world) == 1
        closing = desk.run()
        assert (closing.problems, closing.requests_sent) == ({ProblemKind.CANCELLED: RECORDS}, 0)
        assert desk.run().requests_sent == 0
        desk.backend.looks = 1
        assert desk.retry() == {ProblemKind.CANCELLED: RECORDS}
        assert (desk.run().answers, desk.jobs) == (RECORDS, [RECORDS, RECORDS])

    def test_an_answer_that_comes_after_retry_counts_and_the_old_problem_does_not(self, desk: Desk) -> None:
        good = desk.backend.answer
        desk.backend.answer = lambda line: {"status": 'Bad Request: {"error":{"code":400,"message":"no"}}'}
        assert desk.run().problems == {ProblemKind.REFUSED: RECORDS}
        desk.backend.answer = good
        desk.retry()
        closing = desk.run()
        assert (closing.answers, closing.problems) == (RECORDS, {})


@dataclass
class Late(MemoryBackend):
    """Says SUCCEEDED some looks before its output is listed, and lists it in two steps."""

    late: int = 3

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        self.late -= 1
        files = super().outputs(place, status)
        if self.late >= 1:
            return []
        return [replace(files[0], size_bytes=1)] if self.late == 0 else files


class TestListing:
    @pytest.mark.parametrize("late", [0, 1, 3, 5])
    def test_output_that_is_listed_after_the_job_succeeded_is_waited_for(self, desk: Desk, late: int) -> None:
        desk.backend = Late(answers(length), late=late)
        closing = desk.run()
        assert (closing.answers, closing.requests_sent) == (RECORDS, RECORDS)

    def test_output_that_never_comes_is_called_missing_only_after_a_minute_of_looking(self, desk: Desk) -> None:
        desk.study.attempts = 1
        desk.study.write()
        desk.backend = Late(answers(length), late=10_000)
        closing = desk.run()
        assert closing.problems == {ProblemKind.MISSING: RECORDS}
        assert desk.time.clock() > 60


@dataclass
class Uneven(MemoryBackend):
    """Jobs in states of their own. polls: number of the job → what a look at it gives, a state or an error.

    stubborn: looks for which such a state goes on after a cancel.
    """

    polls: dict[int, str | Exception] = field(default_factory=dict)
    stubborn: int = 2

    def poll(self, place: Place, job: str) -> JobStatus:
        found = self.polls.get(int(job.rpartition("/")[2]))
        if isinstance(found, Exception):
            raise found
        self.stubborn -= self.jobs[job].cancel_asked
        if found and self.stubborn >= 0:
            return replace(self.jobs[job].status, state=found)
        return super().poll(place, job)


@pytest.fixture
def three_jobs(desk: Desk) -> Uneven:
    backend = Uneven(answers(length), looks=1, limits=ShardLimits(max_lines=4))
    desk.backend = backend
    return backend


class TestTroubleInOneOfThreeJobs:
    @pytest.mark.parametrize(
        ("trouble", "words"),
        [
            ("JOB_STATE_PAUSED", "job 1 is paused"),
            ("JOB_STATE_BETWITCHED", "'JOB_STATE_BETWITCHED'"),
            (NotFoundError("no job", code=404), "job 1 is not there any more"),
        ],
    )
    def test_the_others_are_collected_before_the_run_stops(
        self, desk: Desk, three_jobs: Uneven, trouble: str | Exception, words: str
    ) -> None:
        three_jobs.polls = {1: trouble}
        with pytest.raises(JobError, match=words):
            desk.run()
        assert Counter(desk.column("outcome")) == {"answer": 8, "open": 4}
        three_jobs.polls = {}
        closing = desk.run()
        assert (closing.answers, closing.requests_sent, desk.jobs) == (RECORDS, 0, [4, 4, 4])

    def test_a_look_without_an_answer_is_waited_out(self, desk: Desk, three_jobs: Uneven) -> None:
        three_jobs.polls = {2: UnavailableError("no reply")}
        real = desk.time.sleep

        def mend(seconds: float) -> None:
            three_jobs.polls = {}
            real(seconds)

        desk.time.sleep = mend  # type: ignore[method-assign]
        assert desk.run().answers == RECORDS
        assert any("job 2: no answer just now" in line for line in desk.told)

    def test_a_cancelled_job_that_is_still_paused_is_waited_for(self, desk: Desk, three_jobs: Uneven) -> None:
        three_jobs.polls = {1: "JOB_STATE_PAUSED"}
        with pytest.raises(JobError):
            desk.run()
        with desk.world() as world:
            loop.cancel(world)
        closing = desk.run()
        assert (closing.answers, closing.problems) == (8, {ProblemKind.CANCELLED: 4})

    def test_fetch_publishes_what_the_others_answered(self, desk: Desk, three_jobs: Uneven) -> None:
        three_jobs.looks = 2  # the look of `run --detach` finds them running
        assert desk.run(detach=True).detached
        three_jobs.polls = {2: "JOB_STATE_PAUSED"}
        with desk.world() as world, pytest.raises(JobError, match="job 2 is paused"):
            loop.fetch(world, Options())
        assert Counter(desk.column("outcome")) == {"answer": 8, "open": 4}


class TestInterrupted:
    @pytest.mark.parametrize("call", ["place", "stage", "submit", "poll", "outputs", "fetch"])
    def test_ctrl_c_at_any_call_loses_nothing_and_pays_nothing_twice(self, desk: Desk, call: str) -> None:
        interrupt(desk.backend, call)
        with contextlib.suppress(KeyboardInterrupt):
            closing = desk.run()
            assert closing.detached, f"it ended as if nothing had happened, though {call} was interrupted"
        closing = desk.run()
        assert (closing.answers, desk.backend.served.total()) == (RECORDS, RECORDS)
        assert len(desk.backend.created) == 1

    def test_ctrl_c_while_a_job_is_being_made_says_that_one_may_be_under_way(self, desk: Desk) -> None:
        interrupt(desk.backend, "submit", after=True)
        closing = desk.run()
        assert (closing.detached, closing.in_flight) == (True, RECORDS)
        assert (desk.run().requests_sent, len(desk.backend.created)) == (0, 1)


def interrupt(backend: MemoryBackend, call: str, *, after: bool = False) -> None:
    """The next such call is interrupted, before or after it took effect."""
    real: Callable[..., Any] = getattr(backend, call)

    def interrupted(*arguments: Any) -> Any:
        setattr(backend, call, real)
        if after:
            real(*arguments)
        raise KeyboardInterrupt

    setattr(backend, call, interrupted)


class TestBreaker:
    def test_reading_again_with_better_eyes_lifts_it_for_free(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The fault was ours: a new version reads the kept output and pays nothing."""
        desk.backend.answer = answers(lambda prompt: {"n": str(len(prompt))})  # a text where a number was asked for
        with pytest.raises(BreakerError):
            desk.run()
        assert set(desk.column("outcome")) == {"open"}
        with pytest.raises(BreakerError):
            desk.run()
        assert desk.backend.served.total() == RECORDS, "nothing was sent again"

        monkeypatch.setattr(collect, "validator", forgiving)
        with desk.world() as world:
            closing = loop.fetch(world, Options(), again=True)
        assert closing.answers == RECORDS
        assert (desk.run().requests_sent, desk.backend.served.total()) == (0, RECORDS)


def forgiving(schema: dict[str, Any]) -> Callable[[str], Checked]:
    """A validator that takes a number in quotes."""
    strict = validator(schema)
    return lambda text: strict(re.sub(r'"(\d+)"', r"\1", text))
