"""What may follow on what is sent now, in words and for machines."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from overnight.cli.words import counted
from overnight.core.usage import Usd
from overnight.pricing.estimate import Again
from overnight.pricing.later import EVERY, LaterStage, Together
from overnight.study.screen_recipes import ADJUDICATE, SCREEN

_WORDS: Final = {ADJUDICATE: ("to adjudicate", "contested"), SCREEN: ("to ask further samples of", "contested")}


def later_lines(later: tuple[LaterStage, ...], together: Together) -> Iterator[str]:
    for one in later:
        to_do, why = _WORDS.get(one.stage, (f"to ask in {one.stage}", "coming to it"))
        records = round(one.records * one.share.expected / 1000)
        yield (
            f"  Later: about {records:,} of {counted(one.records, 'record')} {to_do}:"
            f" {one.expected} ({one.low} to {one.high});"
        )
        yield f"    {_share(one.share, why)}."
    if later:
        between = f"{together.low} to {together.high}"
        yield f"  Together: {together.expected} ({between}), at worst {together.worst}, each sent once."


def _share(share: Again, why: str) -> str:
    if share == EVERY:
        return "all of them, as the study says"
    by = f"as of {share.n:,} so far" if share.n else "a guess: too few answers yet"
    return f"{share.expected / 10:g} % {why}, {by}"


def later_json(later: tuple[LaterStage, ...], together: Together) -> dict[str, Any]:
    """later: in none of the amounts of `cost_usd`; together_usd: with them. Amounts as exact texts."""
    return {
        "later": [_stage_json(one) for one in later],
        "together_usd": {
            **_amounts(together),
            "worst_of_all_attempts": together.all_attempts.exact(),
        },
    }


def _stage_json(one: LaterStage) -> Mapping[str, Any]:
    share, requests = one.share, one.requests
    return {
        "stage": one.stage,
        "from_sample": one.sample,
        "records": one.records,
        "share_per_thousand": {
            "low": share.low,
            "expected": share.expected,
            "high": share.high,
            "of_records": share.n,
        },
        "requests": {
            "low": requests.low,
            "expected": requests.expected,
            "high": requests.high,
            "at_worst": one.at_worst,
        },
        "cost_usd": _amounts(one),
    }


def _amounts(of: LaterStage | Together) -> dict[str, str]:
    found: dict[str, Usd] = {"low": of.low, "expected": of.expected, "high": of.high, "worst": of.worst}
    return {name: amount.exact() for name, amount in found.items()}
