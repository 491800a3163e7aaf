"""What the formats of tagged lines share (RIS, Web of Science, refer): lines, a record being read, counted notes."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from overnight.errors import Finding
from overnight.records.findings import found, refuse, shown
from overnight.records.references.reference import SEPARATOR
from overnight.records.source import Source

LIMIT: Final = 64 << 20
"""Characters in one line, or in one record. A file without line ends is noticed here, before it fills memory."""

Tags = dict[str, list[str]]
"""A record's values by tag, in the order of the file; what is taken from it for a column is gone from it."""


def lines(source: Source, codec: str) -> Iterator[tuple[int, str]]:
    """(number from 1, line with its end: LF, CRLF or CR). Raises RecordsError where one is too long."""
    with source.open_text(codec) as file:
        if not source.packing and source.path.stat().st_size <= LIMIT:
            yield from enumerate(file, 1)
            return
        for number, line in enumerate(iter(lambda: file.readline(LIMIT + 1), ""), 1):
            if len(line) > LIMIT:
                what = f"a line of more than {LIMIT:,} characters; it begins {shown(line[:100], 40)}"
                raise refuse(source, what, line=number, hint="Export the file again.")
            yield number, line


class Draft:
    """A record being read.

    line: where it begins. form: what its tags look like, where that is not the usual form. text: its lines so far.
    tags: their values. again: tags that came again behind other tags, and on which line first. blanks: how many blank
    lines stand before the next line. Raises RecordsError when it grows beyond what a record can be.
    """

    __slots__ = (
        *("_hollow", "_more", "_own", "_size", "_source", "_tag"),
        *("again", "blanks", "form", "line", "tags", "text"),
    )

    def __init__(self, source: Source, line: int, form: re.Pattern[str] | None = None) -> None:
        self._source, self.line, self.form = source, line, form
        self.text: list[str] = []
        self.tags: Tags = {}
        self.again: dict[str, int] = {}
        self.blanks, self._hollow = 0, False
        self._more: list[str] = []
        self._tag, self._own, self._size = "", 0, 0

    @property
    def fresh(self) -> bool:
        """Only its first line was read."""
        return len(self.text) == 1

    def put(self, tag: str, value: str, line: str) -> None:
        """A line that begins with a tag."""
        if self._more:
            self._join()
        text = self.text
        text.append(line)
        self._own = own = len(text)
        if not own & 0xFFF:
            self._measure()
        self.blanks = 0
        if not value:
            self._hollow = True
        if tag in self.tags:
            self.tags[tag].append(value)
            if tag != self._tag and tag not in self.again:
                self.again[tag] = self.line + own - 1
        else:
            self.tags[tag] = [value]
        self._tag = tag

    def end(self, line: str) -> None:
        """Its last line."""
        self.text.append(line)
        self._own = len(self.text)

    def go_on(self, line: str) -> None:
        """A line without a tag: more of the value before it, on its own line. Blank lines count if text follows."""
        self.text.append(line)
        if not len(self.text) & 0xFFF:
            self._measure()
        text = line.strip()
        if not text:
            self.blanks += 1
            return
        self._own = len(self.text)
        if not self._more:
            self._more = [self.tags[self._tag][-1]]
        self._more.extend([""] * self.blanks)
        self._more.append(text)
        self.blanks = 0

    def pass_by(self, line: str) -> None:
        """A line that stands in the record and is none of it."""
        self.text.append(line)

    def close(self) -> tuple[Tags, str]:
        """Its tags without values that are empty, and its text, from the first character to the last."""
        if self._more:
            self._join()
        if self._hollow:
            self.tags = {tag: kept for tag, values in self.tags.items() if (kept := [v for v in values if v])}
        del self.text[self._own :]
        return self.tags, "".join(self.text).lstrip("\ufeff").rstrip("\r\n")

    def _measure(self) -> None:
        """Called every 4,096 lines: adds up those."""
        self._size += sum(map(len, self.text[-4096:]))
        if self._size > LIMIT:
            raise refuse(self._source, "a record too long to be one", line=self.line, hint="Export the file again.")

    def _join(self) -> None:
        self.tags[self._tag][-1] = "\n".join(self._more).strip()
        self._more = []


