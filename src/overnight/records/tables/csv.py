"""CSV: separator `,` `;` or tab, found by trying; quotes as RFC 4180 has them, line breaks in quotes included.

Python's csv reader in strict mode: a quote that is never closed is an error, not a field that swallows the rest of the
file. Cells are text as they stand, never trimmed, never typed.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from overnight.records.encoding import find_encoding
from overnight.records.findings import found, refuse, shown
from overnight.records.source import Source
from overnight.records.table import Entry, Table
from overnight.records.tables.header import checked_header

FIELD_LIMIT: Final = 64 << 20
"""Characters in one field. A quote that is never closed is noticed here at the latest."""

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
_SAMPLE_CHARACTERS: Final = 1 << 18
_SAMPLE_ROWS: Final = 50
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)


def open_csv(source: Source) -> Table:
    """Decodes the whole file once, then reads the header and the first row. Raises RecordsError."""
    encoding = find_encoding(source)
    layout = _layout(source, encoding.codec)
    header = next(layout.read(source), None)
    if header is None:
        raise refuse(source, "an empty table: only blank lines", hint="The first line names the columns.")
    place, names = header
    if isinstance(names, csv.Error):
        raise refuse(source, _unreadable(names), line=place, hint=_QUOTES)
    columns, notes = checked_header(source, names, line=place)
    if next(_entries(source, layout, len(columns)), None) is None:
        what = f"an empty table: a header of {_columns(len(columns))} and no record below it"
        raise refuse(source, what, line=place, hint="Export it again with its rows.")
    return Table(
        source=source,
        format="tsv" if layout.separator == "\t" else "csv",
        columns=columns,
        types=("text",) * len(columns),
        entries=lambda: _entries(source, layout, len(columns)),
        notes=encoding.notes + notes,
        encoding=encoding.codec,
        separator=layout.separator,
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the bytes become rows. skipped: lines above the header (Excel's `sep=;`)."""

    codec: str
    separator: str
    skipped: int

    def read(self, source: Source) -> Iterator[tuple[int, list[str] | csv.Error]]:
        """(line the row begins on, its cells), blank lines left out. The error last where it cannot go on."""
        csv.field_size_limit(FIELD_LIMIT)
        with source.open_text(self.codec) as file:
            for _ in range(self.skipped):
                file.readline()
            reader = csv.reader(file, delimiter=self.separator, strict=True)
            above = self.skipped + 1
            line = above
            try:
                for row in reader:
                    if row:
                        yield line, row
                    line = above + reader.line_num
            except csv.Error as error:
                yield line, error


def _entries(source: Source, layout: _Layout, width: int) -> Iterator[Entry]:
    rows = layout.read(source)
    next(rows)
    for line, row in rows:
        if isinstance(row, csv.Error):
            yield line, found(source, _unreadable(row), line=line, hint=_QUOTES), ""
        elif len(row) == width:
            yield line, tuple(row), ""
        else:
            what = f"{_columns(len(row))} where the header has {width:,}; the row begins {shown(row[0])}"
            yield line, found(source, what, line=line, hint=_ragged(layout.separator)), ""


def _columns(n: int) -> str:
    return f"{n:,} column{'' if n == 1 else 's'}"


def _ragged(separator: str) -> str:
    name = SEPARATORS.get(separator, repr(separator))
    return f"Put cells that hold a {name}, a quote or a line break in double quotes, and write a quote in them twice."


_QUOTES: Final = "Look for a stray double quote on that line or above; inside a quoted cell a quote is written twice."


def _unreadable(error: csv.Error) -> str:
    reason = str(error)
    if "unexpected end of data" in reason or "field larger" in reason:
        return "a cell is opened with a double quote that is never closed"
    if "expected after" in reason:
        return "text follows the closing double quote of a cell"
    return f"this row cannot be read: {reason}"


def _layout(source: Source, codec: str) -> _Layout:
    with source.open_text(codec) as file:
        sample = file.read(_SAMPLE_CHARACTERS)
    said = _SEPARATOR_LINE.match(sample)
    if said and said[1] in SEPARATORS:
        return _Layout(codec, said[1], 1)
    order = "\t,;" if source.suffix in {".tsv", ".tab"} else ",;\t"
    # max() keeps the first of equals: the order is the tie-break, and what a table of one column gets.
    return _Layout(codec, max(order, key=lambda separator: _fit(sample, separator)), 0)


def _fit(sample: str, separator: str) -> tuple[float, int]:
    """How well a separator explains the sample: (part of rows as wide as the header, width). One column is no fit."""
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    widths = [len(row) for _, row in zip(range(_SAMPLE_ROWS), reader, strict=False) if row]
    if len(sample) == _SAMPLE_CHARACTERS and len(widths) > 1:
        widths.pop()  # the sample may end in the middle of it
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]
