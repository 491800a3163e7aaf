"""What is done to a cell before the model sees it. What is stored, and given back, is the cell.

Version 1, careful rather than clever, is for an `ask`: line ends become `\\n`, control characters that an echo may lose
become spaces, outer white space goes; entities, tags and every word stay, since they may be what is asked about.

Version 2 is for a `screen`, whose texts are titles and abstracts as databases and publishers wrote them: entities and
inline tags become what they stand for (requests/markup.py), what is not seen goes (soft hyphens, zero-width spaces), a
letter and its accent become one character (NFC; not NFKC, which would turn 10⁶ into 106), and a remark that is no part
of the work (requests/remarks.py) is left out. Hyphens at line ends stay: nobody can tell which of them are words'.

The version is part of every recipe (core/recipe.py): a change is a new version beside these, so that a study keeps what
it began with. docs/decisions/0012-cleaning.md says why it is so.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from overnight.core.record import Cell, text_of
from overnight.errors import LedgerError
from overnight.requests.markup import MARKUP, holds_markup
from overnight.requests.remarks import end_of_words

# C0 and C1 controls but for tab and line feed; the byte-order mark; Unicode's non-characters U+FFFE and U+FFFF.
_CONTROL_1: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]+")
_LINE_END: Final = re.compile("\r\n?|\u2028|\u2029|\x85")

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]+")
_UNSEEN: Final = re.compile("[\u00ad\u200b\u2060\ufeff]+")
"""Soft hyphen, zero-width space, word joiner, byte-order mark. Zero-width joiners stay: Persian is spelt with them."""
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2028\u2029\u2060\ufeff\ufffe\uffff]")
_MOST_PASSES: Final = 10
"""What stands in markup may be markup again (`&amp;lt;i&amp;gt;`); twice is seen, ten times is somebody's joke."""


def clean(cell: Cell, version: int = 1) -> str:
    """The text that goes into a prompt and into the address. Idempotent. Empty for a cell that says nothing.

    Raises LedgerError for a version that this one does not know: of a study that a newer one has begun.
    """
    text = text_of(cell)
    if version == 1 and text.isprintable():  # the common case, a line of plain text, has nothing to clean
        return text.strip()
    if version == 2 and not _needs_work(text):  # nor has this one, but for what stands at its end
        text = text.strip()
        return text[: end_of_words(text)].rstrip()
    edited = _Text(text)
    _steps(version)(edited)
    return edited.text


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text and the way back. starts, ends: per character, the piece of the original it stands for."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) of the cleaned text, in the cell's: two places between which all of it stands."""
        return self.starts[start], self.ends[end - 1]


def cleaned(cell: Cell, version: int = 1) -> Cleaned:
    """`clean`, with the way back to `text_of(cell)`. A hundred times slower where something is replaced."""
    text = text_of(cell)
    if text.isprintable() if version == 1 else version == 2 and not _needs_work(text):
        short, first = clean(text, version), len(text) - len(text.lstrip())
        return Cleaned(short, range(first, first + len(short)), range(first + 1, first + 1 + len(short)))
    edited = _Tracked(text)
    _steps(version)(edited)
    return Cleaned(edited.text, [start for start, _ in edited.places], [end for _, end in edited.places])


class _Text:
    """A text that is edited step by step."""

    def __init__(self, text: str) -> None:
        self.text = text

    def replace(self, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> None:
        self.text = pattern.sub(by, self.text)

    def compose(self) -> None:
        self.text = unicodedata.normalize("NFC", self.text)

    def keep(self, start: int, end: int) -> None:
        self.text = self.text[start:end]


class _Tracked(_Text):
    """The same steps, and where in the original each character came from. A law says that the text is the same."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.places = [(i, i + 1) for i in range(len(text))]

    def replace(self, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> None:
        """Each match as one piece: all that stands for it stands for the whole of it."""
        text: list[str] = []
        places: list[tuple[int, int]] = []
        end = 0
        for match in pattern.finditer(self.text):
            new = by(match)
            text += self.text[end : match.start()], new
            places += self.places[end : match.start()]
            end = match.end()
            places += [(self.places[match.start()][0], self.places[end - 1][1])] * len(new)
        self.text = "".join(text) + self.text[end:]
        self.places = places + self.places[end:]

    def compose(self) -> None:
        if unicodedata.is_normalized("NFC", self.text):
            return
        text: list[str] = []
        places: list[tuple[int, int]] = []
        for start, end in _composed_alone(self.text):
            new = unicodedata.normalize("NFC", self.text[start:end])
            text.append(new)
            places += [(self.places[start][0], self.places[end - 1][1])] * len(new)
        self.text, self.places = "".join(text), places

    def keep(self, start: int, end: int) -> None:
        super().keep(start, end)
        self.places = self.places[start:end]


def _composed_alone(text: str) -> Iterator[tuple[int, int]]:
    """[start, end) of the runs whose normal form is the same with and without what stands around them."""
    start = 0
    for i in range(1, len(text)):
        if (
            text[i].isascii()
            or (
                not unicodedata.combining(text[i])
                and not "\u1160" <= text[i] <= "\u11ff"  # second and third parts of Korean syllables
                and _apart(text[start:i], text[i])
            )
        ):
            yield start, i
            start = i
    if text:
        yield start, len(text)


def _apart(before: str, after: str) -> bool:
    normal = unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", after)
    return unicodedata.normalize("NFC", before + after) == normal


def _steps(version: int) -> Callable[[_Text], None]:
    if version not in _VERSIONS:
        raise LedgerError(
            f"the study cleans its texts by version {version}, which this version of overnight does not know",
            hint="A newer one has begun it: use that one, or a newer one still.",
        )
    return _VERSIONS[version]


def _version_1(text: _Text) -> None:
    text.replace(_LINE_END, _line_feed)
    text.replace(_CONTROL_1, _space)
    _strip(text)


def _version_2(text: _Text) -> None:
    for _ in range(_MOST_PASSES):
        before = text.text
        if not _needs_work(before):
            break
        for step in MARKUP:
            found = step(text.text)
            if found:
                text.replace(*found)
        text.replace(_UNSEEN, _nothing)
        text.replace(_LINE_END, _line_feed)
        text.replace(_CONTROL, _space)
        text.compose()
        if text.text == before:
            break
    _strip(text)
    text.keep(0, end_of_words(text.text))
    _strip(text)


_VERSIONS: Final[dict[int, Callable[[_Text], None]]] = {1: _version_1, 2: _version_2}


def _needs_work(text: str) -> bool:
    if not text.isprintable() and _UNFIT.search(text):
        return True
    return not unicodedata.is_normalized("NFC", text) or holds_markup(text)


def _strip(text: _Text) -> None:
    end = len(text.text.rstrip())
    text.keep(min(end, len(text.text) - len(text.text.lstrip())), end)


def _line_feed(_: re.Match[str]) -> str:
    return "\n"


def _space(_: re.Match[str]) -> str:
    return " "


def _nothing(_: re.Match[str]) -> str:
    return ""
