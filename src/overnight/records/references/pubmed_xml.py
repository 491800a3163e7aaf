"""PubMed XML: PubmedArticle and PubmedBookArticle as PubMed saves them, and MedlineCitation alone, as NLM leased it.

Elements: NLM's page "MEDLINE/PubMed XML Element Descriptions". Numbers are taken from the record's own lists only,
never from its references or corrections, which hold PMIDs and DOIs of other papers.
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from overnight.errors import Finding
from overnight.records.references.filling import Filling
from overnight.records.references.format import Format
from overnight.records.references.reference import SEPARATOR, Reference
from overnight.records.references.xml import RecordElement, begins_with, elements, starts, text_of, words_of
from overnight.records.source import Source

_RECORDS: Final = frozenset({"PubmedArticle", "PubmedBookArticle", "MedlineCitation"})
_ROOT: Final = begins_with(
    r"<(?:PubmedArticleSet|PubmedBookArticleSet|MedlineCitationSet|PubmedArticle|PubmedBookArticle|MedlineCitation)[\s/>]"
)
_YEAR: Final = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")

_HOLDERS: Final = frozenset(
    {
        "MedlineCitation",
        "Article",
        "Journal",
        "JournalIssue",
        "MedlineJournalInfo",
        "PubmedData",
        "BookDocument",
        "Book",
        "PubmedBookData",
    }
)
"""Elements whose children are fields of their own; of each of these a record has one at most."""


def _looks_like(text: str) -> bool:
    return _ROOT.match(text) is not None


def _read(source: Source, codec: str) -> Iterator[Reference | Finding]:  # noqa: ARG001 - XML says its encoding itself
    for piece in elements(source, _RECORDS, noted="DeleteCitation"):
        yield piece if isinstance(piece, Finding) else _reference(piece)


def _starts(source: Source, codec: str) -> Iterator[int]:  # noqa: ARG001
    first = ""
    for line, name in starts(source, "|".join(sorted(_RECORDS))):
        first = first or name
        if (name == "MedlineCitation") == (first == "MedlineCitation"):  # each article has one in it
            yield line


def _reference(piece: RecordElement) -> Reference:
    filling = _Filling()
    filling.take(piece.element)
    fields = filling.fields
    for column, values in filling.lists.items():
        fields[column] = SEPARATOR.join(values)
    if filling.abstract:
        fields["abstract"] = "\n".join(filling.abstract)
    filling.settle()
    return Reference(piece.line, {name: value for name, value in fields.items() if value}, filling.other, piece.raw)


class _Filling(Filling):
    """By the elements' names."""

    def __init__(self) -> None:
        super().__init__()
        self.abstract: list[str] = []

    def take(self, holder: Element) -> None:
        for key, value in holder.attrib.items():
            self.keep(key, value)
        for child in holder:
            name = child.tag
            if name in _HOLDERS:
                self.take(child)
            elif name in _ONE:
                self.put(_ONE[name], text_of(child), name)
            elif name in _MANY:
                self.add(_MANY[name], text_of(child))
            elif name in _SPECIAL:
                _SPECIAL[name](self, child)
            else:
                self.keep_element(child)

    def keep_element(self, element: Element) -> None:
        """A list gives a value for each of its elements. Attributes stand before the text: `ErratumIn: …`."""
        items = list(element) if element.tag.endswith("List") else [element]
        for item in items:
            said = " ".join(item.attrib.values())
            text = words_of(item)
            self.keep(element.tag, f"{said}: {text}" if said and text else text or said)

    def settle(self) -> None:
        fields = self.fields
        if fields.get("title", "").strip("[]. ").lower() == "not available" and "VernacularTitle" in self.other:
            self.keep("ArticleTitle", fields.pop("title"))
        if "year" not in fields and (year := _YEAR.search(" ".join(self.other.get("ArticleDate", ())))):
            fields["year"] = year[0]
        for column, names in _ELSE.items():
            for name in names:
                if column not in fields and name in self.other:
                    fields[column] = self.other[name].pop(0)
                    if not self.other[name]:
                        del self.other[name]


