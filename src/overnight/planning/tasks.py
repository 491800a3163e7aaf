"""The task `ask`, and which task a study has. planning/screening.py is the other one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from overnight.core.compared import Compared
from overnight.core.outcome import NotSent
from overnight.core.record import Cell, Record
from overnight.core.task import Column, Later, Settlements, Table, Task, Want
from overnight.planning.pinned import Pinned, answer_of, cleaned_texts, in_force, setting_of
from overnight.planning.screening import ScreenTask
from overnight.study.models import AskSpec, FieldType, Study
from overnight.study.recipes import ANSWER, ask_recipe

SAMPLE: Final = 1
"""An `ask` has one."""


def make_task(study: Study, thinking: Mapping[str, Any], *, pinned: Pinned | None = None) -> Task:
    """The study's task. thinking: the inside of `thinkingConfig`, resolved for the study's model (pricing/).

    A pinned recipe takes the place of the one built here while the user's own words, model and thinking are unchanged,
    so that a new version of the package sends what the study began with.
    """
    if isinstance(study.task, AskSpec):
        return AskTask(study, thinking, pinned=pinned)
    return ScreenTask(study, thinking, pinned=pinned)


class AskTask:
    """The user's own question: one request a record, one `a_<field>` column a field."""

    stages: Final = (ANSWER,)
    dependent: Final = False
    tables: Final[Sequence[Table]] = ()

    def __init__(self, study: Study, thinking: Mapping[str, Any], *, pinned: Pinned | None = None) -> None:
        if not isinstance(study.task, AskSpec):
            raise TypeError("the study has no `ask`")
        self.recipe = in_force(ask_recipe(study.task, thinking, setting_of(study)), SAMPLE, pinned)
        self.recipes: Final = (self.recipe,)
        self.fields: Final = tuple((name, field.type) for name, field in study.task.answer.items())
        self.columns: Final = tuple(
            Column(f"a_{name}", _COLUMN_TYPES[field.type], name if field.enum or field.type == "boolean" else "")
            for name, field in study.task.answer.items()
        )
        self._slots: Final = self.recipe.slots
        self._cleaning: Final = self.recipe.cleaning

    def not_sent(self, record: Record) -> NotSent | None:
        return None if any(cleaned_texts(record, self._slots, self._cleaning)) else NotSent.NO_TEXT

    def wants(self, record: Record, settled: Settlements) -> Iterator[Want]:  # noqa: ARG002  # one stage: nothing to look at
        texts = cleaned_texts(record, self._slots, self._cleaning)
        if any(texts):
            yield Want(ANSWER, SAMPLE, self.recipe, texts)

    def later(self, record: Record, settled: Settlements) -> Sequence[Later]:  # noqa: ARG002  # one stage
        return ()

    def tallied(self, record: Record, settled: Settlements) -> Iterator[tuple[str, str]]:  # noqa: ARG002  # its own fields
        yield from ()

    def cells(self, record: Record, settled: Settlements) -> Sequence[Cell]:  # noqa: ARG002  # answers hold all of it
        answer = answer_of(settled.get((ANSWER, SAMPLE)))
        if answer is None:
            return [None] * len(self.columns)
        return [_cell(answer.get(name), kind) for name, kind in self.fields]

    def compared(self, record: Record, settled: Settlements) -> Compared | None:  # noqa: ARG002  # an `ask` has one sample
        return None


_COLUMN_TYPES: Final[dict[FieldType, str]] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "json",
    "object": "json",
}


def _cell(value: object, kind: FieldType) -> Cell:
    """A JSON value as its column holds it: lists and objects as compact JSON, a whole `number` as float."""
    if value is None:
        return None
    if kind == "number" and isinstance(value, int | float):
        return float(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | int | float):
        return value
    return orjson.dumps(value).decode()
