"""The one way from a command to a terminal.

Streams may be closed by their reader: one who has seen enough never stops a run. Lines may hold anybody's words (of a
table, a file's name, the service, a model): what a terminal would obey is shown. A test sees to it that nothing else in
this folder prints.
"""

import os
import re
import sys
from typing import Final, TextIO

_OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 controls but tab and line feed; line and paragraph separators; embeddings, overrides and isolates of
writing direction, which make a line read as another."""


def harmless(text: str) -> str:
    """Control characters, whoever wrote them (a record, a file's name, the service), are shown and not obeyed.

    Written as `\\u001b`, which JSON reads as the same character.
    """
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(line: str = "", *, end: str = "\n") -> None:
    """A line on standard error, for whoever still reads there: a terminal that has gone is no reason to stop."""
    try:
        print(harmless(line), end=end, file=sys.stderr, flush=True)
    except OSError:
        mute(sys.stderr)


def answer(line: str = "") -> None:
    """A line on standard output; a reader who has gone does not change how a command ends. A full disk does."""
    heard(line)


def heard(line: str) -> bool:
    """As `answer`. False: nobody reads there any more."""
    try:
        print(harmless(line), flush=True)
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
