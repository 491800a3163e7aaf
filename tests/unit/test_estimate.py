"""What an estimate is made of: characters, levels, answer fields, earlier answers; figures worked out by hand."""

import csv
import os
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from overnight.core.recipe import Recipe
from overnight.core.usage import Usd
from overnight.planning.causes import Reason, what_changed
from overnight.planning.sample import Sample
from overnight.pricing import packaged_models, packaged_prices
from overnight.pricing.characters import RATES, Characters, Kind
from overnight.pricing.estimate import (
    USUAL_AGAIN,
    Again,
    Pair,
    Part,
    Prices,
    again_of,
    calibrated,
    estimate,
    factor_words,
)
from overnight.pricing.output import answer_tokens, by_answers, level_of, levels, thinking_tokens
from overnight.pricing.range import Range
from overnight.study.screen_recipes import ADJUDICATE, SCREEN
from tests.support.recipes import recipe

TODAY = date(2026, 11, 22)


class TestCharacters:
    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("aZ \t\n", Kind.LETTER),
            ("0123456789", Kind.DIGIT),
            ("(),.<>%-\x00\x7f", Kind.SIGN),
            ("é±µß\u0300", Kind.ACCENTED),
            ("αЖאع\u0370\u07ff", Kind.ALPHABET),
            ("夜勤かなカナ한국\uff21", Kind.EAST_ASIAN),
            ("–≥→हไทย", Kind.OTHER),
            ("😀𝛼𠀀", Kind.RARE),
        ],
    )
    def test_each_is_of_its_kind(self, text: str, kind: Kind) -> None:
        n = [0] * len(Kind)
        n[kind] = len(text)
        assert Characters([text]).n == n
        mixed = Characters(["Night 24, ", text, "…"])
        assert mixed.total == 11 + len(text)

    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("The quick brown fox jumps over the lazy dog.", 10),  # Google's page on tokens, its own example
            ("What is your name?", 5),  # documentation of the crate gemini-tokenizer: a third party's
        ],
    )
    def test_published_counts_lie_within_the_rule(self, text: str, tokens: int) -> None:
        found = Characters([text]).tokens()
        assert found.low <= tokens <= found.high

    def test_no_rate_is_above_the_bytes_of_its_characters(self) -> None:
        least_bytes = dict(zip(Kind, (1, 1, 1, 2, 2, 3, 3, 4), strict=True))
        assert all(rate.high <= 1000 * least_bytes[kind] for kind, rate in RATES.items())
        assert all(rate.low < rate.high and rate.source and rate.evidence in "DSLUT?" for rate in RATES.values())

    @pytest.mark.real_data
    def test_real_abstracts_lie_within_both_of_googles_rules_of_thumb(self) -> None:
        """No tokenizer is here to count with: what Google's page says of English is held against the rule's band."""
        folder = os.environ.get("OVERNIGHT_DATA")
        if not folder:
            pytest.skip("OVERNIGHT_DATA names no folder")
        with (Path(folder) / "pubmedqa_1000.csv").open(encoding="utf-8", newline="") as file:
            abstracts = [row["abstract"] for row in csv.DictReader(file)]
        by_chars = by_words = whole = 0
        for text in abstracts:
            band, words = Characters([text]).tokens(), len(text.split())
            by_chars += band.low <= len(text) / 4 <= band.high
            by_words += band.low <= words / 0.7 <= band.high
            whole += band.low <= words / 0.8 and words / 0.6 <= band.high
        n = len(abstracts)
        assert by_chars == n
        assert by_words / n > 0.99
        assert whole / n > 0.8, "the rule by words is a range itself; not every abstract's lies in the band whole"
        expected = Characters(abstracts).tokens().expected
        chars, words = sum(map(len, abstracts)), sum(len(text.split()) for text in abstracts)
        assert words / 0.8 < expected < chars / 4


