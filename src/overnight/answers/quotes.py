"""Is this quote in the record? Where?

A verdict is worth something when a person can see the passage it rests on, so code looks for it and does not take the
model's word. *exact*: the same words, however they were typeset (Unicode form, dashes, quotation marks, white space,
case, HTML entities and simple tags, soft hyphens). *near*: similar by 90 % (at most one character in ten differs), at
least half of the words are there unchanged, and what differs is no number, no "not" and no other word: a changed figure
is not a slip of typing but another finding. docs/decisions/0014 says what of this is a library's and what is ours.
"""

import difflib
import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

NEAR_PERCENT: Final = 90
"""A near passage is similar by so much (our choice): its edit distance is at most a tenth of the quote's length."""
MAX_NEAR_CHARS: Final = 4_000
"""A longer quote is no quote any more; it is looked for exactly and no further."""


@dataclass(frozen=True, slots=True)
class Found:
    """text[start:end] is the passage, in the text as it was given."""

    how: Literal["exact", "near"]
    start: int
    end: int


def find_quote(quote: str, text: str) -> Found | None:
    """The passage of `text` that `quote` quotes. None: it is not there, or there is nothing in it to look for.

    Of several exact places the first that begins and ends with whole words; none cuts through a number. Time grows with
    the length of the text: a quote that is there costs microseconds, one that is not some milliseconds per 10,000
    characters.
    """
    wanted = quote.strip()
    if not any(map(str.isalnum, wanted)):
        return None
    start = _place(wanted, text)
    if start >= 0:
        return Found("exact", start, start + len(wanted))
    folded_quote = _trimmed(fold(wanted).text)
    folded = _folded(text)
    if not any(map(str.isalnum, folded_quote)):
        return None
    start = _place(folded_quote, folded.text)
    if start >= 0:
        return Found("exact", *folded.span(start, start + len(folded_quote)))
    near = _nearest(folded_quote, folded.text)
    return Found("near", *folded.span(*near)) if near else None


def _place(wanted: str, text: str) -> int:
    """Where it begins, whole words first; -1: nowhere.

    A quote of more words may begin and end within one. A single word may not: `None` is not in `nonetheless`. And none
    begins or ends within a number: `5 mg` is not in `15 mg`, nor in `0.5 mg`.
    """
    first, start = -1, text.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if not (_in_number(text, start) or _in_number(text, end)):
            if _whole_words(text, start, end):
                return start
            if first < 0 and not _is_one_word(wanted):
                first = start
        start = text.find(wanted, start + 1)
    return first


def _is_one_word(wanted: str) -> bool:
    """In a script that puts spaces between words."""
    return not any(c.isspace() or c >= _UNSPACED for c in wanted)


_UNSPACED: Final = "\u0e00"
"""Thai, and behind it nearly all scripts without spaces."""


def _in_number(text: str, at: int) -> bool:
    """Does a number go on over this place?"""
    before, behind = text[max(0, at - 2) : at], text[at : at + 2]
    if before[-1:].isdecimal():
        return behind[:1].isdecimal() or (behind[:1] in ".," and behind[1:].isdecimal())
    return before[-1:] in ".," and before[:-1].isdecimal() and behind[:1].isdecimal()


def _whole_words(text: str, start: int, end: int) -> bool:
    begins = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    return begins and (end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum()))


# --- folding: what typesetting changes goes, where each character came from stays ------------------------------------


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is compared. starts, ends: per character, the piece of the original it came from."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) of the folded text, in the original."""
        return self.starts[start], self.ends[end - 1]


_Piece = tuple[str, int, int]  # a character and the original's [start, end) it stands for

