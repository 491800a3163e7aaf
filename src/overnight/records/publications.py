"""What a record says of the publication it is of, made comparable: title, year, first author."""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from overnight.core.record import Cell, Record, text_of
from overnight.records.identifiers import Identifiers
from overnight.records.roles import Roles
from overnight.records.text_kinds import TextKind, kinds_of_title, kinds_of_types

TELLING_BYTES: Final = 30
"""A shorter title (`Editorial`, `Letter to the editor`) is of many publications. UTF-8 bytes: a letter of Chinese says
more than one of English."""
_ABSTRACT_CHARS: Final = 60
"""A shorter one says that there is none."""
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,60}>")
_YEAR: Final = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_NEXT_AUTHOR: Final = re.compile(r"[;|\n]|\s+(?:and|AND|&)\s+")
_INITIALS: Final = re.compile(r"(?:[A-Z]\.?[-\s]?){1,4}")


@dataclass(frozen=True, slots=True)
class Publication:
    """title, author: normalised, empty where there is none, or a title that tells nothing. shown: the title as it is.
    year: 0 where there is none. kinds: what its title and types say that it is."""

    position: int
    record_id: str
    identifiers: Identifiers
    title: str
    year: int
    author: str
    has_abstract: bool
    shown: str = ""
    source: str = ""
    kinds: frozenset[TextKind] = frozenset()


def publication_of(record: Record, identifiers: Identifiers, roles: Roles) -> Publication:
    values = record.values
    types = text_of(values[roles.type]) if roles.type else ""
    title = text_of(values[roles.title]) if roles.title else ""
    abstract = text_of(values[roles.abstract]) if roles.abstract else ""
    return Publication(
        record.position,
        record.record_id,
        identifiers,
        normal_title(title),
        year_of(values[roles.year]) if roles.year else 0,
        first_author(values[roles.authors]) if roles.authors else "",
        len(abstract.strip()) > _ABSTRACT_CHARS,
        " ".join(title.split()),
        record.source,
        kinds_of_title(" ".join(_TAG.sub("", title).split())) | kinds_of_types(types),
    )


def telling_title(values: Mapping[str, Cell], roles: Roles) -> str:
    """Normalised; empty where there is none, or it tells nothing."""
    return normal_title(text_of(values[roles.title])) if roles.title else ""


def normal_title(title: str) -> str:
    """Words of letters and digits, without case, accents, tags, entities and punctuation; & is `and`. Empty for one
    that tells nothing."""
    if "&" in title:  # `&amp;`, as some databases write it, before the & that others write as a word
        title = html.unescape(title).replace("&", " and ")
    letters = unicodedata.normalize("NFKD", _TAG.sub("", title) if "<" in title else title).casefold()
    if not letters.isascii():
        letters = "".join(char for char in letters if not unicodedata.combining(char))
    normal = " ".join(_WORD.findall(letters))
    return normal if len(normal.encode("utf-8", "replace")) >= TELLING_BYTES else ""


_WORD: Final = re.compile(r"[^\W_]+")


def year_of(cell: Cell) -> int:
    found = _YEAR.search(text_of(cell))
    return int(found[1]) if found else 0


def first_author(cell: Cell) -> str:
    """The last word of the family name: `berg` of `van der Berg J`, `Berg, Jan van der`, `Jan van der Berg`.

    Lists are as databases write them: `Smith J; Doe A`, `Smith, John and Doe, Ann`, `Smith J., Doe A.`
    """
    first = _NEXT_AUTHOR.split(text_of(cell).strip(), maxsplit=1)[0]
    family = first.split(",", maxsplit=1)[0].strip()
    words = family.split()
    while len(words) > 1 and _INITIALS.fullmatch(words[-1]):
        words.pop()
    letters = unicodedata.normalize("NFKD", words[-1].casefold()) if words else ""
    return "".join(char for char in letters if char.isalnum())
