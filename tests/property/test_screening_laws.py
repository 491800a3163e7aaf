"""Laws of a screen: what may never be excluded, what changes nothing, what costs nothing."""

import re
from collections import Counter
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from overnight.answers.judged import SILENCE_AS_TOLD, Judged
from overnight.answers.screened import Screened, contests, screened
from overnight.core.outcome import ProblemKind
from overnight.core.task import Settlements, Want
from overnight.planning.arguments import arguments
from overnight.planning.pinned import Pinned
from overnight.planning.screening import ScreenTask
from overnight.study.models import DeepThinkSpec, IfSilent, Rule, ScreenSpec, Study
from tests.support.screens import SCREEN, Answer, answer, read, record, row, screen_task, settled, study

RECORD = record(title="Naps at work", Abstract="We studied night nurses. Nurses slept well. All of them were women.")
QUOTES = ("night nurses", "Nurses slept well", "an invented passage", "")
CRITERIA = ("night", "nap", "review")

SILENCES = st.tuples(*[st.sampled_from(get_args(IfSilent))] * 3)
RULES = st.sampled_from(get_args(Rule))
VERDICTS = st.sampled_from(["met", "not_met", "not_stated", "unclear"])
JUDGED = st.tuples(VERDICTS, st.sampled_from(QUOTES))
ANSWERS = st.builds(
    lambda own, judged: answer(own, **dict(zip(CRITERIA, judged, strict=True))),
    st.sampled_from(["include", "exclude", "unclear", ""]),
    st.tuples(JUDGED, JUDGED, JUDGED),
)
SOME_PROBLEM = st.sampled_from([ProblemKind.BLOCKED, ProblemKind.TRUNCATED])
SAMPLES = st.lists(st.one_of(ANSWERS, ANSWERS, ANSWERS, SOME_PROBLEM), min_size=1, max_size=5)


def spec(
    silence: tuple[IfSilent, ...] = ("unclear", "unclear", "not_met"),
    rule: Rule = "unanimous",
    unclear: str = "person",
    reason: str = "",
) -> ScreenSpec:
    def criterion(n: int, kind: str) -> dict[str, Any]:
        return {
            "id": CRITERIA[n],
            "ask": f"Is it {CRITERIA[n]}?",
            "kind": kind,
            "if_silent": silence[n],
            "reason": reason,
        }

    return ScreenSpec.model_validate(
        {
            "question": "Do naps help?",
            "rule": rule,
            "unclear": unclear,
            "include": [criterion(0, "include"), criterion(1, "include")],
            "exclude": [criterion(2, "exclude")],
        }
    )


SPECS = st.builds(spec, SILENCES, RULES, st.sampled_from(["person", "include"]), st.sampled_from(["", "Wrong kind"]))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder: Path = tmp_path_factory.mktemp("laws")
    return study(folder)


def task(base: Study, screen: ScreenSpec, deep: DeepThinkSpec, pinned: Pinned | None = None) -> ScreenTask:
    return ScreenTask(replace(base, task=screen, deep_think=deep), {}, pinned=pinned)


def pins(base: Study, screen: ScreenSpec, deep: DeepThinkSpec) -> Pinned:
    """What the ledger keeps of a study that began so."""
    begun = task(base, screen, deep.model_copy(update={"adaptive": False}))
    samples = {(want.stage, want.sample): want.recipe for want in begun.wants(RECORD, {})}
    return samples | {(recipe.stage, 1): recipe for recipe in begun.recipes if recipe.stage == "adjudicate"}


def heard(screen: ScreenSpec, samples: list[Answer | ProblemKind]) -> list[Judged | None]:
    silence = {one.id: one.if_silent for one in screen.criteria}
    return [None if isinstance(one, ProblemKind) else read(screen, one, silence) for one in samples]


def judged(screen: ScreenSpec, samples: list[Answer | ProblemKind], ruled: Answer | None = None) -> Screened:
    adjudicated = None if ruled is None else heard(screen, [ruled])[0]
    found = screened(screen, heard(screen, samples), adjudicated)
    assume(found is not None)
    assert found is not None
    return found


