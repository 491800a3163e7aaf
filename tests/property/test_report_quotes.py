"""Marked quotes: whatever was quoted, the text stays, exactly what is quoted is marked, and each criterion once."""

from hypothesis import example, given
from hypothesis import strategies as st

from overnight.report.records import Quote
from overnight.report.text import merged, pieces

TEXTS = st.text(min_size=20, max_size=40) | st.text(max_size=40)
INSIDE = [Quote(0, 10, "nap", ("sample 1",)), Quote(2, 5, "nap", ("sample 2",)), Quote(4, 12, "night")]
QUOTES = st.lists(
    st.builds(
        Quote,
        st.integers(-3, 40),
        st.integers(-3, 45),
        st.sampled_from(["night", "nap", "own"]),
        st.lists(st.sampled_from(["sample 1", "sample 2", "adjudicator"]), max_size=2, unique=True).map(tuple),
    ),
    max_size=8,
)


@given(TEXTS, QUOTES)
@example("Forty porters took a nap.", INSIDE)
def test_each_character_is_marked_for_the_criteria_that_quote_it_and_said_by_whom(
    text: str, quotes: list[Quote]
) -> None:
    cut = pieces(text, quotes)
    assert "".join(piece.text for piece in cut) == text
    sound = [quote for quote in quotes if 0 <= quote.start < quote.end]
    shown = [piece for piece in cut for _ in piece.text]
    for at, piece in enumerate(shown):
        here = [quote for quote in sound if quote.start <= at < quote.end]
        assert {quote.criterion for quote in piece.over} == {quote.criterion for quote in here}
        assert len(piece.over) == len({quote.criterion for quote in piece.over}), "a criterion has one mark at a time"
        for quote in here:
            assert set(quote.by) <= {by for one in piece.over if one.criterion == quote.criterion for by in one.by}


@given(TEXTS, QUOTES)
def test_a_quote_within_the_text_is_labelled_once_where_it_ends(text: str, quotes: list[Quote]) -> None:
    whole = [quote for quote in merged(quotes) if quote.start < len(text)]
    labels = [quote for piece in pieces(text, quotes) for quote in piece.ending]
    assert sorted(labels, key=str) == sorted(whole, key=str)


@given(QUOTES)
def test_merging_again_changes_nothing_and_the_order_of_samples_no_place(quotes: list[Quote]) -> None:
    once = merged(quotes)
    assert merged(once) == once
    places = [(quote.start, quote.end, quote.criterion) for quote in once]
    again = [(quote.start, quote.end, quote.criterion) for quote in merged(quotes[::-1])]
    assert sorted(places) == sorted(again)
    for one in once:
        assert not [
            other
            for other in once
            if other is not one and other.criterion == one.criterion and other.start < one.end and one.start < other.end
        ]
