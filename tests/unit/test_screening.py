"""The task `screen` of one sample: what is not sent and why, and what stands in the results."""

from pathlib import Path

import pytest

from overnight.core.outcome import NotSent, ProblemKind
from overnight.core.record import Cell, Record
from overnight.core.task import Settlements
from overnight.planning.screening import ScreenTask
from tests.support.screens import SCREEN, Judged, answer, record, row, screen_task, settled

RECORD = record(title="Naps at work", Abstract="We studied <i>night</i> nurses (n=42). Nurses slept.")


def make(folder: Path, old: str = "", new: str = "") -> ScreenTask:
    assert old in SCREEN
    return screen_task(folder, SCREEN.replace(old, new) if old else SCREEN)


@pytest.fixture
def task(tmp_path: Path) -> ScreenTask:
    return make(tmp_path)


def judged(task: ScreenTask, night: Judged, review: Judged = ("not_stated", ""), own: str = "") -> dict[str, Cell]:
    return row(task, RECORD, settled(answer(own, night=night, review=review)))


class TestCells:
    def test_columns_in_their_order(self, task: ScreenTask) -> None:
        assert [column.name for column in task.columns] == [
            *("decision", "why", "decided_by", "exclusion_reason", "agreement"),
            *("needs_person", "needs_person_why", "model_decision", "rationale"),
            *("c_night", "c_night_votes", "c_night_quote", "c_night_quote_found", "c_night_quote_at"),
            "c_night_reason",
            *("c_review", "c_review_votes", "c_review_quote", "c_review_quote_found", "c_review_quote_at"),
            "c_review_reason",
        ]

    def test_a_verdict_with_its_quote_decides(self, task: ScreenTask) -> None:
        assert judged(task, ("met", "we studied night nurses"), own="include") == {
            "decision": "include",
            "why": "the inclusion criterion is met, no exclusion applies",
            "decided_by": "rule",
            "exclusion_reason": None,
            "agreement": "1 of 1",
            "needs_person": False,
            "needs_person_why": None,
            "model_decision": "include",
            "rationale": "In short.",
            "c_night": "met",
            "c_night_votes": "met 1",
            "c_night_quote": "we studied night nurses",
            "c_night_quote_found": "exact",
            "c_night_quote_at": "Abstract:0-30",
            "c_night_reason": "Because night.",
            "c_review": "not_stated",
            "c_review_votes": "not_stated 1",
            "c_review_quote": None,
            "c_review_quote_found": None,
            "c_review_quote_at": None,
            "c_review_reason": "Because review.",
        }

    def test_an_invented_quote_asks_a_person(self, task: ScreenTask) -> None:
        cells = judged(task, ("not_met", "All of them worked by day"))
        assert (cells["decision"], cells["why"]) == ("unclear", "night unclear (quote not found)")
        assert (cells["decided_by"], cells["exclusion_reason"], cells["needs_person"]) == ("rule", None, True)
        assert cells["c_night"] == "unclear", "what the model said counts for nothing without its quote"
        assert cells["c_night_quote"] == "All of them worked by day"
        assert (cells["c_night_quote_found"], cells["c_night_quote_at"]) == ("no", None)

    def test_a_found_quote_excludes_with_its_reason(self, task: ScreenTask) -> None:
        cells = judged(task, ("not_met", "Nurses slept"))
        assert [cells[name] for name in ("decision", "why", "decided_by", "exclusion_reason", "needs_person")] == [
            *("exclude", "night not met", "rule", "Wrong population", False),
        ]

    @pytest.mark.parametrize("quote", ["Title: Naps at work", "abstract: Nurses slept.", "Naps at work"])
    def test_a_label_of_ours_that_was_copied_along_is_forgiven(self, task: ScreenTask, quote: str) -> None:
        assert judged(task, ("met", quote))["c_night_quote_found"] == "exact"

    def test_a_label_alone_is_no_quote(self, task: ScreenTask) -> None:
        assert judged(task, ("met", "Abstract: "))["c_night_quote_found"] == "no"

    def test_a_problem_asks_a_person_and_never_excludes(self, tmp_path: Path) -> None:
        task = make(tmp_path, "  question:", "  unclear: include\n  question:")
        for kind in ProblemKind:
            cells = row(task, RECORD, settled(kind))
            assert {name: cell for name, cell in cells.items() if cell is not None} == {
                "decision": "unclear",
                "why": f"no answer: {kind.value}",
                "decided_by": "no_answer",
                "needs_person": True,
                "needs_person_why": f"no answer: {kind.value}",
            }

    def test_an_open_record_is_blank(self, task: ScreenTask) -> None:
        assert task.cells(RECORD, {}) == [None] * len(task.columns)

    def test_an_answer_that_lacks_a_criterion_keeps_its_columns_in_place(self, task: ScreenTask) -> None:
        cells = row(task, RECORD, settled(answer(review=("not_met", "Nurses slept"))))
        assert (cells["decision"], cells["why"]) == ("unclear", "night unclear (no verdict)")
        night = [cell for name, cell in cells.items() if name.startswith("c_night")]
        assert night == [None, "no_answer 1", None, None, None, None]
        review = [cell for name, cell in cells.items() if name.startswith("c_review")]
        assert review == ["not_met", "not_met 1", "Nurses slept", "exact", "Abstract:39-51", "Because review."]


