"""Asked once a run; and records added while an earlier job is under way."""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from overnight.core.record import Record
from overnight.core.task import Settlements, Want
from overnight.core.usage import Usd
from overnight.errors import ConsentError
from tests.contract.test_run_loop import RECORDS, Desk, TwoStages, length, recipe
from tests.contract.test_run_mended import MODEL, Shaky, desk_with, shaky
from tests.support.memory_backend import answers
from tests.support.studies import CLOUD

__all__ = ["shaky"]  # a fixture


def truncated(line: dict[str, Any]) -> dict[str, Any]:
    usage = {"promptTokenCount": 100, "thoughtsTokenCount": 500}
    response = {"candidates": [{"finishReason": "MAX_TOKENS"}], "modelVersion": MODEL, "usageMetadata": usage}
    return {"status": "", "response": response}


@dataclass
class Person:
    """Says these answers in turn, and then no."""

    says: list[bool]
    asked: list[str] = field(default_factory=list)

    def __call__(self, question: str) -> bool:
        self.asked.append(question)
        return self.says.pop(0) if self.says else False


class TestAskedOnce:
    @pytest.fixture
    def google(self, tmp_path: Path) -> Desk:
        return desk_with(tmp_path, Shaky(answers(length, model=MODEL)), more=CLOUD)

    def test_another_attempt_within_what_was_agreed_to_is_not_asked_for(self, google: Desk) -> None:
        good, cut = google.backend.answer, iter(range(3))
        google.backend.answer = lambda line: truncated(line) if next(cut, None) is not None else good(line)
        person = Person([True])
        closing = google.run(ask=person, smoke=False)  # the first three to be cut are to be rows of a job
        assert (closing.answers, closing.requests_sent, len(person.asked)) == (RECORDS, RECORDS + 3, 1)

    def test_a_follow_up_stage_within_what_was_agreed_to_is_not_asked_for(self, google: Desk) -> None:
        google.study.texts = {f"r{n}": f"text {'x' * n}" for n in range(RECORDS)}
        google.study.write()
        google.task = TwoStages()
        person = Person([True])
        assert google.run(ask=person).requests_sent == RECORDS + 6
        assert len(person.asked) == 1

    def test_a_round_beyond_what_was_agreed_to_is_asked_for_and_a_no_keeps_what_was_sent(self, google: Desk) -> None:
        google.backend.answer = truncated  # every one needs more room, so the second round may cost more than the first
        person = Person([True, False])
        with pytest.raises(ConsentError, match="nothing more was sent") as stopped:
            google.run(ask=person, smoke=False)
        assert "what was sent before is kept" in stopped.value.what
        assert "beyond the" in person.asked[1]
        assert google.jobs == [RECORDS]

    def test_a_first_no_sends_nothing_and_says_so(self, google: Desk) -> None:
        with pytest.raises(ConsentError, match=r"^nothing was sent"):
            google.run(ask=Person([False]))
        assert google.jobs == []

    def test_a_question_about_a_lost_ledger_is_asked_once(self, google: Desk) -> None:
        google.run(yes=True)
        shutil.rmtree(google.study.home / ".overnight")
        good, cut = google.backend.answer, iter(range(3))
        google.backend.answer = lambda line: truncated(line) if next(cut, None) is not None else good(line)
        person = Person([True])
        assert google.run(yes=True, ask=person, smoke=False).requests_sent == RECORDS + 3
        assert len(person.asked) == 1


class OtherWords(TwoStages):
    def wants(self, record: Record, settled: Settlements) -> Iterable[Want]:
        other = recipe("answer", "How very many? ", "text")
        return [replace(want, recipe=other) for want in super().wants(record, settled)]


class TestBesideAJobUnderWay:
    """Add 50, pay for 50: at once."""

    @pytest.fixture
    def under_way(self, shaky: Desk) -> Desk:
        shaky.backend.looks = 99
        assert shaky.run(detach=True).detached
        return shaky

    @staticmethod
    def add(desk: Desk, **texts: str) -> None:
        desk.study.texts |= texts
        desk.study.write()

    def test_added_records_are_sent_while_the_older_job_runs(self, under_way: Desk) -> None:
        self.add(under_way, new="something new")
        closing = under_way.run(detach=True)
        assert (closing.requests_sent, closing.detached, under_way.jobs) == (1, True, [RECORDS, 1])
        assert under_way.run(detach=True).requests_sent == 0
        closing = under_way.run()
        assert (closing.answers, under_way.backend.served.total()) == (RECORDS + 1, RECORDS + 1)

    def test_a_waiting_run_sends_them_before_it_waits(self, under_way: Desk) -> None:
        self.add(under_way, new="something new")
        waits: list[int] = []
        real = under_way.time.sleep

        def sleep(seconds: float) -> None:
            waits.append(len(under_way.jobs))
            real(seconds)

        under_way.time.sleep = sleep  # type: ignore[method-assign]
        assert under_way.run().answers == RECORDS + 1
        assert set(waits) == {2}, "both jobs were there at every wait"

    def test_an_edited_prompt_waits_for_the_answers_on_their_way(self, under_way: Desk) -> None:
        under_way.task = OtherWords(qa=False)
        self.add(under_way, new="something new")
        closing = under_way.run(detach=True)
        assert (closing.requests_sent, under_way.jobs) == (0, [RECORDS])
        with pytest.raises(ConsentError):
            under_way.run()

    def test_an_edited_text_waits_for_the_answer_on_its_way(self, under_way: Desk) -> None:
        self.add(under_way, r0="another text")
        assert under_way.run(detach=True).requests_sent == 0
        assert under_way.run().requests_sent == 1

    def test_follow_ups_of_a_job_under_way_are_not_sent_early(self, shaky: Desk) -> None:
        shaky.study.texts = {f"r{n}": f"text {'x' * n}" for n in range(RECORDS)}
        shaky.study.write()
        shaky.task, shaky.backend.looks = TwoStages(), 99
        shaky.run(detach=True)
        self.add(shaky, new="something new")
        assert shaky.run(detach=True).requests_sent == 1
        closing = shaky.run()
        assert (closing.answers, max(shaky.backend.served.values())) == (RECORDS + 1, 1)

    def test_a_limit_that_is_reserved_for_the_older_job_is_waited_for(self, tmp_path: Path) -> None:
        desk = desk_with(tmp_path, Shaky(answers(length, model=MODEL), looks=99), more=CLOUD)
        desk.run(detach=True, yes=True)
        ((reserved,),) = desk.study.query("SELECT reserved_usd FROM shard")
        desk.study.more += f"budget: {{limit_usd: {Usd(reserved).exact()}}}\n"
        self.add(desk, **{f"n{n}": f"new {n}" for n in range(RECORDS)})
        closing = desk.run(detach=True)
        assert closing.detached
        assert (closing.requests_waiting, closing.requests_sent) == (RECORDS, 0)
        assert desk.run().answers == 2 * RECORDS

    def test_where_nobody_can_be_asked_the_older_job_is_collected_first(self, tmp_path: Path) -> None:
        desk = desk_with(tmp_path, Shaky(answers(length, model=MODEL), looks=99), more=CLOUD)
        desk.run(detach=True, yes=True)
        self.add(desk, new="something new")
        with pytest.raises(ConsentError, match="Nobody is there"):
            desk.run()
        assert Counter(row["outcome"] for row in desk.study.results("results")) == {"answer": RECORDS, "open": 1}
