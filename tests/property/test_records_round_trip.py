"""Law: a table written in a format and read from it is the same table, as far as the format can say it."""

import tempfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.records import open_table, write_table
from overnight.records.writers.cells import defused, plain_text

SIGNS = ["", " ", "\n", "\r\n", "\r", '"', '""', ",", ";", "\t", "'", "\ufeff", "\u2028", "\x0b", "\x1b", "{", "[1]"]
WORDS = ["=1+1", "-5.2", "@x", "_x000D_", "#N/A", "null", "007", "1e5", "夜勤", "😴", "true", "sep=;", "a,b\nc;d\te"]

# NUL is left out: the readers of text refuse it.
characters = st.characters(codec="utf-8", exclude_characters="\0")
texts = st.lists(st.one_of(st.sampled_from(SIGNS + WORDS), st.text(characters, max_size=5)), max_size=4).map("".join)
names = st.lists(texts.map(str.strip).filter(bool), min_size=2, max_size=4, unique=True)
moments = st.integers(0, 10**15).map(lambda n: datetime.fromisoformat("1950-01-01") + timedelta(microseconds=n))
BY_TYPE: dict[str, st.SearchStrategy[Cell]] = {
    "text": texts,
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "date": st.dates(),
    "datetime": moments,
}
Table = tuple[list[Column], list[list[Cell]]]


@st.composite
def tables(draw: st.DrawFn, types: Sequence[str], none: bool = True) -> Table:
    columns = [Column(name, draw(st.sampled_from(types))) for name in draw(names)]
    cells = [st.one_of(st.none(), BY_TYPE[c.type]) if none else BY_TYPE[c.type] for c in columns]
    return columns, draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=6))


def there_and_back(format: str, table: Table) -> tuple[tuple[str, ...], tuple[str, ...], list[list[Cell]]]:  # noqa: A002
    columns, rows = table
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t.{format}"
        with path.open("wb") as file:
            assert write_table(file, format, columns, rows) == len(rows)
        opened = open_table(path)
        assert opened.notes == ()
        return opened.columns, opened.types, [list(row) for _, row in opened.rows()]


def same(one: Cell, other: Cell) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)  # repr: -0.0 is not 0.0


def assert_same(read: list[list[Cell]], written: list[list[Cell]]) -> None:
    assert len(read) == len(written)
    for got, wanted in zip(read, written, strict=True):
        assert all(same(a, b) for a, b in zip(got, wanted, strict=True)), (got, wanted)


@given(tables(list(BY_TYPE)))
@settings(max_examples=60, deadline=None)
def test_parquet_is_exact(table: Table) -> None:
    names, types, rows = there_and_back("parquet", table)
    assert names == tuple(column.name for column in table[0])
    assert types == tuple(column.type for column in table[0])
    assert_same(rows, table[1])


@given(tables(["text", "integer", "number", "boolean"]))
@settings(max_examples=60, deadline=None)
def test_jsonl_is_exact(table: Table) -> None:
    names, _, rows = there_and_back("jsonl", table)
    assert names == tuple(column.name for column in table[0])
    assert_same(rows, table[1])


@given(tables(list(BY_TYPE)))
@settings(max_examples=100, deadline=None)
def test_csv_gives_the_texts_back_defusing_aside(table: Table) -> None:
    names, _, rows = there_and_back("csv", table)
    assert names == tuple(defused(column.name) for column in table[0])
    expected: list[list[Cell]] = [
        [defused(cell) if isinstance(cell, str) else plain_text(cell) for cell in row] for row in table[1]
    ]
    assert_same(rows, expected)


@given(tables(["text", "boolean", "date"]))
@settings(max_examples=40, deadline=None)
def test_xlsx_gives_back_what_its_cells_can_hold(table: Table) -> None:
    """Empty text is an empty cell, and a row of them no row; what a cell cannot hold was changed visibly."""
    columns, rows = table
    marked = [[i, *row] for i, row in enumerate(rows)]
    names, _, read = there_and_back("xlsx", ([Column("#", "integer"), *columns], marked))
    assert names == ("#", *(_as_shown(column.name) for column in columns))
    assert_same(read, [[_in_a_sheet(cell) for cell in row] for row in marked])


def _in_a_sheet(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return _as_shown(cell) or None
    if isinstance(cell, date) and cell < date(1900, 3, 1):
        return cell.isoformat()
    return cell


def _as_shown(text: str) -> str:
    """Told again in other words than writers/xlsx's, so that a slip there shows."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    pictures = "".join(chr(0x2400 + ord(c)) if c < " " and c not in "\t\n" else c for c in lines)
    return pictures.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
