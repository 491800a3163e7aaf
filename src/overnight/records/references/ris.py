"""RIS: `TY  - JOUR` begins a record, `ER  - ` ends it, a tag of two characters stands before every value.

Exports differ in everything else. A record's own first line says how its tags are set off (`TY - `, `TY-`, tabs, lower
case, a dash from a word processor); two blanks and a dash count always. A line that has no tag in that form is more of
the value before it, whatever it begins with. A record ends at `ER`, at the next `TY`, or with the file.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from string import ascii_uppercase, digits
from typing import Final

from overnight.errors import Finding
from overnight.records.findings import found
from overnight.records.references.format import Format
from overnight.records.references.identifiers import (
    hidden_doi,
    hidden_pmcid,
    is_doi,
    is_medline,
    is_pmid,
    said_pmid,
    year,
)
from overnight.records.references.reference import SEPARATOR, Reference
from overnight.records.references.scan import scanned
from overnight.records.references.tagged import (
    STRAY,
    Asides,
    Draft,
    Tags,
    between,
    every,
    first,
    lines,
    listed,
    one_line,
    paragraphs,
    two_in_one,
)
from overnight.records.source import Source

_USUAL: Final = {a + b + "  -": a + b for a in ascii_uppercase for b in ascii_uppercase + digits}
"""The first five characters of a line with a tag, as nearly all programs write it."""

_SPECIFIED: Final = (
    "A1|A2|A3|A4|AB|AD|AN|AU|AV|BT|C[1-8]|CY|DA|DB|DO|DP|ED|EP|ET|ID|IS|J1|J2|JA|JF|JO|KW|L[1-4]|LA|LB|LK|M[1-3]|N1|N2|"
    "OP|PB|PY|RN|RP|SE|SN|SP|ST|T[1-3]|TA|TI|TT|U[1-5]|UR|VL|Y1|Y2"
)
"""RIS's own, as EndNote and Reference Manager have them."""

_KNOWN: Final = (
    "A1|A2|A3|A4|AB|AD|AN|AU|AV|BT|C[1-8]|CA|CC|CN|CP|CT|CY|DA|DB|DE|DI|DO|DP|ED|EP|ET|FU|FX|ID|IS|J1|J2|J9|JA|JF|JI|"
    "JO|KW|KY|L[1-4]|LA|LB|LK|M[1-3]|N1|N2|NO|NV|OP|PA|PB|PG|PI|PM|PP|PT|PU|PY|RI|RN|RP|SE|SN|SO|SP|ST|SV|T[1-3]|TA|"
    "TI|TT|U[1-5]|UR|VL|VO|WE|WP|WT|WV|XR|Y1|Y2|YR"
)
"""Tags that are looked for in other forms than the usual one; there an unknown pair of letters is text."""

_DASH: Final = "[-–—]"
_ODD_TYPE: Final = rf"[ \t]*{_DASH}(?:[ \t]*[A-Za-z]{{3,12}}\s*|[ \t]+[\r\n]*)\Z"
_START: Final = re.compile(rf"([ \t]*)(TY(?=  -)|[Tt][Yy](?={_ODD_TYPE}))([ \t]*){_DASH}([ \t]*)")
"""In another form than the usual one a TY line has nothing but a word behind its dash."""
_END: Final = re.compile(rf"[ \t]*(?:ER  -|[Ee][Rr][ \t]*{_DASH}\s*\Z)")
_LOOSE: Final = re.compile(rf"([ \t]*)((?i:{_KNOWN}))([ \t]*){_DASH}([ \t]*)")
_GLUED: Final = re.compile(
    r"(?i:A[1-4U]|ED)[-–—](?:v[ao]n|d|de[nrl]?|d[aiou]s?|l[ae]|el|al|te[nr]|bin|ibn)[ '’]"
    r"|(?i:L[1-4K]|UR)[-–—](?:https?:|www\.|file:|internal-pdf:|10\.)"
    r"|(?i:DO|M3|L3|N1)[-–—](?:doi\b|https?:|10\.)"
    r"|(?i:KW|LA|RP)[-–—][a-z]"
    rf"|(?i:{_SPECIFIED})[-–—](?![a-z])"
)
"""Where nothing stands around the dash, a line of text may look like a tag: `CT-guided`, `T2-weighted`. So there only
RIS's own tags count, and a value that begins with a small letter only where such values are usual."""
_HEADER: Final = re.compile(r"Record #?\d+ of \d+\Z|<\d+>\Z|\d+\.\Z")

