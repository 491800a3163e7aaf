"""Step 1: the difference between what is wanted and what the ledger knows. Changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from overnight.core.usage import Usd
from overnight.planning.difference import Difference, Plan, Previous, Reason
from overnight.planning.standing import Standings
from overnight.planning.wants import Wants
from overnight.requests.render import Renderer
from overnight.run.money import SMOKE_ROWS, Bill, expected, pricing_of, worst_case_for
from overnight.run.world import World


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what is needed to close it. Amounts are None where the price is not known.

    unused: answers that the study has under another recipe or model, when none of what it now wants is answered: ids
    made of the text, or of another column, hide that the same records are asked again.
    """

    plan: Plan
    standings: Standings
    wants: Wants
    difference: Difference
    size_bytes: int
    expected: Usd | None
    worst: Usd | None
    wasted: Usd | None
    unused: int = 0

    @property
    def paid_again(self) -> int:
        """Requests that would pay again for what was answered before, because the study was edited."""
        return self.plan.paid_again or (self.plan.to_send if self.unused else 0)


def make_plan(world: World, *, keep: int = 0) -> Planned:
    """Reads all records once. keep: whole requests to keep of each shape, for `plan --show`.

    The first SMOKE_ROWS are kept in any case.
    """
    standings = world.standings()
    wants = world.wants(standings)
    difference = Difference(wants, world.policy(), _previous(world, standings), keep=max(keep, SMOKE_ROWS))
    plan = difference.plan(world.records)
    size_bytes, worst, likely = _price(world, plan)
    wasted, unused = _wasted(world, plan), _unused(world, plan)
    return Planned(plan, standings, wants, difference, size_bytes, likely, worst, wasted, unused)


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


def _price(world: World, plan: Plan) -> tuple[int, Usd | None, Usd | None]:
    """(bytes of all lines, worst case, expected cost)."""
    size_bytes, worst, likely = 0, Usd(), Usd()
    known = True
    for group in plan.groups.values():
        renderer = Renderer(group.recipe, group.shape.max_output_tokens)
        frame = len(renderer.line(bytes(16), 1, [""] * len(group.recipe.slots)).data)
        group_bytes = frame * group.n_requests + group.text_bytes
        size_bytes += group_bytes
        bound = worst_case_for(world, group.shape.max_output_tokens)
        middle = expected(world, group.n_requests, group.chars, frame)
        if bound is None or middle is None:
            known = False
            continue
        longest = group_bytes // max(1, group.n_requests)
        worst = worst + bound.of(group.n_requests, group_bytes, longest)
        likely = likely + middle
    return size_bytes, worst if known else None, likely if known else None


def _wasted(world: World, plan: Plan) -> Usd | None:
    """What the answers that would be paid for again did cost. None when there are none or it is not known."""
    if not plan.again_rows:
        return None
    bill = Bill(pricing_of(world))
    for row in plan.again_rows:
        bill.add(world.settled(row).outcome)
    return bill.billed if not bill.rows_unknown else None


def _unused(world: World, plan: Plan) -> int:
    if not plan.to_send or plan.settled or plan.in_flight or plan.reasons[Reason.NEW] != plan.to_send:
        return 0
    pinned = {recipe.digest for recipe in world.ledger.recipes.pinned().values()}
    used = {shard.model for shard in world.ledger.shards.all(world.realm, "collected")}
    same = world.model.id in used and any(group.recipe.digest in pinned for group in plan.groups.values())
    return 0 if same else world.ledger.outcomes.counts(world.realm).answers
