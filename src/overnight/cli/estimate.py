"""An estimate in words: four amounts, what each assumes, what it rests on, how long it may take."""

from collections.abc import Iterator
from typing import Any

from overnight.cli.later import later_json, later_lines
from overnight.cli.words import counted, duration
from overnight.core.realm import GOOGLE
from overnight.pricing.estimate import Again, Estimate, factor_words
from overnight.pricing.output import ENOUGH, levels
from overnight.pricing.prices import Price
from overnight.pricing.range import Range
from overnight.run.estimate import Estimated, PriceChange, Times, times_of
from overnight.run.money import ROUND_HOURS
from overnight.run.plan import Planned
from overnight.run.world import World


def cost_lines(found: Estimated, world: World) -> Iterator[str]:
    mark = "" if world.realm == GOOGLE else ", if Google served it"
    amounts, price = found.amounts, found.price
    yield f"Cost{mark}:"
    named = {"low": amounts.low, "expected": amounts.expected, "high": amounts.high, "worst case": amounts.worst}
    width = max(len(str(amount)) for amount in named.values())
    for name, assumption in zip(named, _assumptions(found), strict=True):
        yield f"  {name:<10}  {named[name]!s:>{width}}  {assumption}"
    yield f"  Input: {_input(found)}."
    yield f"  Output: {_output(found)}."
    if amounts.at_once is not None:
        yield f"  At once instead of in a job, the expected would cost {amounts.at_once}."
    yield (
        f"  Price: ${price.input_usd_per_mtok} in and ${price.output_usd_per_mtok} out a million tokens"
        f"{_surcharge(price, world)}, since {price.valid_from}, checked {price.checked}."
    )
    for change in found.changes:
        yield f"  From {change.day} {_change(change)}."
    yield from later_lines(found.later, found.together)
    if found.rounds > 1:
        what = "of it, with what follows" if found.later else "together"
        every = found.together.all_attempts
        yield f"  Worst case of all {found.rounds} rounds {what}, each attempt at its limit: {every}."


def _surcharge(price: Price, world: World) -> str:
    return (
        f", × {price.location_surcharge} in {world.location}"
        if world.surcharge and price.location_surcharge != 1
        else ""
    )


def _change(change: PriceChange) -> str:
    if change.after is None:
        return "no source states the price: what is served from then on cannot be priced"
    return f"this costs {factor_words(change.before, change.after)}: {change.after} in place of {change.before}"


def _assumptions(found: Estimated) -> Iterator[str]:
    amounts = found.amounts
    shares = (amounts.again.low, amounts.again.expected, amounts.again.high)
    tokens = zip(_three(amounts.prompt), _three(amounts.output), shares, strict=True)
    for tokens_in, tokens_out, share in tokens:
        n = max(1, amounts.n_requests)
        again = f"{share / 10:g} % sent again" if share else "none sent again"
        yield f"{round(tokens_in / n):,} tokens in, {round(tokens_out / n):,} out a request; {again}"
    yield "each byte a token, each answer at its limit, the dearest price ahead"


def _three(tokens: Range) -> tuple[int, int, int]:
    return tokens.low, tokens.expected, tokens.high


def _input(found: Estimated) -> str:
    if found.n_counted and found.asked_to_count:
        return f"as the service counts {counted(found.n_counted, 'of these requests', 'of these requests')}"
    if found.n_counted:
        return f"as in {counted(found.n_counted, 'earlier answer')} of this stage"
    return "by the kind of characters, not counted (--count-tokens asks the service, free of charge)"


def _output(found: Estimated) -> str:
    if 0 < found.n_answers < ENOUGH:
        return f"as in {counted(found.n_answers, 'earlier answer')}: too few to tell more than the order of size"
    if found.n_answers:
        return f"as in {counted(found.n_answers, 'earlier answer')}: low their median, high their 95th percentile"
    ours = levels().get(found.level)
    guess = "a guess" if ours is None or ours.evidence == "?" else "as documented"
    return f"{guess} for thinking {found.level}, and by the answer fields; answers will tell better"


def time_lines(world: World, planned: Planned) -> Iterator[str]:
    return times_lines(world.realm, times_of(world, planned.plan))


def times_lines(realm: str, times: Times) -> Iterator[str]:
    if realm != GOOGLE:
        yield "Time: seconds, on this machine."
        return
    by = f"as {counted(times.n_jobs, 'earlier job')}" if times.n_jobs else "Google's aim, no promise"
    hours = times.usually_s / 3600
    long = f"{hours:.0f} hours" if hours >= 10 else duration(times.usually_s)
    yield f"Time: usually {counted(times.rounds_usually, 'round')}, within {long} ({by});"
    yield (
        f"  at worst {counted(times.rounds_at_worst, 'round')} of {ROUND_HOURS} hours"
        " (72 in Google's queue, 24 of running)."
    )


def estimate_json(found: Estimated | None) -> dict[str, Any]:
    """Amounts as exact texts."""
    if found is None:
        nothing = dict.fromkeys(("low", "expected", "high", "worst"))
        return {"cost_usd": nothing, "later": [], "together_usd": None, "price": None, "estimate": None}
    amounts, price = found.amounts, found.price
    return {
        "cost_usd": {name: getattr(amounts, name).exact() for name in ("low", "expected", "high", "worst")},
        **later_json(found.later, found.together),
        "price": {
            "model": price.model,
            "valid_from": price.valid_from.isoformat(),
            "source": price.source,
            "checked": price.checked.isoformat(),
        },
        "estimate": {
            **_tokens_json(amounts),
            "requests_counted": found.n_counted,
            "answers_looked_at": found.n_answers,
            "thinking": found.level,
            "sent_again_per_thousand": _shares_json(amounts.again),
            "worst_of_all_attempts_usd": amounts.all_attempts.exact(),
            "at_once_usd": None if amounts.at_once is None else amounts.at_once.exact(),
            "price_changes": [
                {"from": change.day.isoformat(), "expected_usd": None if change.after is None else change.after.exact()}
                for change in found.changes
            ],
        },
    }


def _tokens_json(amounts: Estimate) -> dict[str, Any]:
    return {
        name: {"low": tokens.low, "expected": tokens.expected, "high": tokens.high}
        for name, tokens in (("prompt_tokens", amounts.prompt), ("output_tokens", amounts.output))
    }


def _shares_json(again: Again) -> dict[str, Any]:
    """Of a thousand requests."""
    return {"low": again.low, "expected": again.expected, "high": again.high, "attempts": again.n}


def times_json(times: Times) -> dict[str, Any]:
    return {
        "rounds": {"usually": times.rounds_usually, "at_worst": times.rounds_at_worst},
        "usually_s": round(times.usually_s),
        "at_worst_s": round(times.at_worst_s),
    }
