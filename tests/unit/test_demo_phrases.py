"""Sentence patterns: words that stay, numbers that agree with each other, choices that no platform changes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overnight.demo.draw import Deck, Draw
from overnight.demo.phrases import Phrasebook

WORDS = {
    "people": ["nurses", "bakers", "drivers"],
    "n": ["24..180"],
    "sector": ["rail"],
    "place/rail": ["a depot"],
    "loop": ["{loop2}"],
}
NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?")


def book(seed: int = 1) -> Phrasebook:
    return Phrasebook(WORDS, Draw(seed, "test"))


def numbers(text: str) -> list[float]:
    """The numbers of a sentence, without the 95 of the interval's name."""
    return [float(found.replace("−", "-")) for found in NUMBER.findall(re.sub("95 ?% CI", "", text))]


def test_draws_are_those_of_every_python() -> None:
    """Written down once: random() of a seed is promised to stay, and everything else here is our own."""
    draw = Draw(20261122, "written down")
    assert [draw.below(1000) for _ in range(6)] == [977, 61, 681, 931, 379, 825]
    assert "".join(draw.shuffled("abcdefgh")) == "bhcfdgea"


def test_streams_of_one_seed_are_independent() -> None:
    assert [Draw(1, "a").below(10**9)] != [Draw(1, "b").below(10**9)]


@given(st.integers(), st.lists(st.integers(), max_size=12))
def test_shuffling_keeps_every_card(seed: int, cards: list[int]) -> None:
    assert sorted(Draw(seed, "x").shuffled(cards)) == sorted(cards)


@given(st.integers(), st.integers(1, 9), st.integers(1, 12), st.integers(1, 4))
def test_a_deck_deals_different_cards_that_fit_and_comes_round(seed: int, size: int, rounds: int, n: int) -> None:
    deck = Deck(list(range(size)), Draw(seed, "deck"))
    dealt = []
    for _ in range(rounds):
        hand = deck.deal(n, lambda card: card != 0)
        assert len(hand) == len(set(hand)) == min(n, size - 1)
        assert 0 not in hand
        dealt += hand
    if len(dealt) >= 3 * size * n:
        assert set(dealt) == set(range(1, size))


@given(st.integers())
def test_a_word_stays_the_same_in_an_abstract_and_a_second_one_differs(seed: int) -> None:
    here = book(seed)
    first = here.fill("{people}")
    assert here.fill("{people}") == first
    assert here.fill("{people2}") != first


@given(st.integers())
def test_parts_of_n_add_up(seed: int) -> None:
    n, half, rest, kept = numbers(book(seed).fill("{n} {half} {rest} {kept}"))
    assert half + rest == n
    assert 24 <= n <= 180
    assert n * 0.85 <= kept < n


@given(st.integers())
def test_an_effect_lies_in_its_interval_and_the_interval_clear_of_zero(seed: int) -> None:
    value, low, high = numbers(book(seed).fill("{ci 4..19 ms}"))
    assert 0 < low <= value <= high
    assert 4 <= value <= 19


@given(st.integers())
def test_no_effect_has_an_interval_across_zero(seed: int) -> None:
    value, low, high = numbers(book(seed).fill("{no 6 ms}"))
    assert low < 0 < high
    assert low <= value <= high


@given(st.integers())
def test_a_ratio_has_an_interval_clear_of_one(seed: int) -> None:
    value, low, high = numbers(book(seed).fill("{or 1.2..2.8}"))
    assert 1 < low < value < high
    assert 1.2 <= value <= 2.8


@given(st.integers())
def test_small_p_values_are_small_and_the_others_are_not(seed: int) -> None:
    here = book(seed)
    assert numbers(here.fill("{p}"))[0] < 0.05
    assert numbers(here.fill("{ns}"))[0] > 0.05


@given(st.integers())
def test_a_share_of_a_number_is_a_share(seed: int) -> None:
    n, share = numbers(book(seed).fill("{n} {of n 40..90}"))
    assert n * 0.4 - 1 <= share <= n * 0.9


def test_choices_nest_and_a_sentence_begins_with_a_capital() -> None:
    said = {book(seed).fill("[we [asked|tested]|they asked] once") for seed in range(60)}
    assert said == {"We asked once", "We tested once", "They asked once"}


def test_lists_go_by_sector() -> None:
    assert book().fill("at {place}") == "At a depot"


def test_a_slot_that_no_list_has_is_an_error() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        book().fill("{nowhere}")


def test_lists_that_go_round_in_a_circle_are_an_error() -> None:
    with pytest.raises(RecursionError):
        book().fill("{loop}")
