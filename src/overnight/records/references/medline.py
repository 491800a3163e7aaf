"""MEDLINE (.nbib): what PubMed saves and sends to citation managers; Ovid's and ERIC's exports with the same tags.

A field is a tag of up to four letters, padded, `- ` and its text; indented lines go on with it. A record begins at the
tag that comes first in the file: `PMID`, `UI` in old files, `VN` from Ovid, `OWN` from ERIC. Tags: NLM's page "MEDLINE
PubMed Data Element (Field) Descriptions". There is no mark where a record ends.
"""

import io
import re
from collections.abc import Iterator
from typing import Final

from overnight.errors import Finding
from overnight.records.findings import found, shown
from overnight.records.references.format import Format
from overnight.records.references.reference import SEPARATOR, Reference
from overnight.records.source import Source

_CHUNK_CHARS: Final = 1 << 20
_RECORD_CHARS: Final = 1 << 26
"""A longer record is refused: what has no end would fill the memory."""

_LEADS: Final = frozenset({"PMID", "UI", "VN", "OWN"})
_ONCE: Final = frozenset({"TI", "AB", "STAT", "DP"})
"""Of these a record has one. A second one: the line on which the next record begins is missing."""

_TAG: Final = r"(?=[A-Z][A-Z0-9]{1,3} {0,2}-)(?=[A-Z0-9 ]{4} ?-)([A-Z0-9]+) *-(?:[ \t]|(?=[\r\n])|\Z|(?<=PMID-)(?=\d))"
_END: Final = r"(?:\r\n?|\n|\Z)"
_PIECE: Final = re.compile(
    # An indented line goes on with its field, but not, up to five spaces in, one that looks like a record's first.
    rf"{_TAG}([^\r\n]*(?:(?:\r\n?|\n)(?:[ ]*\t[ \t]*| {{6,}}+[ \t]*| {{1,5}}+(?!PMID ?-|[ \t]))[^\s][^\r\n]*)*){_END}"
    r"|([ \t]*(?:\r\n?|\n)|[ \t]+\Z)"
    rf"|([^\r\n]+){_END}"
)
"""A field (1: tag, 2: value over its lines), a blank line (3), any other line (4). Every character is in one."""

_HINT: Final = "It is part of the record's text, and of no field that has a name: look whether that is right."
_CUT: Final = "Was the file cut or edited? Export it again."

_YEAR: Final = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?=\D|[01]\d[0-3]\d(?!\d)|\Z)")
_DOI_URL: Final = re.compile(r"https?://(?:dx\.)?doi\.org/(10\.\S+)", re.IGNORECASE)
_NUMBERED: Final = re.compile(r"<\s*\d+\s*\.?\s*>\s*")
"""The line before each record of Ovid's."""

_FIRST: Final = re.compile(
    rf"(?:(?!{_TAG})[^\r\n]*+[\r\n]++){{0,20}}?(?:PMID-[ \t]*+(?=\d|[\r\n])|UI  - ?\d|VN  - Ovid|OWN - ERIC)"
    rf"[^\r\n]*+[\r\n]++{_TAG}"
)
"""Possessive throughout: every line is taken in one way only, or blank lines would be tried in all their partitions."""


def _looks_like(text: str) -> bool:
    return _FIRST.match(text) is not None or re.match(r"PMID- ?\d+\s*\Z", text) is not None


class _Record:
    """The fields of a record that is being read, in order, and the lines that are no fields. Positions in the text."""

    def __init__(self, start: int = 0) -> None:
        self.start = self.end = start
        self.fields: list[tuple[str, str]] = []
        self.loose: list[str] = []
        self.odd: list[tuple[int, str]] = []

    def place_loose(self) -> None:
        """Lines between two fields of a record belong to it."""
        self.fields.extend(("text", line) for line in self.loose)
        self.loose.clear()

    def add_line(self, line: str, start: int, end: int, *, after_blank: bool) -> None:
        """A line that is no field. It goes on with the field above it, but not at the margin after a blank line."""
        if _NUMBERED.fullmatch(line):
            return
        if self.fields and line.startswith(("      ", "\t")):
            self.fields.append(("", line))
            self.end = end
            return
        self.odd.append((start, line))
        if after_blank or not self.fields:
            self.loose.append(line)
        else:
            self.fields.append(("", line))
            self.end = end


