"""Opening files of references as the program does, for the tests of every bibliographic format."""

import json
from pathlib import Path

import pytest

from overnight.errors import RecordsError
from overnight.records import Table, open_table


def written(folder: Path, content: str | bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opened(folder: Path, content: str | bytes, name: str) -> Table:
    return open_table(written(folder, content, name))


def references(table: Table) -> list[dict[str, object]]:
    """Each record's columns with something in them; `other` as the object it is."""
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    return [
        {name: json.loads(str(cell)) if name == "other" else cell for name, cell in row.items() if cell is not None}
        for row in rows
    ]


def raws(table: Table) -> list[str]:
    return [raw for _, _, raw in table.entries()]


def places(table: Table) -> list[int]:
    return [place for place, _ in table.rows()]


def notes(table: Table) -> list[str]:
    """What each warning says, with its line in front."""
    return [f"{note.line}: {note.what}" for note in table.notes]


def refusal(folder: Path, content: str | bytes, name: str) -> str:
    with pytest.raises(RecordsError) as caught:
        opened(folder, content, name)
    return str(caught.value)
