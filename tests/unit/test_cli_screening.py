"""The summary of a screen: in screening's words, every record in one place."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from overnight.cli.summary import closing_lines
from overnight.core.compared import Comparison
from overnight.core.outcome import NotSent, ProblemKind
from overnight.records.census import SourceCount
from overnight.run.publish import Closing

CLOSING = Closing(
    "naps",
    "google",
    records=1_100,
    answers=1_042,
    problems=Counter({ProblemKind.BLOCKED: 3}),
    not_sent=Counter({NotSent.NO_TEXT: 44, NotSent.DUPLICATE: 11}),
    decisions=Counter(include=11, exclude=864, unclear=214),
    compared=Comparison(1_042, 179, 170, Counter(night=60)),
    tally={
        "decided_by": Counter(samples=866, adjudicator=170, no_answer=3, no_abstract=40, no_text=4),
        "exclusion_reason": Counter({"night_shift": 62, "No planned nap": 792, "No data of its own": 10}),
        "for_a_person": Counter(
            contradicts_itself=8, no_abstract=40, no_text=4, unclear=167, no_answer=3, speaks_to_model=2, flagged=1
        ),
    },
    decides=True,
)
PEOPLE = (
    "167 unclear, 40 without an abstract, 4 without text, 3 without an answer, 8 where the model contradicts itself,"
    " 2 that speak to the model, 1 flagged"
)


def lines(closing: Closing) -> list[str]:
    return list(closing_lines(closing, Path("study.yaml")))


def test_a_screen_is_summed_up_in_screenings_words() -> None:
    assert lines(CLOSING)[:12] == [
        "naps: 1,100 records",
        "  identified    1,100",
        "  duplicates       11   not screened again: another record stands for them",
        "  not sent         44   40 without an abstract, 4 without text",
        "  screened      1,042   samples agree on 863, 179 contested, 170 adjudicated",
        "  problems          3   without an answer: blocked",
        "  include          11",
        "  exclude         864   792 No planned nap, 62 night_shift, 10 No data of its own",
        "  unclear         214",
        f"  a person        225   has to look: {PEOPLE}",
        "  cost        unknown   the price of what served is not in the tables",
        "",
    ]


def test_a_problem_of_the_adjudicator_alone_is_told_from_a_record_without_an_answer() -> None:
    """Such a record has a decision by its samples, and is in the counts of decisions."""
    more = replace(CLOSING, answers=1_040, problems=Counter({ProblemKind.BLOCKED: 4, ProblemKind.MALFORMED: 1}))
    assert lines(more)[5] == (
        "  problems          5   without an answer, 2 of them of the adjudicator alone: 4 blocked, 1 malformed"
    )
    alone = replace(more, problems=Counter({ProblemKind.BLOCKED: 1}), tally={"decided_by": Counter(samples=1_041)})
    assert "  problems          1   without an answer of the adjudicator: blocked" in lines(alone)


def test_where_records_came_from_is_said_when_there_are_several_sources() -> None:
    sources = (SourceCount("PubMed", 700, 0), SourceCount("Scopus", 400, 11))
    assert "  identified    1,100   700 PubMed, 400 Scopus" in lines(replace(CLOSING, sources=sources))
    assert "  identified    1,100" in lines(replace(CLOSING, sources=sources[:1]))


def test_too_many_contested_records_are_a_warning() -> None:
    many = replace(CLOSING, compared=Comparison(1_042, 400, 0, Counter(night=300), 300))
    text = " ".join(" ".join(lines(many)).split())
    assert "warning 400 of 1,042 records (38 %) are contested: criteria leave room." in text
    assert "samples agree on 642, 400 contested" in text
    assert "warning" not in " ".join(lines(CLOSING))


def test_a_study_that_asks_keeps_its_words() -> None:
    asked = replace(CLOSING, decides=False, tally={}, decisions=Counter(), compared=Comparison())
    assert lines(asked)[1:4] == [
        "  answers       1,042",
        "  problems          3   blocked",
        "  not sent         55   44 no text, 11 duplicate",
    ]
