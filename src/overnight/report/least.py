"""The first few by some order out of a stream of any length, in memory for the few."""

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Least(Generic[T]):
    """Keeps the `most` items with the smallest keys. Keys are all different. most: at least 1."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[tuple[float, ...], T]] = []

    def offer(self, key: tuple[float, ...], make: Callable[[], T]) -> None:
        """make: called only when the item is kept for now."""
        against = tuple(-part for part in key)  # a heap drops its smallest
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, (against, make()))
        elif against > self._heap[0][0]:
            heapq.heapreplace(self._heap, (against, make()))

    def items(self) -> list[T]:
        """The smallest key first."""
        return [item for _, item in sorted(self._heap, key=lambda kept: kept[0], reverse=True)]
