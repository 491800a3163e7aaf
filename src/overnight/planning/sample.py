"""A few of many, the same few in whatever order they come."""

from typing import Final, Generic, TypeVar

T = TypeVar("T")
_ABOVE_ALL: Final = b"\xff" * 17


class Sample(Generic[T]):
    """Those of the smallest addresses, each once. An address is a hash of what is asked, so none is favoured, and who
    asks twice gets the same."""

    __slots__ = ("_bound", "_kept", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[bytes, T] = {}
        self._bound = _ABOVE_ALL if size else b""

    def offer(self, address: bytes, item: T) -> None:
        if address < self._bound:
            self._kept[address] = item
            if len(self._kept) >= 2 * self._size:
                self._cut()

    def items(self) -> list[T]:
        """At most `size`, in order of address."""
        return list(self._cut().values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sample) and self._cut() == other._cut()

    __hash__ = None  # type: ignore[assignment]  # it grows

    def _cut(self) -> dict[bytes, T]:
        self._kept = {address: self._kept[address] for address in sorted(self._kept)[: self._size]}
        if len(self._kept) == self._size and self._kept:
            self._bound = max(self._kept)
        return self._kept
