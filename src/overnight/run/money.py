"""What a send may cost at most, and what a job did cost. In realm google this guards; elsewhere it is only shown."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from overnight.core.outcome import Outcome, ProblemKind, Stray
from overnight.core.usage import Usd
from overnight.pricing.bill import cost, sum_cost
from overnight.pricing.estimate import WorstCase
from overnight.pricing.prices import BATCH, LONG_PROMPT_TOKENS, Mode, Price, PriceList
from overnight.run.world import World

_LINES, _PROMPT, _CACHED, _OUTPUT = range(4)
SMOKE_ROWS: Final = 2
"""So many rows are asked at once before a job: one alone could be odd, and each costs twice what it costs in a job."""
NOT_BILLED = frozenset({ProblemKind.SERVICE_ERROR, ProblemKind.REFUSED})
"""Lines that say the row was not served. Any other line without token counts keeps its share of the reservation: what
it cost is unknown, not zero."""


def worst_case_for(world: World, max_output_tokens: int, mode: Mode = BATCH) -> WorstCase | None:
    """None when the price of the model is not known in that mode."""
    dearest = world.dearest(mode)
    return None if dearest is None else WorstCase(dearest, world.surcharge, max_output_tokens)


class Pricing:
    """Lines at the price of the model that served, on the day it served (today where the line does not say)."""

    def __init__(self, list_: PriceList, asked: str, today: date, *, surcharge: bool, mode: Mode = BATCH) -> None:
        self._list, self._asked, self._today = list_, asked, today
        self._surcharge, self._mode = surcharge, mode
        self._prices: dict[tuple[str, str], Price | None] = {}

    def cost_of(self, line: Outcome | Stray) -> Usd | None:
        """None: the service gave no counts, or the price of what served is not known. Never zero in their place."""
        if not line.usage.known:
            return None
        day = line.processed_time[:10] if isinstance(line, Outcome) else ""
        found = self.price_of(line.model_version or self._asked, day)
        return None if found is None else cost(line.usage, found, surcharge=self._surcharge)

    def sum_of(self, served: str, day: str, prompt: int, cached: int, output: int, *, long: bool) -> Usd | None:
        """Of lines of one model, day and tier (long: over 200,000 prompt tokens each), added up."""
        found = self.price_of(served or self._asked, day)
        return None if found is None else sum_cost(found, prompt, cached, output, long=long, surcharge=self._surcharge)

    def price_of(self, model: str, day: str = "") -> Price | None:
        place = model, day
        if place not in self._prices:
            self._prices[place] = self._list.price(model, _day(day) or self._today, self._mode)
        return self._prices[place]


class Bill:
    """Adds up a job's lines. rows_unknown: rows that may have cost something nobody said.

    Cost is linear in tokens within a price and its tier, so tokens are added up and priced once: exact, and a third of
    the time of pricing each line.
    """

    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing
        self._sums: dict[tuple[str, str, bool], list[int]] = {}
        self.rows_unknown = 0

    def add(self, line: Outcome | Stray) -> None:
        usage = line.usage
        if usage.prompt is None:
            if isinstance(line, Outcome) and line.kind not in NOT_BILLED:
                self.rows_unknown += 1
            return
        day = line.processed_time[:10] if isinstance(line, Outcome) else ""
        place = line.model_version, day, usage.prompt > LONG_PROMPT_TOKENS
        sums = self._sums.get(place)
        if sums is None:
            sums = self._sums[place] = [0, 0, 0, 0]
        sums[_LINES] += 1
        sums[_PROMPT] += usage.prompt
        sums[_CACHED] += min(usage.cached or 0, usage.prompt)
        sums[_OUTPUT] += usage.output

    @property
    def billed(self) -> Usd:
        """Of the lines whose price is known. Those without one keep their share of the reservation (`kept`)."""
        total = Usd()
        for (version, day, long), sums in self._sums.items():
            amount = self._pricing.sum_of(version, day, sums[_PROMPT], sums[_CACHED], sums[_OUTPUT], long=long)
            total = total + (amount or Usd())
        return total

    @property
    def _rows_without_price(self) -> int:
        return sum(
            sums[_LINES]
            for (version, day, _), sums in self._sums.items()
            if self._pricing.sum_of(version, day, 0, 0, 0, long=False) is None
        )

    def without_a_line(self, n_rows: int) -> None:
        """Rows of a job that ran, or may have, and of which its output says nothing."""
        self.rows_unknown += n_rows

    def kept(self, reserved: Usd | None, n_rows: int) -> Usd | None:
        """The part of the reservation that stays for rows whose cost is unknown."""
        if reserved is None or not n_rows:
            return None
        return reserved * (Decimal(min(self.rows_unknown + self._rows_without_price, n_rows)) / n_rows)


def pricing_of(world: World, mode: Mode = BATCH) -> Pricing:
    return Pricing(world.prices, world.model.id, world.today, surcharge=world.surcharge, mode=mode)


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of the study's limit. reserved: the worst case of jobs under way, and rows whose cost is unknown."""

    limit: Usd
    spent: Usd
    reserved: Usd

    @property
    def left(self) -> Usd:
        return self.limit - self.spent - self.reserved


def budget_json(budget: Budget | None) -> dict[str, str] | None:
    """Amounts as exact texts."""
    if budget is None:
        return None
    amounts = {"limit": budget.limit, "spent": budget.spent, "reserved": budget.reserved, "left": budget.left}
    return {name: amount.exact() for name, amount in amounts.items()}


def budget_of(world: World) -> Budget | None:
    """None where there is no limit to keep: on the stand-in, or without `budget` in the study."""
    if world.limit is None:
        return None
    billed = [shard.billed for shard in world.ledger.shards.all(world.realm, "collected")]
    billed += [bill.billed for bill in world.ledger.smokes.bills(world.realm)]
    spent = sum((amount for amount in billed if amount is not None), Usd())
    return Budget(world.limit, spent, world.ledger.shards.committed(world.realm) - spent)


def total_cost(world: World) -> Usd | None:
    """Spent by the study in this realm so far, on jobs and on rows asked before them; None when a model without a
    known price has served some of it."""
    pricing = pricing_of(world)
    asked_before = smoke_cost(world)
    if asked_before is None:
        return None
    for asked, served, _, _ in world.ledger.outcomes.usage_by_model(world.realm):
        if pricing.price_of(served or asked) is None:
            return None
    billed = (shard.billed for shard in world.ledger.shards.all(world.realm, "collected"))
    return sum((amount for amount in billed if amount is not None), asked_before)


def smoke_cost(world: World) -> Usd | None:
    """Spent on rows asked one by one before a job, which is part of the total; None as there."""
    total = Usd()
    for bill in world.ledger.smokes.bills(world.realm):
        if bill.billed is None:
            return None
        total = total + bill.billed
    return total


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
