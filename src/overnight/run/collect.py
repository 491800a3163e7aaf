"""Step 7: a job has ended; what does its output hold, and whose is it? Then the shard is collected, in one transaction.

Raw output is fetched and kept (compressed) before anything is read from it, so that it can be read again for nothing.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from overnight.answers.match import Expected, Matcher, Taken, Tally
from overnight.answers.validate import validator
from overnight.backends.backend import OutputFile
from overnight.core.events import Note, Progress
from overnight.core.outcome import Outcome, ProblemKind, Stray, StrayKind
from overnight.core.states import JobStatus
from overnight.errors import AccountingError, JobError
from overnight.ledger.outcomes import Collecting
from overnight.ledger.shards import ShardFact
from overnight.pricing.prices import LONG_PROMPT_TOKENS
from overnight.run.bill import Pricing
from overnight.run.billing import bill_of_job
from overnight.run.echo import loose_fingerprints
from overnight.run.raw import Keeper, RawFile, forget_kept, is_kept, kept_name, raw_files, read_lines
from overnight.run.settled import settled_amounts
from overnight.run.world import World

_EMPTY_LOOKS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""A job may say SUCCEEDED before its output is listed (ellmer#926 [U]): look again before calling rows missing."""

_SUCCEEDED = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED"})


def collect(world: World, shard: ShardFact) -> JobError | None:
    """Fetch, read, settle. Returns why a person has to mend something before its requests are sent again, or None.

    Not raised here: other jobs that have ended are collected before anything stops.
    """
    status = shard.job
    assert status is not None, "only a shard whose job was seen to end is collected"
    _fetch_and_settle(world, shard, status)
    if not status.is_refused:
        return None
    assert status.error is not None
    return JobError(
        f"job {shard.id} failed: {status.error[1]}",
        where=status.name,
        hint=f"{_what_it_cost(status)} Mend what the message names, then run again: its requests are sent again then."
        " `overnight check --cloud` looks at buckets, rights and regions.",
    )


def _fetch_and_settle(world: World, shard: ShardFact, status: JobStatus, *, again: bool = False) -> bool:
    """again: of a job collected before, which is left as it is where no output is there now. Returns False then."""
    folder = world.home.raw / shard.label
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".collect-", dir=folder) as scratch:
        files = list(_fetch(world, shard, status, Path(scratch)))
        if again and not files:
            return False
        forget_kept(folder)
        keeper = Keeper(files, folder)
        try:
            settle(world, shard, status, files, before_commit=keeper.finish, again=again)
        finally:
            keeper.join()
    return True


def reparse(world: World, shard: ShardFact) -> None:
    """Read a collected job's raw output again: answers stay, problems may become answers. Costs nothing.

    Where none is kept (it came later than anybody waited, or somebody removed it) it is fetched anew.
    """
    status = shard.job
    assert status is not None
    folder = world.home.raw / shard.label
    if not is_kept(folder):
        expected = bool(shard.lines or _waits_s(world, status))
        if expected and not _fetch_and_settle(world, shard, status, again=True):
            what = f"its raw output is neither in {folder} nor at the service; left as it is"
            world.tell(Note(f"job {shard.id}: {what}", "warning"))
        return
    with raw_files(folder) as files:
        settle(world, shard, status, files, before_commit=lambda: None, again=True)


def _fetch(world: World, shard: ShardFact, status: JobStatus, scratch: Path) -> Iterator[RawFile]:
    for number, output in enumerate(_listing(world, shard, status)):
        name = kept_name(number, output.name)
        path = scratch / name
        with path.open("wb") as target:
            world.backend.fetch(shard.place, output, target)
        yield RawFile(path, f"{shard.label}/{name}.gz", output.chunk)


def _listing(world: World, shard: ShardFact, status: JobStatus) -> Sequence[OutputFile]:
    """The output files, once two looks in a row agree; where output is to be expected, once a final file is there."""
    waits = _waits_s(world, status)
    found = world.backend.outputs(shard.place, status)
    for wait_s in waits or (0.0,):
        complete = any(not file.chunk for file in found) or not waits
        world.sleep(0.0 if complete else wait_s)
        before, found = found, world.backend.outputs(shard.place, status)
        if complete and found == before:
            break
    return found


def _waits_s(world: World, status: JobStatus) -> Sequence[float]:
    """How long to look for output: empty where none is to be expected, as of a job that never ran."""
    if status.state in _SUCCEEDED:
        return _EMPTY_LOOKS_S
    cut_short = status.state in {"JOB_STATE_EXPIRED", "JOB_STATE_CANCELLED"} and bool(status.start_time)
    return world.backend.patience.look_again_s if cut_short or _ran(status) else ()


def settle(
    world: World,
    shard: ShardFact,
    status: JobStatus,
    files: Sequence[RawFile],
    *,
    before_commit: Callable[[], None],
    again: bool = False,
) -> None:
    """Read a job's files and write what they say, as one fact. before_commit: the last thing that may stop it."""
    expected = {address: Expected(attempt, print_) for address, attempt, print_ in world.ledger.shards.rows(shard.id)}
    recipe = world.ledger.recipes.load(shard.recipe)
    matcher = Matcher(
        world.realm,
        expected,
        validator(recipe.schema),
        answered=_answered_before(world, expected),
        stored=world.ledger.outcomes.answers_of(shard.id),
        loose=lambda: loose_fingerprints(world, shard),
    )
    now = world.stamp()
    with world.ledger.outcomes.collecting(shard.id, now, again=again) as collecting:
        settled = _Settling(world, collecting)
        settled.lines(matcher, files, shard)
        settled.rest(matcher, shard, status)
        settled.close(matcher, shard, status, len(expected), now)
        before_commit()
    if settled.contradicted:
        what = f"{settled.contradicted:,} lines repeat a request with another answer; the earlier answer was taken"
        world.tell(Note(f"job {shard.id}: {what}", "warning"))
    tally = matcher.tally
    if tally.breaker_tripped(len(expected)):
        world.tell(Note(f"job {shard.id}: {tally.suspicious:,} of {len(expected):,} rows are suspicious", "warning"))
    elif settled.output_is_gone(status, tally):
        what = f"the service says {status.succeeded:,} rows were done, its output holds {tally.lines:,} lines"
        world.tell(Note(f"job {shard.id}: {what}", "warning"))


