"""A figure beside its target, and the table of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """better: which way is good. target: "good" of the page's table; ambitious: the far one. None: shown only."""

    id: str
    what: str
    value: float
    unit: str = ""
    target: float | None = None
    ambitious: float | None = None
    better: str = "lower"
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        if self.ambitious is not None and self._reaches(self.ambitious):
            return "ambitious"
        return "good" if self._reaches(self.target) else "MISSED"

    def _reaches(self, mark: float) -> bool:
        return self.value >= mark if self.better == "higher" else self.value <= mark


def as_json(figures: Sequence[Figure]) -> list[dict[str, object]]:
    return [{**asdict(figure), "verdict": figure.verdict} for figure in figures]


def as_table(figures: Sequence[Figure]) -> str:
    """Markdown, so that it can be taken over into the documentation as it is."""
    lines = ["| # | what | measured | good | ambitious | |", "|---|---|---:|---:|---:|---|"]
    for one in figures:
        sign = ">=" if one.better == "higher" else "<="
        marks = ["" if mark is None else f"{sign} {mark:g}" for mark in (one.target, one.ambitious)]
        words = " · ".join(word for word in (one.verdict, one.note) if word)
        lines.append(f"| {one.id} | {one.what} | {_shown(one)} | {marks[0]} | {marks[1]} | {words} |")
    return "\n".join(lines)


def _shown(one: Figure) -> str:
    number = f"{one.value:,.0f}" if abs(one.value) >= 100 or one.value == int(one.value) else f"{one.value:.2f}"
    return f"{number} {one.unit}".strip()
