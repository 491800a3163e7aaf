"""The table of `overnight models`, for people and for machines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from overnight.cli.words import command
from overnight.core.usage import Usd
from overnight.pricing import words
from overnight.pricing.catalogue import DEVELOPER_BATCH, OLD_DAYS, VERTEX_BATCH, Model, is_old, passed
from overnight.pricing.prices import VERTEX, Mode, Price, Surface
from overnight.pricing.tables import Tables
from overnight.pricing.thinking import Thinking

_ROW: Final = "{id:<23}{batch:<8}{thinking:<16}{limits:>9}  {price}"
"""Eighty columns."""


@dataclass(frozen=True)
class Asked:
    """What the person wants to see. batch: empty for all."""

    surface: Surface
    mode: Mode
    batch: str
    sort: str
    all: bool
    sources: bool


@dataclass(frozen=True)
class Shown:
    """One row. price: of today, None where nobody states it. study: what is left of the study would cost, and the
    thinking it is reckoned with."""

    model: Model
    price: Price | None
    study: tuple[Usd, Thinking] | None


def shown(tables: Tables, asked: Asked, costs: Mapping[str, tuple[Usd, Thinking]], today: date) -> list[Shown]:
    rows = [
        Shown(model, tables.prices.price(model.id, today, asked.mode, asked.surface), costs.get(model.id))
        for model in tables.models
        if (asked.all or not _retired(model, asked, today)) and asked.batch in ("", _batch(model, asked))
    ]
    return sorted(rows, key=ORDERS[asked.sort])


def lines(tables: Tables, asked: Asked, rows: Sequence[Shown], today: date, study: Path | None) -> Iterator[str]:
    yield (
        f"{words.SURFACE_NAMES[asked.surface]}, {asked.mode}, {today}: US dollars per million tokens, in / out / cached"
    )
    yield _row(id="model", batch="batch", thinking="thinking", limits="limits", price="price")
    for row in rows:
        yield from _model_lines(tables, asked, row, today)
    yield from _foot(asked, rows, len(tables.models.models), today, study)


def _model_lines(tables: Tables, asked: Asked, row: Shown, today: date) -> Iterator[str]:
    model, price = row.model, row.price
    yield _row(
        id=model.id,
        batch=_batch(model, asked),
        thinking=_short_thinking(model),
        limits=f"{_tokens(model.context_tokens)} / {_tokens(model.max_output_tokens)}",
        price="not known" if price is None else _short_price(price),
    )
    life = words.lifetime(model.vertex if asked.surface == VERTEX else model.developer)
    said = [] if row.study is None else [f"{row.study[0]} for what is left to send, thinking {row.study[1].level}"]
    said += [] if price is None else [f"price {words.days(price)}", words.next_change(tables.prices, price, today)]
    said += [life, "your own row" if model.own or (price is not None and price.own) else ""]
    yield f"    {'; '.join(part for part in said if part)}".rstrip()
    if asked.sources:
        yield f"    {words.traced_model(model)}"
        if price is not None:
            yield f"    {words.traced(price)}"


def _foot(asked: Asked, rows: Sequence[Shown], n_known: int, today: date, study: Path | None) -> Iterator[str]:
    if len(rows) < n_known:
        left_out = "" if asked.all else "; --all shows retired ones"
        yield f"{len(rows)} of {n_known} models{left_out}."
    checked = [row.model.checked for row in rows] + [row.price.checked for row in rows if row.price is not None]
    old = [day for day in checked if is_old(day, today)]
    if old:
        yield (
            f"warning: {len(old)} of these {len(checked)} rows were last checked more than {OLD_DAYS} days ago, the"
            f" oldest on {min(old)}: compare them with Google's page before you rely on them."
        )
    if any(row.price is not None for row in rows):
        yield "Most prices come from copies and listings; `--sources` says who states each of them."
    yield f"Next: {command('plan', study)}" if study is not None else f"Next: {command('models', Path('STUDY'))}"


def models_json(tables: Tables, asked: Asked, rows: Sequence[Shown], today: date) -> dict[str, Any]:
    return {
        "surface": asked.surface,
        "mode": asked.mode,
        "day": today.isoformat(),
        "models": [_model_json(tables, asked, row, today) for row in rows],
    }


def _model_json(tables: Tables, asked: Asked, row: Shown, today: date) -> dict[str, Any]:
    model, price = row.model, row.price
    return {
        "id": model.id,
        "family": model.family,
        "aliases": model.aliases,
        "surfaces": {way: {"has": offer.has, "evidence": offer.evidence} for way, offer in model.surfaces.items()},
        "locations": model.locations,
        "context_tokens": model.context_tokens,
        "max_output_tokens": model.max_output_tokens,
        "thinking": {"levels": model.levels, "budget": model.budget, "default": model.default, "off": model.can_be_off},
        "ignores": model.ignores,
        "deprecates": model.deprecates,
        "takes_seed": model.takes_seed,
        "vertex": _lifetime_json(model, "vertex"),
        "developer": _lifetime_json(model, "developer"),
        "source": model.source,
        "evidence": model.evidence,
        "checked": model.checked.isoformat(),
        "old": is_old(model.checked, today),
        "own": model.own,
        "price": None if price is None else price_json(price),
        "next_change": "" if price is None else words.next_change(tables.prices, price, today),
        "retired": _retired(model, asked, today),
        "study_usd": None if row.study is None else row.study[0].exact(),
        "study_thinking": None if row.study is None else row.study[1].level,
    }


def _lifetime_json(model: Model, surface: Surface) -> dict[str, str | None]:
    life = model.vertex if surface == VERTEX else model.developer
    dates = {
        "closed": life.closed,
        "retired": life.retired,
        "kept_until": life.kept_until,
        "served_by_from": life.served_by_from,
    }
    written = {name: None if day is None else day.isoformat() for name, day in dates.items()}
    return {**written, "served_by": life.served_by, "source": life.source, "evidence": life.evidence}


def price_json(price: Price) -> dict[str, Any]:
    """Amounts as exact texts, per million tokens."""
    long = price.over_200k
    cached = price.cached_usd_per_mtok
    return {
        "model": price.model,
        "surface": price.surface,
        "mode": price.mode,
        "input": str(price.input_usd_per_mtok),
        "output": str(price.output_usd_per_mtok),
        "cached": None if cached is None else str(cached),
        "over_200k": None
        if long is None
        else {
            "input": str(long.input_usd_per_mtok),
            "output": str(long.output_usd_per_mtok),
            "cached": None if long.cached_usd_per_mtok is None else str(long.cached_usd_per_mtok),
        },
        "location_surcharge": str(price.location_surcharge),
        "valid_from": price.valid_from.isoformat(),
        "valid_until": None if price.valid_until is None else price.valid_until.isoformat(),
        "source": price.source,
        "evidence": price.evidence,
        "checked": price.checked.isoformat(),
        "own": price.own,
    }


def _by_price(row: Shown) -> tuple[Any, ...]:
    """Dearest last, and those without a price after them; output first, since thinking is billed as output."""
    price = row.price
    if price is None:
        return 1, 0, 0, row.model.id
    return 0, price.output_usd_per_mtok, price.input_usd_per_mtok, row.model.id


ORDERS: Final[Mapping[str, Callable[[Shown], Any]]] = {
    "price": _by_price,
    "name": lambda row: row.model.id,
    "context": lambda row: (-row.model.context_tokens, -row.model.max_output_tokens, row.model.id),
}


def _retired(model: Model, asked: Asked, today: date) -> bool:
    life = model.vertex if asked.surface == VERTEX else model.developer
    return passed(life.retired, today) or passed(life.served_by_from, today)


def _batch(model: Model, asked: Asked) -> str:
    return model.offer(VERTEX_BATCH if asked.surface == VERTEX else DEVELOPER_BATCH).has


def _short_thinking(model: Model) -> str:
    if model.levels:
        return f"{model.levels[0]}–{model.levels[-1]}"
    if model.budget is None:
        return "not known"
    return f"{'off, ' if model.can_be_off else ''}{model.budget[0]:,}–{model.budget[1]:,}"


def _short_price(price: Price) -> str:
    cached = "?" if price.cached_usd_per_mtok is None else price.cached_usd_per_mtok
    return f"{price.input_usd_per_mtok} / {price.output_usd_per_mtok} / {cached}"


def _tokens(n: int) -> str:
    return f"{n // 1024**2}M" if n % 1024**2 == 0 else f"{round(n / 1024)}k"


def _row(**cells: str) -> str:
    return _ROW.format(**cells).rstrip()
