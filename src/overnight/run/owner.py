"""Who may send: the owner note in the bucket, a fence between copies of one ledger. Realm google only.

Every create moves the note on: nonce into the ledger, note written over the generation that the ledger remembers,
new generation into the ledger. So a ledger that does not know the last create, because it was copied, restored or
synced back before it, is refused, by name. A folder that was moved goes on without a word. Why this way:
docs/decisions/0006-who-may-send.md.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final, Self

from overnight.backends.backend import OwnerNote
from overnight.core.events import Note
from overnight.core.realm import GOOGLE
from overnight.core.states import JobStatus
from overnight.errors import CloudError, ConsentError, LockedError, RefusedError
from overnight.ledger.owners import Held
from overnight.ledger.shards import Place, ShardFact
from overnight.ledger.who import this_host, this_user
from overnight.run.labels import STUDY_LABEL
from overnight.run.raw import harmless
from overnight.run.world import Options, World

CHANGED: Final = 412
FORBIDDEN: Final = 403
_GONE_LOOKS: Final = 2
_CHARS_SHOWN: Final = 200
_JOBS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Owner:
    """What a note says; empty where it does not. job: label of the shard it was last written for. moved_to: the place
    of the note that holds instead, where the study's bucket was changed."""

    nonce: str
    user: str
    host: str
    folder: str
    at: str
    job: str
    moved_to: str

    @classmethod
    def read(cls, note: OwnerNote) -> Self:
        """Of anything that lies there: it is anybody's text."""
        try:
            found = json.loads(note.text)
        except ValueError:
            found = {}
        said: Mapping[str, object] = found if isinstance(found, dict) else {}
        return cls(**{one.name: harmless(str(said.get(one.name) or ""), _CHARS_SHOWN) for one in fields(cls)})

    def __str__(self) -> str:
        return f"{self.user or 'somebody'} on {self.host or 'another machine'}"


def may_send(world: World, options: Options) -> None:
    """Before anything is uploaded: does this ledger know of every job that was made for the study? One read.

    Raises LockedError where another copy of it has sent since; with --take-over ConsentError where that one made jobs
    that this ledger does not know and nobody said yes.
    """
    if world.realm != GOOGLE:
        return
    here = world.backend.owner_place(world.ledger.uid)
    refused: dict[str, LockedError] = {}
    for place, why_not in _refusals(world, here):
        if not options.take_over:
            raise why_not
        refused[place] = why_not
    if refused:
        _take_over(world, options, refused)
    if world.ledger.owners.held(here) is None:
        for place in _former(world, here):  # whoever stayed there with a copy is refused from now on
            _close_former(world, place, here)


def other_sender(world: World) -> LockedError | None:
    """Why this ledger may not know every job of the study, None where it does. One read for each place it was at."""
    if world.realm != GOOGLE:
        return None
    here = world.backend.owner_place(world.ledger.uid)
    return next((why_not for _, why_not in _refusals(world, here)), None)


def _refusals(world: World, here: str) -> Iterator[tuple[str, LockedError]]:
    """Places whose note is not as this ledger holds it; those the study was at before come first."""
    for place in (*_former(world, here), here):
        why_not = _why_not(world, place, here=here)
        if why_not is not None:
            yield place, why_not


def _former(world: World, here: str) -> list[str]:
    """Where the study was before its bucket was changed."""
    return [place for place in world.ledger.owners.places() if place != here]


def claim(world: World, shard: ShardFact) -> None:
    """Just before the create of the shard's job, and for nothing else: the note moves on. One write.

    Raises LockedError where it was moved by another copy, RefusedError where a right is missing; then no job is made.
    """
    if world.realm == GOOGLE:
        _write(world, world.backend.owner_place(world.ledger.uid), job=shard.label)


def is_ours(world: World) -> bool:
    """Is the note as this ledger holds it? Where it is not, what another copy has staged is left alone. One read."""
    if world.realm != GOOGLE:
        return True
    place = world.backend.owner_place(world.ledger.uid)
    try:
        note = world.backend.owner(place)
    except CloudError as cause:
        world.tell(Note(f"{place} could not be read, so nothing staged is removed ({cause.what})", "warning"))
        return False
    return note is None or _matches(world.ledger.owners.held(place), note)


def _matches(held: Held | None, note: OwnerNote) -> bool:
    return held is not None and (held.generation == note.generation or held.nonce == Owner.read(note).nonce)


