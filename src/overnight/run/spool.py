"""Every record's row, made once, kept in a temporary file, and read by each writer."""

import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from overnight.core.record import Cell
from overnight.errors import OutputError

Rows = Sequence[Sequence[Cell]]


class Spool:
    """Rows of results in the order of the records, and behind each the rows of its samples, where they are kept.

    most_samples: of how many records they are kept: of those that a spreadsheet will show.
    """

    def __init__(self, file: IO[bytes], most_samples: int = 0) -> None:
        self._file = file
        self._left = most_samples
        self.seen: Callable[[Iterator[list[Cell]]], Iterator[list[Cell]]] = iter
        """What becomes of the rows when they are read: what was known only after the last one."""

    @property
    def keeps_samples(self) -> bool:
        return self._left > 0

    def add(self, row: list[Cell], samples: Rows = ()) -> None:
        self._left -= 1
        pickle.dump((row, samples), self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def flush(self) -> None:
        """What is buffered is on the disk, so that a full one shows here."""
        self._file.flush()

    def rows(self) -> Iterator[list[Cell]]:
        return self.seen(row for row, _ in self._all())

    def samples(self) -> Iterator[Sequence[Cell]]:
        return (sample for _, samples in self._all() for sample in samples)

    def _all(self) -> Iterator[tuple[list[Cell], Rows]]:
        """From the first, as often as wanted, by one reader at a time."""
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)  # noqa: S301  # a temporary file of this process, without a name
            except EOFError:
                return


@contextmanager
def spooling(most_samples: int = 0) -> Iterator[Spool]:
    with tempfile.TemporaryFile() as file:
        yield Spool(file, most_samples)


@contextmanager
def room_for_rows() -> Iterator[None]:
    """Raises OutputError where the temporary folder has no room for what is kept in here."""
    try:
        yield
    except OSError as cause:
        raise OutputError(
            f"the rows of the results could not be kept: {cause.strerror or cause}",
            where=tempfile.gettempdir(),
            hint="Make room there, or let TMPDIR name a folder with more; then run again. Nothing paid is lost.",
        ) from cause
