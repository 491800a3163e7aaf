"""Models and prices as dated data; what a request can cost at most, and did cost. Nothing here reads a clock."""

from overnight.pricing.bill import cost
from overnight.pricing.catalogue import Catalogue, Model, packaged_models
from overnight.pricing.prices import Price, PriceList, Rates, packaged_prices, pays_surcharge
from overnight.pricing.tables import Tables, packaged_tables
from overnight.pricing.thinking import Thinking, thinking_config
from overnight.pricing.tokens import choose_max_output, token_bound

__all__ = [
    "Catalogue",
    "Model",
    "Price",
    "PriceList",
    "Rates",
    "Tables",
    "Thinking",
    "choose_max_output",
    "cost",
    "packaged_models",
    "packaged_prices",
    "packaged_tables",
    "pays_surcharge",
    "thinking_config",
    "token_bound",
]
