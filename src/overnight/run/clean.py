"""`overnight clean`: what the study has put into the bucket and the list of jobs is taken out again, and nothing else.

Only of jobs that are over: what is under way, or may be, is left alone. What was made by hand is left alone for ever.
Only with the ledger that sends: what is over in a copy that was left behind may be under way where the others are made.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from overnight.backends.backend import StoredObject
from overnight.core.events import Note
from overnight.errors import LockedError, NotFoundError
from overnight.ledger.shards import ShardFact
from overnight.run.labels import LABEL
from overnight.run.owner import other_sender
from overnight.run.raw import is_kept
from overnight.run.world import World


@dataclass(frozen=True, slots=True)
class Leftover:
    """What can go of one shard. job: its name where it is listed still and carries our label, else empty."""

    shard: ShardFact
    objects: tuple[StoredObject, ...]
    job: str

    @property
    def size_bytes(self) -> int:
        return sum(found.size_bytes for found in self.objects)


def leftovers(world: World) -> Iterator[Leftover]:
    """Looks in the bucket and asks for each job; changes nothing. Shards of which nothing is left are not named.

    Raises LockedError where another copy of the ledger has sent since.
    """
    _check_sender(world)
    for shard in world.ledger.shards.all(world.realm, "collected", "abandoned"):
        if shard.adopted:
            continue
        ours = _ours(world, shard)
        if why := _why_it_stays(world, shard, ours):
            world.tell(Note(f"{why}; left alone", "warning"))
            continue
        job = _listed(world, shard)
        if ours or job:
            yield Leftover(shard, ours, job)


def _ours(world: World, shard: ShardFact) -> tuple[StoredObject, ...]:
    found = world.backend.objects(shard.place)
    ours = tuple(one for one in found if world.backend.is_ours(shard.place, one.name))
    if len(ours) < len(found):
        others = len(found) - len(ours)
        world.tell(Note(f"{folder_of(shard)} holds {others} files that are not ours; left alone", "warning"))
    return ours


def _why_it_stays(world: World, shard: ShardFact, ours: tuple[StoredObject, ...]) -> str:
    """Empty: it can go. A copy of the ledger may have made a job of what this one gave up: the list of jobs knows."""
    if shard.state == "collected":
        kept = not shard.lines or is_kept(world.home.raw / shard.label)
        return "" if kept else f"job {shard.id}: its raw output is not on this disk"
    if shard.kept is not None:
        return f"shard {shard.id}: whether a job was made of it was never settled"
    made = world.backend.find(shard.place, LABEL, shard.label) if ours else ()
    known = {one.job_name for one in world.ledger.shards.all(world.realm)}
    unknown = [job.name for job in made if job.name not in known]
    if unknown:
        return f"shard {shard.id}: {unknown[0]} was made of it, which this ledger does not know (`overnight adopt`)"
    return f"shard {shard.id}: job {made[0].name} reads and writes its files" if made else ""


def _check_sender(world: World) -> None:
    other = other_sender(world)
    if other is not None:
        raise LockedError(
            f"nothing is removed: {other.what}",
            where=other.where,
            hint="`overnight clean` where that ledger is, or after `overnight run --take-over` here. What is over in"
            " this one may be under way, or not collected yet, in the other.",
        )


def remove(world: World, leftover: Leftover) -> None:
    """The input last: while it is there, the shard is found again by `leftovers`."""
    shard = leftover.shard
    if leftover.job:
        world.backend.delete_job(shard.place, leftover.job)
    for found in sorted(leftover.objects, key=lambda one: one.name == shard.place.input):
        world.backend.remove(shard.place, found.name)
    left = f" and job {shard.job_name}" if leftover.job else ""
    world.tell(Note(f"removed {len(leftover.objects)} files from {folder_of(shard)}{left}"))


def _listed(world: World, shard: ShardFact) -> str:
    if not shard.job_name:
        return ""
    try:
        status = world.backend.poll(shard.place, shard.job_name)
    except NotFoundError:
        return ""
    return shard.job_name if status.label == shard.label else ""


def folder_of(shard: ShardFact) -> str:
    return f"gs://{shard.place.bucket}/{shard.place.input.rsplit('/', 1)[0]}/"
