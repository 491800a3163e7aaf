"""cost.csv: the bill line by line, so that anybody can add it up. Its `cost_usd` sums to what the study cost."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from overnight.core.atomic import replacing
from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.pricing.prices import LONG_PROMPT_TOKENS, ONE
from overnight.records.writer import write_table
from overnight.run.bill import Billed, StudyBill
from overnight.run.world import World

COLUMNS: Final = (
    Column("run"),
    Column("job", "integer"),
    Column("job_name"),
    Column("stage"),
    Column("sample"),
    Column("model_asked"),
    Column("model_served"),
    Column("day"),
    Column("mode"),
    Column("location"),
    Column("kind"),
    Column("lines", "integer"),
    Column("long_prompts", "boolean"),
    Column("prompt_tokens", "integer"),
    Column("cached_tokens", "integer"),
    Column("thinking_tokens", "integer"),
    Column("answer_tokens", "integer"),
    Column("input_usd_per_mtok"),
    Column("cached_usd_per_mtok"),
    Column("output_usd_per_mtok"),
    Column("surcharge"),
    Column("price_from"),
    Column("price_source"),
    Column("cost_usd"),
    Column("why_no_cost"),
    Column("simulated", "boolean"),
)
"""Amounts and rates are exact decimals, as text. docs/reference/results.md says what each column holds."""


def write_cost(world: World, bill: StudyBill, target: Path) -> None:
    with replacing(target) as file:
        write_table(file, "csv", COLUMNS, cost_rows(world, bill))


def cost_rows(world: World, bill: StudyBill) -> Iterator[list[Cell]]:
    """By COLUMNS."""
    samples: defaultdict[str, list[str]] = defaultdict(list)
    for (_, sample), recipe in sorted(world.ledger.recipes.pinned().items()):
        samples[recipe.digest].append(str(sample))
    return _rows(bill, samples)


def _rows(bill: StudyBill, samples: Mapping[str, Sequence[str]]) -> Iterator[list[Cell]]:
    for row in bill.rows:
        usage = row.usage
        yield [
            row.run,
            row.job or None,
            row.job_name or None,
            row.stage,
            " ".join(samples.get(row.recipe, ())) or None,
            row.asked,
            row.served or None,
            row.day,
            row.mode,
            row.location,
            row.kind,
            row.n,
            row.long if usage.known else None,
            usage.prompt,
            usage.cached,
            usage.thinking,
            usage.answer,
            *_price(row),
            None if row.cost is None else row.cost.exact(),
            None if row.why is None else row.why.value,
            bill.simulated,
        ]


def _price(row: Billed) -> tuple[Cell, ...]:
    if row.price is None:
        return (None,) * 6
    price = row.price
    rates = price.rates(LONG_PROMPT_TOKENS + 1 if row.long else 0)
    return (
        f"{rates.input_usd_per_mtok:f}",
        None if rates.cached_usd_per_mtok is None else f"{rates.cached_usd_per_mtok:f}",
        f"{rates.output_usd_per_mtok:f}",
        f"{price.location_surcharge if row.surcharge else ONE:f}",
        price.valid_from.isoformat(),
        price.source,
    )
