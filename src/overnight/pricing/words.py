"""Models and prices in words: what a person needs to trace each figure on the screen to who says so."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from overnight.pricing.catalogue import Lifetime, Model
from overnight.pricing.output import Level
from overnight.pricing.prices import Mode, Price, PriceList, Surface

SURFACE_NAMES: Final = {"vertex": "Vertex AI", "developer": "Gemini Developer API"}
AHEAD_DAYS: Final = 366
"""How far ahead a change of price is worth a word."""


def rate(amount: Decimal | None) -> str:
    return "not known" if amount is None else str(amount)


def rates(price: Price) -> str:
    """`in 0.375, out 1.875, cached 0.0375`: US dollars per million tokens."""
    said = f"in {price.input_usd_per_mtok}, out {price.output_usd_per_mtok}, cached {rate(price.cached_usd_per_mtok)}"
    if price.over_200k is not None:
        long = price.over_200k
        said += (
            f"; over 200,000 prompt tokens in {long.input_usd_per_mtok}, out {long.output_usd_per_mtok},"
            f" cached {rate(long.cached_usd_per_mtok)}"
        )
    if price.location_surcharge != 1:
        said += f"; × {price.location_surcharge} outside `global`"
    return said


def days(price: Price) -> str:
    return f"{price.valid_from} to {price.valid_until}" if price.valid_until else f"from {price.valid_from}"


def traced(price: Price) -> str:
    """A price with everything that it rests on, in one sentence."""
    note = f"; {price.note}" if price.note else ""
    return (
        f"{price.model}, {price.mode} on {SURFACE_NAMES[price.surface]}, {days(price)}, US dollars per million tokens:"
        f" {rates(price)}. {_source(price.source, price.evidence, price.checked)}{note}"
    )


def traced_model(model: Model) -> str:
    """Limits, thinking and lifetime of a model, each with its source."""
    if not model.known:
        return f"{model.id}: {model.source}"
    parts = [
        f"{model.id}, limits and thinking. {_source(model.source, model.evidence, model.checked)}",
        "; ".join(f"{way.replace('_', ' ')} {offer.has} [{offer.evidence}]" for way, offer in model.surfaces.items()),
    ]
    for surface, life in (("vertex", model.vertex), ("developer", model.developer)):
        said = lifetime(life)
        if said:
            parts.append(f"{SURFACE_NAMES[surface]}: {said}. Source: {life.source} [{life.evidence}]")
    return "; ".join(part for part in parts if part)


def traced_level(level: Level) -> str:
    """What a request that nothing like it was answered before is thought to think with."""
    source = _source(level.source, level.evidence, level.checked)
    return f"{level.low:,} to {level.high:,} tokens, {level.expected:,} expected. {source}"


def lifetime(life: Lifetime) -> str:
    parts = [f"closed to new projects {life.closed}"] if life.closed else []
    parts += [f"retired from {life.retired} on"] if life.retired else []
    parts += [f"kept until {life.kept_until} at least"] if life.kept_until else []
    parts += [f"answered by {life.served_by} from {life.served_by_from}"] if life.served_by else []
    return "; ".join(parts)


def next_change(prices: PriceList, price: Price, today: date) -> str:
    """`from 2027-01-01: in 0.75, out 3.75, cached not known`; empty where none is stated for a year ahead."""
    mode: Mode = price.mode
    surface: Surface = price.surface
    coming = prices.changes(price.model, today, today + timedelta(days=AHEAD_DAYS), mode, surface)
    if not coming:
        return ""
    day, after = coming[0]
    return f"from {day}: {rates(after) if after is not None else 'no source states it'}"


def thinking_words(model: Model) -> str:
    """`low, medium, high; by default medium`."""
    if model.levels:
        takes = ", ".join(model.levels)
    elif model.budget is not None:
        takes = f"{'off, ' if model.can_be_off else ''}{model.budget[0]:,} to {model.budget[1]:,} tokens"
    else:
        takes = "not known"
    return f"{takes}; by default {model.default or 'not known'}"


def _source(source: str, evidence: str, checked: date) -> str:
    return f"Source: {source} [{evidence}], checked {checked}"
