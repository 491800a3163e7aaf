"""BibTeX and BibLaTeX, as JabRef, Zotero, Mendeley, EndNote, Scopus, Web of Science and publishers write them.

Our own scan finds the entries (bibtex_blocks.py); bibtexparser takes one entry at a time apart into its fields. So a
broken entry takes no other with it, memory is that of one entry, and a key that is there twice or is missing loses
nothing. docs/decisions/0011 has the measurements.
"""

import codecs
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from overnight.errors import Finding
from overnight.records.findings import found, shown
from overnight.records.references.bibtex_blocks import NO_RECORDS, Block, Broken, Stray, blocks, entry_lines
from overnight.records.references.format import Format
from overnight.records.references.latex import plain_text
from overnight.records.references.reference import COLUMNS, SEPARATOR, Reference
from overnight.records.source import Source

if TYPE_CHECKING:
    from bibtexparser.model import Field

_KNOWN: Final = (
    "article|book|booklet|conference|collection|comment|control|dataset|electronic|inbook|incollection|inproceedings|"
    "manual|mastersthesis|misc|online|patent|phdthesis|preamble|proceedings|report|software|string|techreport|thesis|"
    "unpublished"
)
_LOOKS: Final = re.compile(
    rf"(?:[ \t]*+%[^\r\n]*+[\r\n]\s*+)*+(?:[^@\r\n\t\"]{{0,200}}+[\r\n]++){{0,20}}+[ \t]*@"
    rf"[ \t]*(?:(?:{_KNOWN})[ \t]*\s?[{{(]"
    r"|[a-z][\w-]*[ \t]*[{(]\s*[^\s,{}()=\"]*,\s*[a-z][\w-]*\s*=)",
    re.IGNORECASE,
)
"""Scopus and old JabRef write lines of their own above the first entry; one with a tab or a quote is no such line.
Possessive, so that a line is taken in one way only: blank lines would be tried in all their partitions."""

_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "title": ("title",),
    "abstract": ("abstract",),
    "authors": ("author", "authors"),
    "year": ("year",),
    "journal": ("journal", "journaltitle", "booktitle"),
    "volume": ("volume",),
    "issue": ("number", "issue"),
    "pages": ("pages",),
    "doi": ("doi",),
    "pmid": ("pmid",),
    "pmcid": ("pmcid", "pmc"),
    "accession_number": ("accession_number", "accession-number", "accession", "unique-id"),
    "language": ("language", "langid"),
    "keywords": ("keywords", "keyword", "author_keywords", "mesh", "mesh_terms"),
    "issn": ("issn",),
    "url": ("url", "link"),
    "database": ("database",),
}
"""For each column the fields that may be in it, best first. It takes one; keywords and issn take all."""

_ALL: Final = frozenset({"keywords", "issn"})
_AS_WRITTEN: Final = frozenset({"doi", "url", "link", "pmid", "pmcid", "pmc", "file", "eprint"})
"""Fields whose backslashes, braces and tildes are not LaTeX, but for what was escaped on the way out."""

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ESCAPED: Final = re.compile(r"\\([_&%#$~{}])")
_AND: Final = re.compile(r"\s+and\s+", re.IGNORECASE)
_PIECE: Final = re.compile(r"\s*(?:([{\"])|([^\s{}\"#,]+))")


def read(source: Source, codec: str) -> Iterator[Reference | Finding]:
    """One pass, the memory of one entry and of all `@string` abbreviations."""
    reader = _Reader(source)
    with source.open_text(codec) as file:
        for piece in blocks(file):
            if isinstance(piece, Broken):
                yield _never_closed(source, piece)
            elif isinstance(piece, Stray):
                yield from reader.stray(piece)
            elif piece.kind.lower() == "string":
                yield from reader.define(piece)
            elif piece.kind.lower() == "comment":
                yield from _hidden(source, piece)
            elif piece.kind.lower() not in NO_RECORDS:
                yield from reader.entry(piece)
    yield from reader.left_out(codec)


