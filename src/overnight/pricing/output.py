"""How many tokens will an answer have, thinking included? As earlier ones had, else by level and answer fields."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Any, Final

from overnight.pricing.catalogue import Model
from overnight.pricing.range import Range

ENOUGH: Final = 20
"""So many answers speak for the rest. Of fewer (the two rows asked before a first job) only the order of size is
taken. Our choice."""


@dataclass(frozen=True, slots=True)
class Level:
    """A row of thinking_tokens.toml."""

    level: str
    low: int
    expected: int
    high: int
    source: str
    evidence: str
    checked: date

    @property
    def tokens(self) -> Range:
        return Range(self.low, self.expected, self.high)


@functools.cache
def levels() -> Mapping[str, Level]:
    import tomllib
    from importlib.resources import files

    text = files(__package__).joinpath("thinking_tokens.toml").read_text("utf-8")
    return {row["level"]: Level(**row) for row in tomllib.loads(text)["level"]}


def level_of(model: Model, config: Mapping[str, Any]) -> str:
    """What a recipe's `thinkingConfig` asks for: a level, "off", "dynamic", a budget's digits, or the model's own."""
    if "thinkingLevel" in config:
        return str(config["thinkingLevel"]).lower()
    budget = config.get("thinkingBudget")
    if budget is None:
        return model.default or "default"
    return {0: "off", -1: "dynamic"}.get(budget, str(budget))


def thinking_tokens(level: str) -> Range:
    """A budget's digits: thinking stops there, so it is what hard thinking takes, cut at it. An unknown level: as
    where nothing is known."""
    table = levels()
    if level.isdecimal():
        hard, harder = table["high"], table["xhigh"]
        return Range(hard.low, hard.expected, harder.high).at_most(int(level))
    return table.get(level, table["default"]).tokens


_NUMBER: Final = Range(1, 2, 8)
_WORD: Final = Range(2, 4, 10)
_TEXT: Final = Range(4, 35, 150)
_ITEMS: Final = (0, 3, 8)
_MARKS: Final = Range(2, 4, 8)  # braces, or a name's quotes, colon and comma
_CHARS_PER_TOKEN: Final = 4


def answer_tokens(schema: Mapping[str, Any]) -> Range:
    """Of JSON of that form. How long a free text gets is a guess of ours: one or two sentences."""
    tokens = _value_tokens(schema)
    if schema.get("nullable"):
        tokens = Range(min(1, tokens.low), tokens.expected, max(1, tokens.high))
    return tokens


def _value_tokens(schema: Mapping[str, Any]) -> Range:
    match str(schema.get("type", "string")).lower():
        case "object":
            fields: Mapping[str, Any] = schema.get("properties", {})
            return sum((_name_tokens(name) + answer_tokens(inner) for name, inner in fields.items()), _MARKS)
        case "array":
            item, (low, expected, high) = answer_tokens(schema.get("items", {})), _ITEMS
            most = int(schema.get("maxItems", high))
            least = min(int(schema.get("minItems", low)), most)
            usual = min(max(expected, least), most)
            return _MARKS + Range(item.low * least, item.expected * usual, item.high * most)
        case "integer" | "number" | "boolean":
            return _NUMBER
        case _ if "enum" in schema:
            return _WORD
        case _:
            return _TEXT.at_most(int(schema.get("maxLength", _TEXT.high)))


def _name_tokens(name: str) -> Range:
    least = -(-len(name) // (2 * _CHARS_PER_TOKEN))
    return _MARKS + Range(least, -(-len(name) // _CHARS_PER_TOKEN), len(name))


def by_table(level: str, schema: Mapping[str, Any]) -> Range:
    """Of one request of which nothing like it was answered yet."""
    return thinking_tokens(level) + answer_tokens(schema)


def by_answers(outputs: Sequence[int]) -> Range:
    """Of one request, from the output tokens (thinking and answer) of earlier ones like it. Raises ValueError for none.

    What a sum of many comes to is told by their mean, not by their median: a few that think for very long are part of
    the bill. low: the median, or what the mean's own error leaves of it; high: as if all were like the 95th percentile.
    """
    if not outputs:
        raise ValueError("nothing was answered before")
    ordered, n = sorted(outputs), len(outputs)
    mean = sum(ordered) / n
    if n < ENOUGH:
        return Range(int(min(mean / 2, ordered[0])), round(mean), round(max(2 * mean, ordered[-1])))
    error = 2 * sqrt(sum((one - mean) ** 2 for one in ordered) / (n - 1) / n)
    low, p95 = min(ordered[(n - 1) // 2], mean - error), ordered[-(-95 * n // 100) - 1]
    return Range(max(0, int(low)), round(mean), round(max(p95, mean + error)))