class TestSeveral:
    NIGHT = answer("include", "By night.", night=("met", "night nurses"), review=("not_stated", ""))
    DAY = answer("exclude", "By day.", night=("not_met", "Nurses slept"), review=("not_stated", ""))

    @staticmethod
    def make(folder: Path, deep: str) -> ScreenTask:
        return screen_task(folder, f"{SCREEN}deep_think: {{{deep}}}\n")

    def test_of_three_samples_lowered_to_one_the_first_decides_and_nothing_is_asked(self, tmp_path: Path) -> None:
        one = self.make(tmp_path, "samples: 1, adjudicate: never")
        found = settled(self.DAY, self.NIGHT, self.NIGHT)
        assert [(want.stage, want.sample) for want in one.wants(RECORD, found)] == [("screen", 1)]
        cells = row(one, RECORD, found)
        assert [cells[name] for name in ("decision", "decided_by", "agreement", "needs_person", "rationale")] == [
            *("exclude", "rule", "1 of 1", False, "By day."),
        ]
        given_up = row(one, RECORD, settled(ProblemKind.BLOCKED, self.NIGHT, self.NIGHT))
        assert (given_up["decision"], given_up["why"]) == ("unclear", "no answer: blocked")

    def test_adaptive_is_content_with_two_that_agree(self, tmp_path: Path) -> None:
        task = self.make(tmp_path, "samples: 4, adaptive: true")
        cells = row(task, RECORD, settled(self.NIGHT, self.NIGHT))
        assert [cells[name] for name in ("decision", "decided_by", "agreement", "needs_person")] == [
            *("include", "samples", "2 of 2", False),
        ]
        open_still = row(task, RECORD, settled(self.NIGHT, self.DAY))
        assert set(open_still.values()) == {None}

    def test_a_record_is_open_until_its_adjudicator_is_heard(self, tmp_path: Path) -> None:
        task = self.make(tmp_path, "samples: 2, adjudicate: contested")
        assert set(row(task, RECORD, settled(self.NIGHT, self.DAY)).values()) == {None}
        cells = row(task, RECORD, settled(self.NIGHT, self.DAY, adjudicated={**self.DAY, "mistakes": "A is wrong."}))
        assert [cells[name] for name in ("decision", "decided_by", "agreement", "needs_person", "c_night_votes")] == [
            *("exclude", "adjudicator", "1 of 2", False, "met 1, not_met 1"),
        ]
        assert (cells["exclusion_reason"], cells["rationale"]) == ("Wrong population", "By day.")

    def test_an_adjudicator_without_an_answer_leaves_it_to_the_samples_and_a_person(self, tmp_path: Path) -> None:
        task = self.make(tmp_path, "samples: 2, adjudicate: contested")
        cells = row(task, RECORD, settled(self.NIGHT, self.DAY, adjudicated=ProblemKind.BLOCKED))
        assert [cells[name] for name in ("decision", "decided_by", "needs_person", "needs_person_why")] == [
            *("unclear", "samples", True),
            "samples differ: include 1, exclude 1; the adjudicator has no answer: blocked",
        ]

    def test_all_samples_given_up_are_no_answer_and_ask_no_adjudicator(self, tmp_path: Path) -> None:
        task = self.make(tmp_path, "samples: 3, adjudicate: all")
        found = settled(ProblemKind.BLOCKED, ProblemKind.TRUNCATED, ProblemKind.BLOCKED)
        assert [want.stage for want in task.wants(RECORD, found)] == ["screen"] * 3
        cells = row(task, RECORD, found)
        assert (cells["decision"], cells["why"]) == ("unclear", "no answer: blocked, truncated")

    def test_an_answer_from_before_the_model_was_asked_for_its_own_decision_contradicts_nothing(
        self, task: ScreenTask
    ) -> None:
        cells = judged(task, ("not_met", "Nurses slept"))
        assert (cells["model_decision"], cells["needs_person"]) == (None, False)

    def test_a_long_quote_behind_a_copied_label_is_exact_and_not_near(self, task: ScreenTask) -> None:
        title = "The night nurses of five wards took a planned nap of half an hour each before the morning round"
        cells = row(task, record(title=title, Abstract="x"), settled(answer(night=("met", f"Title: {title}"))))
        assert (cells["c_night_quote_found"], cells["c_night_quote_at"]) == ("exact", f"title:0-{len(title)}")


