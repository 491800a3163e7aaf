"""EndNote's tagged export (refer): `%0 Journal Article`, `%T Title`, …; a blank line between records.

Values may hold blank lines. A record begins at `%0`; one that did not (plain refer has no `%0`) ends at the blank
line before the next tag. A second `%T` behind a blank line in a record with `%0` may be another record's: refused.
"""

import re
from collections.abc import Iterator
from typing import Final

from overnight.errors import Finding
from overnight.records.findings import found
from overnight.records.references.format import Format
from overnight.records.references.identifiers import hidden_doi, hidden_pmcid, is_medline, is_pmid, said_pmid, year
from overnight.records.references.reference import Reference
from overnight.records.references.scan import scanned
from overnight.records.references.tagged import (
    Asides,
    Draft,
    Tags,
    between,
    every,
    first,
    lines,
    listed,
    paragraphs,
    two_in_one,
)
from overnight.records.source import Source

_TAG: Final = re.compile(r"%[0-9A-Z@!#$&()*+=?<>\[\]^~|:](?=[ \t\r\n]|\Z)")

_NO_TYPE = ("a record that does not begin with %0", "{n} records that do not begin with %0")


def read(source: Source, codec: str) -> Iterator[Reference | Finding]:
    """Every record; notes on what was odd come at the end, counted."""
    asides = Asides(source)
    draft: Draft | None = None
    typed = False
    for number, line in lines(source, codec):
        text = line.lstrip("\ufeff")
        match = _TAG.match(text) if text.startswith("%") else None
        tag = match[0] if match else ""
        if tag and (tag == "%0" or draft is None or (draft.blanks and "%0" not in draft.tags)):
            if draft is not None:
                yield from _closed(source, draft)
            typed = typed or tag == "%0"
            if typed and tag != "%0":
                asides.add(*_NO_TYPE, number)
            draft = Draft(source, number)
            draft.put(tag, text[2:].strip(), line)
        elif draft is None:
            yield from between(source, asides, number, line)
        elif tag:
            if draft.blanks and tag == "%T" and tag in draft.tags:
                what = f"a second %T in the record of line {draft.line:,}, after a blank line: two records, or one?"
                hint = "Write %0 between the two, or take the blank line away."
                yield found(source, what, line=number, hint=hint)
            draft.put(tag, text[2:].strip(), line)
        else:
            draft.go_on(line)
    if draft is not None:
        yield from _closed(source, draft)
    yield from asides.findings()


_TEXTS: Final = frozenset({"%T", "%X"})
_ONCE: Final = _TEXTS | {"%D", "%J", "%V", "%N", "%P", "%R"}


def _closed(source: Source, draft: Draft) -> Iterator[Reference | Finding]:
    yield from two_in_one(source, draft, _TEXTS, _ONCE)
    yield _reference(draft)


def _reference(draft: Draft) -> Reference:
    tags, raw = draft.close()
    databases = [*tags.get("%~", ()), *tags.get("%W", ())]
    number = tags.get("%M", [""])[0]
    fields = {
        "title": first(tags, ("%T",)),
        "abstract": paragraphs(tags, ("%X",)),
        "authors": listed(tags, ("%A",)),
        "year": year(tags, ("%D", "%8")),
        "journal": first(tags, ("%J", "%B")),
        "volume": first(tags, ("%V",)),
        "issue": first(tags, ("%N",)),
        "pages": first(tags, ("%P",)),
        "doi": first(tags, ("%R",)) if _is_doi_tag(tags) else hidden_doi(tags, ("%U", "%R", "%Z")),
        "pmid": number if is_pmid(number) and any(map(is_medline, databases)) else said_pmid(tags, ("%U", "%Z")),
        "pmcid": hidden_pmcid(tags, ("%2", "%Z")),
        "accession_number": first(tags, ("%M",)),
        "type": every(tags, ("%0",)),
        "language": first(tags, ("%G",)),
        "keywords": listed(tags, ("%K",)),
        "issn": every(tags, ("%@",)),
        "url": every(tags, ("%U",)),
        "database": every(tags, ("%~", "%W")),
    }
    if not tags.get("%F", ["0"])[0].isdecimal():  # a label; EndNote's own numbers are the same in every file
        fields["citation_key"] = first(tags, ("%F",))
    return Reference(draft.line, {name: text for name, text in fields.items() if text}, tags, raw)


def _is_doi_tag(tags: Tags) -> bool:
    """%R is the DOI in EndNote and a report's number in plain refer."""
    return "10." in tags.get("%R", [""])[0]


_ANY_MARK: Final = r"%[!#$&(-+:0-9<-Z\[\]^|~](?=[ \t\n])"
_TYPE_MARK: Final = re.compile(r"\n\ufeff*(?P<type>%0)(?=[ \t\n])")
_OPEN_MARK: Final = re.compile(rf"\n\ufeff*(?:(?P<type>%0)(?=[ \t\n])|{_ANY_MARK})")
_PLAIN_MARK: Final = re.compile(rf"\n\ufeff*(?P<type>%0)(?=[ \t\n])|\n[^\S\n]*\n\ufeff*(?!%0){_ANY_MARK}")


def starts(source: Source, codec: str) -> Iterator[int]:
    """The lines of each %0; in a record without one also of a tag behind a blank line; of any tag at the start."""
    with scanned(source, codec) as scan:
        pattern = _OPEN_MARK
        while mark := scan.find(pattern):
            pattern = _TYPE_MARK if mark["type"] else _PLAIN_MARK
            yield scan.line + mark[0].count("\n") - 1


_TYPED: Final = re.compile(r"(?:\A|[\r\n])%0 \w[^\r\n]*[\r\n]+%[0-9A-Z@!] \S")
_FIRST: Final = re.compile(
    r"%0 \w[^\r\n]*(?:[\r\n]|\Z)|%[0-9A-Z@] \S[^\r\n]*[\r\n]+(?:[^%\r\n][^\r\n]*[\r\n]+)*%[0-9A-Z@!#] "
)


def looks_like(text: str) -> bool:
    """A tag at the start and another below it, or, after other text, a %0 with another tag below it."""
    return bool(_FIRST.match(text) or (text[:1] not in {"<", "{", "["} and _TYPED.search(text)))


ENDNOTE_TAGGED: Final = Format("endnote_tagged", "EndNote (refer)", (".enw", ".refer"), looks_like, read, starts)
