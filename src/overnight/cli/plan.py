"""A plan in words: what would be sent, why, how large, what it may cost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from overnight.cli.show import banner
from overnight.core.realm import GOOGLE
from overnight.planning.difference import Reason
from overnight.requests.lint import MAX_BYTES, MAX_LINES
from overnight.requests.render import Renderer
from overnight.run.plan import Planned
from overnight.wiring.opening import Opened

_WHY = {
    Reason.NEW: "never asked before",
    Reason.AGAIN: "ended with a problem that may go away",
    Reason.REOPENED: "opened again by retry or forget",
    Reason.TEXT_CHANGED: "the record's text changed",
    Reason.RECIPE_CHANGED: "the prompt, answer fields or thinking changed: answers you have would be paid for again",
    Reason.MODEL_CHANGED: "the model changed: answers you have would be paid for again",
}


def plan_lines(opened: Opened, planned: Planned, study: Path) -> Iterator[str]:
    plan, world = planned.plan, opened.world
    if banner(world.realm):
        yield banner(world.realm)
    yield f"{world.study}: {plan.records:,} records, {world.model.id}, thinking {opened.thinking.level}"
    for kind, n in plan.not_sent.most_common():
        yield f"  {n:>9,} records not sent: {kind.value.replace('_', ' ')}"
    if plan.settled:
        yield f"  {plan.settled:>9,} requests answered"
    if plan.given_up:
        yield f"  {plan.given_up:>9,} requests given up (`overnight retry` opens them)"
    if plan.in_flight:
        yield f"  {plan.in_flight:>9,} requests under way"
    if plan.same_prompt:
        yield f"  {plan.same_prompt:>9,} records share the answer of one with the same text"
    yield f"  {plan.to_send:>9,} requests to send"
    for reason, n in plan.reasons.most_common():
        yield f"            {n:,}: {_WHY[reason]}"
    if not plan.to_send:
        yield "Nothing is left to send." if not plan.in_flight else "Nothing more to send; jobs are under way."
        yield f"Next: overnight {'run' if plan.in_flight else 'status'} {study}"
        return
    yield f"  {shards(planned):>9,} shards, about {planned.size_bytes / 1e6:,.1f} MB of request lines"
    yield from _money(planned, world.realm)
    yield (
        "Time: usually hours, within a day; at worst 72 hours in Google's queue and 24 of running."
        * (world.realm == GOOGLE)
        or "Time: seconds, on this machine."
    )
    yield f"Nothing was sent.\nNext: overnight run {study}"


def _money(planned: Planned, realm: str) -> Iterator[str]:
    mark = "" if realm == GOOGLE else ", if Google served it"
    if planned.expected is None or planned.worst is None:
        yield "Cost: unknown, the model has no price in the tables"
        return
    yield f"Cost{mark}: about {planned.expected}; worst case {planned.worst} (every answer at its token limit)"
    if planned.wasted is not None:
        yield f"  of that, answers that cost {planned.wasted} before would be paid for again (--pay-again)"


def shards(planned: Planned) -> int:
    """At least: how many files the service's limits cut the plan into."""
    total = 0
    for group in planned.plan.groups.values():
        share = planned.size_bytes * group.n_requests / max(1, planned.plan.to_send)
        total += max(-(-group.n_requests // MAX_LINES), -(-int(share) // MAX_BYTES), 1)
    return total


def request_lines(planned: Planned, most: int) -> Iterator[str]:
    shown = 0
    for group in planned.plan.groups.values():
        renderer = Renderer(group.recipe, group.shape.max_output_tokens)
        for record, wanted in group.first:
            if shown == most:
                return
            shown += 1
            line = renderer.line(wanted.address, wanted.standing.attempts + 1, wanted.want.texts)
            yield f"\n--- record {record.record_id} ({record.source}), {len(line.data):,} bytes"
            yield line.data.decode().rstrip("\n")


def plan_json(opened: Opened, planned: Planned) -> dict[str, Any]:
    plan = planned.plan
    price = opened.world.price_now()
    return {
        "study": opened.world.study,
        "realm": opened.world.realm,
        "records": plan.records,
        "not_sent": {reason.value: n for reason, n in sorted(plan.not_sent.items())},
        "requests": {
            "to_send": plan.to_send,
            "answered": plan.settled,
            "given_up": plan.given_up,
            "in_flight": plan.in_flight,
            "same_prompt": plan.same_prompt,
        },
        "reasons": {reason.value: n for reason, n in sorted(plan.reasons.items())},
        "shards": shards(planned) if plan.to_send else 0,
        "size_bytes": planned.size_bytes,
        "cost_usd": {
            "expected": None if planned.expected is None else planned.expected.exact(),
            "worst": None if planned.worst is None else planned.worst.exact(),
        },
        "price": None
        if price is None
        else {
            "model": price.model,
            "valid_from": price.valid_from.isoformat(),
            "source": price.source,
            "checked": price.checked.isoformat(),
        },
    }
