"""Prices as dated data (prices.toml). Unknown is None: never zero, never half of something."""

import functools
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

LONG_PROMPT_TOKENS: Final = 200_000
"""A request whose prompt has more tokens is billed at the higher tier, all of it (facts 8)."""
GLOBAL: Final = "global"
BATCH: Final = "batch"
STANDARD: Final = "standard"
"""Modes of the table: in a job, and one request answered at once."""
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens. cached None: no source states it."""

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cached_usd_per_mtok: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs in one mode over one stretch of days, both ends included; valid_until None: goes on.

    location_surcharge: a factor for every location but `global`, 1 where no source tells of one. evidence: see
    models.toml.
    """

    model: str
    mode: str
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cached_usd_per_mtok: Decimal | None
    over_200k: Rates | None
    location_surcharge: Decimal
    valid_from: date
    valid_until: date | None
    source: str
    evidence: str
    checked: date
    note: str = ""

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def rates(self, prompt_tokens: int) -> Rates:
        """The tier of a request with that many prompt tokens, cached ones included."""
        if self.over_200k is not None and prompt_tokens > LONG_PROMPT_TOKENS:
            return self.over_200k
        return Rates(self.input_usd_per_mtok, self.output_usd_per_mtok, self.cached_usd_per_mtok)


def read_prices(toml: str) -> tuple[Price, ...]:
    """Rows of a prices.toml. Raises KeyError, TypeError or ValueError for a row that is not what it should be."""
    import tomllib

    rows = tuple(_price(row) for row in tomllib.loads(toml).get("price", ()))
    for n, row in enumerate(rows):
        for other in rows[n + 1 :]:
            if (row.model, row.mode) == (other.model, other.mode) and _overlap(row, other):
                raise ValueError(
                    f"two {row.mode} prices of {row.model} hold on {max(row.valid_from, other.valid_from)}"
                )
    return rows


@functools.cache
def prices() -> tuple[Price, ...]:
    """Every price this version knows, in the file's order."""
    from importlib.resources import files

    return read_prices(files(__package__).joinpath("prices.toml").read_text("utf-8"))


def price(model: str, day: date, mode: str = BATCH) -> Price | None:
    """The price of a model on a day, by the name asked for or served (see `priced_id`); None: not known."""
    rows = _rows(model, mode)
    return next((row for row in rows if row.holds_on(day)), None)


def dearest_price(model: str, start: date, hours: int = 96, mode: str = BATCH) -> Price | None:
    """The dearest price between the start of a day and `hours` after its end; None when any of these days has none.

    96 hours: up to 72 in the queue and about 24 of running (facts 6, [D]). A job made late on `start` can end that many
    hours later, so whole days are counted. Dearest by output, then input.
    """
    days = [start + timedelta(days=n) for n in range(-(-hours // 24) + 1)]
    found = [price(model, day, mode) for day in days]
    known = [row for row in found if row is not None]
    if len(known) < len(found):
        return None
    return max(known, key=lambda row: (row.output_usd_per_mtok, row.input_usd_per_mtok))


def priced_id(model: str) -> str:
    """The id whose price a served model has, when the table has no row for the name itself.

    Rule: what stands before the last `/` goes (`publishers/google/models/…`), what follows `@` goes (`@default`,
    `@local-stand-in`), and a stable version's number goes (`-001`). Nothing else: `-preview` is another model.
    """
    bare = model.rsplit("/", 1)[-1].split("@", 1)[0]
    return bare if any(row.model == bare for row in prices()) else re.sub(r"-0\d\d$", "", bare)


def pays_surcharge(location: str) -> bool:
    """Regional and multi-region endpoints cost about 10 % more for Gemini 4 (facts 8, [T])."""
    return location != GLOBAL


def _rows(model: str, mode: str) -> list[Price]:
    wanted = priced_id(model)
    return [row for row in prices() if row.model == wanted and row.mode == mode]


def _price(row: dict[str, Any]) -> Price:
    base, long = _rates(row), _rates(row["over_200k"]) if "over_200k" in row else None
    if long is not None and (
        long.input_usd_per_mtok < base.input_usd_per_mtok or long.output_usd_per_mtok < base.output_usd_per_mtok
    ):
        raise ValueError(f"{row['model']}: long prompts are cheaper than short ones; a worst case could then be passed")
    surcharge = Decimal(row.get("location_surcharge", ONE))
    if surcharge < ONE:
        raise ValueError(f"{row['model']}: a location surcharge below 1 ({surcharge})")
    return Price(
        model=row["model"],
        mode=row["mode"],
        input_usd_per_mtok=base.input_usd_per_mtok,
        output_usd_per_mtok=base.output_usd_per_mtok,
        cached_usd_per_mtok=base.cached_usd_per_mtok,
        over_200k=long,
        location_surcharge=surcharge,
        valid_from=row["valid_from"],
        valid_until=row.get("valid_until"),
        source=row["source"],
        evidence=row["evidence"],
        checked=row["checked"],
        note=row.get("note", ""),
    )


def _rates(row: dict[str, Any]) -> Rates:
    """Amounts are strings in the file, so that no float is ever in between."""
    amounts = [row["input"], row["output"], row.get("cached", row["input"])]
    if not all(isinstance(amount, str) for amount in amounts):
        raise TypeError(f"write the amounts {amounts} in quotes")
    rate_in, rate_out, rate_cached = (Decimal(amount) for amount in amounts)
    if not 0 < rate_cached <= rate_in or rate_out <= 0:
        raise ValueError(f"amounts {amounts}: all above zero, and cached input not dearer than input")
    return Rates(rate_in, rate_out, rate_cached if "cached" in row else None)


def _overlap(one: Price, other: Price) -> bool:
    return one.holds_on(other.valid_from) or other.holds_on(one.valid_from)
