"""Step 1: the difference between what is wanted and what the ledger knows. Changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from overnight.core.usage import Usd
from overnight.planning.causes import Reason
from overnight.planning.difference import Difference, Plan, Previous
from overnight.planning.fit import ALL
from overnight.planning.standing import Standings
from overnight.planning.wants import Wants
from overnight.pricing.room import Room
from overnight.run.billing import cost_of_answers
from overnight.run.estimate import Estimated, count_tokens, estimate_plan, size_bytes_of
from overnight.run.fit import Reach, reach_of
from overnight.run.money import SMOKE_ROWS
from overnight.run.world import World


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what is needed to close it. estimated: None where the model's price is not known.

    wasted: what the answers cost that are asked for again, by reason; None where that is not known.
    unused: answers that the study has under another recipe or model, when none of what it now wants is answered: ids
    made of the text, or of another column, hide that the same records are asked again. bound: how far down the draw of
    `when_over: fit` it goes, by that seed. rooms: of what was never cut off, by recipe.
    """

    plan: Plan
    standings: Standings
    wants: Wants
    difference: Difference
    size_bytes: int
    estimated: Estimated | None
    wasted: Mapping[Reason, Usd | None]
    unused: int = 0
    bound: int = ALL
    seed: int = 0
    rooms: Mapping[str, Room] = field(default_factory=dict)

    @property
    def expected(self) -> Usd | None:
        return None if self.estimated is None else self.estimated.amounts.expected

    @property
    def together(self) -> Usd | None:
        """Expected, with what may follow on these requests."""
        return None if self.estimated is None else self.estimated.together.expected

    @property
    def worst(self) -> Usd | None:
        return None if self.estimated is None else self.estimated.amounts.worst

    @property
    def paid_again(self) -> int:
        """Requests that would pay again for what was answered before, because the study was edited."""
        return self.plan.paid_again or (self.plan.to_send if self.unused else 0)


def make_plan(world: World, *, keep: int = 0, count: bool = False, reach: Reach = Reach()) -> Planned:  # noqa: B008
    """Reads all records once. keep: whole requests to keep of each shape, for `plan --show`.

    The first SMOKE_ROWS are kept in any case. count: the service counts the tokens of some requests; raises CloudError.
    reach: what `when_over: fit` may go by; where it has to leave records out they are read twice, seldom more often.
    """
    planned = _plan_up_to(world, reach.at_most, keep, count)
    if world.draw is None:
        return planned
    found = {reach.at_most: planned}

    def again(bound: int) -> tuple[Plan, Estimated]:
        found[bound] = _plan_up_to(world, bound, keep, count)
        estimated = found[bound].estimated
        assert estimated is not None, "the price was known a moment ago"
        return found[bound].plan, estimated

    bound = reach_of(world, planned.plan, planned.estimated, reach, again)
    return found[bound] if bound in found else _plan_up_to(world, bound, keep, count)


def _plan_up_to(world: World, bound: int, keep: int, count: bool) -> Planned:
    standings, rooms = world.standings(), world.rooms()
    wants = world.wants(standings)
    difference = Difference(
        wants,
        world.policy(),
        _previous(world, standings),
        recipe=cache(world.ledger.recipes.find),
        why_open=_why_open(world),
        keep=max(keep, SMOKE_ROWS),
        draw=world.draw,
        bound=bound,
        rooms=rooms,
        pilot=world.pilot,
    )
    plan = difference.plan(world.records)
    estimated = estimate_plan(world, plan, counted=count_tokens(world, plan) if count else ())
    wasted = {reason: cost_of_answers(world, rows) for reason, rows in plan.before.items()}
    size, unused = size_bytes_of(plan), _unused(world, plan)
    seed = 0 if world.draw is None else world.draw.seed
    return Planned(plan, standings, wants, difference, size, estimated, wasted, unused, bound, seed, rooms)


def _why_open(world: World) -> Callable[[bytes], str]:
    words = world.ledger.outcomes.opened_by()
    return lambda address: words.get(address, Reason.RETRY)


def _previous(world: World, standings: Standings) -> Callable[[str, str, int], Previous | None]:
    """What was bound to a record before. A ledger without bindings answers without looking."""
    bindings = world.ledger.bindings
    if not bindings.any(world.realm):
        return lambda *_: None

    def look(record_id: str, stage: str, sample: int) -> Previous | None:
        found = bindings.of(world.realm, record_id, stage, sample)
        if found is None:
            return None
        standing = standings[found.address]
        row = standing.row if standing.kind is None else 0
        return Previous(found.address, found.recipe, found.model, row)

    return look


def _unused(world: World, plan: Plan) -> int:
    if not plan.to_send or plan.settled or plan.in_flight or plan.reasons[Reason.NEW] != plan.to_send:
        return 0
    pinned = {recipe.digest for recipe in world.ledger.recipes.pinned().values()}
    used = {shard.model for shard in world.ledger.shards.all(world.realm, "collected")}
    same = world.model.id in used and any(group.recipe.digest in pinned for group in plan.groups.values())
    return 0 if same else world.ledger.outcomes.counts(world.realm).answers