class _Reader:
    """Takes records out of a text that grows at its end."""

    def __init__(self, source: Source) -> None:
        self.taken = 0
        """How much of the text given last is done with."""
        self.line = 1
        """Of the place up to which it is done with."""
        self._source = source
        self._lead = ""
        self._n_read = self._n_with_so = self._last_line = 0

    def take(self, text: str, *, last: bool) -> Iterator[Reference | Finding]:
        """The records that another one follows in `text`, and if it is the `last` of the file, the one at its end."""
        self.taken = 0
        record = _Record()
        after_blank = True
        for piece in _PIECE.finditer(text):
            tag, value, blank, other = piece.groups()
            if tag is None:
                if blank is None:
                    record.add_line(other, piece.start(), piece.end(), after_blank=after_blank)
                else:
                    after_blank = True
                continue
            after_blank = False
            if tag == self._lead or (not self._lead and tag in _LEADS):
                self._lead = tag
                yield from self._ended(text, record, piece.start())
                record = _Record(piece.start())
            if record.loose:
                record.place_loose()
            record.fields.append((tag, value))
            record.end = piece.end()
        if last:
            yield from self._ended(text, record, len(text))
            yield from self._cut_off(record)

    def _ended(self, text: str, record: _Record, end: int) -> Iterator[Reference | Finding]:
        line, at = self.line, record.start
        for start, odd in record.odd:
            line, at = line + _n_breaks(text[at:start]), start
            yield found(self._source, f"a line without a tag: {shown(odd)}", line=line, level="warning", hint=_HINT)
        if record.fields:
            tags = [tag for tag, _ in record.fields]
            if tags[0] != self._lead:
                yield found(self._source, f"a field {tags[0]} before the first record", line=self.line, hint=_CUT)
            elif any(tags.count(tag) > 1 for tag in _ONCE):
                yield self._twice(text[record.start : record.end])
            else:
                self._n_read, self._last_line = self._n_read + 1, self.line
                self._n_with_so += "SO" in tags
                yield _reference(record.fields, self.line, text[record.start : record.end].rstrip("\r\n"))
        self.line += _n_breaks(text[self.taken : end])
        self.taken = end

    def _twice(self, text: str) -> Finding:
        seen: set[str] = set()
        for piece in _PIECE.finditer(text):
            tag = piece[1] or ""
            if tag in _ONCE and tag in seen:
                break
            seen.add(tag)
        what = f"a second {tag} in the record that begins on line {self.line:,}"
        hint = f"Is the {self._lead} line of the next record missing? Mend it, or export the file again."
        return found(self._source, what, line=self.line + _n_breaks(text[: piece.start()]), hint=hint)

    def _cut_off(self, record: _Record) -> Iterator[Finding]:
        """PubMed ends a record with SO. Where all others have one and the last has not, the file may have been cut."""
        n = self._n_read if self._lead == "PMID" else 0
        if n > 1 and self._n_with_so == n - 1 and all(tag != "SO" for tag, _ in record.fields):
            what = "the last record has no SO, as all others have: the file may be cut off within it"
            yield found(self._source, what, line=self._last_line, hint=_CUT, level="warning")


def _n_breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _read(source: Source, codec: str) -> Iterator[Reference | Finding]:
    reader = _Reader(source)
    rest = ""
    with source.open_text(codec) as file:
        while more := file.read(max(_CHUNK_CHARS, len(rest))):
            rest += more
            yield from reader.take(rest, last=False)
            rest = rest[reader.taken :]
            if len(rest) > _RECORD_CHARS:
                what = f"more than {_RECORD_CHARS:,} characters in which no record begins"
                yield found(source, what, line=reader.line, hint=_CUT)
                return
    yield from reader.take(rest, last=True)


_COLUMNS: Final = {
    "TI": "title",
    "AB": "abstract",
    "VI": "volume",
    "IP": "issue",
    "PG": "pages",
    "PMID": "pmid",
    "PM": "pmid",
    "PMC": "pmcid",
    "OID": "accession_number",
    "AN": "accession_number",
    "DB": "database",
}
"""Columns with one value: the first counts. OID: ERIC's. AN, DB, PM: Ovid's."""

_LISTS: Final = {
    "MH": "keywords",
    "OT": "keywords",
    "KW": "keywords",
    "PT": "type",
    "LA": "language",
    "LG": "language",
    "IS": "issn",
    "ISSN": "issn",
}
"""Columns of all values, in order. KW, LG: Ovid's. ISSN: ERIC's."""

_AUTHORS: Final = frozenset({"FAU", "AU", "CN"})
_PLACES: Final = frozenset({"LID", "AID", "DO", "UR"})


