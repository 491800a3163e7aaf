"""The bill, as values: lines with their price, and what they add up to. From it come the study's cost, the settled
amounts of jobs, cost.csv and the report; run/billing.py reads it from the ledger.

A line costs what its model (the one that served) cost on the day it served, in UTC: its `processed_time`; where it has
none the day its job ended, then the day it was collected. The tier is of its own prompt, the location that of its job.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from overnight.core.outcome import ProblemKind, StrayKind
from overnight.core.realm import is_simulated
from overnight.core.usage import Usage, Usd
from overnight.ledger.bills import SMOKE
from overnight.pricing.bill import cost, saved_by_caching, sum_cost
from overnight.pricing.prices import BATCH, STANDARD, Mode, Price, PriceList, pays_surcharge

ANSWER: Final = "answer"
_STRAYS: Final = frozenset(StrayKind)


class Why(StrEnum):
    """Why lines have no cost on the bill."""

    NOT_BILLED = "not_billed"  # the service says that it did not serve them
    COPY = "copy"  # the same serving written twice, billed at the other place
    NO_LINE = "no_line"  # requests that the output says nothing of: they may have been served
    NO_COUNTS = "no_counts"  # served, and no token counts
    NO_PRICE = "no_price"  # no source states what the model that served costs


UNKNOWN: Final = frozenset({Why.NO_LINE, Why.NO_COUNTS, Why.NO_PRICE})
"""Never zero: the part of the reservation that is theirs stays reserved."""


@dataclass(frozen=True, slots=True)
class Billed:
    """Lines that are alike in job, kind, model, day and tier, with their tokens added up.

    run: when the invocation that sent them began; where the ledger does not know, when their job was made. job: 0 for
    rows asked at once. n: lines, or requests without one. price, cost None: see why.
    """

    run: str
    job: int
    job_name: str
    stage: str
    recipe: str
    asked: str
    served: str
    day: str
    mode: Mode
    location: str
    kind: str
    n: int
    usage: Usage
    long: bool = False
    price: Price | None = None
    cost: Usd | None = None
    why: Why | None = None

    @property
    def surcharge(self) -> bool:
        return pays_surcharge(self.location)

    @property
    def unknown(self) -> bool:
        return self.why in UNKNOWN


class Pricing:
    """Prices by the model that served and the day, looked up once each."""

    def __init__(self, prices: PriceList) -> None:
        self._prices = prices
        self._found: dict[tuple[str, str, Mode], Price | None] = {}

    def price_of(self, model: str, day: str, mode: Mode = BATCH) -> Price | None:
        """day: ISO."""
        place = model, day, mode
        if place not in self._found:
            self._found[place] = self._prices.price(model, date.fromisoformat(day), mode)
        return self._found[place]

    def cost_of(self, usage: Usage, model: str, day: str, mode: Mode, *, surcharge: bool) -> Usd | None:
        """Of one line. None: the service gave no counts, or the price is not known. Never zero in their place."""
        found = self.price_of(model, day, mode) if usage.known else None
        return None if found is None else cost(usage, found, surcharge=surcharge)


@dataclass(frozen=True, slots=True)
class Before:
    """What was said before, of what was sent since: scaled down where a run sent less than it had planned."""

    low: Usd | None
    expected: Usd | None
    high: Usd | None
    worst: Usd | None


@dataclass(frozen=True)
class StudyBill:
    """All of it. shared: what requests that answer for several records would have cost once more for each of the
    others; None where a price is not known. before: None where nothing was said."""

    realm: str
    rows: tuple[Billed, ...]
    shared: Usd | None
    before: Before | None
    _known: Usd = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", sum_of(self.rows))

    @property
    def known(self) -> Usd:
        """The sum of all that has a cost: what cost.csv adds up to."""
        return self._known

    @property
    def total(self) -> Usd | None:
        """None when a model without a known price has served some of it."""
        return None if any(row.why is Why.NO_PRICE for row in self.rows) else self._known

    @property
    def smoke(self) -> Usd | None:
        """The part of rows asked at once, before a job; None as there."""
        rows = [row for row in self.rows if row.kind == SMOKE]
        return None if any(row.why is Why.NO_PRICE for row in rows) else sum_of(rows)

    @property
    def usage(self) -> Usage:
        return sum_usage(self.rows)

    @property
    def unknown(self) -> Counter[Why]:
        """Lines whose cost is not known, and requests that may have cost something, by why."""
        found = Counter[Why]()
        for row in self.rows:
            if row.why is not None and row.unknown:
                found[row.why] += row.n
        return found

    @property
    def by_caching(self) -> Usd:
        """What cached tokens would have cost more as plain input."""
        return sum((_saved(row) for row in self.rows), Usd())

    @property
    def simulated(self) -> bool:
        return is_simulated(self.realm)

    def standard(self, prices: PriceList) -> Usd | None:
        """The same lines at the price of asking one by one; None where no source states it."""
        pricing = Pricing(prices)
        total = Usd()
        for row in self.rows:
            if row.cost is None:
                continue
            found = pricing.price_of(row.served or row.asked, row.day, STANDARD)
            if found is None:
                return None
            total = total + sum_cost_of(row.usage, found, long=row.long, surcharge=row.surcharge)
        return total

    def parts(self) -> "list[Part]":
        """Where the tokens went: of answers by what they are, of all else whole. Empty ones are left out."""
        return [part for part in _parts(self.rows) if part.tokens]


@dataclass(frozen=True, slots=True)
class Part:
    """name: input, cached, thinking, answer (all four of answers only), failed, strays, smoke."""

    name: str
    tokens: int
    cost: Usd


def sum_of(rows: Iterable[Billed]) -> Usd:
    return sum((row.cost for row in rows if row.cost is not None), Usd())


def sum_usage(rows: Iterable[Billed]) -> Usage:
    """Of the rows with counts."""
    counted = [row.usage for row in rows if row.usage.known]
    return Usage(
        sum(usage.prompt or 0 for usage in counted),
        sum(usage.cached or 0 for usage in counted),
        sum(usage.thinking or 0 for usage in counted),
        sum(usage.answer or 0 for usage in counted),
    )


def sum_cost_of(usage: Usage, price: Price, *, long: bool, surcharge: bool) -> Usd:
    return sum_cost(price, usage.prompt or 0, usage.cached or 0, usage.output, long=long, surcharge=surcharge)


def _saved(row: Billed) -> Usd:
    if row.price is None or not row.usage.cached:
        return Usd()
    return saved_by_caching(row.price, row.usage.cached, long=row.long, surcharge=row.surcharge)


def _parts(rows: Sequence[Billed]) -> Iterator[Part]:
    answers = [row for row in rows if row.kind == ANSWER]
    pieces: tuple[tuple[str, list[tuple[Billed, Usage]]], ...] = (
        ("input", [(row, Usage((row.usage.prompt or 0) - (row.usage.cached or 0), 0, 0, 0)) for row in answers]),
        ("cached", [(row, Usage(row.usage.cached, row.usage.cached, 0, 0)) for row in answers]),
        ("thinking", [(row, Usage(0, 0, row.usage.thinking, 0)) for row in answers]),
        ("answer", [(row, Usage(0, 0, 0, row.usage.answer)) for row in answers]),
    )
    for name, found in pieces:
        yield Part(name, *_piece(found))
    for name, kinds in (("failed", frozenset(ProblemKind)), ("strays", _STRAYS), ("smoke", frozenset({SMOKE}))):
        some = [row for row in rows if row.kind in kinds]
        usage = sum_usage(some)
        yield Part(name, (usage.prompt or 0) + usage.output, sum_of(some))


def _piece(found: Iterable[tuple[Billed, Usage]]) -> tuple[int, Usd]:
    tokens, amount = 0, Usd()
    for row, usage in found:
        tokens += (usage.prompt or 0) + usage.output
        if row.price is not None:
            amount = amount + sum_cost_of(usage, row.price, long=row.long, surcharge=row.surcharge)
    return tokens, amount
