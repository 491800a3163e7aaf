"""From an `ask` to what is sent: prompt, schema, settings, as one Recipe. study/screen_recipes.py has a `screen`."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from overnight.core.identity import text_digest
from overnight.core.recipe import Recipe, flat
from overnight.study.models import AskSpec, user_words
from overnight.study.prompts import parse_prompt
from overnight.study.schemas import answer_schema

ANSWER: Final = "answer"


def ask_recipe(ask: AskSpec, thinking: Mapping[str, Any], setting: str = "") -> Recipe:
    """The user's words, exactly.

    thinking: the inside of `thinkingConfig` for the study's model. setting: model and thinking as the user wrote them;
    it stands in `own` for `thinking`, so that a new version of the package that reads `high` in another way leaves a
    pinned recipe in force. Raises StudyError where the prompt has a stray brace.
    """
    own = own_digest("ask", [ask.system, ask.prompt], flat({"answer": _fields(ask)}), thinking, setting)
    schema = answer_schema(ask.answer)
    return Recipe(ANSWER, ask.system, parse_prompt(ask.prompt), schema, dict(thinking), own)


def _fields(ask: AskSpec) -> dict[str, Any]:
    return {name: dict(user_words(spec)) for name, spec in ask.answer.items()}


def own_digest(task: str, texts: Sequence[str], rest: Sequence[str], thinking: Mapping[str, Any], setting: str) -> str:
    """64 hex characters over everything the user wrote. Each text is hashed, so that no two texts can run together."""
    settings = [f"setting={setting}"] if setting else flat(dict(thinking))
    parts = [task, *map(text_digest, texts), "", *map(text_digest, rest), "", *map(text_digest, settings)]
    return sha256("\n".join(parts).encode()).hexdigest()
