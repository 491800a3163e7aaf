"""The README's path, from two tables of one's own to results: every command typed in a shell, in its order."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from tests.support.person import Person, Seen, csv_rows, tree
from tests.support.studies import text_of

BANNER = "LOCAL STAND-IN"
N_CSV, N_XLSX = 24, 8


def write_tables(folder: Path) -> None:
    """x.csv and y.xlsx. One abstract is empty, two are equal, one column has a name of ours."""
    folder.mkdir(parents=True)
    rows = [(f"00{number}", f"Title {number}", text_of(number), f"note {number}") for number in range(N_CSV)]
    rows[3] = (*rows[3][:2], "", rows[3][3])
    rows[5] = (rows[5][0], *rows[4][1:3], rows[5][3])
    with (folder / "x.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "title", "abstract", "detail"), *rows])
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "title", "abstract", "detail"])
    for number in range(100, 100 + N_XLSX):
        sheet.append([str(number), f"Title {number}", text_of(number), "from Excel"])
    book.save(folder / "y.xlsx")


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def filled_in(path: Path) -> None:
    edit(
        path,
        ('"WRITE HERE: the question of your review, in one sentence"', "Do planned naps help on the night shift?"),
        ('"WRITE HERE: The people studied are …"', "The people studied work on the night shift."),
        ('"WRITE HERE: … is compared with …"', "They took planned naps."),
    )


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    folder = tmp_path_factory.mktemp("person") / "desk"
    write_tables(folder)
    return Person(folder)


@pytest.fixture(scope="module")
def study(person: Person) -> Path:
    """Written by init, filled in, and run once."""
    init = person.types("init", "my-study", "--from", "x.csv", "y.xlsx")
    assert init.code == 0, init.err
    assert "32 records from 2 files" in init.out
    home = person.folder / "my-study"
    for verb in ("check", "plan", "run"):
        assert f"overnight {verb} my-study/study.yaml" in init.out
    unfilled = person.types("check", "my-study")
    assert unfilled.code == 3
    assert unfilled.err.count("WRITE HERE") >= 3
    filled_in(home / "study.yaml")
    return home


@pytest.fixture(scope="module")
def ran(person: Person, study: Path) -> Seen:
    before = tree(study)
    check = person.types("check", "my-study")
    plan = person.types("plan", "my-study", "--show", "3")
    assert (check.code, plan.code) == (0, 0), check.err + plan.err
    assert "study my-study, task screen, 32 records" in check.out
    assert "30 requests to send: never asked before" in plan.out
    assert "1 record not sent: no text" in plan.out
    assert "1 record shares the answer of one with the same text" in plan.out
    lines = [json.loads(line) for line in plan.out.splitlines() if line.startswith("{")]
    assert [sorted(line) for line in lines] == [["key", "request"]] * 3
    assert tree(study) == before, "check and plan change nothing"
    run = person.types("run", "my-study")
    assert run.code == 0, run.err
    return run


def counts_of(seen: Seen) -> dict[str, int]:
    """The summary's rows, by name."""
    found = re.findall(r"^  ([a-z][a-z ]*?) +([\d,]+)(?: |$)", seen.out, re.MULTILINE)
    return {name: int(n.replace(",", "")) for name, n in found}


def test_init_never_overwrites(person: Person, study: Path) -> None:
    before = tree(study)
    again = person.types("init", "my-study", "--from", "x.csv")
    assert again.code == 2
    assert "there is a study.yaml already" in again.err
    assert tree(study) == before


def test_the_summary_says_it_all_in_five_seconds(ran: Seen) -> None:
    lines = [line for line in ran.out.splitlines() if line]
    assert lines[0].startswith(BANNER)
    assert lines[-1].startswith(BANNER)
    assert len(lines) <= 20, ran.out
    assert max(map(len, lines)) <= 120, "a terminal folds them, this is a pipe"
    counts = counts_of(ran)
    assert (counts["screened"], counts["not sent"], counts["sent now"]) == (31, 1, 30)
    assert "problems" not in counts, "there are none"
    assert counts["include"] + counts["exclude"] + counts["unclear"] == 32
    assert counts["a person"] >= counts["unclear"]
    assert re.search(r"^  not sent +1   without (?:an abstract|text)$", ran.out, re.MULTILINE)
    assert re.search(r"^  cost +\$\S+   simulated", ran.out, re.MULTILINE)
    assert lines[-2] == "Next: open my-study/stand-in/report.html in a browser"


def test_a_pipe_gets_plain_lines(ran: Seen) -> None:
    assert "\x1b" not in ran.err + ran.out
    assert ran.err.splitlines()[0].startswith(BANNER)
    assert "job 1: succeeded (30 requests, 30 done)" in ran.err


def test_results_have_the_documented_columns_and_every_record(ran: Seen, study: Path) -> None:
    rows = csv_rows(study / "stand-in" / "results.csv")
    assert list(rows[0])[:5] == ["record_id", "outcome", "problem", "duplicate_of", "decision"]
    assert {"title", "abstract", "orig_detail", "detail"} <= set(rows[0])
    assert [row["record_id"] for row in rows] == [row["id"] for row in rows]
    assert Counter(row["outcome"] for row in rows) == {"answer": 31, "not_sent": 1}
    assert [(row["record_id"], row["problem"]) for row in rows if row["outcome"] == "not_sent"] == [("003", "no_text")]
    assert rows[0]["orig_detail"] == "note 0"
    assert {row["answered_by"] for row in rows if row["outcome"] == "answer"} == {"LOCAL STAND-IN, not a model"}
    assert rows[4]["key"] == rows[5]["key"], "equal texts are sent once"


