"""The one way from a command to a terminal.

Streams may be closed by their reader: one who has seen enough never stops a run. Lines may hold anybody's words (of a
table, a file's name, the service, a model): what a terminal would obey is shown. A test sees to it that nothing else in
this folder prints.
"""

import os
import re
import shutil
import sys
import textwrap
from typing import Final, TextIO

_OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 controls but tab and line feed; line and paragraph separators; embeddings, overrides and isolates of
writing direction, which make a line read as another."""


def harmless(text: str) -> str:
    """Control characters, whoever wrote them (a record, a file's name, the service), are shown and not obeyed.

    Written as `\\u001b`, which JSON reads as the same character.
    """
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


_ROW: Final = re.compile(r"  \S.{,18} {3,}(?=\S)")
"""A name, a number and three blanks: what stands behind them is set off."""


def folded(text: str, stream: TextIO) -> str:
    """For a terminal: lines longer than it is wide are broken between words, the rest of each set in by two, that of a
    row below its words.

    A remark behind a command, set off by four blanks, goes to the next line first. What is not read by a person, a
    file or a pipe, stays as it is.
    """
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(_fold(part, width) for line in text.split("\n") for part in _parts(line, width))


def _parts(line: str, width: int) -> list[str]:
    return line.replace("    (", "\n  (").split("\n") if len(line) > width else [line]


def _fold(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    row = _ROW.match(line)
    narrow = row is None or 2 * row.end() > width
    indent = " " * (len(line) - len(line.lstrip(" ")) + 2 if row is None or narrow else row.end())
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def say(line: str = "", *, end: str = "\n") -> None:
    """A line on standard error, for whoever still reads there: a terminal that has gone is no reason to stop."""
    try:
        print(folded(harmless(line), sys.stderr), end=end, file=sys.stderr, flush=True)
    except OSError:
        mute(sys.stderr)


def answer(line: str = "", *, whole: bool = False) -> None:
    """A line on standard output; a reader who has gone does not change how a command ends. A full disk does.

    whole: never folded, on a terminal either: JSON, and what is to be pasted into a shell.
    """
    heard(line, whole=whole)


def heard(line: str, *, whole: bool = False) -> bool:
    """As `answer`. False: nobody reads there any more."""
    line = harmless(line)
    try:
        print(line if whole else folded(line, sys.stdout), flush=True)
    except BrokenPipeError:
        mute(sys.stdout)
        return False
    return True


def mute(stream: TextIO) -> None:
    """What is still buffered, and all that follows, goes nowhere: else Python complains on its way out."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream without a file under it
        return
