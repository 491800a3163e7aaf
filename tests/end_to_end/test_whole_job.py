"""The main job at its real size: the demo's 1,100 records, and PubMedQA's 1,000 as a screen and as an ask."""

import csv
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import rispy

from tests.support.office import needs_office, opened_in_calc
from tests.support.person import Person, Seen, csv_rows

NONE: Mapping[str, int] = MappingProxyType({})
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


def all_accounted_for(found: dict[str, object], n: int, problems: Mapping[str, int] = NONE) -> None:
    kinds = [found["answers"], found["open"], *found["problems"].values(), *found["not_sent"].values()]  # type: ignore[attr-defined]  # it is JSON
    assert found["records"] == sum(kinds) == n
    assert (found["open"], found["problems"], found["strays"]) == (0, problems, 0)


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
    all_accounted_for(demo.json, 1_100, problems={"blocked": 2, "malformed": 1, "refused": 1})
    assert "the demo study is in overnight-demo" in demo.err
    rows = results_of(demo)
    assert len({row["record_id"] for row in rows}) == len(rows) == 1_100
    assert Counter(row["outcome"] for row in rows) == {
        "answer": demo.json["answers"],
        "problem": 4,
        "not_sent": sum(demo.json["not_sent"].values()),
    }
    assert Counter(row["decision"] for row in rows if not row["duplicate_of"]) == demo.json["decisions"]
    assert sum(demo.json["decisions"].values()) == 1_100 - demo.json["not_sent"]["duplicate"]
    assert all(row["decision"] for row in rows), "a duplicate shows the decision of the record that stands for it"
    page = re.sub(r"<[^>]+>|\s+", " ", Path(demo.json["results"]["report"]).read_text(encoding="utf-8"))
    for decision, n in demo.json["decisions"].items():
        assert re.search(rf"{decision} +{n} ", page), f"the report says other numbers than the summary: {decision}"
    keys = {key for row in rows for key in row["key"].split("; ") if key}
    assert demo.json["requests_sent"] == sum(int(key.rpartition("-a")[2]) for key in keys), "with those sent again"
    again = person.types("demo", "--json")
    assert (again.code, again.json["requests_sent"]) == (0, 0)
    assert again.json["cost_usd"] == demo.json["cost_usd"]
    assert results_of(again) == rows


def test_the_demo_walks_every_path_of_a_screen(person: Person, demo: Seen) -> None:
    rows = results_of(demo)
    paths = {
        "agreed to include": lambda row: row["agreement"] == "3 of 3" and row["decision"] == "include",
        "agreed to exclude": lambda row: row["agreement"] == "3 of 3" and row["decision"] == "exclude",
        "agreed that it is unclear": lambda row: row["agreement"] == "3 of 3" and row["decision"] == "unclear",
        "adjudicated to include": lambda row: row["decided_by"] == "adjudicator" and row["decision"] == "include",
        "adjudicated to exclude": lambda row: row["decided_by"] == "adjudicator" and row["decision"] == "exclude",
        "adjudicated, and unclear all the same": lambda row: (
            row["why"].endswith(" unclear") and row["decided_by"] == "adjudicator"
        ),
        "contested by difference": lambda row: row["agreement"] == "2 of 3" and row["decided_by"] == "adjudicator",
        "contested since a sample has no answer": lambda row: "no_answer 1" in row["c_night_shift_votes"],
        "contested for a lost quote alone": lambda row: (
            row["agreement"] == "3 of 3" and row["decided_by"] == "adjudicator"
        ),
        "an adjudicator against all samples": lambda row: (
            "and no sample does" in row["needs_person_why"] or "against all samples" in row["needs_person_why"]
        ),
        "a decision that does not follow": lambda row: "and its verdicts come to" in row["needs_person_why"],
        "a quote that is not there": lambda row: row["c_night_shift_quote_found"] == "no",
        "given up": lambda row: row["decided_by"] == "no_answer",
        "no abstract": lambda row: row["decided_by"] == "no_abstract",
        "a repeated record": lambda row: row["duplicate_of"],
        "a person has to look": lambda row: row["needs_person"] == "true",
        "an exclusion with its reason": lambda row: row["exclusion_reason"] == "No data of its own",
    }
    walked = {path: sum(bool(holds(row)) for row in rows) for path, holds in paths.items()}
    assert [path for path, n in walked.items() if not n] == []
    looked_at = sum(row["needs_person"] == "true" for row in rows if not row["duplicate_of"])
    assert 0.1 < looked_at / len(rows) < 0.3, "a person has to look at some, and not at most"
    assert 0.05 < sum(row["decided_by"] == "adjudicator" for row in rows) / len(rows) < 0.25


def test_the_demo_fails_where_its_readme_says(person: Person, demo: Seen) -> None:
    rows = {row["record_id"]: row for row in results_of(demo)}
    readme = (person.folder / "overnight-demo" / "README.md").read_text(encoding="utf-8")
    said = re.findall(r"^\| `STANDIN-([A-Z-]+)` \| ([\w, -]+) \|", readme, re.MULTILINE)
    marked = {kind: [rows[record_id] for record_id in ids.split(", ")] for kind, ids in said}
    assert {kind: len(those) for kind, those in marked.items()} == {
        "BLOCKED": 2, "SAFETY-SOMETIMES": 3, "LONG": 2, "CUT": 1, "REFUSED": 1,
    }  # fmt: skip
    for kind, problem in (("BLOCKED", "blocked"), ("CUT", "malformed"), ("REFUSED", "refused")):
        assert {(row["outcome"], row["problem"]) for row in marked[kind]} == {("problem", problem)}
        assert {(row["decision"], row["needs_person"]) for row in marked[kind]} == {("unclear", "true")}
    for row in marked["SAFETY-SOMETIMES"]:
        assert (row["outcome"], row["decided_by"]) == ("answer", "adjudicator")
        assert row["c_night_shift_votes"].endswith("no_answer 1")
    for row in marked["LONG"]:
        assert (row["outcome"], row["problem"]) == ("answer", "")
        assert "of 3" in row["agreement"]
    assert demo.json["problems"] == {"blocked": 2, "malformed": 1, "refused": 1}


def test_the_stand_in_judges_the_demo_well_enough_to_look_at(demo: Seen, person: Person) -> None:
    truth = {row["record_id"]: row["decision"] for row in csv_rows(person.folder / "overnight-demo" / "truth.csv")}
    pairs = Counter((truth[row["record_id"]], row["decision"]) for row in results_of(demo))
    assert pairs["include", "exclude"] < 0.2 * sum(n for (true, _), n in pairs.items() if true == "include")
    excluded = sum(n for (_, decided), n in pairs.items() if decided == "exclude")
    assert pairs["exclude", "exclude"] > 0.95 * excluded
    assert pairs["include", "include"] > 80


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
    assert len(shown["Samples"]) - 1 == len(csv_rows(results["csv"].with_name("samples.csv")))
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
    return cell.lower() if name in {"cost_simulated", "needs_person"} else cell


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
