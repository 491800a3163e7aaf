"""The readers and writers on real abstracts and a real export."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from overnight.core.record import Record
from overnight.records import RecordSet, RecordsFile, describe, open_table, read_records, write_table

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(
        "OVERNIGHT_DATA" not in os.environ, reason="OVERNIGHT_DATA does not name the folder of real data"
    ),
]


def folder() -> Path:
    return Path(os.environ["OVERNIGHT_DATA"])


def pubmedqa(ending: str) -> RecordSet:
    return read_records([RecordsFile(folder() / f"pubmedqa_1000.{ending}")], id="id", text=["title", "conclusion"])


def test_pubmedqa_is_the_same_from_csv_and_jsonl() -> None:
    csv, jsonl = pubmedqa("csv"), pubmedqa("jsonl")
    assert csv.check() == jsonl.check() == 1000
    assert csv.notes == jsonl.notes == ()

    def shared(records: RecordSet) -> Iterator[tuple[object, ...]]:
        names = ("title", "conclusion", "year", "label")  # no year: null in one, an empty cell in the other
        return ((record.record_id, *(record.values[name] or "" for name in names)) for record in records)

    assert list(shared(csv)) == list(shared(jsonl))
    for one, other in zip(csv, jsonl, strict=True):
        sections = json.loads(str(other.values["sections"]))
        assert one.values["abstract"] == "\n".join(f"{s['label']}: {s['text']}" for s in sections)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "xlsx"])
def test_pubmedqa_comes_back_from_every_format(tmp_path: Path, ending: str, format: str) -> None:  # noqa: A002
    records = pubmedqa(ending)
    path = tmp_path / f"t.{format}"
    with path.open("wb") as file:
        rows = (tuple(record.values.values()) for record in records)
        assert write_table(file, format, records.typed_columns, rows) == 1000
    back = read_records([RecordsFile(path)], id="id", text=["title"])
    assert back.columns == records.columns
    assert back.check() == 1000

    def texts(record: Record) -> list[str]:
        return ["" if cell is None else str(cell) for cell in record.values.values()]

    assert [texts(record) for record in back] == [texts(record) for record in records]


def test_a_scopus_export_as_it_comes() -> None:
    said = describe(folder() / "exports" / "scopus.csv")
    assert (said.encoding, said.n_records, said.id_column, said.text_columns) == (
        "utf-8-sig",
        10,
        "EID",
        ("Title", "Abstract"),
    )
    records = read_records([RecordsFile(said.path)], id=said.id_column, text=said.text_columns)
    assert records.check() == 10
    assert all(len(str(record.values["Abstract"])) > 200 for record in records)


def test_a_zotero_export_as_it_comes() -> None:
    table = open_table(folder() / "exports" / "zotero_pubmed.ris")
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    assert (table.format, len(rows), table.notes) == ("ris", 6, ())
    assert all(len(str(row["abstract"])) > 200 and row["title"] and row["doi"] for row in rows)
    assert {row["year"] for row in rows} == {"2019"}


def test_a_pubmed_export_as_it_comes() -> None:
    table = open_table(folder() / "exports" / "pubmed.nbib")
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    assert (table.format, table.notes, len(rows)) == ("medline", (), 5)
    assert all(len(str(row["abstract"])) > 200 for row in rows)
    assert [row["pmid"] for row in rows] == ["16403221", "16377612", "14871861", "14630660", "23039619"]


def test_a_pubmed_xml_as_it_comes() -> None:
    table = open_table(folder() / "exports" / "pubmed_efetch.xml")
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    assert (table.format, table.notes, len(rows)) == ("pubmed_xml", (), 5)
    assert [row["pmid"] for row in rows] == ["12091962", "9997", "11748933", "11700088", "27797938"]
    abstracts = [str(row["abstract"] or "") for row in rows]
    assert [bool(text) for text in abstracts] == [False, True, True, True, True]
    assert [line.partition(":")[0] for line in abstracts[4].split("\n")] == [
        "OBJECTIVE",
        "DESIGN",
        "RESULTS",
        "CONCLUSIONS",
    ]
    assert "(TERT)" in abstracts[4]


def test_auto_ids_of_real_abstracts_are_all_different() -> None:
    records = read_records([RecordsFile(folder() / "pubmedqa_1000.csv")], id="auto", text=["title", "abstract"])
    ids = [record.record_id for record in records]
    assert len(set(ids)) == 1000
    assert all(len(name) == 17 for name in ids)
