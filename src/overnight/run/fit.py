"""`when_over: fit`: how far down the draw the money reaches. The expected cost decides here; the worst case still
guards each job when it is made."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal
from itertools import accumulate
from typing import Final

from overnight.core.realm import GOOGLE
from overnight.core.usage import Usd
from overnight.ledger.shards import Cap
from overnight.planning.difference import Group, Plan
from overnight.planning.fit import ALL, NONE, bound_within
from overnight.pricing.estimate import WorstCase
from overnight.pricing.prices import STANDARD
from overnight.run.estimate import Estimated, line_bytes
from overnight.run.money import SMOKE_ROWS, worst_case_for
from overnight.run.world import World

_FINE: Final = Decimal("0.000001")
_STEP: Final = 0.98
"""Where the estimate of a part is more than its share of the whole, it is drawn anew with that much less."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be spent, and no farther down the draw than at_most: what a person agreed to in this invocation."""

    caps: tuple[Cap, ...] = ()
    at_most: int = ALL
    smoke: bool = True


def reach_of(
    world: World, plan: Plan, estimated: Estimated | None, reach: Reach, again: Callable[[int], tuple[Plan, Estimated]]
) -> int:
    """The bound of the draw. plan: of everything, or up to `at_most`. again: the plan and estimate of a bound.

    ALL where nothing has to be left out. What was begun comes first, and is not for `fit` to leave out.
    """
    caps = reach.caps or ((Cap(world.limit),) if world.limit is not None else ())
    left = world.ledger.shards.left(GOOGLE, caps)
    if estimated is None or left is None:
        return ALL
    left = _without_smoke(world, plan, left, reach)
    left = _for_this_round(left, estimated)
    amounts, one = estimated.amounts, _worst_of_first(world, plan)
    if one is None or amounts.worst <= left or amounts.expected <= left - one:
        return reach.at_most
    at_once = _at_once(world, plan, left)
    if at_once == NONE:
        return NONE
    numbers, sums = _weights(plan, estimated)
    share = (left - one).share_of(amounts.expected) * sums[-1]
    while (taken := bisect_right(sums, share) - 1) > 0 and numbers[taken - 1] > at_once:
        _, found = again(numbers[taken - 1])
        if found.amounts.expected <= left - one:
            return numbers[taken - 1]
        share = min(share * _STEP, sums[taken - 1])
    return min(at_once, reach.at_most)


def tranche(group: Group, bound: WorstCase | None, left: Usd | None) -> int:
    """The number up to which the group's requests fit into one job under the caps by their worst case, none passed
    over. What was begun goes with the first of them."""
    if bound is None or left is None or not len(group.drawn):
        return ALL
    empty, longest_begun = line_bytes(group), 0
    n_begun = group.n_requests - group.drawn.n_requests
    begun_bytes = group.text_bytes - group.drawn.text_bytes
    if n_begun:
        longest_begun = group.longest_bytes

    def fits(n: int, text_bytes: int, longest: int) -> bool:
        n_all = n + n_begun
        size = empty * n_all + text_bytes + begun_bytes
        return bound.of(n_all, size, empty + max(longest, longest_begun)) <= left

    found = bound_within(group.drawn, fits)
    return ALL if found == group.drawn.last else found


def _for_this_round(left: Usd, estimated: Estimated) -> Usd:
    """What may follow on the requests grows with them, so they get the part of the money that they have in the whole:
    who is drawn can be adjudicated too. A record is drawn no less for being likely to be contested."""
    now, whole = estimated.amounts.expected, estimated.together.expected
    return (
        left * Decimal(now.share_of(whole)).quantize(_FINE, ROUND_DOWN, Context())
        if estimated.later and whole
        else left
    )


def _without_smoke(world: World, plan: Plan, left: Usd, reach: Reach) -> Usd:
    """Two rows are asked at once before a first job: what they may cost is kept free, while that leaves something."""
    shards = world.ledger.shards.all(world.realm, "collected")
    if not reach.smoke or any(shard.lines and shard.model == world.model.id for shard in shards):
        return left
    group = next(iter(plan.groups.values()), None)
    bound = None if group is None else worst_case_for(world, group.shape.max_output_tokens, STANDARD)
    if group is None or bound is None:
        return left
    longest = line_bytes(group) + group.longest_bytes
    free = bound.of(1, longest, longest) * SMOKE_ROWS
    one = _worst_of_first(world, plan)
    return left if one is not None and one > left - free else left - free


def _worst_of_first(world: World, plan: Plan) -> Usd | None:
    """Of the first request of the draw; None where everything was begun. That much has to be left when the last job is
    made, so it is not spent on what is expected."""
    amounts = []
    for group in plan.groups.values():
        first = next(group.drawn.in_order(), None)
        bound = worst_case_for(world, group.shape.max_output_tokens)
        if first is not None and bound is not None:
            size = line_bytes(group) + first[3]
            amounts.append((first[0], bound.of(1, size, size)))
    return min(amounts)[1] if amounts else None


def _at_once(world: World, plan: Plan, left: Usd) -> int:
    """How far down the draw the records go in jobs that are all made before one of them is settled."""
    bounds = []
    for group in sorted(plan.groups.values(), key=lambda one: len(one.drawn) > 0):
        bound = worst_case_for(world, group.shape.max_output_tokens)
        assert bound is not None, "the estimate knew the price"
        if len(group.drawn):
            bounds.append(tranche(group, bound, left))
        else:
            size = line_bytes(group) * group.n_requests + group.text_bytes
            left = left - bound.of(group.n_requests, size, line_bytes(group) + group.longest_bytes)
    return min(bounds, default=NONE)


def _weights(plan: Plan, estimated: Estimated) -> tuple[list[int], list[float]]:
    """Numbers in the order of the draw; and running sums of what they weigh in the expected cost, beginning with what
    was begun. Only proportions count."""
    prompt, output = _per_byte_and_request(plan, estimated)
    rows = sorted(_rows(plan.groups.values(), prompt, output))
    begun = sum(
        prompt * (line_bytes(one) * (one.n_requests - one.drawn.n_requests) + one.text_bytes - one.drawn.text_bytes)
        + output * (one.n_requests - one.drawn.n_requests)
        for one in plan.groups.values()
    )
    return [number for number, _ in rows], list(accumulate((weight for _, weight in rows), initial=begun))


def _rows(groups: Iterable[Group], prompt: float, output: float) -> Iterator[tuple[int, float]]:
    for group in groups:
        empty = line_bytes(group)
        for number, n, text_bytes, _ in group.drawn.in_order():
            yield number, prompt * (empty * n + text_bytes) + output * n


def _per_byte_and_request(plan: Plan, estimated: Estimated) -> tuple[float, float]:
    """Expected USD of a line's byte as input, and of an answer."""
    amounts, rates = estimated.amounts, estimated.price.rates(0)
    size = sum(line_bytes(group) * group.n_requests + group.text_bytes for group in plan.groups.values())
    prompt = amounts.prompt.expected * float(rates.input_usd_per_mtok) / max(1, size)
    return prompt, amounts.output.expected * float(rates.output_usd_per_mtok) / max(1, amounts.n_requests)
