"""Seeded choices that come out the same on every platform and every Python version.

`random.Random` promises that only of `random()` for a given seed; `choice`, `shuffle` and `sample` have changed between
versions. So everything here is made from `random()`, and seeds are numbers cut from a SHA-256.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Draw:
    """A stream of choices. `name` separates streams of one seed: a change in one leaves the others as they were."""

    def __init__(self, seed: int, name: str) -> None:
        digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
        self._random = random.Random(int.from_bytes(digest[:8], "big")).random

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self._random() * n)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """A new list in random order (Fisher and Yates)."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.below(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed


class Deck(Generic[T]):
    """Cards dealt so that none comes again before the others that would do have come.

    That spreads the patterns of a kind evenly over its abstracts, and few pairs of abstracts share many.
    """

    def __init__(self, cards: Sequence[T], draw: Draw) -> None:
        self._cards, self._draw = tuple(cards), draw
        self._left: list[T] = []

    def deal(self, n: int, fits: Callable[[T], bool]) -> list[T]:
        """`n` different cards that fit, or all that fit where there are fewer."""
        enough = min(n, sum(map(fits, self._cards)))
        hand: list[T] = []
        while len(hand) < enough:
            at = next((i for i, card in enumerate(self._left) if fits(card) and card not in hand), None)
            if at is None:
                self._left += self._draw.shuffled([card for card in self._cards if card not in self._left])
            else:
                hand.append(self._left.pop(at))
        return hand
