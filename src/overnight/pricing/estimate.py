"""Before anything is sent: what it will cost at least, likely, at most, and in the worst case."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import Final

from overnight.core.usage import Usd
from overnight.pricing.bill import sum_cost
from overnight.pricing.output import ENOUGH
from overnight.pricing.prices import LONG_PROMPT_TOKENS, Price
from overnight.pricing.range import NOTHING, Range
from overnight.pricing.tokens import token_bound

FRAME: Final = Range(0, 8, 64)
"""Tokens of a request that nobody wrote: turn marks and the like. high: as `tokens.FRAME_TOKENS`. Ours."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Upper bound for lines of one shape: every byte a token, every answer at its limit, the dearest price ahead."""

    price: Price
    surcharge: bool
    max_output_tokens: int

    def of(self, n_requests: int, size_bytes: int, longest_bytes: int) -> Usd:
        """size_bytes: of all lines together; longest_bytes: of the longest, which decides the price tier."""
        tokens_in = token_bound(size_bytes) + token_bound(0) * (n_requests - 1)
        tokens_out = n_requests * self.max_output_tokens
        long = token_bound(longest_bytes) > LONG_PROMPT_TOKENS
        return sum_cost(self.price, tokens_in, 0, tokens_out, long=long, surcharge=self.surcharge)


@dataclass(frozen=True, slots=True)
class Again:
    """Of a thousand requests, how many end in a problem and are sent again; or of records, how many come to a later
    stage (pricing/later.py). n: attempts, or records, it was taken from, 0: none."""

    low: int
    expected: int
    high: int
    n: int = 0


USUAL_AGAIN: Final = Again(0, 20, 100)
"""Where a study has no problems of its own to go by. No source states a rate (facts 9.4, [?]): ours."""


def again_of(failed: int, ended: int) -> Again:
    """failed: attempts of the study so far whose problem is sent again, of `ended` attempts."""
    return share_of(failed, ended, USUAL_AGAIN)


def share_of(found: int, n: int, usual: Again) -> Again:
    """What was found of n, with twice its error to both sides; of too few, what is usual."""
    if n < ENOUGH:
        return usual
    share = found / n
    error = 2 * sqrt(share * (1 - share) / n) + 1 / n
    low, high = max(0.0, share - error), min(1.0, share + error)
    return Again(round(low * 1000), round(share * 1000), round(high * 1000), n)