@dataclass(slots=True)
class _Settling:
    """Writes what the matcher says into the open transaction, and adds up.

    contradicted: lines that said something else than the one that was taken for the same request.
    """

    world: World
    collecting: Collecting
    unsettled: int = 0
    contradicted: int = 0

    def lines(self, matcher: Matcher, files: Sequence[RawFile], shard: ShardFact) -> None:
        for file in files:
            for number, line in read_lines(file):
                found = matcher.line(line, f"{file.source}:{number}", chunk=file.chunk)
                if found is not None:
                    self.take(found)
                if matcher.tally.lines % 5_000 == 0:
                    self.world.tell(Progress("collect", matcher.tally.lines, shard.n_rows, "lines"))
        for found in matcher.rest():
            self.take(found)

    def take(self, found: Taken | Stray) -> None:
        write = self.collecting.write
        other = found if isinstance(found, Stray) else found.instead_of
        self.contradicted += other is not None and other.differs and other.kind is StrayKind.DUPLICATE
        if isinstance(found, Stray):
            write.stray(found)
            return
        if found.instead_of is not None:
            write.stray(found.instead_of)
        if found.counted:
            write.as_copy(found.outcome)
        if found.instead_of is None:
            write.outcome(found.outcome)
        else:
            write.replace(found.outcome)

    def rest(self, matcher: Matcher, shard: ShardFact, status: JobStatus) -> None:
        kind, detail = _why_missing(shard, status)
        for address, row in matcher.missing():
            self.collecting.write.outcome(Outcome(address, row.attempt, kind, detail=detail))
            self.unsettled += 1

    def close(self, matcher: Matcher, shard: ShardFact, status: JobStatus, n_rows: int, now: str) -> None:
        """The job's sums: lines = accepted + strays, rows = accepted + without a line + settled before."""
        tally = matcher.tally
        strays = sum(tally.strays.values())
        if tally.lines != tally.accepted + strays:
            raise AccountingError(
                f"job {shard.id}: {tally.lines:,} lines, but {tally.accepted:,} accepted and {strays:,} strays",
                where=shard.job_name,
                hint="Nothing of this job was written. Keep its raw output and report this.",
            )
        if n_rows != tally.accepted + self.unsettled + matcher.settled_before:
            raise AccountingError(
                f"job {shard.id}: {n_rows:,} rows, but {tally.accepted:,} accepted, {self.unsettled:,} without a line,"
                f" {matcher.settled_before:,} settled before",
                where=shard.job_name,
                hint="Nothing of this job was written. Keep its raw output and report this.",
            )
        fact = self.collecting.fact
        fact.lines = tally.lines
        self.collecting.write.flush()
        lines = self.world.ledger.bills.of_shard(shard.id, LONG_PROMPT_TOKENS)
        rows = bill_of_job(Pricing(self.world.prices), shard, lines, now=now)
        fact.billed, fact.kept = settled_amounts(shard, rows)
        fact.breaker = tally.breaker_tripped(n_rows) or self.output_is_gone(status, tally)

    def output_is_gone(self, status: JobStatus, tally: Tally) -> bool:
        """The job succeeded with rows done, and most of them are not in its output: paying again would not help."""
        return status.state in _SUCCEEDED and 2 * tally.lines < (status.succeeded or 0)


def _answered_before(world: World, expected: Mapping[bytes, Expected]) -> frozenset[bytes]:
    """Requests of this shard that an earlier attempt has answered. First attempts have none: then nothing is read.

    Where a create was given up as not made and turned up after all (`adopt`, `recover`), the same attempt is in two
    jobs: the one that was collected first has settled it.
    """
    same_too = any(shard.repeats for shard in world.ledger.shards.all(world.realm))
    if not same_too and all(row.attempt == 1 for row in expected.values()):
        return frozenset()
    floors = dict(world.ledger.outcomes.reopened())
    return frozenset(
        address
        for address, attempt, kind, _ in world.ledger.outcomes.ended(world.realm)
        if kind is None
        and address in expected
        and floors.get(address, 0) < attempt < expected[address].attempt + same_too
    )


def _why_missing(shard: ShardFact, status: JobStatus) -> tuple[ProblemKind, str]:
    """What a row without a line ended as, by how its job ended."""
    if shard.cancelled or status.state == "JOB_STATE_CANCELLED":
        return ProblemKind.CANCELLED, "the job was cancelled before this row"
    if status.state == "JOB_STATE_EXPIRED":
        return ProblemKind.EXPIRED, "the job ran out of time before this row"
    if status.state == "JOB_STATE_FAILED":
        code, message = status.error or (0, "the job failed without a word")
        return ProblemKind.SERVICE_ERROR, f"the job failed (code {code}): {message}"
    return ProblemKind.MISSING, f"the job ended as {status.state} and its output holds no line for this row"


def _what_it_cost(status: JobStatus) -> str:
    if _ran(status):
        return f"{status.succeeded:,} rows were done and may be billed, but nothing of them was written."
    return "As far as the service says, no row ran, so nothing is billed."


def _ran(status: JobStatus) -> bool:
    return (status.succeeded or 0) > 0