_BOUNDS: Final = frozenset({"TY", "ER"})

_NO_END = ("a record without an ER line at its end", "{n} records without an ER line at their end")
_NO_TYPE = ("a record that does not begin with a TY line", "{n} records that do not begin with a TY line")
_LIKE_TAG = (
    "a line that begins like a tag, taken as text of the one above",
    "{n} lines that begin like tags, taken as text of those above",
)
_LONE_END = ("an ER line without a record", "{n} ER lines without a record")


def read(source: Source, codec: str) -> Iterator[Reference | Finding]:
    """Every record; notes on what was odd come at the end, counted."""
    asides = Asides(source)
    draft: Draft | None = None
    for number, line in lines(source, codec):
        form = None
        tag = _USUAL.get(line[:5])
        if tag is None:
            tag, value, form = _odd_line(line, draft)
        elif draft is None or tag in _BOUNDS or draft.blanks:
            value = line[5:].strip()
        else:  # nearly all lines
            draft.put(tag, line[5:].strip(), line)
            continue
        if tag == "TY" or (draft is None and tag and tag != "ER"):
            if draft is not None:
                asides.add(*_NO_END, draft.line)
                yield from _closed(source, draft)
            if tag != "TY":
                asides.add(*_NO_TYPE, number)
            draft = Draft(source, number, form)
            draft.put(tag, value, line)
        elif draft is None:
            if tag == "ER":
                asides.add(*_LONE_END, number)
            else:
                yield from between(source, asides, number, line)
        elif tag == "ER":
            draft.end(line)
            if value:
                yield from _after_end(source, draft, number, value)
            yield from _closed(source, draft)
            draft = None
        elif tag:
            if draft.blanks and tag in {"TI", "T1"} and tag in draft.tags:
                yield _second_title(source, draft, number, tag)
            draft.put(tag, value, line)
        elif draft.blanks and _HEADER.match(line.strip()):
            asides.add(*STRAY, number, line.strip())
            draft.pass_by(line)
        else:
            if draft.form is not None and draft.form.match(line):
                asides.add(*_LIKE_TAG, number, line.strip())
            draft.go_on(line)
    if draft is not None:
        asides.add(*_NO_END, draft.line)
        yield from _closed(source, draft)
    yield from asides.findings()


_TEXTS: Final = frozenset({"TI", "T1", "AB", "N2"})
_ONCE: Final = _TEXTS | {"PY", "Y1", "VL", "IS", "SP", "EP", "DO", "TY", "JO", "JF"}


def _closed(source: Source, draft: Draft) -> Iterator[Reference | Finding]:
    yield from two_in_one(source, draft, _TEXTS, _ONCE)
    yield _reference(draft)


def _odd_line(line: str, draft: Draft | None) -> tuple[str, str, re.Pattern[str] | None]:
    """Of a line without a tag in the usual form: its tag (empty where it has none), the value, and the form of tags
    that it shows, if a record may begin with it.
    """
    line = line.lstrip("\ufeff")
    if match := _START.match(line):
        return "TY", line[match.end() :].strip(), _form(match[1], match[3], match[4], match[2])
    if _END.match(line):
        return "ER", line.partition("-")[2].strip(), None
    if draft is None:
        if tag := _USUAL.get(line[:5]):  # behind a byte-order mark
            return tag, line[5:].strip(), None
        match = _LOOSE.match(line)
        if match is None or not (match[3] or match[4] or _GLUED.match(line, match.start(2))):
            return "", "", None
        return match[2].upper(), line[match.end() :].strip(), _form(match[1], match[3], match[4], match[2])
    if draft.form is None and draft.fresh and (match := _LOOSE.match(line)) and match[3]:
        draft.form = _form(match[1], match[3], match[4], match[2])
    if draft.form is not None and (match := draft.form.match(line)) and match[1]:
        return match[1].upper(), line[match.end() :].strip(), None
    return "", "", None