def _why_not(world: World, place: str, *, here: str) -> LockedError | None:
    """None where the note there is as this ledger holds it, or nobody wrote one."""
    owners = world.ledger.owners
    held = owners.held(place)
    note = _read_again_if_gone(world, place, held, must=place == here)
    if note is None:
        if held is not None and held.generation:
            owners.holds(place, held.nonce, 0)
        return _why_not_without_a_note(world, place) if place == here else None
    if held is None or not _matches(held, note):
        return _another(world, place, Owner.read(note))
    if held.generation != note.generation:  # written by us, and stopped before the ledger heard of it
        owners.holds(place, held.nonce, note.generation)
    return None


def _why_not_without_a_note(world: World, place: str) -> LockedError | None:
    """Never written, or removed with the bucket's files. What else can tell of another sender: the list of jobs."""
    if not world.ledger.shards.all(GOOGLE):
        return None
    unknown = _unknown_jobs(world)
    if not unknown:
        return None
    return LockedError(
        f"no note says who sends for this study, and {_counted(unknown)} of it that this ledger does not know: "
        f"nothing is sent{_listed(unknown)}",
        where=place,
        hint=_HINT,
    )


_HINT: Final = (
    "Go on where that ledger is, or bring it here. `overnight run --take-over` sends from here instead: the other side"
    " is refused from then on, and the jobs it made are not in this ledger. What is under way here is still collected."
)


def _another(world: World, place: str, owner: Owner) -> LockedError:
    if (owner.user, owner.host, owner.folder) == _here(world):
        return LockedError(
            f"this ledger is older than the last job that was sent from this folder, at {owner.at}: nothing is sent",
            where=place,
            hint="It was restored, or synced back. Bring the newer .overnight/ledger.sqlite back. `overnight run"
            " --take-over` sends with this one: jobs made since are not in it.",
        )
    moved = f", and has moved the study to {owner.moved_to}" if owner.moved_to else ""
    return LockedError(
        f"{owner} sends for this study: last at {owner.at or 'a time unknown'}, from"
        f" {owner.folder or 'a folder unknown'}, which this ledger does not know of{moved}. Nothing is sent",
        where=place,
        hint=_HINT,
    )


def _take_over(world: World, options: Options, refused: Mapping[str, LockedError]) -> None:
    """The person says that this ledger sends from now on. Asked first where that may pay for the same twice."""
    notes = {place: note for place in refused if (note := world.backend.owner(place)) is not None}
    owners = {place: Owner.read(note) for place, note in notes.items()}
    for why_not in refused.values():
        world.tell(Note(f"taking over: {why_not.what}", "warning"))
    unknown = _unknown_jobs(world)
    under_way = _under_way(world, list(owners.values()), unknown)
    if unknown or under_way:
        _ask(options, f"{_counted(unknown)} of this study that this ledger does not know{_listed(unknown)}{under_way}")
    for place in refused:
        if place in notes:
            world.ledger.owners.holds(place, owners[place].nonce, notes[place].generation)
        _write(world, place)


def _ask(options: Options, what: str) -> None:
    """Raises ConsentError where nobody says yes."""
    question = f"{what}\nTheir requests may be among those to be sent now, and are then paid for twice."
    if options.pay_again or (options.ask is not None and options.ask(f"{question} Take over and send?")):
        return
    raise ConsentError(
        question,
        hint="Bring them in first (`overnight adopt`, or `overnight recover` into a new ledger), or say"
        " `overnight run --take-over --pay-again` if they may be paid for again.",
    )


def _under_way(world: World, owners: "list[Owner]", unknown: "list[JobStatus]") -> str:
    """Jobs that the notes name, that no list shows yet."""
    known = {shard.label for shard in world.ledger.shards.all(GOOGLE)} | {job.label for job in unknown}
    return "".join(
        f"\n  overnight-job={owner.job}: announced at {owner.at}, and not listed (yet): it may be on its way"
        for owner in owners
        if owner.job and owner.job not in known
    )


def _unknown_jobs(world: World) -> "list[JobStatus]":
    """Jobs with the study's label that this ledger has not made: where the study is now, and where it was."""
    ledger = world.ledger
    shards = ledger.shards.all(GOOGLE)
    labels, names = {shard.label for shard in shards}, {shard.job_name for shard in shards}
    found: dict[str, JobStatus] = {}
    for place in _places_of_jobs(world, shards):
        for job in world.backend.find(place, STUDY_LABEL, ledger.uid):
            if job.label not in labels and job.name not in names:
                found[job.name] = job
    return sorted(found.values(), key=lambda job: (job.create_time, job.name))


