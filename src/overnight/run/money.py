"""What a send may cost at most, and what is left to spend. In realm google this guards; elsewhere it is only shown."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from overnight.core.usage import Usd
from overnight.pricing.estimate import WorstCase
from overnight.pricing.prices import BATCH, Mode, PriceList, pays_surcharge
from overnight.run.world import World

SMOKE_ROWS: Final = 2
"""So many rows are asked at once before a job: one alone could be odd, and each costs twice what it costs in a job."""

ROUND_HOURS: Final = 96
"""A job at worst: 72 hours in the queue and 24 of running (facts 6, [D])."""


def worst_case_for(world: World, max_output_tokens: int, mode: Mode = BATCH) -> WorstCase | None:
    """None when the price of the model is not known in that mode."""
    dearest = world.dearest(mode)
    return None if dearest is None else WorstCase(dearest, world.surcharge, max_output_tokens)


def worst_case_of_made(
    prices: PriceList, model: str, location: str, made: date, max_output_tokens: int
) -> WorstCase | None:
    """Of a job that is there already: its rows were or will be served within the service's hours since it was made, by
    prices of then. A day more than before a send: how late on that day it was is not known. None as there."""
    dearest = prices.dearest(model, made, ROUND_HOURS + 24)
    return None if dearest is None else WorstCase(dearest, pays_surcharge(location), max_output_tokens)


def worst_of(bound: WorstCase, n_requests: int, size_bytes: int, longest_bytes: int) -> tuple[Usd, Usd]:
    """Of so many lines together, and of the longest of them."""
    return bound.of(n_requests, size_bytes, longest_bytes), bound.of(1, longest_bytes, longest_bytes)


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
    spent = world.ledger.bills.spent(world.realm)
    return Budget(world.limit, spent, world.ledger.shards.committed(world.realm) - spent)
