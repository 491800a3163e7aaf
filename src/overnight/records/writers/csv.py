"""CSV as Excel opens it right: UTF-8 with a byte-order mark, commas, CRLF, quotes only where needed.

Line breaks inside a cell stay as they are. A text cell that a spreadsheet would run as a formula gets an apostrophe in
front (OWASP, "CSV Injection"); everything else is written as it is.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import IO

from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.records.writers.cells import defused, plain_text


def write_csv(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> int:
    """Rows written. Types do not matter here: a cell is written by what it is."""
    width, count = len(columns), 0
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([defused(column.name) for column in columns])
        for row in rows:
            if len(row) != width:
                raise ValueError(f"row {count + 1} has {len(row)} cells for {width} columns")
            writer.writerow([defused(cell) if isinstance(cell, str) else plain_text(cell) for cell in row])
            count += 1
    finally:
        text.detach()  # writes what is buffered and leaves the file to its owner
    return count
