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
from overnight.records.references.tagged import Asides, Draft, Tags, between, every, first, lines, listed, one_line
from overnight.records.source import Source

_TAG: Final = re.compile(r"[A-Z][A-Z0-9](?=[ \r\n]|\Z)")
_FILE: Final = frozenset({"FN", "VR", "EF"})
"""Of the file, where no record is open. An export that was put together of several has them between records too."""

_NO_END = ("a record without an ER line at its end", "{n} records without an ER line at their end")
_NO_TYPE = ("a record that does not begin with a PT line", "{n} records that do not begin with a PT line")


def read(source: Source, codec: str) -> Iterator[Reference | Finding]:
    """Every record; notes on what was odd come at the end, counted."""
    asides = Asides(source)
    draft: Draft | None = None
    for number, line in lines(source, codec):
        text = line.lstrip("\ufeff")
        match = _TAG.match(text)
        tag = match[0] if match else ""
        if tag == "PT" or (draft is None and tag and tag != "ER" and tag not in _FILE):
            if draft is not None:
                asides.add(*_NO_END, draft.line)
                yield _reference(draft)
            if tag != "PT":
                asides.add(*_NO_TYPE, number)
            draft = Draft(source, number)
            draft.put(tag, text[3:].strip(), line)
        elif draft is None:
            if tag not in _FILE and tag != "ER":
                yield from between(source, asides, number, line)
        elif tag == "ER":
            draft.end(line)
            yield _reference(draft)
            draft = None
        elif tag == "EF":
            asides.add(*_NO_END, draft.line)
            yield _reference(draft)
            draft = None
        elif tag:
            draft.put(tag, text[3:].strip(), line)
        else:
            draft.go_on(line)
    if draft is not None:
        asides.add(*_NO_END, draft.line)
        yield _reference(draft)
    yield from asides.findings()


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


_START: Final = re.compile(r"\ufeff*(?:(PT)|(E[RF])|(?!FN|VR)[A-Z][A-Z0-9])(?=[ \r\n]|\Z)")


def starts(source: Source, codec: str) -> Iterator[int]:
    """The lines with a PT, or with another tag of a record where none is open, by one pattern."""
    is_open = False
    for number, line in lines(source, codec):
        match = _START.match(line)
        if match is None:
            continue
        if match[2]:
            is_open = False
        elif match[1] or not is_open:
            yield number
            is_open = True


_FIRST: Final = re.compile(
    r"FN [^\r\n]*(?:ISI|Clarivate|Thomson|Web of)[^\r\n]*[\r\n]|(?:VR 1|PT [A-Z])[^\t\r\n]*[\r\n]+[A-Z][A-Z0-9] "
)


def looks_like(text: str) -> bool:
    return _FIRST.match(text) is not None


WOS: Final = Format("wos", "Web of Science", (".ciw", ".isi"), looks_like, read, starts)
