"""XLSX: the first sheet with data, its first row with values (or, below lines of a database's own, with known names)
naming the columns.

Text stays text ("007"), whole numbers stay whole, dates are dates, a formula gives the value Excel stored with it.
Rows wholly empty are left out; places are the row numbers Excel shows.
"""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import IO, TYPE_CHECKING, Final, Protocol, cast
from xml.etree.ElementTree import ParseError

from overnight.core.record import Cell
from overnight.errors import Finding
from overnight.records.findings import found, refuse, shown
from overnight.records.source import MOST_RATIO, SMALL_BYTES, Source
from overnight.records.table import Entry, Table
from overnight.records.tables.header import MOST_ABOVE, above_header, checked_header, header_index
from overnight.records.tables.kinds import SAFE_INTEGER
from overnight.records.writers.cells import plain_text

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook


class _Cell(Protocol):
    """What we use of openpyxl's three classes of cells. An empty one has value and data_type only."""

    value: object
    data_type: str
    number_format: str
    coordinate: str


_Cells = tuple[_Cell, ...]

_MOST_ROWS: Final = 1_048_576  # Microsoft, "Excel specifications and limits"

_DAMAGED: Final = "Open it in Excel or LibreOffice and save it again as .xlsx."

# What openpyxl lets through when a file is cut or was never a workbook: it trusts the parts to be there and well made.
_DAMAGE: Final = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    ParseError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def open_xlsx(source: Source) -> Table:
    """Looks for the sheet, reads its header and first row. Raises RecordsError."""
    try:
        formulas = _has_formulas(source)
        with _workbook(source, formulas=True) as book:
            with_data = [sheet.title for sheet in book.worksheets if _has_data(book, sheet.title)]
        if not with_data:
            raise refuse(source, "an empty table: no sheet holds anything", hint="Save it again with its rows.")
        sheet = with_data[0]
        filled = ((n, c) for n, c, _ in _rows(source, sheet, formulas=False) if _width(c))
        head = list(islice(filled, MOST_ABOVE))
    except _DAMAGE as cause:
        raise refuse(source, f"not an XLSX file that can be read: {cause}", hint=_DAMAGED) from cause
    if not head:
        raise refuse(source, "a table of formulas without their values", hint=_UNCOMPUTED)
    index = header_index(_texts(cells) for _, cells in head)
    number, names = head[index][0], _texts(head[index][1])
    columns, notes = checked_header(source, names, line=number)
    if next(_entries(source, sheet, formulas, number, len(columns)), None) is None:
        raise refuse(source, "an empty table: there is nothing below the header", hint="Save it again with its rows.")
    return Table(
        source=source,
        format="xlsx",
        columns=columns,
        types=("auto",) * len(columns),
        entries=lambda: _entries(source, sheet, formulas, number, len(columns)),
        notes=_several(source, with_data)
        + above_header(source, head[0][0] if index else 0, number, "; ".join(filter(None, _texts(head[0][1]))), "row")
        + notes,
    )


def _texts(cells: _Cells) -> list[str]:
    return ["" if cell.value is None else plain_text(_value(cell)) for cell in cells[: _width(cells)]]


def _several(source: Source, with_data: Sequence[str]) -> tuple[Finding, ...]:
    if len(with_data) == 1:
        return ()
    others = ", ".join(shown(name) for name in with_data[1:])
    what = f"only the first sheet with data is read, {shown(with_data[0])}; not read: {others}"
    return (found(source, what, hint="Save the sheet that you want as a file of its own.", level="warning"),)


_UNCOMPUTED: Final = "The program that wrote it did not compute them: open it in Excel or LibreOffice and save it."


def _entries(source: Source, sheet: str, formulas: bool, header: int, width: int) -> Iterator[Entry]:
    number = header
    try:
        for number, cells, written in _rows(source, sheet, formulas=formulas):
            if number > header and (_width(cells) or _width(written)):
                wrong = _wrong(cells, written, width)
                if wrong:
                    yield number, found(source, wrong[0], line=number, hint=wrong[1]), ""
                else:
                    values = [_value(cell) for cell in cells[:width]]
                    yield number, tuple(values + [None] * (width - len(values))), ""
    except _DAMAGE as error:
        yield number, found(source, f"cannot be read after row {number:,}: {error}", hint=_DAMAGED), ""