@lru_cache(64)
def _form(indent: str, gap: str, after: str, tag: str) -> re.Pattern[str]:
    """How a record sets off its tags, from one of its lines: 1 is the tag, of a line that only looks like one nothing.

    after: what stands behind the dash; an empty value may have lost it.
    """
    tags = _KNOWN if tag.isupper() else f"(?i:{_KNOWN})"
    if gap or after:
        end = r"(?:[ \t]|\s*\Z)" if after else ""
        return re.compile(f"{re.escape(indent)}({tags}){re.escape(gap)}{_DASH}{end}")
    return re.compile(f"{re.escape(indent)}(?:(?={_GLUED.pattern})({tags})|{tags}){_DASH}")


def _after_end(source: Source, draft: Draft, number: int, value: str) -> Iterator[Finding]:
    if _START.match(value):
        yield found(source, "a record ends and the next begins on one line", line=number, hint="Begin a line at TY.")
    draft.tags["ER"] = [value]


def _second_title(source: Source, draft: Draft, number: int, tag: str) -> Finding:
    what = f"a second {tag} in the record of line {draft.line:,}, after a blank line: two records, or one?"
    return found(source, what, line=number, hint="Write ER and TY between the two, or take the blank line away.")


# Column ← tags, best first. What is left of a tag goes into `other`.
_TITLE: Final = ("TI", "T1", "CT", "BT", "ST", "TT")
_JOURNAL: Final = ("JF", "T2", "JO", "SO", "BT", "JA", "J2", "J1", "JI", "J9", "TA")
_SIMPLE: Final = (("volume", ("VL", "VO")), ("issue", ("IS", "NO", "CP")), ("language", ("LA",)))
_DATES: Final = ("PY", "Y1", "YR", "DA")
_LINKS: Final = ("UR", "L3", "M3", "L1", "L2", "LK", "N1")
_COLLAPSED: Final = re.compile(r"\s{2,}([A-Z][A-Z0-9])  - ")
_ABSTRACT_NOTE: Final = re.compile(r"abstract\s*[:.\n]", re.IGNORECASE)


def _reference(draft: Draft) -> Reference:
    tags, raw = draft.close()
    for name in ("UR", "DO"):
        if name in tags:
            _unfold(tags, name)
    fields = {
        "title": first(tags, _TITLE),
        "abstract": paragraphs(tags, ("AB", "N2")) or _abstract_note(tags),
        "authors": listed(tags, ("AU", "A1")),
        "year": year(tags, _DATES),
        "journal": first(tags, _JOURNAL),
        "pages": _pages(tags),
    }
    for column, names in _SIMPLE:
        fields[column] = first(tags, names)
    _identify(tags, fields)
    fields["type"] = SEPARATOR.join(_types(tags))
    fields["keywords"] = listed(tags, ("KW", "KY", "DE"))
    fields["issn"] = every(tags, ("SN",))
    fields["url"] = every(tags, ("UR", "LK"))
    fields["database"] = every(tags, ("DB", "DP"))
    return Reference(draft.line, {name: text for name, text in fields.items() if text}, tags, raw)


def _identify(tags: Tags, fields: dict[str, str]) -> None:
    """Identifiers, before url and database are taken: where those say what a number is."""
    databases = tags.get("DB") or tags.get("DP") or []
    medline = bool(databases) and all(map(is_medline, databases))
    numbers = [value for name in ("AN", "ID") for value in tags.get(name, ()) if medline and is_pmid(value)]
    fields["doi"] = first(tags, ("DO", "DI")) or hidden_doi(tags, _LINKS)
    fields["pmid"] = _pmid(tags, databases) or (numbers[0] if numbers else "") or said_pmid(tags, ("C3", "N1", "UR"))
    fields["pmcid"] = hidden_pmcid(tags, ("C2", "N1"))
    fields["accession_number"] = first(tags, ("AN",))
    name = tags.get("ID", [""])[0]
    if databases and not fields["accession_number"]:  # Ovid
        fields["accession_number"] = first(tags, ("ID",))
    elif not name.isdecimal():  # EndNote counts its records there: the same numbers in every file
        fields["citation_key"] = first(tags, ("ID",))


