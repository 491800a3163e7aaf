"""Step 6: wait until a job ends. Polls from often to seldom; a bad connection is waited out, not given up on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from overnight.core.events import JobChanged, Note, Progress
from overnight.core.realm import is_simulated
from overnight.core.states import JobPhase, JobStatus
from overnight.errors import JobError, NotFoundError, UnavailableError
from overnight.ledger.shards import ShardFact
from overnight.run.recover import name_twins
from overnight.run.stuck import Look, stuck, word
from overnight.run.world import World

GONE_LOOKS: Final = 3
"""So many more looks before a 404 is believed."""

_SLOWDOWN = 20
"""The wait between two looks is a twentieth of the time waited so far, within the backend's bounds."""


@dataclass(slots=True)
class Watch:
    """The running jobs of a realm, as last seen. trouble: why one of them needs a person, of the last look."""

    world: World
    trouble: JobError | None = None
    _told: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    _unusual: set[int] = field(default_factory=set)
    _sought: set[int] = field(default_factory=set)
    _moved: dict[int, tuple[int, datetime]] = field(default_factory=dict)
    _watched: dict[int, datetime] = field(default_factory=dict)

    def look(self) -> list[ShardFact]:
        """One look at every running job. Returns the shards whose job has ended.

        A job that needs a person (paused, unknown state, gone) keeps no other from being seen: it becomes `trouble`.
        """
        ended = []
        self.trouble = None
        for shard in self.world.ledger.shards.all(self.world.realm, "submitted"):
            try:
                if self._has_ended(shard):
                    ended.append(self.world.ledger.shards.get(shard.id))
            except JobError as trouble:
                self.trouble = self.trouble or trouble
        return ended

    def _has_ended(self, shard: ShardFact) -> bool:
        """Raises JobError for a job that needs a person."""
        status = self._poll(shard)
        if status is None:
            return False
        if shard.id not in self._sought:
            self._sought.add(shard.id)
            name_twins(self.world, shard)
        if status.phase is JobPhase.NEEDS_A_PERSON and not shard.cancelled:
            raise JobError(
                f"job {shard.id} is {word(status)}: it can go on, but no call makes it go on",
                where=status.name,
                hint="Look at it in the console, or `overnight cancel` it: what is done is collected.",
            )
        return status.phase is JobPhase.ENDED

    def wait(self, started: datetime) -> None:
        """Sleep until the next look."""
        least_s, most_s = self.world.backend.patience.poll_s
        waited_s = (self.world.now() - started).total_seconds()
        self.world.sleep(min(max(waited_s / _SLOWDOWN, least_s), most_s))

    def _poll(self, shard: ShardFact) -> JobStatus | None:
        if not shard.job_name:  # of a rebuilt ledger: listed no more, and its output is there
            return shard.job
        try:
            status = self.world.backend.poll(shard.place, shard.job_name)
        except NotFoundError as cause:
            found = self._look_again(shard)
            if found is None:
                raise _gone(shard) from cause
            status = found
        except UnavailableError as cause:
            self.world.tell(Note(f"job {shard.id}: no answer just now ({cause.what}); it goes on", "warning"))
            return None
        if status != shard.job:
            self.world.ledger.shards.seen(shard.id, status)
        self._tell(shard, status)
        return status

    def _look_again(self, shard: ShardFact) -> JobStatus | None:
        """A 404 may be a list that lags behind: a job is gone when several looks in a row say so."""
        for wait_s in self.world.backend.patience.look_again_s[:GONE_LOOKS]:
            self.world.sleep(wait_s)
            try:
                return self.world.backend.poll(shard.place, shard.job_name)
            except NotFoundError:
                continue
        return None

    def _tell(self, shard: ShardFact, status: JobStatus) -> None:
        waited_s = self._waited_s(shard)
        seen = status.state, status.succeeded
        if self._told.get(shard.id) != seen:
            self._told[shard.id] = seen
            self.world.tell(JobChanged(shard.id, status, shard.n_rows, waited_s))
        if status.succeeded is not None and status.succeeded >= 0:
            self.world.tell(Progress(f"job {shard.id}", status.succeeded, shard.n_rows, "requests"))
        if shard.id in self._unusual:
            return
        aim_s = self.world.backend.patience.unusual_s
        look = Look(shard, status, aim_s, self._still_since(shard, status), self._moving_since(shard))
        found = stuck(self.world, look)
        if found is not None:
            self._unusual.add(shard.id)
            self.world.tell(found)

    def _still_since(self, shard: ShardFact, status: JobStatus) -> datetime | None:
        """Since when this process has seen the same count of done rows."""
        done = status.succeeded
        if done is None or done < 0:
            return None
        if self._moved.get(shard.id, (-1, None))[0] != done:
            self._moved[shard.id] = done, self.world.now()
        return self._moved[shard.id][1]

    def _moving_since(self, shard: ShardFact) -> datetime | None:
        """Jobs of the local cloud stand still between two runs: only what this process has watched counts there."""
        return self._watched.setdefault(shard.id, self.world.now()) if is_simulated(self.world.realm) else None

    def _waited_s(self, shard: ShardFact) -> float:
        submitted = datetime.fromisoformat(shard.submitted)
        return max(0.0, (self.world.now() - submitted).total_seconds())


def _gone(shard: ShardFact) -> JobError:
    return JobError(
        f"job {shard.id} is not there any more: its answers cannot be had from it",
        where=shard.job_name,
        hint="It may have been deleted by hand; what it had done is billed. `overnight cancel` gives its requests up,"
        " `overnight retry` opens them, and the next run asks and pays for them again.",
    )
