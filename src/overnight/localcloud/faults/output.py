"""Faults of the output: its lines, and the files they come in."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from overnight.localcloud.faults.kind import Family, Kind, param
from overnight.localcloud.faults.lines import Hits, LineChange, LineFault
from overnight.localcloud.values import parse_rfc3339, rfc3339
from overnight.localcloud.vertex.output.line import ABSENT, Line
from overnight.localcloud.vertex.rewrite import renamed, with_nulls

# Lines


@dataclass(frozen=True)
class Swapped(LineFault):
    """Exchanges something between a struck line and the one before it in its chunk (the first: the one after)."""

    def apply(self, lines: list[Line], hits: Hits) -> list[Line]:
        taken: set[int] = set()
        for place, line in enumerate(lines):
            other = lines[place - 1] if place else lines[1] if len(lines) > 1 else line
            free = taken.isdisjoint((other.row, line.row)) and other is not line
            if free and other.served and line.served and hits(line):
                self.exchange(other, line)
                taken.update((other.row, line.row))
        return lines

    def exchange(self, a: Line, b: Line) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class AnswersSwapped(Swapped):
    """Two neighbours have each other's response; key and echo stay."""

    kind: ClassVar[str] = "answers_swapped"
    source: ClassVar[str] = "googleapis/python-genai#1909 [U], of the Developer API"

    def exchange(self, a: Line, b: Line) -> None:
        a.response, b.response = b.response, a.response


@dataclass(frozen=True)
class KeysSwapped(Swapped):
    """Two neighbours have each other's extra fields, the key among them; echo and response stay together."""

    kind: ClassVar[str] = "keys_swapped"
    source: ClassVar[str] = "googleapis/python-genai#1909 [U]: answers under the wrong key"

    def exchange(self, a: Line, b: Line) -> None:
        a.extras, b.extras = b.extras, a.extras


@dataclass(frozen=True)
class LineMissing(LineFault):
    """A line is not in the output though its row was served."""

    kind: ClassVar[str] = "line_missing"
    source: ClassVar[str] = "facts 3.3 [?]"

    def apply(self, lines: list[Line], hits: Hits) -> list[Line]:
        return [line for line in lines if not hits(line)]


@dataclass(frozen=True)
class LineRepeated(LineFault):
    """A line is there several times, equal to the byte."""

    kind: ClassVar[str] = "line_repeated"
    source: ClassVar[str] = "facts 3.1 [U]"

    copies: int = param(2, "how often in all", low=2, high=100)

    def apply(self, lines: list[Line], hits: Hits) -> list[Line]:
        return [copy(line) for line in lines for _ in range(self.copies if hits(line) else 1)]


@dataclass(frozen=True)
class RepeatedOtherwise(LineFault):
    """A line is there twice, with different answers: the second is that of another row."""

    kind: ClassVar[str] = "line_repeated_otherwise"
    source: ClassVar[str] = "facts 3.1 [U]; the other answer ours"

    later_s: float = param(1.0, "how much later its processed_time is; below 0: earlier", low=-86_400, high=86_400)

    def apply(self, lines: list[Line], hits: Hits) -> list[Line]:
        served = [line for line in lines if line.served]
        found: list[Line] = []
        for line in lines:
            found.append(line)
            other = next((one for one in served if one.response != line.response), None)
            if line.served and other is not None and hits(line):
                found.append(self._second(line, other))
        return found

    def _second(self, line: Line, other: Line) -> Line:
        second = copy(line)
        second.response = other.response
        moment_us = parse_rfc3339(line.processed_time) + timedelta(seconds=self.later_s) // timedelta(microseconds=1)
        second.processed_time = rfc3339(moment_us)
        return second


@dataclass(frozen=True)
class KeyAsNumber(LineChange):
    """Extra texts come back as numbers: their digits."""

    kind: ClassVar[str] = "key_as_number"
    source: ClassVar[str] = "facts 2.2 [U]"
    served_only: ClassVar[bool] = False

    def change(self, line: Line) -> None:
        line.extras = {
            name: int("".join(filter(str.isdecimal, value))[:18] or 0) if isinstance(value, str) else value
            for name, value in line.extras.items()
        }


@dataclass(frozen=True)
class KeyMissing(LineChange):
    """Extra fields do not come back."""

    kind: ClassVar[str] = "key_missing"
    source: ClassVar[str] = "facts 2.3 [?]; googleapis/python-genai#1886 [U]"
    served_only: ClassVar[bool] = False

    def change(self, line: Line) -> None:
        line.extras = {}


