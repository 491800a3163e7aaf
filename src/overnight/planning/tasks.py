"""The two tasks of this version: `ask` and `screen`. One sample a record, one stage each."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import orjson

from overnight.answers.decisions import CriterionResult, Decision, QuoteFound, Verdict, decide, no_answer
from overnight.answers.quotes import find_quote
from overnight.core.outcome import NotSent
from overnight.core.recipe import Recipe
from overnight.core.record import Cell, Record
from overnight.core.task import Column, Settled, Settlements, Task, Want
from overnight.records.roles import roles_of
from overnight.requests.cleaning import clean
from overnight.study.checks import result_columns
from overnight.study.models import AskSpec, Criterion, FieldType, ScreenSpec, Study
from overnight.study.recipes import ANSWER, SCREEN, ask_recipe, label_of, screen_recipe

Pinned = Mapping[tuple[str, int], Recipe]
"""(stage, sample) → the recipe the study began with."""

SAMPLE: Final = 1


def make_task(study: Study, thinking: Mapping[str, Any], *, pinned: Pinned | None = None) -> Task:
    """The study's task. thinking: the inside of `thinkingConfig`, resolved for the study's model (pricing/).

    A pinned recipe takes the place of the one built here while the user's own words, model and thinking are unchanged,
    so that a new version of the package sends what the study began with.
    """
    if isinstance(study.task, AskSpec):
        return AskTask(study, thinking, pinned=pinned)
    return ScreenTask(study, thinking, pinned=pinned)


def setting_of(study: Study) -> str:
    """Model and thinking as the user wrote them: the part of `Recipe.own` that is not prose."""
    return f"{study.model.name} {'' if study.model.thinking is None else study.model.thinking}"


def _in_force(built: Recipe, pinned: Pinned | None) -> Recipe:
    kept = (pinned or {}).get((built.stage, SAMPLE))
    return kept if kept is not None and kept.own == built.own else built


def _texts(record: Record, columns: Sequence[str], cleaning: int) -> tuple[str, ...]:
    """Cleaned by that version; a column that this record lacks (JSONL rows may) is blank."""
    return tuple(clean(record.values.get(column), cleaning) for column in columns)


def _answer(settled: Settled | None) -> dict[str, Any] | None:
    """The answer's JSON object, validated when it was collected. None: open, or a problem."""
    if settled is None or settled.outcome.kind is not None:
        return None
    answer: dict[str, Any] = orjson.loads(settled.outcome.answer)
    return answer


class AskTask:
    """The user's own question: one request a record, one `a_<field>` column a field."""

    stages: Final = (ANSWER,)
    dependent: Final = False

    def __init__(self, study: Study, thinking: Mapping[str, Any], *, pinned: Pinned | None = None) -> None:
        if not isinstance(study.task, AskSpec):
            raise TypeError("the study has no `ask`")
        self.recipe = _in_force(ask_recipe(study.task, thinking, setting_of(study)), pinned)
        self.recipes: Final = (self.recipe,)
        self.fields: Final = tuple((name, field.type) for name, field in study.task.answer.items())
        self.columns: Final = tuple(
            Column(f"a_{name}", _COLUMN_TYPES[field.type], name if field.enum or field.type == "boolean" else "")
            for name, field in study.task.answer.items()
        )
        self._slots: Final = self.recipe.slots
        self._cleaning: Final = self.recipe.cleaning

    def not_sent(self, record: Record) -> NotSent | None:
        return None if any(_texts(record, self._slots, self._cleaning)) else NotSent.NO_TEXT

    def wants(self, record: Record, settled: Settlements) -> Iterator[Want]:  # noqa: ARG002  # one stage: nothing to look at
        texts = _texts(record, self._slots, self._cleaning)
        if any(texts):
            yield Want(ANSWER, SAMPLE, self.recipe, texts)

    def cells(self, record: Record, settled: Settlements) -> Sequence[Cell]:  # noqa: ARG002  # answers hold all of it
        answer = _answer(settled.get((ANSWER, SAMPLE)))
        if answer is None:
            return [None] * len(self.columns)
        return [_cell(answer.get(name), kind) for name, kind in self.fields]


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


# Databases write a sentence where an abstract is missing. Outer brackets, dots and case are taken off before.
_NO_ABSTRACT: Final = re.compile(
    r"(?:there is |with )?(?:no|without|missing) abstract(?: is| was)?(?: available| provided| given)?"
    r"|(?:the )?abstracts?(?: is| was)? (?:not available|unavailable|not provided|missing)"
    r"|not available|n/?a|none|null|nan|"
)


def _is_missing(abstract: str) -> bool:
    if len(abstract) > 60:
        return False
    words = abstract.strip("[]().-– \n\t").casefold().split()
    return _NO_ABSTRACT.fullmatch(" ".join(words)) is not None


def _abstract_of(columns: Sequence[str], cleaning: int) -> int:
    """The place of the abstract. Studies begun under version 1 knew the one name: what they have sent stays sent."""
    known = roles_of(columns).abstract if cleaning > 1 else ""
    named = [place for place, column in enumerate(columns) if column == known or column.lower() == "abstract"]
    return (named or [len(columns) - 1])[0]


