"""Reference files written and read: what tests of MEDLINE, PubMed XML and EndNote XML share."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from overnight.core.record import Cell
from overnight.errors import Finding, RecordsError
from overnight.records import Table, open_table


@dataclass(frozen=True)
class Read:
    """A file as it was read. rows: by column, only cells with something in them."""

    table: Table
    lines: list[int]
    rows: list[dict[str, Cell]]
    raws: list[str]

    def column(self, name: str) -> list[Cell]:
        return [row.get(name) for row in self.rows]


def read(path: Path, content: str | bytes) -> Read:
    """Writes a file and reads it. Raises RecordsError for what the reader says of any row."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = open_table(path)
    lines, rows, raws = [], [], []
    for line, row, raw in table.entries():
        if isinstance(row, Finding):
            raise RecordsError([row])
        lines.append(line)
        raws.append(raw)
        rows.append({name: cell for name, cell in zip(table.columns, row, strict=True) if cell is not None})
    return Read(table, lines, rows, raws)


def refused(path: Path, content: str | bytes) -> tuple[Finding, ...]:
    """What is wrong with a file that has to be refused."""
    with pytest.raises(RecordsError) as caught:
        read(path, content)
    return caught.value.findings