_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ATTRIBUTES: Final = r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))*\s*"""
_INLINE: Final = "su[bp]|inf|[biu]|em|strong|italic|bold|sc|span|small|mml:\\w+"
_BLOCK: Final = "p|br|div|h[1-6]|[uo]l|li|sec|title|abstracttext|label"
_TAG: Final = re.compile(rf"</?(?:jats:)?(?:(?P<block>{_BLOCK})|{_INLINE}){_ATTRIBUTES}/?>", re.IGNORECASE)
_DASHES: Final = "\u2212\u2043"  # minus and hyphen bullet: dashes that Unicode classes otherwise
_QUOTES: Final = frozenset("'\"`´‘’‚‛“”„‟′″‴«»‹›＇＂")
_OTHERS: Final = {"⁄": "/", "∕": "/", "…": "...", "·": ".", "⋅": ".", "∙": "."}


@lru_cache(maxsize=8)
def _folded(text: str) -> Folded:
    """`fold`, kept for the next quote: all the criteria of a record quote the same text."""
    return fold(text)


def fold(text: str) -> Folded:
    """The text as quotes are compared in it, with the way back."""
    if not (_ENTITY.search(text) or _TAG.search(text)):
        plain = _one_for_one(text)
        if plain is not None:
            return plain
    return _piecewise(text)


def _one_for_one(text: str) -> Folded | None:
    """Most texts: every character becomes one character. Ten times faster than piece by piece."""
    chars = list(map(_char, text))
    folded = "".join(chars)
    if not all(map(len, chars)) or len(folded) != len(text) or "  " in folded or folded != folded.strip(" "):
        return None
    return Folded(folded, range(len(text)), range(1, len(text) + 1))


def _piecewise(text: str) -> Folded:
    pieces: list[_Piece] = [(c, i, i + 1) for i, c in enumerate(text)]
    for _ in range(2):  # exports hold `&amp;lt;` too
        if "&" in text:
            pieces, text = _replaced(pieces, text, _ENTITY, _character)
    if "<" in text:
        pieces, text = _replaced(pieces, text, _TAG, _tag)
    kept = list(_spaced((seen, start, end) for c, start, end in pieces for seen in _char(c)))
    return Folded("".join(c for c, _, _ in kept), [s for _, s, _ in kept], [e for _, _, e in kept])


def _character(match: re.Match[str]) -> str:
    return html.unescape(match[0])


def _tag(match: re.Match[str]) -> str:
    return " " if match["block"] else ""


def _replaced(
    pieces: list[_Piece], text: str, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]
) -> tuple[list[_Piece], str]:
    """Each match as one piece or several, all of them standing for the whole of it."""
    out: list[_Piece] = []
    end = 0
    for match in pattern.finditer(text):
        out += pieces[end : match.start()]
        end = match.end()
        place = pieces[match.start()][1], pieces[end - 1][2]
        out += ((c, *place) for c in by(match))
    if not end:
        return pieces, text
    out += pieces[end:]
    return out, "".join(c for c, _, _ in out)


@lru_cache(maxsize=4096)
def _char(c: str) -> str:
    """What one character is compared as: decomposed, lower case; all dashes, all quotation marks and spaces alike."""
    if c in _QUOTES:
        return "'"
    if unicodedata.category(c) == "Pd" or c in _DASHES:
        return "-"
    if c in _OTHERS:
        return _OTHERS[c]
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", c).casefold())
    return "".join(map(_seen, folded))


def _seen(c: str) -> str:
    """Empty for what is not seen: zero-width characters, soft hyphens, controls."""
    if c.isspace():
        return " "
    if c in _DASHES:  # of a superscript: 10⁻³
        return "-"
    return "" if unicodedata.category(c) in ("Cf", "Cc", "Cs") else _OTHERS.get(c, c)


def _spaced(pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """Runs of white space as one space, none at the ends."""
    pending: _Piece | None = None
    begun = False
    for piece in pieces:
        if piece[0] == " ":
            pending = pending or piece
            continue
        if pending and begun:
            yield pending
        pending, begun = None, True
        yield piece


def _trimmed(quote: str) -> str:
    """Without what a quotation adds: marks around it, dots before and behind it."""
    return quote.strip("'. ,;:")


# --- near: the passage with the smallest edit distance ---------------------------------------------------------------


def _nearest(quote: str, text: str) -> tuple[int, int] | None:
    """[start, end) of the passage that differs least, where that is little enough; the first of several."""
    words = _words(quote)
    allowed = len(quote) * (100 - NEAR_PERCENT) // 100
    if not allowed or len(quote) > MAX_NEAR_CHARS or not _enough_shared(words, set(_words(text))):
        return None
    place = _least_different(quote, text, allowed)
    if place is None:
        return None
    start, end = _to_whole_words(text, *place)
    passage = _words(text[start:end])
    return (start, end) if _enough_shared(words, set(passage)) and _same_sense(words, passage) else None


_WORD: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+(?:'t\b)?")
_words = _WORD.findall
_FACT_WORDS: Final = """
no not non nor neither never none without cannot hardly only or but half once twice first second third
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million"""
_SMALL_WORDS: Final = "a an the in on of for to at by with from as and was were is are be been that which"
_FACTS: Final = frozenset(_FACT_WORDS.split())
_SMALL: Final = frozenset(_SMALL_WORDS.split())


def _enough_shared(words: list[str], others: set[str]) -> bool:
    return 2 * sum(word in others for word in words) >= max(1, len(words))


def _same_sense(words: list[str], passage: list[str]) -> bool:
    """Numbers and negations are the same and in the same order, and no word became another one.

    A slip keeps how a word begins (color, colour); `increased` for `decreased`, `ineffective` for `effective` and
    `hypo…` for `hyper…` are two letters and another finding.
    """
    if _facts(words) != _facts(passage):
        return False
    matcher = difflib.SequenceMatcher(None, words, passage, autojunk=False)
    return all(_is_slip(words[a:b], passage[c:d]) for kind, a, b, c, d in matcher.get_opcodes() if kind == "replace")


def _facts(words: list[str]) -> list[str]:
    return [word for word in words if word[0].isdigit() or word in _FACTS or word.endswith("'t")]


def _is_slip(ours: list[str], theirs: list[str]) -> bool:
    if _SMALL.issuperset(ours) and _SMALL.issuperset(theirs):
        return True
    one, other = "".join(ours), "".join(theirs)
    return one[:3] == other[:3] and one.startswith("hypo") == other.startswith("hypo")


def _to_whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _goes_on(text, start):
        start -= 1
    while end < len(text) and _goes_on(text, end):
        end += 1
    return start, end


def _goes_on(text: str, at: int) -> bool:
    """Does a word or a number go on over this place?"""
    return (text[at - 1].isalnum() and text[at].isalnum()) or _in_number(text, at)


def _least_different(quote: str, text: str, allowed: int) -> tuple[int, int] | None:
    """[start, end) of a passage of at most that edit distance from the quote. None: no such passage was found.

    rapidfuzz finds the window of the quote's own length that is most like it; it knows no windows of other lengths, and
    by its ratio a quote whose begin is invented counts as similar where the text begins with the rest. So the window's
    two ends are moved to where the edit distance is smallest, and that decides.
    """
    from rapidfuzz import fuzz

    first, last = 0, len(text)
    if len(text) > len(quote):  # of a shorter text it would look for a window of the quote
        window = fuzz.partial_ratio_alignment(quote, text, score_cutoff=NEAR_PERCENT)
        if window is None:
            return None
        first, last = window.dest_start, window.dest_end
    reach = allowed + max(0, len(quote) - (last - first))  # at a text's begin and end windows are shorter
    ends = _around(last, reach, len(text))
    end = ends[_closest(quote, [text[first:one] for one in ends])[0]]
    starts = _around(first, reach, end)
    which, distance = _closest(quote, [text[one:end] for one in starts])
    return (starts[which], end) if distance <= allowed else None


def _around(place: int, reach: int, last: int) -> range:
    return range(max(0, place - reach), min(last, place + reach) + 1)


def _closest(quote: str, passages: list[str]) -> tuple[int, int]:
    """(which, edit distance); the first of several."""
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    _, distance, which = process.extractOne(quote, passages, scorer=Levenshtein.distance)
    return which, distance
