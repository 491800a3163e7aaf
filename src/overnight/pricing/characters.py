"""How many tokens has a text? A rule by the kind of its characters, low and high beside it.

No tokenizer is at hand here, and none was when the rule was made: what it rests on and what share of real abstracts
lies within it is in docs/explanation/money.md. Its use is before there are answers; afterwards their counts correct it
(`estimate.calibrated`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from overnight.pricing.range import Range


class Kind(IntEnum):
    """Kinds of characters that take about as many tokens each."""

    LETTER = 0  # a to z, and white space
    DIGIT = 1
    SIGN = 2  # all else in ASCII
    ACCENTED = 3  # U+0080 to U+033F: Latin with marks, ± µ °
    ALPHABET = 4  # U+0340 to U+07FF: Greek, Cyrillic, Hebrew, Arabic …
    EAST_ASIAN = 5  # Chinese, Japanese, Korean, and full-width forms
    OTHER = 6  # the rest below U+10000: Indic scripts, Thai, dashes, arrows
    RARE = 7  # from U+10000 on: emoji, rare signs


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens for a thousand characters."""

    low: int
    expected: int
    high: int
    source: str
    evidence: str


_OURS: Final = "our choice, with room to both sides"
_PAGE: Final = "Google's page on tokens: about 4 characters a token, 60 to 80 English words for 100 tokens"
_SPLIT: Final = "Gemma's technical reports, whose tokenizer is said to be Gemini's: each digit is a token"
RATES: Final = {
    Kind.LETTER: Rate(155, 190, 260, _PAGE, "D"),
    Kind.DIGIT: Rate(500, 1_000, 1_000, _SPLIT, "U"),
    Kind.SIGN: Rate(400, 850, 1_000, _OURS, "?"),
    Kind.ACCENTED: Rate(250, 600, 1_500, _OURS, "?"),
    Kind.ALPHABET: Rate(200, 380, 1_000, _OURS, "?"),
    Kind.EAST_ASIAN: Rate(400, 650, 1_200, _OURS, "?"),
    Kind.OTHER: Rate(250, 600, 2_000, _OURS, "?"),
    Kind.RARE: Rate(500, 1_500, 4_000, _OURS, "?"),
}
"""No rate is above the bytes a character of its kind has in UTF-8, which `token_bound` counts."""


def _bytes_of(*spans: tuple[int, int]) -> bytes:
    return bytes(byte for first, last in spans for byte in range(first, last + 1))


_LETTERS: Final = _bytes_of((0x61, 0x7A), (0x41, 0x5A), (0x20, 0x20), (0x09, 0x0D))
_INNER: Final = _bytes_of((0x80, 0xBF))  # every byte of a character but its first
_FIRST: Final = {  # a character's kind shows in its first byte
    Kind.DIGIT: _bytes_of((0x30, 0x39)),
    Kind.ACCENTED: _bytes_of((0xC0, 0xCC)),
    Kind.ALPHABET: _bytes_of((0xCD, 0xDF)),
    Kind.EAST_ASIAN: _bytes_of((0xE3, 0xED), (0xEF, 0xEF)),
    Kind.OTHER: _bytes_of((0xE0, 0xE2), (0xEE, 0xEE)),
    Kind.RARE: _bytes_of((0xF0, 0xF7)),
}


class Characters:
    """How many of each kind texts have, added up: some 2 µs an abstract."""

    __slots__ = ("n",)

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.n = [0] * len(Kind)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Raises UnicodeEncodeError on a lone surrogate: the readers let none in."""
        data = text.encode()
        rest = data.translate(None, _LETTERS)
        n = self.n
        n[Kind.LETTER] += len(data) - len(rest)
        if len(data) == len(text):
            signs = rest.translate(None, _FIRST[Kind.DIGIT])
            n[Kind.DIGIT] += len(rest) - len(signs)
            n[Kind.SIGN] += len(signs)
            return
        rest = rest.translate(None, _INNER)
        for kind, first in _FIRST.items():
            if not rest:
                break
            others = rest.translate(None, first)
            n[kind] += len(rest) - len(others)
            rest = others
        n[Kind.SIGN] += len(rest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Characters) and self.n == other.n

    __hash__ = None  # type: ignore[assignment]  # it grows

    @property
    def total(self) -> int:
        return sum(self.n)

    def tokens(self, times: int = 1) -> Range:
        """By the rule; times: of so many copies of these texts."""
        low = expected = high = 0
        for kind, rate in RATES.items():
            n = self.n[kind] * times
            low, expected, high = low + n * rate.low, expected + n * rate.expected, high + n * rate.high
        return Range(low // 1000, expected // 1000, -(-high // 1000))
