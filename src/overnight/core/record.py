"""A record: one row of the user's table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Cell = str | int | float | bool | Decimal | date | datetime | None
"""What a table's cell may hold. CSV and XLSX-as-text give `str`; Parquet and JSONL keep their types."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the user's table.

    record_id: text, always, unique in the study. position: 0-based place in the study's tables, for the order of
    results only, never identity. values: cells in the user's column order. source: `file:line` (or `file, row n`).
    format, raw: of what kind of file, and its text in it where that is more than the cells (bibliographic formats).
    duplicate_of: the id of the record that stands for this one, which is then not sent; empty for most.
    """

    record_id: str
    position: int
    values: Mapping[str, Cell]
    source: str
    format: str = ""
    raw: str = ""
    duplicate_of: str = ""


def text_of(cell: Cell) -> str:
    """The text a prompt gets for a cell: empty for None, `str` as it is, numbers and dates as Python writes them."""
    if isinstance(cell, str):
        return cell
    return "" if cell is None else str(cell)
