"""From verdicts to a decision: every cell of the table in docs/reference/screening.md."""

import re
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from overnight.answers.decisions import (
    CriterionResult,
    Decision,
    QuoteFound,
    Verdict,
    decide,
    no_answer,
    standing,
    unclear_as_asked,
)
from overnight.study.models import Criterion, IfSilent, Kind, ScreenSpec

# What each cell counts as: written out from docs/reference/screening.md, not computed. + met, - not met,
# ? unclear; ! a ground to exclude. Columns: quote exact, near, not found, none.
TABLE: dict[tuple[Kind, Verdict], dict[IfSilent | None, str]] = {
    ("include", Verdict.MET): {None: "+ + ? ?"},
    ("include", Verdict.NOT_MET): {None: "-! -! ? ?"},
    ("include", Verdict.UNCLEAR): {None: "? ? ? ?"},
    ("include", Verdict.NOT_STATED): {"met": "+ + + +", "not_met": "-! -! -! -!", "unclear": "? ? ? ?"},
    ("exclude", Verdict.MET): {None: "+! +! ? ?"},
    ("exclude", Verdict.NOT_MET): {None: "- - ? ?"},
    ("exclude", Verdict.UNCLEAR): {None: "? ? ? ?"},
    ("exclude", Verdict.NOT_STATED): {"met": "? ? ? ?", "not_met": "- - - -", "unclear": "? ? ? ?"},
}
FOUND: tuple[QuoteFound, ...] = ("exact", "near", "no", "")
WORDS = {"+": "met", "-": "not_met", "?": "unclear"}
CELLS = [
    (kind, verdict, if_silent, found)
    for kind, verdict, if_silent, found in product(get_args(Kind), Verdict, get_args(IfSilent), FOUND)
]


def criterion(name: str, kind: Kind, **more: Any) -> Criterion:
    return Criterion.model_validate({"id": name, "ask": f"About {name}.", "kind": kind, **more})


def result(of: Criterion, verdict: Verdict, found: QuoteFound = "exact") -> CriterionResult:
    return CriterionResult(of.id, of.kind, verdict, "" if found == "" else "some words", found, "because")


def expected(kind: Kind, verdict: Verdict, if_silent: IfSilent, found: QuoteFound) -> str:
    row = TABLE[kind, verdict]
    return row[if_silent if None not in row else None].split()[FOUND.index(found)]


@pytest.mark.parametrize(("kind", "verdict", "if_silent", "found"), CELLS)
def test_what_each_cell_counts_as(kind: Kind, verdict: Verdict, if_silent: IfSilent, found: QuoteFound) -> None:
    one = criterion("x", kind, if_silent=if_silent)
    stand = standing(one, result(one, verdict, found))
    cell = expected(kind, verdict, if_silent, found)
    assert (stand.counts_as, stand.excludes) == (WORDS[cell[0]], cell.endswith("!"))


@pytest.mark.parametrize(("kind", "verdict", "if_silent", "found"), CELLS)
def test_what_each_cell_decides(kind: Kind, verdict: Verdict, if_silent: IfSilent, found: QuoteFound) -> None:
    """One criterion varies, the others are clear."""
    varied = criterion("varied", kind, if_silent=if_silent, reason="Wrong kind")
    include = (criterion("a", "include"), *([varied] if kind == "include" else []))
    exclude = (criterion("b", "exclude"), *([varied] if kind == "exclude" else []))
    screen = ScreenSpec(question="?", include=include, exclude=exclude)
    clear = [result(include[0], Verdict.MET), result(exclude[0], Verdict.NOT_STATED, "")]
    decision = decide(screen, [*clear, result(varied, verdict, found)])
    cell = expected(kind, verdict, if_silent, found)
    word = "exclude" if cell.endswith("!") else "unclear" if cell == "?" else "include"
    assert (decision.decision, decision.decided_by) == (word, "rule")
    assert decision.exclusion_reason == ("Wrong kind" if word == "exclude" else "")
    assert ("varied" in decision.why) == (word != "include")


def test_the_table_has_a_row_for_every_kind_and_verdict() -> None:
    assert set(TABLE) == set(product(get_args(Kind), Verdict))