@dataclass(frozen=True)
class EchoNormalised(LineChange):
    """The echoed request is rewritten: other name case, absent fields as null."""

    kind: ClassVar[str] = "echo_normalised"
    source: ClassVar[str] = "facts 2.2 [U]"
    served_only: ClassVar[bool] = False

    case: str = param("snake", "case of the names", choices=("as_sent", "camel", "snake"))
    nulls: str = param("all", "absent fields as null: fileData of parts; every known one", choices=("few", "all"))

    def change(self, line: Line) -> None:
        if isinstance(line.request, dict):
            echoed = with_nulls(line.request, every=self.nulls == "all")
            line.request = renamed(echoed, self.case) if self.case != "as_sent" else echoed


@dataclass(frozen=True)
class EchoMissing(LineChange):
    """`request` does not come back."""

    kind: ClassVar[str] = "echo_missing"
    source: ClassVar[str] = "facts 2.3 [?]"
    served_only: ClassVar[bool] = False

    def change(self, line: Line) -> None:
        line.request = ABSENT


@dataclass(frozen=True)
class UnknownFields(LineChange):
    """Fields nobody knows, beside `request` and inside `response`."""

    kind: ClassVar[str] = "unknown_fields"
    source: ClassVar[str] = "facts 3.2 [U]: score, createTime; the others ours"
    served_only: ClassVar[bool] = False

    def change(self, line: Line) -> None:
        line.extras = {**line.extras, "score": 0.5, "annotations": {"tiers": ["a", None]}}
        if isinstance(line.response, dict) and line.response:
            line.response = {**line.response, "createTime": line.processed_time, "provenance": {"ring": [1, 2]}}


@dataclass(frozen=True)
class SpoiltLine(LineFault):
    """Changes the bytes of struck lines; the line feed stays."""

    def apply(self, lines: list[Line], hits: Hits) -> list[Line]:
        for line in lines:
            if hits(line):
                line.spoil = self.spoil
        return lines

    def spoil(self, raw: bytes, /) -> bytes:
        """raw: without the line feed."""
        raise NotImplementedError


@dataclass(frozen=True)
class HalfLine(SpoiltLine):
    """A line is cut in half."""

    kind: ClassVar[str] = "half_line"
    source: ClassVar[str] = "ours"

    def spoil(self, raw: bytes, /) -> bytes:
        return raw[: len(raw) // 2]


@dataclass(frozen=True)
class InvalidUtf8(SpoiltLine):
    """A line has bytes that are not UTF-8, inside its first text."""

    kind: ClassVar[str] = "invalid_utf8"
    source: ClassVar[str] = "ours"

    def spoil(self, raw: bytes, /) -> bytes:
        at = raw.find(b'":"') + 3
        return raw[:at] + b"\xff\xfe" + raw[at:]


@dataclass(frozen=True)
class NotJson(SpoiltLine):
    """A line is no JSON at all."""

    kind: ClassVar[str] = "not_json"
    source: ClassVar[str] = "ours: what a front end might write"

    text: str = param("<html><title>502 Bad Gateway</title></html>", "what stands there instead")

    def spoil(self, _raw: bytes, /) -> bytes:
        return self.text.replace("\n", " ").encode()


# Files


@dataclass(slots=True)
class Layout:
    """How lines become files. seed: of their order, None = input order."""

    seed: int | None = None
    files: int = 1
    change_last: Callable[[bytes], bytes] | None = None


class FileFault(Kind):
    family: ClassVar[Family] = "job"

    def change(self, layout: Layout) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Shuffled(FileFault):
    """Lines are in seeded random order."""

    kind: ClassVar[str] = "shuffled"
    source: ClassVar[str] = "facts 2.4 [L]"

    seed: int = param(0, "another order")

    def change(self, layout: Layout) -> None:
        layout.seed = self.seed


@dataclass(frozen=True)
class SeveralFiles(FileFault):
    """The output is predictions_0001.jsonl and so on; there is no predictions.jsonl."""

    kind: ClassVar[str] = "several_files"
    source: ClassVar[str] = "facts 3.1 [D] of other models, [?] for Gemini"

    files: int = param(3, "how many", low=2, high=1000)

    def change(self, layout: Layout) -> None:
        layout.files = self.files


@dataclass(frozen=True)
class TruncatedLastLine(FileFault):
    """The last file ends in the middle of a line."""

    kind: ClassVar[str] = "truncated_last_line"
    source: ClassVar[str] = "ours"

    def change(self, layout: Layout) -> None:
        layout.change_last = lambda raw: raw[: len(raw) // 2]


@dataclass(frozen=True)
class ChunkFiles(Kind):
    """Each chunk of rows is also a file beside the final one, as soon as it is done."""

    kind: ClassVar[str] = "chunk_files"
    family: ClassVar[Family] = "job"
    source: ClassVar[str] = "facts 3.1, 3.3 [U]"
