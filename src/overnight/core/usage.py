"""Tokens and money as types. Amounts are exact; rounding is for people only."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one line. None = the service did not say (never zero in its place).

    prompt: all input, cached included. cached: the part of `prompt` read from a cache. thinking and answer are both
    billed as output (vertex-batch-facts 8, [D]).
    """

    prompt: int | None = None
    cached: int | None = None
    thinking: int | None = None
    answer: int | None = None

    @property
    def known(self) -> bool:
        return self.prompt is not None

    @property
    def output(self) -> int:
        return (self.thinking or 0) + (self.answer or 0)


NO_USAGE: Final = Usage()
"""What a line without `usageMetadata` says: nothing."""


class Usd:
    """An exact amount of US dollars. No floats get in: `Usd(0.1)` is a TypeError, for mypy and at run time."""

    __slots__ = ("amount",)
    amount: Decimal

    def __init__(self, amount: Decimal | int | str = 0) -> None:
        if isinstance(amount, bool) or not isinstance(amount, Decimal | int | str):
            raise TypeError(f"a Usd is made of Decimal, int or str, not {type(amount).__name__}")
        value = Decimal(amount)
        if not value.is_finite():
            raise ValueError(f"{amount!r} is no amount of money")
        object.__setattr__(self, "amount", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Usd is a value: {name} cannot be set")

    def __add__(self, other: "Usd") -> "Usd":
        return Usd(self.amount + other.amount)

    def __sub__(self, other: "Usd") -> "Usd":
        return Usd(self.amount - other.amount)

    def __mul__(self, factor: int | Decimal) -> "Usd":
        if isinstance(factor, float):
            raise TypeError("an amount of money is not multiplied by a float")
        return Usd(self.amount * factor)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Usd) and self.amount == other.amount

    def __lt__(self, other: "Usd") -> bool:
        return self.amount < other.amount

    def __le__(self, other: "Usd") -> bool:
        return self.amount <= other.amount

    def __gt__(self, other: "Usd") -> bool:
        return self.amount > other.amount

    def __ge__(self, other: "Usd") -> bool:
        return self.amount >= other.amount

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __hash__(self) -> int:
        return hash(("Usd", self.amount))

    def __repr__(self) -> str:
        return f"Usd('{self.amount}')"

    def __str__(self) -> str:
        """For people: cents, or two figures of what is below a cent."""
        if self.amount and abs(self.amount) < Decimal("0.01"):
            return f"${self.amount:.2g}" if abs(self.amount) >= Decimal("0.000001") else "<$0.000001"
        return f"${self.amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"

    def exact(self) -> str:
        """For files and machines: every digit, never in exponent form."""
        return f"{self.amount.normalize():f}"
