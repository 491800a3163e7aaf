"""What an echoed request may be rewritten to: names in another case, absent fields as null."""

import re
from typing import Final

from overnight.localcloud.values import JsonObject

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_SNAKE: Final = re.compile(r"_([a-z0-9])")
_PART_FIELDS: Final = ("fileData", "inlineData", "functionCall", "functionResponse", "videoMetadata", "thought")
_REQUEST_FIELDS: Final = ("systemInstruction", "tools", "toolConfig", "safetySettings", "cachedContent", "labels")
# Under these the names are the client's own: their case is left alone.
_FREE_NAMES: Final = frozenset({"properties", "labels", "defs", "responseJsonSchema", "response_json_schema"})


def with_nulls(request: JsonObject, *, every: bool) -> JsonObject:
    """Absent fields as null: fileData of parts (facts 2.2 [U]), or every known one."""
    echoed = dict(request)
    contents = request.get("contents")
    if isinstance(contents, list):
        echoed["contents"] = [_content(content, every=every) for content in contents]
    if every:
        for name in _REQUEST_FIELDS:
            if _name(name, "snake") not in echoed:
                echoed.setdefault(name, None)
    return echoed


def _content(content: object, *, every: bool) -> object:
    if not isinstance(content, dict) or not isinstance(content.get("parts"), list):
        return content
    absent = dict.fromkeys(_PART_FIELDS if every else _PART_FIELDS[:1])
    parts = [{**absent, **part} if isinstance(part, dict) else part for part in content["parts"]]
    return {**content, "parts": parts}


def renamed(value: object, case: str) -> object:
    """case: camel or snake. Names that are the client's own keep theirs."""
    if isinstance(value, list):
        return [renamed(item, case) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        _name(name, case): (
            {own: renamed(inner, case) for own, inner in item.items()}
            if name in _FREE_NAMES and isinstance(item, dict)
            else renamed(item, case)
        )
        for name, item in value.items()
    }


def _name(name: str, case: str) -> str:
    if case == "camel":
        return _SNAKE.sub(lambda found: found[1].upper(), name)
    return _HUMP.sub(lambda found: "_" + found[1].lower(), name)
