"""The task `ask`: what is asked and what stands in the results; and of both tasks which recipe is in force."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from overnight.core.outcome import NotSent, Outcome, ProblemKind
from overnight.core.recipe import Recipe
from overnight.core.record import Cell, Record
from overnight.core.task import Column, Settled, Settlements
from overnight.planning.pinned import setting_of
from overnight.planning.tasks import AskTask, make_task
from overnight.study.load import load_study
from overnight.study.models import Study
from tests.support.screens import SCREEN

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
