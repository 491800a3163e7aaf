"""One opened file, whatever its format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from overnight.core.record import Cell
from overnight.errors import Finding, RecordsError
from overnight.records.source import Source

Row = tuple[Cell, ...]
Entry = tuple[int, Row | Finding, str]
"""(place, the row or what is wrong with it, the record's own text). Rows go on after a finding unless the file cannot
be read further. The text is empty in tables, where the row is all there is."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that opened well: its encoding and header are sound and it has at least one row.

    format: csv | tsv | jsonl | parquet | xlsx, or the name of one in records/references. columns: unique, none empty.
    types: one of core.task.Column's words a column, or `date` or `datetime`: `text` for every column of a CSV, what the
    file declares or holds in Parquet and JSONL, `auto` in XLSX (not known before every cell is read). notes: warnings,
    such as a name that lies about the format. by_line: places are lines, but rows in Parquet (the n-th) and XLSX (the
    number Excel shows). entries: starts reading anew at each call, in constant memory.
    """

    source: Source
    format: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    entries: Callable[[], Iterator[Entry]]
    notes: tuple[Finding, ...] = ()
    encoding: str = ""
    separator: str = ""

    @property
    def path(self) -> Path:
        """The file that the person named."""
        return self.source.path

    @property
    def by_line(self) -> bool:
        return self.format not in {"parquet", "xlsx"}

    def rows(self) -> Iterator[tuple[int, Row]]:
        """(place, values in column order), from the start at each call. Raises RecordsError at the first bad row."""
        for place, row, _ in self.entries():
            if isinstance(row, Finding):
                raise RecordsError([row])
            yield place, row
