"""Text from anywhere, made fit for a page: control characters seen, quotes marked, length bounded."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from overnight.report.records import Quote

MOST_TEXT_CHARS: Final = 6_000
MOST_WORDS_CHARS: Final = 600

# Not allowed in HTML, or not to be encoded: C0 but tab and line break, DEL and C1, lone surrogates, U+FFFE, U+FFFF.
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def fit(text: str) -> str:
    """The text with each character that HTML cannot hold replaced by one that can be seen; the length stays."""
    return _UNFIT.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"


_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")


def moment(stamp: str) -> str:
    """A time of the service's for people, to the second: `2026-11-22 13:17:51 UTC`. What is no such time stays."""
    found = _STAMP.fullmatch(stamp)
    return f"{found[1]} {found[2]} UTC" if found else stamp


def shortened(text: str, most_chars: int = MOST_WORDS_CHARS) -> str:
    """The text, cut with a word on how much is left out when it is longer than that."""
    if len(text) <= most_chars:
        return text
    return f"{text[:most_chars]} … ({len(text) - most_chars:,} more characters)"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text. over: the quotes that cover it, the one that begins first outside. ending: those that end with
    it."""

    text: str
    over: tuple[Quote, ...] = ()
    ending: tuple[Quote, ...] = ()


def pieces(text: str, quotes: Sequence[Quote], most_chars: int = MOST_TEXT_CHARS) -> tuple[Piece, ...]:
    """The text cut where a quote begins or ends, so that overlapping quotes can be shown. Joined, it is the text again.

    Quotes outside the text, empty or reversed ones are left out; what lies behind `most_chars` is not shown.
    """
    return tuple(_cut(text[:most_chars], merged(quotes)))


def merged(quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    """Quotes for one criterion that overlap become one, quoted by whoever quoted any of them. In order of their
    beginning, the longer first."""
    by_criterion: dict[str, list[Quote]] = {}
    for quote in sorted(quotes, key=lambda each: (each.start, each.end)):
        if not 0 <= quote.start < quote.end:
            continue
        found = by_criterion.setdefault(quote.criterion, [])
        if found and quote.start < found[-1].end:
            last = found.pop()
            by = tuple(dict.fromkeys((*last.by, *quote.by)))
            quote = Quote(last.start, max(last.end, quote.end), quote.criterion, by)
        found.append(quote)
    return tuple(sorted((each for some in by_criterion.values() for each in some), key=lambda e: (e.start, -e.end)))


def _cut(text: str, quotes: Sequence[Quote]) -> Iterator[Piece]:
    inside = [quote for quote in quotes if quote.start < len(text)]
    ends = [min(quote.end, len(text)) for quote in inside]
    edges = sorted({0, len(text), *(quote.start for quote in inside), *ends})
    for start, end in pairwise(edges):
        over = [quote for quote, last in zip(inside, ends, strict=True) if quote.start <= start and end <= last]
        closing = [quote for quote, last in zip(inside, ends, strict=True) if last == end]
        yield Piece(text[start:end], tuple(over), tuple(closing))
