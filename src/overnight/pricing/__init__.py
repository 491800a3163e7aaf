"""Models and prices as dated data; what a request can cost at most, and did cost. Nothing here reads a clock."""

from overnight.pricing.bill import cost
from overnight.pricing.catalogue import Model, cautions, find_model, models
from overnight.pricing.prices import Price, Rates, dearest_price, pays_surcharge, price, prices
from overnight.pricing.thinking import Thinking, thinking_config
from overnight.pricing.tokens import choose_max_output, token_bound, token_estimate

__all__ = [
    "Model",
    "Price",
    "Rates",
    "Thinking",
    "cautions",
    "choose_max_output",
    "cost",
    "dearest_price",
    "find_model",
    "models",
    "pays_surcharge",
    "price",
    "prices",
    "thinking_config",
    "token_bound",
    "token_estimate",
]
