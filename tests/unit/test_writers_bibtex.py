"""Results as BibTeX and as other tools' CSV: own entries but for what we add, made ones escaped, keys once."""

import csv
import io
import os
from pathlib import Path

import pytest

from overnight.core.record import Cell, Record
from overnight.records import open_table, write_table
from overnight.records.writers.bibtex import BibWriter
from overnight.records.writers.citation import Citation, Citations
from overnight.records.writers.exchange import EXCHANGES
from overnight.records.writers.marks import Marks
from overnight.records.writers.ris import annotated

MARKS = Marks.of(("screening:exclude", "reason:Wrong type, really"), 'exclude; c met "20 % {of} \\them"')
ENTRY = (
    '@Article{müller2020,\n  title = {Naps, {and} "more"},\n  x-odd = "a, {b}",\n'
    "  Keywords = {sleep, nap},\n  year = 2020,\n}"
)


def citation(values: dict[str, Cell], record_id: str = "r1") -> Citation:
    return Citations(list(values)).of(Record(record_id, 0, values, "x.csv:2"))


def read(tmp_path: Path, text: str) -> list[dict[str, Cell]]:
    path = tmp_path / "x.bib"
    path.write_text(text, encoding="utf-8", newline="")
    table = open_table(path)
    return [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]


def test_an_entry_keeps_its_text_and_gets_keywords_and_a_field(tmp_path: Path) -> None:
    text = BibWriter()(ENTRY, "bibtex", citation({"title": "x"}), MARKS)
    assert text.startswith(ENTRY.partition(", nap")[0] + ", nap, screening:exclude, reason:Wrong type really}")
    assert text.count("\n  overnight = {overnight: exclude;") == 1
    (back,) = read(tmp_path, text)
    assert back["title"] == 'Naps, and "more"'
    assert back["keywords"] == "sleep, nap, screening:exclude, reason:Wrong type really"


def test_a_second_time_replaces_what_the_first_time_added() -> None:
    once = BibWriter()(ENTRY, "bibtex", citation({"title": "x"}), MARKS).rstrip()
    assert BibWriter()(once, "bibtex", citation({"title": "x"}), MARKS).rstrip() == once
    include = Marks.of(("screening:include",), "include")
    other = BibWriter()(once, "bibtex", citation({"title": "x"}), include)
    assert "Keywords = {sleep, nap, screening:include}" in other


def test_an_entry_without_keywords_gets_the_field(tmp_path: Path) -> None:
    (back,) = read(tmp_path, BibWriter()("@misc(k, title={A})", "bibtex", citation({"title": "A"}), MARKS))
    assert (back["citation_key"], back["keywords"]) == ("k", "screening:exclude, reason:Wrong type really")


def test_an_entry_with_abbreviations_is_made_of_its_columns(tmp_path: Path) -> None:
    values: dict[str, Cell] = {"title": "A", "journal": "Sleep", "citation_key": "k", "type": "article"}
    (back,) = read(tmp_path, BibWriter()("@article{k, title={A}, journal=slp}", "bibtex", citation(values), MARKS))
    assert (back["journal"], back["citation_key"], back["type"]) == ("Sleep", "k", "article")


