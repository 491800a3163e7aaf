"""The bill: every line of a realm, priced. One reading of the ledger, from which come the study's cost, the settled
amounts of jobs, the cost column of results, cost.csv and the report.

A line costs what its model (the one that served) cost on the day it served, in UTC: its `processed_time`; where it has
none the day its job ended, then the day it was collected. The tier is of its own prompt, the location that of its job.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from overnight.core.outcome import ProblemKind, StrayKind
from overnight.core.realm import is_simulated
from overnight.core.task import Settled
from overnight.core.usage import Usage, Usd, total_of
from overnight.ledger.bills import SMOKE, AnswerGroup, LineGroup, Said, SmokeLine
from overnight.ledger.shards import ShardFact
from overnight.pricing.bill import cost, saved_by_caching, sum_cost
from overnight.pricing.prices import BATCH, LONG_PROMPT_TOKENS, STANDARD, Mode, Price, PriceList, pays_surcharge
from overnight.run.world import World

ANSWER: Final = "answer"
_NOT_SERVED: Final = frozenset({ProblemKind.SERVICE_ERROR.value, ProblemKind.REFUSED.value})
"""Lines that say the row was not served. Any other line without token counts keeps its share of the reservation: what
it cost is unknown, not zero."""
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


class RowPricing:
    """The same for single outcomes, as results and samples show them: by what the ledger knows of their job."""

    def __init__(self, world: World) -> None:
        self._pricing = Pricing(world.prices)
        self._shards = {shard.id: shard for shard in world.ledger.shards.all(world.realm)}

    def cost_of(self, settled: Settled) -> Usd | None:
        shard = self._shards.get(settled.shard)
        if shard is None:
            return None
        served = settled.outcome.model_version or shard.model
        day, surcharge = settled.day or last_day(shard), pays_surcharge(shard.place.location)
        return self._pricing.cost_of(settled.outcome.usage, served, day, BATCH, surcharge=surcharge)


def last_day(shard: ShardFact, now: str = "") -> str:
    """The day on which a job's lines were served at the latest, as far as anybody says. now: while it is collected."""
    ended = utc_day(shard.job.end_time) if shard.job is not None else ""
    return ended or utc_day(shard.collected or now) or utc_day(shard.submitted or shard.intended)


