"""Law: a piece of the text is found exact, at a place that reads the same; and so is that piece in another dress."""

import html
import re
import unicodedata

from hypothesis import assume, given
from hypothesis import strategies as st

from overnight.answers.quotes import _one_for_one, _piecewise, find_quote, fold

DRESSED = """\
the planned nap of 30 min in night-shift nurses (n=42), p<0.05; “naïve” ﬁndings: CO₂ – 12.5% &amp; <i>more</i> Straße \
ΩΣ µm 睡眠 نوم e\u0301tude x\u00adray zero\u200bwidth a\u00a0b &#169; <br/>"""
WORDS = st.sampled_from(DRESSED.split(" "))
TEXTS = st.lists(st.one_of(WORDS, st.text(max_size=6)), min_size=1, max_size=40).map(" ".join)


def is_cut(text: str, start: int, end: int) -> bool:
    """Within a number; or a single word, and not the whole of it."""
    piece = text[start:end]
    start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
    numbers = [match.span() for match in re.finditer(r"\d+(?:[.,]\d+)*", text)]
    if any(first < place < last for first, last in numbers for place in (start, end)):
        return True
    outer = text[max(0, start - 1) : start + 1], text[end - 1 : end + 1]
    return len(piece.split()) == 1 and any(len(one) == 2 and one.isalnum() for one in outer)


@given(st.data())
def test_a_piece_of_the_text_is_found_where_it_reads_the_same(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    start = data.draw(st.integers(0, len(text)))
    quote = text[start : data.draw(st.integers(start, len(text)))]
    assume(any(map(str.isalnum, quote)))
    assume(not is_cut(text, start, start + len(quote)))
    found = find_quote(quote, text)
    assert found is not None
    assert found.how == "exact"
    assert text[found.start : found.end] == quote.strip()


@given(st.lists(WORDS, min_size=1, max_size=30), st.data())
def test_typesetting_does_not_hide_it(words: list[str], data: st.DataObject) -> None:
    """Whole words, so that no cut goes through an entity or a tag; then another dress for the same words."""
    text = " ".join(words)
    start = data.draw(st.integers(0, len(words) - 1))
    piece = " ".join(words[start : data.draw(st.integers(start + 1, len(words)))])
    dressed = data.draw(
        st.sampled_from(
            [
                piece.upper(),
                unicodedata.normalize("NFD", piece),
                piece.replace(" ", "\n "),
                html.escape(piece) if "&" not in piece and "<" not in piece else piece,
                f"“{piece}…”",
                "\u200b".join(piece) if "&" not in piece and "<" not in piece else piece,
            ]
        )
    )
    assume(any(map(str.isalnum, fold(dressed).text)))
    found = find_quote(dressed, text)
    assert found is not None
    assert found.how == "exact"
    place = text[found.start : found.end]
    assert fold(place).text.strip("'. ,;:") == fold(dressed).text.strip("'. ,;:")


@given(TEXTS)
def test_every_folded_character_comes_from_a_piece_of_the_text_and_they_come_in_order(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts)
    assert fold(folded.text).text == folded.text or "&" in folded.text or "<" in folded.text


@given(TEXTS.filter(lambda text: "&" not in text and "<" not in text))
def test_the_short_way_to_fold_gives_what_the_long_way_gives(text: str) -> None:
    short, long = _one_for_one(text), _piecewise(text)
    assert short is None or (short.text, list(short.starts), list(short.ends)) == (long.text, long.starts, long.ends)
    assert short is not None or "  " in text or not text.isascii() or text != text.strip() or not text.isprintable()
