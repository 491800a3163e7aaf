"""What the report says of money and jobs: read from the bill and the ledger, after every record was seen."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from overnight.ledger.bills import SMOKE
from overnight.ledger.shards import ShardFact
from overnight.pricing.prices import LONG_PROMPT_TOKENS, ONE
from overnight.report.data import Bill, Job, ModelBill, Part
from overnight.report.words import sample_words
from overnight.run.bill import Billed, StudyBill, Why, sum_of, sum_usage
from overnight.run.world import World


def bill_of(world: World, bill: StudyBill, sample: Mapping[str, Any] | None) -> Bill:
    before, usage = bill.before, bill.usage
    estimate = None
    if before is not None and before.low is not None and before.expected is not None and before.high is not None:
        estimate = before.low, before.expected, before.high
    return Bill(
        total=bill.total,
        usage=usage,
        lines_without_usage=bill.unknown[Why.NO_COUNTS] + bill.unknown[Why.NO_LINE],
        by_model=tuple(_by(bill, _model_and_price)),
        by_stage=tuple(_by(bill, lambda row: (row.stage, ""))),
        parts=tuple(Part(part.name, part.tokens, part.cost) for part in bill.parts()),
        by_caching=bill.by_caching,
        by_sharing=bill.shared,
        standard=bill.standard(world.prices),
        estimate=estimate,
        worst_case=None if before is None else before.worst,
        limit=world.limit,
        notes=(
            "By job, day and kind of line, each with its price: cost.csv beside this page.",
            *_sample_words(sample),
        ),
    )


def _sample_words(sample: Mapping[str, Any] | None) -> Iterator[str]:
    if sample is None or sample["records_sent"] == sample["of"]:
        return
    yield sample_words(sample)


def _by(bill: StudyBill, words: Callable[[Billed], tuple[str, str]]) -> Iterator[ModelBill]:
    """Rows with token counts, added up by (name, price in words), in the order in which they first come."""
    groups: dict[tuple[str, str], list[Billed]] = {}
    for row in bill.rows:
        if row.usage.known:
            groups.setdefault(words(row), []).append(row)
    for (name, price), rows in groups.items():
        known = all(row.cost is not None for row in rows)
        amount = sum_of(rows) if known else None
        yield ModelBill(name, sum(row.n for row in rows), sum_usage(rows), amount, price)


def _model_and_price(row: Billed) -> tuple[str, str]:
    """Rows asked at once, before a job, have another price than a job's; days on both sides of a change have two."""
    name = (row.served or row.asked) + (", asked before a job" if row.kind == SMOKE else "")
    price = row.price
    if price is None:
        return name, ""
    rates = price.rates(LONG_PROMPT_TOKENS + 1 if row.long else 0)
    until = "" if price.valid_until is None else f" to {price.valid_until}"
    long = ", prompts over 200,000 tokens" if row.long else ""
    factor = price.location_surcharge if row.surcharge else ONE
    dearer = "" if factor == ONE else f" × {factor} for {row.location}"
    cached = "" if rates.cached_usd_per_mtok is None else f", ${rates.cached_usd_per_mtok} cached"
    return name, (
        f"{price.mode}{long}: ${rates.input_usd_per_mtok} in{cached}, ${rates.output_usd_per_mtok} out per million"
        f" tokens{dearer}, from {price.valid_from}{until}; {price.source} [{price.evidence}], checked {price.checked}"
    )


def jobs_of(world: World) -> Iterator[Job]:
    for shard in world.ledger.shards.all(world.realm, "submitted", "collected"):
        yield _job(shard)


def _job(shard: ShardFact) -> Job:
    status = shard.job
    return Job(
        name=shard.job_name,
        state=status.state if status else "",
        rows=shard.n_rows,
        rows_back=shard.lines if shard.collected else None,
        created=status.create_time if status else "",
        started=status.start_time if status else "",
        ended=status.end_time if status else "",
        error=status.error[1] if status and status.error else "",
    )