def starts(source: Source, codec: str) -> Iterator[int]:
    with source.open_text(codec) as file:
        yield from entry_lines(file)


def _never_closed(source: Source, broken: Broken) -> Finding:
    next_ = f"; another one seems to begin on line {broken.next_line:,}" if broken.next_line else ""
    what = f"the entry that begins here is never closed{next_}"
    return found(source, what, line=broken.line, hint="Look for a brace that is missing, or one too many.")


def _hidden(source: Source, block: Block) -> Iterator[Finding]:
    if block.inside:
        n = len(block.inside)
        what = f"{n:,} {'entry' if n == 1 else 'entries'} inside @{block.kind} not read: commented out"
        yield found(source, what, line=block.inside[0], level="warning")


def _inside(source: Source, block: Block, number: int) -> Finding:
    where = f"but stands in the braces of that on line {block.line:,}"
    if number in block.swallowed:  # braces too many later on may make up for those that are missing
        hint = "A closing brace is missing above it. If it is text that quotes an entry, put a blank before its @."
        return found(source, f"an entry begins here, {where}", line=number, hint=hint)
    hint = "It was taken as a part of its text. If it is an entry, a closing brace is missing above it."
    return found(source, f"this looks like the beginning of an entry, {where}", line=number, hint=hint, level="warning")


class _Reader:
    """What is remembered from block to block: the abbreviations, and what was left out of the file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._strings = {month: month for month in _MONTHS}
        self._undefined: Counter[str] = Counter()
        self._strays = self._commented = 0
        self._first_stray: Stray | None = None
        self._first_commented = 0
        self._encoding = ""

    def stray(self, piece: Stray) -> Iterator[Finding]:
        if piece.commented:
            if said := re.match(r"%\s*Encoding:\s*([\w-]+)", piece.text):
                self._encoding = said[1]
            if "@" in piece.text and re.search(r"@\s*[A-Za-z]+\s*[{(]", piece.text):
                self._commented += 1
                self._first_commented = self._first_commented or piece.line
            return
        if piece.fields or re.match(r"@\s*[A-Za-z][\w-]*\s*$", piece.text):
            what = f"outside all entries: {shown(piece.text)}"
            hint = "The entry above is closed too early, by a brace too many, or one is begun in a way we cannot read."
            yield found(self._source, what, line=piece.line, hint=hint)
            return
        self._strays += 1
        self._first_stray = self._first_stray or piece

    def left_out(self, codec: str) -> Iterator[Finding]:
        """The notes about the file as a whole, after its last block."""
        if stray := self._first_stray:
            n = self._strays
            what = f"{n:,} line{'' if n == 1 else 's'} outside all entries, first {shown(stray.text)}: not read"
            yield found(self._source, what, line=stray.line, level="warning")
        if self._commented:
            n = self._commented
            what = f"{n:,} {'entry' if n == 1 else 'entries'} on lines that begin with %: commented out, not read"
            yield found(self._source, what, line=self._first_commented, level="warning")
        for word, n in self._undefined.most_common(5):
            times = f"{n:,} time{'' if n == 1 else 's'}"
            what = f"the abbreviation {shown(word)} is defined by no @string above it: kept as it stands, {times}"
            yield found(self._source, what, level="warning")
        if self._encoding and codec == "cp1252" and not _reads_like(self._encoding, codec):
            what = f"the file says that its encoding is {self._encoding}, which is not what its bytes were read as"
            yield found(self._source, what, line=1, hint="Save it as UTF-8 from the program that made it.")

    def define(self, block: Block) -> Iterator[Finding]:
        name, equals, value = block.body.partition("=")
        text = self._value(value.strip()) if equals else None
        if text is None or not name.strip():
            what = f"an @string that cannot be read: {shown(block.raw)}"
            yield found(self._source, what, line=block.line, hint='It is written @string{name = "text"}.')
            return
        self._strings[name.strip().lower()] = text

    def entry(self, block: Block) -> Iterator[Reference | Finding]:
        key, body = _key_and_fields(block.body)
        fields = _fields_of(body)
        if isinstance(fields, str):
            hint = "Fields are written name = {text}, with a comma after each."
            yield found(self._source, f"this entry cannot be read: {fields}", line=block.line, hint=hint)
            return
        for number in block.inside:
            yield _inside(self._source, block, number)
        values: dict[str, list[str]] = {}
        for name, raw in fields:
            value = self._value(raw)
            if value is None:
                what = f"the field {name} cannot be read: {shown(raw)}"
                hint = "Put its text into braces, and a comma after it."
                line = block.line + block.raw[: max(0, block.raw.find(raw))].count("\n")
                yield found(self._source, what, line=line, hint=hint)
                return
            if value.strip() and value not in values.setdefault(name.lower(), []):
                values[name.lower()].append(value)
        for name, several in values.items():
            if len(several) > 1 and name in _FIRST_OF_SEVERAL:
                what = f"the field {name} is there {len(several)} times: the first is read, the others are in `other`"
                yield found(self._source, what, line=block.line, level="warning")
        yield _reference(block, key, values)

    def _value(self, raw: str) -> str | None:
        """`{text}`, `"text"`, 2020, an abbreviation, or several of these with # between them; None if it is none."""
        pieces, at = [], 0
        while True:
            match = _PIECE.match(raw, at)
            if match is None:
                return "" if not raw.strip() else None
            if match[1]:
                end = _closing(raw, match.end() - 1)
                if end < 0:
                    return None
                pieces.append(raw[match.end() : end])
                at = end + 1
            else:
                pieces.append(self._bare(match[2]))
                at = match.end()
            rest = raw[at:].lstrip()
            if not rest:
                return "".join(pieces)
            if not rest.startswith("#"):
                return raw.strip() if not match[1] and not re.search(r"[{}\"#=]", raw) else None
            at = raw.index("#", at) + 1

    def _bare(self, word: str) -> str:
        if word.lower() in self._strings or not word[0].isalpha():
            return self._strings.get(word.lower(), word)
        if word in self._undefined or len(self._undefined) < 100:
            self._undefined[word] += 1
        return word


