"""Where the rows of a CSV file end, by the quotes alone: a count that does not come from the reader it checks."""

import re
from collections.abc import Iterable, Iterator


class Rows:
    """Hands the lines of a file on, one by one, and counts the rows that have ended in them, blank ones too.

    ended: how many rows are complete in the lines handed on so far. A quote opens a cell only where the cell begins,
    and closes it where no other quote follows; a line that ends outside all quotes ends a row. That takes no more than
    a search for quotes, and none in a line without one.
    """

    def __init__(self, lines: Iterable[str], separator: str) -> None:
        self._lines = lines
        self._opening = re.compile(rf'(?:^|{re.escape(separator)})"')
        self._inside = False
        self.ended = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if '"' in line:
                self._inside = self._ends_inside(line)
            if not self._inside:
                self.ended += 1
            yield line

    def _ends_inside(self, line: str) -> bool:
        inside, at = self._inside, 0
        while True:
            if inside:
                at = _after_closing(line, at)
                if at < 0:
                    return True
            # ^ is the beginning of the line only, wherever the search begins.
            opening = self._opening.search(line, at)
            if opening is None:
                return False
            inside, at = True, opening.end()


def _after_closing(line: str, at: int) -> int:
    """The place after the quote that closes a cell; -1 where it goes on after this line."""
    while (quote := line.find('"', at)) >= 0:
        if not line.startswith('"', quote + 1):
            return quote + 1
        at = quote + 2
    return -1
