"""Filling an answer schema: both dialects, `responseSchema` and `responseJsonSchema` (facts 10)."""

import re
from typing import Final

from overnight.localcloud.standin.criteria import judge
from overnight.localcloud.standin.prompt import Prompt
from overnight.localcloud.standin.whole import WHOLE, of_the_whole
from overnight.localcloud.standin.words import negated, stems
from overnight.localcloud.values import JsonObject

_NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w]|\.\d)")
_DEFAULT_TOP: Final = 10
_NULLS: Final = 0.15


def fill(schema: JsonObject, prompt: Prompt, name: str = "", path: str = "") -> object:
    """A value the schema allows. name: of the property; path: where it is, so that equal properties differ."""
    if isinstance(options := schema.get("anyOf", schema.get("oneOf")), list) and options:
        kinds = [option for option in options if isinstance(option, dict) and _kind(option) != "null"]
        nullable = len(kinds) < len(options)
        return fill({**(kinds or [{}])[0], "nullable": nullable}, prompt, name, path)
    if "const" in schema:
        return schema["const"]
    if _nullable(schema) and prompt.chance(f"{path} null") < _NULLS:
        return None
    if schema.get("enum"):
        return _label(schema, prompt, name, path)
    kind = _kind(schema)
    if kind == "object" or "properties" in schema:
        return _object(schema, prompt, name, path)
    if kind == "array":
        return _array(schema, prompt, name, path)
    if kind == "boolean":
        return _boolean(schema, prompt, name)
    if kind in {"integer", "number"}:
        return _number(schema, prompt, path, whole=kind == "integer")
    return None if kind == "null" else _string(schema, prompt, name, path)


def _kind(schema: JsonObject) -> str:
    """The type in lower case; of a list of types the first that is not null."""
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = next((one for one in kind if str(one).lower() != "null"), "null")
    return str(kind).lower()


def _nullable(schema: JsonObject) -> bool:
    kind = schema.get("type")
    return bool(schema.get("nullable")) or (isinstance(kind, list) and "null" in {str(one).lower() for one in kind})


def _about(schema: JsonObject, name: str) -> frozenset[str]:
    return stems(f"{name.replace('_', ' ')} {schema.get('title', '')} {schema.get('description', '')}")


def _object(schema: JsonObject, prompt: Prompt, name: str, path: str) -> JsonObject:
    properties: JsonObject = schema.get("properties") or {}
    names = [one for one in schema.get("propertyOrdering") or properties if one in properties]
    names += [one for one in properties if one not in names]
    judged: JsonObject = {}
    if _is_verdict(properties):
        verdicts = [str(label) for label in properties["verdict"].get("enum") or ()]
        judged = dict(judge(name, str(schema.get("description", "")), prompt, verdicts))
    whole: JsonObject = {}
    for one in sorted(names, key=lambda one: one in WHOLE):  # what is said of the whole follows from its parts
        if one in WHOLE and not whole:
            whole = of_the_whole(judged, prompt)
        known = whole if one in whole else judged
        judged[one] = known[one] if one in known else fill(properties[one], prompt, one, f"{path}.{one}")
    return {one: judged[one] for one in names}


def _is_verdict(properties: JsonObject) -> bool:
    return "verdict" in properties and "quote" in properties


def _label(schema: JsonObject, prompt: Prompt, name: str, path: str) -> object:
    """The label whose words the text has most of; chance decides between equals, so that none is always first."""
    labels: list[object] = schema["enum"]
    about = str(schema.get("description", ""))

    def score(label: object) -> tuple[int, float]:
        text = str(label).replace("_", " ")
        said = re.search(rf"{re.escape(str(label))}[^\w]+([^;,.\n]*)", about)
        words = stems(text) | (stems(said[1]) if said else frozenset())
        return len(words & prompt.words), prompt.chance(f"{path}.{name} {label}")

    return max((label for label in labels if label is not None), key=score, default=None)


def _array(schema: JsonObject, prompt: Prompt, name: str, path: str) -> list[object]:
    low = int(schema.get("minItems") or 0)
    limit = schema.get("maxItems")
    high = max(low, 3) if limit is None else int(limit)
    length = low + int(prompt.chance(f"{path} length") * (high - low + 1))
    items = schema.get("items")
    item = items if isinstance(items, dict) else {"type": "string"}
    return [fill(item, prompt, name, f"{path}[{place}]") for place in range(min(length, high))]


def _boolean(schema: JsonObject, prompt: Prompt, name: str) -> bool:
    sentence, shared = prompt.best_sentence(_about(schema, name))
    return shared > 0 and not negated(sentence)


def _number(schema: JsonObject, prompt: Prompt, path: str, *, whole: bool) -> int | float:
    low = schema.get("minimum")
    high = schema.get("maximum")
    bottom = float(low) if low is not None else min(0.0, float(high) if high is not None else 0.0)
    top = float(high) if high is not None else max(bottom + _DEFAULT_TOP, bottom)
    bounded = high is not None
    for found in _NUMBER.findall(prompt.record):
        value = float(found)
        if value >= bottom and (value <= top or not bounded) and not (whole and value % 1):
            return int(value) if whole else value
    value = bottom + prompt.chance(f"{path} number") * (top - bottom)
    return min(int(top), max(-int(-bottom // 1), round(value))) if whole else round(value, 3)


def _string(schema: JsonObject, prompt: Prompt, name: str, path: str) -> str:
    form = schema.get("format")
    if form in {"date", "date-time"}:
        day = f"20{int(prompt.chance(path) * 25):02d}-{1 + int(prompt.chance(path + ' m') * 12):02d}-01"
        return day if form == "date" else f"{day}T00:00:00Z"
    sentence, shared = prompt.best_sentence(_about(schema, name))
    if not shared and prompt.sentences:
        sentence = prompt.sentences[int(prompt.chance(path) * len(prompt.sentences))][0]
    limit = schema.get("maxLength")
    shortest = int(schema.get("minLength") or 0)
    text = sentence[: int(limit)] if limit is not None else sentence
    return text.ljust(shortest, ".")
