"""Prices as dated data (prices.toml). Unknown is None: never zero, never half of something."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

from overnight.pricing.toml_rows import Keys, checked_row, taken

LONG_PROMPT_TOKENS: Final = 200_000
"""A request whose prompt has more tokens is billed at the higher tier, all of it (facts 8)."""
GLOBAL: Final = "global"
Surface = Literal["vertex", "developer"]
Mode = Literal["batch", "standard", "flex"]
BATCH: Final = "batch"
STANDARD: Final = "standard"
FLEX: Final = "flex"
"""Modes of the table: in a job; one request answered at once; one answered when there is room."""
VERTEX: Final = "vertex"
DEVELOPER: Final = "developer"
"""Surfaces: Vertex AI, and the Gemini Developer API."""
MODES: Final[tuple[Mode, ...]] = (BATCH, STANDARD, FLEX)
SURFACES: Final[tuple[Surface, ...]] = (VERTEX, DEVELOPER)
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
    models.toml. own: said by the user's file.
    """

    model: str
    mode: Mode
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
    surface: Surface = VERTEX
    own: bool = False

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def rates(self, prompt_tokens: int) -> Rates:
        """The tier of a request with that many prompt tokens, cached ones included."""
        if self.over_200k is not None and prompt_tokens > LONG_PROMPT_TOKENS:
            return self.over_200k
        return Rates(self.input_usd_per_mtok, self.output_usd_per_mtok, self.cached_usd_per_mtok)


