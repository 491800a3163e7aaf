"""Steps on finished lines, in the order they are applied. Each belongs to one switch and counts its strikes there.

The seam of the fault plans to come: a step gets the lines of one chunk in input order and returns lines. Which rows
it strikes depends on the row's number only, so the same input is struck in the same places.
"""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Final, Protocol

from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject
from overnight.localcloud.vertex.checks import RowRefusedError
from overnight.localcloud.vertex.output.line import ABSENT, Line

_FAIL_TEXTS: Final = {
    429: "Resource exhausted. Please try again later.",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
}


class Step(Protocol):
    name: str

    def apply(self, lines: list[Line]) -> tuple[list[Line], int]:
        """(the lines to go on with, how often it struck)."""


class EachNth:
    """Changes each n-th row in place."""

    def __init__(self, name: str, every: int, change: Callable[[Line], None], *, only_served: bool = True) -> None:
        self.name, self._every, self._change, self._only_served = name, every, change, only_served

    def apply(self, lines: list[Line]) -> tuple[list[Line], int]:
        struck = [line for line in lines if _is_nth(line, self._every) and (line.served or not self._only_served)]
        for line in struck:
            self._change(line)
        return lines, len(struck)


class All:
    """Changes every line."""

    def __init__(self, name: str, change: Callable[[Line], None]) -> None:
        self.name, self._change = name, change

    def apply(self, lines: list[Line]) -> tuple[list[Line], int]:
        for line in lines:
            self._change(line)
        return lines, len(lines)


class Swap:
    """Each n-th line and the one before it in its chunk exchange something."""

    def __init__(self, name: str, every: int, exchange: Callable[[Line, Line], None]) -> None:
        self.name, self._every, self._exchange = name, every, exchange

    def apply(self, lines: list[Line]) -> tuple[list[Line], int]:
        taken: set[int] = set()
        struck = 0
        for before, line in pairwise(lines):
            free = taken.isdisjoint((before.row, line.row))
            if free and _is_nth(line, self._every) and before.served and line.served:
                self._exchange(before, line)
                taken.update((before.row, line.row))
                struck += 1
        return lines, struck


class Copies:
    """Each n-th line `times` times: 0 drops it, 2 doubles it."""

    def __init__(self, name: str, every: int, times: int) -> None:
        self.name, self._every, self._times = name, every, times

    def apply(self, lines: list[Line]) -> tuple[list[Line], int]:
        kept: list[Line] = []
        struck = 0
        for line in lines:
            times = self._times if _is_nth(line, self._every) else 1
            struck += times != 1
            kept.extend([line] * times)
        return kept, struck


def _is_nth(line: Line, every: int) -> bool:
    return (line.row + 1) % every == 0


def fail(code: int) -> Callable[[Line], None]:
    status = RowRefusedError(code, _FAIL_TEXTS.get(code, "The request could not be served.")).row_status()

    def change(line: Line) -> None:
        line.status, line.response = status, {}

    return change


def block(line: Line) -> None:
    """A blocked prompt: no candidates, the prompt is counted (facts 9.4 [D])."""
    old = _object(line.response)
    usage = _object(old.get("usageMetadata"))
    kept: JsonObject = {name: usage[name] for name in ("promptTokenCount", "trafficType") if name in usage}
    line.response = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "modelVersion": old.get("modelVersion"),
        "usageMetadata": {**kept, "totalTokenCount": usage.get("promptTokenCount", 0)},
    }


def fence(line: Line) -> None:
    """The answer's text between fences, after a sentence nobody asked for."""
    for candidate in _object(line.response).get("candidates") or ():
        for part in candidate["content"].get("parts") or ():
            if not part.get("thought"):
                part["text"] = f"Here is the answer:\n```json\n{part['text']}\n```"


def other_model(line: Line) -> None:
    """Served by another model than asked (facts 7.2 [D])."""
    response = _object(line.response)
    _, mark, suffix = str(response.get("modelVersion", "")).partition("@")
    response["modelVersion"] = "gemini-3.8-flash-rerouted" + mark + suffix


def digits_only(line: Line) -> None:
    """What coercing an id would do to one that has digits in it."""
    for name, value in line.extras.items():
        if isinstance(value, str):
            digits = "".join(character for character in value if character.isdecimal())[:18]
            line.extras[name] = int(digits or 0)


def exchange_extras(a: Line, b: Line) -> None:
    a.extras, b.extras = b.extras, a.extras


def exchange_responses(a: Line, b: Line) -> None:
    a.response, b.response = b.response, a.response


def drop_extras(line: Line) -> None:
    line.extras = {}


def drop_request(line: Line) -> None:
    line.request = ABSENT


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def steps(switches: Switches) -> list[Step]:
    """The steps whose switches are on."""
    nth: tuple[tuple[str, Callable[[int], Step]], ...] = (
        ("fail_every", lambda n: EachNth("fail_every", n, fail(switches.whole("fail_code")))),
        ("block_every", lambda n: EachNth("block_every", n, block)),
        ("prose_every", lambda n: EachNth("prose_every", n, fence)),
        ("wrong_model_every", lambda n: EachNth("wrong_model_every", n, other_model)),
        ("swap_answers_every", lambda n: Swap("swap_answers_every", n, exchange_responses)),
        ("swap_every", lambda n: Swap("swap_every", n, exchange_extras)),
        ("drop_every", lambda n: Copies("drop_every", n, 0)),
        ("duplicate_every", lambda n: Copies("duplicate_every", n, 2)),
    )
    whole: tuple[tuple[str, Callable[[Line], None]], ...] = (
        ("key_as_number", digits_only), ("no_key", drop_extras), ("no_echo", drop_request),
    )  # fmt: skip
    on: list[Step] = [make(switches.whole(name)) for name, make in nth if switches.whole(name)]
    on += [All(name, change) for name, change in whole if switches.flag(name)]
    return on


def malformed(raw: bytes) -> bytes:
    """A line cut in half: no JSON any more."""
    text = raw.rstrip(b"\n")
    return text[: len(text) // 2] + b"\n"


def cancelled_status(code: int = 499) -> str:
    """Status of a row that was not done; the text is not known (facts 3.3 [?])."""
    error = {"error": {"code": code, "message": "The operation was cancelled.", "status": "CANCELLED"}}
    return f"Cancelled: {json.dumps(error, separators=(',', ':'))}"
