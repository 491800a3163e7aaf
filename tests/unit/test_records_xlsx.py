"""XLSX in: real workbooks, written by openpyxl or by hand, read as Excel shows them."""

import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import pytest
from openpyxl import Workbook

from overnight.errors import RecordsError
from overnight.records import RecordsFile, open_table, read_records


def workbook(folder: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    path = folder / "t.xlsx"
    book.save(path)
    return path


def by_hand(folder: Path, rows: str, dimension: str = "") -> Path:
    """A workbook whose sheet is the XML given: for what openpyxl does not write."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    pack = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{pack}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{pack}/relationships"><Relationship Id="r1" Type="{rel}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="S" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{pack}/relationships"><Relationship Id="r1" '
        f'Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}">{dimension}<sheetData>{rows}</sheetData></worksheet>',
    }
    path = folder / "hand.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def refusal(path: Path) -> str:
    with pytest.raises(RecordsError) as caught:
        list(open_table(path).rows())
    return str(caught.value)


def test_cells_have_the_types_excel_gives_them(tmp_path: Path) -> None:
    row = [
        "007",
        7,
        7.5,
        True,
        date(2020, 1, 2),
        datetime.fromisoformat("2020-01-02T03:04"),
        time(3, 4),
        None,
        " two\nlines ",
    ]
    opened = open_table(workbook(tmp_path, S=[["a", "b", "c", "d", "e", "f", "g", "h", 2020], row]))
    assert opened.columns == ("a", "b", "c", "d", "e", "f", "g", "h", "2020")
    assert list(opened.rows()) == [(2, ("007", 7, 7.5, True, *row[4:6], "03:04:00", None, " two\nlines "))]


def test_ids_typed_as_text_and_ids_that_are_numbers(tmp_path: Path) -> None:
    path = by_hand(
        tmp_path,
        f'<row r="1">{text_cell("A1", "id")}</row><row r="2">{text_cell("A2", "007")}</row>'
        '<row r="3"><c r="A3"><v>7.0</v></c></row><row r="4"><c r="A4"><v>1E5</v></c></row>',
    )
    records = read_records([RecordsFile(path)], id="id", text=[])
    assert [record.record_id for record in records] == ["007", "7", "100000"]
    assert [record.source for record in records] == ["hand.xlsx, row 2", "hand.xlsx, row 3", "hand.xlsx, row 4"]


def test_the_first_sheet_with_data_from_its_first_row_with_data(tmp_path: Path) -> None:
    opened = open_table(workbook(tmp_path, Empty=[], Data=[[], ["id", "t"], [], [1, "x"], [None], [2]], More=[["z"]]))
    assert list(opened.rows()) == [(4, (1, "x")), (6, (2, None))]
    (note,) = opened.notes
    assert "'Data'; not read: 'More'" in note.what


def test_a_size_that_lies_hides_nothing(tmp_path: Path) -> None:
    rows = f'<row r="1">{text_cell("A1", "id")}{text_cell("B1", "t")}</row><row r="2">{text_cell("B2", "x")}</row>'
    assert list(open_table(by_hand(tmp_path, rows, '<dimension ref="A1"/>')).rows()) == [(2, (None, "x"))]


def test_excels_escapes_are_read_and_halves_of_pairs_left_alone(tmp_path: Path) -> None:
    cell = text_cell("A2", "a_x000D_b _x005F_x0041_ _xD800_ _x1")
    path = by_hand(tmp_path, f'<row r="1">{text_cell("A1", "t")}</row><row r="2">{cell}</row>')
    assert list(open_table(path).rows()) == [(2, ("a\rb _x0041_ _xD800_ _x1",))]


def test_error_values_are_refused_with_their_cell(tmp_path: Path) -> None:
    assert "t.xlsx:3: cell B3 holds the error #N/A" in refusal(
        workbook(tmp_path, S=[["id", "t"], [1, "x"], [2, "#N/A"]])
    )


def test_formulas_give_their_stored_value_and_are_refused_without_one(tmp_path: Path) -> None:
    head = f'<row r="1">{text_cell("A1", "id")}</row>'
    computed = (
        '<row r="2"><c r="A2"><f>3+4</f><v>7</v></c></row><row r="3"><c r="A3" t="str"><f>""</f><v></v></c></row>'
    )
    assert [row for _, row in open_table(by_hand(tmp_path, head + computed)).rows()] == [(7,), (None,)]
    assert "t.xlsx:2: cell A2 holds a formula without its value" in refusal(workbook(tmp_path, S=[["id"], ["=3+4"]]))


def test_a_value_beyond_the_header_is_refused(tmp_path: Path) -> None:
    said = refusal(workbook(tmp_path, S=[["id", "t"], [1, "x"], [2, "y", None, "stray"]]))
    assert "t.xlsx:3: cell D3 holds 'stray' in a column without a name" in said


def test_a_header_with_a_hole(tmp_path: Path) -> None:
    assert "column 2 of 3 has no name" in refusal(workbook(tmp_path, S=[["id", None, "t"], [1, 2, 3]]))


def test_empty_workbooks(tmp_path: Path) -> None:
    assert "no sheet holds anything" in refusal(workbook(tmp_path, S=[], T=[[]]))
    assert "nothing below the header" in refusal(workbook(tmp_path, S=[["id", "t"], []]))


def test_a_damaged_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path, S=[["id"], [1]])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refusal(path)
    assert "not an XLSX file that can be read" in refusal(by_hand(tmp_path, '<row r="1"><c r="A1"'))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    assert "not an XLSX file that can be read" in refusal(path)


def test_another_zip_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", "id\n1\n")
    assert open_table(tmp_path / "t.zip").columns == ("id",)
