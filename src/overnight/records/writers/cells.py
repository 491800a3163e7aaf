"""How a cell looks in a file."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from overnight.core.record import Cell

# Written so that a spreadsheet takes the number and cannot take a formula: digits, separators, an exponent, a percent
# sign. "-1-1" and "+44 20" are none.
_NUMBER: Final = re.compile(r"[+-]?(?:\d[\d.,]*|\.\d+)(?:[eE][+-]?\d+)?%?")
_FORMULA_SIGNS: Final = "=+-@\t\r"


def defused(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would run it as a formula.

    Numbers such as -5.2 stay as they are.
    """
    if text[:1] in _FORMULA_SIGNS and text and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def plain_text(cell: Cell) -> str:
    """A cell as text in a file: true and false, ISO 8601 dates, numbers with all their digits, nothing for None."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
