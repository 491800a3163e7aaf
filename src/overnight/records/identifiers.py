"""What names a publication wherever it is listed: its PMID, its DOI, its citation key; and what only looks like one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from overnight.core.record import Cell
from overnight.records.ids import id_text
from overnight.records.roles import DOI, PMID, plain, roles_of

_PLAIN_PMID: Final = re.compile(r"[1-9][0-9]{0,7}")
_PMID: Final = re.compile(r"0*([1-9][0-9]{0,8})")
"""PubMed's numbers have up to eight digits (2026-11: 41 million); one more for the years to come."""
_PMID_PREFIX: Final = re.compile(
    r"^(?:(?:pmid|pubmed|medline)\s*:?\s*|https?://(?:www\.)?pubmed\.ncbi\.nlm\.nih\.gov/)", re.IGNORECASE
)
_DOI: Final = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S*[^\s.,;]")
"""Prefix `10.` and the registrant's number, a slash, then anything printable [DOI Handbook 2.2]."""
_DOI_PREFIX: Final = re.compile(r"^(?:(?:https?://)?(?:dx\.|www\.)?doi\.org/|doi\s*[:=]?\s*)+", re.IGNORECASE)
_DOI_SUFFIX: Final = re.compile(r"(?:\s*\[doi\])?[\s.,;]*$", re.IGNORECASE)
_LONGEST: Final = 2_000
"""Characters of a cell. No identifier is so long, and looking for one in a whole text takes time."""
_TAGS: Final = frozenset({"pm", "di"})
"""Names of two letters say what they mean only beside a title: in other tables they are anything."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Normalised; empty where the record has none."""

    pmid: str = ""
    doi: str = ""
    key: str = ""

    def __bool__(self) -> bool:
        return bool(self.pmid or self.doi or self.key)

    @property
    def named(self) -> tuple[str, ...]:
        """As names of a record, the best first: `pmid:12345678`, `doi:10.1000/xyz`, `key:Smith2020`."""
        found = [f"pmid:{self.pmid}"] if self.pmid else []
        if self.doi:
            found.append(f"doi:{self.doi}")
        if self.key:
            found.append(f"key:{self.key}")
        return tuple(found)

    def contradicts(self, other: "Identifiers") -> bool:
        """Two PMIDs are two publications; two DOIs are, where no PMID says that they are one."""
        if self.pmid and other.pmid:
            return self.pmid != other.pmid
        return bool(self.doi and other.doi and self.doi != other.doi)


NO_IDENTIFIERS: Final = Identifiers()


def identifiers_named(names: Sequence[str]) -> Identifiers:
    """The first of each kind among names such as `doi:10.1000/xyz`. The reverse of `named`."""
    found: dict[str, str] = {}
    for name in names:
        kind, colon, value = name.partition(":")
        if colon and kind in {"pmid", "doi", "key"}:
            found.setdefault(kind, value)
    return Identifiers(**found)


def normal_pmid(cell: Cell) -> str:
    """Its digits, without leading zeros; empty for what is no PMID, such as `PMC123` or 0."""
    if isinstance(cell, str) and _PLAIN_PMID.fullmatch(cell):
        return cell
    found = _PMID.fullmatch(_PMID_PREFIX.sub("", _text(cell), count=1).rstrip("/"))
    return found[1] if found else ""


def normal_doi(cell: Cell) -> str:
    """In lower case, since case tells no two apart; without https://doi.org/, doi:, dots at its end. Empty for none."""
    if isinstance(cell, str) and len(cell) <= _LONGEST and _DOI.fullmatch(cell):
        return cell.lower()
    bare = _DOI_SUFFIX.sub("", _DOI_PREFIX.sub("", _text(cell), count=1))
    return bare.lower() if _DOI.fullmatch(bare) else ""


def normal_key(cell: Cell) -> str:
    """As it is written, but for white space; empty for one of more than 200 characters, which is a mishap."""
    key = " ".join(_text(cell).split())
    return key if len(key) <= 200 else ""


def _text(cell: Cell) -> str:
    if isinstance(cell, bool) or (isinstance(cell, str) and len(cell) > _LONGEST):
        return ""
    try:
        return id_text(cell)
    except ValueError:  # a float that lost its last digits
        return ""


@dataclass(frozen=True, slots=True)
class IdentifierColumns:
    """Where a table's identifiers stand; empty where it has none."""

    pmid: str = ""
    doi: str = ""
    key: str = ""

    def __bool__(self) -> bool:
        return bool(self.pmid or self.doi or self.key)

    def of(self, values: Mapping[str, Cell]) -> Identifiers:
        return Identifiers(
            normal_pmid(values[self.pmid]) if self.pmid else "",
            normal_doi(values[self.doi]) if self.doi else "",
            normal_key(values[self.key]) if self.key else "",
        )

    def faults(self, values: Mapping[str, Cell], found: Identifiers) -> list[tuple[str, Cell]]:
        """(`PMID` or `DOI`, the cell) for each cell that is filled and holds none."""
        return [
            (word, values[column])
            for word, column, normal in (("PMID", self.pmid, found.pmid), ("DOI", self.doi, found.doi))
            if column and not normal and str(values[column] or "").strip()
        ]


def identifier_columns(columns: Sequence[str]) -> IdentifierColumns:
    roles = roles_of(columns)
    titled = bool(roles.title)
    pmid = _unless_a_tag(columns, roles.pmid, PMID, titled=titled)
    return IdentifierColumns(pmid, _unless_a_tag(columns, roles.doi, DOI, titled=titled), roles.citation_key)


def _unless_a_tag(columns: Sequence[str], chosen: str, names: Sequence[str], *, titled: bool) -> str:
    if titled or plain(chosen) not in _TAGS:
        return chosen
    by_plain = {plain(column): column for column in columns}
    return next((by_plain[name] for name in names if name in by_plain and name not in _TAGS), "")
