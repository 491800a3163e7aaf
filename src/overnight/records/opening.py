"""Opening tables: find the format, then let that format's reader open it."""

import dataclasses
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from overnight.errors import RecordsError
from overnight.records.detect import detect, lying_name, sources
from overnight.records.findings import Findings, refuse
from overnight.records.references import FORMATS
from overnight.records.references.format import open_references
from overnight.records.source import UNPACKING, Source
from overnight.records.table import Entry, Table
from overnight.records.tables.csv import open_csv
from overnight.records.tables.jsonl import open_jsonl
from overnight.records.tables.parquet import open_parquet
from overnight.records.tables.xlsx import open_xlsx

_OPENERS: Final[Mapping[str, Callable[[Source], Table]]] = {
    "delimited": open_csv,
    "jsonl": open_jsonl,
    "parquet": open_parquet,
    "xlsx": open_xlsx,
} | {format_.name: partial(open_references, format_=format_) for format_ in FORMATS}


def open_tables(path: Path) -> list[Table]:
    """Opens what a file holds, by its content, whatever its name: one table, or each of a zip archive in its order.

    Text formats are decoded in full, JSON Lines and bibliographic formats parsed in full (their columns are those of
    all records), so that this takes time in proportion to the file; memory stays constant. Raises RecordsError: all
    findings that can be known here.
    """
    findings, tables = Findings(), []
    for source in sources(path):
        try:
            tables.append(_open(source))
        except RecordsError as error:
            findings.extend(error)
    findings.raise_if_any()
    return tables


def open_table(path: Path) -> Table:
    """The one table in a file. Raises RecordsError, also where an archive holds several."""
    first, *others = open_tables(path)
    if others:
        names = ", ".join(table.source.member for table in (first, *others))
        raise refuse(Source(path), f"an archive of {1 + len(others)} tables: {names}", hint="Unpack the one you mean.")
    return first


def _open(source: Source) -> Table:
    kind = detect(source)
    try:
        table = _OPENERS[kind](source)
    except _UNREADABLE as cause:
        raise _cannot_read(source, cause) from cause
    return dataclasses.replace(
        table, notes=lying_name(source, kind) + table.notes, entries=lambda: _guarded(source, table.entries)
    )


_UNREADABLE: Final = (OSError, zlib.error, *UNPACKING)


def _guarded(source: Source, entries: Callable[[], Iterator[Entry]]) -> Iterator[Entry]:
    try:
        yield from entries()
    except _UNREADABLE as cause:
        raise _cannot_read(source, cause) from cause
    except UnicodeDecodeError as cause:  # every byte was decoded when the table was opened
        raise refuse(source, "the file changed while it was read", hint="Run again.") from cause


def _cannot_read(source: Source, cause: Exception) -> RecordsError:
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return refuse(source, f"cannot be read: {reason}", hint="Mend that, then run again.")