class TestOutput:
    def test_every_level_of_every_model_is_in_the_table_and_in_order(self) -> None:
        for model in packaged_models().models.values():
            named = [*model.levels, level_of(model, {}), level_of(model, {"thinkingBudget": -1})]
            assert set(named) - set(levels()) <= {str(number) for number in range(70_000)}
            expected = [thinking_tokens(level).expected for level in model.levels]
            assert expected == sorted(expected)
        assert all(row.evidence in "DSLUT?" and row.source for row in levels().values())

    def test_a_budget_is_where_thinking_stops(self) -> None:
        assert thinking_tokens("512") == Range(500, 512, 512)
        assert thinking_tokens("24576") == Range(500, 2_200, 16_000)
        assert thinking_tokens("off") == Range(0, 0, 0)
        flash = packaged_models().models["gemini-2.5-flash"]
        assert [level_of(flash, {"thinkingBudget": n}) for n in (0, -1, 512)] == ["off", "dynamic", "512"]

    def test_more_answer_fields_are_more_tokens(self) -> None:
        text, choice = {"type": "STRING"}, {"type": "STRING", "enum": ["yes", "no"]}
        one = answer_tokens({"type": "OBJECT", "properties": {"a": choice}})
        two = answer_tokens({"type": "OBJECT", "properties": {"a": choice, "b": text}})
        listed = answer_tokens({"type": "OBJECT", "properties": {"a": choice, "b": {"type": "ARRAY", "items": text}}})
        assert one.expected < two.expected < listed.expected
        assert one.high < two.high < listed.high

    def test_many_answers_speak_by_median_mean_and_95th_percentile(self) -> None:
        outputs = [100] * 90 + [1_000] * 10
        assert by_answers(outputs) == Range(100, 190, 1_000)

    def test_two_answers_speak_of_the_order_of_size_only(self) -> None:
        assert by_answers([100, 300]) == Range(100, 200, 400)


class TestCalibrated:
    def test_counts_correct_the_rule_and_keep_their_error(self) -> None:
        rule = Range(500, 1_000, 2_000)
        assert calibrated(rule, [Pair(80, 100)] * 30) == Range(784, 800, 816)
        assert calibrated(rule, [Pair(80, 100)] * 2) == Range(720, 800, 880)
        apart = calibrated(rule, [Pair(60, 100), Pair(100, 100)] * 10)
        assert apart.expected == 800
        assert apart.low < 784 < 816 < apart.high

    def test_problems_so_far_tell_what_is_sent_again(self) -> None:
        assert again_of(0, 0) == again_of(19, 19) == USUAL_AGAIN
        assert again_of(100, 1_000) == Again(80, 100, 120, 1_000)
        assert again_of(0, 1_000) == Again(0, 0, 1, 1_000)


class TestByHand:
    """1,000 requests of gemini-3.8-flash in a job, $0.375 in and $1.875 out a million tokens."""

    def sent(self, *rooms: int, again: Again) -> list[Usd]:
        (row,) = [packaged_prices().price("gemini-3.8-flash", TODAY)]
        assert row is not None
        part = Part(1_000, Range(400_000, 600_000, 800_000), Range(500, 1_200, 3_000), rooms, 2_000_000, 2_000)
        found = estimate([part], Prices(row, row, row, row, None, surcharge=False), again)
        return [found.low, found.expected, found.high, found.worst, found.all_attempts]

    def test_sent_once(self) -> None:
        # low: 0.4 · 0.375 + 0.5 · 1.875; expected: 0.6 · 0.375 + 1.2 · 1.875; high: 0.8 · 0.375 + 3 · 1.875
        # worst: (2,000,000 bytes + 64 a request) · 0.375 + 8,000 a request · 1.875
        found = self.sent(8_000, again=Again(0, 20, 100))
        assert found == [Usd("1.0875"), Usd("2.475"), Usd("5.925"), Usd("15.774"), Usd("15.774")]

    def test_and_again_as_often_as_attempts_allow(self) -> None:
        # expected · (1 + 0.02 + 0.0004), high · (1 + 0.1 + 0.01); the third room is 32,000
        found = self.sent(8_000, 16_000, 32_000, again=Again(0, 20, 100))
        assert found[1:3] == [Usd("2.475") * Decimal("1.0204"), Usd("5.925") * Decimal("1.11")]
        assert found[3:] == [Usd("15.774"), Usd("15.774") + Usd("30.774") + Usd("60.774")]


