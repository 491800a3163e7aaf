"""Web of Science's tagged export (also ISI's): `FN`, `VR`, then records from `PT` to `ER`, and `EF`.

A tag is two characters and a blank at the start of a line; a line that begins with three blanks is more of the value
above, a new value where the tag takes a list.
"""

import re
from collections.abc import Iterator
from typing import Final

from overnight.errors import Finding
from overnight.records.references.format import Format
from overnight.records.references.identifiers import year
from overnight.records.references.reference import SEPARATOR, Reference
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
    one_line,
    two_in_one,
)
from overnight.records.source import Source

_TAG: Final = re.compile(r"[A-Z][A-Z0-9](?=[ \r\n]|\Z)")
_FILE: Final = frozenset({"FN", "VR", "EF"})
"""Of the file, where no record is open. An export that was put together of several has them between records too."""

_FILE_CHARS: Final = 100
"""Of FN, the longest; what is longer holds something else."""

_NO_END = ("a record without an ER line at its end", "{n} records without an ER line at their end")
_AT_END = ("text on the line of an ER or EF, left out", "text on {n} lines of an ER or EF, left out")
_NO_TYPE = ("a record that does not begin with a PT line", "{n} records that do not begin with a PT line")


def read(source: Source, codec: str) -> Iterator[Reference | Finding]:
    """Every record; notes on what was odd come at the end, counted."""
    asides = Asides(source)
    draft: Draft | None = None
    for number, line in lines(source, codec):
        text = line.lstrip("\ufeff")
        match = _TAG.match(text)
        tag = match[0] if match else ""
        if tag in {"ER", "EF"} and (said := text[2:].strip(" -\t\r\n")):
            asides.add(*_AT_END, number, said)
        if tag == "PT" or (draft is None and tag and tag != "ER" and tag not in _FILE):
            if draft is not None:
                asides.add(*_NO_END, draft.line)
                yield from _closed(source, draft)
            if tag != "PT":
                asides.add(*_NO_TYPE, number)
            draft = Draft(source, number)
            draft.put(tag, text[3:].strip(), line)
        elif draft is None:
            if (tag not in _FILE and tag != "ER") or len(text) > _FILE_CHARS:
                yield from between(source, asides, number, line)
        elif tag == "ER":
            draft.end(line)
            yield from _closed(source, draft)
            draft = None
        elif tag == "EF":
            asides.add(*_NO_END, draft.line)
            yield from _closed(source, draft)
            draft = None
        elif tag:
            draft.put(tag, text[3:].strip(), line)
        else:
            draft.go_on(line)
    if draft is not None:
        asides.add(*_NO_END, draft.line)
        yield from _closed(source, draft)
    yield from asides.findings()


_TEXTS: Final = frozenset({"TI", "AB"})
_ONCE: Final = _TEXTS | {"PY", "SO", "VL", "IS", "BP", "EP", "DI", "UT"}


def _closed(source: Source, draft: Draft) -> Iterator[Reference | Finding]:
    yield from two_in_one(source, draft, _TEXTS, _ONCE)
    yield _reference(draft)


_LISTS: Final = ("AF", "C1", "CR", "EM", "RI", "OI", "C3")
"""Tags whose every line is a value, of those that no column holds."""


def _reference(draft: Draft) -> Reference:
    tags, raw = draft.close()
    fields = {
        "title": first(tags, ("TI",)),
        "abstract": first(tags, ("AB",)),
        "authors": listed(tags, ("AU",)),
        "year": year(tags, ("PY", "EA", "PD")),
        "journal": first(tags, ("SO", "J9", "JI")),
        "volume": first(tags, ("VL",)),
        "issue": first(tags, ("IS",)),
        "pages": _pages(tags),
        "doi": first(tags, ("DI",)),
        "pmid": first(tags, ("PM",)),
        "accession_number": first(tags, ("UT",)),
        "type": _joined(tags, ("PT", "DT")),
        "language": first(tags, ("LA",)),
        "keywords": _joined(tags, ("DE", "ID")),
        "issn": _joined(tags, ("SN", "EI")),
        "url": every(tags, ("UR",)),
    }
    other = {tag: _values(tag, values) for tag, values in tags.items()}
    return Reference(draft.line, {name: text for name, text in fields.items() if text}, other, raw)


def _joined(tags: Tags, names: tuple[str, ...]) -> str:
    return SEPARATOR.join(part for part in (every(tags, (name,)) for name in names) if part)


def _pages(tags: Tags) -> str:
    begin, end = first(tags, ("BP",)), first(tags, ("EP",))
    return (f"{begin}-{end}" if begin and end and begin != end else begin or end) or first(tags, ("AR",))


def _values(tag: str, values: list[str]) -> list[str]:
    if tag in _LISTS:
        return [line for value in values for line in value.split("\n")]
    return [one_line(value) for value in values]


_BOUND_MARK: Final = re.compile(r"\n\ufeff*(?:(?P<first>PT)|E[RF])(?=[ \n])")
_OPEN_MARK: Final = re.compile(r"\n\ufeff*(?:(?P<first>(?!E[RF]|FN|VR)[A-Z][A-Z0-9])|E[RF])(?=[ \n])")


def starts(source: Source, codec: str) -> Iterator[int]:
    """The lines of each PT, and of any other tag of a record where none is open."""
    with scanned(source, codec) as scan:
        is_open = False
        while mark := scan.find(_BOUND_MARK if is_open else _OPEN_MARK):
            is_open = mark["first"] is not None
            if is_open:
                yield scan.line


_FIRST: Final = re.compile(
    r"FN [^\r\n]*(?:ISI|Clarivate|Thomson|Web of)[^\r\n]*[\r\n]|(?:VR 1|PT [A-Z])[^\t\r\n]*[\r\n]+[A-Z][A-Z0-9] "
)


def looks_like(text: str) -> bool:
    return _FIRST.match(text) is not None


WOS: Final = Format("wos", "Web of Science", (".ciw", ".isi"), looks_like, read, starts)
