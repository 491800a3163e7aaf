"""What is done to a cell before the model sees it, and what is not."""

from datetime import date
from decimal import Decimal

import pytest

from overnight.core.record import Cell
from overnight.requests.cleaning import clean

STAYS = "co\u00adoperate, zero\u200bwidth, no\u00a0break, 睡眠 🛌"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("", ""),
        (" \t\n ", ""),
        ("  Naps. \n", "Naps."),
        ("one\r\ntwo\rthree\u2028four\u2029five\x85six\nseven", "one\ntwo\nthree\nfour\nfive\nsix\nseven"),
        ("a\x00b\x07\x1fc\x7fd\x9fe", "a b c d e"),
        ("\ufeffTitle\ufffe\uffffend", "Title end"),
        ("tab\tstays, so do\n\nblank lines", "tab\tstays, so do\n\nblank lines"),
        ("<b>p&lt;0.05</b> [No abstract available]", "<b>p&lt;0.05</b> [No abstract available]"),
        (STAYS, STAYS),
        (7, "7"),
        (0, "0"),
        (7.5, "7.5"),
        (True, "True"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 11, 22), "2026-11-22"),
    ],
)  # fmt: skip
def test_a_cell_becomes_text(cell: Cell, text: str) -> None:
    assert clean(cell) == text
