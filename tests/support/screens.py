"""Studies with a `screen`, answers about one record as a model gives them, and what is settled of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from overnight.core.outcome import Outcome, ProblemKind
from overnight.core.record import Cell, Record
from overnight.core.task import Settled, Settlements
from overnight.planning.pinned import Pinned
from overnight.planning.screening import ScreenTask
from overnight.planning.tasks import make_task
from overnight.study.load import load_study
from overnight.study.models import Study

SCREEN = """\
study: naps
records: {files: [r.csv], text: [title, Abstract], no_abstract: person}
screen:
  question: Do naps help?
  include:
    - {id: night, ask: Works at night., reason: Wrong population}
  exclude:
    - {id: review, ask: Is a review.}
model: {name: gemini-3.8-flash}
"""

Judged = tuple[str, str]
"""(verdict, quote)"""
Answer = dict[str, Any]


def study(folder: Path, text: str = SCREEN) -> Study:
    (folder / "r.csv").write_text("x\n")
    (folder / "study.yaml").write_text(text)
    return load_study(folder)


def screen_task(folder: Path, text: str = SCREEN, *, pinned: Pinned | None = None) -> ScreenTask:
    task = make_task(study(folder, text), {}, pinned=pinned)
    assert isinstance(task, ScreenTask)
    return task


def record(record_id: str = "r1", **values: Cell) -> Record:
    return Record(record_id, 0, values, "r.csv:2")


def answer(decision: str = "", rationale: str = "In short.", **judged: Judged) -> Answer:
    """decision: the model's own; left out where empty, as answers were before it was asked for."""
    verdicts = {
        f"c_{name}": {"quote": quote, "reason": f"Because {name}.", "verdict": verdict}
        for name, (verdict, quote) in judged.items()
    }
    own = {"decision": decision} if decision else {}
    return {**verdicts, "rationale": rationale, **own}


def settled(*samples: Answer | ProblemKind, adjudicated: Answer | ProblemKind | None = None) -> Settlements:
    """Samples from 1, each with an answer or the kind of problem it was given up with."""
    found = {("screen", number): _settled(one) for number, one in enumerate(samples, start=1)}
    return found if adjudicated is None else {**found, ("adjudicate", 1): _settled(adjudicated)}


def _settled(one: Answer | ProblemKind) -> Settled:
    if isinstance(one, ProblemKind):
        return Settled(Outcome(b"a" * 16, 3, one), 3)
    return Settled(Outcome(b"a" * 16, 1, None, orjson.dumps(one)), 1)


def row(task: ScreenTask, one: Record, found: Settlements) -> dict[str, Cell]:
    """The task's cells by their columns' names."""
    cells: Sequence[Cell] = task.cells(one, found)
    return {column.name: cell for column, cell in zip(task.columns, cells, strict=True)}