@dataclass(frozen=True)
class PriceList:
    """Every price somebody states, in the order of its files. A value: a study with a file of its own has another one.

    Raises ValueError where two rows hold on the same day for the same model, surface and mode.
    """

    rows: tuple[Price, ...]
    _places: Mapping[tuple[str, str, str], tuple[Price, ...]] = field(init=False, repr=False, compare=False)
    _ids: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places: dict[tuple[str, str, str], tuple[Price, ...]] = {}
        for row in self.rows:
            place = row.model, row.mode, row.surface
            others = places.get(place, ())
            clash = next((other for other in others if overlap(row, other)), None)
            if clash is not None:
                day = max(row.valid_from, clash.valid_from)
                raise ValueError(f"two {row.mode} prices of {row.model} hold on {day}")
            places[place] = (*others, row)
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_ids", frozenset(row.model for row in self.rows))

    def __iter__(self) -> Iterator[Price]:
        return iter(self.rows)

    def price(self, model: str, day: date, mode: Mode = BATCH, surface: Surface = VERTEX) -> Price | None:
        """Of a model on a day, by the name asked for or served (see `priced_id`); None: not known."""
        return next((row for row in self._of(model, mode, surface) if row.holds_on(day)), None)

    def dearest(
        self, model: str, start: date, hours: int = 96, mode: Mode = BATCH, surface: Surface = VERTEX
    ) -> Price | None:
        """The dearest price between the start of a day and `hours` after its end; None when any of these days has none.

        96 hours: up to 72 in the queue and about 24 of running (facts 6, [D]). A job made late on `start` can end that
        many hours later, so whole days are counted. Dearest by output, then input.
        """
        days = [start + timedelta(days=n) for n in range(-(-hours // 24) + 1)]
        found = [self.price(model, day, mode, surface) for day in days]
        known = [row for row in found if row is not None]
        if len(known) < len(found):
            return None
        return max(known, key=lambda row: (row.output_usd_per_mtok, row.input_usd_per_mtok))

    def changes(
        self, model: str, start: date, end: date, mode: Mode = BATCH, surface: Surface = VERTEX
    ) -> tuple[tuple[date, Price | None], ...]:
        """(first day, price from then on) of each change after `start`, up to and with `end`, earliest first.

        None: a price ends and no source states what follows.
        """
        rows = self._of(model, mode, surface)
        days = {row.valid_from for row in rows}
        days |= {row.valid_until + timedelta(days=1) for row in rows if row.valid_until is not None}
        return tuple((day, self.price(model, day, mode, surface)) for day in sorted(days) if start < day <= end)

    def priced_id(self, model: str) -> str:
        """The id whose price a served model has, when the table has no row for the name itself.

        Rule: what stands before the last `/` goes (`publishers/google/models/…`), what follows `@` goes (`@default`,
        `@local-stand-in`), and a stable version's number goes (`-001`). Nothing else: `-preview` is another model.
        """
        bare = model.rsplit("/", 1)[-1].split("@", 1)[0]
        return bare if bare in self._ids else re.sub(r"-0\d\d$", "", bare)

    def with_own(self, own: Iterable[Price]) -> "PriceList":
        """These rows first; packaged ones of the same model, surface and mode give way on the days they share."""
        mine = tuple(own)
        kept = [part for row in self.rows for part in _apart(row, mine)]
        return PriceList((*mine, *kept))

    def _of(self, model: str, mode: str, surface: str) -> tuple[Price, ...]:
        return self._places.get((self.priced_id(model), mode, surface), ())


def read_prices(toml: str) -> PriceList:
    """Rows of a prices.toml. Raises TypeError or ValueError for a row that is not what it should be."""
    import tomllib

    data = tomllib.loads(toml)
    sources = data.get("sources", {})
    return PriceList(tuple(price_row({**row, **sources.get(row.get("source"), {})}) for row in data.get("price", ())))


@functools.cache
def packaged_prices() -> PriceList:
    """Every price this version knows."""
    from importlib.resources import files

    return read_prices(files(__package__).joinpath("prices.toml").read_text("utf-8"))


def _apart(row: Price, others: Sequence[Price]) -> Iterator[Price]:
    """What is left of a row on the days that none of the others takes."""
    other = next(
        (
            one
            for one in others
            if (one.model, one.mode, one.surface) == (row.model, row.mode, row.surface) and overlap(one, row)
        ),
        None,
    )
    if other is None:
        yield row
        return
    day = timedelta(days=1)
    if row.valid_from < other.valid_from:
        yield from _apart(replace(row, valid_until=other.valid_from - day), others)
    if other.valid_until is not None and (row.valid_until is None or other.valid_until < row.valid_until):
        yield from _apart(replace(row, valid_from=other.valid_until + day), others)


def pays_surcharge(location: str) -> bool:
    """Regional and multi-region endpoints cost about 10 % more for Gemini 4 (facts 8, [T])."""
    return location != GLOBAL


_RATE_KEYS: Final[Keys] = {"input": str, "output": str, "cached": str}
_KEYS: Final[Keys] = {
    "model": str,
    "surface": str,
    "mode": str,
    **_RATE_KEYS,
    "over_200k": dict,
    "location_surcharge": str,
    "valid_from": date,
    "valid_until": date,
    "source": str,
    "evidence": str,
    "checked": date,
    "note": str,
}
_NEEDED: Final = ("model", "input", "output", "valid_from", "checked")


def price_row(row: Mapping[str, Any], said_by: str = "") -> Price:
    """A row of prices.toml; of the user's own file where said_by names that. Raises TypeError or ValueError."""
    checked_row(row, _KEYS, needed=_NEEDED if said_by else (*_NEEDED, "source", "evidence"))
    base, long = _rates(row), None
    if "over_200k" in row:
        checked_row(row["over_200k"], _RATE_KEYS, needed=("input", "output"))
        long = _rates(row["over_200k"])
        if long.input_usd_per_mtok < base.input_usd_per_mtok or long.output_usd_per_mtok < base.output_usd_per_mtok:
            raise ValueError("long prompts are cheaper than short ones; a worst case could then be passed")
    surcharge = _amount("location_surcharge", row.get("location_surcharge", "1"))
    if surcharge < ONE:
        raise ValueError(f"a location surcharge below 1 ({surcharge}); it is a factor: 1.1 for 10 % more")
    valid_from, valid_until = row["valid_from"], row.get("valid_until")
    if valid_until is not None and valid_until < valid_from:
        raise ValueError(f"it ends ({valid_until}) before it begins ({valid_from})")
    return Price(
        model=row["model"],
        surface=_word("surface", row.get("surface", VERTEX), SURFACES),
        mode=_word("mode", row.get("mode", BATCH), MODES),
        input_usd_per_mtok=base.input_usd_per_mtok,
        output_usd_per_mtok=base.output_usd_per_mtok,
        cached_usd_per_mtok=base.cached_usd_per_mtok,
        over_200k=long,
        location_surcharge=surcharge,
        valid_from=valid_from,
        valid_until=valid_until,
        source=said_by + taken(row, "source") if said_by else row["source"],
        evidence=row.get("evidence", "own"),
        checked=row["checked"],
        note=row.get("note", ""),
        own=bool(said_by),
    )


W = TypeVar("W", bound=str)


def _word(key: str, written: str, words: tuple[W, ...]) -> W:
    found = next((word for word in words if word == written), None)
    if found is None:
        raise ValueError(f"`{key}` is {' or '.join(words)}, not {written!r}")
    return found


def _rates(row: Mapping[str, Any]) -> Rates:
    """Amounts are texts in the file, so that no float is ever in between."""
    rate_in, rate_out = _amount("input", row["input"]), _amount("output", row["output"])
    cached = _amount("cached", row["cached"]) if "cached" in row else None
    if cached is not None and cached > rate_in:
        raise ValueError(f"cached input is dearer ({cached}) than input ({rate_in})")
    return Rates(rate_in, rate_out, cached)


def _amount(key: str, written: str) -> Decimal:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", written) or not Decimal(written):
        raise ValueError(f'`{key}` is an amount above zero in digits, such as "0.75", not {written!r}')
    return Decimal(written)


def overlap(one: Price, other: Price) -> bool:
    return one.holds_on(other.valid_from) or other.holds_on(one.valid_from)
