"""CSV in: encodings, separators, quotes, and every way a file can be wrong, each with its line."""

from pathlib import Path

import pytest

from overnight.errors import RecordsError
from overnight.records import open_table
from overnight.records.table import Row


def table(folder: Path, content: bytes | str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(path: Path) -> list[tuple[int, Row]]:
    return list(open_table(path).rows())


def refusal(path: Path) -> str:
    with pytest.raises(RecordsError) as caught:
        rows(path)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_unicode_encoding_gives_the_same_rows(tmp_path: Path, encoding: str) -> None:
    text = "id,title\n1,Schlaf für Wächter — 夜勤 😴\n"
    mark = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}.get(encoding, "")
    opened = open_table(table(tmp_path, (mark + text).encode(encoding)))
    assert opened.columns == ("id", "title")
    assert list(opened.rows()) == [(2, ("1", "Schlaf für Wächter — 夜勤 😴"))]
    assert opened.notes == ()


def test_windows_1252_is_read_with_a_warning_that_names_the_line(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, "id,title\n1,plain\n2,Wächter “quoted” – €5\n".encode("cp1252")))
    assert [row[1] for _, row in opened.rows()] == ["plain", "Wächter “quoted” – €5"]
    (note,) = opened.notes
    assert (note.level, note.line) == ("warning", 3)
    assert "0xE4, offset 20" in note.what


def test_a_byte_that_no_encoding_has_is_refused_with_line_and_offset(tmp_path: Path) -> None:
    said = refusal(table(tmp_path, b"id,title\n1,caf\xe9\n2,x\x81y\n"))
    assert "t.csv:3: byte 0x81 at offset 19 is neither UTF-8 nor Windows-1252" in said


def test_one_bad_byte_in_a_file_of_utf8_is_not_read_as_windows_1252(tmp_path: Path) -> None:
    """It would turn every é of the file into Ã©."""
    content = "id,title\n1,café\n2,thé\n3,x".encode() + b"\xe9\n"
    said = refusal(table(tmp_path, content))
    assert "t.csv:4: byte 0xE9 at offset 27 is not UTF-8, though the 2 others outside ASCII are" in said


@pytest.mark.parametrize("control", [b"\x01", b"\x08", b"\x0e", b"\x19", b"\x1b", b"\x1f", b"\x7f"])
def test_what_is_not_utf8_and_has_a_control_character_is_no_text(tmp_path: Path, control: bytes) -> None:
    """Such as a compressed file whose first bytes are damaged."""
    said = refusal(table(tmp_path, b"id,title\n1,caf\xe9\n2,x" + control + b"y\n"))
    assert f"t.csv:3: byte 0x{control[0]:02X} at offset 19 is a control character" in said


def test_tabs_pages_and_the_end_of_a_file_of_dos_are_no_control_characters(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, b"id,title\r\n1,caf\xe9\t\x0b\x0c\x1a\r\n"))
    assert list(opened.rows()) == [(2, ("1", "café\t\x0b\x0c\x1a"))]


def test_damage_after_a_byte_order_mark_is_refused(tmp_path: Path) -> None:
    assert "is not UTF-8, which the file's first bytes say" in refusal(table(tmp_path, b"\xef\xbb\xbfid,t\n1,\xff\n"))
    assert "is not UTF-16" in refusal(table(tmp_path, "id,t\n1,x\n".encode("utf-16") + b"\x00"))
    half_pair = "id,t\n1,x".encode("utf-16") + "\ud800".encode("utf-16-le", "surrogatepass") + "\n".encode("utf-16-le")
    assert "t.csv:2: byte" in refusal(table(tmp_path, half_pair))


def test_a_bad_byte_beyond_the_first_megabyte_is_placed_right(tmp_path: Path) -> None:
    head = b"id,t\n" + b"".join(b"%06d,%s\n" % (i, b"x" * 92) for i in range(20_000))
    said = refusal(table(tmp_path, head + b"last,\x81\n"))
    assert f"t.csv:20002: byte 0x81 at offset {len(head) + 5:,} " in said


LETTER = """\
Dear Dr. Smith,

Thank you for your letter, which came yesterday.
We are pleased to tell you that the trial of naps
is over, and that its results will come soon.

Yours sincerely,
Jane
"""


def test_a_letter_is_said_to_be_no_table(tmp_path: Path) -> None:
    said = refusal(table(tmp_path, LETTER, "letter.txt"))
    assert "letter.txt:1: this is no table, but reads like a letter or a note: 'Dear Dr. Smith'" in said
    assert "pandas" not in said