class TestWithoutText:
    MISSING = (
        None,
        "",
        " \n",
        "[No abstract available]",
        "No abstract available.",
        "ABSTRACT NOT AVAILABLE",
        "N/A",
        "–",
    )

    @staticmethod
    def nobody(cells: dict[str, Cell]) -> dict[str, Cell]:
        return {name: cell for name, cell in cells.items() if cell is not None}

    @pytest.mark.parametrize("abstract", MISSING)
    def test_without_an_abstract_a_person_decides(self, task: ScreenTask, abstract: Cell) -> None:
        without = record(title="Naps", Abstract=abstract)
        assert task.missing_abstract(without)
        assert task.not_sent(without) is NotSent.NO_TEXT
        assert list(task.wants(without, {})) == []
        assert self.nobody(row(task, without, {})) == {
            "decision": "unclear",
            "why": "no abstract",
            "decided_by": "no_abstract",
            "needs_person": True,
            "needs_person_why": "no abstract",
        }

    @pytest.mark.parametrize("abstract", MISSING)
    def test_title_only_sends_it(self, tmp_path: Path, abstract: Cell) -> None:
        task = make(tmp_path, "no_abstract: person", "no_abstract: title_only")
        without = record(title="Naps", Abstract=abstract)
        assert task.missing_abstract(without)
        assert task.not_sent(without) is None
        assert [want.texts[0] for want in task.wants(without, {})] == ["Naps"]
        assert self.nobody(row(task, without, {})) == {}

    @pytest.mark.parametrize("abstract", MISSING)
    @pytest.mark.parametrize("policy", ["person", "title_only", "error"])
    def test_no_text_at_all_is_never_sent(self, tmp_path: Path, policy: str, abstract: Cell) -> None:
        task = make(tmp_path, "no_abstract: person", f"no_abstract: {policy}")
        blank = record(title=" ", Abstract=abstract)
        assert task.not_sent(blank) is NotSent.NO_TEXT
        cells = row(task, blank, {})
        assert [cells[name] for name in ("decision", "why", "decided_by", "needs_person")] == [
            *("unclear", "no text", "no_text", True),
        ]

    @pytest.mark.parametrize("abstract", ["No abstraction was made.", "None of the nurses slept.", "A." * 40])
    def test_a_short_abstract_is_an_abstract(self, task: ScreenTask, abstract: str) -> None:
        assert not task.missing_abstract(record(title="Naps", Abstract=abstract))

    def test_without_a_column_of_that_name_the_last_is_the_abstract(self, tmp_path: Path) -> None:
        task = make(tmp_path, "[title, Abstract]", "[title, summary]")
        assert task.missing_abstract(record(title="x", summary=""))
        assert not task.missing_abstract(record(title="", summary="x"))

    def test_an_abstract_by_another_of_its_names_need_not_be_the_last(self, tmp_path: Path) -> None:
        task = make(tmp_path, "[title, Abstract]", "[Abstract Note, title]")
        assert task.missing_abstract(Record("1", 0, {"Abstract Note": "", "title": "x"}, "r.csv:2"))
        assert not task.missing_abstract(Record("1", 0, {"Abstract Note": "x", "title": ""}, "r.csv:2"))


def test_what_is_wanted_goes_by_what_is_said_now_though_it_is_remembered(tmp_path: Path) -> None:
    task = screen_task(tmp_path, SCREEN + "deep_think: {samples: 2, adjudicate: contested}\n")
    met, none = ("met", "We studied night nurses"), ("not_stated", "")
    agree = settled(*[answer(night=met, review=none)] * 2)
    differ = settled(answer(night=met, review=none), answer(night=("not_met", "Nurses slept."), review=none))
    failed = settled(answer(night=met, review=none), ProblemKind.BLOCKED)
    other = record(title="Naps at home", Abstract=RECORD.values["Abstract"])

    def told(of: Record, said: Settlements) -> list[str]:
        return [want.texts[0] for want in task.wants(of, said) if want.stage == "adjudicate"]

    def compared(said: Settlements) -> tuple[bool, bool]:
        found = task.compared(RECORD, said)
        assert found is not None
        return found.contested, found.adjudicated

    ruled = settled(adjudicated=answer(night=met, review=none))
    for _ in range(2):
        assert told(RECORD, agree) == []
        assert len(told(RECORD, differ)) == 1
        assert len(told(RECORD, failed)) == 1
        assert told(RECORD, failed) != told(RECORD, differ)
        assert told(other, agree) == []
        assert [compared(one) for one in (agree, differ, failed)] == [(False, False), (True, False), (True, False)]
        assert compared({**differ, **ruled}) == (True, True)
        assert compared({**agree, **ruled}) == (False, False), "nobody asked that adjudicator"
        assert [want.texts[-2] for want in task.wants(other, differ)] == ["Naps at home"] * 3
