"""The rules for column names, the same in every format, and for the row that has them."""

from collections.abc import Iterable, Sequence
from typing import Final

from overnight.errors import Finding
from overnight.records.findings import Findings, found, shown
from overnight.records.roles import is_known
from overnight.records.source import Source

MOST_ABOVE: Final = 20
"""Rows that are looked at for the header."""


def header_index(rows: Iterable[Sequence[str]]) -> int:
    """Which of the first rows names the columns: the first with two known names at least, else the first of all.

    Databases write lines of their own above a header. They have fewer cells; a row above that fills as many as the
    header would is a header itself, and the row below it a record that speaks of titles.
    """
    filled_above = 0
    for index, row in zip(range(MOST_ABOVE), rows, strict=False):
        filled = sum(bool(cell.strip()) for cell in row)
        if filled > filled_above and len({cell for cell in row if is_known(cell)}) >= 2:
            return index
        filled_above = max(filled_above, filled)
    return 0


def above_header(source: Source, first: int, header: int, text: str, unit: str = "line") -> tuple[Finding, ...]:
    """A warning that names the lines (or rows) before the header. first, header: 1-based; first 0: there are none."""
    if not first:
        return ()
    lines = f"{unit} {first}" if first == header - 1 else f"{unit}s {first} to {header - 1}"
    what = f"{lines} above the header not read: {shown(text)}"
    return (found(source, what, line=first, level="warning"),)


def checked_header(
    source: Source, names: Sequence[str], *, line: int = 0
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """(names without white space around them, a warning if there was some).

    Raises RecordsError for every empty name and every name that is there twice.
    """
    columns = tuple(name.strip() for name in names)
    findings = Findings()
    for number in (i for i, name in enumerate(columns, 1) if not name):
        hint = "Give it a name or remove the column; a table written by pandas wants `index=False`."
        findings.add(found(source, f"column {number} of {len(columns)} has no name", line=line, hint=hint))
    for name, places in _repeated(columns):
        what = f"{len(places)} columns are named {shown(name)}: numbers {', '.join(map(str, places))}"
        findings.add(found(source, what, line=line, hint="Give each column a name of its own."))
    findings.raise_if_any()
    trimmed = [name for name, column in zip(names, columns, strict=True) if name != column]
    what = f"white space around column names was removed: {', '.join(shown(name) for name in trimmed)}"
    return columns, (found(source, what, line=line, level="warning"),) if trimmed else ()


def _repeated(columns: Iterable[str]) -> list[tuple[str, list[int]]]:
    places: dict[str, list[int]] = {}
    for number, name in enumerate(columns, 1):
        places.setdefault(name, []).append(number)
    return [(name, numbers) for name, numbers in places.items() if name and len(numbers) > 1]