@pytest.mark.parametrize(
    "content",
    [
        ",title,What was asked of you\n0,a,b\n1,a\n",
        "What was asked of you,\n1,a\n2,b\n",
        "question,\n1,a\n2\n",
    ],
    ids=["a known name", "rows of one width", "a name of one word"],
)
def test_a_table_with_a_column_without_a_name_is_still_one(tmp_path: Path, content: str) -> None:
    assert "has no name" in refusal(table(tmp_path, content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_nul_is_refused_with_its_line(tmp_path: Path, encoding: str) -> None:
    assert "t.csv:2: a NUL character" in refusal(table(tmp_path, "id,t\n1,a\0b\n".encode(encoding)))


def test_utf16_without_a_mark_is_refused_with_a_hint(tmp_path: Path) -> None:
    assert "UTF-16 without a byte-order mark" in refusal(table(tmp_path, "id,t\n1,x\n".encode("utf-16-le")))


@pytest.mark.parametrize(("separator", "kind"), [(",", "csv"), (";", "csv"), ("\t", "tsv")])
def test_separators_are_found_by_trying(tmp_path: Path, separator: str, kind: str) -> None:
    others = {",", ";", "\t"} - {separator}
    cell = "a" + "b".join(sorted(others)) + "c"
    lines = [["id", "title", "score"], ["1", cell, "2"], ["2", f'"x{separator}y"', "3"]]
    opened = open_table(table(tmp_path, "\n".join(separator.join(line) for line in lines)))
    assert (opened.format, opened.separator) == (kind, separator)
    assert [row for _, row in opened.rows()] == [("1", cell, "2"), ("2", f"x{separator}y", "3")]


def test_a_semicolon_table_with_decimal_commas(tmp_path: Path) -> None:
    assert rows(table(tmp_path, "id;w\n1;0,5\n2;1,5\n")) == [(2, ("1", "0,5")), (3, ("2", "1,5"))]


def test_excels_own_separator_line(tmp_path: Path) -> None:
    assert rows(table(tmp_path, "sep=;\r\nid;t\r\n1;x,y\r\n")) == [(3, ("1", "x,y"))]


def test_one_column_needs_no_separator(tmp_path: Path) -> None:
    assert rows(table(tmp_path, "text\none\ntwo\n")) == [(2, ("one",)), (3, ("two",))]


def test_quoted_line_breaks_and_the_line_a_row_begins_on(tmp_path: Path) -> None:
    path = table(tmp_path, 'id,t\r\n1,"a\r\nb\nc ""d"""\r\n\r\n2,x\r\n')
    assert rows(path) == [(2, ("1", 'a\r\nb\nc "d"')), (6, ("2", "x"))]


def test_no_line_break_at_the_end_and_unicode_line_separators_inside(tmp_path: Path) -> None:
    assert rows(table(tmp_path, "id,t\n1,a\u2028b\x85c\x0bd")) == [(2, ("1", "a\u2028b\x85c\x0bd"))]


def test_rows_can_be_read_again(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, "id,t\n1,x\n"))
    assert list(opened.rows()) == list(opened.rows()) == [(2, ("1", "x"))]


def test_ten_megabytes_in_one_cell(tmp_path: Path) -> None:
    big = "x" * 10_000_000
    assert rows(table(tmp_path, f"id,t\n1,{big}\n")) == [(2, ("1", big))]


def test_a_ragged_row_is_refused_with_line_and_counts(tmp_path: Path) -> None:
    said = refusal(table(tmp_path, "id,title,year\n1,a,2020\n2,b\n"))
    assert "t.csv:3: 2 columns where the header has 3; the row begins '2'" in said
    assert "double quotes" in said
    assert "t.csv:2: 4 columns" in refusal(table(tmp_path, "id,title,year\n1,a,b,2020\n"))


def test_a_quote_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    said = refusal(table(tmp_path, 'id,t\n1,x\n2,"never closed\n3,y\n4,z\n'))
    assert "t.csv:3: a cell is opened with a double quote that is never closed" in said


def test_text_after_a_closing_quote(tmp_path: Path) -> None:
    assert "t.csv:2: text follows the closing double quote" in refusal(table(tmp_path, 'id,t\n1,"a" b\n'))


def test_names_that_are_empty_or_there_twice_are_all_named(tmp_path: Path) -> None:
    said = refusal(table(tmp_path, "id,,title,id,\n1,2,3,4,5\n"))
    assert "3 things to mend" in said
    assert "t.csv:1: column 2 of 5 has no name" in said
    assert "column 5 of 5 has no name" in said
    assert "2 columns are named 'id': numbers 1, 4" in said


def test_white_space_around_names_goes_with_a_note(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, "id, title\n1,x\n"))
    assert opened.columns == ("id", "title")
    assert "' title'" in opened.notes[0].what


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n\n", b"id,title\n", b"id,title", b"id,title\n\n\n"])
def test_empty_tables(tmp_path: Path, content: bytes) -> None:
    assert "an empty table" in refusal(table(tmp_path, content))


def test_missing_files_folders_and_no_right_to_read(tmp_path: Path) -> None:
    table(tmp_path, "id\n1\n", "other.csv")
    said = refusal(tmp_path / "t.csv")
    assert "there is no such file" in said
    assert "other.csv" in said
    assert "Nor is there a folder" in refusal(tmp_path / "no" / "t.csv")
    assert "a folder, not a file" in refusal(tmp_path)
    assert "cannot be read" in refusal(tmp_path / "a\0b.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel file"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "a PDF"),
        (b"<html><table>", "XML or HTML"),
        (b"PK\x03\x04 no archive", "damaged zip archive"),
        (b"PAR1 no parquet", "not a Parquet file"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(table(tmp_path, content))


def test_a_name_that_lies_is_noted_and_the_content_read(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, "id,t\n1,x\n", "t.jsonl.xlsx"))
    assert opened.format == "csv"
    assert "named like XLSX, but its content is CSV" in opened.notes[0].what
    assert open_table(table(tmp_path, '{"id": 1}\n', "t.csv")).format == "jsonl"
    assert open_table(table(tmp_path, "{id},t\n1,x\n", "t.csv")).format == "csv"
    assert open_table(table(tmp_path, "id,t\n1,x\n", "t.txt")).notes == ()


def test_a_header_that_comes_again_is_no_record(tmp_path: Path) -> None:
    said = refusal(table(tmp_path, "id,title\n1,A\nid,title\n2,B\n"))
    assert "t.csv:3: the header comes again" in said
    assert rows(table(tmp_path, "title\nA\ntitle\n")) == [(2, ("A",)), (3, ("title",))]
