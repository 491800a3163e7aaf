"""The fictional records: reproducible, varied, odd in the ways of real exports, and true to what they claim to be."""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from overnight.answers.decisions import CriterionResult, Verdict, decide
from overnight.answers.quotes import find_quote
from overnight.demo.abstracts import NO_ABSTRACT, DemoRecord, make_records
from overnight.demo.kinds import CRITERIA, EXCLUDE, INCLUDE, all_kinds
from overnight.errors import UsageError
from overnight.study.load import load_study
from overnight.study.models import ScreenSpec

EXAMPLE = Path(__file__).parents[2] / "examples" / "planned-naps"
OTHER_LANGUAGES = {"spanish", "russian", "chinese"}


@pytest.fixture(scope="module")
def records() -> list[DemoRecord]:
    return make_records()


@pytest.fixture(scope="module")
def originals(records: list[DemoRecord]) -> list[DemoRecord]:
    """With an abstract, and no copies."""
    return [record for record in records if record.shown and not record.copy_of]


def shingles(text: str) -> set[tuple[str, ...]]:
    """Every run of five words; single characters where a script has no spaces."""
    words = re.findall(r"[一-鿿]|\w+", text.lower())
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def likeness(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    return len(one & other) / max(1, len(one | other))


# --- reproducible


def test_the_same_seed_gives_the_same_records_and_another_gives_others(records: list[DemoRecord]) -> None:
    assert make_records() == records
    others = make_records(seed=7)
    assert {record.abstract for record in others} & {record.abstract for record in records} <= set(NO_ABSTRACT)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 21, 40, 333])
def test_any_number_of_records(n: int) -> None:
    made = make_records(seed=n, n=n)
    assert len(made) == len({record.record_id for record in made}) == n


def test_fewer_than_none_is_refused() -> None:
    with pytest.raises(UsageError, match="-1 records cannot be made"):
        make_records(n=-1)


# --- varied


def test_there_are_a_thousand_sentence_patterns_and_nearly_all_are_used(records: list[DemoRecord]) -> None:
    known = {
        pattern.text
        for kind in all_kinds()
        for patterns in (kind.patterns, kind.shared)
        for section, lines in patterns.items()
        if not section.startswith("title")
        for pattern in lines
    }
    used = {pattern for record in records for pattern in record.patterns}
    assert used <= known
    assert len(used) >= 1_000
    assert len(used) / len(known) > 0.98


def test_no_two_sections_of_a_kind_hold_the_same_line() -> None:
    for kind in all_kinds():
        lines = [pattern for patterns in kind.patterns.values() for pattern in patterns]
        assert [line for line, n in Counter(lines).items() if n > 1] == [], kind.name


def test_sentences_are_many_and_none_is_everywhere(originals: list[DemoRecord]) -> None:
    sentences = Counter(
        sentence
        for record in originals
        for sentence in re.split(r"(?<=[.!?])\s+", record.abstract)
        if len(sentence) > 25
    )
    assert len(sentences) > 6_000
    assert max(sentences.values()) < len(originals) * 0.05


def test_no_two_abstracts_are_nearly_the_same_unless_one_is_a_copy(originals: list[DemoRecord]) -> None:
    by_kind: dict[str, list[set[tuple[str, ...]]]] = {}
    for record in originals:
        by_kind.setdefault(record.kind, []).append(shingles(record.abstract))
    worst = max(likeness(a, b) for group in by_kind.values() for a, b in combinations(group, 2))
    assert worst < 0.6


def test_no_title_comes_twice_except_on_a_copy(originals: list[DemoRecord]) -> None:
    assert [title for title, n in Counter(record.title for record in originals).items() if n > 1] == []


def test_abstracts_have_the_length_of_abstracts(originals: list[DemoRecord]) -> None:
    lengths = sorted(len(record.abstract.split()) for record in originals if record.kind not in OTHER_LANGUAGES)
    assert sum(80 <= length <= 320 for length in lengths) / len(lengths) > 0.9
    assert lengths[0] < 30
    assert lengths[-1] > 320


def test_no_slot_or_bracket_is_left_open(records: list[DemoRecord]) -> None:
    for record in records:
        assert not re.search(r"[{}|]|\ban? an? |\.\.(?!\.)", record.title + record.abstract), record.record_id


# --- true


def test_every_verdict_is_shown_by_a_passage_that_the_quote_check_finds(originals: list[DemoRecord]) -> None:
    for record in originals:
        for criterion, verdict in record.verdicts.items():
            shown = verdict == "met" or (verdict == "not_met" and criterion in INCLUDE)
            assert shown == (criterion in record.shown), (record.record_id, criterion)
        for passage in record.shown.values():
            found = find_quote(passage, record.abstract)
            assert found is not None, (record.record_id, passage)


SPEAKS_OF = {
    "night_shift": r"night|nocturn|shift",
    "planned_nap": r"\bnap|siesta",
    "measures_alertness": r"alert|reaction|vigilan|performance|lapse|sleepiness|drows|attention|speed of response",
    "no_own_data": r"review|protocol|comment|correct|erratum|letter|editorial|opinion",
    "not_human": r"rats|mice|pigeons|gerbils|ferrets|hamsters|voles|degus|flies|larvae|bees|cockroaches|worms|cells",
}


