"""Opening one table: find the format, then let that format's reader open it."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from overnight.errors import RecordsError
from overnight.records.csv_table import open_csv
from overnight.records.detect import Kind, detect, lying_name
from overnight.records.findings import refuse
from overnight.records.jsonl_table import open_jsonl
from overnight.records.parquet_table import open_parquet
from overnight.records.table import Entry, Table
from overnight.records.xlsx_table import open_xlsx

_OPENERS: Final[dict[Kind, Callable[[Path], Table]]] = {
    "delimited": open_csv,
    "jsonl": open_jsonl,
    "parquet": open_parquet,
    "xlsx": open_xlsx,
}


def open_table(path: Path) -> Table:
    """Opens a table by its content, whatever its name.

    Text formats are decoded in full, JSON Lines parsed in full (its columns are those of all lines), so that this takes
    time in proportion to the file; memory stays constant. Raises RecordsError: all findings that can be known here.
    """
    kind = detect(path)
    try:
        table = _OPENERS[kind](path)
    except OSError as cause:
        raise _cannot_read(path, cause) from cause
    return dataclasses.replace(
        table, notes=lying_name(path, kind) + table.notes, entries=lambda: _guarded(path, table.entries)
    )


def _guarded(path: Path, entries: Callable[[], Iterator[Entry]]) -> Iterator[Entry]:
    try:
        yield from entries()
    except OSError as cause:
        raise _cannot_read(path, cause) from cause
    except UnicodeDecodeError as cause:  # every byte was decoded when the table was opened
        raise refuse(path, "the file changed while it was read", hint="Run again.") from cause


def _cannot_read(path: Path, cause: OSError) -> RecordsError:
    return refuse(path, f"cannot be read: {cause.strerror or cause}", hint="Mend that, then run again.")
