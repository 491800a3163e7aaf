"""Which column holds what: by the names that people, databases and reference managers give to columns.

Names are compared without case, accents, spaces, hyphens and underscores; best first; English, then German, French,
Spanish, Italian, Portuguese and Dutch (PubMed, Scopus, Web of Science, Embase, Zotero, Rayyan, Covidence and ASReview
exports). The columns of bibliographic formats (records/references) have the first name of their role.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

TITLE: Final = (
    *("title", "primarytitle", "articletitle", "documenttitle", "headline", "ti"),
    *("titel", "haupttitel", "artikeltitel", "uberschrift", "ueberschrift", "titre", "titredelarticle", "titulo"),
    *("titulodelarticulo", "titolo"),
)
ABSTRACT: Final = (
    *("abstract", "abstractnote", "notesabstract", "abstracttext", "ab", "zusammenfassung", "kurzfassung"),
    *("kurzzusammenfassung", "abstrakt", "inhaltsangabe", "resume", "sommaire", "resumen", "resumo", "riassunto"),
    *("sommario", "samenvatting"),
)
AUTHORS: Final = ("authors", "author", "authornames", "firstauthors", "au", "autoren", "auteurs", "autores", "autori")
YEAR: Final = ("year", "publicationyear", "pubyear", "py", "date", "publicationdate", "jahr", "annee", "ano", "anno")
DOI: Final = ("doi", "di", "doilink")
PMID: Final = ("pmid", "pubmedid", "medlinepmid", "pm")
CITATION_KEY: Final = ("citationkey", "bibtexkey", "citekey")
TYPE: Final = ("type", "documenttype", "publicationtype", "publicationtypes", "itemtype", "dt", "pt")
LANGUAGE: Final = (
    "language",
    "languageoforiginaldocument",
    "languages",
    "languageofarticle",
    "articlelanguage",
    "la",
    "sprache",
    "langue",
    "idioma",
    "lingua",
)
JOURNAL: Final = ("journal", "sourcetitle", "journalbook", "publicationtitle", "journaltitle", "so", "jt")


@dataclass(frozen=True, slots=True)
class Roles:
    """The column with each role; empty where no column's name says so."""

    title: str = ""
    abstract: str = ""
    authors: str = ""
    year: str = ""
    journal: str = ""
    doi: str = ""
    pmid: str = ""
    citation_key: str = ""
    type: str = ""
    language: str = ""


_NAMES: Final = {
    "title": TITLE,
    "abstract": ABSTRACT,
    "authors": AUTHORS,
    "year": YEAR,
    "journal": JOURNAL,
    "doi": DOI,
    "pmid": PMID,
    "citation_key": CITATION_KEY,
    "type": TYPE,
    "language": LANGUAGE,
}


def names_of(role: str) -> Sequence[str]:
    """The plain names of columns with a role, best known first; none for what is no role."""
    return _NAMES.get(role, ())


_KNOWN: Final = frozenset(name for names in _NAMES.values() for name in names)


def is_known(name: str) -> bool:
    """Whether a column of this name has a role."""
    return len(name) < 100 and plain(name) in _KNOWN


def roles_of(columns: Sequence[str]) -> Roles:
    """By names alone. Of several columns with one role the one whose name is best known; of equals the first."""
    by_plain = {plain(name): name for name in reversed(columns)}
    return Roles(
        **{
            role.name: next((by_plain[name] for name in _NAMES[role.name] if name in by_plain), "")
            for role in fields(Roles)
        }
    )


def columns_with(role: str, columns: Sequence[str]) -> tuple[str, ...]:
    """All columns with a role: tables of several databases have one each. In their order."""
    names = names_of(role)
    return tuple(column for column in columns if plain(column) in names)


def plain(name: str) -> str:
    """A column's name without case, accents, spaces, - and _."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("_", " ").replace("-", " "))
    return "".join(char for char in letters if not char.isspace() and not unicodedata.combining(char))