def _take_abstract(filling: _Filling, element: Element) -> None:
    for part in element:
        text = text_of(part)
        if part.tag != "AbstractText":
            filling.keep(part.tag, text)
        elif text:
            label = part.get("Label", "").strip()
            filling.abstract.append(f"{label}: {text}" if label else text)


def _take_authors(filling: _Filling, element: Element) -> None:
    editors = element.get("Type") == "editors"
    for author in element:
        names = {child.tag: text_of(child) for child in author}
        last, fore = names.get("LastName", ""), names.get("ForeName") or names.get("Initials", "")
        name = names.get("CollectiveName") or ", ".join(part for part in (last, fore, names.get("Suffix", "")) if part)
        if editors or author.get("ValidYN") == "N":
            filling.keep("Editor" if editors else "Author", name)
        else:
            filling.add("authors", name)
        for place in author.iter("Affiliation"):
            filling.keep("Affiliation", text_of(place))
        for number in author.iter("Identifier"):
            filling.keep("Identifier", f"{number.get('Source', '')}: {text_of(number)}")


def _take_pages(filling: _Filling, element: Element) -> None:
    first, last = text_of(element.find("StartPage")), text_of(element.find("EndPage"))
    between = f"{first}-{last}" if first and last else first or last
    filling.put("pages", text_of(element.find("MedlinePgn")) or between, "Pagination")


def _take_location(filling: _Filling, element: Element) -> None:
    kind, text = element.get("EIdType", ""), text_of(element)
    if kind == "doi" and element.get("ValidYN", "Y") == "Y":
        filling.put("doi", text, "ELocationID")
    else:
        filling.keep("ELocationID", f"{kind}: {text}")


def _take_ids(filling: _Filling, element: Element) -> None:
    """The record's own list. Those of its references lie in ReferenceList."""
    for item in element:
        kind, text = item.get("IdType", ""), text_of(item)
        column = {"pubmed": "pmid", "doi": "doi", "pmc": "pmcid"}.get(kind)
        if column is None or filling.fields.setdefault(column, text) != text:
            filling.keep("ArticleId", f"{kind}: {text}")


def _take_date(filling: _Filling, element: Element) -> None:
    said = words_of(element)
    year = _YEAR.search(said)
    if year:
        filling.put("year", year[0], element.tag)
    if not year or said != year[0]:
        filling.keep(element.tag, said)


def _take_types(filling: _Filling, element: Element) -> None:
    for item in element:
        filling.add("type", text_of(item))


def _take_mesh(filling: _Filling, element: Element) -> None:
    """As MEDLINE writes them: `Sleep/*physiology`, a star where it is a major topic."""
    for heading in element:
        parts = (("*" if part.get("MajorTopicYN") == "Y" else "") + text_of(part) for part in heading)
        filling.add("keywords", "/".join(parts))


def _take_keywords(filling: _Filling, element: Element) -> None:
    for keyword in element:
        filling.add("keywords", text_of(keyword))


def _take_book_title(filling: _Filling, element: Element) -> None:
    filling.keep("BookTitle", text_of(element))


_ONE: Final = {"PMID": "pmid", "Volume": "volume", "Issue": "issue", "Title": "journal", "ArticleTitle": "title"}
_MANY: Final = {"Language": "language", "ISSN": "issn", "PublicationType": "type"}
_SPECIAL: Final = {
    "BookTitle": _take_book_title,
    "Abstract": _take_abstract,
    "AuthorList": _take_authors,
    "Pagination": _take_pages,
    "ELocationID": _take_location,
    "ArticleIdList": _take_ids,
    "PubDate": _take_date,
    "PublicationTypeList": _take_types,
    "MeshHeadingList": _take_mesh,
    "KeywordList": _take_keywords,
}
_ELSE: Final = {"title": ("VernacularTitle", "BookTitle"), "journal": ("MedlineTA", "ISOAbbreviation")}
"""Where a column is empty, the first of these elements that was kept fills it."""

PUBMED_XML: Final = Format("pubmed_xml", "PubMed XML", (".xml",), _looks_like, _read, _starts, decoded=False)
