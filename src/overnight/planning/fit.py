"""`when_over: fit`: which records go where the money is not enough for all of them.

Every record has a number, made of the seed and of its own texts; those of the smallest numbers go. So the choice needs
no list and no order of rows: more money takes more of the same order, new records take their places in it, and what
was sent stays sent. It is a simple random sample as long as nobody skips: a long, dear record is never passed over for
a short one behind it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Final

ALL: Final = (1 << 63) - 1
NONE: Final = -1
"""Bounds: no record's number is above ALL, none is as small as NONE."""
_SCHEME: Final = "overnight-draw-1"


class Draw:
    """A record's number under a seed, 0 to ALL, as good as random.

    Of its texts and not of its id or address: equal texts are asked once, so they are drawn together, each with the
    chance of every other record; and another prompt, model or order of rows draws the same ones.
    """

    __slots__ = ("_head", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._head = sha256(f"{_SCHEME}\n{seed}".encode())

    def __call__(self, texts: Sequence[str]) -> int:
        """texts: of the first request that the record wants, cleaned."""
        digest = self._head.copy()
        for text in texts:
            digest.update(b"\n" + sha256(text.encode()).hexdigest().encode())
        return int.from_bytes(digest.digest()[:8], "big") >> 1


class Drawn:
    """Requests of records never begun, by number. 16 bytes each."""

    __slots__ = ("_bytes", "_longest", "_n", "_numbers")

    def __init__(self) -> None:
        self._numbers, self._n, self._bytes, self._longest = array("q"), array("I"), array("I"), array("I")

    def __len__(self) -> int:
        return len(self._numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Drawn) and list(self.in_order()) == list(other.in_order())

    __hash__ = None  # type: ignore[assignment]  # it grows

    def add(self, number: int, size_bytes: int) -> None:
        """One request. size_bytes: of its texts."""
        if self._numbers and self._numbers[-1] == number:  # samples of one record stay together
            self._n[-1] += 1
            self._bytes[-1] += size_bytes
            self._longest[-1] = max(self._longest[-1], size_bytes)
            return
        for column, value in ((self._numbers, number), (self._n, 1), (self._bytes, size_bytes)):
            column.append(value)
        self._longest.append(size_bytes)

    def in_order(self) -> Iterator[tuple[int, int, int, int]]:
        """(number, requests, bytes of their texts, bytes of the longest), smallest number first."""
        for place in sorted(range(len(self)), key=self._numbers.__getitem__):
            yield self._numbers[place], self._n[place], self._bytes[place], self._longest[place]

    @property
    def last(self) -> int:
        """The largest number."""
        return max(self._numbers, default=NONE)

    @property
    def n_requests(self) -> int:
        return sum(self._n)

    @property
    def text_bytes(self) -> int:
        return sum(self._bytes)


def bound_within(drawn: Drawn, fits: Callable[[int, int, int], bool]) -> int:
    """The number up to which records can be taken, none passed over; NONE where not even the first can.

    fits: (requests, bytes of their texts, bytes of the longest), all from the first on; once False it stays so.
    """
    rows = list(drawn.in_order())
    sums = list(accumulate(((n, size, longest) for _, n, size, longest in rows), _together))
    taken = bisect_right(sums, False, key=lambda one: not fits(*one))
    return rows[taken - 1][0] if taken else NONE


def _together(before: tuple[int, int, int], one: tuple[int, int, int]) -> tuple[int, int, int]:
    return before[0] + one[0], before[1] + one[1], max(before[2], one[2])
