"""Tokens and money as types. Amounts are exact; rounding is for people only."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Final

import msgspec


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one line. None = the service did not say (never zero in its place).

    prompt: all input, cached included. cached: the part of `prompt` read from a cache. thinking and answer are both
    billed as output (facts 8, [D]).
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


_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
"""Our own, with room to spare: a host program's decimal context (`getcontext().prec = 6`) must not round our sums."""


class Usd:
    """An exact amount of US dollars. No floats get in: `Usd(0.1)` is a TypeError, for mypy and at run time."""

    __slots__ = ("amount",)
    amount: Decimal

    def __init__(self, amount: Decimal | int | str = 0) -> None:
        if isinstance(amount, bool) or not isinstance(amount, Decimal | int | str):
            raise TypeError(f"a Usd is made of Decimal, int or str, not {type(amount).__name__}")
        try:
            value = Decimal(amount)
        except InvalidOperation:
            raise ValueError(f"{amount!r} is no amount of money") from None
        if not value.is_finite():
            raise ValueError(f"{amount!r} is no amount of money")
        object.__setattr__(self, "amount", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Usd is a value: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Usd is a value: {name} cannot be deleted")

    def __reduce__(self) -> tuple[type["Usd"], tuple[Decimal]]:
        return Usd, (self.amount,)

    def __add__(self, other: "Usd") -> "Usd":
        return Usd(_EXACT.add(self.amount, _amount(other)))

    def __sub__(self, other: "Usd") -> "Usd":
        return Usd(_EXACT.subtract(self.amount, _amount(other)))

    def __mul__(self, factor: int | Decimal) -> "Usd":
        if isinstance(factor, bool) or not isinstance(factor, int | Decimal):
            raise TypeError(f"an amount of money is multiplied by int or Decimal, not {type(factor).__name__}")
        return Usd(_EXACT.multiply(self.amount, factor))

    def share_of(self, whole: "Usd") -> float:
        """How many times the other amount this is: no money any more, and as inexact as a float. whole: not zero."""
        return float(self.amount / _amount(whole))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Usd) and self.amount == other.amount

    def __lt__(self, other: "Usd") -> bool:
        return self.amount < _amount(other)

    def __le__(self, other: "Usd") -> bool:
        return self.amount <= _amount(other)

    def __gt__(self, other: "Usd") -> bool:
        return self.amount > _amount(other)

    def __ge__(self, other: "Usd") -> bool:
        return self.amount >= _amount(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __hash__(self) -> int:
        return hash(("Usd", self.amount))

    def __repr__(self) -> str:
        return f"Usd('{self.amount}')"

    def __str__(self) -> str:
        """For people: cents, or two figures of what is below a cent."""
        sign, amount = "-" if self.amount < 0 else "", self.amount.copy_abs()
        if not amount or amount >= Decimal("0.01"):
            return f"{sign}${amount.quantize(Decimal('0.01'), context=_EXACT):,}"
        return f"{sign}${amount:.2g}" if amount >= Decimal("0.000001") else f"<{sign}$0.000001"

    def exact(self) -> str:
        """For files and machines: every digit, never in exponent form."""
        return f"{self.amount.normalize(_EXACT):f}" if self.amount else "0"


def total_of(amounts: Iterable[Usd | None]) -> Usd | None:
    """None where one of them is not known: a sum without it would be too small."""
    total = Usd()
    for amount in amounts:
        if amount is None:
            return None
        total = total + amount
    return total


def _amount(other: object) -> Decimal:
    """Raises TypeError for what is no Usd: a bare number has no currency, and a float no exact value."""
    if not isinstance(other, Usd):
        raise TypeError(f"an amount of money goes with another one, not with {type(other).__name__}")
    return other.amount
