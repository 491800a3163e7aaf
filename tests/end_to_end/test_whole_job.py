"""The main job at its real size: the demo's 1,100 records, and PubMedQA's 1,000 as a screen and as an ask."""

import csv
import json
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import rispy

from tests.support.office import needs_office, opened_in_calc
from tests.support.person import Person, Seen, csv_rows

ASK = """\
study: pubmedqa-ask
records: {{files: [{file}], id: id}}
ask:
  prompt: |
    {{title}}
    Answer from this abstract only.
    <abstract>{{{text}}}</abstract>
  answer:
    reason: {{type: string, description: one sentence}}
    answer: {{type: string, enum: [yes, no, maybe]}}
model: {{name: gemini-3.5-flash-lite, thinking: low}}
"""
SCREEN = """\
study: pubmedqa-screen
records: {files: [pubmedqa_1000.csv], id: id, text: [title, abstract]}
screen:
  question: Which of these trials are about surgery?
  include:
    - {id: surgery, ask: Patients had an operation.}
    - {id: own_results, ask: "Reports results of its own, with numbers."}
  exclude:
    - {id: animals, ask: "Animals or cells were studied, not people."}
model: {name: gemini-3.8-flash, thinking: high}
"""


def all_accounted_for(found: dict[str, object], n: int) -> None:
    kinds = [found["answers"], found["open"], *found["problems"].values(), *found["not_sent"].values()]  # type: ignore[attr-defined]  # it is JSON
    assert found["records"] == sum(kinds) == n
    assert (found["open"], found["problems"], found["strays"]) == (0, {}, 0)


def results_of(seen: Seen) -> list[dict[str, str]]:
    return csv_rows(Path(seen.json["results"]["csv"]))


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("demo") / "desk")


@pytest.fixture(scope="module")
def demo(person: Person) -> Seen:
    """The demo, run once in a new folder."""
    seen = person.types("demo", "--json")
    assert seen.code == 0, seen.err
    return seen


def test_the_demo_in_a_new_folder_accounts_for_every_record(person: Person, demo: Seen) -> None:
    all_accounted_for(demo.json, 1_100)
    assert "the demo study is in overnight-demo" in demo.err
    rows = results_of(demo)
    assert len({row["record_id"] for row in rows}) == len(rows) == 1_100
    assert Counter(row["outcome"] for row in rows) == {
        "answer": demo.json["answers"],
        "not_sent": sum(demo.json["not_sent"].values()),
    }
    assert Counter(row["decision"] for row in rows if not row["duplicate_of"]) == demo.json["decisions"]
    assert sum(demo.json["decisions"].values()) == 1_100 - demo.json["not_sent"]["duplicate"]
    assert all(row["decision"] for row in rows), "a duplicate shows the decision of the record that stands for it"
    page = re.sub(r"<[^>]+>|\s+", " ", Path(demo.json["results"]["report"]).read_text(encoding="utf-8"))
    for decision, n in demo.json["decisions"].items():
        assert re.search(rf"{decision} +{n} ", page), f"the report says other numbers than the summary: {decision}"
    assert demo.json["requests_sent"] == len({row["key"] for row in rows if row["key"]})
    again = person.types("demo", "--json")
    assert (again.code, again.json["requests_sent"]) == (0, 0)
    assert again.json["cost_usd"] == demo.json["cost_usd"]
    assert results_of(again) == rows


@needs_office
def test_the_demos_results_open_in_libreoffice_and_their_ris_in_rispy(demo: Seen, tmp_path: Path) -> None:
    """The example study at its size: every cell as written, every decision in its place, the same counts everywhere."""
    results = {name: Path(path) for name, path in demo.json["results"].items()}
    written = results_of(demo)
    shown = opened_in_calc(results["xlsx"], tmp_path / "xlsx")
    records = [dict(zip(shown["Records"][0], row, strict=True)) for row in shown["Records"][1:]]
    assert [{name: plain(name, cell) for name, cell in row.items()} for row in records] == [
        {name: plain(name, cell) for name, cell in row.items()} for row in written
    ]
    assert len(shown["Samples"]) - 1 == demo.json["answers"]
    found = rispy.loads((results["ris"] / "all.ris").read_text(encoding="utf-8"))
    assert [one["id"] for one in found] == [row["record_id"] for row in written]
    assert [[k for k in one["keywords"] if k.startswith("screening:")] for one in found] == [
        [f"screening:{row['decision']}"] for row in written
    ]
    counts = {name: len(rispy.loads((results["ris"] / f"{name}.ris").read_text("utf-8"))) for name in DECISIONS}
    assert counts == Counter(row["decision"] for row in written if not row["duplicate_of"]) == demo.json["decisions"]


DECISIONS = ("include", "exclude", "unclear")


def plain(name: str, cell: str) -> str:
    """A cell, but for what a program shows in its own way: the sign that defuses a formula, TRUE, an LF."""
    cell = cell.replace("\r\n", "\n").removeprefix("'")
    return cell.lower() if name == "cost_simulated" else cell


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("OVERNIGHT_DATA")
    if not folder:
        pytest.skip("OVERNIGHT_DATA names no folder")
    return Path(folder)


@pytest.mark.real_data
def test_pubmedqa_screened(data: Path, tmp_path: Path) -> None:
    person = Person(tmp_path / "desk")
    person.folder.mkdir()
    shutil.copy(data / "pubmedqa_1000.csv", person.folder)
    (person.folder / "study.yaml").write_text(SCREEN, encoding="utf-8")
    run = person.types("run", "--json")
    assert run.code == 0, run.err
    all_accounted_for(run.json, 1_000)
    with (data / "pubmedqa_1000.csv").open(newline="", encoding="utf-8-sig") as file:
        originals = {row["id"]: row for row in csv.DictReader(file)}
    rows = results_of(run)
    assert [row["record_id"] for row in rows] == list(originals)
    for row in rows:
        assert row["abstract"].lstrip("'") == originals[row["record_id"]]["abstract"].lstrip("'")
        assert row["decision"] in {"include", "exclude", "unclear"}
        if row["c_surgery_quote_found"] == "exact":
            assert row["c_surgery_quote"], row["record_id"]


@pytest.mark.real_data
@pytest.mark.parametrize(("file", "text"), [("csv", "abstract"), ("jsonl", "sections")])
def test_pubmedqa_asked_from_csv_and_jsonl(data: Path, tmp_path: Path, file: str, text: str) -> None:
    person = Person(tmp_path / "desk")
    person.folder.mkdir()
    name = f"pubmedqa_1000.{file}"
    shutil.copy(data / name, person.folder)
    (person.folder / "study.yaml").write_text(ASK.format(file=name, text=text), encoding="utf-8")
    run = person.types("run", "--json")
    assert run.code == 0, run.err
    all_accounted_for(run.json, 1_000)
    rows = results_of(run)
    assert len({row["record_id"] for row in rows}) == 1_000
    assert {row["a_answer"] for row in rows} == {"yes", "no", "maybe"}
    again = person.types("run", "--json")
    assert again.json["requests_sent"] == 0
    lines = Path(again.json["results"]["jsonl"]).read_bytes().split(b"\n")  # one abstract holds a U+2028
    assert [json.loads(line)["record_id"] for line in lines if line] == [row["record_id"] for row in rows]
