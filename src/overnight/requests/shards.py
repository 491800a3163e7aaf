"""Cutting a stream of requests into shards: one shard is one input file is one job.

A shard holds one model, one stage, one recipe and one `maxOutputTokens`: one shape of line, which the importer wants
(facts 2.2). So the linter has to see the first line of a shard in full and of the others only what can differ: the key
and the text.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from overnight.errors import OvernightError
from overnight.requests.lint import MAX_BYTES, MAX_LINES, Linter
from overnight.requests.render import Renderer


@dataclass(frozen=True, slots=True)
class Shape:
    """What the lines of a shard have in common besides their text."""

    stage: str
    recipe: str
    max_output_tokens: int


class ToRender(msgspec.Struct, frozen=True, gc=False):
    """A request that is to be sent: which, which attempt, and the texts that go in."""

    address: bytes
    attempt: int
    texts: tuple[str, ...]


class SentRow(msgspec.Struct, frozen=True, gc=False):
    """What the ledger keeps of a sent line. A struct: made a million times, at a ninth of a frozen dataclass's time."""

    address: bytes
    attempt: int
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """What one job may hold. `backends` may lower them."""

    max_lines: int = MAX_LINES
    max_bytes: int = MAX_BYTES


@dataclass(slots=True)
class Shard:
    """One shard while its lines stream by. `rows` and the sizes grow as `lines()` is read; then it is complete.

    fits: (requests, bytes of all, bytes of the longest) → is there money for that many? Asked from the second line on.
    """

    shape: Shape
    source: "Peekable"
    renderer: Renderer
    limits: ShardLimits
    fits: Callable[[int, int, int], bool]
    rows: list[SentRow] = field(default_factory=list)
    size_bytes: int = 0
    longest_bytes: int = 0

    def lines(self) -> Iterator[bytes]:
        """The shard's lines; ends at a limit, leaving the rest in the source.

        Raises OvernightError when a line breaks a rule of the importer: nothing may be uploaded then.
        """
        while (request := self.source.peek()) is not None:
            line = self.renderer.line(request.address, request.attempt, request.texts)
            if self.rows and not self._has_room_for(len(line.data)):
                return
            if not self.rows:
                self._lint(line.data)
            self.source.take()
            self.rows.append(SentRow(request.address, request.attempt, line.fingerprint))
            self.size_bytes += len(line.data)
            self.longest_bytes = max(self.longest_bytes, len(line.data))
            yield line.data

    def _has_room_for(self, line_bytes: int) -> bool:
        n, size_bytes = len(self.rows) + 1, self.size_bytes + line_bytes
        if n > self.limits.max_lines or size_bytes > self.limits.max_bytes:
            return False
        return self.fits(n, size_bytes, max(self.longest_bytes, line_bytes))

    def _lint(self, data: bytes) -> None:
        findings = Linter().check(data, 1)
        if len(data) > self.limits.max_bytes:
            raise OvernightError(
                f"one request is {len(data):,} bytes, more than a whole input file may be ({self.limits.max_bytes:,})",
                hint="Shorten the text, or leave the record out.",
            )
        if findings:
            raise OvernightError(
                "the service's importer would refuse these lines, and with them the whole job:\n"
                + "\n".join(f"  {finding}" for finding in findings),
                hint="Nothing was uploaded. Change the answer fields the lines above name.",
            )


class Peekable:
    """An iterator whose next item can be looked at before it is taken."""

    def __init__(self, source: Iterator[ToRender]) -> None:
        self._source = source
        self._next: ToRender | None = next(source, None)

    def peek(self) -> ToRender | None:
        return self._next

    def take(self) -> None:
        self._next = next(self._source, None)
