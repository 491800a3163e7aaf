"""Samples side by side: which records are contested, on what, and when there are too many of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from overnight.core.compared import Compared, Comparison, contested_words
from overnight.core.outcome import ProblemKind
from overnight.planning.screening import ScreenTask
from tests.support.screens import SCREEN, Answer, answer, record, screen_task, settled

RECORD = record(title="Naps at work", Abstract="We studied night nurses. Nurses slept.")


def judged(night: str, quote: str) -> Answer:
    return answer(night=(night, quote), review=("not_met", "Nurses slept."))


MET, NOT_MET = judged("met", "We studied night nurses"), judged("not_met", "Nurses slept.")


def deep(folder: Path, deep_think: str) -> ScreenTask:
    return screen_task(folder, f"{SCREEN}deep_think: {deep_think}\n")


@pytest.fixture
def task(tmp_path: Path) -> ScreenTask:
    return deep(tmp_path, "{samples: 3, adjudicate: contested}")


def of(n: int, contested: int, *split: str) -> Comparison:
    found = Comparison()
    for number in range(n):
        found.see(Compared(number < contested, split=split if number < contested else (), differ=number < contested))
    return found


class TestARecord:
    def test_of_samples_that_agree_is_not_contested(self, task: ScreenTask) -> None:
        assert task.compared(RECORD, settled(MET, MET, MET)) == Compared(contested=False)

    def test_of_samples_that_differ_is_contested_and_says_on_what(self, task: ScreenTask) -> None:
        assert task.compared(RECORD, settled(MET, NOT_MET, MET)) == Compared(True, split=("night",), differ=True)

    def test_with_a_lost_quote_or_a_sample_without_an_answer_is_contested(self, task: ScreenTask) -> None:
        lost = settled(judged("met", "These words are nowhere in it"), MET, MET)
        assert task.compared(RECORD, lost) == Compared(contested=True, split=("night",))
        assert task.compared(RECORD, settled(MET, ProblemKind.BLOCKED, MET)) == Compared(contested=True)

    def test_is_adjudicated_when_the_adjudicator_has_answered(self, task: ScreenTask) -> None:
        samples = MET, NOT_MET, MET
        ruled = Compared(contested=True, adjudicated=True, split=("night",), differ=True)
        assert task.compared(RECORD, settled(*samples, adjudicated=MET)) == ruled
        assert task.compared(RECORD, settled(*samples, adjudicated=ProblemKind.BLOCKED)) == replace(
            ruled, adjudicated=False
        )

    def test_is_not_compared_while_a_sample_is_open_or_where_none_has_an_answer(self, task: ScreenTask) -> None:
        assert task.compared(RECORD, settled(MET, NOT_MET)) is None
        assert task.compared(RECORD, settled(*[ProblemKind.BLOCKED] * 3)) is None

    def test_of_one_sample_is_nothing_to_compare(self, tmp_path: Path) -> None:
        assert deep(tmp_path, "{samples: 1, adjudicate: never}").compared(RECORD, settled(MET)) is None


class TestAStudy:
    @pytest.mark.parametrize(
        ("n", "contested", "much"), [(19, 19, False), (20, 6, False), (20, 7, True), (1_000, 300, False)]
    )
    def test_more_than_thirty_in_a_hundred_of_twenty_records_are_too_many(
        self, n: int, contested: int, much: bool
    ) -> None:
        assert of(n, contested).is_much is much
        assert bool(contested_words(of(n, contested).to_json())) is much

    def test_the_words_name_the_criteria_that_split_most(self) -> None:
        found = of(1_056, 412, "planned_nap")
        assert contested_words(found.to_json()) == (
            "412 of 1,056 records (39 %) are contested: criteria leave room. Look at the criteria that split most"
            " (planned_nap in 412) before paying for more; the report lists them."
        )

    def test_criteria_are_not_blamed_for_records_whose_samples_do_not_differ(self) -> None:
        found = of(10, 4, "night")
        for _ in range(5):
            found.see(Compared(True))
        assert contested_words(found.to_json()) == ""
        for _ in range(5):
            found.see(Compared(False))
        assert contested_words(found.to_json()) == (
            "9 of 20 records (45 %) are contested, 5 of them since a sample has no answer or hangs on a quote that is"
            " not in the record. Look at those before paying for more; the report lists them."
        )
        found.see(Compared(True, split=("night",), differ=True))
        assert "criteria leave room" in contested_words(found.to_json()), "half of them differ"

    def test_agreed_and_contested_are_all_that_were_compared(self) -> None:
        found = of(50, 12, "a", "b").to_json()
        assert (found["records"], found["agreed"], found["contested"]) == (50, 38, 12)
        assert found["criteria_split"] == {"a": 12, "b": 12}