def test_run_again_sends_nothing_and_says_so(person: Person, ran: Seen, study: Path) -> None:
    before = csv_rows(study / "stand-in" / "results.csv")
    again = person.types("run", "my-study")
    assert again.code == 0
    assert counts_of(again)["sent now"] == 0
    assert "nothing to do: every record is settled" in again.out
    assert csv_rows(study / "stand-in" / "results.csv") == before
    status = person.types("status", "my-study")
    assert counts_of(status)["screened"] == 31
    assert "sent now" not in status.out


def test_json_ends_with_the_object_of_the_contract(person: Person, ran: Seen) -> None:
    said = person.types("run", "my-study", "--json")
    found = said.json
    assert {
        "study", "realm", "records", "answers", "problems", "not_sent", "open", "strays", "requests_sent", "jobs",
        "cost_usd", "simulated", "results",
    } <= set(found)  # fmt: skip
    ended = found["answers"] + sum(found["problems"].values()) + sum(found["not_sent"].values()) + found["open"]
    assert found["records"] == ended == 32
    assert (found["study"], found["realm"], found["simulated"]) == ("my-study", "stand-in", True)
    assert found["requests_sent"] == 0
    assert len(found["jobs"]) >= 1
    assert re.fullmatch(r"\d+\.\d+", found["cost_usd"])
    assert {"csv", "parquet", "report"} <= set(found["results"])
    for path in map(Path, found["results"].values()):
        assert path.is_absolute()
        assert path.is_dir() if path.name == "ris" else path.is_file()
    assert said.err.startswith(BANNER), "what is for people goes to standard error"
    standing = person.types("status", "my-study", "--json").json
    assert {name: standing[name] for name in ("records", "answers", "open")} == {
        "records": 32,
        "answers": 31,
        "open": 0,
    }


def test_forget_three_and_run_sends_three(person: Person, ran: Seen) -> None:
    forgot = person.types("forget", "my-study", "--record", "000", "--record", "001", "--record", "100")
    assert forgot.code == 0
    assert "3 records: 3 requests open again" in forgot.out
    assert "3 requests to send: opened again by forget" in person.types("plan", "my-study").out
    assert person.types("run", "my-study", "--json").json["requests_sent"] == 3


def test_edit_three_abstracts_and_run_sends_three(person: Person, ran: Seen, study: Path) -> None:
    path = person.folder / "x.csv"
    edit(path, *((f"we studied {number + 20} ", f"we now studied {number + 20} ") for number in (10, 11, 12)))
    assert "3 requests to send: the record's text changed" in person.types("plan", "my-study").out
    found = person.types("run", "my-study", "--json").json
    assert (found["requests_sent"], found["answers"], found["open"]) == (3, 31, 0)


def all_text(rows: Sequence[Sequence[object]]) -> list[list[str]]:
    """Truth values as CSV writes them."""
    return [["" if value is None else str(value).lower() if isinstance(value, bool) else str(value) for value in row]
            for row in rows]  # fmt: skip


def test_export_writes_the_same_table_in_every_format(person: Person, ran: Seen, study: Path) -> None:
    for name in ("out.csv", "out.xlsx", "out.parquet", "out.jsonl"):
        said = person.types("export", "my-study", "--to", name)
        assert said.code == 0, said.err
        assert said.out.startswith(f"{name}: 32 records, 31 answers, 0 problems, 1 not sent, 0 open")
    with (person.folder / "out.csv").open(newline="", encoding="utf-8-sig") as file:
        as_csv = list(csv.reader(file))
    book = openpyxl.load_workbook(person.folder / "out.xlsx", read_only=True)
    as_xlsx = all_text(list(book.worksheets[0].iter_rows(values_only=True, max_col=len(as_csv[0]))))
    table = pq.read_table(person.folder / "out.parquet")
    as_parquet = all_text([table.column_names, *zip(*table.to_pydict().values(), strict=True)])
    lines = (person.folder / "out.jsonl").read_text(encoding="utf-8").splitlines()
    objects = [json.loads(line) for line in lines]
    as_jsonl = all_text([list(objects[0]), *(list(one.values()) for one in objects)])
    assert len(as_csv) == 33
    assert as_csv == as_xlsx
    assert as_csv == as_parquet
    assert as_csv == as_jsonl
    there = person.types("export", "my-study", "--to", "out.csv")
    assert there.code == 2
    assert "--force" in there.err
    assert person.types("export", "my-study", "--to", "out.csv", "--force").code == 0


def test_fetch_cancel_and_retry_with_nothing_to_do_change_nothing(person: Person, ran: Seen, study: Path) -> None:
    before = csv_rows(study / "stand-in" / "results.csv")
    cancel, retry = person.types("cancel", "my-study"), person.types("retry", "my-study")
    assert (cancel.code, cancel.out) == (0, "No job is under way. Nothing to cancel.\n")
    assert (retry.code, retry.out) == (0, "There is no such problem. Nothing was opened.\n")
    fetch = person.types("fetch", "my-study", "--json")
    assert fetch.code == 0
    assert (fetch.json["answers"], fetch.json["requests_sent"]) == (31, 0)
    assert csv_rows(study / "stand-in" / "results.csv") == before


def test_reparse_reads_the_kept_output_again_and_nothing_differs(person: Person, ran: Seen, study: Path) -> None:
    before, standing = csv_rows(study / "stand-in" / "results.csv"), person.types("status", "my-study", "--json").json
    reparsed = person.types("fetch", "my-study", "--reparse", "--json")
    assert reparsed.code == 0, reparsed.err
    assert csv_rows(study / "stand-in" / "results.csv") == before
    same = ("answers", "problems", "strays", "cost_usd", "open")
    assert {name: reparsed.json[name] for name in same} == {name: standing[name] for name in same}