def _reads_like(said: str, codec: str) -> bool:
    try:
        name = codecs.lookup(said).name
    except LookupError:
        return True  # a name of another program's: nothing is known against it
    return name in {codec, "iso8859-1", "ascii", "utf-8"}


def _closing(raw: str, at: int) -> int:
    """Where the value that is opened at `at` ends; -1: nowhere."""
    quoted, depth = raw[at] == '"', 0
    for mark in re.finditer(r"\\.|[{}\"]", raw[at + 1 :], re.DOTALL):
        if mark[0] == "{":
            depth += 1
        elif mark[0] == "}":
            if not depth:
                return -1 if quoted else at + 1 + mark.start()
            depth -= 1
        elif mark[0] == '"' and quoted and not depth:
            return at + 1 + mark.start()
    return -1


def _key_and_fields(body: str) -> tuple[str, str]:
    """The key before the first comma, whatever characters it has; none where the first field follows at once."""
    if re.match(r"\s*[A-Za-z][\w:+.-]*\s*=\s*[\w{\"]", body):
        return "", body
    key, _, fields = body.partition(",")
    return key.strip(), fields


def _fields_of(body: str) -> list[tuple[str, str]] | str:
    """(name, its value as written) in order, or bibtexparser's words for what is wrong."""
    from bibtexparser.model import DuplicateFieldKeyBlock, Entry, ParsingFailedBlock
    from bibtexparser.splitter import Splitter

    logging.getLogger("bibtexparser").addHandler(_SILENT)
    # It takes an @ at the beginning of a line for the next entry, even in braces, and \\} for an escaped brace.
    at, twice = _unused(body)
    masked = body.replace("@", at).replace("\\\\", twice)
    library = Splitter(f"@entry{{key,{masked}\n}}").split()
    block = library.blocks[0]
    entry = block.ignore_error_block if isinstance(block, DuplicateFieldKeyBlock) else block
    if len(library.blocks) != 1 or not isinstance(entry, Entry):
        reason = str(getattr(block.error, "abort_reason", "")) if isinstance(block, ParsingFailedBlock) else ""
        return _unmasked(reason, at, twice) or "it ends before its last field"
    return [_named(field, at, twice) for field in entry.fields]


