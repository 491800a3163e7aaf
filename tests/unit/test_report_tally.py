"""Answers → summaries of their fields; numbers → bars; text and quotes → pieces."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overnight.report.charts import columns, share, stacked
from overnight.report.data import Bin, Choices, Numbers, Texts
from overnight.report.records import Quote
from overnight.report.tally import MOST_BINS, AnswerTally, histogram, number
from overnight.report.text import fit, pieces, shortened


def tallied(schema: dict[str, object], *values: object) -> Choices | Numbers | Texts:
    tally = AnswerTally({"f": schema})
    for value in values:
        tally.add({"f": value})
    (summary,) = tally.summaries()
    return summary


def test_enums_keep_their_order_and_show_what_was_never_chosen() -> None:
    found = tallied(
        {"type": "STRING", "enum": ["none", "minor", "major"], "description": "how bad"}, "major", "none", None
    )
    assert found == Choices("f", (("none", 1), ("minor", 0), ("major", 1)), 2, 1, False, "how bad")


def test_booleans_and_lists() -> None:
    assert tallied({"type": "boolean"}, True, False, True) == Choices("f", (("yes", 2), ("no", 1)), 3)
    found = tallied({"type": "array", "items": {"type": "string"}}, ["a", "b", "a"], ["b"], [], None)
    assert found == Choices("f", (("b", 2), ("a", 1)), 2, 2, several=True)


def test_a_list_with_many_values_shows_the_most_frequent_and_sums_the_rest() -> None:
    found = tallied({"type": "array"}, *([str(n)] * (30 - n) for n in range(30)), ["0"])
    assert isinstance(found, Choices)
    assert found.counts[0] == ("0", 2)
    assert found.counts[-1] == ("other values", 18)
    assert sum(count for _, count in found.counts) == 31


def test_numbers() -> None:
    found = tallied({"type": "integer"}, 1, 5, 2, 2, None, True)
    bins = (Bin("1", 1), Bin("2", 2), Bin("3", 0), Bin("4", 0), Bin("5", 1))
    assert found == Numbers("f", 4, "1", "2", "5", bins, 2)
    assert tallied({"type": "number"}, None) == Texts("f", 0, 1)


def test_texts_and_objects() -> None:
    found = tallied({"type": "string"}, "a", "", " ", None, "a", *"bcdefg")
    assert found == Texts("f", 8, 3, ("a", "b", "c", "d", "e"))
    assert tallied({"type": "object"}, {"é": 1}) == Texts("f", 1, 0, ('{"é": 1}',))


def test_a_missing_field_is_empty() -> None:
    tally = AnswerTally({"f": {"type": "string"}})
    tally.add({})
    assert tally.summaries() == (Texts("f", 0, 1),)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-50, 50), min_size=1))
@example([-1.7e308, 1.7e308])
@example([0.0, 5e-324])
def test_a_histogram_holds_every_value_once(values: list[float]) -> None:
    bins = histogram(values)
    assert sum(each.count for each in bins) == len(values)
    assert 1 <= len(bins) <= MOST_BINS


@given(st.lists(st.integers(0, 10**6), max_size=400))
def test_a_stacked_bar_is_full_and_shows_whatever_is_there(counts: list[int]) -> None:
    segments = stacked([(str(n), count, "good") for n, count in enumerate(counts)])
    assert [each.count for each in segments] == [count for count in counts if count]
    assert all(each.width > 0 for each in segments)
    if segments:
        last = segments[-1]
        assert last.x + last.width == pytest.approx(100, abs=0.01)


def test_columns_stand_on_the_ground() -> None:
    assert [(each.y + each.height, each.height) for each in columns([Bin("a", 1), Bin("b", 4)])] == [
        (100, 25),
        (100, 100),
    ]
    assert columns([Bin("a", 0)]) == ()


@pytest.mark.parametrize(
    ("count", "total", "shown"),
    [(0, 0, "–"), (0, 9, "0 %"), (9, 9, "100 %"), (1, 10**6, "<0.1 %"), (10**6 - 1, 10**6, ">99.9 %"), (1, 3, "33 %")],
)
def test_shares_never_round_to_nothing_or_all(count: int, total: int, shown: str) -> None:
    assert share(count, total) == shown


def test_numbers_for_people() -> None:
    assert [number(value) for value in (1234.0, -3, 0.12345, 1e300)] == ["1,234", "−3", "0.1235", "1e+300"]


QUOTES = st.lists(st.builds(Quote, st.integers(-5, 60), st.integers(-5, 60), st.sampled_from("ab")), max_size=6)


@given(st.text(max_size=50), QUOTES)
def test_pieces_joined_are_the_text_and_exactly_what_is_quoted_is_marked(text: str, quotes: list[Quote]) -> None:
    cut = pieces(text, quotes)
    assert "".join(piece.text for piece in cut) == text
    marked = [bool(piece.over) for piece in cut for _ in piece.text]
    sound = [quote for quote in quotes if 0 <= quote.start < quote.end]
    assert marked == [any(quote.start <= at < quote.end for quote in sound) for at in range(len(text))]


@given(st.text())
def test_fit_text_keeps_its_length_and_can_be_encoded(text: str) -> None:
    shown = fit(text + "\ud800\x00")
    assert len(shown) == len(text) + 2
    shown.encode()


def test_long_words_of_the_service_are_cut_and_say_so() -> None:
    assert shortened("x" * 700) == "x" * 600 + " … (100 more characters)"
    assert shortened("x" * 600) == "x" * 600


def test_a_list_of_free_texts_that_hardly_repeat_is_shown_by_examples() -> None:
    tally = AnswerTally({"also": {"type": "array", "items": {"type": "string"}}})
    for n in range(200):
        tally.add({"also": [f"a sentence of its own, number {n}", f"and another, {n}"]})
    (summary,) = tally.summaries()
    assert isinstance(summary, Texts)
    assert (summary.filled, len(summary.examples)) == (200, 5)