class ScreenTask:
    """Criteria judged one by one, each with a quote that is looked for; then the rule of answers/decisions.py."""

    stages: Final = (SCREEN,)
    dependent: Final = False

    def __init__(self, study: Study, thinking: Mapping[str, Any], *, pinned: Pinned | None = None) -> None:
        if not isinstance(study.task, ScreenSpec):
            raise TypeError("the study has no `screen`")
        self.screen: Final = study.task
        self.needs_abstract: Final = study.records.no_abstract != "title_only"
        built = screen_recipe(study.task, study.records.text, thinking, SAMPLE, setting_of(study))
        self.recipe = _in_force(built, pinned)
        self.recipes: Final = (self.recipe,)
        self.columns: Final = tuple(_screen_columns(self.screen))
        self._slots: Final = self.recipe.slots
        self._cleaning: Final = self.recipe.cleaning
        self._abstract: Final = _abstract_of(self._slots, self._cleaning)
        self._labels: Final = tuple(label_of(column).lower() for column in self._slots)

    @property
    def abstract_column(self) -> str:
        return self._slots[self._abstract]

    def missing_abstract(self, record: Record) -> bool:
        """True when the abstract (by its column's name, else the last text column) is blank or says it is missing.

        With `no_abstract: error` the check before a run refuses such records; `person` does not send them.
        """
        return _is_missing(clean(record.values.get(self.abstract_column), self._cleaning))

    def not_sent(self, record: Record) -> NotSent | None:
        """Without text, or without an abstract where the study wants one (`person`, and `error` for safety)."""
        return NotSent.NO_TEXT if self._lacks(_texts(record, self._slots, self._cleaning)) else None

    def _lacks(self, texts: tuple[str, ...]) -> Literal["", "abstract", "text"]:
        """What is not there to judge by. A database's remark that there is no abstract is no text."""
        if not _is_missing(texts[self._abstract]):
            return ""
        if not any(text for place, text in enumerate(texts) if place != self._abstract):
            return "text"
        return "abstract" if self.needs_abstract else ""

    def wants(self, record: Record, settled: Settlements) -> Iterator[Want]:  # noqa: ARG002  # one stage: nothing to look at
        texts = _texts(record, self._slots, self._cleaning)
        if not self._lacks(texts):
            yield Want(SCREEN, SAMPLE, self.recipe, texts)

    def cells(self, record: Record, settled: Settlements) -> Sequence[Cell]:
        """Blank for an open record. A problem, and a record without text, is `unclear`: a person decides."""
        done = settled.get((SCREEN, SAMPLE))
        answer = _answer(done)
        if answer is not None:
            text = "\n".join(_texts(record, self._slots, self._cleaning))
            results = [self._result(criterion, answer, text) for criterion in self.screen.criteria]
            judged = [cell for result in results for cell in _criterion_cells(result)]
            return [*_decision_cells(decide(self.screen, filter(None, results))), *judged]
        decision = self._without_answer(record, done)
        head = _decision_cells(decision) if decision else []
        return [*head, *([None] * (len(self.columns) - len(head)))]

    def _without_answer(self, record: Record, done: Settled | None) -> Decision | None:
        if done is not None and done.outcome.kind is not None:
            return no_answer(f"no answer: {done.outcome.kind.value}", "no_answer")
        lacks = self._lacks(_texts(record, self._slots, self._cleaning))
        if lacks == "abstract":
            return no_answer("no abstract", "no_abstract")
        return no_answer("no text", "no_text") if lacks else None

    def _result(self, criterion: Criterion, answer: Mapping[str, Any], text: str) -> CriterionResult | None:
        """None where the answer leaves the criterion out: the schema forbids it, and it would count as unclear."""
        judged = answer.get(f"c_{criterion.id}")
        if not isinstance(judged, dict):
            return None
        quote, reason = str(judged.get("quote") or ""), str(judged.get("reason") or "")
        found = self._found(quote, text)
        return CriterionResult(criterion.id, criterion.kind, Verdict(judged["verdict"]), quote, found, reason)

    def _found(self, quote: str, text: str) -> QuoteFound:
        if not quote.strip():
            return ""
        found = find_quote(quote, text) or find_quote(self._without_label(quote), text)
        return found.how if found else "no"

    def _without_label(self, quote: str) -> str:
        """The quote without a `Title: ` of ours that the model copied along."""
        label = next((label for label in self._labels if quote.lower().startswith(label)), "")
        return quote[len(label) :] if label else ""


def _screen_columns(screen: ScreenSpec) -> Iterator[Column]:
    yield Column("decision", keyword="screening")
    yield from (Column("why"), Column("decided_by"), Column("exclusion_reason", keyword="reason"))
    for criterion in screen.criteria:
        yield from map(Column, result_columns(criterion.id))


def _decision_cells(decision: Decision) -> list[Cell]:
    return [decision.decision, decision.why, decision.decided_by, decision.exclusion_reason or None]


def _criterion_cells(result: CriterionResult | None) -> list[Cell]:
    if result is None:
        return [None] * 4
    return [result.verdict.value, result.quote or None, result.quote_found or None, result.reason or None]
