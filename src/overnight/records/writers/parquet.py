"""Parquet, exact and typed, in row groups of 2,048 × 8 rows, zstd.

A Parquet column has one type, and a stream cannot look ahead: so the type is the declared one, and a value that is not
of it is an error, never a silent change. `auto` is text. `json` is JSON text.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from types import NoneType
from typing import IO, TYPE_CHECKING, Final

from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.errors import OutputError
from overnight.records.findings import shown
from overnight.records.writers.cells import plain_text

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_ROWS: Final = 2 * 2048


def write_parquet(
    file: IO[bytes], columns: Sequence[Column], rows: Iterable[Sequence[Cell]], about: Mapping[str, str] | None = None
) -> int:
    """Rows written. about: goes into the file's own metadata.

    Raises OutputError for a value that is not of its column's declared type.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    types = [_type(column.type) for column in columns]
    schema = pa.schema([pa.field(column.name, kind) for column, kind in zip(columns, types, strict=True)], about)
    count = 0
    with ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(rows):
            by_column = zip(*group, strict=True)
            arrays = [_array(c, t, v, count) for c, t, v in zip(columns, types, by_column, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema), row_group_size=_GROUP_ROWS)
            count += len(group)
    return count


def _groups(rows: Iterable[Sequence[Cell]]) -> Iterator[list[Sequence[Cell]]]:
    left = iter(rows)
    while group := list(islice(left, _GROUP_ROWS)):
        yield group


def _type(word: str) -> "pa.DataType":
    import pyarrow as pa

    types = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us"),
    }
    return types.get(word, pa.string())


# Exactly these classes: Arrow would take 1.5 for the integer 1, True for the number 1, a moment for its day.
_CLASSES: Final[dict[str, frozenset[type]]] = {
    "integer": frozenset({int, NoneType}),
    "number": frozenset({int, float, NoneType}),
    "boolean": frozenset({bool, NoneType}),
    "date": frozenset({date, NoneType}),
    "datetime": frozenset({datetime, NoneType}),
}


def _typed(word: str, kind: "pa.DataType", values: Sequence[Cell]) -> "pa.Array":
    """Raises ValueError (Arrow's errors are such), TypeError or OverflowError when a value is not of the type."""
    import pyarrow as pa

    strangers = set(map(type, values)) - _CLASSES[word]
    if strangers or (word == "datetime" and any(isinstance(v, datetime) and v.tzinfo for v in values)):
        raise ValueError(f"not only {word}")
    return pa.array(values, kind)


def _array(column: Column, kind: "pa.DataType", values: Sequence[Cell], above: int) -> "pa.Array":
    """above: rows written before these, for the message."""
    import pyarrow as pa

    if kind == pa.string():
        values = [cell if cell is None or isinstance(cell, str) else plain_text(cell) for cell in values]
        return pa.array(values, kind)
    try:
        return _typed(column.type, kind, values)
    except (ValueError, TypeError, OverflowError) as cause:
        row, value = _first_bad(column.type, kind, values)
        what = f"{shown(value)} in column {shown(column.name)} is no {column.type}"
        hint = "The other formats hold it: write CSV, JSONL or XLSX, and report this."
        raise OutputError(what, where=f"row {above + row + 1:,}", hint=hint) from cause


def _first_bad(word: str, kind: "pa.DataType", values: Sequence[Cell]) -> tuple[int, Cell]:
    for i, value in enumerate(values):
        try:
            _typed(word, kind, [value])
        except (ValueError, TypeError, OverflowError):
            return i, value
    return 0, values[0]
