"""CSV: separator found by trying; quotes as RFC 4180 has them, line breaks in quotes included; lines above the header.

Python's csv reader in strict mode: a quote that is never closed is an error, not a field that swallows the rest of the
file. Where a row ends is found a second time by other code in the same pass (csv_rows.py), and the two have to agree.
Cells are text as they stand, never trimmed, never typed.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from overnight.records.encoding import find_encoding
from overnight.records.findings import found, refuse, shown
from overnight.records.roles import is_known
from overnight.records.source import Source
from overnight.records.table import Entry, Table
from overnight.records.tables.csv_rows import Rows
from overnight.records.tables.header import MOST_ABOVE, above_header, checked_header, header_index

FIELD_LIMIT: Final = 64 << 20
"""Characters in one field. A quote that is never closed is noticed here at the latest."""

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", "^": "caret", "~": "tilde"}
"""Tried in this order. Besides these `sep=` may name any sign."""
_SAMPLE_CHARACTERS: Final = 1 << 18
_SAMPLE_ROWS: Final = 50
_SEPARATOR_LINE: Final = re.compile(r'"?sep=([^\w\s"]|\t)"?\r?\n', re.IGNORECASE)


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
    if _is_prose(names, layout.read(source)):
        what = f"this is no table, but reads like a letter or a note: {shown(' '.join(names).strip())}"
        hint = "Name a table or an export; if this is one, give each column a name and each row as many cells."
        raise refuse(source, what, line=place, hint=hint)
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
        notes=encoding.notes + above_header(source, layout.first, place, layout.above) + notes,
        encoding=encoding.codec,
        separator=layout.separator,
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the bytes become rows. skipped: lines above the header, Excel's `sep=;` and a database's own.

    first, above: the first of the database's own lines (1-based), and its text; 0 where there is none.
    """

    codec: str
    separator: str
    skipped: int
    first: int = 0
    above: str = ""

    def read(self, source: Source) -> Iterator[tuple[int, list[str] | csv.Error]]:
        """(line the row begins on, its cells), blank lines left out. The error last where it cannot go on."""
        csv.field_size_limit(FIELD_LIMIT)
        with source.open_text(self.codec) as file:
            for _ in range(self.skipped):
                file.readline()
            lines = Rows(file, self.separator)
            reader = csv.reader(lines, delimiter=self.separator, strict=True)
            above = self.skipped + 1
            line = above
            try:
                for number, row in enumerate(reader, 1):
                    if lines.ended != number:
                        raise csv.Error(_DIFFER)
                    if row:
                        yield line, row
                    line = above + reader.line_num
            except csv.Error as error:
                yield line, error


_WORDS_OF_PROSE: Final = 3


def _is_prose(header: list[str], rows: Iterator[tuple[int, list[str] | csv.Error]]) -> bool:
    """Such as a letter: its first line is words and ends in a comma, and its lines have commas as they happen to.

    Asked only of what is refused anyway: a column has no name.
    """
    if all(map(str.strip, header)) or any(map(is_known, header)):
        return False
    if max(len(name.split()) for name in header) < _WORDS_OF_PROSE:
        return False
    return any(len(row) != len(header) for _, row in islice(rows, _SAMPLE_ROWS) if isinstance(row, list))


def _entries(source: Source, layout: _Layout, width: int) -> Iterator[Entry]:
    rows = layout.read(source)
    _, header = next(rows)
    for line, row in rows:
        if isinstance(row, csv.Error):
            yield line, found(source, _unreadable(row), line=line, hint=_QUOTES), ""
        elif row == header and width > 1:
            hint = "Are these several tables, one below the other? Take the line out."
            yield line, found(source, "the header comes again", line=line, hint=hint), ""
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


_DIFFER: Final = "where it ends is not clear: two ways of finding it do not agree"


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
    if said:
        return _Layout(codec, said[1], 1)
    order = (
        sorted(SEPARATORS, key=lambda separator: separator != "\t") if source.suffix in _TABBED else list(SEPARATORS)
    )
    trials = [_trial(sample, separator) for separator in order]
    # max() keeps the first of equals: the order is the tie-break, and what a table of one column gets.
    best = max(trials, key=lambda trial: trial.fit)
    return _Layout(codec, best.separator, best.skipped, best.first, best.above)


_TABBED: Final = frozenset({".tsv", ".tab"})


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a separator makes of the sample. fit: (there are lines above a header with known names, part of the rows as
    wide as the header, width): one column is no fit."""

    separator: str
    fit: tuple[bool, float, int]
    skipped: int = 0
    first: int = 0
    above: str = ""


def _trial(sample: str, separator: str) -> _Trial:
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    for _, row in zip(range(_SAMPLE_ROWS + MOST_ABOVE), reader, strict=False):
        if row:
            rows.append((line, row))
        line = reader.line_num + 1
    if len(sample) == _SAMPLE_CHARACTERS and len(rows) > 1:
        rows.pop()  # the sample may end in the middle of it
    if not rows:
        return _Trial(separator, (False, 0.0, 0))
    header = header_index(row for _, row in rows)
    widths = [len(row) for _, row in rows[header:]][:_SAMPLE_ROWS]
    alike = sum(width == widths[0] for width in widths) / len(widths)
    fit = (header > 0, alike, widths[0]) if widths[0] > 1 else (False, 0.0, 0)
    if not header:
        return _Trial(separator, fit)
    first, above = rows[0]
    return _Trial(separator, fit, rows[header][0] - 1, first, separator.join(above))