def _pmid(tags: Tags, databases: list[str]) -> str:
    """Under a tag that is for PMIDs: `PM`; `C5` in Embase's exports, `C2` in Scopus'."""
    for name, database in (("PM", ""), ("C5", "embase"), ("C5", "medline"), ("C2", "scopus")):
        if name in tags and (not database or any(database in said.lower() for said in databases)):
            value = tags[name][0]
            if is_pmid(value):
                return first(tags, (name,))
    return said_pmid(tags, ("PM",))


def _types(tags: Tags) -> list[str]:
    types = [one_line(value) for value in tags.pop("TY", []) + tags.pop("PT", [])]
    for value in tags.get("M3", [])[:]:
        if not is_doi(value):
            types.append(one_line(value))
            tags["M3"].remove(value)
    if not tags.get("M3", True):
        del tags["M3"]
    return types


def _pages(tags: Tags) -> str:
    begin, end = first(tags, ("SP", "PG")), first(tags, ("EP",))
    return f"{begin}-{end}" if begin and end and begin != end else begin or end


def _abstract_note(tags: Tags) -> str:
    """Old EndNote wrote abstracts as notes. Only a note that says so and is long enough is one."""
    for value in tags.get("N1", ()):
        if len(value) > 100 and _ABSTRACT_NOTE.match(value):
            tags["N1"].remove(value)
            if not tags["N1"]:
                del tags["N1"]
            return value
    return ""


def _unfold(tags: Tags, name: str) -> None:
    """Rayyan writes `DO  - 10.1/x     LK  - https://…` on one line: the second is a tag of its own."""
    for i, value in enumerate(tags[name]):
        if "  - " in value:
            head, *rest = _COLLAPSED.split(value)
            tags[name][i] = head
            for tag, more in zip(rest[::2], rest[1::2], strict=True):
                tags.setdefault(tag, []).append(more.strip())


