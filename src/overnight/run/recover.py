"""What an earlier run left half-done. Decided by what its intents say, never by the current study."""

from collections.abc import Sequence

from overnight.core.events import Note
from overnight.core.states import JobStatus
from overnight.errors import CloudError, DoubtfulSubmitError
from overnight.ledger.shards import ShardFact
from overnight.run.labels import LABEL
from overnight.run.owner import is_ours
from overnight.run.world import Options, World


def recover(world: World, options: Options) -> DoubtfulSubmitError | None:
    """Every shard that is neither submitted nor done becomes one of the two.

    Returns why a person has to look, or None. Not raised here: jobs under way are collected before anything stops.
    """
    for shard in world.ledger.shards.all(world.realm, "intended", "staged"):
        abandon(world, shard, ours=is_ours(world))
    return settle_doubts(world, options)


def settle_doubts(world: World, options: Options) -> DoubtfulSubmitError | None:
    """Every create without a reply on record; one that stays doubtful keeps no other from being settled."""
    first: DoubtfulSubmitError | None = None
    for shard in world.ledger.shards.all(world.realm, "submitting"):
        try:
            settle_doubt(world, shard, options)
        except DoubtfulSubmitError as doubt:
            world.tell(Note(doubt.what, "warning"))
            first = first or doubt
    return first


def abandon(world: World, shard: ShardFact, *, may_bill: bool = False, ours: bool = True) -> None:
    """Its rows are not in a job of ours: clear it away; the plan sends them again.

    may_bill: a job may have been made of it all the same: its worst case stays reserved, and its files stay where they
    are, for that job to read and for `adopt` to know what it asks. ours: False where the object in its place was
    written by somebody else, or may be about to be sent by another copy of this ledger.
    """
    if ours and not may_bill:
        _unstage(world, shard)
    world.ledger.shards.abandon(shard.id, may_bill=may_bill)


def _unstage(world: World, shard: ShardFact) -> None:
    try:
        world.backend.unstage(shard.place)
    except CloudError as cause:  # not worth stopping for: it is named, and costs some storage at most
        left = f"gs://{shard.place.bucket}/{shard.place.input}"
        world.tell(Note(f"shard {shard.id}: {left} could not be removed ({cause.what})", "warning"))


def settle_doubt(world: World, shard: ShardFact, options: Options) -> None:
    """A create was meant, no reply is on record. Look for the job by its label, with patience, before anything else.

    Raises DoubtfulSubmitError where "not listed" does not prove "not made" and nobody has said --resubmit.
    """
    world.tell(Note(f"job {shard.id}: its create had no reply on record; looking for it by its label"))
    found = look_for(world, shard)
    if found:
        world.ledger.shards.submitted(shard.id, found[0], world.stamp())
        world.tell(Note(f"job {shard.id}: found, {found[0].name}; nothing is paid twice"))
        return
    not_made = world.backend.patience.then_create or world.ledger.owners.held_back(shard.id)
    if not_made or options.resubmit:
        abandon(world, shard, may_bill=not not_made, ours=is_ours(world))
        world.tell(Note(f"job {shard.id}: not there; its requests will be sent again"))
        return
    waited_s = sum(world.backend.patience.look_again_s)
    raise DoubtfulSubmitError(
        f"the create of job {shard.id} had no reply, and after {waited_s:.0f} s no job with its label is listed",
        where=f"{shard.place.project}/{shard.place.location}, label {LABEL}={shard.label}",
        hint="Look at the batch jobs in the console. If it is not there, `overnight run --resubmit` sends it again;"
        " if it is, run again in a few minutes and it is found.",
    )


def name_twins(world: World, shard: ShardFact) -> None:
    """A create that something on the way repeats makes two jobs, and its reply names one (facts 1.4): say so."""
    try:
        found = world.backend.find(shard.place, LABEL, shard.label)
    except CloudError as cause:
        what = f"it could not be seen whether it was made twice ({cause.what})"
        world.tell(Note(f"job {shard.id}: {what}", "warning"))
        return
    for other in found:
        if other.name != shard.job_name:
            world.tell(Note(_twin(shard, other), "warning"))


def _twin(shard: ShardFact, other: JobStatus) -> str:
    return (
        f"job {shard.id}: {other.name} has the same label. Only one of the two is collected, and both are billed: look"
        f" at it in the console ({shard.place.project}/{shard.place.location}) and cancel it there"
    )


def look_for(world: World, shard: ShardFact) -> Sequence[JobStatus]:
    """Jobs with the shard's label, the earliest first; looks again until one is listed or patience ends."""
    for wait_s in (0.0, *world.backend.patience.look_again_s):
        if wait_s:
            world.sleep(wait_s)
        found = world.backend.find(shard.place, LABEL, shard.label)
        if found:
            return sorted(found, key=lambda job: (job.create_time, job.name))
    return []
