"""What both tasks need: recipes that stay what they were, cleaned texts, an answer read back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from overnight.core.recipe import Recipe
from overnight.core.record import Record
from overnight.core.task import Settled
from overnight.requests.cleaning import clean
from overnight.study.models import Study

Pinned = Mapping[tuple[str, int], Recipe]
"""(stage, sample) → the recipe the study began with."""


def setting_of(study: Study) -> str:
    """Model and thinking as the user wrote them: the part of `Recipe.own` that is not prose."""
    return f"{study.model.name} {'' if study.model.thinking is None else study.model.thinking}"


def in_force(built: Recipe, sample: int, pinned: Pinned | None, before: str = "") -> Recipe:
    """The pinned one while what the user wrote is unchanged. before: `own` of the same words in an earlier version.

    What was edited and does not reach the model (a column's name, white space) asks nothing anew, so that the silence
    stays what it was too.
    """
    kept = (pinned or {}).get((built.stage, sample))
    if kept is None:
        return built
    if kept.own in (built.own, before):
        return kept
    return replace(built, silence=kept.silence) if kept.digest == built.digest else built


def cleaned_texts(record: Record, columns: Sequence[str], cleaning: int) -> tuple[str, ...]:
    """Cleaned by that version; a column that this record lacks (JSONL rows may) is blank."""
    return tuple(clean(record.values.get(column), cleaning) for column in columns)


def answer_of(settled: Settled | None) -> dict[str, Any] | None:
    """The answer's JSON object, validated when it was collected. None: open, or a problem."""
    if settled is None or settled.outcome.kind is not None:
        return None
    answer: dict[str, Any] = orjson.loads(settled.outcome.answer)
    return answer
