"""The tables of docs/reference/screening.md, run row by row: contests, rule, adjudicator, who looks."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import combinations, combinations_with_replacement
from pathlib import Path

import pytest

from overnight.answers.decisions import Word, no_answer
from overnight.answers.screened import WORDS, Screened, contests, screened, voted
from overnight.core.outcome import ProblemKind
from overnight.study.models import Rule, ScreenSpec
from tests.support.screens import ONE_OF_EACH, SAYS, answer, read, record, row, sample, screen_task, settled

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "screening.md").read_text(encoding="utf-8")
RULES: tuple[Rule, ...] = ("unanimous", "majority", "any_include")


def rows(heading: str) -> list[list[str]]:
    """Cells of the table whose first line begins so."""
    table = re.search(rf"^\| {re.escape(heading)}.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table, f"the page has no table that begins with {heading}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def decided(*says: str, adjudicator: str = "", spec: ScreenSpec = ONE_OF_EACH, own: str = "") -> Screened:
    """own: the model's own word in each sample."""
    ruled = sample(adjudicator) if adjudicator else None
    silent = "blocked" if adjudicator == "no answer" else ""
    found = screened(spec, [sample(one, own) for one in says], ruled, no_adjudication=silent)
    assert found is not None
    return found


def with_rule(rule: str) -> ScreenSpec:
    return ONE_OF_EACH.model_copy(update={"rule": rule})


CONTESTED = rows("samples | contested")
VOTES = rows("include | exclude | unclear")
ADJUDICATOR = rows("adjudicator |")
LOOKS = rows("a person looks where")


def test_what_the_samples_of_these_tests_say() -> None:
    for says in SAYS:
        found = sample(says)
        assert found is not None
        assert found.decision.decision == says.split()[0].replace("silent", "unclear")


@pytest.mark.parametrize(("samples", "contested"), CONTESTED, ids=[" + ".join(line) for line in CONTESTED])
def test_a_record_is_contested_as_the_page_says(samples: str, contested: str) -> None:
    found = contests([sample(one) for one in samples.split(", ")])
    assert (", ".join(found) or "no") == contested


def test_the_table_of_contests_shows_every_mark_alone_and_no_two_rows_are_one() -> None:
    assert {"differ", "no_answer", "quotes"} <= {contested for _, contested in CONTESTED}
    assert len({samples for samples, _ in CONTESTED}) == len(CONTESTED)


@pytest.mark.parametrize("line", VOTES, ids=[" ".join(cell or "0" for cell in line[:4]) for line in VOTES])
def test_the_rule_makes_of_three_samples_what_the_page_says(line: list[str]) -> None:
    says = [
        says for says, n in zip((*WORDS, "no answer"), line[:4], strict=True) for _ in range(int(n or 0))
    ]  # the page leaves a zero blank
    assert len(says) == 3
    for rule, expected in zip(RULES, line[5:8], strict=True):
        found = decided(*says, spec=with_rule(rule))
        assert (found.decision.decision, found.agreement) == (expected, line[4])
        assert found.decision.decided_by == "samples"
        assert found.decision.exclusion_reason == ("Wrong population" if expected == "exclude" else "")
        assert bool(found.doubts) == (line[8] == "yes")


def test_the_table_of_votes_has_every_three_samples_of_which_one_answered() -> None:
    counts = {tuple(int(cell or 0) for cell in line[:4]) for line in VOTES}
    words = (*WORDS, "no answer")
    wanted = {tuple(map(Counter(three).__getitem__, words)) for three in combinations_with_replacement(words, 3)}
    assert counts == wanted - {(0, 0, 0, 3)}
    assert len(VOTES) == len(counts)


@pytest.mark.parametrize("asked", range(1, 10))
def test_the_rules_in_words_hold_for_any_number_of_samples(asked: int) -> None:
    for says in combinations_with_replacement((*WORDS, None), asked):
        words: Counter[Word] = Counter(word for word in says if word)
        alike = next((word for word in WORDS if words[word] == asked), "unclear")
        most = next((word for word in WORDS if words[word] > asked / 2), "unclear")
        assert voted("unanimous", words, asked) == alike
        assert voted("majority", words, asked) == most
        assert voted("any_include", words, asked) == ("include" if words["include"] else alike)


@pytest.mark.parametrize("line", ADJUDICATOR, ids=[line[0] for line in ADJUDICATOR])
@pytest.mark.parametrize("rule", RULES)
def test_the_adjudicator_decides_as_the_page_says(line: list[str], rule: Rule) -> None:
    says, same, none = line
    for n in (1, 2, 3):
        for samples in combinations(WORDS, n):
            cell = same if says in samples else none
            found = decided(*samples, adjudicator=says, spec=with_rule(rule))
            decision = cell.removesuffix(", a person looks")
            if decision == "as the rule says":
                decision = decided(*samples, spec=with_rule(rule)).decision.decision
            assert found.decision.decision == decision
            assert bool(found.doubts) == cell.endswith("a person looks")
            assert found.decision.decided_by == (
                "adjudicator" if says != "no answer" else "rule" if n == 1 else "samples"
            )


def test_the_table_of_the_adjudicator_has_all_it_may_say() -> None:
    assert [line[0] for line in ADJUDICATOR] == [*WORDS, "no answer"]


