"""The two tasks: what is asked about a record, what is not sent and why, and what stands in the results."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from overnight.core.outcome import NotSent, Outcome, ProblemKind
from overnight.core.recipe import Recipe
from overnight.core.record import Cell, Record
from overnight.core.task import Column, Settled, Settlements
from overnight.planning.pinned import setting_of
from overnight.planning.screening import ScreenTask
from overnight.planning.tasks import AskTask, make_task
from overnight.study.load import load_study
from overnight.study.models import Study

ASK = """\
study: reviews
records: {files: [r.csv]}
ask:
  prompt: "{Title}: {text}"
  answer:
    complaint: {type: string, nullable: true}
    stars: {type: integer}
    share: {type: number}
    broken: {type: boolean}
    parts: {type: array, items: {type: string}}
    maker: {type: object, properties: {name: {type: string}}}
model: {name: gemini-3.5-flash-lite, thinking: low}
"""
SCREEN = """\
study: naps
records: {files: [r.csv], text: [title, Abstract], no_abstract: person}
screen:
  question: Do naps help?
  include:
    - {id: night, ask: Works at night., reason: Wrong population}
  exclude:
    - {id: review, ask: Is a review.}
model: {name: gemini-3.8-flash}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "r.csv").write_text("x\n")
    return tmp_path


def study(folder: Path, text: str) -> Study:
    (folder / "study.yaml").write_text(text)
    return load_study(folder)


def record(**values: Cell) -> Record:
    return Record("r1", 0, values, "r.csv:2")


def answered(stage: str, answer: dict[str, Any]) -> Settlements:
    return {(stage, 1): Settled(Outcome(b"a" * 16, 1, None, orjson.dumps(answer)), 1)}


def problem(stage: str, kind: ProblemKind) -> Settlements:
    return {(stage, 1): Settled(Outcome(b"a" * 16, 3, kind), 3)}


class TestAsk:
    @pytest.fixture
    def task(self, folder: Path) -> AskTask:
        task = make_task(study(folder, ASK), {"thinkingLevel": "LOW"})
        assert isinstance(task, AskTask)
        return task

    def test_one_request_a_record_with_cleaned_texts_in_slot_order(self, task: AskTask) -> None:
        (want,) = task.wants(record(text=" Bad\r\nlid ", other="x", Title=7), {})
        assert (want.stage, want.sample, want.texts) == ("answer", 1, ("7", "Bad\nlid"))
        assert want.recipe.slots == ("Title", "text")
        assert (task.stages, task.dependent) == (("answer",), False)

    @pytest.mark.parametrize("values", [{}, {"text": None}, {"text": " \t\n", "Title": ""}, {"other": "x"}])
    def test_nothing_in_any_slot_is_not_sent(self, task: AskTask, values: dict[str, Cell]) -> None:
        assert task.not_sent(record(**values)) is NotSent.NO_TEXT
        assert list(task.wants(record(**values), {})) == []
        assert task.cells(record(**values), {}) == [None] * 6

    def test_one_slot_is_enough(self, task: AskTask) -> None:
        assert task.not_sent(record(Title="x")) is None
        assert [want.texts for want in task.wants(record(Title="x"), {})] == [("x", "")]

    def test_columns_have_the_fields_types(self, task: AskTask) -> None:
        assert task.columns == (
            Column("a_complaint", "text"),
            Column("a_stars", "integer"),
            Column("a_share", "number"),
            Column("a_broken", "boolean", "broken"),
            Column("a_parts", "json"),
            Column("a_maker", "json"),
        )

    def test_cells_hold_what_their_columns_say(self, task: AskTask) -> None:
        answer = {
            "complaint": None,
            "stars": 4.0,
            "share": 1,
            "broken": True,
            "parts": ["é", "b"],
            "maker": {"name": "x"},
        }
        cells = task.cells(record(text="x"), answered("answer", answer))
        assert cells == [None, 4, 1.0, True, '["é","b"]', '{"name":"x"}']
        assert [type(cell) for cell in cells[1:4]] == [int, float, bool]

    def test_open_and_problem_are_blank(self, task: AskTask) -> None:
        assert task.cells(record(text="x"), {}) == [None] * 6
        assert task.cells(record(text="x"), problem("answer", ProblemKind.BLOCKED)) == [None] * 6


