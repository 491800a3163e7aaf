"""Tables out: what Excel, a parser and a schema will find in the bytes."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.errors import OutputError
from overnight.records import open_table, results_columns, write_table
from overnight.records.writers import xlsx as write_xlsx
from overnight.records.writers.cells import defused

MOMENT = datetime.fromisoformat("2024-02-29T12:30:01.000005")


def written(format: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> bytes:  # noqa: A002
    file = io.BytesIO()
    rows = list(rows)
    assert write_table(file, format, columns, rows) == len(rows)
    return file.getvalue()


def columns(*names: str, **types: str) -> list[Column]:
    return [*(Column(name) for name in names), *(Column(name, word) for name, word in types.items())]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-1-1", "@SUM(A1)", "\tx", "\rx", "=", "-", "+44 20 7946", "-5.2x", "-."]
)
def test_text_that_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert defused(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["-5.2", "+3", "-1,234.50", "-5,2", "-3e-5", "-12%", "-.5", "", "x=1", " =1", "'=1", "5"]
)
def test_numbers_and_harmless_text_stay(text: str) -> None:
    assert defused(text) == text


def test_csv_bytes() -> None:
    row: list[Cell] = [
        'say "hi"',
        "a,b",
        "two\nlines",
        "=HYPERLINK()",
        -5.2,
        True,
        None,
        date(2020, 1, 2),
        MOMENT,
        10**20,
    ]
    data = written("csv", columns(*"abcdefghi", "=j"), [row])
    assert (
        data
        == (
            "\ufeffa,b,c,d,e,f,g,h,i,'=j\r\n"
            '"say ""hi""","a,b","two\nlines",\'=HYPERLINK(),-5.2,true,,2020-01-02,2024-02-29 12:30:01.000005,'
            "100000000000000000000\r\n"
        ).encode()
    )


def test_csv_keeps_a_single_empty_cell_a_row() -> None:
    assert written("csv", columns("a"), [[None], [""]]) == b'\xef\xbb\xbfa\r\n""\r\n""\r\n'


def test_csv_gives_the_file_back_open_also_after_an_error() -> None:
    file = io.BytesIO()
    with pytest.raises(ValueError, match="row 2 has 1 cells for 2 columns"):
        write_table(file, "csv", columns("a", "b"), [["1", "2"], ["3"]])
    assert file.getvalue().endswith(b"1,2\r\n")


def test_decimals_are_written_out() -> None:
    assert b"0.00000012" in written("csv", columns("a"), [[Decimal("1.2E-7")]])


def test_jsonl_is_exact_and_typed() -> None:
    cells: list[Cell] = ["=é\u2028\n", 2**70, 0.1, Decimal("1.10"), False, None, date(2020, 1, 2), MOMENT, float("nan")]
    line = written("jsonl", columns(*"abcdefghi"), [cells])
    assert line.count(b"\n") == 1
    assert b'"d":1.10,' in line
    assert json.loads(line) == {
        "a": "=é\u2028\n",
        "b": 2**70,
        "c": 0.1,
        "d": 1.1,
        "e": False,
        "f": None,
        "g": "2020-01-02",
        "h": "2024-02-29T12:30:01.000005",
        "i": None,
    }


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('{"a": [1, "é"]}', {"a": [1, "é"]}),
        ("[\n1,\r\n2]", [1, 2]),
        ("7", 7),
        (None, None),
        ("no json", "no json"),
        ("NaN", "NaN"),
        ("", ""),
        (3, 3),
    ],
)
def test_a_json_column_is_a_value_in_jsonl_and_text_elsewhere(cell: Cell, value: object) -> None:
    line = written("jsonl", columns(j="json"), [[cell]])
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"j": value}
    table = pq.read_table(io.BytesIO(written("parquet", columns(j="json"), [[cell]])))
    assert table["j"].to_pylist() == [None if cell is None else str(cell)]


def test_parquet_has_the_declared_types() -> None:
    wanted = columns("t", i="integer", n="number", b="boolean", d="date", m="datetime", a="auto")
    rows: list[list[Cell]] = [
        ["x", 1, 0.5, True, date(2020, 1, 2), MOMENT, 1.0],
        [None] * 7,
        ["y", 2, 3, False, None, None, "x"],
    ]
    table = pq.read_table(io.BytesIO(written("parquet", wanted, rows)))
    kinds = [pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.timestamp("us"), pa.string()]
    assert table.schema.types == kinds
    assert table.column_names == ["t", "i", "n", "b", "d", "m", "a"]
    assert [list(row.values()) for row in table.to_pylist()] == [[*rows[0][:6], "1.0"], rows[1], rows[2]]


def test_parquet_without_rows_has_its_columns() -> None:
    assert pq.read_table(io.BytesIO(written("parquet", columns("a"), []))).schema.names == ["a"]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("integer", "x"),
        ("integer", 1.5),
        ("integer", 2**63),
        ("number", 2**53 + 1),
        ("number", True),
        ("boolean", 1),
        ("date", MOMENT),
        ("datetime", MOMENT.replace(tzinfo=UTC)),
    ],
)
def test_parquet_refuses_what_is_not_of_the_type_and_says_where(word: str, value: Cell) -> None:
    rows: list[list[Cell]] = [[None]] * 20_000 + [[value]]
    with pytest.raises(OutputError) as caught:
        write_table(io.BytesIO(), "parquet", [Column("c", word)], rows)
    assert caught.value.what == f"{str(value)!r} in column 'c' is no {word}"
    assert caught.value.where == "row 20,001"