_SILENT: Final = logging.NullHandler()


def _named(field: "Field", at: str, twice: str) -> tuple[str, str]:
    return _unmasked(field.key, at, twice).strip(), _unmasked(str(field.value), at, twice)


def _unused(text: str) -> tuple[str, str]:
    """Two characters that the text does not have: from Unicode's private use area."""
    free = (character for character in map(chr, range(0xE000, 0xF8FF)) if character not in text)
    return next(free), next(free)


def _unmasked(text: str, at: str, twice: str) -> str:
    return text.replace(at, "@").replace(twice, "\\\\")


_FIRST_OF_SEVERAL: Final = frozenset(name for column, names in _COLUMNS.items() if column not in _ALL for name in names)


def _reference(block: Block, key: str, values: dict[str, list[str]]) -> Reference:
    if values.get("eprinttype", values.get("archiveprefix", [""]))[0].lower() == "pubmed" and "pmid" not in values:
        values["pmid"] = values.pop("eprint", [])
    if (date := values.get("date")) and "year" not in values and (year := re.match(r"\d{4}", date[0])):
        values["year"] = [year[0]]
        if date[0] == year[0]:
            del values["date"]
    fields: dict[str, str] = {"citation_key": key, "type": block.kind}
    for column, names in _COLUMNS.items():
        taken = [(name, values[name].pop(0)) for name in names if values.get(name)][: None if column in _ALL else 1]
        texts = [_text(column, name, value) for name, value in taken]
        if column in _ALL:
            texts += [_text(column, name, values[name].pop(0)) for name in names for _ in values.get(name, ())[:]]
        fields[column] = SEPARATOR.join(texts)
    if subtitle := values.get("subtitle"):
        fields["title"] = ": ".join(filter(None, (fields["title"], plain_text(subtitle.pop(0)))))
    other = {name: [_text("", name, value) for value in left] for name, left in values.items() if left}
    ordered = {column: fields[column] for column in COLUMNS if fields.get(column, "").strip()}
    return Reference(block.line, ordered, other, block.raw)


def _text(column: str, name: str, value: str) -> str:
    """A field's value as its column shows it."""
    if name in _AS_WRITTEN:
        return _ESCAPED.sub(r"\1", value).strip()
    if column == "authors" or name in {"editor", "translator"}:
        return SEPARATOR.join(plain_text(person).strip() for person in _people(value))
    if column == "pages":
        return plain_text(value.replace("--", "-")).strip()
    return plain_text(value).strip()


def _people(value: str) -> Sequence[str]:
    """The names between `and`; one in braces stays whole: {Centers for Disease Control and Prevention}."""
    people, start, depth = [], 0, 0
    for match in re.finditer(r"\\.|[{}]|\s+and\s+", value, re.DOTALL | re.IGNORECASE):
        if match[0] in "{}":
            depth += 1 if match[0] == "{" else -1
        elif not depth and _AND.fullmatch(match[0]):
            people.append(value[start : match.start()])
            start = match.end()
    return [person for person in (*people, value[start:]) if person.strip()] or [value]


BIBTEX: Final = Format(
    name="bibtex",
    title="BibTeX",
    suffixes=(".bib", ".bibtex"),
    looks_like=lambda text: _LOOKS.match(text) is not None,
    read=read,
    starts=starts,
)
