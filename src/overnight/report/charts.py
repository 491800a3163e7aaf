"""Bars as numbers for inline SVG: places and widths in per cent. No style attributes, so the CSP can forbid them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from overnight.report.data import Bin

LEAST_WIDTH: Final = 0.6
"""Per cent: what is there at all can be seen."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a stacked bar. tone: a class of report.css."""

    label: str
    count: int
    tone: str
    x: float
    width: float


def stacked(parts: Iterable[tuple[str, int, str]]) -> tuple[Segment, ...]:
    """(label, count, tone) → segments that fill 100; parts of zero are left out."""
    present = [part for part in parts if part[1] > 0]
    total = sum(count for _, count, _ in present)
    widths = _widths([100 * count / total for _, count, _ in present]) if total else []
    found, x = [], 0.0
    for (label, count, tone), width in zip(present, widths, strict=True):
        found.append(Segment(label, count, tone, round(x, 3), round(width, 3)))
        x += width
    return tuple(found)


def _widths(shares: Sequence[float]) -> list[float]:
    """Shares of 100 with none below LEAST_WIDTH; the larger ones give what the small ones get."""
    small = sum(1 for share in shares if share < LEAST_WIDTH)
    large = sum(share for share in shares if share >= LEAST_WIDTH)
    left = 100 - small * LEAST_WIDTH
    if large <= 0 or left <= 0:
        return [100 / len(shares)] * len(shares)
    return [LEAST_WIDTH if share < LEAST_WIDTH else share * left / large for share in shares]


@dataclass(frozen=True, slots=True)
class Column:
    """One bar of a histogram in a box of 100 × 100; y grows downwards, as in SVG."""

    label: str
    count: int
    x: float
    width: float
    y: float
    height: float


def columns(bins: Sequence[Bin]) -> tuple[Column, ...]:
    tallest = max((each.count for each in bins), default=0)
    if not tallest:
        return ()
    step = 100 / len(bins)
    return tuple(
        Column(
            each.label, each.count, round(n * step + step * 0.06, 3), round(step * 0.88, 3), round(100 - high, 3), high
        )
        for n, each in enumerate(bins)
        for high in (round(100 * each.count / tallest, 3),)
    )


def share(count: int, total: int) -> str:
    """A share for people: "<0.1 %" and ">99.9 %" rather than a false 0 or 100."""
    if not total:
        return "–"
    part = 100 * count / total
    if 0 < part < 0.1:
        return "<0.1 %"
    if 99.9 < part < 100:
        return ">99.9 %"
    return f"{part:.0f} %" if part in (0, 100) or 1 <= part <= 99 else f"{part:.1f} %"