def grounds(screen: ScreenSpec, one: Judged) -> list[str]:
    """Criteria on which this answer may exclude: written out, not asked of the code under test."""
    found = []
    for criterion in screen.criteria:
        result = one.result(criterion.id)
        assert result is not None
        quoted = result.quote_found in ("exact", "near")
        silent = criterion.if_silent == "not_met" and criterion.kind == "include"
        against = "not_met" if criterion.kind == "include" else "met"
        if (result.verdict == against and quoted) or (result.verdict == "not_stated" and silent):
            found.append(criterion.reason or criterion.id)
    return found


@given(SPECS, SAMPLES, st.one_of(st.none(), ANSWERS))
def test_an_exclusion_stands_on_a_found_quote_or_on_a_silence_that_the_study_says_excludes(
    screen: ScreenSpec, samples: list[Answer | ProblemKind], ruled: Answer | None
) -> None:
    found = judged(screen, samples, ruled)
    assume(found.decision.decision == "exclude")
    excluding = [one for one in found.samples if one is not None and one.decision.decision == "exclude"]
    assert excluding, "an adjudicator alone excludes nothing"
    for one in [found.adjudicated] if found.adjudicated else excluding:
        assert grounds(screen, one)
    said = [found.adjudicated] if found.adjudicated else excluding
    assert any(found.decision.exclusion_reason in grounds(screen, one) for one in said)


@given(SPECS, st.lists(SOME_PROBLEM, min_size=1, max_size=3), st.integers(0, 2))
def test_a_record_without_an_answer_is_never_decided(
    base: Study, screen: ScreenSpec, problems: list[ProblemKind], still_open: int
) -> None:
    deep = DeepThinkSpec(samples=len(problems) + still_open, adjudicate="all")
    cells = row(task(base, screen, deep), RECORD, settled(*problems))
    if still_open:
        assert set(cells.values()) == {None}
    else:
        assert (cells["decision"], cells["decided_by"], cells["needs_person"]) == ("unclear", "no_answer", True)


@given(SPECS, SAMPLES)
def test_any_include_includes_what_majority_does_and_majority_what_unanimous_does(
    screen: ScreenSpec, samples: list[Answer | ProblemKind]
) -> None:
    """Before `unclear: include`, which makes an include of what the stricter rule leaves unclear."""
    words = [
        judged(screen.model_copy(update={"rule": rule, "unclear": "person"}), samples).decision.decision
        for rule in ("unanimous", "majority", "any_include")
    ]
    included = [word == "include" for word in words]
    assert included == sorted(included)
    excluded = [word == "exclude" for word in words[:2]]
    assert excluded == sorted(excluded), "and majority excludes what unanimous does"


@given(SPECS, st.lists(ANSWERS, min_size=2, max_size=5), st.data())
def test_a_sample_that_comes_round_to_another_never_brings_a_person_in(
    screen: ScreenSpec, samples: list[Answer | ProblemKind], data: st.DataObject
) -> None:
    before = judged(screen, samples)
    one, other = (data.draw(st.integers(0, len(samples) - 1)) for _ in range(2))
    after = judged(screen, [samples[other] if n == one else given for n, given in enumerate(samples)])
    assert not after.doubts or before.doubts


@given(SPECS, st.lists(st.one_of(ANSWERS, ANSWERS, SOME_PROBLEM), min_size=2, max_size=4))
def test_the_order_of_samples_decides_nothing(screen: ScreenSpec, samples: list[Answer | ProblemKind]) -> None:
    def seen(found: Screened) -> tuple[object, ...]:
        votes = [(one.votes, one.verdict, one.is_split) for one in found.criteria]
        decision = found.decision.decision, found.decision.decided_by, found.decision.exclusion_reason
        return decision, votes, found.agreement, found.contested, bool(found.doubts)

    first = seen(judged(screen, samples))
    assert all(seen(judged(screen, list(order))) == first for order in permutations(samples))