class _Filling:
    """One record's fields put where they belong, what has no place kept in `other`."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.other: dict[str, list[str]] = {}

    def keep(self, tag: str, value: str) -> None:
        self.other.setdefault(tag, []).append(value)

    def put(self, column: str, value: str, tag: str, said: str) -> None:
        """What was `said` is kept where the column has another value already."""
        if self.fields.setdefault(column, value) != value:
            self.keep(tag, said)

    def move(self, column: str, tag: str) -> None:
        """The first value that was kept under a tag goes into a column that is empty."""
        if column not in self.fields and tag in self.other:
            self.fields[column] = self.other[tag].pop(0)
            if not self.other[tag]:
                del self.other[tag]


def _reference(fields: list[tuple[str, str]], line: int, raw: str) -> Reference:
    filling = _Filling()
    before = ""
    for tag, value in _joined(fields):
        if not value:
            continue
        if tag in _COLUMNS:
            filling.put(_COLUMNS[tag], value, tag, value)
        elif tag in _LISTS:
            filling.lists.setdefault(_LISTS[tag], []).append(value)
        elif tag in _AUTHORS and not (tag == "AU" and before == "FAU"):  # an AU after a FAU is its short form
            filling.lists.setdefault("authors", []).append(value)
        elif tag in _PLACES:
            _put_place(filling, tag, value)
        else:
            filling.keep(tag, value)
        before = tag
    _settle(filling)
    filling.fields.update((column, SEPARATOR.join(values)) for column, values in filling.lists.items())
    return Reference(line, filling.fields, filling.other, raw)


def _joined(fields: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each field once, with the lines without a tag that go on with it."""
    whole: list[tuple[str, str]] = []
    for tag, value in fields:
        if tag:
            whole.append((tag, value))
        else:
            whole[-1] = whole[-1][0], f"{whole[-1][1]}\n{value}"
    return ((tag, _on_one_line(value)) for tag, value in whole)


def _on_one_line(value: str) -> str:
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" in value:
        value = " ".join([line.strip(" \t") for line in value.split("\n")])
    return value.strip()


def _put_place(filling: _Filling, tag: str, value: str) -> None:
    """LID and AID say in brackets what they are; in ERIC and Ovid they are addresses."""
    text, _, kind = value.rpartition(" ")
    url = _DOI_URL.fullmatch(value)
    if kind == "[doi]":
        filling.put("doi", "".join(text.split()), tag, value)
    elif url:
        filling.put("doi", url[1], tag, value)
    elif tag == "DO":
        filling.put("doi", value, tag, value)
    elif value.startswith(("http://", "https://", "www.")):
        filling.lists.setdefault("url", []).append(value)
    else:
        filling.keep(tag, value)


def _settle(filling: _Filling) -> None:
    """Columns that one of several tags fills."""
    if filling.fields.get("title", "").strip("[]. ").lower() == "not available" and "TT" in filling.other:
        filling.keep("TI", filling.fields.pop("title"))
    for column, tags in (("title", ("TT", "BTI")), ("journal", ("JT", "JN", "TA"))):
        for tag in tags:
            filling.move(column, tag)
    if "pmid" not in filling.fields and "MEDLINE" in filling.fields.get("database", "").upper():
        filling.move("pmid", "UI")  # Ovid's number of a record of MEDLINE is its PMID
    filling.move("accession_number", "UI")
    for tag in ("DP", "YR", "DEP"):
        year = next((match[0] for value in filling.other.get(tag, ()) if (match := _YEAR.search(value))), "")
        if year:
            filling.fields["year"] = year
            if filling.other[tag] == [year]:
                del filling.other[tag]
            return


_MARK: Final = re.compile(r"\n(?: {0,5}+(PMID) ?-|(PMID) ?:|(UI|VN) {1,2}-|(OWN) ?-)")


def _starts(source: Source, codec: str) -> Iterator[int]:
    """By the tag at the beginning of lines alone; also indented or with a colon, which the reader refuses."""
    lead = ""
    line = 0
    with io.TextIOWrapper(source.open(), encoding=codec) as file:  # every kind of line break becomes "\n"
        rest = "\n"
        while more := file.read(max(_CHUNK_CHARS, len(rest))):
            rest += more
            at = 0
            for mark in _MARK.finditer(rest):
                tag = mark[mark.lastindex or 0]
                lead = lead or tag
                if tag == lead:
                    line, at = line + rest.count("\n", at, mark.end()), mark.end()
                    yield line
            kept = max(rest.rfind("\n"), at)  # a line that may go on
            line, rest = line + rest.count("\n", at, kept), rest[kept:]


MEDLINE: Final = Format("medline", "MEDLINE (.nbib)", (".nbib", ".medline"), _looks_like, _read, _starts)
