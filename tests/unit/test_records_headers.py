"""Where a table begins, what separates its cells, and counts by a second way: CSV, JSON Lines, XLSX, Parquet."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from overnight.errors import RecordsError
from overnight.records import open_table
from overnight.records.source import Source
from overnight.records.table import Row, Table
from overnight.records.tables.csv_rows import Rows
from overnight.records.tables.jsonl import _n_lines


def opened(folder: Path, content: str | bytes, name: str = "t.csv") -> Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_table(path)


def rows(table: Table) -> list[tuple[int, Row]]:
    return list(table.rows())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^", "~"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_lines_of_a_database_above_the_header_are_left_out_and_named(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    above = '"Search results exported on 2026-11-22"\r\n\r\n"Query: naps, ""night shift""\r\nand more"\r\n\r\n'
    table = opened(
        tmp_path, f"{above}Title|Abstract|Notes\r\nOne|First.|é\r\n".replace("|", separator).encode(encoding)
    )
    assert (table.columns, table.separator) == (("Title", "Abstract", "Notes"), separator)
    assert rows(table) == [(7, ("One", "First.", "é"))]
    note = table.notes[-1]
    assert (note.line, note.what) == (
        1, "lines 1 to 5 above the header not read: 'Search results exported on 2026-11-22'",
    )  # fmt: skip


def test_lines_padded_to_the_width_of_the_table_are_above_the_header_too(tmp_path: Path) -> None:
    table = opened(tmp_path, "Results,,\n12 hits,,\nPMID,Title,Abstract\n1,One,First.\n")
    assert rows(table) == [(4, ("1", "One", "First."))]
    assert [note.what for note in table.notes] == ["lines 1 to 2 above the header not read: 'Results,,'"]


def test_a_header_without_known_names_is_the_first_line_as_ever(tmp_path: Path) -> None:
    table = opened(tmp_path, "code,label\nTitle,Abstract\nAuthors,Year\n")
    assert (table.columns, table.notes) == (("code", "label"), ())
    assert rows(table) == [(2, ("Title", "Abstract")), (3, ("Authors", "Year"))]


def test_a_record_that_speaks_of_titles_is_no_header(tmp_path: Path) -> None:
    table = opened(tmp_path, "a,b,c\nTitle,Abstract,\n1,2,3\n")
    assert table.columns == ("a", "b", "c")


def test_a_header_below_twenty_lines_is_not_looked_for(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="where the header has 1"):
        rows(opened(tmp_path, "x\n" * 20 + "Title,Abstract\n1,2\n"))
    assert rows(opened(tmp_path, "x\n" * 19 + "Title,Abstract\n1,2\n")) == [(21, ("1", "2"))]


def test_a_ragged_row_below_such_lines_names_its_own_line(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"t.csv:5: 3 columns where the header has 2"):
        rows(opened(tmp_path, "Export\n\nTitle,Abstract\n1,2\n1,2,3\n"))


@pytest.mark.parametrize("sign", [":", "#", "|", "!", "\t"])
def test_excels_own_line_may_name_any_separator(tmp_path: Path, sign: str) -> None:
    assert rows(opened(tmp_path, f"sep={sign}\r\na{sign}b\r\n1{sign}x,y;z\r\n")) == [(3, ("1", "x,y;z"))]


def test_a_quote_inside_a_cell_is_a_quote(tmp_path: Path) -> None:
    """Counted by their number alone, quotes would make one row of these two."""
    assert rows(opened(tmp_path, 'id,title\n1,a 5" pipe\n2,"x ""y"""\n')) == [
        (2, ("1", 'a 5" pipe')),
        (3, ("2", 'x "y"')),
    ]


