"""JSON Lines, exact and typed.

Numbers are numbers, dates ISO 8601 text, None is null, the text of a `json` column is written as the JSON value it is.
"""

from collections.abc import Iterable, Sequence
from typing import IO

from overnight.core.record import Cell
from overnight.core.task import Column


def write_jsonl(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> int:
    """Rows written, one object each with every column. NaN and infinities, which JSON has not, become null."""
    import msgspec

    encoder = msgspec.json.Encoder(decimal_format="number")
    names = [column.name for column in columns]
    of_json = [i for i, column in enumerate(columns) if column.type == "json"]
    line = bytearray()
    count = 0
    for row in rows:
        values: list[object] = list(row)
        for i in of_json:
            values[i] = _value(row[i])
        encoder.encode_into(dict(zip(names, values, strict=True)), line)
        line += b"\n"
        file.write(line)
        count += 1
    return count


def _value(cell: Cell) -> object:
    """The JSON value that a cell of a `json` column is the text of; a text that is no JSON stays a text."""
    import msgspec

    if not isinstance(cell, str):
        return cell
    try:
        msgspec.json.decode(cell)
    except (msgspec.DecodeError, RecursionError):
        return cell
    # A line break in valid JSON is white space between values, and here a line is a row.
    return msgspec.Raw(cell.replace("\n", " ").replace("\r", " ").encode())
