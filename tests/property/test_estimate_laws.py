"""Laws: an estimate is in order and grows with what is sent; nothing costs nothing; no bill passes the worst case."""

from dataclasses import replace
from decimal import Context, localcontext

from hypothesis import given
from hypothesis import strategies as st

from overnight.core.usage import Usage, Usd
from overnight.pricing import Price, cost, packaged_prices
from overnight.pricing.characters import Characters
from overnight.pricing.estimate import Again, Estimate, Pair, Part, Prices, again_of, calibrated, estimate
from overnight.pricing.later import LaterStage, Together, coming_to_it, later_stage, together
from overnight.pricing.output import by_answers
from overnight.pricing.range import Range
from overnight.pricing.tokens import token_bound


@st.composite
def ranges(draw: st.DrawFn, most: int = 300_000) -> Range:
    return Range(*sorted(draw(st.tuples(*[st.integers(0, most)] * 3))))


@st.composite
def parts(draw: st.DrawFn) -> Part:
    n = draw(st.integers(1, 5_000))
    longest = draw(st.integers(200, 900_000))
    size = draw(st.integers(longest, longest * n))
    rooms = sorted(draw(st.lists(st.integers(1, 65_536), min_size=1, max_size=4)))
    return Part(n, draw(ranges(2 * size)), draw(ranges(100_000)), tuple(rooms), size, longest)


@st.composite
def prices(draw: st.DrawFn) -> Prices:
    """Of one model, in the order that the table of a study gives them."""
    row = draw(st.sampled_from(packaged_prices().rows))
    rows = sorted((row, _dearer(row, draw(st.integers(1, 3)))), key=lambda one: one.output_usd_per_mtok)
    now = draw(st.sampled_from(rows))
    return Prices(now, rows[0], rows[1], rows[1], draw(st.sampled_from([*rows, None])), draw(st.booleans()))


def _dearer(row: Price, factor: int) -> Price:
    long = row.over_200k and replace(
        row.over_200k,
        input_usd_per_mtok=row.over_200k.input_usd_per_mtok * factor,
        output_usd_per_mtok=row.over_200k.output_usd_per_mtok * factor,
    )
    return replace(
        row,
        input_usd_per_mtok=row.input_usd_per_mtok * factor,
        output_usd_per_mtok=row.output_usd_per_mtok * factor,
        over_200k=long,
    )


@st.composite
def shares(draw: st.DrawFn) -> Again:
    return Again(*sorted(draw(st.tuples(*[st.integers(0, 1000)] * 3))))


def amounts(found: Estimate) -> list[Usd]:
    return [found.low, found.expected, found.high, found.worst, found.all_attempts]


@given(st.lists(parts(), max_size=4), prices(), shares())
def test_the_amounts_are_in_order(sent: list[Part], rows: Prices, again: Again) -> None:
    found = amounts(estimate(sent, rows, again))
    assert found == sorted(found, key=lambda one: one.amount)


@given(prices(), shares())
def test_nothing_to_send_costs_nothing(rows: Prices, again: Again) -> None:
    nothing = estimate([], rows, again)
    assert amounts(nothing) == [Usd()] * 5
    assert nothing.at_once in (Usd(), None)


@given(st.lists(parts(), max_size=3), parts(), prices(), shares())
def test_more_requests_never_cost_less(sent: list[Part], more: Part, rows: Prices, again: Again) -> None:
    fewer, all_of_them = (amounts(estimate(some, rows, again)) for some in (sent, [*sent, more]))
    assert all(a <= b for a, b in zip(fewer, all_of_them, strict=True))


@given(parts(), st.integers(0, 500_000), prices(), shares())
def test_longer_texts_never_cost_less(part: Part, more: int, rows: Prices, again: Again) -> None:
    longer = replace(
        part,
        prompt=part.prompt + Range(more, more, more),
        size_bytes=part.size_bytes + more,
        longest_bytes=part.longest_bytes + more,
    )
    short, long = (amounts(estimate([one], rows, again)) for one in (part, longer))
    assert all(a <= b for a, b in zip(short, long, strict=True))


@given(parts(), st.integers(1, 65_536), prices(), shares())
def test_more_attempts_never_cost_less(part: Part, room: int, rows: Prices, again: Again) -> None:
    once_more = replace(part, rooms=(*part.rooms, room))
    few, many = (amounts(estimate([one], rows, again)) for one in (part, once_more))
    assert all(a <= b for a, b in zip(few, many, strict=True))