def test_keys_are_there_once_and_hold_nothing_that_a_key_cannot(tmp_path: Path) -> None:
    write = BibWriter()
    text = write(ENTRY, "bibtex", citation({"title": "x"}), MARKS)
    text += write(ENTRY, "bibtex", citation({"title": "x"}), MARKS)
    text += write("", "csv", citation({"id": "Müller2020", "title": "x"}, "Müller2020"), MARKS)
    text += write("", "csv", citation({"id": "a, {b}", "title": "x"}, "a, {b}"), MARKS)
    text += write("@misc{, title={A}}", "bibtex", citation({"id": "r9", "title": "A"}, "r9"), MARKS)
    assert [one["citation_key"] for one in read(tmp_path, text)] == [
        "müller2020", "müller2020-2", "Müller2020-3", "a-b", "r9",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"title": "The Planned naps", "authors": "Aster, Ann; Bell, B.", "year": "2021"}, "aster2021planned"),
        ({"title": "Planned naps", "authors": "van der Müller J", "year": "2021-03"}, "muller2021planned"),
        ({"title": "<i>A</i> b", "authors": "Ø"}, "a"),
        ({"title": "午睡", "authors": "李"}, "record"),
    ],
)
def test_a_made_name_is_no_key_one_is_made_as_people_make_them(values: dict[str, Cell], key: str) -> None:
    write = BibWriter()
    for name in ("doi:10.5555/x(1)", "pmid:12", "t8faa0123456789ab"):
        cited = citation(values, name)
        assert write("", "csv", cited, MARKS).startswith(f"@misc{{{key},\n")
        assert BibWriter()("@misc{, title={A}}", "bibtex", cited, MARKS).startswith(f"@misc{{{key},")
        write = BibWriter()


@pytest.mark.parametrize("text", ["50 % & $5 #1 a_b", "{open", "close}", "back\\slash ~ ^", "@article{x,", 'say "hi"'])
def test_no_text_can_break_a_made_entry(tmp_path: Path, text: str) -> None:
    marks = Marks.of((f"reason:{text}",), text)
    found = read(tmp_path, BibWriter()("", "csv", citation({"title": text, "rating": text}), marks))
    assert [one["title"] for one in found] == [text]
    assert text in str(found[0]["other"]).replace('\\"', '"').replace("\\\\", "\\")
    assert len(read(tmp_path, BibWriter()(ENTRY, "bibtex", citation({"title": "x"}), marks))) == 1


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["jabref51.bib", "zotero_pubmed.ris"])
def test_real_records_come_back_with_every_field(tmp_path: Path, name: str) -> None:
    folder = os.environ.get("OVERNIGHT_DATA")
    if not folder:
        pytest.skip("OVERNIGHT_DATA names no folder")
    table = open_table(Path(folder) / "exports" / name)
    write, texts, before = BibWriter(), [], []
    of = Citations(table.columns).of
    for n, (_, row, raw) in enumerate(table.entries()):
        values = dict(zip(table.columns, row, strict=True))  # type: ignore[arg-type]  # it opened without a finding
        before.append(values)
        record = Record(f"r{n}", n, values, "x:1", table.format, raw)
        texts.append(annotated(raw, MARKS) + "\n" if name.endswith("ris") else write(raw, "bibtex", of(record), MARKS))
    path = tmp_path / name
    path.write_text("".join(texts), encoding="utf-8", newline="")
    back = open_table(path)
    for values, (_, row) in zip(before, back.rows(), strict=True):
        again = dict(zip(back.columns, row, strict=True))
        for column, cell in values.items():
            if column not in {"keywords", "other", "citation_key"}:
                assert again[column] == cell
            elif column == "keywords" and cell:
                assert str(again[column]).startswith(str(cell))


def test_other_tools_get_their_columns_and_labels() -> None:
    values: dict[str, Cell] = {"title": "=A", "abstract": "B", "authors": "Smith, J; Doe, K", "journal": "Sleep"}
    tables = {}
    for tool, exchange in EXCHANGES.items():
        file = io.BytesIO()
        rows = [exchange.row(citation(values, d), d, MARKS) for d in ("include", "exclude", "unclear")]
        write_table(file, "csv", exchange.columns, rows)
        tables[tool] = list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
    assert [row["included"] for row in tables["asreview"]] == ["1", "0", ""]
    assert tables["asreview"][0]["title"] == "'=A", "no spreadsheet runs it"
    assert tables["rayyan"][0]["key"] == "include"
    assert tables["rayyan"][0]["notes"].startswith("screening:exclude; reason:Wrong type, really; overnight: exclude")