def _wrong(cells: _Cells, written: _Cells, width: int) -> tuple[str, str] | None:
    """What is wrong with a row, and what to do. written: its cells with formulas in place of values, or nothing."""
    for cell in cells:
        if cell.data_type == "e":
            return f"cell {cell.coordinate} holds the error {cell.value}", "Mend its formula, or empty the cell."
    for cell in cells[width:]:
        if cell.value is not None:
            what = f"cell {cell.coordinate} holds {shown(cell.value)} in a column without a name"
            return what, "Name the column in the header row, or empty the cell."
    for cell, formula in zip(cells, written, strict=False):
        # A computed empty text is stored as type "str" with no value; a formula never computed has no type at all.
        if formula.data_type == "f" and cell.value is None and cell.data_type != "str":
            return f"cell {formula.coordinate} holds a formula without its value", _UNCOMPUTED
    return None


def _width(cells: _Cells) -> int:
    """The number of cells up to the last one that holds something."""
    return next((n for n in range(len(cells), 0, -1) if cells[n - 1].value is not None), 0)


_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _value(cell: _Cell) -> Cell:
    value = cell.value
    if isinstance(value, str):
        return _ESCAPED.sub(_unescaped, value) if "_x" in value else value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= SAFE_INTEGER else value
    if isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second or value.microsecond)
        return value.date() if midnight and "h" not in cell.number_format.lower() else value
    return value if isinstance(value, date) else str(value)  # a time of day, a duration


def _unescaped(match: re.Match[str]) -> str:
    """What Excel means by _x000D_ (ECMA-376-1, 22.9.2.19 ST_Xstring); half a surrogate pair stays as written."""
    character = chr(int(match[1], 16))
    return match[0] if "\ud800" <= character <= "\udfff" else character


def _rows(source: Source, sheet: str, *, formulas: bool) -> Iterator[tuple[int, _Cells, _Cells]]:
    """(row number, cells with values, the same cells with formulas if asked for, else nothing)."""
    with _workbook(source, formulas=False) as book:
        if not formulas:
            for number, cells in enumerate(_cells(book, sheet), 1):
                yield number, cells, ()
            return
        with _workbook(source, formulas=True) as twin:
            for number, (cells, written) in enumerate(zip(_cells(book, sheet), _cells(twin, sheet), strict=True), 1):
                yield number, cells, written


def _cells(book: "Workbook", sheet: str) -> Iterator[_Cells]:
    """Rows from the first, empty ones included, as wide as what they hold: the size a file declares may be wrong."""
    opened = book[sheet]
    opened.reset_dimensions()
    for number, cells in enumerate(opened.rows, 1):
        if number > _MOST_ROWS:  # openpyxl makes up every empty row before the one that a file names
            raise ValueError(f"a row beyond {_MOST_ROWS:,}, where a sheet ends")
        yield cast("_Cells", cells)


def _has_data(book: "Workbook", sheet: str) -> bool:
    return any(_width(cells) for cells in _cells(book, sheet))


@contextmanager
def _workbook(source: Source, *, formulas: bool) -> Iterator["Workbook"]:
    from openpyxl import load_workbook

    # Its warnings are about styles and extensions it drops; dates it cannot read come back as errors, which we report.
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    with source.seekable() as file:
        book = load_workbook(file, read_only=True, data_only=not formulas, keep_links=False)
        try:
            yield book
        finally:
            book.close()


_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ROW: Final = re.compile(rb"<(?:\w+:)?row(?=[\s/>])[^>]*>")
_NUMBER: Final = re.compile(rb"\sr\s*=\s*[\"'](\d+)[\"']")


def _has_formulas(source: Source) -> bool:
    """Goes through the sheets' XML before openpyxl does. Raises ValueError for a part that swells, and for a row that
    stands twice or out of order: openpyxl leaves such a row out without a word.
    """
    formulas = False
    with source.seekable() as file, zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.file_size > max(SMALL_BYTES, info.compress_size * MOST_RATIO):
                size = f"{info.file_size:,} bytes"
                raise ValueError(f"{info.filename!r} in it unpacks to {size}: an archive made to swell")
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as part:
                    row = 0
                    for piece in _whole_tags(part):
                        formulas = formulas or _FORMULA.search(piece) is not None
                        row = _last_row(name, piece, row)
    return formulas


def _whole_tags(part: IO[bytes]) -> Iterator[bytes]:
    """Pieces of about a megabyte that end outside of tags."""
    before = b""
    while chunk := part.read(1 << 20):
        whole, opening, before = (before + chunk).rpartition(b"<")
        before = opening + before
        yield whole
    yield before


def _last_row(name: str, piece: bytes, row: int) -> int:
    """The number of the last row in a piece, which comes after `row`."""
    for tag in _ROW.finditer(piece):
        number = _NUMBER.search(tag[0])
        following = int(number[1]) if number else row + 1
        if following <= row:
            raise ValueError(f"row {following:,} stands after row {row:,} in {name!r}")
        row = following
    return row
