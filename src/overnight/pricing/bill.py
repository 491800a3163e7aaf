"""Tokens × price, exactly. No rounding here: that is for people only."""

from decimal import Decimal
from typing import Final

from overnight.core.usage import Usage, Usd
from overnight.pricing.prices import LONG_PROMPT_TOKENS, ONE, Price

MILLIONTH: Final = Decimal("0.000001")


def cost(usage: Usage, price: Price, *, surcharge: bool = False) -> Usd:
    """(prompt − cached) · input + cached · cached rate + (answer + thinking) · output, by the tier of the prompt.

    surcharge: the request went to another location than `global` (`pays_surcharge`). Where no source states a cached
    rate, cached tokens are billed as input, which is never too little. Raises ValueError when the usage is not known:
    ask `usage.known` first, unknown is not zero.
    """
    if usage.prompt is None:
        raise ValueError("no cost without token counts: ask usage.known first")
    long = usage.prompt > LONG_PROMPT_TOKENS
    cached = min(usage.cached or 0, usage.prompt)
    return sum_cost(price, usage.prompt, cached, usage.output, long=long, surcharge=surcharge)


def sum_cost(price: Price, prompt: int, cached: int, output: int, *, long: bool, surcharge: bool = False) -> Usd:
    """The same for tokens added up over requests of one tier. cached: part of `prompt`. long: the tier over 200k."""
    rates = price.rates(LONG_PROMPT_TOKENS + 1 if long else 0)
    cached_rate = rates.input_usd_per_mtok if rates.cached_usd_per_mtok is None else rates.cached_usd_per_mtok
    tokens = (
        Usd(rates.input_usd_per_mtok) * (prompt - cached)
        + Usd(cached_rate) * cached
        + Usd(rates.output_usd_per_mtok) * output
    )
    return tokens * MILLIONTH * _factor(price, surcharge)


def saved_by_caching(price: Price, cached: int, *, long: bool, surcharge: bool = False) -> Usd:
    """What so many cached tokens would have cost more as plain input of that tier; nothing where no source states a
    cached rate, since they were billed as input then."""
    return sum_cost(price, cached, 0, 0, long=long, surcharge=surcharge) - sum_cost(
        price, cached, cached, 0, long=long, surcharge=surcharge
    )


def _factor(price: Price, surcharge: bool) -> Decimal:
    return price.location_surcharge if surcharge else ONE
