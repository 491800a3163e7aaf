"""What is said of a row outside a table: keywords and a note on a record, and the workbook's Read me."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from overnight.core.record import Cell
from overnight.core.task import Task
from overnight.planning.tasks import make_task
from overnight.run.marks import MarkMaker
from overnight.run.results import FIRST, LAST, long_tables
from overnight.run.sheets import read_me
from overnight.run.world import World
from overnight.study.load import load_study

STUDIES = {
    "ask": """\
ask:
  prompt: "{text}"
  answer:
    complaint: {type: string}
    severity: {type: string, enum: [none, minor]}
    parts: {type: array, items: {type: string}}
model: {name: gemini-3.5-flash-lite, thinking: low}
""",
    "screen": """\
screen:
  question: Do naps help?
  include:
    - {id: night, ask: Works at night.}
model: {name: gemini-3.8-flash, thinking: low}
""",
}


@pytest.fixture(params=["ask", "screen"])
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Task:
    return made(request.param, tmp_path)


def made(kind: str, folder: Path) -> Task:
    (folder / "r.csv").write_text("text\nx\n")
    text = "text: [text], " if kind == "screen" else ""
    (folder / "study.yaml").write_text(f"study: s\nrecords: {{{text}files: [r.csv]}}\n{STUDIES[kind]}")
    return make_task(load_study(folder), {})


def row(task: Task, *first: Cell, **cells: Cell) -> list[Cell]:
    """As run/results.py makes it, without columns of the person's own."""
    begin = [*first, *[None] * (len(FIRST) - len(first))]
    return [*begin, *(cells.get(column.name) for column in task.columns), *[None] * len(LAST)]


def world(task: Task, realm: str) -> World:
    """What the Read me asks of it."""
    found = SimpleNamespace(
        study="s", realm=realm, task=task, model=SimpleNamespace(id="gemini-3.8-flash"), stamp=lambda: "2026"
    )
    return cast("World", found)


@pytest.mark.parametrize("realm", ["stand-in", "google"])
def test_the_read_me_has_words_for_every_column_that_can_occur(task: Task, realm: str) -> None:
    columns, given, tables = [*FIRST, *task.columns, *LAST], world(task, realm), long_tables(task)
    rows = [(str(what), str(said)) for what, said in read_me(given, columns, has_criteria=True, tables=tables)]
    described = dict(rows)
    assert all(described[f"Records: {column.name}"] not in {"", "your own column"} for column in columns)
    named = {f"{one.name.capitalize()}: {column.name}" for one in tables for column in one.columns}
    assert {name for name in named if name.partition(": ")[2] not in {one.name for one in columns}} <= described.keys()
    assert all(f"sheet {one.name.capitalize()}" in described for one in tables)
    simulated = [said for what, said in rows if what == "LOCAL STAND-IN"]
    assert bool(simulated) == (realm != "google")
    assert described["simulated"] == ("false" if realm == "google" else "true")


def test_what_no_model_answered_says_so_in_keyword_and_note(task: Task) -> None:
    given = row(task, "r1", "answer")
    simulated, real = MarkMaker(task, "stand-in").of(given), MarkMaker(task, "google").of(given)
    assert simulated.keywords[-1] == "overnight:LOCAL STAND-IN"
    assert simulated.note.startswith("overnight: LOCAL STAND-IN, not a model")
    assert "STAND-IN" not in real.note


def test_a_duplicate_is_marked_and_belongs_to_no_decision(tmp_path: Path) -> None:
    task = made("screen", tmp_path)
    maker, given = MarkMaker(task, "google"), row(task, "r2", "not_sent", "duplicate", "r1", decision="include")
    assert maker.decision(given) == ""
    assert maker.of(given).keywords == ("screening:include", "overnight:duplicate")
    assert "duplicate of r1" in maker.of(given).note


def test_what_is_not_decided_needs_a_look(tmp_path: Path) -> None:
    maker = MarkMaker(made("screen", tmp_path), "google")
    given = row(made("screen", tmp_path), "r3", "problem", "blocked")
    assert (maker.decision(given), maker.of(given).keywords) == ("unclear", ("screening:open",))


def test_a_note_says_how_far_samples_agree_who_decided_and_why_a_person_has_to_look(tmp_path: Path) -> None:
    task = made("screen", tmp_path)
    told: dict[str, Cell] = {
        "decision": "exclude",
        "why": "night not met",
        "decided_by": "samples",
        "exclusion_reason": "night",
        "agreement": "2 of 3",
        "needs_person": True,
        "needs_person_why": "samples differ: include 1, exclude 2",
        "c_night": "unclear",
        "c_night_quote": "nurses on nights",
        "c_night_quote_found": "no",
    }
    marks = MarkMaker(task, "google").of(row(task, "r1", "answer", **told))
    assert marks.keywords == ("screening:exclude", "reason:night", "overnight:needs-person")
    assert marks.said == (
        "exclude (night); night not met; decided by the samples, 2 of 3 agree;"
        " a person has to look: samples differ: include 1, exclude 2;"
        ' night unclear "nurses on nights" (not found in the text)'
    )


def test_of_one_sample_that_nobody_has_to_look_at_the_note_says_no_more_than_the_decision(tmp_path: Path) -> None:
    task = made("screen", tmp_path)
    told: dict[str, Cell] = {"decision": "include", "why": "night met", "decided_by": "rule", "agreement": "1 of 1"}
    marks = MarkMaker(task, "google").of(row(task, "r1", "answer", **told, needs_person=False))
    assert (marks.keywords, marks.said) == (("screening:include",), "include; night met")
