"""What a send may cost at most, and what a job did cost. In realm google this guards; elsewhere it is only shown."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from overnight.core.outcome import Outcome, ProblemKind, Stray
from overnight.core.usage import Usage, Usd
from overnight.pricing.bill import cost, sum_cost
from overnight.pricing.prices import BATCH, LONG_PROMPT_TOKENS, Mode, Price, PriceList
from overnight.pricing.tokens import token_bound, token_estimate
from overnight.run.world import World

_LINES, _PROMPT, _CACHED, _OUTPUT = range(4)
SMOKE_ROWS: Final = 2
"""So many rows are asked at once before a job: one alone could be odd, and each costs twice what it costs in a job."""
NOT_BILLED = frozenset({ProblemKind.SERVICE_ERROR, ProblemKind.REFUSED})
"""Lines that say the row was not served. Any other line without token counts keeps its share of the reservation: what
it cost is unknown, not zero."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Upper bound for lines of one shape: every byte a token, every answer at its limit, the dearest price ahead."""

    price: Price
    surcharge: bool
    max_output_tokens: int

    def of(self, n_requests: int, size_bytes: int, longest_bytes: int) -> Usd:
        """size_bytes: of all lines together; longest_bytes: of the longest, which decides the price tier."""
        tokens_in = token_bound(size_bytes) + token_bound(0) * (n_requests - 1)
        tokens_out = n_requests * self.max_output_tokens
        long = token_bound(longest_bytes) > LONG_PROMPT_TOKENS
        return sum_cost(self.price, tokens_in, 0, tokens_out, long=long, surcharge=self.surcharge)


def worst_case_for(world: World, max_output_tokens: int, mode: Mode = BATCH) -> WorstCase | None:
    """None when the price of the model is not known in that mode."""
    dearest = world.dearest(mode)
    return None if dearest is None else WorstCase(dearest, world.surcharge, max_output_tokens)


def expected(world: World, n_requests: int, chars: int, frame_chars: int) -> Usd | None:
    """A middle for people, never a guard. Output: the mean of this model's answers so far in this realm, else a guess.

    chars: of the records' texts; frame_chars: of what each request holds besides. The money issue makes it a range.
    """
    today = world.price_now()
    if today is None:
        return None
    prompt = token_estimate(chars + frame_chars * n_requests)
    usage = Usage(prompt=prompt, cached=0, thinking=0, answer=n_requests * _output_tokens(world))
    return cost(usage, today, surcharge=world.surcharge)


_ENOUGH_LINES: Final = 20
_GUESS: Final = 8
"""Without earlier answers: an eighth of the room. At "high" that is some 2,500 tokens of thinking and answer, the size
that the field reckons with for abstracts. Our choice."""


def _output_tokens(world: World) -> int:
    rows = [
        (usage, n)
        for asked, _, usage, n in world.ledger.outcomes.usage_by_model(world.realm)
        if asked == world.model.id
    ]
    lines = sum(n for _, n in rows)
    if lines < _ENOUGH_LINES:
        return world.room(0) // _GUESS
    return sum(usage.output for usage, _ in rows) // lines


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
