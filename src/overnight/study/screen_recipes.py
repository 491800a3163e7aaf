"""From criteria to what is sent: one Recipe for each sample of `screen`, one for `adjudicate`.

The frame around the user's criteria is the package's (study/wording.py) or the study's own; in the recipe it is data,
so a study that began with some words keeps them: a new version of the package does not ask (and charge) again what was
answered.

Whatever a record or a reviewer's argument says, it cannot move the frame: the record comes last, its texts are slots of
the prompt, and what ends it is the *last* </record>, which is ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from overnight.core.recipe import Part, Recipe
from overnight.study.models import Criterion, Framing, IfSilent, ScreenSpec
from overnight.study.recipes import own_digest
from overnight.study.schemas import adjudicate_schema, screen_schema
from overnight.study.wording import Name, wording

SCREEN: Final = "screen"
ADJUDICATE: Final = "adjudicate"

SCREEN_CLEANING: Final = 2
"""How a screen's texts are cleaned (requests/cleaning.py): as titles and abstracts. An `ask` keeps version 1."""

ARGUMENTS: Final = "{arguments}"
"""The slot for what the reviewers said. No column is called so: study/checks.py refuses braces in a name."""

_FRAMINGS: Final[dict[Framing, Name]] = {"for": "framing_for", "against": "framing_against"}


def screen_recipe(
    screen: ScreenSpec,
    text_columns: Sequence[str],
    thinking: Mapping[str, Any],
    sample: int = 1,
    setting: str = "",
    framing: Framing = "neutral",
) -> Recipe:
    """The criteria as statements to judge, then the record.

    sample: 1 shows the criteria in the study's order, each further one begins one later; the schema keeps its order.
    """
    words = [screen.prompts.screen.strip() or wording("screen").text]
    if framing in _FRAMINGS:
        words.append(wording(_FRAMINGS[framing]).text)
    own = _own(screen, text_columns, thinking, setting, screen.prompts.screen, framing)
    parts = [*_asked(screen, sample), *_record(text_columns)]
    return _recipe(SCREEN, words, parts, screen_schema(screen), thinking, own, silence_of(screen))


def adjudicate_recipe(
    screen: ScreenSpec, text_columns: Sequence[str], thinking: Mapping[str, Any], setting: str = ""
) -> Recipe:
    """The criteria, what the reviewers said of them (`ARGUMENTS`), then the record."""
    words = [screen.prompts.adjudicate.strip() or wording("adjudicate").text]
    own = _own(screen, text_columns, thinking, setting, screen.prompts.adjudicate, ADJUDICATE)
    said = [Part("text", "\n<reviewers>\n"), Part("slot", ARGUMENTS), Part("text", "\n</reviewers>\n")]
    parts = [*_asked(screen, 1), *said, *_record(text_columns)]
    return _recipe(ADJUDICATE, words, parts, adjudicate_schema(screen), thinking, own, {})


def silence_of(screen: ScreenSpec) -> dict[str, IfSilent]:
    """By criterion. A study keeps what it began with, in its recipe: who is adjudicated does not change with it."""
    return {criterion.id: criterion.if_silent for criterion in screen.criteria}


def own_before(screen: ScreenSpec, text_columns: Sequence[str], thinking: Mapping[str, Any], setting: str = "") -> str:
    """`own` as it was while a screen did not say which criteria include: what a study begun then has pinned."""
    criteria = [text for criterion in screen.criteria for text in _seen_words(criterion)]
    return own_digest("screen", [screen.question, "\n".join(text_columns)], criteria, thinking, setting)


def label_of(column: str) -> str:
    """What stands before a column's text in the record: `title` → `Title: `."""
    words = column.replace("_", " ").strip()
    return f"{words[:1].upper()}{words[1:]}: "


def _recipe(
    stage: str,
    words: Sequence[str],
    parts: Sequence[Part],
    schema: dict[str, Any],
    thinking: Mapping[str, Any],
    own: str,
    silence: Mapping[str, str],
) -> Recipe:
    system = "\n\n".join([*words, wording("untrusted").text])
    prompt = (*_merged(parts),)
    return Recipe(stage, system, prompt, schema, dict(thinking), own, cleaning=SCREEN_CLEANING, silence=dict(silence))


def _asked(screen: ScreenSpec, sample: int) -> Iterator[Part]:
    criteria = screen.criteria
    first = (sample - 1) % len(criteria)
    lines = [f"Question of the review: {screen.question.strip()}", "", "Criteria:"]
    for number, criterion in enumerate(criteria[first:] + criteria[:first], start=1):
        lines.append(f"{number}. c_{criterion.id} (to {criterion.kind}): {criterion.ask.strip()}")
        lines += [f"   Example of {verdict}: {text.strip()}" for verdict, text in criterion.examples.items()]
    yield Part("text", "\n".join([*lines, ""]))


def _record(text_columns: Sequence[str]) -> Iterator[Part]:
    yield Part("text", "\n<record>\n")
    for column in text_columns:
        yield Part("text", label_of(column))
        yield Part("slot", column)
        yield Part("text", "\n")
    yield Part("text", "</record>")


def _merged(parts: Sequence[Part]) -> Iterator[Part]:
    """Neighbouring words as one part, as parse_prompt has it."""
    words = ""
    for part in parts:
        if part.kind == "text":
            words += part.value
            continue
        if words:
            yield Part("text", words)
        words = ""
        yield part
    if words:
        yield Part("text", words)


def _own(
    screen: ScreenSpec,
    text_columns: Sequence[str],
    thinking: Mapping[str, Any],
    setting: str,
    prompt: str,
    reading: str,
) -> str:
    """reading: the framing, or the stage that has none."""
    criteria = [text for one in screen.criteria for text in (one.kind, *_seen_words(one))]
    texts = [screen.question, "\n".join(text_columns), prompt.strip(), reading]
    return own_digest("screen", texts, criteria, thinking, setting)


def _seen_words(criterion: Criterion) -> list[str]:
    """What of a criterion reaches the model: not its reason, not what silence means."""
    return [criterion.id, criterion.ask, *(f"{key}={text}" for key, text in criterion.examples.items())]
