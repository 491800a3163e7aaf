"""63-bit hashes that stand for texts: what a million names, identifiers and titles are compared by, in 8 bytes each."""

from array import array
from bisect import bisect_left

import xxhash


def hash63(text: str) -> int:
    """SQLite can hold it. Two of a million texts have one hash with a chance of 1 in 18 million."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) >> 1


def holds(ascending: "array[int]", number: int) -> bool:
    place = bisect_left(ascending, number)
    return place < len(ascending) and ascending[place] == number