def utc_day(stamp: str) -> str:
    """The day of an RFC 3339 time, in UTC; empty for what is no time."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    return (when if when.tzinfo is None else when.astimezone(UTC)).date().isoformat()


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
            total = total + _sum_cost(row.usage, found, long=row.long, surcharge=row.surcharge)
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


def study_bill(world: World) -> StudyBill:
    """Reads every line of the realm once: about 2 µs each."""
    ledger, pricing = world.ledger, Pricing(world.prices)
    said = ledger.bills.said(world.realm)
    shards = ledger.shards.all(world.realm)
    rows: list[Billed] = []
    for shard in shards:
        if shard.state == "collected":
            groups = ledger.bills.of_shard(shard.id, LONG_PROMPT_TOKENS)
            rows.extend(bill_of_job(pricing, shard, groups, run=run_of(shard, said)))
    stages = {recipe.digest: stage for (stage, _), recipe in ledger.recipes.pinned().items()}
    for line in ledger.bills.smokes(world.realm):
        stage = stages.get(line.recipe) or ledger.recipes.load(line.recipe).stage
        rows.append(bill_of_smoke(pricing, line, stage, said))
    return StudyBill(world.realm, tuple(rows), _shared(world, pricing, shards), _before(shards, said))


def bill_of_job(
    pricing: Pricing, shard: ShardFact, groups: Iterable[LineGroup], *, run: str = "", now: str = ""
) -> list[Billed]:
    """now: while the job is being collected, when the ledger does not say yet that it is."""
    return [_priced(pricing, shard, group, run, now) for group in groups]


def _priced(pricing: Pricing, shard: ShardFact, group: LineGroup, run: str, now: str) -> Billed:
    day = group.day or last_day(shard, now)
    usage = group.usage
    price = pricing.price_of(group.served or shard.model, day) if usage.known else None
    amount = None
    if price is not None:
        amount = _sum_cost(usage, price, long=group.long, surcharge=pays_surcharge(shard.place.location))
    return Billed(
        run,
        shard.id,
        shard.job_name,
        shard.stage,
        shard.recipe,
        shard.model,
        group.served,
        day,
        BATCH,
        shard.place.location,
        group.kind,
        group.n,
        usage,
        group.long,
        price,
        amount,
        None if amount is not None else _why(shard, group),
    )


def _why(shard: ShardFact, group: LineGroup) -> Why:
    if group.usage.known:
        return Why.NO_PRICE
    if group.copy:
        return Why.COPY
    if not group.has_line:
        status = shard.job
        refused = status is not None and status.is_refused and not status.succeeded
        return Why.NOT_BILLED if refused else Why.NO_LINE
    return Why.NOT_BILLED if group.kind in _NOT_SERVED else Why.NO_COUNTS


def bill_of_smoke(pricing: Pricing, line: SmokeLine, stage: str, said: Sequence[Said]) -> Billed:
    """One row is one line of the bill: there are few."""
    usage, location = line.usage, line.place.rsplit("/", 1)[-1]
    price = pricing.price_of(line.served or line.asked, line.day, STANDARD) if usage.known else None
    amount = None if price is None else cost(usage, price, surcharge=pays_surcharge(location))
    why = None
    if amount is None:
        kept = Why.NO_COUNTS if line.kept is not None else Why.NOT_BILLED
        why = Why.NO_PRICE if usage.known else kept
    return Billed(
        _began(line.before_shard, said) or line.day,
        0,
        "",
        stage,
        line.recipe,
        line.asked,
        line.served,
        line.day,
        STANDARD,
        location,
        SMOKE,
        1,
        usage,
        (usage.prompt or 0) > LONG_PROMPT_TOKENS,
        price,
        amount,
        why,
    )


def run_of(shard: ShardFact, said: Sequence[Said]) -> str:
    """When the run that sent a shard began; of a job made by hand, or one recovered, when it was made."""
    own = shard.submitted or shard.intended
    return own if shard.adopted else _began(shard.id, said) or own


def _began(number: int, said: Sequence[Said]) -> str:
    return next((one.began for one in reversed(said) if one.first_shard <= number), "")


def _before(shards: Sequence[ShardFact], said: Sequence[Said]) -> Before | None:
    """Added up over the runs that sent something."""
    if not said:
        return None
    sent = Counter[str]()
    for shard in shards:
        if shard.state in {"submitted", "collected"} and not shard.adopted:
            sent[_began(shard.id, said)] += shard.n_rows
    runs = [(one, min(Decimal(1), Decimal(sent[one.began]) / one.n_requests)) for one in said if one.n_requests]
    runs = [(one, share) for one, share in runs if share]
    if not runs:
        return None
    return Before(
        _scaled([(one.low, share) for one, share in runs]),
        _scaled([(one.expected, share) for one, share in runs]),
        _scaled([(one.high, share) for one, share in runs]),
        _scaled([(one.worst, share) for one, share in runs]),
    )


def _scaled(amounts: Sequence[tuple[Usd | None, Decimal]]) -> Usd | None:
    return total_of(None if amount is None else amount * share for amount, share in amounts)


def _shared(world: World, pricing: Pricing, shards: Sequence[ShardFact]) -> Usd | None:
    by_id = {shard.id: shard for shard in shards}
    groups = world.ledger.bills.shared(world.realm, LONG_PROMPT_TOKENS)
    # Left out: what another realm answered, or came without counts.
    return total_of(
        _cost_of_group(pricing, by_id[group.shard], group)
        for group in groups
        if group.shard in by_id and group.usage.known
    )


def cost_of_answers(world: World, rows: Sequence[int]) -> Usd | None:
    """What these answers of the ledger cost; None where that is not known of all of them."""
    pricing, by_id = Pricing(world.prices), {shard.id: shard for shard in world.ledger.shards.all(world.realm)}
    groups = world.ledger.bills.of_answers(rows, LONG_PROMPT_TOKENS)
    return total_of(_cost_of_group(pricing, by_id[group.shard], group) for group in groups)


def _cost_of_group(pricing: Pricing, shard: ShardFact, group: AnswerGroup) -> Usd | None:
    day = group.day or last_day(shard)
    price = pricing.price_of(group.served or shard.model, day) if group.usage.known else None
    if price is None:
        return None
    surcharge = pays_surcharge(shard.place.location)
    return _sum_cost(group.usage, price, long=group.long, surcharge=surcharge) * group.times


def _sum_cost(usage: Usage, price: Price, *, long: bool, surcharge: bool) -> Usd:
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
            amount = amount + _sum_cost(usage, row.price, long=row.long, surcharge=row.surcharge)
    return tokens, amount