def test_the_page_shows_this_table() -> None:
    """docs/reference/screening.md is read by people who check us: its rows are compared with the rule."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "screening.md").read_text(encoding="utf-8")
    shown = {
        (kind, verdict, silent): (found.strip(), other.strip())
        for kind, verdict, silent, found, other in re.findall(
            r"^\| (include|exclude) \| (met|not_met|not_stated|unclear) \| ([a-z_—]+) \| ([^|]+) \| ([^|]+) \|$",
            page,
            re.MULTILINE,
        )
    }
    words = {"+": "met", "-": "not met", "?": "unclear", "-!": "not met: **excludes**", "+!": "met: **excludes**"}
    wanted = {}
    for (kind, verdict), row in TABLE.items():
        for if_silent, cells in row.items():
            exact, near, no, none = (words[cell] for cell in cells.split())
            assert (exact, no) == (near, none)
            wanted[kind, verdict.value, if_silent or "—"] = (exact, no)
    assert shown == wanted


SCREEN = ScreenSpec(
    question="?",
    include=(criterion("night", "include", reason="Wrong population"), criterion("nap", "include")),
    exclude=(criterion("review", "exclude", reason="Wrong type"),),
)
NIGHT, NAP, REVIEW = SCREEN.criteria


def test_silence_by_default() -> None:
    assert [c.if_silent for c in SCREEN.criteria] == ["unclear", "unclear", "not_met"]


def test_include_says_so() -> None:
    decision = decide(
        SCREEN, [result(NIGHT, Verdict.MET), result(NAP, Verdict.MET), result(REVIEW, Verdict.NOT_STATED, "")]
    )
    assert decision == Decision("include", "rule", "", "both inclusion criteria are met, no exclusion applies")


def test_one_ground_is_enough_whatever_else_is_unclear() -> None:
    results = [result(NIGHT, Verdict.UNCLEAR), result(NAP, Verdict.MET, "no"), result(REVIEW, Verdict.MET, "near")]
    assert decide(SCREEN, results) == Decision("exclude", "rule", "Wrong type", "review met")


def test_the_reason_is_that_of_the_first_criterion_in_the_studys_order() -> None:
    results = [result(REVIEW, Verdict.MET), result(NAP, Verdict.NOT_MET), result(NIGHT, Verdict.NOT_MET)]
    decision = decide(SCREEN, results)
    assert decision.exclusion_reason == "Wrong population"
    assert decision.why == "night not met; nap not met; review met"
    without = decide(SCREEN, [result(NAP, Verdict.NOT_MET)])
    assert without.exclusion_reason == "nap", "a criterion without a reason gives its id"


def test_a_missing_verdict_is_unclear_and_a_strange_one_does_not_count() -> None:
    strange = CriterionResult("other", "exclude", Verdict.MET, "words", "exact", "")
    decision = decide(SCREEN, [result(NIGHT, Verdict.MET), strange])
    assert decision == Decision("unclear", "rule", "", "nap unclear (no verdict); review unclear (no verdict)")


def test_why_tells_what_made_a_verdict_unclear() -> None:
    results = [result(NIGHT, Verdict.MET, "no"), result(NAP, Verdict.NOT_STATED, ""), result(REVIEW, Verdict.MET, "")]
    assert decide(SCREEN, results).why == (
        "night unclear (quote not found); nap unclear (not stated); review unclear (no quote)"
    )


def test_unclear_include_turns_unclear_and_nothing_else() -> None:
    lenient = SCREEN.model_copy(update={"unclear": "include"})
    met, silent = result(NIGHT, Verdict.MET), result(REVIEW, Verdict.NOT_STATED, "")
    unclear, exclude = (
        decide(lenient, [met, result(NAP, verdict), silent]) for verdict in (Verdict.UNCLEAR, Verdict.NOT_MET)
    )
    assert unclear.decision == "unclear", "samples are compared as they are"
    assert unclear_as_asked(lenient, unclear) == Decision(
        "include", "rule", "", "nap unclear (unclear counts as include)"
    )
    assert unclear_as_asked(SCREEN, unclear) == unclear
    assert unclear_as_asked(lenient, exclude) == exclude
    assert exclude.decision == "exclude"


def test_no_answer_is_never_a_ground() -> None:
    assert no_answer("no answer: blocked", "no_answer") == Decision("unclear", "no_answer", "", "no answer: blocked")
