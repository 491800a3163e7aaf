"""`overnight records` shows what is in files without a study, refuses what it cannot read whole, and converts."""

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import overnight
from overnight.cli.main import main
from overnight.records import open_table

RIS = (
    "TY  - JOUR\r\nTI  - Planned naps on the night shift of a fictional ward\r\nAU  - Aster, Ann\r\nPY  - 2021\r\n"
    "DO  - 10.5555/nap.1\r\nLA  - eng\r\nAB  - Forty people slept. All of them were tired, and a nap of half an hour"
    " at three kept them awake until the morning.\r\nZZ  - mine\r\nER  - \r\n"
    "TY  - BOOK\r\nTI  - Sleep\r\nPY  - 1999\r\nER  - \r\n"
)
CSV = (
    "Title,Abstract,Authors,Year,DOI,EID\r\n"
    "Planned naps on the night shift of a fictional ward,[No abstract available],Aster A.,2021,10.5555/NAP.1,e1\r\n"
    "Coffee at work and what a fictional ward made of it,Short.,Bell B.,2019,,e2\r\n"
)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "zotero.ris").write_text(RIS, "utf-8", newline="")
    (tmp_path / "scopus.csv").write_text(CSV, "utf-8", newline="")
    return [str(tmp_path / "zotero.ris"), str(tmp_path / "scopus.csv")]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main(["records", "--json", *arguments]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_each_file_is_counted_and_what_they_share_is_named(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["records", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{files[0]}: RIS, UTF-8, 2 records, 1 with an abstract"
    assert "  identifiers  1 with a DOI, 1 with none" in lines
    assert "  abstracts    2 missing" not in lines
    assert "  years        1999 to 2021" in lines
    assert "  types        JOUR 1, BOOK 1" in lines
    assert f"{files[1]}: CSV, UTF-8, separator comma, 2 records, 1 with an abstract" in lines
    assert "  abstracts    1 missing, 1 shorter than 100 characters" in lines
    assert "In all: 2 tables, 4 records, 2 with an abstract" in lines
    assert "Duplicates: 1 across files; a study that screens sends one of each" in lines
    assert lines[-1] == f"Next: overnight init my-study --from {files[0]} {files[1]}"


def test_columns_that_nothing_stands_in_are_counted_not_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("Title,Editors,CODEN\nNaps,,\n")
    assert main(["records", str(tmp_path / "a.csv")]) == 0
    assert "  columns      Title 1, 2 empty" in capsys.readouterr().out.splitlines()


def test_json_has_one_object_a_file(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, *files)
    keys = ("path", "format", "records", "with_abstract", "notes")
    assert [[one[key] for key in keys] for one in said["files"]] == [
        [files[0], "ris", 2, 1, []],
        [files[1], "csv", 2, 1, []],
    ]
    assert said["files"][1]["columns"] == {"Title": 2, "Abstract": 2, "Authors": 2, "Year": 2, "DOI": 1, "EID": 2}
    assert said["files"][0]["identifiers"] == {"pmid": 0, "doi": 1, "key": 0, "none": 1}
    assert (said["records"], said["duplicates"]) == (4, {"within": 0, "across": 1, "likely": 0})
    assert said["refused"] == []


def test_a_name_that_lies_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "export.csv").write_text(RIS, "utf-8", newline="")
    assert "named like CSV" in shown(capsys, str(tmp_path / "export.csv"))["files"][0]["notes"][0]


def test_a_file_that_cannot_be_read_whole_is_refused_and_the_others_are_shown(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("Title,DOI\nA title that is of some length and is there twice,10.5555/nap.1\nonly one cell\n")
    assert main(["records", str(bad), *files, "--to", str(tmp_path / "all.csv")]) == 4
    said = capsys.readouterr()
    assert f"{bad}:3: 1 column where the header has 2" in said.err
    assert "all.csv was not written" in said.err
    assert not (tmp_path / "all.csv").exists()
    assert "RIS, UTF-8, 2 records" in said.out
    assert "1 across files" in said.out  # rows of the refused file are nobody's duplicates, and move no other's place
    found = shown(capsys, str(bad), *files, code=4)
    assert [one["path"] for one in found["files"]] == files
    assert [one["path"] for one in found["refused"]] == [str(bad)]


def test_the_reasons_of_a_refusal_are_listed_and_the_first_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n" + "1\n" * 22)
    (refused,) = shown(capsys, str(bad), code=4)["refused"]
    assert refused["reason"] == f"{bad}:2: 1 column where the header has 2; the row begins '1'; and 21 more"
    assert len(refused["reasons"]) == 21
    assert refused["reasons"][0].startswith(f"{bad}:2: 1 column where the header has 2; the row begins '1'")
    assert refused["reasons"][-1] == "and 2 more"
    (tmp_path / "one.csv").write_text("a,b\n1\n")
    (refused,) = shown(capsys, str(tmp_path / "one.csv"), code=4)["refused"]
    assert refused["reason"] == f"{tmp_path / 'one.csv'}:2: 1 column where the header has 2; the row begins '1'"
    assert len(refused["reasons"]) == 1


def test_all_that_is_wrong_in_all_files_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1\n2\n")
    assert main(["records", str(tmp_path / "a.csv"), str(tmp_path / "gone.ris")]) == 4
    said = capsys.readouterr().err
    assert "3 things to mend" in said
    assert "there is no such file" in said


def test_packed_files_are_looked_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "z.ris.gz").write_bytes(gzip.compress(RIS.encode()))
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.writestr("a.ris", RIS)
        archive.writestr("b.csv", CSV)
    said = shown(capsys, str(tmp_path / "z.ris.gz"), str(tmp_path / "both.zip"))
    assert [(one["format"], one["member"], one["records"]) for one in said["files"]] == [
        ("ris", "", 2),
        ("ris", "a.ris", 2),
        ("csv", "b.csv", 2),
    ]
    assert said["duplicates"] == {"within": 0, "across": 2, "likely": 0}  # a member is a file of its own


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_files_are_converted_with_every_record_and_every_column(
    ending: str, files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"all.{ending}"
    assert main(["records", *files, "--to", str(target)]) == 0
    assert f"{target}: 4 records written" in capsys.readouterr().out
    table = open_table(target)
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    assert "Title" not in table.columns  # beside a bibliography it is read as `title`
    assert [str(row["title"])[:12] for row in rows] == ["Planned naps", "Sleep", "Planned naps", "Coffee at wo"]
    assert [row["EID"] or "" for row in rows] == ["", "", "e1", "e2"]
    assert "mine" in str(rows[0]["other"])


@pytest.mark.parametrize("ending", ["ris", "bib"])
def test_a_reference_file_is_made_of_any_files(ending: str, files: list[str], tmp_path: Path) -> None:
    target = tmp_path / f"all.{ending}"
    assert main(["records", *files, "--to", str(target)]) == 0
    text = target.read_bytes().decode()
    table = open_table(target)
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    assert [str(row["title"])[:12] for row in rows] == ["Planned naps", "Sleep", "Planned naps", "Coffee at wo"]
    assert "overnight" not in text  # nothing was decided on them
    if ending == "ris":
        assert text.startswith(
            RIS.replace("ER  - \r\nTY", "ER  - \r\n\r\nTY")
        )  # a record that came as RIS goes as it is, unknown tags too


def test_references_need_titles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "reviews.csv").write_text("review,stars\nx,5\n")
    assert main(["records", str(tmp_path / "reviews.csv"), "--to", str(tmp_path / "x.ris")]) == 2
    assert "no column of the records is known to hold titles" in capsys.readouterr().err
    assert not (tmp_path / "x.ris").exists()


def test_nothing_is_written_over_but_when_asked(files: list[str], tmp_path: Path) -> None:
    target = tmp_path / "all.csv"
    target.write_text("mine")
    assert main(["records", *files, "--to", str(target)]) == 2
    assert target.read_text() == "mine"
    assert main(["records", *files, "--to", files[1], "--force"]) == 2
    assert Path(files[1]).read_text("utf-8").startswith("Title,")
    assert main(["records", *files, "--to", str(target), "--force"]) == 0
    assert open_table(target).columns[0] == "title"


def test_a_study_is_begun_from_files_of_several_formats(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "naps"), "--from", *files]) == 0
    page = (tmp_path / "naps" / "study.yaml").read_text("utf-8")
    assert "  id: auto " in page
    assert "  text: [title, abstract] " in page
    assert "../zotero.ris" in page
    assert "EID" in page  # not shown to the model, and named
    assert "Title" not in page
    assert "screen:" in page
    assert "1 with a DOI" in capsys.readouterr().out
    study = tmp_path / "naps" / "study.yaml"
    study.write_text(page.replace("WRITE HERE: ", ""), "utf-8")
    assert main(["check", str(study)]) == 0
    assert "4 records" in capsys.readouterr().out


def test_python_gets_the_same(files: list[str]) -> None:
    looked = overnight.look_at([Path(file) for file in files])
    assert [one.survey.n_with_abstract for one in looked.tables] == [1, 1]
    assert (looked.n_records, looked.across, looked.error) == (4, 1, None)