class TestScreen:
    @pytest.fixture
    def task(self, folder: Path) -> ScreenTask:
        return self.make(folder)

    def make(self, folder: Path, old: str = "", new: str = "") -> ScreenTask:
        assert old in SCREEN
        task = make_task(study(folder, SCREEN.replace(old, new) if old else SCREEN), {})
        assert isinstance(task, ScreenTask)
        return task

    RECORD = record(title="Naps at work", Abstract="We studied <i>night</i> nurses (n=42). Nurses slept.")

    def cells(
        self, task: ScreenTask, night: tuple[str, str], review: tuple[str, str] = ("not_stated", "")
    ) -> list[Cell]:
        verdicts = {"c_night": night, "c_review": review}
        answer = {
            key: {"quote": quote, "reason": "So.", "verdict": verdict} for key, (verdict, quote) in verdicts.items()
        }
        return list(task.cells(self.RECORD, answered("screen", answer)))

    def test_columns_in_their_order(self, task: ScreenTask) -> None:
        assert [column.name for column in task.columns] == [
            *("decision", "why", "decided_by", "exclusion_reason"),
            *("c_night", "c_night_quote", "c_night_quote_found", "c_night_reason"),
            *("c_review", "c_review_quote", "c_review_quote_found", "c_review_reason"),
        ]

    def test_a_verdict_with_its_quote_decides(self, task: ScreenTask) -> None:
        assert self.cells(task, ("met", "we studied night nurses")) == [
            *("include", "the inclusion criterion is met, no exclusion applies", "rule", None),
            *("met", "we studied night nurses", "exact", "So."),
            *("not_stated", None, None, "So."),
        ]

    def test_an_invented_quote_asks_a_person(self, task: ScreenTask) -> None:
        cells = self.cells(task, ("not_met", "All of them worked by day"))
        assert cells[:4] == ["unclear", "night unclear (quote not found)", "rule", None]
        assert cells[4:8] == ["not_met", "All of them worked by day", "no", "So."]

    def test_a_found_quote_excludes_with_its_reason(self, task: ScreenTask) -> None:
        assert self.cells(task, ("not_met", "Nurses slept"))[:4] == [
            "exclude",
            "night not met",
            "rule",
            "Wrong population",
        ]

    @pytest.mark.parametrize("quote", ["Title: Naps at work", "abstract: Nurses slept.", "Naps at work"])
    def test_a_label_of_ours_that_was_copied_along_is_forgiven(self, task: ScreenTask, quote: str) -> None:
        assert self.cells(task, ("met", quote))[6] == "exact"

    def test_a_label_alone_is_no_quote(self, task: ScreenTask) -> None:
        assert self.cells(task, ("met", "Abstract: "))[6] == "no"

    def test_a_problem_asks_a_person_and_never_excludes(self, folder: Path) -> None:
        task = self.make(folder, "  question:", "  unclear: include\n  question:")
        for kind in ProblemKind:
            cells = task.cells(self.RECORD, problem("screen", kind))
            assert cells == ["unclear", f"no answer: {kind.value}", "no_answer", *[None] * 9]

    def test_an_open_record_is_blank(self, task: ScreenTask) -> None:
        assert task.cells(self.RECORD, {}) == [None] * 12

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

    @pytest.mark.parametrize("abstract", MISSING)
    def test_without_an_abstract_a_person_decides(self, task: ScreenTask, abstract: Cell) -> None:
        without = record(title="Naps", Abstract=abstract)
        assert task.missing_abstract(without)
        assert task.not_sent(without) is NotSent.NO_TEXT
        assert list(task.wants(without, {})) == []
        assert task.cells(without, {})[:4] == ["unclear", "no abstract", "no_abstract", None]

    @pytest.mark.parametrize("abstract", MISSING)
    def test_title_only_sends_it(self, folder: Path, abstract: Cell) -> None:
        task = self.make(folder, "no_abstract: person", "no_abstract: title_only")
        without = record(title="Naps", Abstract=abstract)
        assert task.missing_abstract(without)
        assert task.not_sent(without) is None
        assert [want.texts[0] for want in task.wants(without, {})] == ["Naps"]
        assert task.cells(without, {}) == [None] * 12

    @pytest.mark.parametrize("abstract", MISSING)
    @pytest.mark.parametrize("policy", ["person", "title_only", "error"])
    def test_no_text_at_all_is_never_sent(self, folder: Path, policy: str, abstract: Cell) -> None:
        task = self.make(folder, "no_abstract: person", f"no_abstract: {policy}")
        blank = record(title=" ", Abstract=abstract)
        assert task.not_sent(blank) is NotSent.NO_TEXT
        assert task.cells(blank, {})[:4] == ["unclear", "no text", "no_text", None]

    @pytest.mark.parametrize("abstract", ["No abstraction was made.", "None of the nurses slept.", "A." * 40])
    def test_a_short_abstract_is_an_abstract(self, task: ScreenTask, abstract: str) -> None:
        assert not task.missing_abstract(record(title="Naps", Abstract=abstract))

    def test_without_a_column_of_that_name_the_last_is_the_abstract(self, folder: Path) -> None:
        task = self.make(folder, "[title, Abstract]", "[title, summary]")
        assert task.missing_abstract(record(title="x", summary=""))
        assert not task.missing_abstract(record(title="", summary="x"))

    def test_an_abstract_by_another_of_its_names_need_not_be_the_last(self, folder: Path) -> None:
        task = self.make(folder, "[title, Abstract]", "[Abstract Note, title]")
        assert task.missing_abstract(Record("1", 0, {"Abstract Note": "", "title": "x"}, "r.csv:2"))
        assert not task.missing_abstract(Record("1", 0, {"Abstract Note": "x", "title": ""}, "r.csv:2"))

    def test_an_answer_that_lacks_a_criterion_keeps_its_columns_in_place(self, task: ScreenTask) -> None:
        answer = {"c_review": {"quote": "Nurses slept", "reason": "So.", "verdict": "not_met"}}
        cells = task.cells(self.RECORD, answered("screen", answer))
        assert cells[:2] == ["unclear", "night unclear (no verdict)"]
        assert cells[4:] == [None, None, None, None, "not_met", "Nurses slept", "exact", "So."]


