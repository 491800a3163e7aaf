"""XLSX with typed cells: text is text and never a formula, whatever it begins with.

The first row is bold, frozen and has filters. What a cell of Excel's cannot hold is changed visibly: control characters
become their pictures (␀ to ␟), long texts are cut with a mark, whole numbers beyond 15 digits and dates before March
1900 become text.
"""

import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, Final

from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.errors import OutputError
from overnight.records.writers.cells import plain_text

if TYPE_CHECKING:
    from openpyxl.cell import Cell as SheetCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

# Limits: Microsoft, "Excel specifications and limits".
MAX_ROWS: Final = 1_048_575
"""Rows below the header."""
MAX_COLUMNS: Final = 16_384
MAX_CHARACTERS: Final = 32_767
"""In one cell, counted as UTF-16 code units."""
CUT: Final = "…[cut at 32,767 characters; whole in the CSV]"

_EXACT_INTEGER: Final = 10**15
_FIRST_DATE: Final = date(1900, 3, 1)  # Excel takes 1900 for a leap year: earlier days would be off by one
_LOOK_ROWS: Final = 100
_WIDTHS: Final = (8, 60)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to write: its name, at most 31 characters, and a table, of which the rows are asked for once."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


def write_xlsx(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> int:
    """Rows written. Raises OutputError for more rows or columns than a sheet holds."""
    return write_workbook(file, [Sheet("results", columns, rows)])


def write_workbook(file: IO[bytes], sheets: Iterable[Sheet]) -> int:
    """Sheets one after the other, in constant memory; rows written of the first. Errors as `write_xlsx`."""
    from openpyxl import Workbook
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook(write_only=True)
    counts = [_write_sheet(book.create_sheet(sheet.name), sheet) for sheet in sheets]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:  # closed by us also when the disk is full
        ExcelWriter(book, archive).save()
    return counts[0]


def _write_sheet(sheet: Any, of: Sheet) -> int:
    from openpyxl.utils import get_column_letter

    columns = of.columns
    if len(columns) > MAX_COLUMNS:
        raise OutputError(f"{len(columns):,} columns, and a sheet holds {MAX_COLUMNS:,}", hint=_ELSEWHERE)
    left = iter(of.rows)
    first = list(islice(left, _LOOK_ROWS))
    for i, column in enumerate(columns):
        sheet.column_dimensions[get_column_letter(i + 1)].width = _width(column.name, (row[i : i + 1] for row in first))
    sheet.freeze_panes = "A2"
    try:
        count = _append(sheet, columns, chain(first, left))
        sheet.auto_filter.ref = f"A1:{get_column_letter(max(1, len(columns)))}{count + 1}"
    finally:
        sheet.close()  # ends the temporary file, also of a sheet half written; openpyxl removes it
    return count


_ELSEWHERE: Final = "Write CSV or Parquet, which have no such limit."


def _append(sheet: "WriteOnlyWorksheet", columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> int:
    sheet.append(_header(sheet, columns))
    count = 0
    for row in rows:
        if count == MAX_ROWS:
            raise OutputError(f"more than {MAX_ROWS:,} rows, and a sheet holds no more", hint=_ELSEWHERE)
        count += 1
        if len(row) != len(columns):
            raise ValueError(f"row {count} has {len(row)} cells for {len(columns)} columns")
        sheet.append([_cell(sheet, cell) for cell in row])
    return count


def _header(sheet: "WriteOnlyWorksheet", columns: Sequence[Column]) -> list["SheetCell"]:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    header = []
    for column in columns:
        cell = WriteOnlyCell(sheet, sheet_text(column.name))
        cell.data_type = "s"
        cell.font = Font(bold=True)
        header.append(cell)
    return header


def _width(name: str, rows: Iterator[Sequence[Cell]]) -> float:
    """In characters: that of the name or of the longest line in the first rows, within bounds."""
    longest = max(
        (len(line) for row in rows for cell in row for line in plain_text(cell)[:200].splitlines()), default=0
    )
    least, most = _WIDTHS
    return min(max(least, len(name) + 3, longest + 1), most)


def _cell(sheet: "WriteOnlyWorksheet", cell: Cell) -> "Cell | SheetCell":
    if isinstance(cell, str):
        return _text_cell(sheet, sheet_text(cell))
    if cell is None or isinstance(cell, bool) or _fits(cell):
        return cell
    return _text_cell(sheet, plain_text(cell))


def _fits(cell: float | Decimal | date) -> bool:
    """Whether a cell of Excel's holds this number or date as it is."""
    if isinstance(cell, datetime):
        return cell.tzinfo is None and cell.date() >= _FIRST_DATE
    if isinstance(cell, date):
        return cell >= _FIRST_DATE
    if isinstance(cell, int):
        return abs(cell) < _EXACT_INTEGER
    if isinstance(cell, Decimal):
        return cell.is_finite() and len(cell.as_tuple().digits) <= 15 and Decimal(repr(float(cell))) == cell
    return math.isfinite(cell)


def _text_cell(sheet: "WriteOnlyWorksheet", text: str) -> "str | SheetCell":
    """Text that openpyxl would take for a formula or an error value is given as a cell that says it is text."""
    if text[:1] not in {"=", "#"}:
        return text
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


_CONTROLS: Final = {code: chr(0x2400 + code) for code in range(32) if code not in {9, 10}}
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def sheet_text(text: str) -> str:
    """The text as a cell can hold it.

    Line breaks of every kind become LF, as Excel has them; other control characters their pictures; what XML cannot
    hold becomes U+FFFD; what Excel would read as an escape (`_x000D_`) is escaped; what is too long is cut with a mark.
    """
    if _UNFIT.search(text):
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
        text = _UNFIT.sub("\ufffd", text)
    if "_x" in text:
        text = _LOOKS_ESCAPED.sub("_x005F_", text)
    return text if 2 * len(text) <= MAX_CHARACTERS else _cut(text)


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MAX_CHARACTERS:
        return text
    return units[: 2 * (MAX_CHARACTERS - len(CUT))].decode("utf-16-le", "ignore") + CUT