def _places_of_jobs(world: World, shards: "list[ShardFact]") -> Iterator[Place]:
    """One of each project and location."""
    now = world.backend.place(world.ledger.uid, "")
    yield from {(place.project, place.location): place for place in (now, *(shard.place for shard in shards))}.values()


def _counted(jobs: "list[JobStatus]") -> str:
    return f"the service lists {len(jobs):,} job{'' if len(jobs) == 1 else 's'}"


def _listed(jobs: "list[JobStatus]") -> str:
    shown = "".join(f"\n  {job.name}, made {job.create_time}, {job.state}" for job in jobs[:_JOBS_SHOWN])
    rest = len(jobs) - _JOBS_SHOWN
    return shown + (f"\n  and {rest:,} more" if rest > 0 else "")


def _close_former(world: World, place: str, here: str) -> None:
    """The study's bucket was changed: the note in the former one says so. Where that is gone, nobody can send."""
    try:
        _write(world, place, moved_to=here)
    except RefusedError as refused:
        world.tell(Note(f"{place} could not be marked as moved to {here} ({refused.what})", "warning"))


def _read(world: World, place: str, *, must: bool) -> OwnerNote | None:
    """must: False where the study's bucket was changed since; what can no longer be read there holds nobody up."""
    try:
        return world.backend.owner(place)
    except RefusedError as refused:
        if refused.code != FORBIDDEN:
            raise
        if must:
            raise _without_a_right(refused, place, "read", "storage.objects.get and .list") from refused
        world.tell(Note(f"{place} can no longer be read ({refused.what})", "warning"))
        return None


def _read_again_if_gone(world: World, place: str, held: Held | None, *, must: bool) -> OwnerNote | None:
    """A note that was there is gone when several looks agree: one 404 too many, and this ledger would forget the
    generation to write over, and be refused by its own note for ever."""
    note = _read(world, place, must=must)
    looks = world.backend.patience.look_again_s[:_GONE_LOOKS] if held is not None and held.generation else ()
    for wait_s in looks:
        if note is not None:
            break
        world.sleep(wait_s)
        note = _read(world, place, must=must)
    return note


def _write(world: World, place: str, *, job: str = "", moved_to: str = "") -> None:
    """Intent, effect, fact. Raises LockedError where the note is not the one that this ledger wrote last."""
    owners = world.ledger.owners
    nonce = secrets.token_hex(16)
    owner = Owner(nonce, *_here(world), world.stamp(), job, moved_to)
    held = owners.intend(place, nonce)
    try:
        generation = world.backend.claim(place, _text(world, owner), held.generation)
    except RefusedError as refused:
        if refused.code == CHANGED:
            raise _changed(world, place) from refused
        if refused.code == FORBIDDEN:
            raise _without_a_right(refused, place, "written", "storage.objects.create and .delete") from refused
        raise
    owners.holds(place, nonce, generation, job=job)


def _here(world: World) -> tuple[str, str, str]:
    """Who we are: user, host, folder."""
    user, host, folder = (harmless(text, _CHARS_SHOWN) for text in (this_user(), this_host(), str(world.home.folder)))
    return user, host, folder


def _changed(world: World, place: str) -> LockedError:
    note = world.backend.owner(place)
    if note is not None:
        return _another(world, place, Owner.read(note))
    return LockedError(
        "the note that says who sends for this study was removed while this run was sending: nothing more is sent",
        where=place,
        hint="Run again: it is written anew if no other copy of this ledger has made a job.",
    )


def _text(world: World, owner: Owner) -> str:
    about = "Who sends for this study, written by overnight before each job. Do not edit or remove it."
    said = {"about": about, "study": world.study, "uid": world.ledger.uid, **asdict(owner)}
    return json.dumps(said, ensure_ascii=False, indent=1)


def _without_a_right(refused: RefusedError, place: str, done: str, rights: str) -> RefusedError:
    return RefusedError(
        f"the note that says who sends for this study could not be {done}: {refused.what}",
        code=refused.code,
        where=place,
        hint=f"It needs {rights} on the bucket (roles/storage.objectUser holds them), and a bucket without a retention"
        " policy: one that forbids overwriting cannot be used.",
    )
