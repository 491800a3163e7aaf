"""RIS: the person's own record, untouched, with our keywords and note before its end; or one made of its columns.

A record that came from RIS keeps every character, its line ends and the way its tags are set off. What we added in an
earlier run is replaced; it is known by our note. Nothing that is added holds a line break or a control character.
"""

import re
from collections.abc import Iterator
from typing import Final

from overnight.records.references.reference import SEPARATOR
from overnight.records.writers.citation import Citation
from overnight.records.writers.marks import Marks, keywords_of_note

FORMAT: Final = "ris"
_USUAL_END: Final = "\r\n"
_USUAL_FORM: Final = ("", "TY", "  ", "-", " ")

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_DASH: Final = "[-–—]"
_TAG: Final = re.compile(rf"([ \t\ufeff]*)([A-Za-z][A-Za-z0-9])([ \t]*)({_DASH})([ \t]*)")
_END: Final = re.compile(rf"[ \t]*(?:ER  -|[Ee][Rr][ \t]*{_DASH}\s*\Z)")


def annotated(raw: str, marks: Marks | None) -> str:
    """The record's own text with what is added before its ER line. One that has no ER gets one. None: only that.

    raw: from its first character to its last, without the line end. Returned in the same way.
    """
    lines = _LINE.findall(raw)
    form = _Form(lines[0])
    last = lines.pop() if _END.match(lines[-1]) else form.line("ER", "")
    if marks is not None:
        lines = _without_ours(lines)
    lines[-1] = lines[-1].rstrip("\r\n") + form.end
    added = [form.line(tag, value) + form.end for tag, value in _ours(marks)]
    return "".join([*lines, *added, last.rstrip("\r\n")])


def _ours(marks: Marks | None) -> list[tuple[str, str]]:
    return [] if marks is None else [*(("KW", keyword) for keyword in marks.keywords), ("N1", marks.note)]


class _Form:
    """How a record sets off its tags and ends its lines, by its first line.

    Where nothing stands around the dash (`TY-JOUR`), what is added has the usual form: readers count that always, and
    `N1-overnight` may be text to them.
    """

    def __init__(self, first: str) -> None:
        self.end = first[len(first.rstrip("\r\n")) :] or _USUAL_END
        match = _TAG.match(first)
        indent, tag, gap, dash, after = match.groups() if match else _USUAL_FORM
        if not gap and not after:
            indent, tag, gap, dash, after = _USUAL_FORM
        self._indent, self._gap, self._dash = indent.lstrip("\ufeff"), gap, dash
        self._after = " " if gap == "  " and not after else after
        self._lower = tag.islower()

    def line(self, tag: str, value: str) -> str:
        written = tag.lower() if self._lower else tag
        return f"{self._indent}{written}{self._gap}{self._dash}{self._after}{value}"


def _without_ours(lines: list[str]) -> list[str]:
    """Without what an earlier run added. A line of ours that goes on below it holds a person's words too, and stays."""
    tags = [_tag_of(line) for line in lines]
    added: list[str] = []
    drop: set[int] = set()
    for place, (tag, value) in enumerate(tags):
        if tag == "N1" and _is_whole(tags, place) and (keywords := keywords_of_note(value)) is not None:
            drop.add(place)
            added += keywords
    for place in reversed(range(len(tags)) if added else ()):  # ours stand behind a person's own of the same words
        tag, value = tags[place]
        if tag == "KW" and value in added and _is_whole(tags, place):
            added.remove(value)
            drop.add(place)
    return [line for place, line in enumerate(lines) if place not in drop]


def _is_whole(tags: list[tuple[str, str]], place: int) -> bool:
    return place + 1 == len(tags) or tags[place + 1][0] != ""


def _tag_of(line: str) -> tuple[str, str]:
    match = _TAG.match(line)
    return ("", "") if match is None else (match[2].upper(), line[match.end() :].strip())


def made(citation: Citation, marks: Marks | None) -> str:
    """A record of a citation, in RIS as Zotero and EndNote write it. What has no tag is in a note of its own."""
    accession = citation.first("accession_number") or citation.first("pmid")
    lines = [f"{tag}  - {value}" for tag, value in _tagged(citation, accession)]
    # A database without an accession number says to many readers, ours too, that ID is one (Ovid's way).
    databases = [] if accession else [f"database: {said}" for said in citation.all("database")]
    if rest := "; ".join(filter(None, [*databases, citation.notes])):
        lines.append(f"N1  - other fields: {rest}")
    lines += [f"{tag}  - {value}" for tag, value in _ours(marks)]
    lines.append("ER  - ")
    return _USUAL_END.join(lines)


_ONE: Final = (
    ("TI", "title"),
    ("AB", "abstract"),
    ("PY", "year"),
    ("T2", "journal"),
    ("VL", "volume"),
    ("IS", "issue"),
    ("DO", "doi"),
    ("PM", "pmid"),
    ("C2", "pmcid"),
)
_MANY: Final = (("SN", "issn"), ("UR", "url"), ("KW", "keywords"))


def _tagged(citation: Citation, accession: str) -> Iterator[tuple[str, str]]:
    kind = ris_type(citation)
    yield "TY", kind
    yield from (("AU", person) for person in citation.all("authors"))
    yield from ((tag, citation.first(name)) for tag, name in _ONE if citation.first(name))
    pages = citation.first("pages")
    begin, _, end = pages.partition("-")
    if begin and end and begin != end:
        yield from (("SP", begin), ("EP", end))
    elif pages:
        yield "SP", pages
    if accession:
        yield "AN", accession
        yield from (("DB", value) for value in citation.all("database"))
    if citation.all("language"):
        yield "LA", SEPARATOR.join(citation.all("language"))
    if key := citation.first("citation_key") or citation.own_id:
        yield "ID", key
    for tag, name in _MANY:
        yield from ((tag, value) for value in citation.all(name))
    yield from (("M3", value) for value in citation.all("type") if value != kind)


_TYPES: Final = (
    ("CHAP", ("chapter", "inbook", "incollection")),
    ("BOOK", ("book", "monograph")),
    ("CPAPER", ("conference", "proceeding", "congress")),
    ("THES", ("thesis", "dissertation")),
    ("RPRT", ("report",)),
    ("UNPB", ("unpublished", "preprint")),
    ("JOUR", ("article", "journal", "review", "letter", "editorial", "trial", "study")),
)


def ris_type(citation: Citation) -> str:
    """One of RIS's types, by the words of its own types; with a journal it is an article."""
    types = citation.all("type")
    if types and re.fullmatch(r"[A-Z]{3,6}", types[0]):
        return types[0]
    said = " ".join(types).lower()
    if "case report" not in said:
        for kind, words in _TYPES:
            if any(word in said for word in words):
                return kind
    return "JOUR" if citation.first("journal") else "GEN"


def as_ris(raw: str, format_: str, citation: Citation | None, marks: Marks | None) -> str:
    """The record in RIS, with the blank line that follows it. citation: what a record of another format is made of.
    marks: None where nothing was decided on it."""
    if format_ == FORMAT and raw:
        text = annotated(raw, marks)
    else:
        assert citation is not None, "a record without its own RIS is made of its columns"
        text = made(citation, marks)
    return text + next(end for end in (_USUAL_END, "\n", "\r") if end in text) * 2
