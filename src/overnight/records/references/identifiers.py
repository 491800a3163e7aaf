"""Identifiers and years where exports hide them: taken only where a value is plainly one."""

import re
from collections.abc import Iterable
from typing import Final

from overnight.records.references.tagged import Tags

_DOI: Final = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:?\s*)?(10\.\d{4,9}(?:\.\d+)*/\S+)", re.IGNORECASE)
_PUBMED_PAGE: Final = re.compile(
    r"https?://(?:pubmed\.ncbi\.nlm\.nih\.gov|(?:www\.)?ncbi\.nlm\.nih\.gov/pubmed)/(\d{1,8})/?", re.IGNORECASE
)
_SAID_PMID: Final = re.compile(r"(?:PMID|PUBMED)[: ]\s*(\d{1,8})(?:,.*)?", re.IGNORECASE)
_PMID: Final = re.compile(r"\d{1,8}", re.ASCII)
_PMCID: Final = re.compile(r"(?:PMCID:?\s*)?(PMC\d+)", re.IGNORECASE)
_MEDLINE: Final = re.compile(r"pubmed|medline|\bnlm\b", re.IGNORECASE)
_YEAR: Final = re.compile(r"(?<!\d)(?:1[4-9]|20)\d\d(?!\d)", re.ASCII)


def hidden_doi(tags: Tags, names: Iterable[str]) -> str:
    """The DOI that is the whole of a value, or of a line of it, under one of these tags. The value stays there."""
    for name in names:
        for value in tags.get(name, ()):
            if "10." in value:
                for line in value.split("\n"):
                    if match := _DOI.fullmatch(line.strip()):
                        return match[1]
    return ""


def is_doi(value: str) -> bool:
    return "10." in value and _DOI.fullmatch(value) is not None


def said_pmid(tags: Tags, names: Iterable[str]) -> str:
    """From `PMID: 1234567`, `PUBMED 1234567,EMBASE …` or an address of PubMed's. The value stays there."""
    for name in names:
        for value in tags.get(name, ()):
            match = _SAID_PMID.fullmatch(value) or _PUBMED_PAGE.fullmatch(value)
            if match:
                return match[1]
    return ""


def is_pmid(value: str) -> bool:
    """Whether it has the form of one. Only its tag or its database says whether it is one."""
    return _PMID.fullmatch(value) is not None


def is_medline(database: str) -> bool:
    """Whether accession numbers of this database are PMIDs."""
    return _MEDLINE.search(database) is not None and "embase" not in database.lower()


def hidden_pmcid(tags: Tags, names: Iterable[str]) -> str:
    """The value stays there."""
    for name in names:
        for value in tags.get(name, ()):
            if match := _PMCID.fullmatch(value):
                return match[1]
    return ""


def year(tags: Tags, names: Iterable[str]) -> str:
    """Four digits from the first of these dates that has them, else the first as it is (`in press`).

    A date that says more than the year stays under its tag too.
    """
    for name in names:
        if name in tags and (match := _YEAR.search(tags[name][0])):
            if match[0] == tags[name][0]:
                _drop_first(tags, name)
            return match[0]
    for name in names:
        if name in tags:
            return _drop_first(tags, name)
    return ""


def _drop_first(tags: Tags, name: str) -> str:
    value = tags[name].pop(0)
    if not tags[name]:
        del tags[name]
    return value
