"""What is known of models and prices, as one value: the packaged tables, with a study's own file on top."""

import functools
from dataclasses import dataclass

from overnight.pricing.catalogue import Catalogue, packaged_models
from overnight.pricing.prices import PriceList, packaged_prices


@dataclass(frozen=True)
class Tables:
    models: Catalogue
    prices: PriceList


@functools.cache
def packaged_tables() -> Tables:
    """What this version knows."""
    return Tables(packaged_models(), packaged_prices())
