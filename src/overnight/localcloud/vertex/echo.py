"""How a line's request and its extra fields come back (vertex-batch-facts 2.2, 2.3): rewritten, never byte by byte."""

import re
from typing import Final

from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject

_NUMERIC: Final = re.compile(r"[+-]?\d+(\.\d+)?")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_SNAKE: Final = re.compile(r"_([a-z0-9])")
_PART_FIELDS: Final = ("fileData", "inlineData", "functionCall", "functionResponse", "videoMetadata", "thought")
_REQUEST_FIELDS: Final = ("systemInstruction", "tools", "toolConfig", "safetySettings", "cachedContent", "labels")
# Under these the names are the client's own: their case is left alone.
_FREE_NAMES: Final = frozenset({"properties", "labels", "defs", "responseJsonSchema", "response_json_schema"})


class Echo:
    """Reads its switches once; one per batch of rows."""

    def __init__(self, switches: Switches) -> None:
        self._nulls = switches.text("echo_nulls")
        self._case = switches.text("echo_case")
        self._coerce = switches.text("extras_numeric") == "coerced"
        self._empty_lists = switches.text("extras_lists") == "emptied"

    def extras(self, line: JsonObject) -> JsonObject:
        return {name: self._extra(value) for name, value in line.items() if name != "request"}

    def _extra(self, value: object) -> object:
        if self._coerce and isinstance(value, str) and _NUMERIC.fullmatch(value):
            return float(value) if "." in value else int(value)
        return [] if self._empty_lists and isinstance(value, list) else value

    def request(self, request: object) -> object:
        if not isinstance(request, dict):
            return request
        echoed = self._with_nulls(request) if self._nulls != "none" else request
        return _renamed(echoed, self._case) if self._case != "as_sent" else echoed

    def _with_nulls(self, request: JsonObject) -> JsonObject:
        echoed = dict(request)
        contents = request.get("contents")
        if isinstance(contents, list):
            echoed["contents"] = [self._content(content) for content in contents]
        if self._nulls == "all":
            for name in _REQUEST_FIELDS:
                if _name(name, "snake") not in echoed:
                    echoed.setdefault(name, None)
        return echoed

    def _content(self, content: object) -> object:
        if not isinstance(content, dict) or not isinstance(content.get("parts"), list):
            return content
        absent = dict.fromkeys(_PART_FIELDS if self._nulls == "all" else _PART_FIELDS[:1])
        parts = [{**absent, **part} if isinstance(part, dict) else part for part in content["parts"]]
        return {**content, "parts": parts}


def _renamed(value: object, case: str) -> object:
    if isinstance(value, list):
        return [_renamed(item, case) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        _name(name, case): (
            {own: _renamed(inner, case) for own, inner in item.items()}
            if name in _FREE_NAMES and isinstance(item, dict)
            else _renamed(item, case)
        )
        for name, item in value.items()
    }


def _name(name: str, case: str) -> str:
    if case == "camel":
        return _SNAKE.sub(lambda found: found[1].upper(), name)
    return _HUMP.sub(lambda found: "_" + found[1].lower(), name)