def test_one_text_above_200000_tokens_has_the_dearer_price_reserved_for_all() -> None:
    """gemini-3.1-pro-preview: $2 and $9 above, $1 and $6 below; an average of two lines would hide the long one."""
    row = packaged_prices().price("gemini-3.1-pro-preview", TODAY)
    assert row is not None
    part = Part(2, Range(0, 0, 0), Range(0, 0, 0), (1_000,), 251_000, 250_000)
    found = estimate([part], Prices(row, row, row, row, None, surcharge=False), Again(0, 0, 0))
    assert found.worst == Usd("0.520256")  # (251,000 + 2 · 64) · 2 + 2,000 · 9, by the million


def test_a_change_of_price_is_said_in_words() -> None:
    assert factor_words(Usd(3), Usd(6)) == "twice as much"
    assert factor_words(Usd(6), Usd(3)) == "half as much"
    assert factor_words(Usd(10), Usd(13)) == "1.3 times as much"


def test_a_sample_is_the_same_in_any_order_and_holds_nothing_twice() -> None:
    addresses = [bytes([n, 255 - n]) for n in range(256)]
    samples = [Sample[int](10), Sample[int](10)]
    for address in addresses + addresses:
        samples[0].offer(address, address[0])
    for address in reversed(addresses):
        samples[1].offer(address, address[0])
    assert samples[0] == samples[1]
    assert samples[0].items() == list(range(10))


class TestWhatChanged:
    """Two recipes, part by part."""

    def other(self, **changes: object) -> Recipe:
        given = {"stage": "answer", "system": "", "schema": {"type": "OBJECT"}, "thinking": {}, "own": "b", **changes}
        return Recipe(prompt=recipe("Judge: ", "{text}").prompt, **given)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"system": "Be kind."}, Reason.PROMPT_CHANGED),
            ({"schema": {"type": "STRING"}}, Reason.FIELDS_CHANGED),
            ({"thinking": {"thinkingLevel": "HIGH"}}, Reason.THINKING_CHANGED),
            ({"schema": {"type": "STRING"}, "system": "Be kind."}, Reason.RECIPE_CHANGED),
            ({"system": "Be kind.", "own": "a"}, Reason.WORDING_CHANGED),
            ({"stage": SCREEN, "schema": {"type": "STRING"}}, Reason.CRITERIA_CHANGED),
            ({"stage": SCREEN, "system": "Be kind."}, Reason.PROMPT_CHANGED),
            ({"stage": SCREEN, "system": "Be kind.", "schema": {"type": "STRING"}}, Reason.RECIPE_CHANGED),
            ({"stage": ADJUDICATE, "schema": {"type": "STRING"}}, Reason.CRITERIA_CHANGED),
            ({"stage": ADJUDICATE, "system": "Be kind."}, Reason.PROMPT_CHANGED),
            ({"stage": ADJUDICATE, "thinking": {"thinkingLevel": "HIGH"}}, Reason.THINKING_CHANGED),
        ],
    )
    def test_each_is_named(self, changes: dict[str, object], reason: Reason) -> None:
        stage = {"stage": changes["stage"]} if "stage" in changes else {}
        assert what_changed(self.other(own="a", **stage), self.other(**changes)) is reason

    def test_an_old_recipe_that_is_lost_is_no_reason_to_stop(self) -> None:
        assert what_changed(None, self.other()) is Reason.RECIPE_CHANGED


def test_the_page_on_money_gives_the_rates_as_they_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "money.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| [^|]+ \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| \[", page, re.MULTILINE)
    rates = [(rate.low, rate.expected, rate.high) for rate in RATES.values()]
    assert [tuple(int(Decimal(one) * 1000) for one in row) for row in found] == rates
