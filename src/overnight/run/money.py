"""What a send may cost at most, and what is left to spend. In realm google this guards; elsewhere it is only shown."""

from dataclasses import dataclass
from typing import Final

from overnight.core.usage import Usd
from overnight.pricing.estimate import WorstCase
from overnight.pricing.prices import BATCH, Mode
from overnight.run.world import World

SMOKE_ROWS: Final = 2
"""So many rows are asked at once before a job: one alone could be odd, and each costs twice what it costs in a job."""


def worst_case_for(world: World, max_output_tokens: int, mode: Mode = BATCH) -> WorstCase | None:
    """None when the price of the model is not known in that mode."""
    dearest = world.dearest(mode)
    return None if dearest is None else WorstCase(dearest, world.surcharge, max_output_tokens)


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
