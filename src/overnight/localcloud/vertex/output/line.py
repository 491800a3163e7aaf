"""One line of output before it is bytes."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from overnight.localcloud.values import JsonObject

ABSENT = object()
"""A field that is left out of the line."""


@dataclass(slots=True)
class Line:
    """row: number in the input, from 0. key: as the client wrote it, for the journal. response: ABSENT, null or {…}.

    spoil: what happens to its bytes (without the line feed) in the end.
    """

    row: int
    key: str
    extras: JsonObject
    status: str
    processed_time: str
    request: object
    response: object
    spoil: Callable[[bytes], bytes] | None = None

    @property
    def served(self) -> bool:
        return not self.status

    def to_bytes(self) -> bytes:
        """One JSON object and a line feed. Field order as in Google's sample (facts 3.2 [D])."""
        line = {**self.extras, "status": self.status, "processed_time": self.processed_time}
        if self.request is not ABSENT:
            line["request"] = self.request
        if self.response is not ABSENT:
            line["response"] = self.response
        if self.spoil is not None:
            return self.spoil(orjson.dumps(line)) + b"\n"
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