@pytest.mark.parametrize("criterion", CRITERIA)
def test_what_is_met_is_said_and_what_is_not_stated_is_not_mentioned(
    originals: list[DemoRecord], criterion: str
) -> None:
    spoken = re.compile(SPEAKS_OF[criterion], re.IGNORECASE)
    english = [record for record in originals if record.kind not in OTHER_LANGUAGES]
    stated = [record for record in english if record.verdicts[criterion] != "not_stated"]
    for record in stated:
        if criterion in record.shown and not re.search("[\u200b\u00a0]", record.shown[criterion]):
            assert spoken.search(record.shown[criterion]), (record.record_id, record.shown[criterion])
    for record in english:
        if record.verdicts[criterion] == "not_stated":
            assert not spoken.search(f"{record.title} {record.abstract}"), (record.record_id, record.abstract)


def test_the_decision_is_the_one_the_screening_rule_gives(records: list[DemoRecord]) -> None:
    screen = load_study(EXAMPLE / "study.yaml").task
    assert isinstance(screen, ScreenSpec)
    assert tuple(criterion.id for criterion in screen.criteria) == CRITERIA
    for record in records:
        if record.abstract in NO_ABSTRACT:
            assert record.decision == "unclear"
            continue
        judged = [
            CriterionResult(
                id=criterion,
                kind="exclude" if criterion in EXCLUDE else "include",
                verdict=Verdict(verdict),
                quote="" if verdict == "not_stated" else "a passage",
                quote_found="" if verdict == "not_stated" else "exact",
                reason="",
            )
            for criterion, verdict in record.verdicts.items()
        ]
        assert decide(screen, judged).decision == record.decision, record.kind


def test_screening_makes_sense_of_it(records: list[DemoRecord]) -> None:
    decisions = Counter(record.decision for record in records)
    assert 0.08 < decisions["include"] / len(records) < 0.2
    assert 0.05 < decisions["unclear"] / len(records) < 0.15
    verdicts = {(criterion, record.verdicts[criterion]) for record in records for criterion in CRITERIA}
    assert {(criterion, verdict) for criterion in INCLUDE for verdict in ("met", "not_met", "not_stated")} <= verdicts


def test_every_tag_is_set_by_a_comparison_of_its_kind() -> None:
    for kind in all_kinds():
        comparisons = [pattern.tags for pattern in kind.patterns.get("what", ())]
        for section, patterns in kind.patterns.items():
            for pattern in patterns:
                fits = any(pattern.tags <= tags for tags in comparisons)
                assert fits or not pattern.tags, (kind.name, section, pattern)


def test_all_of_it_says_that_it_is_fictional(records: list[DemoRecord]) -> None:
    for record in records:
        assert re.search("fict|Fict|imagin|invent", record.journal), record.journal
        assert record.doi == "" or record.doi.startswith("10.99999/")


# --- odd


def test_the_oddities_of_real_exports_are_there(records: list[DemoRecord]) -> None:
    n = len(records)
    abstracts = [record.abstract for record in records]
    titles = [record.title for record in records]
    assert 0.035 < sum(abstract in NO_ABSTRACT for abstract in abstracts) / n < 0.05
    assert {"", "[No abstract available]"} <= set(abstracts)
    assert sum("<i>" in abstract for abstract in abstracts) > 10
    assert sum("&lt;" in abstract for abstract in abstracts) > 10
    for sign in (
        "\u00a0",
        "\u200b",
        "“",
        '"',
        "\n",
        "’",
        "α",
        "β",
        "χ²",
        "≥|°",
        "×|−",
        "一|的",
        "д",
        "ó",
        "RESULTS: ",
        "Results\n",
    ):
        assert any(re.search(sign, f"{record.title}{record.abstract}") for record in records), sign
    assert any(title.startswith("=SUM(") for title in titles)
    assert any("😴" in title for title in titles)
    assert any(record.year == "" for record in records)
    assert any(record.doi == "" for record in records)
    assert any(record.keywords == "" for record in records)


def test_some_ids_would_be_lost_as_numbers(records: list[DemoRecord]) -> None:
    ids = [record.record_id for record in records]
    assert {"071", "0071"} <= set(ids)
    numeric = [record_id for record_id in ids if record_id.isdigit()]
    assert len(numeric) > 20
    assert all(record_id.startswith("0") for record_id in numeric)
    assert len({int(record_id) for record_id in numeric}) < len(numeric)


def test_copies_share_their_original_s_text_and_truth(records: list[DemoRecord]) -> None:
    place = {record.record_id: i for i, record in enumerate(records)}
    exact = near = 0
    for record in records:
        if not record.copy_of:
            continue
        original = records[place[record.copy_of]]
        assert place[record.copy_of] < place[record.record_id]
        assert (record.title, record.verdicts, record.kind) == (original.title, original.verdicts, original.kind)
        assert likeness(shingles(record.abstract), shingles(original.abstract)) > 0.7
        exact += record.abstract == original.abstract
        near += record.abstract != original.abstract
    assert 0.02 < exact / len(records) < 0.03
    assert near >= 8