@given(st.data(), prices(), shares())
def test_no_bill_within_the_limits_passes_the_worst_case(data: st.DataObject, rows: Prices, again: Again) -> None:
    """Whatever is reported of each request, in any round, at any of the prices that hold meanwhile."""
    sizes = data.draw(st.lists(st.integers(100, 400_000), min_size=1, max_size=5))
    rooms = tuple(sorted(data.draw(st.lists(st.integers(1, 65_536), min_size=1, max_size=3))))
    part = Part(len(sizes), data.draw(ranges()), data.draw(ranges()), rooms, sum(sizes), max(sizes))
    found = estimate([part], rows, again)
    every = Usd()
    for number, room in enumerate(rooms):
        bill = Usd()
        for size in sizes:
            prompt = data.draw(st.integers(0, token_bound(size)))
            thinking = data.draw(st.integers(0, room))
            served = data.draw(st.sampled_from([rows.now, rows.dearest]))
            bill = bill + cost(Usage(prompt, 0, thinking, room - thinking), served, surcharge=rows.surcharge)
        assert number or bill <= found.worst
        every = every + bill
    assert every <= found.all_attempts


@given(parts(), prices(), shares())
def test_a_host_with_a_coarse_decimal_context_changes_nothing(part: Part, rows: Prices, again: Again) -> None:
    exact = amounts(estimate([part], rows, again))
    with localcontext(Context(prec=3)):
        assert amounts(estimate([part], rows, again)) == exact


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_every_character_is_counted_once_and_never_above_its_bytes(text: str, more: str) -> None:
    counted, longer = Characters([text]), Characters([text, more])
    assert counted.total == len(text)
    assert counted.tokens().high <= len(text.encode())
    assert longer == Characters([text + more])
    assert longer.tokens().expected >= counted.tokens().expected


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=60))
def test_what_answers_took_is_between_low_and_high(outputs: list[int]) -> None:
    found = by_answers(outputs)
    assert found.low <= sum(outputs) / len(outputs) <= found.high + 1
    assert by_answers(outputs[::-1]) == found


@given(ranges(), st.lists(st.builds(Pair, st.integers(1, 9_999), st.integers(1, 9_999)), max_size=40))
def test_a_calibrated_range_is_in_order_and_without_pairs_is_the_rule(rule: Range, pairs: list[Pair]) -> None:
    found = calibrated(rule, pairs)
    assert 0 <= found.low <= found.expected <= found.high
    assert calibrated(rule, []) == rule


@given(st.integers(0, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_shares_are_in_order_and_within_a_thousand(case: tuple[int, int]) -> None:
    found = again_of(*case)
    assert 0 <= found.low <= found.expected <= found.high <= 1000


def in_order(one: LaterStage | Together) -> bool:
    return one.low <= one.expected <= one.high <= one.worst <= one.all_attempts


@given(parts(), prices(), shares(), st.integers(0, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_later_stage_is_in_order_and_never_dearer_than_if_every_record_came_to_it(
    part: Part, rows: Prices, again: Again, seen: tuple[int, int]
) -> None:
    whole = estimate([part], rows, again)
    some = later_stage("adjudicate", 1, part.n_requests, part, rows, again, coming_to_it(*seen, sure=False))
    every = later_stage("adjudicate", 1, part.n_requests, part, rows, again, coming_to_it(*seen, sure=True))
    assert in_order(some)
    assert in_order(every)
    assert (every.low, every.expected, every.high) == (whole.low, whole.expected, whole.high)
    assert some.high <= every.high
    assert (some.worst, some.all_attempts) == (every.worst, every.all_attempts) == (whole.worst, whole.all_attempts)
    assert 0 <= some.requests.low <= some.requests.high <= some.at_worst == part.n_requests


@given(st.lists(parts(), min_size=1, max_size=3), prices(), shares(), st.integers(0, 1000))
def test_now_and_later_together_are_in_order_and_each_stage_adds_its_own(
    several: list[Part], rows: Prices, again: Again, of_thousand: int
) -> None:
    now, *after = several
    share = Again(of_thousand // 2, of_thousand, 1000)
    later = [later_stage("qa", 1, part.n_requests, part, rows, again, share) for part in after]
    found, first = together(estimate([now], rows, again), later), estimate([now], rows, again)
    assert in_order(found)
    for name in ("low", "expected", "high", "worst", "all_attempts"):
        assert getattr(found, name) == sum((getattr(one, name) for one in later), getattr(first, name))
