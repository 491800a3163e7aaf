"""A second way through a decoded file, for the counts that check the readers: searched as one text, not line by line.

Nothing here or in the counts comes from a reader: a pattern that is wrong in both would hide a record from both.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from overnight.records.source import Source

_CHUNK_CHARS: Final = 1 << 20


class Scan:
    """Finds places from the start of the file to its end, in constant memory.

    Every kind of line break is one "\\n", and one stands before the first line: a pattern that begins with "\\n" finds
    lines. A pattern sees whole lines only, the "\\n" at the end of the last one with them. line: of the place
    found last, from 1.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._text, self._whole, self._at = "\n", 0, 0
        self._breaks = 0
        """In the text before `_at`, of the whole file."""
        self.line = 0
        self._ended = False

    def find(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The next place that matches; the search goes on at the character after its first."""
        while True:
            match = pattern.search(self._text, self._at, self._whole)
            if match:
                self._pass(match.start() + 1)
                self.line = self._breaks
                return match
            if not self._more():
                return None

    def _pass(self, at: int) -> None:
        self._breaks += self._text.count("\n", self._at, at)
        self._at = at

    def _more(self) -> bool:
        """Reads on; what is left behind ends before the "\\n" of the last whole line that is not blank."""
        if self._ended:
            return False
        self._pass(max(self._at, len(self._text[: self._whole].rstrip())))
        self._text, self._at = self._text[self._at :], 0
        more = self._file.read(max(_CHUNK_CHARS, len(self._text)))
        self._ended = not more
        self._text += more or "\n"
        self._whole = self._text.rfind("\n") + 1
        return True


@contextmanager
def scanned(source: Source, codec: str) -> Iterator[Scan]:
    with io.TextIOWrapper(source.open(), encoding=codec) as file:
        yield Scan(file)
