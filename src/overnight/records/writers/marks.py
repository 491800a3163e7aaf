"""What a study adds to a person's own record: keywords and one note, in a form that no answer can break."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NOTE: Final = "overnight: "
"""What our note begins with. At its end stand the keywords that were added with it: by these they are known again, and
a person's own keyword never is taken for one of ours."""

_OURS: Final = re.compile(rf"((?:<[a-z]+[^>]*>)*){re.escape(NOTE)}.*\[keywords: ([^\[\]]*)\](?:</[a-z]+>)*\s*")
"""Also as HTML, as which Zotero writes notes."""
_BETWEEN: Final = " | "
_NOT_IN_LIST: Final = str.maketrans("[]|", "()/")

_BREAKING: Final = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


@dataclass(frozen=True, slots=True)
class Marks:
    """keywords: such as `screening:include`. said: what the note says. Both are of one line when they are written."""

    keywords: tuple[str, ...]
    said: str

    @classmethod
    def of(cls, keywords: Iterable[str], said: str) -> "Marks":
        words = (one_line(keyword).translate(_NOT_IN_LIST) for keyword in keywords)
        return cls(tuple(filter(None, words)), one_line(said))

    @property
    def note(self) -> str:
        return f"{NOTE}{self.said} [keywords: {_BETWEEN.join(self.keywords)}]"


def keywords_of_note(note: str) -> list[str] | None:
    """The keywords that were added with this note; None for a note that is not ours."""
    match = _OURS.fullmatch(note)
    if match is None:
        return None
    words = html.unescape(match[2]) if match[1] else match[2]
    return [word for word in words.split(_BETWEEN) if word]


def one_line(text: str) -> str:
    """On one line, without control characters and halves of characters, each run of them and of blanks as one blank."""
    return _BREAKING.sub(" ", text).strip()


def shortened(text: str, most_chars: int) -> str:
    """On one line, cut between two words where it is longer, with `…` behind it."""
    line = one_line(text)
    if len(line) <= most_chars:
        return line
    cut = line[: most_chars - 1]
    head, blank, _ = cut.rpartition(" ")
    return (head if blank and len(head) > most_chars // 2 else cut).rstrip(" ,;:") + "…"


def joined(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part)