DEEP = st.builds(
    DeepThinkSpec,
    samples=st.integers(3, 4),
    adjudicate=st.sampled_from(["contested", "never", "all"]),
    adaptive=st.booleans(),
)
SETTLED = st.lists(st.one_of(ANSWERS, ANSWERS, ANSWERS, SOME_PROBLEM), max_size=4)


def addresses(wants: list[Want]) -> list[tuple[str, int, str, tuple[str, ...]]]:
    """All of what an address is made of that a task can change."""
    return [(want.stage, want.sample, want.recipe.digest, want.texts) for want in wants]


@given(SPECS, SPECS, DEEP, SETTLED)
def test_if_silent_rule_reason_and_unclear_never_send_anything(
    base: Study, begun: ScreenSpec, now: ScreenSpec, deep: DeepThinkSpec, samples: list[Answer | ProblemKind]
) -> None:
    """The promise: whatever came back so far, the study as it is now wants what the study as it began would want."""
    first = task(base, begun, deep)
    found: Settlements = settled(*samples)
    after = task(base, now, deep, pins(base, begun, deep))
    assert addresses(list(after.wants(RECORD, found))) == addresses(list(first.wants(RECORD, found)))


@pytest.mark.parametrize("begun", get_args(IfSilent))
def test_no_silence_of_today_adjudicates_what_the_silence_begun_with_did_not(base: Study, begun: IfSilent) -> None:
    """Every three samples that say met, not met or not stated, and every change of `if_silent`."""
    deep = DeepThinkSpec(samples=3, adjudicate="contested")
    first = task(base, spec((begun, "unclear", "not_met")), deep)
    pinned = pins(base, spec((begun, "unclear", "not_met")), deep)
    after = [task(base, spec((now, "unclear", "not_met")), deep, pinned) for now in get_args(IfSilent)]
    rest: dict[str, Any] = {"nap": ("met", "night nurses"), "review": ("not_stated", "")}
    adjudicated = 0
    for verdicts in product([("met", "night nurses"), ("not_met", "Nurses slept well"), ("not_stated", "")], repeat=3):
        found = settled(*(answer(night=verdict, **rest) for verdict in verdicts))
        wanted = addresses(list(first.wants(RECORD, found)))
        adjudicated += len(wanted) > 3
        assert [addresses(list(one.wants(RECORD, found))) for one in after] == [wanted] * 3
    assert adjudicated == {"met": 18, "not_met": 18, "unclear": 24}[begun]


def test_a_sample_that_is_asked_later_has_the_silence_that_the_study_began_with(base: Study) -> None:
    """Three criteria: the fourth sample has the first one's recipe, and what is kept of it must not change."""
    begun, now = spec(("met", "unclear", "not_met")), spec(("not_met", "met", "unclear"))
    pinned = pins(base, begun, DeepThinkSpec(samples=1, adjudicate="never"))
    later = task(base, now, DeepThinkSpec(samples=4, adjudicate="never"), pinned)
    recipes = [want.recipe for want in later.wants(RECORD, {})]
    assert recipes[3].digest == recipes[0].digest
    assert [recipe.silence for recipe in recipes] == [recipes[0].silence] * 4
    assert recipes[0].silence == {"night": "met", "nap": "unclear", "review": "not_met"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("[title, Abstract]", "[title, abstract]"), ("Works at night.", "'Works at night. '")],
    ids=["a column of the same label", "white space around a criterion"],
)
def test_an_edit_that_the_model_does_not_see_keeps_the_silence_that_the_study_began_with(
    tmp_path: Path, old: str, new: str
) -> None:
    begun = screen_task(tmp_path)
    silent = SCREEN.replace("reason: Wrong population", "if_silent: met")
    later = screen_task(tmp_path, silent.replace(old, new), pinned=begun.asked_with)
    assert later.recipe.digest == begun.recipe.digest, "nothing is asked anew"
    assert later.recipe.silence == begun.recipe.silence == {"night": "unclear", "review": "not_met"}
    assert later.recipe.slots == (("title", "abstract") if "title" in new else begun.recipe.slots)