class TestPinned:
    def pin(self, recipe: Recipe, own: str) -> Recipe:
        """As an earlier version of the package might have made it: other words of ours around the user's."""
        words = f"{recipe.system} An older sentence."
        return Recipe(recipe.stage, words, recipe.prompt, recipe.schema, recipe.thinking, own)

    @pytest.mark.parametrize("text", [ASK, SCREEN], ids=["ask", "screen"])
    def test_while_the_users_words_are_the_same_the_pinned_recipe_is_sent(self, folder: Path, text: str) -> None:
        wanted = study(folder, text)
        values = record(title="x", Abstract="y", Title="x", text="y")
        (built,) = make_task(wanted, {"thinkingLevel": "LOW"}).wants(values, {})
        old = self.pin(built.recipe, built.recipe.own)
        task = make_task(wanted, {"thinkingLevel": "OTHER"}, pinned={(built.stage, 1): old})
        assert [want.recipe for want in task.wants(values, {})] == [old]
        assert old.digest != built.recipe.digest

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("Works at night", "Works at day"),
            ("gemini-3.8-flash", "gemini-2.5-flash"),
            ("-flash}", "-flash, thinking: low}"),
        ],
        ids=["criterion", "model", "thinking"],
    )
    def test_what_the_user_changed_is_in_force(self, folder: Path, old: str, new: str) -> None:
        before = make_task(study(folder, SCREEN), {})
        values = record(title="x", Abstract="y")
        (want,) = before.wants(values, {})
        pinned = {(want.stage, 1): self.pin(want.recipe, want.recipe.own)}
        after = make_task(study(folder, SCREEN.replace(old, new)), {}, pinned=pinned)
        assert next(iter(after.wants(values, {}))).recipe.system == want.recipe.system

    def test_the_setting_is_model_and_thinking_as_written(self, folder: Path) -> None:
        assert setting_of(study(folder, ASK)) == "gemini-3.5-flash-lite low"
        assert setting_of(study(folder, SCREEN)) == "gemini-3.8-flash "
