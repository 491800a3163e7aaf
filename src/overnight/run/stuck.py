"""Is a job stuck? Nobody can know: what is said is for how long it has waited, what is usual, and what can be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from overnight.core.events import JobStuck
from overnight.core.realm import GOOGLE
from overnight.core.states import JobPhase, JobStatus
from overnight.ledger.shards import ShardFact
from overnight.planning.usual import PastJob, Usual, quiet_s, usual
from overnight.run.world import World

_ENDED_BY_ITSELF = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED"})
_CONSOLE = "https://console.cloud.google.com/vertex-ai/batch-predictions"


@dataclass(frozen=True, slots=True)
class Look:
    """A running job as it is seen now. aim_s: see planning/usual.py. still_since: since when its count of rows has not
    changed, as far as this process has watched; None where it gives none. since: from when its time counts; None means
    since it was submitted."""

    shard: ShardFact
    status: JobStatus
    aim_s: float
    still_since: datetime | None = None
    since: datetime | None = None


def stuck(world: World, look: Look) -> JobStuck | None:
    """None: nothing unusual. Reads past jobs only for one that has been under way for long."""
    if look.status.phase not in {JobPhase.WAITING, JobPhase.RUNNING}:
        return None
    since = look.since or datetime.fromisoformat(look.shard.submitted)  # by our clock, as `now` is
    waited_s = (world.now() - since).total_seconds()
    if waited_s <= quiet_s(look.aim_s):
        return None
    normal = usual(past_jobs(world, look.shard.model), look.shard.n_rows, look.aim_s)
    if waited_s > normal.unusual_s:
        return _told(look, f"{_for_long(look, since, waited_s)}; {_normal(normal, world.realm)}", world.realm)
    still_s = 0.0 if look.still_since is None else (world.now() - look.still_since).total_seconds()
    if look.status.phase is JobPhase.RUNNING and still_s > quiet_s(look.aim_s):
        return _told(look, _without_progress(look, still_s), world.realm)
    return None


def past_jobs(world: World, model: str = "") -> list[PastJob]:
    """This realm's jobs of that model (empty: the study's), as far as they tell what is usual."""
    return list(_past(world, model or world.model.id))


def _past(world: World, model: str) -> Iterator[PastJob]:
    """This realm's jobs of the same model that ended by themselves, by the service's own clock."""
    for shard in world.ledger.shards.all(world.realm, "collected"):
        job = shard.job
        if shard.model != model or shard.cancelled or job is None or job.state not in _ENDED_BY_ITSELF:
            continue
        begun, ended = _moment(job.create_time or shard.submitted), _moment(job.end_time)
        if begun is not None and ended is not None and ended >= begun:
            yield PastJob(shard.n_rows, (ended - begun).total_seconds())


def _told(look: Look, what: str, realm: str) -> JobStuck:
    advice = _advice(look, realm)
    return JobStuck(f"job {look.shard.id} {what}. {advice}", "warning", job=look.shard.label)


def _for_long(look: Look, since: datetime, waited_s: float) -> str:
    place = "waits in the queue" if look.status.phase is JobPhase.WAITING else f"is {word(look.status)}"
    return f"{place} for unusually long: {spell(waited_s)}, since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _without_progress(look: Look, still_s: float) -> str:
    done = look.status.succeeded or 0
    rows = f"{done:,} of {look.shard.n_rows:,}"
    return f"is {word(look.status)}, but its count of done rows has stood at {rows} for {spell(still_s)}"


def _normal(normal: Usual, realm: str) -> str:
    if not normal.n_jobs:
        who = "Google aims at" if realm == GOOGLE else "the local cloud takes no more than"
        return f"no job of this study has ended yet, and {who} {spell(normal.within_s)}"
    most = "" if normal.n_jobs < 10 else "nine of ten of "
    jobs = "earlier job" if normal.n_jobs == 1 else f"{normal.n_jobs:,} earlier jobs"
    return f"{most}this study's {jobs} ended within {spell(normal.within_s)}"


def _advice(look: Look, realm: str) -> str:
    if look.shard.cancelled:
        return "It was asked to stop, and may take its time. What is done is collected when it ends"
    if realm != GOOGLE:
        return "A switch or a fault plan of the local cloud may hold it. Wait, or `overnight cancel`"
    if look.status.phase is JobPhase.WAITING:
        promise = "It may still begin by itself: Google keeps a job in the queue for up to 72 hours, then it expires"
        cost = "as long as no row was run, that costs nothing"
    else:
        promise = (
            "It may still end by itself: after about 24 hours of running Google stops a job and keeps what is done"
        )
        cost = "rows done by then are kept and billed, the others given up until `overnight retry`"
    return f"{promise}. Wait, look at it in the console ({_CONSOLE}), or `overnight cancel`: {cost}"


def word(status: JobStatus) -> str:
    return status.state.removeprefix("JOB_STATE_").lower().replace("_", " ")


def spell(seconds: float) -> str:
    if seconds < 90:
        return _counted(seconds, "second")
    if seconds < 90 * 60:
        return _counted(seconds / 60, "minute")
    return _counted(seconds / 3600, "hour")


def _counted(n: float, unit: str) -> str:
    return f"{n:.0f} {unit}{'' if round(n) == 1 else 's'}"


def _moment(text: str) -> datetime | None:
    """RFC 3339 as the service wrote it; None where there is none that can be read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
