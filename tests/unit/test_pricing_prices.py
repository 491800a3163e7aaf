"""Prices by day, and sums worked out by hand from the published figures."""

from datetime import date
from decimal import Decimal

import pytest

from overnight.core.usage import NO_USAGE, Usage, Usd
from overnight.pricing import cost, packaged_models, packaged_prices, pays_surcharge, token_bound
from overnight.pricing.characters import Characters
from overnight.pricing.estimate import WorstCase
from overnight.pricing.prices import MODES, SURFACES, Mode, Price, read_prices
from overnight.pricing.tokens import FRAME_TOKENS, choose_max_output

TODAY = date(2026, 11, 22)
MODELS = packaged_models().models
PRICES = packaged_prices()


def known(model: str, day: date = TODAY, mode: Mode = "batch") -> Price:
    found = PRICES.price(model, day, mode)
    assert found is not None
    return found


def test_every_row_has_a_model_a_source_and_a_mark() -> None:
    for row in PRICES:
        assert row.model in MODELS
        assert row.mode in MODES
        assert row.surface in SURFACES
        assert row.source
        assert row.evidence == "T"
        assert row.checked <= TODAY


@pytest.mark.parametrize(
    ("model", "day", "amounts"),
    [
        ("gemini-4-argon", date(2026, 11, 30), ("1.00", "5.00", "0.05")),
        ("gemini-4-argon", date(2026, 12, 1), ("2.00", "10.00", "0.10")),
        ("gemini-3.8-flash", date(2026, 12, 31), ("0.375", "1.875", "0.0375")),
        ("gemini-3.8-flash", date(2027, 1, 1), ("0.75", "3.75", None)),
        ("gemini-3.5-flash-lite", TODAY, ("0.15", "1.25", "0.015")),
        ("gemini-3.1-pro-preview", TODAY, ("1.00", "6.00", "0.20")),
    ],
)
def test_the_price_of_a_day(model: str, day: date, amounts: tuple[str, str, str | None]) -> None:
    row = known(model, day)
    cached = None if amounts[2] is None else Decimal(amounts[2])
    assert (row.input_usd_per_mtok, row.output_usd_per_mtok) == (Decimal(amounts[0]), Decimal(amounts[1]))
    assert row.cached_usd_per_mtok == cached


def test_unknown_is_none() -> None:
    assert PRICES.price("gemini-4-carbon", TODAY) is None  # "half, not verified" is no price
    assert PRICES.price("gemini-4-hydrogen", TODAY) is None
    assert PRICES.price("gemini-4-carbon", TODAY, "standard") is not None
    assert PRICES.price("gemini-3.8-flash", date(2026, 1, 1)) is None  # no source shows that day
    assert PRICES.price("gemini-9", TODAY) is None


@pytest.mark.parametrize(
    "served",
    [
        "gemini-3.8-flash@local-stand-in",
        "gemini-3.8-flash@default",
        "gemini-3.8-flash-001",
        "publishers/google/models/gemini-3.8-flash",
    ],
)
def test_a_served_name_has_the_price_of_its_id(served: str) -> None:
    assert PRICES.price(served, TODAY) == known("gemini-3.8-flash")


def test_a_preview_is_another_model() -> None:
    assert PRICES.priced_id("gemini-3.1-pro-preview@default") == "gemini-3.1-pro-preview"
    assert PRICES.price("gemini-3.8-flash-preview", TODAY) is None


def test_the_dearest_price_looks_96_hours_ahead() -> None:
    old, new = known("gemini-4-argon", date(2026, 11, 30)), known("gemini-4-argon", date(2026, 12, 1))
    assert PRICES.dearest("gemini-4-argon", date(2026, 11, 26)) == old  # ends on the 30th at the latest
    assert PRICES.dearest("gemini-4-argon", date(2026, 11, 27)) == new
    assert PRICES.dearest("gemini-4-argon", date(2026, 11, 26), hours=97) == new
    assert PRICES.dearest("gemini-3.8-flash", date(2026, 10, 6)) is None  # the first day has no price
    assert PRICES.dearest("gemini-4-carbon", TODAY) is None


