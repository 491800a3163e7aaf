"""A plan in words: what would be sent, why, how large, what it may cost."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from overnight.cli.estimate import cost_lines, estimate_json, time_lines, times_json
from overnight.cli.show import banner
from overnight.cli.sources import source_counts, vanished_line
from overnight.cli.words import command, counted, size, visible
from overnight.core.compared import contested_words
from overnight.core.outcome import NotSent
from overnight.core.realm import GOOGLE
from overnight.planning.causes import PAID_AGAIN, Reason
from overnight.planning.pilot import RECORDS
from overnight.pricing.output import levels
from overnight.pricing.prices import STANDARD, Price
from overnight.pricing.room import ENOUGH_ANSWERS, Room
from overnight.pricing.words import traced, traced_level, traced_model
from overnight.requests.lint import MAX_BYTES, MAX_LINES
from overnight.requests.render import Renderer
from overnight.run.estimate import latest_end, times_of
from overnight.run.gate import CHANGED
from overnight.run.money import Budget, budget_json, budget_of
from overnight.run.plan import Planned
from overnight.run.publish import sources_json, vanished_json
from overnight.run.smoke import Smoke, prepare
from overnight.run.world import World
from overnight.wiring.opening import Opened

MANY: Final = 200
"""Requests from which on a study that has asked nothing yet is better begun by a pilot."""
_WHY = {
    Reason.NEW: "never asked before",
    Reason.AGAIN: "ended with a problem that may go away",
    Reason.RETRY: "opened again by retry",
    Reason.FORGET: "opened again by forget",
    Reason.TEXT_CHANGED: "the record's text changed",
    Reason.MORE_SAMPLES: "further samples of records answered before: never asked",
    Reason.ANSWERS_CHANGED: "the samples that it weighs changed",
    **{reason: f"{what} changed" for reason, what in CHANGED.items()},
}


def plan_lines(opened: Opened, planned: Planned, study: Path, *, sources: bool = False) -> Iterator[str]:
    plan, world = planned.plan, opened.world
    if banner(world.realm):
        yield banner(world.realm)
    yield f"{world.study}: {counted(plan.records, 'record')}, {world.model.id}, thinking {opened.thinking.level}"
    for line in source_counts(world.records.sources()):
        yield f"  {'':>9} {line}"
    yield from _standing(planned, study)
    if line := contested_words(plan.compared.to_json()):
        yield f"  {line}"
    if opened.duplicates.likely:
        n = len(opened.duplicates.likely)
        pairs = "1 pair of records" if n == 1 else f"{n:,} pairs of records"
        yield f"  {pairs} may be of one publication: `{command('duplicates', study)}` lists them for a yes or no"
    if line := vanished_line(world.vanished()):
        yield f"  {line}"
    if not plan.to_send:
        yield "Nothing is left to send." if not plan.in_flight else "Nothing more to send; jobs are under way."
        yield f"Next: {command('run' if plan.in_flight else 'status', study)}"
        return
    yield _row(shards(planned), "shard", f", about {size(planned.size_bytes)} of request lines")
    yield from _money(planned, world)
    smoke = _smoke(opened, planned)
    if smoke and planned.estimated is not None:
        them = "two of them" if len(smoke.asks) > 1 else "it"
        yield f"  `run` first asks {them} at once, at the standard price: at most {smoke.worst} (not with --no-smoke)"
    yield from time_lines(world, planned)
    if sources:
        yield from source_lines(opened, planned)
    yield "Nothing was sent."
    if refused := _refusal(planned, world):
        yield refused
    else:
        yield from _next(opened, planned, study)


def _next(opened: Opened, planned: Planned, study: Path) -> Iterator[str]:
    world = opened.world
    if planned.plan.to_send <= MANY or world.ledger.bindings.any(world.realm):
        yield f"Next: {command('run', study)}"
        return
    yield f"Next: {command('pilot', study)}    ({RECORDS} records first, and what the others will cost)"
    yield f"or all at once: {command('run', study)}"


def _standing(planned: Planned, study: Path) -> Iterator[str]:
    plan = planned.plan
    for kind, n in plan.not_sent.most_common():
        yield _row(n, "record", f" not sent: {kind.value.replace('_', ' ')}{_how_left_out(kind, planned)}")
    if plan.same_prompt:
        share = "shares" if plan.same_prompt == 1 else "share"
        yield _row(plan.same_prompt, "record", f" {share} the answer of one with the same text")
    if plan.settled:
        yield f"  {plan.settled:>9,} answered"
    if plan.given_up:
        late = f", {plan.past_deadline:,} of them past the deadline" if plan.past_deadline else ""
        yield f"  {plan.given_up:>9,} given up{late} (`{command('retry', study)}` opens them)"
    if plan.in_flight:
        yield f"  {plan.in_flight:>9,} under way"
    yield _row(plan.to_send, "request", f" to send{_only_reason(planned)}")
    if len(plan.reasons) > 1:
        for reason, n in plan.reasons.most_common():
            yield f"  {'':>9} {n:,}: {_WHY[reason]}{_waste(planned, reason)}"


def _how_left_out(kind: NotSent, planned: Planned) -> str:
    return f" (drawn by seed {planned.seed}, short and long alike)" if kind is NotSent.OVER_BUDGET else ""


def _waste(planned: Planned, reason: Reason) -> str:
    """What is thrown away by asking again, and whether that needs a word."""
    if reason not in planned.wasted:
        return ""
    amount = planned.wasted[reason]
    said = "; their answers cost " + ("an amount that is not known" if amount is None else str(amount))
    return said + (" (--pay-again)" if reason in PAID_AGAIN else "")


def _row(n: int, noun: str, rest: str) -> str:
    return f"  {n:>9,} {noun if n == 1 else f'{noun}s'}{rest}"


def _only_reason(planned: Planned) -> str:
    reasons = list(planned.plan.reasons)
    return f": {_WHY[reasons[0]]}{_waste(planned, reasons[0])}" if len(reasons) == 1 else ""


def _money(planned: Planned, world: World) -> Iterator[str]:
    if planned.estimated is None:
        yield "Cost: unknown, the model has no price in the tables"
        return
    yield from cost_lines(planned.estimated, world)
    yield from room_lines(list(rooms_of(planned)))
    if planned.unused:
        yield f"  none of the {planned.unused:,} answers the study has fits what it now asks (--pay-again)"
    budget = budget_of(world)
    if budget is None:
        return
    yield f"Limit: {budget_words(budget)}"
    amounts = planned.estimated.amounts
    if amounts.expected <= budget.left < amounts.worst:
        yield "  The worst case is more than that, so the requests go out in parts that fit, one job after another."
    whole = planned.estimated.together.expected
    if amounts.expected <= budget.left < whole:
        yield f"  {whole} is expected together: what follows on these requests may have to wait for a higher limit."


def rooms_of(planned: Planned) -> Iterator[tuple[str, Room]]:
    """(stage, room) of each recipe that the plan sends."""
    sent = {group.recipe.digest: group.recipe.stage for group in planned.plan.groups.values()}
    for digest, stage in sent.items():
        if digest in planned.rooms:
            yield stage, planned.rooms[digest]


def room_lines(rooms: Sequence[tuple[str, Room]]) -> Iterator[str]:
    """`maxOutputTokens` of first attempts and where it is from, each thing once: samples of a stage mostly agree."""
    said = Counter((stage, room_words(room)) for stage, room in rooms)
    recipes = Counter(stage for stage, _ in rooms)
    for (stage, words), n in said.items():
        part = "" if n == recipes[stage] else f", {n:,} of {recipes[stage]:,} recipes"
        yield f"  Room{f' in {stage}{part}' if len(said) > 1 else ''}: {words}."


def room_words(room: Room) -> str:
    seen = room.seen
    if seen.n_answers < ENOUGH_ANSWERS:
        return f"{room.tokens:,} tokens an answer, by model and thinking; {ENOUGH_ANSWERS} answers will tell better"
    change = f"{room.by_model:,} → {room.tokens:,}" if room.from_answers else f"{room.tokens:,}"
    cut = f", and one was cut off at {seen.cut_at:,}" if seen.cut_at > seen.largest else ""
    return f"{change} tokens an answer: the largest of {seen.n_answers:,} took {seen.largest:,}{cut}"


def rooms_json(planned: Planned) -> list[dict[str, Any]]:
    return [
        {
            "stage": stage,
            "max_output_tokens": room.tokens,
            "by_model": room.by_model,
            "answers": room.seen.n_answers,
            "largest_answer": room.seen.largest,
            "cut_off_at": room.seen.cut_at or None,
        }
        for stage, room in rooms_of(planned)
    ]


def _smoke(opened: Opened, planned: Planned) -> Smoke | None:
    cloud, world = opened.study.cloud, opened.world
    if cloud is None or world.realm != GOOGLE:
        return None
    return prepare(world, planned, f"{cloud.project}/{cloud.location}")


def budget_words(budget: Budget) -> str:
    reserved = f", {budget.reserved} reserved for jobs under way" if budget.reserved else ""
    return f"{budget.limit}, of which {budget.spent} is spent{reserved}: {budget.left} is left"


def _refusal(planned: Planned, world: World) -> str:
    if planned.estimated is None and world.realm == GOOGLE:
        return (
            f"`run` will refuse: no limit can be kept without the price of {world.model.id}. `check` says what to do."
        )
    budget = budget_of(world)
    if budget is None or planned.expected is None or planned.expected <= budget.left:
        return ""
    return f"`run` will refuse: about {planned.expected} is expected and {budget.left} is left. Raise budget.limit_usd."


def shards(planned: Planned) -> int:
    """At least: how many files the service's limits cut the plan into."""
    total = 0
    for group in planned.plan.groups.values():
        share = planned.size_bytes * group.n_requests / max(1, planned.plan.to_send)
        total += max(-(-group.n_requests // MAX_LINES), -(-int(share) // MAX_BYTES), 1)
    return total


def source_lines(opened: Opened, planned: Planned) -> Iterator[str]:
    """Who says what the amounts of a plan rest on."""
    world = opened.world
    prices = {
        "now": world.price_now(),
        "dearest within 96 hours": world.dearest(),
        "at once instead": world.prices.price(world.model.id, world.today, STANDARD),
    }
    if _smoke(opened, planned):
        prices["dearest of rows asked at once"] = world.dearest(STANDARD)
    coming = world.prices.changes(world.model.id, world.today, latest_end(world, planned.plan))
    prices |= {f"from {day} on": price for day, price in coming}
    yield "Sources:"
    uses: dict[Price, list[str]] = {}
    for used, price in prices.items():
        if price is not None:
            uses.setdefault(price, []).append(used)
    for price, all_uses in uses.items():
        yield f"  price {' and '.join(all_uses)}: {traced(price)}"
    if not uses:
        yield f"  no source states what {world.model.id} costs"
    yield f"  model: {traced_model(world.model)}"
    estimated = planned.estimated
    if estimated is not None and not estimated.n_answers and estimated.level in levels():
        yield f"  thinking {estimated.level}: {traced_level(levels()[estimated.level])}"


def request_lines(planned: Planned, most: int) -> Iterator[str]:
    shown = 0
    for group in planned.plan.groups.values():
        renderer = Renderer(group.recipe, group.shape.max_output_tokens)
        for record, wanted in group.first:
            if shown == most:
                return
            shown += 1
            line = renderer.line(wanted.address, wanted.standing.attempts + 1, wanted.want.texts)
            yield f"\n--- record {visible(record.record_id)} ({visible(record.source)}), {len(line.data):,} bytes"
            yield line.data.decode().rstrip("\n")


def plan_json(opened: Opened, planned: Planned) -> dict[str, Any]:
    plan = planned.plan
    smoke = _smoke(opened, planned)
    return {
        "study": opened.world.study,
        "realm": opened.world.realm,
        "records": plan.records,
        "sources": sources_json(opened.world.records.sources()),
        "duplicates_undecided": len(opened.duplicates.likely),
        **vanished_json(opened.world.vanished()),
        "not_sent": {reason.value: n for reason, n in sorted(plan.not_sent.items())},
        "requests": {
            "to_send": plan.to_send,
            "answered": plan.settled,
            "given_up": plan.given_up,
            "past_deadline": plan.past_deadline,
            "in_flight": plan.in_flight,
            "same_prompt": plan.same_prompt,
        },
        "reasons": {reason.value: n for reason, n in sorted(plan.reasons.items())},
        "compared": plan.compared.to_json() if plan.compared.records else None,
        "shards": shards(planned) if plan.to_send else 0,
        "size_bytes": planned.size_bytes,
        "rooms": rooms_json(planned),
        "asked_again": {
            reason.value: {"requests": plan.reasons[reason], "wasted_usd": None if amount is None else amount.exact()}
            for reason, amount in sorted(planned.wasted.items())
        },
        **estimate_json(planned.estimated),
        "time": times_json(times_of(opened.world, plan)),
        "smoke_worst_usd": None if smoke is None else smoke.worst.exact(),
        "budget_usd": budget_json(budget_of(opened.world)),
    }
