"""How a line's request and its extra fields come back (facts 2.2, 2.3): rewritten, never byte by byte."""

import re
from typing import Final

from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject
from overnight.localcloud.vertex.rewrite import renamed, with_nulls

_NUMERIC: Final = re.compile(r"[+-]?\d+(\.\d+)?")


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
        echoed = with_nulls(request, every=self._nulls == "all") if self._nulls != "none" else request
        return renamed(echoed, self._case) if self._case != "as_sent" else echoed