# The count. Tags and dashes are written out again, and a kind of work behind any sign, so that a TY line which the
# reader takes for text is noticed.
_KINDS: Final = (
    "ABST|ADVS|AGGR|ART|BILL|BLOG|BOOK|CASE|CHAP|CHART|COMP|CONF|CPAPER|CTLG|DATA|DBASE|DICT|EBOOK|ECHAP|EDBOOK|EJOUR|"
    "ELEC|ENCYC|GEN|GOVDOC|GRANT|HEAR|ICOMM|INPR|JFULL|JOUR|LEGAL|MANSCPT|MAP|MGZN|MPCT|MULTI|MUSIC|NEWS|PAMP|PAT|PCOMM|"
    "RPRT|SER|SLIDE|SOUND|STAND|STAT|THES|UNPB|UNPD|VIDEO|WEB"
)
_MARK_TYPE: Final = (
    r"(?P<type>TY  -|(?i:ty)[ \t]*[\-\u2013\u2014](?:[ \t]*[A-Za-z]{3,12}|[ \t]+)[^\S\n]*(?=\n)"
    rf"|(?i:ty)[^\w\n]{{1,8}}(?:{_KINDS})[^\S\n]*(?=\n))"
)
_MARK_END: Final = r"ER  -|(?i:er)[ \t]*[\-\u2013\u2014][^\S\n]*(?=\n)"
_MARK_TAG: Final = (
    r"(?P<tag>(?<![ \t])[A-Z][A-Z0-9]  -"
    "|(?i:a[1-4bdnuv]|bt|c[1-8acnpty]|d[abeiop]|e[dpt]|f[ux]|i[ds]|j[129afio]|k[wy]|l[1-4abk]|m[1-3]|n[12ov]|op"
    "|p[abgimptuy]|r[inp]|s[enoptv]|t[1-3ait]|u[1-5r]|v[lo]|w[eptv]|xr|y[12r])"
    r"(?:[ \t]+[\-\u2013\u2014]|[\-\u2013\u2014](?=[ \t]))"
    "|(?i:a[1-4bdnuv]|bt|c[1-8y]|d[abop]|e[dpt]|i[ds]|j[12afo]|kw|l[1-4abk]|m[1-3]|n[12]|op|p[by]|r[np]|s[enpt]"
    r"|t[1-3ait]|u[1-5r]|vl|y[12])[\-\u2013\u2014](?![a-z])"
    r"|(?i:kw|la|rp)[\-\u2013\u2014][a-z]|(?i:l[1-4k]|ur)[\-\u2013\u2014](?:https?:|www\.|file:|internal-pdf:)"
    r"|(?i:do|m3|l3|n1)[\-\u2013\u2014](?:doi\b|https?:)"
    r"|(?i:a[1-4u]|ed)[\-\u2013\u2014](?:v[ao]n|d|de[nrl]?|d[aiou]s?|l[ae]|el|al|te[nr]|bin|ibn)[ '’])"
)
"""In the usual form any two signs; else those that are known; where nothing stands around the dash, fewer of them."""
_BOUND_MARK: Final = re.compile(rf"\n\ufeff*[ \t]*(?:{_MARK_TYPE}|{_MARK_END})")
_OPEN_MARK: Final = re.compile(rf"\n\ufeff*[ \t]*(?:{_MARK_TYPE}|{_MARK_END}|{_MARK_TAG})")


def starts(source: Source, codec: str) -> Iterator[int]:
    """The lines of each TY, and of any other tag where no record is open."""
    with scanned(source, codec) as scan:
        is_open = False
        while mark := scan.find(_BOUND_MARK if is_open else _OPEN_MARK):
            is_open = mark["type"] is not None or (not is_open and mark["tag"] is not None)
            if is_open:
                yield scan.line


_AT_LINE: Final = r"(?:\A|[\r\n]\ufeff?)"
_HEAD_DASH: Final = "(?:[-–—\x96\x97]|â\x80[\x93\x94])"
"""The dashes too as they look in UTF-8 or Windows-1252 that was decoded as Latin-1."""
_TYPE_LINE: Final = rf"[ \t]*(?i:TY)[ \t]*{_HEAD_DASH}[ \t]*(?:[A-Za-z]{{3,12}})?[ \t]*"
_FIRST: Final = re.compile(rf"{_AT_LINE}{_TYPE_LINE}[\r\n]+[ \t]*[A-Za-z][A-Za-z0-9][ \t]*{_HEAD_DASH}")
_BEGINS: Final = re.compile(rf"{_TYPE_LINE}(?:[\r\n]|\Z)|TY  -")
_UNTYPED: Final = re.compile(r"[A-Z][A-Z0-9]  -")
_NUMBERED: Final = re.compile(r"<\d+>\s*[\r\n]")
"""Ovid's line above each record; what else begins so is markup."""
_ENDS: Final = re.compile(rf"{_AT_LINE}[ \t]*(?i:ER)[ \t]*{_HEAD_DASH}[ \t]*(?:[\r\n]|\Z)")


def looks_like(text: str) -> bool:
    """A TY line at the start, or one with a tag on the next line after other text; or tags from the start and an ER."""
    if text[:1] in {"<", "{", "["} and not _NUMBERED.match(text):
        return False
    if _BEGINS.match(text) or (_UNTYPED.match(text) and _ENDS.search(text)):
        return True
    first = _FIRST.search(text)
    # Behind an open quote it is a record that somebody put into a cell of a CSV.
    return first is not None and text.count('"', 0, first.start()) % 2 == 0


RIS: Final = Format("ris", "RIS", (".ris",), looks_like, read, starts)
