"""EndNote XML, as EndNote exports it and as Zotero, Covidence and others write it for EndNote.

Text stands in `style` runs, which are put together. A line break in a value is `&#xD;`.
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from overnight.errors import Finding
from overnight.records.references.filling import Filling
from overnight.records.references.format import Format
from overnight.records.references.identifiers import hidden_doi, hidden_pmcid, is_medline, is_pmid
from overnight.records.references.reference import SEPARATOR, Reference
from overnight.records.references.xml import RecordElement, begins_with, elements, said, starts, text_of
from overnight.records.source import Source

_ROOT: Final = begins_with(
    r"(?:<xml(?:\s[^>]*)?>\s*(?:<!--.*?-->\s*)*<records?[\s>/]|<records(?:\s[^>]*)?>.*?<ref-type[\s>])"
)
_BREAKS: Final = re.compile(r"\r\n?|\n")
_YEAR: Final = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_ISSN: Final = re.compile(r"\d{4}-?\d{3}[\dXx]")

_HOLDERS: Final = frozenset(
    {
        "contributors",
        "titles",
        "periodical",
        "alt-periodical",
        "dates",
        "pub-dates",
        "urls",
        "related-urls",
        "web-urls",
        "keywords",
        "foreign-keys",
    }
)
_COLUMNS: Final = {
    "title": "title",
    "abstract": "abstract",
    "volume": "volume",
    "number": "issue",
    "pages": "pages",
    "language": "language",
    "remote-database-name": "database",
}
_JOURNALS: Final = ("full-title", "secondary-title", "abbr-1")
"""The first of these that is there is the journal."""


def _looks_like(text: str) -> bool:
    return _ROOT.match(text) is not None


def _read(source: Source, codec: str) -> Iterator[Reference | Finding]:  # noqa: ARG001 - XML says its encoding itself
    for piece in elements(source, frozenset({"record"})):
        yield piece if isinstance(piece, Finding) else _reference(piece)


def _starts(source: Source, codec: str) -> Iterator[int]:  # noqa: ARG001
    return (line for line, _ in starts(source, "record"))


def _reference(piece: RecordElement) -> Reference:
    filling = _Filling()
    filling.take(piece.element)
    filling.settle()
    fields = filling.fields | {column: SEPARATOR.join(values) for column, values in filling.lists.items()}
    return Reference(piece.line, fields, filling.other, piece.raw)


class _Filling(Filling):
    """By the elements' names."""

    def take(self, holder: Element) -> None:
        for child in holder:
            name = child.tag
            if name in _HOLDERS:
                self.take(child)
            elif name in _COLUMNS:
                text = _lines(child) if name == "abstract" else text_of(child)
                self.put(_COLUMNS[name], text, name)
            elif name in _SPECIAL:
                _SPECIAL[name](self, child)
            elif len(child) and any(part.tag != "style" for part in child):
                for part in child.iter():
                    if part is not child and not any(inner.tag != "style" for inner in part) and part.tag != "style":
                        self.keep(f"{name}/{part.tag}", _lines(part))
            else:
                self.keep(name, _lines(child))

    def settle(self) -> None:
        """What another element says how to take."""
        for name in _JOURNALS:
            if "journal" not in self.fields and name in self.other:
                self.fields["journal"] = self._taken(name)
        for name in _JOURNALS:
            if self.other.get(name) == [self.fields.get("journal")]:
                del self.other[name]
        if "accession-num" in self.other:
            databases = " ".join([self.fields.get("database", ""), *self.other.get("remote-database-provider", ())])
            number = self._taken("accession-num")
            self.fields["pmid" if is_pmid(number) and is_medline(databases) else "accession_number"] = number
        if pmcid := hidden_pmcid(self.other, ("custom2",)):
            self.fields["pmcid"] = pmcid
        if doi := hidden_doi(self.lists, ("url",)):
            self.fields.setdefault("doi", doi)

    def _taken(self, name: str) -> str:
        values = self.other[name]
        first = values.pop(0)
        if not values:
            del self.other[name]
        return first


def _lines(element: Element) -> str:
    """All text within, with its line breaks."""
    lines = _BREAKS.split(said(element))
    return "\n".join(line.strip(" \t") for line in lines).strip()


def _take_type(filling: _Filling, element: Element) -> None:
    filling.put("type", element.get("name", "").strip() or text_of(element), "ref-type")


def _take_authors(filling: _Filling, element: Element) -> None:
    for author in element:
        filling.add("authors", text_of(author))


def _take_keyword(filling: _Filling, element: Element) -> None:
    for line in _lines(element).split("\n"):
        filling.add("keywords", line.strip())


def _take_year(filling: _Filling, element: Element) -> None:
    text = text_of(element)
    year = _YEAR.search(text)
    filling.put("year", year[0] if year else text, "year")
    if year and text != year[0]:
        filling.keep("year", text)


def _take_doi(filling: _Filling, element: Element) -> None:
    text = text_of(element)
    doi = hidden_doi({"": [text]}, ("",))
    if doi:
        filling.put("doi", doi, "electronic-resource-num")
    else:
        filling.keep("electronic-resource-num", text)


def _take_isbn(filling: _Filling, element: Element) -> None:
    """EndNote has one field for ISSN and ISBN, of one line each."""
    for line in _lines(element).split("\n"):
        if _ISSN.match(line.strip()) and not re.match(r"[\d-]{10,}", line.strip()):
            filling.add("issn", line.strip())
        else:
            filling.keep("isbn", line)


def _take_url(filling: _Filling, element: Element) -> None:
    filling.add("url", text_of(element))


_SPECIAL: Final = {
    "ref-type": _take_type,
    "authors": _take_authors,
    "keyword": _take_keyword,
    "year": _take_year,
    "electronic-resource-num": _take_doi,
    "isbn": _take_isbn,
    "url": _take_url,
}

ENDNOTE_XML: Final = Format("endnote_xml", "EndNote XML", (".xml",), _looks_like, _read, _starts, decoded=False)
