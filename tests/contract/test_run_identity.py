"""Records that come again under another face, or twice, or not at all: through check, plan, run and results."""

import contextlib
import csv
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from overnight.errors import Finding
from overnight.records.reader import RecordSet
from tests.support.cloud import served
from tests.support.local_cloud import LocalCloud
from tests.support.studies import SmallStudy

STUDY = """\
study: {name}
records:
  files: [{files}]
  text: [title, abstract]
{more}
screen:
  question: Do planned naps help people on night shifts stay alert?
  include:
    - {{id: night_shift, ask: The people studied work at night.}}
model: {{name: gemini-3.5-flash-lite, thinking: low}}
"""
HEAD = ("PMID", "DOI", "Authors", "Year", "title", "abstract")


@dataclass(frozen=True)
class Row:
    pmid: str = ""
    doi: str = ""
    author: str = "Smith J"
    year: str = "2020"
    title: str = ""
    abstract: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.pmid, self.doi, self.author, self.year, self.title, self.abstract)


def row(n: int, **other: str) -> Row:
    title = f"Planned naps of the nurses in ward number {n:03d}"
    return Row(
        title=title,
        abstract=f"In ward {n:03d} we studied {n + 20} nurses on night shifts, who took planned naps.",
        **other,
    )


class Library(SmallStudy):
    """A screen over several files, each with the name of its source."""

    def files(self, *, more: str = "", **files: Sequence[Row]) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        for name, rows in files.items():
            with (self.home / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(HEAD)
                writer.writerows(one.cells for one in rows)
        listed = ", ".join(f"{{path: {name}.csv, source: {name.title()}}}" for name in files)
        self.path.write_text(STUDY.format(name=self.name, files=listed, more=more), encoding="utf-8")

    def by_id(self) -> dict[str, dict[str, str]]:
        return {one["record_id"]: one for one in self.results()}


@pytest.fixture
def cloud(child: LocalCloud) -> LocalCloud:
    return child


@pytest.fixture
def study(tmp_path: Path, cloud: LocalCloud) -> Library:
    return Library(tmp_path / "study")


PUBMED = [row(n, pmid=str(100 + n), doi=f"10.1000/{n}") for n in range(4)]
SCOPUS = [
    replace(row(n, doi=f"https://doi.org/10.1000/{n}"), abstract=f"{row(n).abstract} (C) 2020") for n in range(2, 6)
]
ZOTERO = [replace(row(n), author="Smith, Jane", title=f"{row(n).title}.") for n in (0, 4, 6)]


def test_three_overlapping_files_each_publication_is_sent_once_and_every_row_is_in_the_results(
    study: Library, cloud: LocalCloud
) -> None:
    study.files(pubmed=PUBMED, scopus=SCOPUS, zotero=ZOTERO)
    ended = study.cli("run", "--json").json
    assert (ended["records"], ended["requests_sent"], ended["answers"]) == (11, 7, 7)
    assert ended["not_sent"] == {"duplicate": 4}
    assert sum(ended["decisions"].values()) == 7
    assert len(served(cloud.data, study.uid)) == 7
    assert ended["sources"] == [
        {"source": "Pubmed", "records": 4, "duplicates": 0},
        {"source": "Scopus", "records": 4, "duplicates": 2},
        {"source": "Zotero", "records": 3, "duplicates": 2},
    ]
    rows = study.by_id()
    assert len(rows) == 11
    assert list(rows)[:6] == ["pmid:100", "pmid:101", "pmid:102", "pmid:103", "doi:10.1000/2", "doi:10.1000/3"]
    aside = {one["record_id"]: one["duplicate_of"] for one in rows.values() if one["duplicate_of"]}
    assert aside["doi:10.1000/2"] == "pmid:102"
    for name, survivor in aside.items():
        assert (rows[name]["outcome"], rows[name]["problem"]) == ("not_sent", "duplicate")
        task = [column for column in rows[name] if column == "decision" or column.startswith("c_")]
        assert task
        assert all(rows[name][column] == rows[survivor][column] for column in task)
        assert rows[survivor]["decision"]
        assert not rows[name]["cost_usd"]


def test_a_doi_that_appears_and_files_in_another_order_send_nothing_and_rename_nobody(study: Library) -> None:
    first = [row(n, doi=f"10.1000/{n}" if n % 2 else "") for n in range(6)]
    second = [row(n, pmid=str(n)) for n in range(6, 9)]
    study.files(one=first, other=second)
    study.cli("run")
    before = {one["title"]: (one["record_id"], one["key"]) for one in study.results()}
    with_doi = [replace(one, doi=one.doi or f"10.1000/{n}") for n, one in enumerate(first)]
    study.files(other=second[::-1], one=with_doi[::-1], more_of_it=[row(20)])
    assert study.cli("plan", "--json").json["requests"]["to_send"] == 1
    ended = study.cli("run", "--json").json
    assert (ended["requests_sent"], ended["n_vanished"]) == (1, 0)
    after = {one["title"]: (one["record_id"], one["key"]) for one in study.results()}
    assert after.items() >= before.items()
    assert study.cli("run", "--json").json["requests_sent"] == 0


def test_a_corrected_text_keeps_its_name_and_is_sent_as_the_new_text_it_is(study: Library) -> None:
    study.files(one=[row(1, doi="10.1000/1"), row(2, doi="10.1000/2")])
    study.cli("run")
    study.files(
        one=[replace(row(1, doi="10.1000/1"), abstract="Corrected: all of the nurses slept."), row(2, doi="10.1000/2")]
    )
    planned = study.cli("plan", "--json").json
    assert planned["reasons"] == {"text_changed": 1}
    study.cli("run")
    assert set(study.by_id()) == {"doi:10.1000/1", "doi:10.1000/2"}


def test_records_once_known_apart_go_on_under_the_first_name_and_that_is_one_sentence(study: Library) -> None:
    rows = [row(n, doi=f"10.1000/{n}") for n in range(7)]
    again = [replace(one, title=f"{one.title}.") for one in rows]
    study.files(one=rows, other=again)
    study.cli("run")
    study.files(other=again)
    told = study.cli("check")
    lines = [line for line in (told.out + told.err).splitlines() if "known by two names" in line]
    assert len(lines) == 1
    assert "7 records were known by two names; the one given first stays: doi:10.1000/" in lines[0]
    assert lines[0].endswith(" and 2 more")


def test_records_that_vanished_are_named_kept_and_cost_nothing_when_they_come_back(study: Library) -> None:
    rows = [row(n, doi=f"10.1000/{n}") for n in range(5)]
    study.files(one=rows)
    study.cli("run")
    study.files(one=rows[2:])
    gone = ["doi:10.1000/0", "doi:10.1000/1"]
    said = "2 records that were asked about are in no file any more: doi:10.1000/0, doi:10.1000/1"
    assert said in study.cli("check").out
    assert "in no file any more" in study.cli("plan").out
    planned, ended = study.cli("plan", "--json").json, study.cli("run", "--json").json
    assert (planned["n_vanished"], planned["vanished"]) == (ended["n_vanished"], ended["vanished"]) == (2, gone)
    assert "doi:10.1000/1" in (study.home / "stand-in" / "report.html").read_text(encoding="utf-8")
    study.files(one=rows)
    back = study.cli("run", "--json").json
    assert (back["requests_sent"], back["answers"], back["n_vanished"]) == (0, 5, 0)


def test_likely_ones_wait_for_a_persons_word_which_is_never_written_over(study: Library, cloud: LocalCloud) -> None:
    one, other = (
        row(1, doi="10.1000/1"),
        replace(row(1), year="2021", abstract="The other abstract of the same trial, at length."),
    )
    third = replace(row(2), year="", abstract="What another database says of it, in as many words as it takes.")
    study.files(one=[one, row(2)], other=[other, third])
    checked = study.cli("check").out
    assert "2 pairs of records may be of one publication" in checked
    assert re.search(
        r"doi:10\.1000/1 \(One, one\.csv:2\) and t\w{16} \(Other, other\.csv:2\): same title, a year apart", checked
    )
    assert not (study.home / "duplicates.csv").exists(), "a check writes nothing"
    assert study.cli("plan", "--json").json["duplicates_undecided"] == 2
    assert study.cli("duplicates").code == 0
    table = study.home / "duplicates.csv"
    text = table.read_text(encoding="utf-8-sig")
    table.write_text(text.replace("\n,doi:10.1000/1", "\nYes,doi:10.1000/1", 1), encoding="utf-8")
    again = study.cli("duplicates", "--json").json
    assert (again["duplicates"], len(again["undecided"])) == (1, 1)
    assert "Yes,doi:10.1000/1" in table.read_text(encoding="utf-8-sig")
    table.write_text(table.read_text(encoding="utf-8-sig").replace("\n,", "\nno,"), encoding="utf-8")
    ended = study.cli("run", "--json").json
    assert (ended["requests_sent"], ended["not_sent"], len(served(cloud.data, study.uid))) == (3, {"duplicate": 1}, 3)
    table.write_text(table.read_text(encoding="utf-8-sig").replace("\nno,", "\nperhaps,"), encoding="utf-8")
    refused = study.cli("check")
    assert refused.code == 4
    assert re.search(r"duplicates\.csv:\d: `same` is 'perhaps'", refused.err)


def test_a_persons_no_holds_when_the_other_record_has_gone(study: Library) -> None:
    """C has A's DOI and was told from it by a person: without A's file it is C still, and A is what vanished."""
    one, other = (
        row(1, doi="10.1000/1"),
        replace(row(2, doi="10.1000/1"), title="A letter to the editor about this trial of planned naps"),
    )
    study.files(a=[one], c=[other])
    study.cli("duplicates")
    table = study.home / "duplicates.csv"
    text = table.read_text(encoding="utf-8-sig")
    assert "\n,doi:10.1000/1," in text
    table.write_text(text.replace("\n,", "\nno,"), encoding="utf-8")
    study.cli("run")
    names = {one["title"]: one["record_id"] for one in study.results()}
    study.files(c=[other])
    for _ in range(2):
        told = study.cli("check")
        assert "known by two names" not in told.out + told.err
        ended = study.cli("run", "--json").json
        assert (ended["requests_sent"], ended["vanished"]) == (0, ["doi:10.1000/1"])
        assert {one["title"]: one["record_id"] for one in study.results()} == {other.title: names[other.title]}
    study.files(c=[other], a=[one])
    ended = study.cli("run", "--json").json
    assert (ended["requests_sent"], ended["n_vanished"]) == (0, 0)
    assert {one["title"]: one["record_id"] for one in study.results()} == names


def test_one_that_was_answered_stays_when_a_better_one_is_added(study: Library) -> None:
    poor, rich = replace(row(1, doi="10.1000/1"), abstract="Night nurses napped."), row(1, pmid="1", doi="10.1000/1")
    study.files(one=[poor])
    study.cli("run")
    study.files(better=[rich], one=[poor])
    ended = study.cli("run", "--json").json
    assert (ended["requests_sent"], ended["not_sent"]) == (0, {"duplicate": 1})
    kept = [one["record_id"] for one in study.results() if not one["duplicate_of"]]
    assert kept == ["doi:10.1000/1"]
    lose_ledger(study, keep="results.csv")
    study.cli("recover")
    assert study.cli("run", "--json").json["requests_sent"] == 0, "nor after the ledger was lost"


@pytest.mark.parametrize(("policy", "code", "sent"), [("keep", 0, 2), ("skip", 0, 1), ("error", 4, 0)])
def test_sure_ones_follow_the_study(study: Library, policy: str, code: int, sent: int) -> None:
    other = replace(
        row(1, doi="doi:10.1000/1"), abstract="Another wording of the same abstract, from another database."
    )
    study.files(one=[row(1, doi="10.1000/1")], other=[other], more=f"  duplicates: {policy}")
    ended = study.cli("run", "--json")
    assert ended.code == code
    if code:
        assert "other.csv:2) is of the same publication as doi:10.1000/1 (One, one.csv:2)" in ended.err
        assert study.cli("plan").code == code
    else:
        assert json.loads(ended.out.strip().splitlines()[-1])["requests_sent"] == sent


def test_a_ledger_of_version_4_is_brought_up_with_its_answers_and_its_names(study: Library) -> None:
    """Of before names were kept: answers are known by the hash of their texts."""
    study.files(one=[row(n) for n in range(3)])
    study.cli("run")
    before = set(study.by_id())
    assert all(name.startswith("t") for name in before)
    with contextlib.closing(sqlite3.connect(study.ledger, isolation_level=None)) as ledger:
        ledger.executescript("DROP TABLE alias; DROP TABLE name; DROP TABLE pilot; PRAGMA user_version = 4;")
    study.files(one=[row(n, pmid=str(n + 1)) for n in range(3)])
    assert study.cli("plan", "--json").json["requests"]["to_send"] == 0
    assert study.query("PRAGMA user_version") == [(4,)], "a plan changes nothing"
    ended = study.cli("run", "--json").json
    assert (ended["requests_sent"], set(study.by_id())) == (0, before)
    assert (study.ledger.parent / "ledger.v4.sqlite").exists()


def test_a_duplicate_without_an_abstract_is_no_error_where_its_survivor_has_one(study: Library) -> None:
    bare = replace(row(1, doi="10.1000/1"), abstract="")
    study.files(one=[row(1, doi="10.1000/1")], other=[bare], more="  no_abstract: error")
    ended = study.cli("run", "--json")
    assert (ended.code, ended.json["requests_sent"], ended.json["not_sent"]) == (0, 1, {"duplicate": 1}), ended.err
    study.files(one=[row(1, doi="10.1000/1")], other=[replace(bare, doi="10.1000/2")], more="  no_abstract: error")
    refused = study.cli("run")
    assert refused.code == 4
    assert "record 'doi:10.1000/2' has no abstract" in refused.err


@pytest.mark.parametrize("first", ["scopus", "pubmed"])
def test_a_retraction_that_only_one_of_several_databases_knows_of_is_listed_for_the_record_that_is_sent(
    study: Library, first: str
) -> None:
    both = {"scopus": [row(1, doi="10.1000/1"), row(2)], "pubmed": [row(1, doi="10.1000/1", pmid="9"), row(3)]}
    study.files(more="", **dict(sorted(both.items(), key=lambda item: item[0] != first)))
    says = {"scopus": ("Document Type", "Article"), "pubmed": ("Publication Type", "Letter; Retracted Publication")}
    for name, (column, cell) in says.items():
        lines = (study.home / f"{name}.csv").read_text("utf-8").splitlines()
        with_type = [f"{lines[0]},{column}", f"{lines[1]},{cell}", f"{lines[2]},Article"]
        (study.home / f"{name}.csv").write_text("\n".join(with_type), "utf-8")
    checked = study.cli("check", "--json").json
    (sent,) = checked["texts"]["kinds"]["retracted"]["first"]
    assert sent["record_id"] == {"scopus": "doi:10.1000/1", "pubmed": "pmid:9"}[first]
    kinds = checked["texts"]["kinds"]
    assert (kinds["retracted"]["records"], kinds["comment"]["records"]) == (1, 1)


def test_what_check_lists_of_texts_is_of_the_records_that_are_sent(study: Library) -> None:
    study.files(one=[row(1, doi="10.1000/1")], other=[replace(row(1, doi="10.1000/1"), abstract="")])
    assert "no_abstract" not in study.cli("check", "--json").json["texts"]["kinds"]


def test_forgetting_a_duplicate_names_the_one_that_stands_for_it(study: Library) -> None:
    study.files(pubmed=PUBMED, scopus=SCOPUS)
    study.cli("run")
    refused = study.cli("forget", "--record", "doi:10.1000/2")
    assert refused.code == 2
    assert "'pmid:102' stands for it" in refused.err
    assert "`--record pmid:102`" in refused.err


def lose_ledger(study: Library, *, keep: str) -> None:
    """Of the results only the file `keep` is left."""
    shutil.rmtree(study.home / ".overnight")
    for path in (study.home / "stand-in").glob("results.*"):
        if path.name != keep:
            path.unlink()


@pytest.mark.parametrize("kept", ["results.parquet", "results.csv"])
def test_a_ledger_made_again_takes_the_names_of_records_from_the_results(study: Library, kept: str) -> None:
    one, other = row(1, doi="10.1000/1"), replace(row(1), year="2021", abstract="The other abstract of the same trial.")
    study.files(one=[one, row(2)], other=[other])
    study.cli("duplicates")
    table = study.home / "duplicates.csv"
    table.write_text(table.read_text(encoding="utf-8-sig").replace("\n,doi", "\nyes,doi"), encoding="utf-8")
    study.cli("run")
    study.files(one=[replace(one, pmid="1"), row(2, pmid="2")], other=[replace(other, doi="10.1000/5")])
    study.cli("run")
    before = [(name, each["key"], each["duplicate_of"]) for name, each in study.by_id().items()]
    assert [name for name, _, _ in before if name.startswith("pmid:")] == []
    lose_ledger(study, keep=kept)
    assert study.cli("recover", "--json").json["names"] == 3
    assert study.cli("run", "--json").json["requests_sent"] == 0
    assert [(name, each["key"], each["duplicate_of"]) for name, each in study.by_id().items()] == before


def test_without_results_the_names_of_a_ledger_made_again_follow_from_the_files(study: Library) -> None:
    study.files(one=[row(1, doi="10.1000/1")])
    study.cli("run")
    study.files(one=[row(1, doi="10.1000/1", pmid="1")])
    lose_ledger(study, keep="results.csv")
    (study.home / "stand-in" / "results.csv").write_bytes(b"record_id\0")
    ended = study.cli("recover", "--json")
    assert (ended.code, ended.json["names"]) == (0, 0)
    assert "what records were called is not known" in ended.err
    assert study.cli("run", "--json").json["requests_sent"] == 0
    assert set(study.by_id()) == {"pmid:1"}


@pytest.mark.parametrize(("command", "passes"), [("check", 3), ("plan", 4), ("run", 11), ("run again", 7)])
def test_files_are_read_as_often_as_performance_md_says(
    study: Library, monkeypatch: pytest.MonkeyPatch, command: str, passes: int
) -> None:
    """Beside what opening them takes. Each pass over a million records is half a minute."""
    study.files(pubmed=PUBMED, scopus=SCOPUS)
    if command == "run again":
        study.cli("run")
    seen: list[RecordSet] = []
    read = RecordSet._read

    def counted(records: RecordSet, report: Callable[[Finding], None]) -> Iterator[Any]:
        seen.append(records)
        return read(records, report)

    monkeypatch.setattr(RecordSet, "_read", counted)
    assert study.cli(command.split(maxsplit=1)[0]).code == 0
    assert len(seen) == passes
