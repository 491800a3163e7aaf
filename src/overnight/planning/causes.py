"""Why is a record asked again that has an answer? Two recipes compared, part by part."""

from enum import StrEnum
from typing import Final

from overnight.core.recipe import Recipe
from overnight.study.screen_recipes import ADJUDICATE, SCREEN


class Reason(StrEnum):
    """Why a request is to be sent."""

    NEW = "new"
    MORE_SAMPLES = "more_samples"  # of a record that has answers to the same question
    AGAIN = "again"  # a problem that may go away
    RETRY = "retry"  # opened again by a person
    FORGET = "forget"
    TEXT_CHANGED = "text_changed"
    ANSWERS_CHANGED = "answers_changed"  # of a later stage: the answers before it that it is made of
    PROMPT_CHANGED = "prompt_changed"  # of a screen: its own prompt, or the framing of a sample
    FIELDS_CHANGED = "fields_changed"  # answer fields
    CRITERIA_CHANGED = "criteria_changed"  # of a screen: criteria, question, the columns it reads
    THINKING_CHANGED = "thinking_changed"
    WORDING_CHANGED = "wording_changed"  # the package's own words: --new-recipe
    RECIPE_CHANGED = "recipe_changed"  # several of these at once, or the old recipe is not known
    MODEL_CHANGED = "model_changed"


PAID_AGAIN: Final = frozenset(
    {
        Reason.PROMPT_CHANGED,
        Reason.FIELDS_CHANGED,
        Reason.CRITERIA_CHANGED,
        Reason.THINKING_CHANGED,
        Reason.WORDING_CHANGED,
        Reason.RECIPE_CHANGED,
        Reason.MODEL_CHANGED,
    }
)
"""Reasons that pay again for records answered before because the *study* was edited: asked first. An edited text is a
new question about a new text, and is sent; so is what later stages make of other answers: those were paid for by a yes
of their own, or by none because nobody edited anything."""


def what_changed(before: Recipe | None, now: Recipe) -> Reason:
    """Between the recipe a record was answered under and the one it is asked under now: two that differ."""
    if before is None:
        return Reason.RECIPE_CHANGED
    if before.own == now.own:
        return Reason.WORDING_CHANGED
    found = []
    if now.stage in (SCREEN, ADJUDICATE):
        # The instruction is the study's own prompt, or a framing; the criteria stand in the message and the schema.
        found += [Reason.PROMPT_CHANGED] * (before.system != now.system)
        found += [Reason.CRITERIA_CHANGED] * ((before.prompt, before.schema) != (now.prompt, now.schema))
    else:
        found += [Reason.PROMPT_CHANGED] * ((before.system, before.prompt) != (now.system, now.prompt))
        found += [Reason.FIELDS_CHANGED] * (before.schema != now.schema)
    if before.thinking != now.thinking:
        found.append(Reason.THINKING_CHANGED)
    return found[0] if len(found) == 1 else Reason.RECIPE_CHANGED
