"""The records of files into one file of another format, without a study."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from overnight.core.atomic import replacing
from overnight.errors import UsageError
from overnight.records.columns import reconciled
from overnight.records.ids import AUTO
from overnight.records.reader import RecordSet
from overnight.records.references.reference import COLUMNS
from overnight.records.table import Table
from overnight.records.writer import FORMATS, write_table
from overnight.wiring.looking import REFERENCES, LookedAt

CONVERTED: Final = FORMATS


def convert(tables: Sequence[LookedAt], target: Path, format_: str) -> int:
    """Returns how many records were written. Nothing is left out: duplicates come too, and all columns of all files.

    Beside bibliographic files a table's `Title` comes in the column `title`, and so on. Raises UsageError where
    `target` is one of the files, OutputError where it cannot be written; then what stood there stays.
    """
    if target.exists() and any(target.samefile(one.table.path) for one in tables):
        raise UsageError(f"{target} is one of the files to be read", hint="Choose another name.")
    records = RecordSet(_alike([one.table for one in tables]), [""] * len(tables), AUTO, ())
    with replacing(target) as file:
        return write_table(file, format_, records.typed_columns, (tuple(one.values.values()) for one in records))


def _alike(tables: Sequence[Table]) -> list[Table]:
    named = {name for table in tables if table.format in REFERENCES for name in table.columns}
    return [table if table.format in REFERENCES else _renamed(table, named) for table in tables]


def _renamed(table: Table, named: set[str]) -> Table:
    """One name at a time: a name that no column, or more than one, may be meant by changes nothing."""
    for name in COLUMNS:
        if name in named:
            table, _ = reconciled(table, [("records.text", name)])
    return table
