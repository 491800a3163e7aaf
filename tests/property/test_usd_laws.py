"""Laws: money adds up exactly, in any order, and what files hold reads back as the same amount."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from overnight.core.usage import Usd

AMOUNTS = st.decimals("-1e12", "1e12", allow_nan=False, places=12).map(Usd)
TOKENS = st.integers(0, 10**12)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_sums_are_exact_in_any_order(a: Usd, b: Usd, c: Usd) -> None:
    assert (a + b) + c == a + (b + c) == c + b + a
    assert a + b - b == a
    assert a - a == Usd()


@given(st.lists(AMOUNTS, max_size=50))
def test_a_sum_is_what_whole_numbers_of_the_smallest_part_say(amounts: list[Usd]) -> None:
    parts = sum(int(amount.amount.scaleb(12)) for amount in amounts)
    assert sum(amounts, Usd()) == Usd(Decimal(parts).scaleb(-12))


@given(AMOUNTS, TOKENS, TOKENS)
def test_so_much_for_each_adds_up(price: Usd, some: int, more: int) -> None:
    assert price * some + price * more == price * (some + more)


@given(AMOUNTS)
def test_what_files_hold_reads_back(amount: Usd) -> None:
    text = amount.exact()
    assert Usd(text) == amount
    assert "E" not in text.upper()
    assert not text.startswith("-0") or amount < Usd()
    assert Usd(text).exact() == text


@given(AMOUNTS)
def test_what_people_see_is_right_to_the_cent_or_to_two_figures(amount: Usd) -> None:
    shown = str(amount)
    if shown.startswith("<"):
        assert Decimal(0) < abs(amount.amount) < Decimal("0.000001")
        return
    seen = Decimal(shown.replace("$", "").replace(",", ""))
    within = Decimal("0.005") if abs(amount.amount) >= Decimal("0.01") else abs(amount.amount) / 10
    assert abs(seen - amount.amount) <= within
    assert (seen < 0) == (amount < Usd())


@given(AMOUNTS, AMOUNTS)
def test_order_is_that_of_the_amounts(a: Usd, b: Usd) -> None:
    assert (a < b, a <= b, a > b, a >= b, a == b) == (
        *(a.amount < b.amount, a.amount <= b.amount, a.amount > b.amount, a.amount >= b.amount, a.amount == b.amount),
    )
    assert a != b or hash(a) == hash(b)
