"""Where the blocks of a BibTeX file begin and end, twice over: for the reader, and for the count that checks it.

Both stream line by line. An entry begins at `@word{` or `@word(` outside all braces, and not on a line that begins with
%; it ends where its braces close. A backslash takes its meaning from the brace after it, as in bibtexparser and JabRef.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

MOST_CHARACTERS: Final = 16 << 20
"""In one entry, and in one line. An entry that is never closed is noticed here at the latest."""

NO_RECORDS: Final = frozenset({"comment", "string", "preamble"})

_START: Final = re.compile(r"(?<![\w\\@])@[ \t]*([A-Za-z][\w-]*)[ \t]*([{(])")
_MARK: Final = re.compile(r"\\.|[{}()\"]", re.DOTALL)
_LIKE_ENTRY: Final = re.compile(
    r"\s*@[ \t]*(?!comment|string|preamble)[A-Za-z][\w-]*[ \t]*[{(]\s*"
    r"(?:[^\s,{}=\"]*\s*,\s*(?:$|[A-Za-z][\w-]*\s*=)|[A-Za-z][\w-]*\s*=|$)",
    re.IGNORECASE,
)
_SURE: Final = re.compile(
    r"\ufeff?@(?:article|book|booklet|collection|conference|dataset|electronic|inbook|incollection|inproceedings|manual|"
    r"mastersthesis|misc|online|patent|phdthesis|proceedings|report|software|techreport|thesis|unpublished)[ \t]*"
    r"[{(]\s*[^\s,{}=\"]+\s*,\s*(?:$|([A-Za-z][\w-]*\s*=\s*[{\"\w]))",
    re.IGNORECASE,
)
"""At the margin, of a known kind, with a key, and (1) its first field on the same line, else on the next one."""
_FIELD: Final = re.compile(r"\s*[A-Za-z][\w-]*\s*=\s*[{\"]")


@dataclass(slots=True)
class Block:
    """kind: the word after @, as written. body: after the opening delimiter, before the closing one.

    inside: lines in it that look like the beginning of another entry. swallowed: those that are one beyond doubt.
    """

    line: int
    kind: str
    raw: str
    body: str
    inside: list[int]
    swallowed: list[int]


@dataclass(slots=True)
class Stray:
    """A line of text outside all blocks. fields: it reads like `title = {…}`. commented: it begins with %."""

    line: int
    text: str
    fields: bool
    commented: bool


@dataclass(slots=True)
class Broken:
    """A block that does not end. next_line: where another seems to begin, 0 if that is not known."""

    line: int
    next_line: int


def blocks(file: IO[str]) -> Iterator[Block | Stray | Broken]:
    """In the order of the file. After a Broken, reading goes on where the next entry begins, if that is known."""
    open_: _Open | None = None
    for number, line in enumerate(iter(lambda: file.readline(MOST_CHARACTERS + 1), ""), 1):
        at = 0
        if open_ is not None:
            like = _LIKE_ENTRY.match(line) is not None
            if like and open_.depth == 1 and not open_.is_comment:
                yield Broken(open_.line, number)
                open_ = None
            elif open_.size + len(line) > MOST_CHARACTERS:
                yield Broken(open_.line, open_.inside[0] if open_.inside else 0)
                return
            else:
                open_.look(line, number, like=like)
                at = open_.take(line, 0)
        elif len(line) > MOST_CHARACTERS:
            yield Broken(number, 0)
            return
        while open_ is None or at:
            if open_ is not None:
                yield open_.block()
                open_ = None
            start = None if _commented(line) else _START.search(line, at)
            if (stray := line[at : start.start() if start else len(line)].strip()).strip("\ufeff"):
                yield Stray(number, stray, bool(_FIELD.match(stray)), _commented(line))
            if start is None:
                break
            open_ = _Open(number, start)
            at = open_.take(line, start.end())
    if open_ is not None:
        yield Broken(open_.line, open_.inside[0] if open_.inside else 0)


def _commented(line: str) -> bool:
    return line.lstrip().startswith("%")


class _Open:
    """A block whose end is being looked for."""

    def __init__(self, line: int, start: re.Match[str]) -> None:
        self.line, self.kind = line, start[1]
        self.is_comment = start[1].lower() == "comment"
        self.depth, self.inside, self.size = 1, list[int](), 0
        self._swallowed, self._sure_at = list[int](), 0
        self._round = start[2] == "("
        self._quoted = False
        self._head, self._pieces = start[0], list[str]()

    def look(self, line: str, number: int, *, like: bool) -> None:
        """like: the line looks like the beginning of an entry."""
        if self._sure_at and line.strip():
            if _FIELD.match(line):
                self._swallowed.append(self._sure_at)
            self._sure_at = 0
        if like:
            self.inside.append(number)
            if not self.is_comment and (sure := _SURE.match(line)):
                if sure[1]:
                    self._swallowed.append(number)
                else:
                    self._sure_at = number

    def take(self, line: str, at: int) -> int:
        """Goes through a line from `at`. Returns where the block ends in it; 0: it goes on."""
        for mark in _MARK.finditer(line, at):
            sign = mark[0]
            if sign == "{":
                self.depth += 1
            elif sign == "}" and not (self._round and self.depth == 1):
                self.depth -= 1
            elif sign == '"' and self.depth == 1:
                self._quoted = not self._quoted
            elif sign == ")" and self._round and self.depth == 1 and (self.is_comment or not self._quoted):
                self.depth = 0
            if not self.depth:
                self._pieces.append(line[at : mark.end()])
                return mark.end()
        self._pieces.append(line[at:])
        self.size += len(line) - at
        return 0

    def block(self) -> Block:
        body = "".join(self._pieces)
        return Block(self.line, self.kind, self._head + body, body[:-1], self.inside, self._swallowed)


def entry_lines(file: IO[str]) -> Iterator[int]:
    """The line of each entry, by the depth of braces alone: other code than that above, so that a slip there shows."""
    depth, closing, quotes = 0, "", 0
    for number, line in enumerate(iter(lambda: file.readline(MOST_CHARACTERS + 1), ""), 1):
        text = re.sub(r"\\[\s\S]", lambda pair: "__" if re.match(r"[\w\\@]", pair[0][1]) else "_ ", line)
        signs = re.split(r"([{}()\"])", text)  # text, sign, text, sign, …, text
        for before, sign in zip(signs[::2], [*signs[1::2], ""], strict=True):
            if depth == 0:
                word = (
                    re.search(r"(?:^|[^\w@])@[ \t]*([A-Za-z][A-Za-z0-9_-]*)[ \t]*$", before)
                    if sign and sign in "{("
                    else None
                )
                if word and text.lstrip()[:1] != "%":
                    depth, closing, quotes = 1, "}" if sign == "{" else ")", 0
                    if word[1].lower() == "comment":
                        quotes = -1
                    if word[1].lower() not in NO_RECORDS:
                        yield number
            elif sign == closing and depth == 1 and (closing == "}" or quotes % 2 == 0 or quotes < 0):
                depth = 0
            elif sign == "{":
                depth += 1
            elif sign == "}" and depth > 1:
                depth -= 1
            elif sign == '"' and depth == 1 and quotes >= 0:
                quotes += 1
