"""Steps 3 to 5: render, stage, submit. For each shard: intent, effect, fact; twice, for its file and for its job."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from overnight.core.events import Note, Progress, StepStarted
from overnight.core.states import JobStatus
from overnight.core.usage import Usd
from overnight.errors import (
    CredentialsError,
    LockedError,
    OvernightError,
    RefusedError,
    UnavailableError,
    UnreachableError,
)
from overnight.ledger.bindings import Binding
from overnight.ledger.recipes import recipe_to_json
from overnight.ledger.shards import ShardFact
from overnight.planning.difference import Group
from overnight.planning.fit import ALL
from overnight.planning.standing import State
from overnight.pricing.estimate import WorstCase
from overnight.requests.render import Renderer
from overnight.requests.shards import Peekable, Shard
from overnight.run.fit import tranche
from overnight.run.gate import Pass
from overnight.run.labels import LABEL, STUDY_LABEL
from overnight.run.manifests import MANIFEST_VERSION
from overnight.run.money import worst_case_for, worst_of
from overnight.run.owner import claim
from overnight.run.plan import Planned
from overnight.run.recover import abandon, settle_doubt
from overnight.run.world import Options, World

BUSY_WAITS_S: Final = (5.0, 15.0, 30.0, 60.0, 120.0)
TOO_MANY_REQUESTS: Final = 429
ALREADY_THERE: Final = 412
"""Uploads ask that nothing is in their place: what is there was written by somebody else."""


@dataclass(slots=True)
class Sent:
    """n_requests: now in a job. over_limit: what is left of the limit when it held something back.

    doubtful: a create had no usable reply and made no job.
    """

    n_requests: int = 0
    over_limit: Usd | None = None
    doubtful: bool = False

    @property
    def stopped(self) -> bool:
        return self.doubtful or self.over_limit is not None


def send(world: World, planned: Planned, leave: Pass, options: Options) -> Sent:
    """Send what the plan holds, as far as the limit allows."""
    accept(world, planned)
    sent = Sent()
    for group in sorted(planned.plan.groups.values(), key=lambda one: len(one.drawn) > 0):  # what was begun, first
        try:
            for n in _send_group(world, planned, group, leave, options, sent):
                sent.n_requests += n
                world.tell(Progress("send", sent.n_requests, planned.plan.to_send, "requests"))
        except LockedError as refused:
            if not sent.n_requests:
                raise
            world.tell(Note(f"{refused.what}. What is under way is collected first", "warning"))
            break
        if sent.stopped:
            break
    return sent


def accept(world: World, planned: Planned) -> None:
    """The plan is accepted: pin its recipes, note whose each request is, and whether it is of a pilot. One transaction;
    also when nothing is sent.

    Pins are of every recipe the task wants, not only of those to be sent: a study whose answers are all there keeps
    the words they were given for.
    """
    recipes = {}
    ledger = world.ledger

    def bindings() -> Iterator[Binding]:
        for record in world.records:
            for one in planned.wants.of(record):
                want = one.want
                recipes[want.stage, want.sample] = want.recipe
                if one.standing.state is State.UNKNOWN:  # left out: nobody has asked it
                    continue
                yield Binding(
                    record.record_id, want.stage, want.sample, one.address, want.recipe.digest, world.model.id
                )

    with ledger.transaction():
        for one in (ahead.first for ahead in planned.plan.ahead.values()):
            recipes |= dict(zip(one.places, one.recipes, strict=True))  # what may follow is in words of today too
        ledger.bindings.bind(world.realm, bindings())
        ledger.recipes.pin(((stage, sample, recipe) for (stage, sample), recipe in recipes.items()), world.stamp())
        if world.pilot is None:
            ledger.pilots.end(world.realm)
        else:
            ledger.pilots.begin(world.realm, world.pilot.drawn, world.stamp())


def _send_group(
    world: World, planned: Planned, group: Group, leave: Pass, options: Options, sent: Sent
) -> Iterator[int]:
    renderer = Renderer(group.recipe, group.shape.max_output_tokens)
    bound = worst_case_for(world, group.shape.max_output_tokens)
    upto = tranche(group, bound, world.ledger.shards.left(world.realm, leave.caps))
    queued = planned.difference.requests(world.records, group.shape, upto=upto)
    source = Peekable(islice(queued, group.n_requests))  # behind the last of them no record has to be looked at
    while source.peek() is not None:
        left = world.ledger.shards.left(world.realm, leave.caps)
        if _next_is_too_dear(renderer, source, bound, left):
            sent.over_limit = left
            return
        shard = Shard(group.shape, source, renderer, world.backend.limits, _Fits(bound, left))
        number = _stage(world, shard)
        _submit(world, number, _reserve(bound, shard), leave, options, sent)
        if sent.stopped:
            return
        yield len(shard.rows)
    if upto < ALL:
        sent.over_limit = world.ledger.shards.left(world.realm, leave.caps)


def _reserve(bound: WorstCase | None, shard: Shard) -> tuple[Usd | None, Usd | None]:
    """The worst case of the whole shard, and of its longest request."""
    return (None, None) if bound is None else worst_of(bound, len(shard.rows), shard.size_bytes, shard.longest_bytes)


def _next_is_too_dear(renderer: Renderer, source: Peekable, bound: WorstCase | None, left: Usd | None) -> bool:
    """Not even one more request fits under the caps: nothing has to be uploaded to know it."""
    request = source.peek()
    if request is None or bound is None or left is None:
        return False
    size_bytes = len(renderer.line(request.address, request.attempt, request.texts).data)
    return bound.of(1, size_bytes, size_bytes) > left


class _Fits:
    """Does a shard of this size stay within what is left? Without a limit: always."""

    def __init__(self, bound: WorstCase | None, left: Usd | None) -> None:
        self._bound, self._left = bound, left

    def __call__(self, n_requests: int, size_bytes: int, longest_bytes: int) -> bool:
        if self._left is None or self._bound is None:
            return True
        return self._bound.of(n_requests, size_bytes, longest_bytes) <= self._left


def _stage(world: World, shard: Shard) -> int:
    """Returns the number of the shard, whose input is complete in its place and whose rows are in the ledger."""
    ledger, shape = world.ledger, shard.shape
    number = ledger.shards.next_number()
    label = f"{ledger.uid}-s{number:05d}-{secrets.token_hex(3)}"  # a copied ledger counts the same numbers again
    place = world.backend.place(ledger.uid, label)
    with ledger.transaction():
        ledger.recipes.store(shard.renderer.recipe)
    number = ledger.shards.intend(
        realm=world.realm,
        stage=shape.stage,
        recipe=shape.recipe,
        model=world.model.id,
        max_output_tokens=shape.max_output_tokens,
        label=label,
        place=place,
        now=world.stamp(),
    )
    manifest = _manifest(world, shard, ledger.shards.get(number))
    world.tell(StepStarted("upload", f"shard {number} to {place.bucket}/{place.input}"))
    try:
        world.backend.stage(place, _noted(world, shard, manifest), manifest)
    except (OvernightError, KeyboardInterrupt) as cause:
        foreign = isinstance(cause, RefusedError) and cause.code == ALREADY_THERE
        abandon(world, ledger.shards.get(number), ours=not foreign)
        raise
    ledger.shards.staged(number, shard.rows, shard.size_bytes)
    return number


def _manifest(world: World, shard: Shard, fact: ShardFact) -> dict[str, object]:
    """What `overnight recover` needs beside the input (run/manifests.py reads it). Nothing of the records."""
    pinned = world.ledger.recipes.pinned()
    return {
        "version": MANIFEST_VERSION,
        "study": world.study,
        "uid": world.ledger.uid,
        "label": fact.label,
        "number": fact.id,
        "realm": world.realm,
        "stage": fact.stage,
        "samples": [sample for (stage, sample), recipe in pinned.items() if recipe.digest == fact.recipe],
        "model": fact.model,
        "max_output_tokens": fact.max_output_tokens,
        "intended": fact.intended,
        "project": fact.place.project,
        "location": fact.place.location,
        "recipe_digest": fact.recipe,
        "recipe": recipe_to_json(shard.renderer.recipe),
    }


def _noted(world: World, shard: Shard, manifest: dict[str, object]) -> Iterator[bytes]:
    """The shard's lines; at their end the manifest gets how many they are, and which a person had opened again."""
    yield from shard.lines()
    manifest["rows"], manifest["size_bytes"] = len(shard.rows), shard.size_bytes
    again = {row.address for row in shard.rows if row.attempt > 1}
    floors = world.ledger.outcomes.reopened() if again else []
    manifest["reopened"] = {address.hex(): after for address, after in floors if address in again}


