"""A tutorial's page as what a person does with it: commands to type, files to write, lines to change.

    python -m tests.support.tutorial docs/tutorial/first-screening-study.md

types them in a new folder and writes what was printed into the page. There, after a line that begins with `$ `, stands
what the command prints to standard output; of one that fails what it says to standard error, and `[exit code 6]`.
"""

import contextlib
import io
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from overnight.cli.main import main

_BLOCK: Final = re.compile(r"^```(console|yaml|diff)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER: Final = re.compile(r"\d[\d,.]*")
_FROM_THE_DATA: Final = re.compile(r"to send|: .*(changed|never asked)|not sent|answered$|in both|Duplicates|^In all")
"""Lines whose numbers follow from the records and the study, not from what the stand-in decides."""


@dataclass(frozen=True)
class Step:
    """kind: of block. about: a command line, or a file below the folder. text: what is printed, or the block.

    start, end: of `text` in the page.
    """

    kind: Literal["console", "yaml", "diff"]
    about: str
    text: str
    start: int
    end: int


def steps(page: str) -> Iterator[Step]:
    """In order. A yaml block without a file's name is only shown."""
    for block in _BLOCK.finditer(page):
        kind, about, text = block.groups()
        if kind == "console":
            yield from _commands(text, block.start(3))
        elif about:
            yield Step(kind, about, text, block.start(3), block.end(3))


def _commands(block: str, offset: int) -> Iterator[Step]:
    for one in re.finditer(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
        yield Step("console", one[1], one[2], offset + one.start(2), offset + one.end(2))


class Reader:
    """Does what the page says, in a folder in which the tutorial's files lie."""

    def __init__(self, folder: Path) -> None:
        self._here = self._root = folder

    def does(self, step: Step) -> str:
        """What was printed; empty for a file that was written or changed."""
        if step.kind == "console":
            return self._types(step.about)
        file = self._root / step.about
        if step.kind == "yaml":
            file.write_text(step.text, encoding="utf-8")
        else:
            file.write_text(_changed(file.read_text("utf-8"), step.text), encoding="utf-8")
        return ""

    def _types(self, line: str) -> str:
        words = line.split()
        if words[0] == "cd":
            self._here /= words[1]
            return ""
        assert words[0] == "overnight", line
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self._here), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words[1:])
        return out.getvalue() if code == 0 else f"{err.getvalue()}[exit code {code}]\n"


def _changed(text: str, diff: str) -> str:
    before = "".join(line[1:] + "\n" for line in diff.splitlines() if line.startswith("-"))
    after = "".join(line[1:] + "\n" for line in diff.splitlines() if line.startswith("+"))
    assert text.count(before) == 1, f"the file does not say, once:\n{before}"
    return text.replace(before, after)


def words_of(printed: str) -> list[str]:
    """Its lines as they are compared: numbers that the stand-in has a say in are one like the other."""
    return [" ".join(_comparable(line).split()) for line in printed.splitlines()]


def _comparable(line: str) -> str:
    if _FROM_THE_DATA.search(line):
        return re.sub(r"\$[\d,.]*\d", "$#", line)
    return _NUMBER.sub("#", line)


def rewritten(page: str, folder: Path, files: list[Path]) -> str:
    """The page with what is printed now."""
    reader, parts, at = reader_in(folder, files), [], 0
    for step in steps(page):
        printed = reader.does(step)
        if step.kind == "console":
            parts += [page[at : step.start], printed]
            at = step.end
    return "".join([*parts, page[at:]])


def reader_in(folder: Path, files: list[Path]) -> Reader:
    folder.mkdir(parents=True)
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    return Reader(folder)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        found = rewritten(path.read_text("utf-8"), Path(scratch) / "desk", sorted(path.parent.glob("*.ris")))
    path.write_text(found, encoding="utf-8")
