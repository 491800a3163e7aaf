"""What stages will cost that depend on answers: how many records come to them is not known before, only usual."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from overnight.core.usage import Usd
from overnight.pricing.estimate import Again, Estimate, Part, Prices, estimate, share_of
from overnight.pricing.range import Range

USUAL_CONTESTED: Final = Again(100, 200, 400)
"""Of a thousand records, how many come to a stage for what samples leave contested, where a study has not shown it.
No source states a rate: 10 to 25 % is an estimate for screening, and the rest is ours."""
EVERY: Final = Again(1000, 1000, 1000)


@dataclass(frozen=True, slots=True)
class LaterStage:
    """Requests that may follow, from `sample` of `stage` on.

    records: that may come to it. share: of a thousand of them; its n: records it was taken from, 0: a guess. requests:
    likely ones; at_worst: where every record comes to it. low to high include what is sent again; worst: of one round
    with every record; all_attempts: of every round that may follow, added up.
    """

    stage: str
    sample: int
    records: int
    share: Again
    requests: Range
    at_worst: int
    low: Usd
    expected: Usd
    high: Usd
    worst: Usd
    all_attempts: Usd


@dataclass(frozen=True, slots=True)
class Together:
    """What is sent now and what may follow on it."""

    low: Usd
    expected: Usd
    high: Usd
    worst: Usd
    all_attempts: Usd


def coming_to_it(wanted: int, decided: int, *, sure: bool) -> Again:
    """wanted: of `decided` records of the study those that came to the stage. sure: every one does."""
    return EVERY if sure else share_of(wanted, decided, USUAL_CONTESTED)


def later_stage(
    stage: str, sample: int, records: int, part: Part, prices: Prices, again: Again, share: Again
) -> LaterStage:
    """part: of the requests of all the records. Amounts are in order, as an estimate's are."""
    whole = estimate([part], prices, again)
    n = part.n_requests
    likely = (round(n * one / 1000) for one in (share.low, share.expected, share.high))
    return LaterStage(
        stage,
        sample,
        records,
        share,
        Range(*likely),
        n,
        _part_of(whole.low, share.low),
        _part_of(whole.expected, share.expected),
        _part_of(whole.high, share.high),
        whole.worst,
        whole.all_attempts,
    )


def together(now: Estimate, later: Iterable[LaterStage]) -> Together:
    found = Together(now.low, now.expected, now.high, now.worst, now.all_attempts)
    for one in later:
        found = Together(
            found.low + one.low,
            found.expected + one.expected,
            found.high + one.high,
            found.worst + one.worst,
            found.all_attempts + one.all_attempts,
        )
    return found


def _part_of(amount: Usd, share: int) -> Usd:
    return amount * share * Decimal((0, (1,), -3))  # exact in any decimal context
