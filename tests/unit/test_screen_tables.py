"""The long tables of a screen: each sample, and each of its verdicts; and what a run keeps of such tables."""

from pathlib import Path

import pytest

from overnight.core.outcome import ProblemKind
from overnight.core.record import Cell, Record
from overnight.core.task import Settlements
from overnight.planning.screening import ScreenTask
from overnight.run.spool import spooling
from tests.support.screens import SCREEN, answer, record, screen_task, settled

RECORD = record(title="Naps at work", Abstract="We studied <i>night</i> nurses (n=42). Nurses slept.")
SILENT = ("not_stated", "")


@pytest.fixture
def task(tmp_path: Path) -> ScreenTask:
    return screen_task(tmp_path, SCREEN + "deep_think: {samples: 3, adjudicate: contested, framings: [neutral, for]}\n")


def table(task: ScreenTask, name: str, found: Settlements, one: Record = RECORD) -> list[dict[str, Cell]]:
    of = next(table for table in task.tables if table.name == name)
    names = ("stage", "sample", *(column.name for column in of.columns))
    return [dict(zip(names, (stage, sample, *cells), strict=True)) for stage, sample, cells in of.rows(one, found)]


def test_each_sample_has_its_own_decision_the_models_word_and_its_framing(task: ScreenTask) -> None:
    found = settled(
        answer("include", "They worked at night.", night=("met", "we studied night nurses"), review=SILENT),
        answer("include", "No.", night=("not_met", "Nurses slept"), review=SILENT),
        answer("exclude", "Day.", night=("not_met", "All worked by day"), review=SILENT),
        adjudicated={**answer("include", night=("met", "night nurses"), review=SILENT), "mistakes": "B misread."},
    )
    rows = table(task, "samples", found)
    assert [(row["stage"], row["sample"], row["framing"]) for row in rows] == [
        *(("screen", 1, "neutral"), ("screen", 2, "for"), ("screen", 3, "neutral"), ("adjudicate", 1, None)),
    ]
    assert [(row["decision"], row["why"]) for row in rows[1:3]] == [
        *(("exclude", "night not met"), ("unclear", "night unclear (quote not found)")),
    ]
    assert [row["model_decision"] for row in rows] == ["include", "include", "exclude", "include"]
    assert [row["contradicts_itself"] for row in rows] == [False, True, False, False]
    assert [row["rests_on_lost_quotes"] for row in rows] == [False, False, True, False]
    assert (rows[0]["rationale"], rows[3]["mistakes"]) == ("They worked at night.", "B misread.")


def test_each_sample_has_the_letter_by_which_the_adjudicator_knows_it(task: ScreenTask) -> None:
    """Else `mistakes` speaks of reviewers whom nobody can look up."""
    rationales = ("First.", "Second.")
    judged = [answer("include", said, night=("met", "night nurses"), review=SILENT) for said in rationales]
    found = settled(*judged, ProblemKind.BLOCKED)
    (told,) = [want.texts[0] for want in task.wants(RECORD, found) if want.recipe.stage == "adjudicate"]
    heads = {block.split("In short: ")[1]: block[len("Reviewer ")] for block in told.split("\n\n")}
    assert sorted(heads.values()) == ["A", "B"]
    rows = table(task, "samples", settled(*judged, ProblemKind.BLOCKED, adjudicated=judged[0]))
    assert [row["reviewer"] for row in rows] == [*(heads[said] for said in rationales), None, None]


def test_samples_that_agree_are_nobodys_reviewers(task: ScreenTask) -> None:
    alike = answer(night=("met", "night nurses"), review=SILENT)
    assert [row["reviewer"] for row in table(task, "samples", settled(alike, alike, alike))] == [None] * 3


def test_a_verdict_is_shown_as_given_beside_what_it_counts_as_and_where_its_quote_stands(task: ScreenTask) -> None:
    found = settled(
        answer(night=("met", "we studied night nurses"), review=SILENT),
        answer(night=("not_met", "All worked by day"), review=SILENT),
        answer(night=("not_met", "Nurses slept."), review=("met", "Naps at work")),
        adjudicated=ProblemKind.BLOCKED,
    )
    rows = table(task, "verdicts", found)
    assert [(row["sample"], row["criterion"], row["verdict"], row["counts_as"], row["excludes"]) for row in rows] == [
        (1, "night", "met", "met", False),
        (1, "review", "not_stated", "not_met", False),
        (2, "night", "not_met", "unclear", False),
        (2, "review", "not_stated", "not_met", False),
        (3, "night", "not_met", "not_met", True),
        (3, "review", "met", "met", True),
    ]
    assert [row["quote_found"] for row in rows] == ["exact", None, "no", None, "exact", "exact"]
    places = [(row["quote_column"], row["quote_start"], row["quote_end"]) for row in rows]
    assert places == [("Abstract", 0, 30), *[(None,) * 3] * 3, ("Abstract", 39, 52), ("title", 0, 12)]
    text = str(RECORD.values["Abstract"])
    assert [text[0:30], text[39:52]] == ["We studied <i>night</i> nurses", "Nurses slept."]


def test_what_is_there_of_a_record_that_is_still_open_is_shown(task: ScreenTask) -> None:
    found = settled(answer("include", night=("met", "night nurses"), review=SILENT), ProblemKind.TRUNCATED)
    assert [(row["sample"], row["decision"]) for row in table(task, "samples", found)] == [(1, "include"), (2, None)]
    assert len(table(task, "verdicts", found)) == 2
    assert task.cells(RECORD, found)[0] is None, "the record itself is not decided"


def test_a_record_that_is_not_sent_has_no_rows(task: ScreenTask) -> None:
    silent = record(title="Naps at work", Abstract="")
    assert [table(task, one.name, {}, silent) for one in task.tables] == [[], []]


def test_of_a_table_with_too_many_rows_none_are_kept_and_of_others_all() -> None:
    rows: list[list[Cell]] = [["r", n] for n in range(4)]
    with spooling({"short": 8, "long": 7}) as spool:
        for _ in range(2):
            spool.add(["r"])
            for kept in spool.kept.values():
                kept.add(rows)
        assert [spool.holds(name) for name in ("short", "long", "other")] == [True, False, False]
        assert not spool.holds("short", most_rows=7)
        assert list(spool.kept["short"].rows()) == [*rows, *rows]
        assert list(spool.kept["long"].rows()) == []
        assert list(spool.rows()) == [["r"], ["r"]]