CELLS = st.lists(st.sampled_from(["a", '"', '""', ",", "\n", "\r\n", "\r", " ", "é"]), max_size=12).map("".join)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=5))
def test_both_ways_of_finding_where_a_row_ends_agree_after_every_row(table: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(table)
    lines = Rows(io.StringIO(written.getvalue(), newline=""), ",")
    assert [(row, lines.ended) for row in csv.reader(lines, strict=True)] == [(r, i) for i, r in enumerate(table, 1)]


@given(CELLS)
def test_they_agree_on_any_text_that_the_reader_takes(text: str) -> None:
    lines = Rows(io.StringIO(text, newline=""), ",")
    reader = csv.reader(lines, strict=True)
    try:
        assert all(lines.ended == number for number, _ in enumerate(reader, 1))
    except csv.Error:
        return


@given(st.text(st.sampled_from("a\n\r\u2028夜"), max_size=20), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_lines_are_counted_by_their_ends(text: str, codec: str) -> None:
    text = text.replace("夜", "x") if codec == "cp1252" else text
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode(codec, "replace"))
        file.flush()
        assert _n_lines(Source(Path(file.name)), codec) == len(io.StringIO(text, newline="\n").readlines())


class _Miscounting(Rows):
    """Takes the row on line 3 for two."""

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(super().__iter__(), 1):
            self.ended += number == 3
            yield line


def test_a_row_whose_end_is_found_in_two_places_is_an_error_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = opened(tmp_path, "a,b\n1,2\n3,4\n5,6\n")
    monkeypatch.setattr("overnight.records.tables.csv.Rows", _Miscounting)
    with pytest.raises(RecordsError, match=r"t.csv:3: this row cannot be read: .*two ways of finding it do not agree"):
        rows(table)


def test_lines_that_were_counted_and_not_read_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overnight.records.tables.jsonl._n_lines", lambda source, codec: 3)
    with pytest.raises(RecordsError, match="2 lines were read and 3 counted"):
        opened(tmp_path, '{"a": 1}\n{"a": 2}\n', "t.jsonl")


def test_rows_that_a_parquet_files_metadata_names_and_it_does_not_hold_are_an_error(tmp_path: Path) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": [str(i) for i in range(50)]}), file)
    content = file.getvalue()
    lying = next(altered for altered in _one_more_row(content) if _says_51_in_groups_of_50(altered))
    table = opened(tmp_path, lying, "t.parquet")
    with pytest.raises(RecordsError, match="50 rows could be read of the 51 that its metadata names"):
        rows(table)


def _one_more_row(content: bytes) -> Iterator[bytes]:
    """With each byte that may say 50 (zigzag: 100) changed to say 51."""
    for at in (i for i, byte in enumerate(content) if byte == 100):
        yield content[:at] + b"\x66" + content[at + 1 :]


def _says_51_in_groups_of_50(content: bytes) -> bool:
    try:
        metadata = pq.ParquetFile(io.BytesIO(content)).metadata
    except (pa.ArrowException, OSError):
        return False
    return bool(metadata.num_rows == 51 and metadata.row_group(0).num_rows == 50)


def workbook(*rows_: list[object]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows_:
        book.worksheets[0].append(row)
    book.save(file)
    return file.getvalue()


def test_rows_above_the_header_of_a_sheet_are_left_out_and_named(tmp_path: Path) -> None:
    content = workbook(["Export of 2026-11-22"], [], ["Hits", 12], ["PMID", "Title", "Abstract"], [7, "One", "First."])
    table = opened(tmp_path, content, "t.xlsx")
    assert table.columns == ("PMID", "Title", "Abstract")
    assert rows(table) == [(5, (7, "One", "First."))]
    assert [note.what for note in table.notes] == ["rows 1 to 3 above the header not read: 'Export of 2026-11-22'"]


@pytest.mark.parametrize("twin", [b'r="2"', b'r="1"'])
def test_a_row_of_a_sheet_that_stands_twice_or_out_of_order_is_refused(tmp_path: Path, twin: bytes) -> None:
    """openpyxl leaves it out without a word."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["id"], ["x"], ["y"]))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, part.replace(b'<row r="3"', b"<row " + twin) if "sheet1" in name else part)
    with pytest.raises(RecordsError, match=r"row \d stands after row 2 in 'xl/worksheets/sheet1.xml'"):
        opened(tmp_path, out.getvalue(), "t.xlsx")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("caf\u00e9 thé", "mac-roman"),
        ("Дневной сон", "cp1251"),
        ("Ύπνος και εργασία", "cp1253"),
        ("夜間勤務の仮眠", "euc-jp"),
    ],
)
def test_what_is_no_western_text_is_not_read_as_if_it_were(tmp_path: Path, text: str, encoding: str) -> None:
    with pytest.raises(RecordsError, match=r"t.csv:2: (not UTF-8, and as Windows-1252 it reads|.* nor Windows-1252)"):
        opened(tmp_path, f"id,title\n1,{text}\n".encode(encoding))


@pytest.mark.parametrize("text", ["ÄÖÜ, Čech und Žižek", "a ———————— b", "“ÉTÉ” – 50 °C ± 3 µg…”", "Škoda, Ÿ, 5‰ ÀÉÈ"])
def test_western_text_in_windows_1252_is_read(tmp_path: Path, text: str) -> None:
    text = text.replace("Č", "C")
    assert rows(opened(tmp_path, f"id;title\n1;{text}\n".encode("cp1252"))) == [(2, ("1", text))]
