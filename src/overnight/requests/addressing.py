"""Does a text speak to whoever judges it? An abstract speaks of a work; one that says "ignore all previous
instructions", or ends the record itself, was written for a model.

It is found by its words, as a person would find it by reading; nothing is taken out, and nothing follows from it but
that a person looks. So words that an ordinary abstract may hold are not enough: "patients ignored the instructions",
"we prompted the model to answer in JSON", "the decision to include". Somebody who knows these patterns can get past
them: what a record cannot move is the frame around it and the rule (docs/reference/screening.md).
"""

import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from overnight.requests.addressing_words import GAPS, PATTERNS

Passage = tuple[int, int]
"""text[start:end]"""

_MOST: Final = 20
"""Passages of one text; more tell nothing more."""
_SHOWN_CHARS: Final = 80


def first_said(texts: Iterable[str], names: Collection[str] = ()) -> str:
    """The first passage of these texts that speaks to a model, on one line and cut; empty where none does."""
    for text in texts:
        for start, end in addressing(text, names)[:1]:
            words = " ".join(text[start:end].split())
            return words if len(words) <= _SHOWN_CHARS else f"{words[: _SHOWN_CHARS - 1]}…"
    return ""


_GAPS: Final = {ord(mark): " " for mark in GAPS}


def addressing(text: str, names: Collection[str] = ()) -> tuple[Passage, ...]:
    """The passages that speak to a model, in order, none in another.

    text: as it is sent. names: what only the study's own prompt calls things, such as `c_night_shift`. Seen through
    HTML entities, compatibility forms (full-width letters), characters that are not shown, and Unicode's tag letters.
    """
    plain = _plain(text)
    spaced = f" {' '.join(plain.translate(_GAPS).split())} "
    patterns = [said.pattern for said in PATTERNS if said.may_be_in(spaced)]
    if names:
        patterns.append(re.compile(rf"(?P<said>(?:{'|'.join(map(re.escape, sorted(names)))})(?!\w))"))
    if not any(pattern.search(plain) for pattern in patterns):
        return ()
    tracked, places = _tracked(text)
    found = [match.span("said") for pattern in patterns for match in pattern.finditer(tracked)]
    passages = [(places[start][0], places[end - 1][1]) for start, end in found if _begins_a_word(tracked, start)]
    return tuple(_joined(passages))[:_MOST]


def _begins_a_word(plain: str, start: int) -> bool:
    """Not in the middle of one; scripts without spaces have no such places."""
    before = plain[start - 1 : start]
    return not (plain[start].isalnum() and before.isalnum() and before < "\u1000")


def _plain(text: str) -> str:
    if text.isascii() and "&" not in text:
        return text.lower()
    return _NOT_ASCII.sub(_seen, unicodedata.normalize("NFKC", html.unescape(text))).lower()


_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")


def _seen(match: re.Match[str]) -> str:
    """Nothing for what is not shown; a letter for a tag letter, which is not shown and which models read."""
    character = match[0]
    if "\U000e0020" <= character <= "\U000e007e":
        return chr(ord(character) - 0xE0000)
    return "" if unicodedata.category(character) == "Cf" else character


_PIECE: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?|.", re.DOTALL)


def _tracked(text: str) -> tuple[str, Sequence[Passage]]:
    """`_plain`, piece by piece, and for each character the piece of the text that it stands for."""
    plain: list[str] = []
    places: list[Passage] = []
    for piece in _PIECE.finditer(text):
        shown = _plain(piece[0])
        plain.append(shown)
        places += [piece.span()] * len(shown)
    return "".join(plain), places


def _joined(passages: Sequence[Passage]) -> Iterator[Passage]:
    """Those that touch or overlap as one."""
    start, end = -1, -1
    for one in sorted(passages):
        if one[0] > end:
            if start >= 0:
                yield start, end
            start = one[0]
        end = max(end, one[1])
    if start >= 0:
        yield start, end
