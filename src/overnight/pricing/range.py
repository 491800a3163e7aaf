"""How much: at least, likely, at most. Of tokens, which are whole."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Raises ValueError when it is not in order: an estimate whose high lies below its low misleads."""

    low: int
    expected: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.expected <= self.high:
            raise ValueError(f"{self.low}, {self.expected}, {self.high} is no range")

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def times(self, n: int) -> "Range":
        return Range(self.low * n, self.expected * n, self.high * n)

    def at_most(self, bound: int) -> "Range":
        return Range(min(self.low, bound), min(self.expected, bound), min(self.high, bound))


NOTHING = Range(0, 0, 0)