@pytest.mark.parametrize(
    ("model", "day", "usd"),
    [
        # 1,100 abstracts of 600 tokens in and 1,200 out, the example of facts 8
        ("gemini-3.8-flash", TODAY, "2.7225"),
        ("gemini-3.8-flash", date(2027, 1, 1), "5.445"),
        ("gemini-4-argon", TODAY, "7.26"),
        ("gemini-4-argon", date(2026, 12, 1), "14.52"),
        ("gemini-3.1-pro-preview", TODAY, "8.58"),
        ("gemini-3.5-flash-lite", TODAY, "1.749"),
    ],
)
def test_the_published_example_comes_out(model: str, day: date, usd: str) -> None:
    one = cost(Usage(prompt=600, cached=0, thinking=1_000, answer=200), known(model, day))
    assert one * 1_100 == Usd(usd)
    assert WorstCase(known(model, day), False, 1_200).of(
        1_100, 1_100 * (600 - FRAME_TOKENS), 600 - FRAME_TOKENS
    ) == Usd(usd)


def test_cached_tokens_and_thinking_by_hand() -> None:
    usage = Usage(prompt=10_000, cached=8_000, thinking=3_000, answer=500)
    # 2,000 × 0.375 + 8,000 × 0.0375 + 3,500 × 1.875 = 750 + 300 + 6,562.5 millionths
    assert cost(usage, known("gemini-3.8-flash")) == Usd("0.0076125")
    # no cached rate is known from 2027: billed as input, 10,000 × 0.75 + 3,500 × 3.75
    assert cost(usage, known("gemini-3.8-flash", date(2027, 1, 1))) == Usd("0.020625")


def test_a_long_prompt_is_billed_at_the_higher_tier_all_of_it() -> None:
    pro = known("gemini-3.1-pro-preview")
    assert cost(Usage(prompt=200_000, answer=1_000), pro) == Usd("0.206")
    assert cost(Usage(prompt=200_001, answer=1_000), pro) == Usd("0.409002")


def test_the_surcharge_is_for_other_locations_than_global() -> None:
    argon = known("gemini-4-argon")
    usage = Usage(prompt=1_000, answer=1_000)
    assert cost(usage, argon, surcharge=pays_surcharge("global")) == Usd("0.006")
    assert cost(usage, argon, surcharge=pays_surcharge("eu")) == Usd("0.0066")


def test_no_token_counts_no_cost() -> None:
    with pytest.raises(ValueError, match=r"usage\.known"):
        cost(NO_USAGE, known("gemini-3.8-flash"))
    assert cost(Usage(prompt=1_000_000), known("gemini-3.8-flash")) == Usd(
        "0.375"
    )  # a blocked prompt: nothing came out


ROW = """
[[price]]
model = "gemini-3.8-flash"
mode = "batch"
input = "1.0"
output = "2.0"
valid_from = 2026-01-01
evidence = "T"
source = "s"
checked = 2026-01-01
"""


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        (ROW + ROW, "two batch prices"),
        (ROW.replace('"1.0"', '"0"'), "above zero"),
        (ROW + 'cached = "1.5"', "cached input is dearer"),
        (ROW + 'over_200k = { input = "0.5", output = "2.0" }', "cheaper than short"),
        (ROW + 'location_surcharge = "0.9"', "below 1"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused(toml: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_prices(toml)


def test_amounts_are_written_in_quotes() -> None:
    with pytest.raises(TypeError, match="in quotes"):
        read_prices(ROW.replace('"1.0"', "1.0"))


def test_room_for_an_answer_grows_with_thinking_and_attempts() -> None:
    flash = MODELS["gemini-3.8-flash"]
    rooms = [choose_max_output(flash, level, 400, 1) for level in ("off", "minimal", "low", "medium", "high")]
    assert rooms == sorted(set(rooms))
    assert choose_max_output(flash, "low", 400, 2) == 2 * choose_max_output(flash, "low", 400, 1)
    assert choose_max_output(flash, "high", 400, 9) == flash.max_output_tokens
    assert choose_max_output(MODELS["gemini-2.5-pro"], "8192", 0, 1) == 8_192 + 2_048
    with pytest.raises(ValueError, match="no thinking level"):
        choose_max_output(flash, "hard", 400, 1)


def test_the_estimate_is_far_below_the_bound() -> None:
    abstract = "Nurses on night shifts took a planned nap of thirty minutes. " * 25
    assert Characters([abstract]).tokens().high < token_bound(len(abstract.encode())) / 3
