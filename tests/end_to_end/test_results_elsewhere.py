"""Results in the programs people use: LibreOffice shows every cell, rispy and our own reader find every decision."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
import rispy

from overnight.records import open_table
from tests.support.office import needs_office, opened_in_calc
from tests.support.studies import SmallStudy

STUDY = """\
study: elsewhere
records: {files: [zotero.ris, pubmed.nbib, table.csv], id: auto, text: [title, abstract]}
screen:
  question: Do planned naps help?
  include:
    - {id: night_shift, ask: The people studied work at night.}
  exclude:
    - {id: no_own_data, ask: Is a review., reason: "Wrong type\\nER  - "}
model: {name: gemini-3.8-flash, thinking: low}
"""
RIS = (
    "TY  - JOUR\r\nTI  - Naps on the night shift for nurses\r\nAU  - Müller, Ä.\r\n"
    "AB  - Nurses on the night shift napped.\r\n  They slept 20 minutes.\r\nDO  - 10.1/one\r\n"
    "XX  - an unknown tag\r\nKW  - screening:maybe\r\nN1  - my note\r\nER  - \r\n\r\n"
    "TY  - JOUR\r\nTI  - No abstract here\r\nDO  - 10.1/two\r\nER  - \r\n"
)
NBIB = """\
PMID- 12345678
TI  - Guards who work at night
AB  - Guards at night were studied. A nap was taken.
AU  - Smith J
JT  - Sleep
PHST- 2020/01/01 00:00 [entrez]
SO  - Sleep. 2020.
"""
HOSTILE = (
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", 'say "hi", "twice"', "one\ntwo", "Übergröße ß – „Maß“ ✨",
    "ER  - \nTY  - JOUR\nTI  - forged", "#N/A", " padded ", "_x000D_", "TRUE or not",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, run once."""
    home = tmp_path_factory.mktemp("elsewhere") / "naps"
    home.mkdir()
    (home / "zotero.ris").write_bytes(RIS.encode())
    (home / "pubmed.nbib").write_text(NBIB)
    with (home / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["title", "abstract", "code", "number"])
        for n, text in enumerate(HOSTILE):
            long = f"{text} In ward {n} drivers of the night shift napped."
            writer.writerow([f"Drivers {n}: {text}", long, text, f"00{n}" if n % 2 else "12345678901234567890"])
    (home / "study.yaml").write_text(STUDY)
    ended = SmallStudy(home).ended("run", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["records"] == 3 + len(HOSTILE)
    return home / "stand-in"


def rows(home: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pq.read_table(home / "results.parquet").to_pylist()
    return found


@needs_office
def test_libreoffice_shows_every_cell_of_the_workbook(home: Path, tmp_path: Path) -> None:
    shown = opened_in_calc(home / "results.xlsx", tmp_path)
    assert list(shown) == ["Costs", "Criteria", "Read me", "Records", "Samples", "Verdicts"]
    book = openpyxl.load_workbook(home / "results.xlsx")
    for sheet in book:
        assert shown[sheet.title] == [[_seen(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    records = [dict(zip(shown["Records"][0], row, strict=True)) for row in shown["Records"][1:]]
    assert [row["code"] for row in records[-len(HOSTILE) :]] == list(HOSTILE)
    assert {row["number"] for row in records[-len(HOSTILE) :]} >= {"001", "0011", "12345678901234567890"}
    assert shown["Read me"][1][0] == "LOCAL STAND-IN"
    said = {row[0]: row[1] for row in shown["Read me"]}
    assert said["one row a publication"].startswith("Filter Records for an empty duplicate_of")
    assert said["Records: decision"].endswith("of a duplicate, its survivor's")


@needs_office
def test_libreoffice_shows_the_csv_and_runs_nothing(home: Path, tmp_path: Path) -> None:
    (shown,) = opened_in_calc(home / "results.csv", tmp_path).values()
    with (home / "results.csv").open(newline="", encoding="utf-8-sig") as file:
        written = list(csv.reader(file))
    assert [len(row) for row in shown] == [len(row) for row in written]
    differ = {
        (shown[0][column], one, other)
        for a, b in zip(written, shown, strict=True)
        for column, (one, other) in enumerate(zip(a, b, strict=True))
        if one != other and one.lower() != other.lower()
    }
    assert {name for name, _, _ in differ} == {"number"}, "a CSV cannot say that 007 is text; the workbook can"


def _seen(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return "" if value is None else str(value).replace("_x005F_", "_")  # Excel's escape, which openpyxl leaves


def test_rispy_finds_every_record_with_its_decision(home: Path) -> None:
    found = rispy.loads((home / "ris" / "all.ris").read_text(encoding="utf-8"))
    decisions = [row["decision"] for row in rows(home)]
    assert [[k for k in one["keywords"] if k.startswith("screening:")][-1] for one in found] == [
        f"screening:{decision}" for decision in decisions
    ]
    assert all(any(note.startswith("overnight: LOCAL STAND-IN, not a model") for note in one["notes"]) for one in found)
    for name, n in Counter(decisions).items():
        assert len(rispy.loads((home / "ris" / f"{name}.ris").read_text(encoding="utf-8"))) == n


def test_our_reader_finds_the_same_records_again(home: Path) -> None:
    table = open_table(home / "ris" / "all.ris")
    back = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    for row, again in zip(rows(home), back, strict=True):
        assert " ".join(str(again["title"]).split()) == " ".join(str(row["title"]).split())
        assert " ".join(str(again["abstract"] or "").split()) == " ".join(str(row["abstract"] or "").split())
        assert (again["doi"], again["pmid"]) == (row["doi"], row["pmid"])
    assert '"XX":["an unknown tag"]' in str(back[0]["other"])
    assert "PHST: 2020/01/01 00:00 [entrez]" in str(back[2]["other"])


def test_a_record_of_ris_comes_back_character_for_character(home: Path) -> None:
    written = (home / "ris" / "all.ris").read_bytes().decode()
    lines = [line for line in written.split("\r\n") if not line.startswith(("KW  - screening:u", "KW  - screening:i"))]
    lines = [line for line in lines if not line.startswith(("KW  - reason:", "KW  - overnight:", "N1  - overnight:"))]
    assert "\r\n".join(lines).replace("KW  - screening:exclude\r\n", "").startswith(RIS.rstrip("\r\n"))


def test_results_run_again_add_nothing_twice(home: Path, tmp_path: Path) -> None:
    """all.ris as a study's input: what comes out has each of our lines once."""
    again = tmp_path / "again"
    again.mkdir()
    shutil.copy(home / "ris" / "all.ris", again / "all.ris")
    study = STUDY.replace("elsewhere", "again").replace("zotero.ris, pubmed.nbib, table.csv", "all.ris")
    (again / "study.yaml").write_text(study)
    ended = SmallStudy(again).ended("run", "--json")
    assert ended.code == 0, ended.err
    text = (again / "stand-in" / "ris" / "all.ris").read_text(encoding="utf-8")
    n = 3 + len(HOSTILE)
    assert (text.count("TY  - "), text.count("N1  - overnight: "), text.count("KW  - overnight:LOCAL")) == (n, n, n)
    person = sum(row["needs_person"] is True for row in rows(again / "stand-in"))
    assert text.count("KW  - overnight:needs-person") == person > 0
    assert text.count("KW  - screening:") == n + 1, "and the person's own screening:maybe"


def test_parquet_says_what_it_is_of(home: Path) -> None:
    about = {name.decode(): value.decode() for name, value in pq.read_schema(home / "results.parquet").metadata.items()}
    assert (about["study"], about["simulated"], about["model"]) == ("elsewhere", "true", "gemini-3.8-flash")
    assert set(about) == {"study", "realm", "model", "answered_by", "simulated", "made", "overnight"}


def test_the_sheets_agree_with_the_records(home: Path) -> None:
    book = openpyxl.load_workbook(home / "results.xlsx")
    tables = {
        sheet.title: [dict(zip(head, row, strict=True)) for row in body]
        for sheet in book
        for head, *body in [list(sheet.iter_rows(values_only=True))]
    }
    judged = {(row["record_id"], row["criterion"]): row["verdict"] for row in tables["Criteria"]}
    answered = [row for row in rows(home) if row["outcome"] == "answer"]
    assert judged == {
        (row["record_id"], name): row[f"c_{name}"] for row in answered for name in ("night_shift", "no_own_data")
    }
    assert [row["record_id"] for row in tables["Samples"]] == [row["record_id"] for row in answered]
    assert [row["decision"] for row in tables["Samples"]] == [row["decision"] for row in answered]
    lost = [row for row in tables["Verdicts"] if row["quote_found"] == "no"]
    said = {(row["record_id"], row["criterion"]): row["verdict"] for row in tables["Verdicts"]}
    assert judged == said | {(row["record_id"], row["criterion"]): "unclear" for row in lost}
    assert [row["kind"] for row in tables["Costs"]] == ["answer"]
