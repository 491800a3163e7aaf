"""A record's id: text, always."""

import math
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final

from overnight.core.record import Cell, text_of

AUTO: Final = "auto"


def id_text(cell: Cell) -> str:
    """The id a cell means, white space around it removed; empty when the cell holds none.

    Numbers as a person writes them: 7.0 → "7", 1e5 → "100000", never an exponent, never "1.0". Raises ValueError for a
    float so large (over 2**53) that its last digits are lost: two ids may have become one.
    """
    if isinstance(cell, str):
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return _float_id(cell)
    if isinstance(cell, Decimal):
        return _plain(cell) if cell.is_finite() else ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)


def _float_id(number: float) -> str:
    if not math.isfinite(number):  # how pandas writes "no value"
        return ""
    if abs(number) > 2**53:
        raise ValueError(f"the id {number!r} is a floating-point number whose last digits are lost")
    return str(int(number)) if number.is_integer() else _plain(Decimal(repr(number)))


def _plain(number: Decimal) -> str:
    whole = number.to_integral_value()
    return f"{whole:f}" if number == whole else f"{number.normalize():f}"


def text_id(texts: Iterable[Cell]) -> str:
    """`t` and 16 hex characters: SHA-256 over the SHA-256 of each text, in order.

    Line breaks of every kind count the same and white space around a text does not count, so that a table that was
    opened and saved again by another program keeps its ids.
    """
    whole = sha256()
    for cell in texts:
        text = text_of(cell).replace("\r\n", "\n").replace("\r", "\n").strip()
        whole.update(sha256(text.encode()).digest())
    return "t" + whole.hexdigest()[:16]


class AutoIds:
    """Ids made from texts. Equal texts get `-2`, `-3` … in order of appearance; never a row number.

    Remembers 8 bytes and some overhead a record: about 80 MB for a million.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._times: dict[int, int] = {}

    def __call__(self, texts: Iterable[Cell]) -> str:
        base = text_id(texts)
        number = int(base[1:], 16)
        if number not in self._seen:
            self._seen.add(number)
            return base
        times = self._times[number] = self._times.get(number, 1) + 1
        return f"{base}-{times}"
