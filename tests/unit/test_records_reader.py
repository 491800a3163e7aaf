"""Files of a study as one set of records: columns, ids, and all findings at once."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from overnight.core.record import Cell
from overnight.errors import RecordsError
from overnight.records import RecordSet, RecordsFile, read_records
from overnight.records.ids import AutoIds, id_text, text_id


def files(folder: Path, **contents: str) -> list[RecordsFile]:
    made = []
    for name, content in contents.items():
        path = folder / name.replace("_", ".")
        path.write_text(content, encoding="utf-8")
        made.append(RecordsFile(path))
    return made


def read(folder: Path, id_: str = "id", text: tuple[str, ...] = ("t",), **contents: str) -> RecordSet:
    return read_records(files(folder, **contents), id=id_, text=text)


def test_records_have_text_ids_positions_all_columns_and_their_place(tmp_path: Path) -> None:
    records = read(tmp_path, a_csv="id,t\n007,x\n", b_jsonl='{"id": 8, "t": "y", "n": 1.5}\n\n{"id": 1e5, "t": null}\n')
    assert records.columns == ("id", "t", "n")
    assert records.check() == 3
    assert [(r.record_id, r.position, dict(r.values), r.source) for r in records] == [
        ("007", 0, {"id": "007", "t": "x", "n": None}, "a.csv:2"),
        ("8", 1, {"id": 8, "t": "y", "n": 1.5}, "b.jsonl:1"),
        ("100000", 2, {"id": 1e5, "t": None, "n": None}, "b.jsonl:3"),
    ]
    assert list(records) == list(records)


def test_the_persons_name_for_a_source_and_folders_that_tell_two_files_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.csv").write_text(f"id,t\n{folder},x\n")
    given = [RecordsFile(tmp_path / "a" / "t.csv", "Scopus"), RecordsFile(tmp_path / "b" / "t.csv")]
    sources = [record.source for record in read_records(given, id="id", text=["t"])]
    assert sources == [f"Scopus, {tmp_path / 'a' / 't.csv'}:2", f"{tmp_path / 'b' / 't.csv'}:2"]
    records = read_records([RecordsFile(one.path) for one in given], id="id", text=["t"])
    records.check()
    assert [(one.name, one.records) for one in records.sources()] == [(str(one.path), 1) for one in given]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("007", "007"),
        (" x\n", "x"),
        (7, "7"),
        (7.0, "7"),
        (1e15, "1000000000000000"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        (Decimal("7.00"), "7"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.50"), "1.5"),
        (-0.0, "0"),
        (True, "true"),
        (date(2020, 1, 2), "2020-01-02"),
        (None, ""),
        ("  ", ""),
        (float("nan"), ""),
        (2**70, "1180591620717411303424"),
    ],
)
def test_an_id_is_text_as_a_person_writes_it(cell: Cell, text: str) -> None:
    assert id_text(cell) == text


def test_a_float_that_lost_digits_is_no_id(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="last digits are lost"):
        id_text(1.2345678901234567e17)
    with pytest.raises(RecordsError, match=r"a.jsonl:1.*last digits are lost"):
        read(tmp_path, a_jsonl='{"id": 12345678901234567.0, "t": "x"}').check()


def test_an_id_that_is_there_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    records = read(tmp_path, a_csv="id,t\n1,x\n2,y\n3,z\n", b_csv="t,id\nu,4\nv, 2\nw,2\n")
    with pytest.raises(RecordsError) as caught:
        records.check()
    said = str(caught.value)
    assert "2 things to mend" in said
    assert "the id '2' is there twice: at a.csv:3 and at b.csv:3" in said
    assert "the id '2' is there twice: at a.csv:3 and at b.csv:4" in said
    assert f"{tmp_path / 'b.csv'}:4" in said


def test_blank_ids_and_bad_rows_come_all_at_once_and_no_more_than_twenty(tmp_path: Path) -> None:
    lines = "".join(f"{'' if i % 2 else i},x\n" for i in range(60))
    with pytest.raises(RecordsError) as caught:
        read(tmp_path, a_csv="id,t\n1\n" + lines).check()
    findings = caught.value.findings
    assert "1 column where the header has 2" in findings[0].what
    assert findings[1].what == "no id: 'id' is blank"
    assert findings[1].line == 4
    assert len(findings) == 20
    assert caught.value.left_out == 11
    assert str(caught.value).endswith("and 11 more")


def test_iterating_stops_at_the_first_bad_row(tmp_path: Path) -> None:
    records = iter(read(tmp_path, a_csv="id,t\n1,x\n,y\n"))
    assert next(records).record_id == "1"
    with pytest.raises(RecordsError, match=r"a.csv:3: no id"):
        next(records)


def test_trimmed_ids_are_noted_after_the_check(tmp_path: Path) -> None:
    records = read(tmp_path, a_csv="id,t\n1,x\n 2,y\n3 ,z\n")
    assert records.notes == ()
    assert records.check() == 3
    assert [note.what for note in records.notes] == ["white space around 2 ids was removed, first at a.csv:3"]


def test_columns_that_are_not_there_are_named_for_every_file_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecordsError) as caught:
        read(
            tmp_path, id_="pmids", text=("Titles", "abstract"), a_csv="PMID,title,abstract\n1,2,3\n", b_csv="x,y\n1,2\n"
        )
    said = str(caught.value)
    assert "5 things to mend" in said
    assert "records.id: there is no column 'pmids'\n  → Did you mean PMID?" in said
    assert "records.text: there is no column 'Titles'\n  → Did you mean title?" in said
    assert "The columns are: x, y." in said


def test_what_is_wrong_with_several_files_comes_at_once(tmp_path: Path) -> None:
    given = [RecordsFile(tmp_path / "no.csv"), *files(tmp_path, a_csv="id,id\n1,2\n", b_csv="")]
    with pytest.raises(RecordsError) as caught:
        read_records(given, id="id", text=["t"])
    assert [finding.what.split(":")[0] for finding in caught.value.findings] == [
        "there is no such file",
        "2 columns are named 'id'",
        "an empty table",
    ]
    with pytest.raises(RecordsError, match="no files"):
        read_records([], id="id", text=["t"])


def test_a_file_that_vanishes_or_changes_between_two_readings(tmp_path: Path) -> None:
    records = read(tmp_path, a_csv="id,t\n1,x\n")
    (tmp_path / "a.csv").write_bytes(b"id,t\n1,\xff\n")
    with pytest.raises(RecordsError, match="changed while it was read"):
        list(records)
    (tmp_path / "a.csv").unlink()
    with pytest.raises(RecordsError, match="cannot be read"):
        list(records)


def test_types_of_columns_are_those_that_hold_every_value(tmp_path: Path) -> None:
    first = '{"id":1,"i":1,"n":1,"b":true,"j":[1],"m":1,"big":9007199254740993,"none":null}\n'
    second = '{"id":2,"i":2,"n":1.5,"b":null,"j":{"a":1},"m":"x"}\n'
    records = read(tmp_path, text=(), a_jsonl=first + second)
    assert {column.name: column.type for column in records.typed_columns} == {
        "id": "integer",
        "i": "integer",
        "n": "number",
        "b": "boolean",
        "j": "json",
        "m": "text",
        "big": "text",
        "none": "text",
    }
    both = read(tmp_path, text=(), a_jsonl=first, b_csv="id,i\n3,4\n")
    assert {c.name: c.type for c in both.typed_columns}["i"] == "text"


def test_auto_ids_name_the_text_and_count_equal_ones(tmp_path: Path) -> None:
    lines = "A,x\nB,y\nA,x\nA,x\n"
    records = read(tmp_path, id_="auto", text=("t", "u"), a_csv="t,u\n" + lines)
    assert records.check() == 4
    a, b, a2, a3 = (record.record_id for record in records)
    assert (a2, a3) == (f"{a}-2", f"{a}-3")
    assert a != b
    moved = read(tmp_path, id_="auto", text=("t", "u"), b_csv="u,t\n" + "new,new\ny,B\nx,A\n")
    assert [record.record_id for record in moved][1:] == [b, a]


def test_an_auto_id_is_this_one_for_ever() -> None:
    """sha256(sha256(b"Naps").digest() + sha256(b"").digest()).hexdigest()[:16]."""
    assert text_id(["Naps", None]) == "t7563bafbee77b62f"


def test_an_auto_id_survives_another_programs_line_breaks_and_not_a_moved_boundary() -> None:
    assert text_id(["a\r\nb "]) == text_id(["a\nb"]) == text_id([" a\rb"])
    assert text_id(["ab", "c"]) != text_id(["a", "bc"])
    assert text_id(["a", ""]) != text_id(["a"])
    ids = AutoIds()
    assert [ids(["x"])[17:] for _ in range(4)] == ["", "-2", "-3", "-4"]


def test_auto_ids_need_text_columns(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="needs text columns"):
        read(tmp_path, id_="auto", text=(), a_csv="t\nx\n")
