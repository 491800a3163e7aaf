"""The records of files into one file of another format, without a study."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from overnight.core.atomic import replacing
from overnight.errors import UsageError
from overnight.records.columns import reconciled
from overnight.records.ids import AUTO
from overnight.records.reader import RecordSet
from overnight.records.references import NAMES as BIBLIOGRAPHIC
from overnight.records.references.reference import COLUMNS
from overnight.records.roles import roles_of
from overnight.records.table import Table
from overnight.records.writer import FORMATS, write_table
from overnight.records.writers.bibtex import BibWriter
from overnight.records.writers.citation import Citation, Citations
from overnight.records.writers.ris import as_ris
from overnight.wiring.looking import LookedAt

_WRITERS: Final[dict[str, Callable[[], Callable[[str, str, Citation | None, None], str]]]] = {
    "ris": lambda: as_ris,
    "bib": BibWriter,
}
CONVERTED: Final = (*FORMATS, *_WRITERS)


def convert(tables: Sequence[LookedAt], target: Path, format_: str) -> int:
    """Returns how many records were written. Nothing is left out: duplicates come too, and all columns of all files.

    Beside bibliographic files a table's `Title` comes in the column `title`, and so on. Raises UsageError where
    `target` is one of the files, or references are to be made where no column holds titles; OutputError where it
    cannot be written; then what stood there stays. A record that came as RIS or BibTeX goes there as it is.
    """
    if target.exists() and any(target.samefile(one.table.path) for one in tables):
        raise UsageError(f"{target} is one of the files to be read", hint="Choose another name.")
    alike = _alike([one.table for one in tables])
    roles = roles_of(list(dict.fromkeys(name for table in alike for name in table.columns)))
    text = tuple(name for name in (roles.title, roles.abstract) if name)
    records = RecordSet(alike, [""] * len(tables), AUTO, text)
    if format_ in _WRITERS:
        return _convert_references(records, target, format_)
    with replacing(target) as file:
        return write_table(file, format_, records.typed_columns, (tuple(one.values.values()) for one in records))


def _convert_references(records: RecordSet, target: Path, format_: str) -> int:
    citations, write, count = Citations(records.columns), _WRITERS[format_](), 0
    if not citations.known:
        what = "no column of the records is known to hold titles, and a reference needs one"
        raise UsageError(what, hint="Name it `title` in your table, or write CSV, XLSX, Parquet or JSONL.")
    with replacing(target) as file:
        for record in records:
            count += 1
            file.write(write(record.raw, record.format, citations.of(record), None).encode())
    return count


def _alike(tables: Sequence[Table]) -> list[Table]:
    named = {name for table in tables if table.format in BIBLIOGRAPHIC for name in table.columns}
    return [table if table.format in BIBLIOGRAPHIC else _renamed(table, named) for table in tables]


def _renamed(table: Table, named: set[str]) -> Table:
    """One name at a time: a name that no column, or more than one, may be meant by changes nothing."""
    for name in COLUMNS:
        if name in named:
            table, _ = reconciled(table, [("records.text", name)])
    return table
