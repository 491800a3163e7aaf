"""`model.thinking` in a study → the inside of `thinkingConfig`, or a refusal that says what the model takes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from overnight.errors import Finding, StudyError
from overnight.pricing.catalogue import Model

KEY_PATH: Final = "model.thinking"
DYNAMIC: Final = -1  # thinkingBudget -1: the model decides (facts 7.1, [D])


@dataclass(frozen=True, slots=True)
class Thinking:
    """config: the inside of `thinkingConfig`, empty to leave it to the model; a level or a budget, never both.

    level: what people are shown and `choose_max_output` takes: a level, "off", "dynamic", a budget's digits, or
    "default" where the model's own default is not known. explained: one sentence without a full stop.
    """

    config: Mapping[str, str | int]
    level: str
    explained: str


def thinking_config(model: Model, thinking: str | int | None) -> Thinking:
    """The setting for this model. `thinking`: off, minimal, low, medium, high, max, a token budget, or None.

    Raises StudyError (key path model.thinking) for what the model does not take: Gemini 3 and 4 take levels, 2.5 takes
    a budget, and both together are refused by the service (facts 7.3, [D]).
    """
    if isinstance(thinking, str) and re.fullmatch(r"-?\d+", thinking.strip()):
        thinking = int(thinking)
    if thinking is None:
        level = model.default or "default"
        known = f"left to the model, which is {level} for {model.id}" if model.default else "left to the model"
        return Thinking({}, level, known)
    if model.levels:
        return _level(model, thinking)
    return _as_asked(model, thinking) if model.budget is None else _budget(model, thinking)


def _level(model: Model, thinking: str | int) -> Thinking:
    asked = thinking.strip().lower() if isinstance(thinking, str) else thinking
    level = model.levels[-1] if asked == "max" else asked
    if not isinstance(level, str) or level not in model.levels:
        _refuse(model, thinking)
    became = f"max became {level}, the most that {model.id} takes" if asked == "max" else f"{level}, as asked"
    return Thinking({"thinkingLevel": level.upper()}, level, became)


def _as_asked(model: Model, thinking: str | int) -> Thinking:
    """Nobody says what this model takes: the setting is sent as it stands, and the service decides."""
    asked = thinking.strip().lower() if isinstance(thinking, str) else thinking
    if isinstance(asked, bool) or asked == "max":
        hint = "Write the level or the token budget itself: what its most is, no table says."
        raise StudyError(
            [Finding(f"{model.id} is not known well enough for thinking: {thinking}", KEY_PATH, hint=hint)]
        )
    if asked in ("off", 0):
        return Thinking({"thinkingBudget": 0}, "off", "off, as asked, not checked")
    if isinstance(asked, int):
        level = "dynamic" if asked == DYNAMIC else str(asked)
        return Thinking({"thinkingBudget": asked}, level, f"{asked:,} tokens at most, as asked, not checked")
    return Thinking({"thinkingLevel": asked.upper()}, asked, f"{asked}, as asked, not checked")


def _budget(model: Model, thinking: str | int) -> Thinking:
    assert model.budget is not None
    least, most = model.budget
    asked = thinking.strip().lower() if isinstance(thinking, str) else thinking
    if asked == "max":
        return Thinking({"thinkingBudget": most}, str(most), f"max became {most:,} tokens, the most {model.id} takes")
    if (asked == "off" or (asked == 0 and not isinstance(asked, bool))) and model.can_be_off:
        return Thinking({"thinkingBudget": 0}, "off", "off, as asked")
    if asked == DYNAMIC:
        return Thinking({"thinkingBudget": DYNAMIC}, "dynamic", "as much as the model finds right, as asked")
    if isinstance(asked, bool) or not isinstance(asked, int) or not least <= asked <= most:
        _refuse(model, thinking)
    return Thinking({"thinkingBudget": asked}, str(asked), f"{asked:,} tokens at most, as asked")


def _refuse(model: Model, thinking: str | int) -> NoReturn:
    if model.levels:
        takes = f"{', '.join(level for level in model.levels if level != 'xhigh')} or max"
        off = f" It cannot be switched off; the least is {model.levels[0]}." if thinking in ("off", 0) else ""
        hint = f"Write one of {takes}; it takes no token budget.{off}"
    else:
        assert model.budget is not None
        least, most = model.budget
        can = "off, " if model.can_be_off else ""
        hint = f"Write {can}max, a token budget from {least} to {most}, or -1 to leave the amount to the model."
        hint += "" if model.can_be_off else " It cannot be switched off."
    raise StudyError([Finding(f"{model.id} does not take thinking: {thinking}", path=KEY_PATH, hint=hint)])
