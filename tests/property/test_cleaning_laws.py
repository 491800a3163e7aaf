"""Laws of cleaning: once is enough, both ways agree, words stay, and what is found in it has its place in the cell."""

import csv
import html
import os
import random
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from overnight.answers.quotes import find_quote, fold
from overnight.requests.cleaning import clean, cleaned

WORDS = """\
the planned nap of 30 min p&lt;0.05 p<0.05 &amp;amp; <i>E. coli</i> 10<sup>6</sup> CO<sub>2</sub> <jats:p> </jats:p> \
<b> </b> <br/> e\u0301tude x\u00adray zero\u200bwidth &eacute; &#8804; © 2020 Elsevier B.V. All rights reserved. (C) \
a<b c>d &lt;i&gt; &lt;/i&gt; <mn>1</mn><mn>2</mn> \u1112\u1161\u11ab 睡眠 نوم R&D; &l<b></b>t; \u037e No abstract \
available helped."""
TEXTS = st.lists(st.one_of(st.sampled_from(WORDS.split(" ")), st.text(max_size=5)), max_size=30).map(" ".join)
BITS = st.text(st.sampled_from([*"<>/&;#ibpsultgam1238 ©.\n", "\u0338", "\u0301", "\u037e", "\u200b", "\u00ad"]))
VERSIONS = st.sampled_from([1, 2])


@given(st.one_of(TEXTS, BITS, st.text()), VERSIONS)
def test_cleaning_twice_is_cleaning_once_and_both_ways_agree(text: str, version: int) -> None:
    once = clean(text, version)
    assert clean(once, version) == once
    tracked = cleaned(text, version)
    assert tracked.text == once
    assert len(tracked.starts) == len(tracked.ends) == len(once)
    assert all(0 <= start < end <= len(text) for start, end in zip(tracked.starts, tracked.ends, strict=True))
    assert list(tracked.starts) == sorted(tracked.starts)
    assert list(tracked.ends) == sorted(tracked.ends)


@given(st.text(st.characters(codec="utf-8", exclude_characters="<&©")), st.sampled_from([".", "!", ""]))
def test_without_markup_or_notice_every_visible_character_stays(text: str, end: str) -> None:
    said = f"Naps: {text}{end}"
    assume(not re.search(r"\(c\)|copyright|reserv|vorbehalten|riservati|psycinfo|abstract", said, re.IGNORECASE))
    visible = [c for c in unicodedata.normalize("NFC", said) if not c.isspace() and c.isprintable()]
    again = [c for c in clean(said, 2) if not c.isspace() and c.isprintable()]
    assert unicodedata.normalize("NFC", "".join(visible)) == unicodedata.normalize("NFC", "".join(again))


DRESSED = {
    "naps": "naps",
    "<i>E. coli</i>": "E. coli",
    "10<sup>6</sup>": "10⁶",
    "p&lt;0.05": "p<0.05",
    "Q&amp;amp;A": "Q&A",
    "co\u00adoperate": "cooperate",
    "e\u0301tude": "étude",
    "&lt;b&gt;bold&lt;/b&gt;": "bold",
    "<jats:italic>in</jats:italic>": "in",
    "c>d": "c>d",
    "睡眠": "睡眠",
}
"""Words of a cell, each with its markup whole, and what is seen of it."""


@given(st.lists(st.sampled_from(sorted(DRESSED)), min_size=1, max_size=20), st.data())
def test_a_quote_planted_in_the_cleaned_text_has_its_place_in_the_cell(words: list[str], data: st.DataObject) -> None:
    """Cleaning the place gives the quote, where no tag's partner stands outside it; else they read the same."""
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    cell = " ".join(["x1", *words[:start], "«", *words[start:end], "»", *words[end:]])
    quote = " ".join(DRESSED[word] for word in words[start:end])
    seen = cleaned(cell, 2)
    first = seen.text.index("« ") + 2
    assert seen.text[first : first + len(quote)] == quote
    place = cell[slice(*seen.span(first, first + len(quote)))]
    assert " ".join(words[start:end]).endswith(place) or place in " ".join(words[start:end])
    assert fold(clean(place, 2)).text == fold(quote).text
    if words[start][0] not in "<&" and words[end - 1][-1] not in ">;":
        assert clean(place, 2) == quote


DATA = os.environ.get("OVERNIGHT_DATA")


@pytest.mark.real_data
@pytest.mark.skipif(not DATA, reason="OVERNIGHT_DATA is not set: real abstracts are not part of the repository")
def test_quotes_planted_in_real_abstracts_are_found_in_the_dressed_original() -> None:
    """Each abstract as an export might hold it: escaped, tagged, with a notice. A sentence of it, seen by a model, is
    found in what was cleaned; its place in the cell reads the same, and cleaning that place gives the sentence."""
    draw = random.Random(7)
    with (Path(DATA or "") / "pubmedqa_1000.csv").open(encoding="utf-8", newline="") as file:
        abstracts = [row["abstract"] for row in csv.DictReader(file)]
    for abstract in abstracts:
        plain = clean(abstract, 2)
        assert plain == clean(abstract, 1), "real abstracts of PubMed hold nothing that version 2 would take away"
        sentences = [f"{s}." for s in re.split(r"(?<=[a-z)])\.\s+", plain) if len(s) > 30 and "\n" not in s]
        if not sentences:
            continue
        sentence = draw.choice(sentences).rstrip(".")
        cell = _dressed(plain, draw)
        seen = cleaned(cell, 2)
        found = find_quote(sentence, seen.text)
        assert found is not None
        assert found.how == "exact"
        place = cell[slice(*seen.span(found.start, found.end))]
        assert fold(clean(place, 2)).text == fold(sentence).text


def _dressed(text: str, draw: random.Random) -> str:
    words = [html.escape(word) for word in text.split(" ")]
    marked = [f"<i>{word}</i>" if word.isalpha() and draw.random() < 0.05 else word for word in words]
    body = " ".join(marked)
    tail = draw.choice(["", " © 2020 Elsevier B.V. All rights reserved.", " &copy; The Author(s) 2021."])
    whole = "".join(f"<jats:p>{line}</jats:p>" for line in body.split("\n"))
    return html.escape(whole, quote=False) + tail if draw.random() < 0.5 else whole + tail
