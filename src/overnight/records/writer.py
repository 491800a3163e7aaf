"""Writing a table in one of four formats, and naming its columns."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Final

from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.records.writers.csv import write_csv
from overnight.records.writers.jsonl import write_jsonl
from overnight.records.writers.parquet import write_parquet
from overnight.records.writers.xlsx import write_xlsx

_WRITERS: Final[dict[str, Callable[[IO[bytes], Sequence[Column], Iterable[Sequence[Cell]]], int]]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
    "xlsx": write_xlsx,
}

FORMATS: Final = tuple(_WRITERS)


def write_table(
    file: IO[bytes],
    format: str,  # noqa: A002 - the word for it
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    about: Mapping[str, str] | None = None,
) -> int:
    """Writes rows as they come, in constant memory, and returns how many. The file stays open; the caller replaces.

    rows: one cell for each column; a cell of a `json` column is JSON text. about: what the table is of, for the formats
    that have a place for it beside the rows (Parquet). What each format does with the types is in
    docs/reference/tables.md. Raises OutputError where a format cannot hold the table (XLSX: too many rows or columns;
    Parquet: a value that is not of its column's type), ValueError for an unknown format or a row of another width.
    """
    if format not in _WRITERS:
        raise ValueError(f"no format {format!r}: the formats are {', '.join(FORMATS)}")
    _refuse_twins(columns)
    if format == "parquet":
        return write_parquet(file, columns, rows, about)
    return _WRITERS[format](file, columns, rows)


def _refuse_twins(columns: Sequence[Column]) -> None:
    times = Counter(column.name for column in columns)
    twins = sorted(name for name, n in times.items() if n > 1)
    if twins:
        raise ValueError(f"two columns of one name: {', '.join(twins)}")


def results_columns(original: Sequence[str | Column], ours: Sequence[Column]) -> tuple[Column, ...]:
    """The user's columns as they come back in results, in their order: a name of ours becomes `orig_<name>`.

    If that is taken too, by another of the user's columns or of ours, `orig_orig_<name>` and so on. A bare name has
    type `auto`. The caller puts `ours` where they belong.
    """
    originals = [column if isinstance(column, Column) else Column(column, "auto") for column in original]
    reserved = {column.name for column in ours}
    taken = reserved | {column.name for column in originals}
    renamed: list[Column] = []
    for column in originals:
        name = column.name
        if name in reserved:
            while name in taken:
                name = f"orig_{name}"
            taken.add(name)
        renamed.append(Column(name, column.type))
    return tuple(renamed)
