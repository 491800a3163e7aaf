"""Parquet in: types kept, nested values as JSON text, damage named."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from overnight.core.record import Cell
from overnight.errors import RecordsError
from overnight.records import open_table


def table(folder: Path, **columns: pa.Array) -> Path:
    path = folder / "t.parquet"
    pq.write_table(pa.table(columns), path)
    return path


MOMENT = datetime.fromisoformat("2024-02-29T12:30:01.000005")


@pytest.mark.parametrize(
    ("values", "cells", "declared"),
    [
        (pa.array(["007", None]), ["007", None], "text"),
        (pa.array(["x", "x"], pa.large_string()), ["x", "x"], "text"),
        (pa.array(["x", None]).dictionary_encode(), ["x", None], "text"),
        (pa.array([7, None], pa.int16()), [7, None], "integer"),
        (pa.array([2**64 - 1, 0], pa.uint64()), [2**64 - 1, 0], "text"),
        (pa.array([0.1, None]), [0.1, None], "number"),
        (pa.array([0.5, None], pa.float32()), [0.5, None], "number"),
        (pa.array([True, None]), [True, None], "boolean"),
        (pa.array([date(1850, 1, 1), None]), [date(1850, 1, 1), None], "date"),
        (pa.array([MOMENT, None], pa.timestamp("us")), [MOMENT, None], "datetime"),
        (
            pa.array([1_500_000_001, None], pa.timestamp("ns")),
            [datetime.fromisoformat("1970-01-01T00:00:01.500"), None],
            "datetime",
        ),
        (pa.array([MOMENT], pa.timestamp("us", "UTC")), [MOMENT.replace(tzinfo=UTC)], "text"),
        (pa.array([Decimal("1.10")]), [Decimal("1.10")], "text"),
        (pa.array([time(1, 2, 3)]), ["01:02:03"], "text"),
        (pa.array([timedelta(hours=1)]), ["1:00:00"], "text"),
        (pa.array([b"abc", None]), ["abc", None], "text"),
        (pa.array([b"\x01\xff"], pa.binary(2)), ["01ff"], "text"),
        (pa.array([[1, None], None]), ["[1,null]", None], "json"),
        (pa.array([{"a": "é", "d": MOMENT}]), ['{"a":"é","d":"2024-02-29T12:30:01.000005"}'], "json"),
        (pa.nulls(2), [None, None], "text"),
    ],
)
def test_cells_and_declared_types(tmp_path: Path, values: pa.Array, cells: list[Cell], declared: str) -> None:
    opened = open_table(table(tmp_path, c=values))
    assert opened.types == (declared,)
    assert [row[0] for _, row in opened.rows()] == cells


def test_rows_are_numbered_across_batches_and_read_again(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, id=pa.array(range(5000))))
    assert [place for place, _ in opened.rows()] == list(range(1, 5001))
    assert [row for _, row in opened.rows()] == [(i,) for i in range(5000)]


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(RecordsError, match="2 columns are named 'a'"):
        open_table(path)


def test_no_rows_and_no_columns(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="columns and no rows"):
        open_table(table(tmp_path, a=pa.array([], pa.string())))
    with pytest.raises(RecordsError, match="no columns"):
        open_table(table(tmp_path))


def test_bytes_that_are_no_text_are_placed(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, id=pa.array(range(3000)), t=pa.array([b"x"] * 2500 + [b"\xff"] * 500)))
    with pytest.raises(RecordsError, match="row 2,501, column 't'"):
        list(opened.rows())


def test_a_text_column_that_holds_no_utf8_is_placed(tmp_path: Path) -> None:
    broken = pa.array([b"x", b"\xed\xa0\x80"]).view(pa.string())
    with pytest.raises(RecordsError, match="row 2, column 't'"):
        list(open_table(table(tmp_path, t=broken)).rows())


def test_a_file_cut_short_and_one_with_a_damaged_page(tmp_path: Path) -> None:
    path = table(tmp_path, t=pa.array([f"some words {i}" for i in range(9000)]))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordsError, match="not a Parquet file that can be read"):
        open_table(path)
    path.write_bytes(whole[:2000] + bytes(byte ^ 0xFF for byte in whole[2000:6000]) + whole[6000:])
    with pytest.raises(RecordsError, match=r"cannot be read|column"):
        list(open_table(path).rows())