def _create(world: World, shard: ShardFact, labels: Mapping[str, str]) -> JobStatus:
    """One create. A 429 made nothing, and is met far below every limit (facts 9.1): waited out, and only
    then a refusal. Interrupted in that wait, the shard is put back: no job was made of it."""
    for wait_s in BUSY_WAITS_S:
        try:
            return world.backend.submit(shard.place, shard.model, labels)
        except RefusedError as refused:
            if refused.code != TOO_MANY_REQUESTS:
                raise
            world.tell(Note(f"job {shard.id}: the service is busy (429); asking again in {wait_s:.0f} s", "warning"))
            try:
                world.sleep(wait_s)
            except KeyboardInterrupt:
                abandon(world, shard)
                raise
    return world.backend.submit(shard.place, shard.model, labels)


def _submit(
    world: World, number: int, worst: tuple[Usd | None, Usd | None], leave: Pass, options: Options, sent: Sent
) -> None:
    """Create the job, or put the shard back and say in `sent` why."""
    shards = world.ledger.shards
    reserve, of_row = worst
    left = shards.submitting(number, reserve, leave.caps, row=of_row)
    shard = shards.get(number)
    if left is not None:
        world.tell(Note(f"{left} is left to spend, and this job may cost {reserve}: it waits", "warning"))
        abandon(world, shard)
        sent.over_limit = left
        return
    labels = {LABEL: shard.label, STUDY_LABEL: world.ledger.uid}
    try:
        claim(world, shard)
    except (OvernightError, KeyboardInterrupt):  # no create was sent
        abandon(world, shard)
        raise
    try:
        job = _create(world, shard, labels)
    except (RefusedError, CredentialsError):  # a definite no: nothing was made
        abandon(world, shard)
        raise
    except UnreachableError:  # nothing was made, and nothing can be cleared away there: `clean` does that later
        abandon(world, shard, ours=False)
        raise
    except UnavailableError as doubtful:
        world.tell(Note(f"job {number}: no usable reply to its create ({doubtful.what})", "warning"))
        settle_doubt(world, shard, options)
        sent.doubtful = shards.get(number).state != "submitted"
        return
    shards.submitted(number, job, world.stamp())
    world.tell(Note(f"job {number}: {shard.n_rows:,} {'request' if shard.n_rows == 1 else 'requests'}, {job.name}"))