@given(SPECS, SETTLED, ANSWERS)
def test_an_adjudicator_changes_contested_records_and_no_others(
    base: Study, screen: ScreenSpec, samples: list[Answer | ProblemKind], ruled: Answer
) -> None:
    alone = task(base, screen, DeepThinkSpec(samples=3, adjudicate="never"))
    heard_by = task(base, screen, DeepThinkSpec(samples=3, adjudicate="contested"))
    found = settled(*samples[:3], adjudicated=ruled)
    before = alone.screened(RECORD, found)
    if before is None or not before.contested:
        assert heard_by.cells(RECORD, found) == alone.cells(RECORD, found)
    else:
        after = heard_by.screened(RECORD, found)
        assert after is not None
        assert after.decision.decided_by == "adjudicator"


@given(SPECS, SETTLED)
def test_adaptive_asks_the_rest_only_where_the_first_two_are_contested(
    base: Study, screen: ScreenSpec, samples: list[Answer | ProblemKind]
) -> None:
    deep = DeepThinkSpec(samples=4, adjudicate="never", adaptive=True)
    wanted = [want.sample for want in task(base, screen, deep).wants(RECORD, settled(*samples))]
    asks_all = len(samples) >= 2 and bool(contests(heard(screen, samples[:2])))
    assert wanted == ([1, 2, 3, 4] if asks_all else [1, 2])


TOLD = spec()
THREE = st.lists(ANSWERS, min_size=3, max_size=3)


@given(THREE)
def test_the_adjudicator_is_shown_each_argument_once_and_no_lost_quote(samples: list[Answer | ProblemKind]) -> None:
    shown = arguments(["Naps", "A text."], heard(TOLD, samples))
    assert shown == arguments(["Naps", "A text."], heard(TOLD, samples)), "the same answers, the same bytes"
    assert [line for line in shown.splitlines() if line.startswith("Reviewer")] == [f"Reviewer {x}" for x in "ABC"]
    assert "invented" not in shown
    assert shown.count("In short: ") == 3
    lowered = shown.lower()
    assert not [word for word in ("neutral", "against", "framing", "sample", "if_silent") if word in lowered]
    assert not set("123456789") & set(shown)


@given(THREE, SILENCES)
def test_what_it_is_shown_does_not_depend_on_what_silence_counts_as(
    samples: list[Answer | ProblemKind], silence: tuple[IfSilent, ...]
) -> None:
    assert arguments(["x"], heard(spec(silence), samples)) == arguments(["x"], heard(TOLD, samples))


def test_the_order_of_reviewers_is_the_records_own() -> None:
    """Of 600 records each of the six orders has some hundred: no place is the first sample's."""
    three = [read(TOLD, answer(rationale=f"I am {name}.", night=("met", "x")), SILENCE_AS_TOLD) for name in "XYZ"]
    orders = Counter("".join(re.findall(r"I am (.)\.", arguments([f"Text {n}."], three))) for n in range(600))
    assert set(orders) == set(map("".join, permutations("XYZ")))
    assert min(orders.values()) > 60


def test_a_given_up_sample_is_no_reviewer() -> None:
    one = read(TOLD, answer(night=("met", "x")))
    shown = arguments(["x"], [None, one, None])
    assert [line for line in shown.splitlines() if line.startswith("Reviewer")] == ["Reviewer A"]
    assert arguments(["x"], [None, None]) == ""


def test_an_unclear_verdict_argues_with_no_words_that_are_not_there() -> None:
    """No verdict is lost with such a quote, and its words are invented all the same."""
    one = read(TOLD, answer(night=("unclear", "an invented passage"), nap=("unclear", "night nurses")))
    assert arguments(["x"], [one]).splitlines()[1:3] == [
        "- c_night: unclear. Reason: Because night.",
        '- c_nap: unclear. Quote: "night nurses" Reason: Because nap.',
    ]