LENIENT = ONE_OF_EACH.model_copy(update={"unclear": "include"})
MAJORITY = with_rule("majority")
CASES: dict[str, Callable[[], Screened]] = {
    "the decision is unclear": lambda: decided("silent"),
    "the adjudicator decides what no sample does": lambda: decided("exclude", "unclear", adjudicator="include"),
    "the adjudicator has no answer": lambda: decided("include", "include", adjudicator="no answer"),
    "samples decide differently, and no adjudicator decided": lambda: decided(
        *("include", "exclude", "include"), spec=MAJORITY
    ),
    "one of several samples has no answer, and no adjudicator decided": lambda: decided(
        *("include", "include", "no answer"), spec=MAJORITY
    ),
    "the decision of a sample, or of the adjudicator, hangs on a quote that is not there": lambda: decided(
        "unclear for a lost quote", spec=LENIENT
    ),
    "the model's own decision does not follow from its verdicts": lambda: decided("exclude", own="include"),
}
NOBODY = {
    "no sample has an answer": "no answer: blocked",
    "it was not sent: no abstract, or no text at all": "no abstract",
}


@pytest.mark.parametrize(("where", "why"), LOOKS, ids=[line[0] for line in LOOKS])
def test_a_person_looks_where_the_page_says(where: str, why: str, tmp_path: Path) -> None:
    if where not in NOBODY:
        assert re.fullmatch(re.escape(why).replace("…", ".+"), "; ".join(CASES[where]().doubts))
        return
    task = screen_task(tmp_path)
    abstract = "We studied nurses." if why.startswith("no answer") else ""
    found = settled(ProblemKind.BLOCKED) if abstract else {}
    cells = row(task, record(title="Naps", Abstract=abstract), found)
    assert (cells["needs_person"], cells["needs_person_why"]) == (True, why)


def test_a_lost_quote_of_the_adjudicator_asks_a_person_and_one_of_an_overruled_sample_does_not() -> None:
    lost = decided("include", "exclude", "unclear", adjudicator="unclear for a lost quote")
    assert "quote not found: night" in lost.doubts
    assert decided("include", "unclear for a lost quote", adjudicator="include").doubts == ()


def test_unclear_include_takes_the_first_doubt_away_and_none_of_the_others() -> None:
    assert decided("unclear", spec=LENIENT).doubts == ()
    assert decided("unclear", "unclear", spec=LENIENT).doubts == ()
    assert decided("include", "unclear", spec=LENIENT).doubts == ("samples differ: include 1, unclear 1",)
    assert decided("include", "exclude", adjudicator="unclear", spec=LENIENT).doubts == ()
    against = decided("exclude", adjudicator="include", spec=LENIENT)
    assert against.doubts == (
        "the adjudicator decides include, and no sample does (the inclusion criterion is met, no exclusion applies)",
    )
    assert against.decision.decision == "include"
    assert no_answer("no answer: blocked", "no_answer").decision == "unclear"


def test_agreement_and_votes_are_of_what_samples_said_before_unclear_counts_as_include() -> None:
    found = decided("include", "unclear", "exclude", spec=LENIENT)
    assert (found.decision.decision, found.agreement) == ("include", "1 of 3")
    assert found.decision.why == "samples differ: include 1, exclude 1, unclear 1 (unclear counts as include)"
    assert found.decision.exclusion_reason == ""


def test_the_reason_is_the_one_most_give_and_of_as_many_the_first_in_the_study() -> None:
    night, review = ONE_OF_EACH.criteria
    named = ONE_OF_EACH.model_copy(
        update={
            "include": (night.model_copy(update={"reason": "Z, first in the study"}),),
            "exclude": (review.model_copy(update={"reason": "A, last in the study"}),),
        }
    )
    by_night = read(named, answer(**SAYS["exclude"]))
    by_review = read(named, answer(night=("met", "there"), review=("met", "there")))
    for samples, reason in (
        ([by_review, by_night], "Z, first in the study"),
        ([by_review, by_night, by_review], "A, last in the study"),
    ):
        found = screened(named, samples)
        assert found is not None
        assert (found.decision.decision, found.decision.exclusion_reason) == ("exclude", reason)
        assert found.doubts == (), "they agree on the decision"


def test_a_criterion_has_the_verdict_of_most_and_of_as_many_none() -> None:
    def night(*says: str, adjudicator: str = "") -> tuple[dict[str, int], str | None]:
        found = decided(*says, adjudicator=adjudicator).criteria[0]
        return dict(found.votes), found.verdict

    assert night("include", "include", "exclude") == ({"met": 2, "not_met": 1}, "met")
    assert night("include", "exclude") == ({"met": 1, "not_met": 1}, "unclear")
    assert night("include", "no answer", "no answer") == ({"met": 1, "no_answer": 2}, "met")
    assert night("unclear for a lost quote", "include", "unclear") == ({"unclear": 2, "met": 1}, "unclear")
    assert night("include", "include", "exclude", adjudicator="exclude")[1] == "not_met"


def test_an_answer_that_lacks_a_criterion_leaves_its_verdict_blank_the_adjudicators_too() -> None:
    lacking = read(ONE_OF_EACH, answer(review=("not_stated", "")))
    alone = screened(ONE_OF_EACH, [lacking])
    assert alone is not None
    assert (alone.decision.why, alone.criteria[0].verdict) == ("night unclear (no verdict)", None)
    ruled = screened(ONE_OF_EACH, [sample("include"), sample("exclude")], lacking)
    assert ruled is not None
    assert (ruled.decision.why, ruled.criteria[0].verdict) == ("night unclear (no verdict)", None)
