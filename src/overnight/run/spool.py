"""Every record's row, made once, kept in a temporary file, and read by each writer; long tables in their own."""

import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any

from overnight.core.record import Cell
from overnight.errors import OutputError

Rows = Sequence[Sequence[Cell]]


class Kept:
    """The rows of one long table, while they are no more than `most`: then none of them are there."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most, self.n_rows = file, most, 0

    @property
    def is_whole(self) -> bool:
        return self.n_rows <= self._most

    def add(self, rows: Rows) -> None:
        self.n_rows += len(rows)
        if not self.is_whole:
            self._file.seek(0)
            self._file.truncate()
        elif rows:
            pickle.dump(rows, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def flush(self) -> None:
        self._file.flush()

    def rows(self) -> Iterator[Sequence[Cell]]:
        return (row for rows in _pickled(self._file) for row in rows)


class Spool:
    """Rows of results in the order of the records, and those of the long tables that are kept."""

    def __init__(self, file: IO[bytes], kept: Mapping[str, Kept]) -> None:
        self._file, self.kept = file, kept
        self.seen: Callable[[Iterator[list[Cell]]], Iterator[list[Cell]]] = iter
        """What becomes of the rows when they are read: what was known only after the last one."""

    def add(self, row: list[Cell]) -> None:
        pickle.dump(row, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def flush(self) -> None:
        """What is buffered is on the disk, so that a full one shows here."""
        self._file.flush()
        for kept in self.kept.values():
            kept.flush()

    def rows(self) -> Iterator[list[Cell]]:
        return self.seen(_pickled(self._file))

    def holds(self, table: str, most_rows: int = sys.maxsize) -> bool:
        """All its rows are there, and no more than so many."""
        kept = self.kept.get(table)
        return kept is not None and kept.is_whole and kept.n_rows <= most_rows


def _pickled(file: IO[bytes]) -> Iterator[Any]:
    """From the first, as often as wanted, by one reader at a time."""
    file.seek(0)
    while True:
        try:
            yield pickle.load(file)  # noqa: S301  # a temporary file of this process, without a name
        except EOFError:
            return


@contextmanager
def spooling(most_rows: Mapping[str, int] | None = None) -> Iterator[Spool]:
    """most_rows: of which long tables the rows are kept, and how many at most."""
    with ExitStack() as stack:
        kept = {
            name: Kept(stack.enter_context(tempfile.TemporaryFile()), most) for name, most in (most_rows or {}).items()
        }
        yield Spool(stack.enter_context(tempfile.TemporaryFile()), kept)


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
