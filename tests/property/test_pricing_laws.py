"""Law: whatever tokens are reported within the limits of a request, its cost never passes the worst case reserved."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from overnight.core.usage import Usage, Usd
from overnight.pricing import Price, cost, packaged_prices
from overnight.pricing.estimate import WorstCase
from overnight.pricing.tokens import FRAME_TOKENS

TOKENS = st.integers(0, 1_048_576)
PRICES = packaged_prices()


@st.composite
def usages(draw: st.DrawFn) -> tuple[Usage, int, int]:
    """A usage, and limits that it keeps."""
    prompt, thinking, answer = draw(TOKENS), draw(TOKENS), draw(TOKENS)
    usage = Usage(prompt, draw(st.integers(0, prompt) | st.none()), thinking, answer)
    return usage, prompt + draw(TOKENS), thinking + answer + draw(TOKENS)


def worst(bound: int, most_out: int, row: Price, surcharge: bool = False) -> Usd:
    """What a run reserves for one line of so many tokens at most."""
    size_bytes = bound - FRAME_TOKENS
    return WorstCase(row, surcharge, most_out).of(1, size_bytes, size_bytes)


@given(st.lists(usages(), min_size=1, max_size=20), st.sampled_from(PRICES.rows), st.booleans())
def test_no_bill_of_a_job_passes_what_was_reserved_for_its_lines(
    cases: list[tuple[Usage, int, int]], row: Price, surcharge: bool
) -> None:
    sizes = [bound for _, bound, _ in cases]  # a line of so many bytes holds at most so many tokens of text
    most_out = max(most for _, _, most in cases)
    reserved = WorstCase(row, surcharge, most_out).of(len(cases), sum(sizes), max(sizes))
    assert sum((cost(usage, row, surcharge=surcharge) for usage, _, _ in cases), Usd()) <= reserved


@given(usages(), st.sampled_from(PRICES.rows), st.booleans())
def test_no_cost_passes_the_worst_case(case: tuple[Usage, int, int], row: Price, surcharge: bool) -> None:
    usage, bound, most_out = case
    assert cost(usage, row, surcharge=surcharge) <= worst(bound, most_out, row, surcharge)


@given(usages(), st.sampled_from(PRICES.rows), st.integers(0, 50), st.integers(0, 4))
def test_nor_does_it_when_the_price_changes_within_96_hours(
    case: tuple[Usage, int, int], row: Price, ahead: int, late: int
) -> None:
    usage, bound, most_out = case
    start = row.valid_from + timedelta(days=ahead)
    reserved, billed = (
        PRICES.dearest(row.model, start, mode=row.mode, surface=row.surface),
        PRICES.price(row.model, start + timedelta(late), row.mode, row.surface),
    )
    assert reserved is not None
    assert billed is not None
    assert cost(usage, billed) <= worst(bound, most_out, reserved)


@given(st.lists(usages(), max_size=20), st.sampled_from(PRICES.rows))
def test_the_bill_of_many_is_the_bill_of_their_tokens(cases: list[tuple[Usage, int, int]], row: Price) -> None:
    """Exact: adding costs and pricing added tokens give the same to the last digit, in any order (one tier)."""
    flat = replace(row, over_200k=None)
    whole = Usage(
        prompt=sum(usage.prompt or 0 for usage, _, _ in cases),
        cached=sum(usage.cached or 0 for usage, _, _ in cases),
        answer=sum(usage.output for usage, _, _ in cases),
    )
    assert sum((cost(usage, flat) for usage, _, _ in reversed(cases)), Usd()) == cost(whole, flat)
