"""What is done to a cell before the model sees it. Version 1 is careful rather than clever.

Line ends become `\\n`, control and zero-width characters that an echo may lose become spaces or nothing, outer white
space goes. Words stay as they are: entities, tags and "[No abstract available]" are for the bibliographic readers.
The version is part of every recipe (core/recipe.py, CLEANING): a change is a new version beside this one, so that a
study keeps what it began with.
"""

import re
from typing import Final

from overnight.core.record import Cell, text_of

# C0 and C1 controls but for tab and line feed; the byte-order mark; Unicode's non-characters U+FFFE and U+FFFF.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]+")
_LINE_END: Final = re.compile("\r\n?|\u2028|\u2029|\x85")


def clean(cell: Cell) -> str:
    """The text that goes into a prompt and into the address. Idempotent. Empty for a blank cell."""
    text = text_of(cell)
    if not text.isprintable():  # the common case, a line of plain text, has nothing to clean
        text = _LINE_END.sub("\n", text)
        text = _CONTROL.sub(" ", text)
    return text.strip()
