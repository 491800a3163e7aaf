"""Studies with a `screen`, answers about one record as a model gives them, and what is settled of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from overnight.answers import judged
from overnight.answers.judged import SILENCE_AS_TOLD, Silence
from overnight.core.outcome import Outcome, ProblemKind
from overnight.core.record import Cell, Record
from overnight.core.task import Settled, Settlements
from overnight.planning.pinned import Pinned
from overnight.planning.screening import ScreenTask
from overnight.planning.tasks import make_task
from overnight.study.load import load_study
from overnight.study.models import ScreenSpec, Study

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


def answer(decision: str = "", rationale: str = "In short.", **verdicts: Judged) -> Answer:
    """decision: the model's own; left out where empty, as answers were before it was asked for."""
    criteria = {
        f"c_{name}": {"quote": quote, "reason": f"Because {name}.", "verdict": verdict}
        for name, (verdict, quote) in verdicts.items()
    }
    own = {"decision": decision} if decision else {}
    return {**criteria, "rationale": rationale, **own}


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


ONE_OF_EACH = ScreenSpec.model_validate(
    {
        "question": "?",
        "include": [{"id": "night", "ask": "Works at night.", "kind": "include", "reason": "Wrong population"}],
        "exclude": [{"id": "review", "ask": "Is a review.", "kind": "exclude", "reason": "Wrong type"}],
    }
)
SILENT_REVIEW: Judged = ("not_stated", "")
SAYS: dict[str, dict[str, Judged]] = {
    "include": {"night": ("met", "there"), "review": SILENT_REVIEW},
    "exclude": {"night": ("not_met", "there"), "review": SILENT_REVIEW},
    "unclear": {"night": ("unclear", ""), "review": SILENT_REVIEW},
    "silent": {"night": ("not_stated", ""), "review": SILENT_REVIEW},
    "unclear for a lost quote": {"night": ("met", "invented"), "review": SILENT_REVIEW},
    "exclude with a lost quote beside": {"night": ("met", "invented"), "review": ("met", "there")},
}
"""By ONE_OF_EACH: verdicts that come to that decision. What is `invented` is not in the record."""


def read(screen: ScreenSpec, one: Answer, silence: Silence = SILENCE_AS_TOLD) -> judged.Judged:
    """The answer as code reads it; of every quote but an `invented` one the record holds the words."""
    return judged.read_judged(screen, one, lambda quote: ("no" if "invented" in quote else "exact", None), silence)


def sample(says: str, own: str = "") -> judged.Judged | None:
    """By ONE_OF_EACH; None for `no answer`."""
    return None if says == "no answer" else read(ONE_OF_EACH, answer(own, **SAYS[says]))