@dataclass(frozen=True, slots=True)
class Part:
    """Requests of one shape.

    prompt: input tokens of all of them. output: tokens of one answer, thinking included. rooms: `maxOutputTokens` of
    this attempt, then of each that may follow it. size_bytes, longest_bytes: of their lines.
    """

    n_requests: int
    prompt: Range
    output: Range
    rooms: tuple[int, ...]
    size_bytes: int
    longest_bytes: int

    def within_bounds(self) -> "Part":
        """An estimate never claims what the worst case rules out."""
        most = token_bound(self.size_bytes) + token_bound(0) * (self.n_requests - 1)
        prompt, output = self.prompt.at_most(most), self.output.at_most(self.rooms[0])
        return Part(self.n_requests, prompt, output, self.rooms, self.size_bytes, self.longest_bytes)


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one model in a job. cheapest, dearest: while a round may take; last: the dearest until the last round's end.

    standard: for one request answered at once; None where no source states it.
    """

    now: Price
    cheapest: Price
    dearest: Price
    last: Price
    standard: Price | None
    surcharge: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """low, expected, high include what is sent again; worst: of one round, what is reserved for it and consented to.

    all_attempts: the worst case of every round that may follow, added up: no bill of these requests can pass it.
    at_once: `expected`, had they been sent outside a job. prompt, output: tokens of all requests, sent once.
    """

    n_requests: int
    low: Usd
    expected: Usd
    high: Usd
    worst: Usd
    all_attempts: Usd
    at_once: Usd | None
    prompt: Range
    output: Range
    again: Again


def estimate(parts: Sequence[Part], prices: Prices, again: Again) -> Estimate:
    """Nothing to send costs nothing. Amounts are in order: low ≤ expected ≤ high ≤ worst ≤ all_attempts."""
    bounded = [part.within_bounds() for part in parts if part.n_requests]
    worst, every = Usd(), Usd()
    low, expected, high, at_once = Usd(), Usd(), Usd(), Usd()
    for part in bounded:
        attempts = len(part.rooms)
        low = low + _times(again.low, attempts, _cost(part, prices.cheapest, "low", prices))
        expected = expected + _times(again.expected, attempts, _cost(part, prices.now, "expected", prices))
        high = high + _times(again.high, attempts, _cost(part, prices.dearest, "high", prices))
        if prices.standard is not None:
            at_once = at_once + _times(again.expected, attempts, _cost(part, prices.standard, "expected", prices))
        first, *later = (
            WorstCase(price, prices.surcharge, room).of(part.n_requests, part.size_bytes, part.longest_bytes)
            for price, room in [(prices.dearest, part.rooms[0]), *((prices.last, room) for room in part.rooms[1:])]
        )
        worst, every = worst + first, every + sum(later, first)
    high = min(high, worst)
    expected = min(expected, high)
    return Estimate(
        n_requests=sum(part.n_requests for part in bounded),
        low=min(low, expected),
        expected=expected,
        high=high,
        worst=worst,
        all_attempts=every,
        at_once=None if prices.standard is None else at_once,
        prompt=sum((part.prompt for part in bounded), NOTHING),
        output=sum((part.output.times(part.n_requests) for part in bounded), NOTHING),
        again=again,
    )


def _cost(part: Part, price: Price, which: str, prices: Prices) -> Usd:
    """which: low, expected or high. No cached input is reckoned with: whether it strikes is not known before."""
    prompt, output = int(getattr(part.prompt, which)), int(getattr(part.output, which)) * part.n_requests
    long = prompt > LONG_PROMPT_TOKENS * part.n_requests
    if which == "high":
        long = token_bound(part.longest_bytes) > LONG_PROMPT_TOKENS
    return sum_cost(price, prompt, 0, output, long=long, surcharge=prices.surcharge)


def _times(again: int, attempts: int, once: Usd) -> Usd:
    """What a request costs that is sent again for each problem, as often as attempts allow. again: of a thousand."""
    sendings: int = sum(again**n * 1000 ** (attempts - 1 - n) for n in range(attempts))
    return once * sendings * Decimal((0, (1,), -3 * (attempts - 1)))  # exact in any decimal context


@dataclass(frozen=True, slots=True)
class Pair:
    """Input tokens of one request: as the service counted them, and as the rule has it."""

    counted: int
    by_rule: int


def calibrated(rule: Range, pairs: Sequence[Pair]) -> Range:
    """The rule's tokens, corrected by what was counted of requests of the same recipe: mean, and twice its error.

    Never surer than 2 %, nor than 10 % of fewer than twenty. Without pairs the rule stands as it is.
    """
    by_rule, counted = sum(pair.by_rule for pair in pairs), sum(pair.counted for pair in pairs)
    if not by_rule or not counted:
        return rule
    n, ratio = len(pairs), counted / by_rule
    off = sqrt(sum((pair.counted - ratio * pair.by_rule) ** 2 for pair in pairs) / max(1, n - 1) * n)
    error = max((0.02 if n >= ENOUGH else 0.1) * ratio, 2 * off / by_rule)
    mid = round(rule.expected * ratio)
    low, high = round(rule.expected * max(0.0, ratio - error)), round(rule.expected * (ratio + error))
    return Range(min(low, mid), mid, max(mid, high))


def factor_words(before: Usd, after: Usd) -> str:
    """What a change of price makes of the same bill: `twice as much`, `half as much`, `1.3 times as much`."""
    if not before or before == after:
        return "as much"
    factor = (after.amount / before.amount).quantize(Decimal("0.1"))
    named = {Decimal("2.0"): "twice", Decimal("0.5"): "half", Decimal("3.0"): "three times"}
    return f"{named.get(factor, f'{factor} times')} as much"