def xlsx(tmp_path: Path, wanted: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Path:
    path = tmp_path / "t.xlsx"
    path.write_bytes(written("xlsx", wanted, rows))
    return path


def test_xlsx_cells_are_typed_and_text_is_never_a_formula(tmp_path: Path) -> None:
    row: list[Cell] = ["=1+1", "#N/A", "007", 7, 0.5, True, date(2020, 1, 2), Decimal("1.5"), None, "+x"]
    sheet = load_workbook(xlsx(tmp_path, columns("=a", *"bcdefghij"), [row])).active
    assert [(cell.data_type, cell.value) for cell in sheet[2]] == [
        ("s", "=1+1"),
        ("s", "#N/A"),
        ("s", "007"),
        ("n", 7),
        ("n", 0.5),
        ("b", True),
        ("d", MOMENT.replace(2020, 1, 2, 0, 0, 0, 0)),
        ("n", 1.5),
        ("n", None),
        ("s", "+x"),
    ]
    assert (sheet["A1"].data_type, sheet["A1"].value, sheet["A1"].font.bold) == ("s", "=a", True)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:J2")


def test_xlsx_widths_follow_the_content_within_bounds(tmp_path: Path) -> None:
    sheet = load_workbook(
        xlsx(tmp_path, columns("a", "b", "quite_long_name"), [["x", "y" * 500, "z"], ["x", "a\nb", ""]])
    ).active
    assert [sheet.column_dimensions[letter].width for letter in "ABC"] == [8, 60, 18]


def test_xlsx_changes_visibly_what_a_cell_cannot_hold(tmp_path: Path) -> None:
    row: list[Cell] = [
        "a\x00\x1b\x0bb\x7f\ufffe",
        "one\r\ntwo\rthree\nfour\tfive",
        10**15,
        123456789012345,
        float("nan"),
        date(1900, 2, 1),
        MOMENT.replace(tzinfo=UTC),
        Decimal("0.12345678901234567"),
    ]
    assert list(open_table(xlsx(tmp_path, columns(*"abcdefgh"), [row])).rows()) == [
        (
            2,
            (
                "a␀␛␋b\x7f\ufffd",
                "one\ntwo\nthree\nfour\tfive",
                "1000000000000000",
                123456789012345,
                "nan",
                "1900-02-01",
                "2024-02-29 12:30:01.000005+00:00",
                "0.12345678901234567",
            ),
        )
    ]


def test_xlsx_cuts_at_excels_limit_with_a_mark_and_between_characters(tmp_path: Path) -> None:
    just, over, pairs = "x" * 32_767, "x" * 32_768, "x" + "😴" * 20_000
    rows = [row[0] for _, row in open_table(xlsx(tmp_path, columns("a"), [[just], [over], [pairs]])).rows()]
    assert rows[0] == just
    assert rows[1] == "x" * (32_767 - len(write_xlsx.CUT)) + write_xlsx.CUT
    assert isinstance(rows[2], str)
    assert rows[2].endswith("😴" + write_xlsx.CUT)
    assert len(rows[2].encode("utf-16-le")) // 2 in {32_766, 32_767}


def test_xlsx_refuses_more_rows_than_a_sheet_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the limit lowered: a million rows take openpyxl a minute."""
    assert write_xlsx.MAX_ROWS == 2**20 - 1
    monkeypatch.setattr(write_xlsx, "MAX_ROWS", 300)
    assert write_table(io.BytesIO(), "xlsx", columns("a"), [["x"]] * 300) == 300
    with pytest.raises(OutputError, match="more than 300 rows"):
        write_table(io.BytesIO(), "xlsx", columns("a"), [["x"]] * 301)


def test_xlsx_refuses_more_columns_than_a_sheet_holds() -> None:
    with pytest.raises(OutputError, match="16,385 columns"):
        write_table(io.BytesIO(), "xlsx", columns(*map(str, range(16_385))), [])


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "xlsx"])
def test_rows_of_another_width_are_refused(format: str) -> None:  # noqa: A002
    with pytest.raises(ValueError, match=r"shorter|cells"):
        write_table(io.BytesIO(), format, columns("a", "b"), [["1", "2"], ["3"]])


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_rows_are_written_as_they_come(format: str) -> None:  # noqa: A002
    """When the 100,000th row is asked for, most of the ones before are in the file already."""
    file = io.BytesIO()
    sizes = []

    def rows() -> Iterator[tuple[str]]:
        for i in range(100_000):
            yield (f"{i * 2654435761 % 2**32:x}" * 5,)
        sizes.append(file.tell())

    write_table(file, format, columns("a"), rows())
    assert sizes[0] > 0.7 * len(file.getvalue())


def test_unknown_formats_and_columns_of_one_name() -> None:
    with pytest.raises(ValueError, match="csv, jsonl, parquet, xlsx"):
        write_table(io.BytesIO(), "ods", columns("a"), [])
    with pytest.raises(ValueError, match="two columns of one name: a"):
        write_table(io.BytesIO(), "csv", columns("a", "b", "a"), [])


def test_original_columns_give_way_to_ours() -> None:
    ours = columns("record_id", "outcome", orig_outcome="text")
    back = results_columns(["id", "outcome", "record_id", "orig_record_id", Column("n", "integer")], ours)
    assert [(column.name, column.type) for column in back] == [
        ("id", "auto"),
        ("orig_orig_outcome", "auto"),
        ("orig_orig_record_id", "auto"),
        ("orig_record_id", "auto"),
        ("n", "integer"),
    ]


def test_python_reads_the_csv_back() -> None:
    rows = [["a\r\nb", ' "x" ', "\u2028", "…"]]
    text = written("csv", columns(*"abcd"), rows).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline="")))[1:] == rows


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_full_disk_is_the_systems_error_which_replacing_explains(format: str) -> None:  # noqa: A002
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb") as file:
        write_table(file, format, columns("a"), [["x" * 1000]] * 5000)