class Asides:
    """What is worth a note and occurs many times: counted, and told once, with the place of the first."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen: dict[tuple[str, str], tuple[int, int, str]] = {}

    def add(self, one: str, many: str, line: int, text: str = "") -> None:
        """one, many: the note for one of them, and for `{n}`. text: what stands on the line, if that helps."""
        n, first, shown_ = self._seen.get((one, many), (0, line, text))
        self._seen[one, many] = (n + 1, first, shown_)

    def findings(self) -> Iterator[Finding]:
        for (one, many), (n, line, text) in self._seen.items():
            what = one if n == 1 else f"{many.format(n=f'{n:,}')}; the first is here"
            yield found(self._source, what + (f": {shown(text)}" if text else ""), line=line, level="warning")


STRAY: Final = ("a line between records, left out", "{n} lines between records, left out")

_FOREIGN: Final = re.compile(r"TY  -|PMID ?- ?\d|%0 \w|@[A-Za-z]+\s*[{(]|FN |PT [A-Z]\Z|<PubmedArticle|<record>")


def between(source: Source, asides: Asides, number: int, line: str) -> Iterator[Finding]:
    """A line where no record is open: noted, or an error if a record of another format seems to begin there."""
    text = line.strip()
    if _FOREIGN.match(text):
        hint = "Keep one format a file: take these records out into a file of their own."
        yield found(source, f"a record of another format begins here: {shown(text)}", line=number, hint=hint)
    elif text:
        asides.add(*STRAY, number, text)


def two_in_one(source: Source, draft: Draft, texts: frozenset[str], once: frozenset[str]) -> Iterator[Finding]:
    """An error where a record looks like two whose bounds are missing: its title or its abstract (`texts`), and another
    tag of those that a record has `once`, came again behind other tags. One that is repeated alone is no sign of it,
    nor is one given several times in a row (an abstract in parts, titles in two languages).
    """
    again = [tag for tag in draft.again if tag in once]
    if len(again) > 1 and not texts.isdisjoint(again):
        what = f"a second {' and a second '.join(again)} in the record of line {draft.line:,}: two records, or one?"
        hint = "Write the end of the first record and the first line of the second between them."
        yield found(source, what, line=min(draft.again[tag] for tag in again), hint=hint)


def first(tags: Tags, names: Iterable[str]) -> str:
    """Takes the first value of the first of these tags that is there; empty if none is."""
    for name in names:
        if name in tags:
            values = tags[name]
            if len(values) == 1:
                del tags[name]
                return one_line(values[0])
            return one_line(values.pop(0))
    return ""


def every(tags: Tags, names: Iterable[str]) -> str:
    """Takes all values of the first of these tags that is there."""
    for name in names:
        if name in tags:
            values = tags.pop(name)
            joined = SEPARATOR.join(values)
            return SEPARATOR.join(map(one_line, values)) if "\n" in joined else joined
    return ""


def listed(tags: Tags, names: Iterable[str]) -> str:
    """As `every`, where each line of a value is a value too: keywords, authors. A semicolon ends one."""
    for name in names:
        if name in tags:
            joined = "\n".join(tags.pop(name))
            if ";" not in joined and "\n\n" not in joined:
                return joined.replace("\n", SEPARATOR)
            parts = (part.strip().rstrip(";") for part in joined.split("\n"))
            return SEPARATOR.join(part for part in parts if part)
    return ""


def paragraphs(tags: Tags, names: Iterable[str]) -> str:
    """Takes all values of the first of these tags that is there, each on lines of its own."""
    for name in names:
        if name in tags:
            return "\n".join(tags.pop(name))
    return ""


def one_line(value: str) -> str:
    """A value that was broken over lines, on one."""
    return " ".join(value.split()) if "\n" in value else value
