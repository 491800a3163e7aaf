"""Tokens × price, exactly. No rounding here: that is for people only."""

from decimal import Decimal
from typing import Final

from overnight.core.usage import Usage, Usd
from overnight.pricing.prices import ONE, Price

MILLIONTH: Final = Decimal("0.000001")


def cost(usage: Usage, price: Price, *, surcharge: bool = False) -> Usd:
    """(prompt − cached) · input + cached · cached rate + (answer + thinking) · output, by the tier of the prompt.

    surcharge: the request went to another location than `global` (`pays_surcharge`). Where no source states a cached
    rate, cached tokens are billed as input, which is never too little. Raises ValueError when the usage is not known:
    ask `usage.known` first, unknown is not zero.
    """
    if usage.prompt is None:
        raise ValueError("no cost without token counts: ask usage.known first")
    rates = price.rates(usage.prompt)
    cached = min(usage.cached or 0, usage.prompt)
    cached_rate = rates.input_usd_per_mtok if rates.cached_usd_per_mtok is None else rates.cached_usd_per_mtok
    tokens = (
        (usage.prompt - cached) * rates.input_usd_per_mtok
        + cached * cached_rate
        + usage.output * rates.output_usd_per_mtok
    )
    return Usd(tokens * MILLIONTH * _factor(price, surcharge))


def worst_case(input_tokens_bound: int, max_output_tokens: int, n: int, price: Price, surcharge: bool = False) -> Usd:
    """The most that `n` requests can cost, each with at most so many tokens in and out (thinking is inside the latter).

    No cost of a request within these limits passes it: tests/property/test_pricing_laws.py.
    """
    usage = Usage(prompt=input_tokens_bound, answer=max_output_tokens)
    return cost(usage, price, surcharge=surcharge) * n


def _factor(price: Price, surcharge: bool) -> Decimal:
    return price.location_surcharge if surcharge else ONE
