"""What becomes of a job: PENDING, RUNNING, an end. One task a job on the event loop, the work in threads.

Faults act at four points of its life (faults/jobs.py): in the queue, at import, between chunks of rows, at the end.

The work is done in chunks. After each one the lines are on disk, the rows in the journal and the progress in
state.sqlite, in this order; a server killed in between takes the chunk up again, and the journal enters a row once.
"""

import asyncio
import contextlib
import math
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from overnight.localcloud.errors import ApiError
from overnight.localcloud.faults.book import Faults
from overnight.localcloud.faults.jobs import CancellingEnds, Fail, Leave, LifeFault, Point, Stand
from overnight.localcloud.faults.output import ChunkFiles
from overnight.localcloud.journal import Journal
from overnight.localcloud.storage.store import ObjectStore
from overnight.localcloud.switches import Switches
from overnight.localcloud.values import now_us, rfc3339
from overnight.localcloud.vertex import jobs as states
from overnight.localcloud.vertex.ends import Ends, JobFailedError, JobOverError
from overnight.localcloud.vertex.importer import ImportRefusedError, import_file
from overnight.localcloud.vertex.jobs import Job, JobStore
from overnight.localcloud.vertex.models import find_model
from overnight.localcloud.vertex.output.files import WorkFiles, write_chunk
from overnight.localcloud.vertex.regions import buckets_of, check_regions
from overnight.localcloud.vertex.respond import Answerer
from overnight.localcloud.vertex.rows import RowServer, finished

T = TypeVar("T")
_NO_ROOM_WAIT_S: Final = 2.0
_LOOK_S: Final = 0.2  # how often a waiting job looks at its switches and faults
_SMALLEST_CHUNK: Final = 50
_LARGEST_CHUNK: Final = 2_000


class Runner:
    def __init__(
        self,
        jobs: JobStore,
        store: ObjectStore,
        journal: Journal,
        switches: Switches,
        faults: Faults,
        answerer: Answerer,
    ) -> None:
        self._jobs, self._store, self._journal = jobs, store, journal
        self._switches, self._faults, self._answerer = switches, faults, answerer
        self._ends = Ends(jobs, store, switches, faults, self._row_server)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="job")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pokes: dict[str, asyncio.Event] = {}
        self._stopping = False

    # Life

    def start(self) -> None:
        """Takes up every job that was under way; sweeps the work of jobs that are none any more."""
        unfinished = self._jobs.unfinished()
        alive = {job.id for job in unfinished}
        for folder in self._store.home.work.iterdir():
            if folder.name not in alive:
                self._work(folder.name).remove()
        for job in unfinished:
            self.launch(job)

    def launch(self, job: Job) -> None:
        self._pokes[job.id] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._drive(job), name=job.name)
        self._tasks[job.id] = task
        task.add_done_callback(lambda done: self._ended(job, done))

    def _ended(self, job: Job, task: "asyncio.Task[None]") -> None:
        self._tasks.pop(job.id, None)
        self._pokes.pop(job.id, None)
        if task.cancelled() or (error := task.exception()) is None:
            return
        with contextlib.suppress(OSError):  # the log may lie on the same full disk
            traceback.print_exception(error, file=sys.stderr)
        if isinstance(error, OSError | sqlite3.OperationalError):  # the disk: it goes on as after a crash, with room
            asyncio.get_running_loop().call_later(_NO_ROOM_WAIT_S, self._take_up, job.id)
            return
        # A fault of the local cloud itself: the client sees Google's words for such a thing.
        text = f"System error. Please try this operation again. (local cloud: {error!r})"
        self._jobs.save(job, states.FAILED, error={"code": 13, "message": text})

    def _take_up(self, job_id: str) -> None:
        if not self._stopping and job_id not in self._tasks:
            for job in self._jobs.unfinished():
                if job.id == job_id:
                    self.launch(job)

    def poke(self, job_id: str) -> None:
        """Something was asked of the job: it looks now."""
        if job_id in self._pokes:
            self._pokes[job_id].set()

    async def stop(self) -> None:
        """Lets running chunks end; the jobs go on at the next start."""
        self._stopping = True
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown)

    async def _wait(self, job: Job, seconds: float) -> None:
        poke = self._pokes[job.id]
        poke.clear()
        try:
            async with asyncio.timeout(max(0.0, min(seconds, _LOOK_S))):
                await poke.wait()
        except TimeoutError:
            return

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Not interrupted by `stop`: a chunk is ended once begun."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._threads, work))

    def _work(self, job_id: str) -> WorkFiles:
        return self._ends.work(job_id)

    # A job's life

    async def _drive(self, job: Job) -> None:
        try:
            if job.state not in states.ENDED:
                await self._heed_cancel(job)  # asked before the process was killed
                await self._pending(job)
                await self._running(job)
        except JobFailedError as failed:
            self._ends.fail(job, failed)
        except JobOverError as over:
            state = over.state
            await self._in_thread(lambda: self._ends.leave(job, state))
        await self._owed_output(job)
        self._work(job.id).remove()

    async def _owed_output(self, job: Job) -> None:
        """Writes what a job that has ended still owes, when its time has come."""
        while (left_us := job.progress.output_due_us - now_us()) > 0:
            await self._wait(job, left_us / 1_000_000)
        if job.progress.output_due_us:
            await self._in_thread(lambda: self._ends.pay(job))

    async def _heed_cancel(self, job: Job) -> None:
        """Raises JobOverError when the job is asked to end; a fault may let it end otherwise, or go on."""
        if not self._jobs.cancel_asked(job.id):
            return
        found = self._faults.of_job(self._jobs.facts(job), CancellingEnds)
        if job.state != states.CANCELLING:
            self._jobs.save(job, states.CANCELLING)
        if not found:
            raise JobOverError(states.CANCELLED)
        fault = found[0].fault
        while (left_s := fault.for_s - (now_us() - found[0].since_us) / 1_000_000) > 0:
            await self._wait(job, left_s)
        if fault.state == "FAILED":
            raise JobFailedError(13, "System error. Please try this operation again.")
        if fault.state == "CANCELLED":
            raise JobOverError(states.CANCELLED)

    def _show(self, job: Job, state: str) -> None:
        """A job that is CANCELLING and goes on all the same is shown as that to its end."""
        if job.state not in {state, states.CANCELLING}:
            self._jobs.save(job, state)

    async def _meet(self, job: Job, point: Point) -> bool:
        """Lets happen what is planned for this point of the job's life; whether the job stood still meanwhile.

        A standstill with an end comes first, then what ends the job, then a standstill that only a client ends: by a
        cancel, also where the job then goes on to its end.
        """
        usual, stood = job.state, False
        while True:
            await self._heed_cancel(job)
            stand = self._standing(job, point)
            if stand is None or (job.state == states.CANCELLING and not stand.for_s):
                break
            stood = True
            self._show(job, stand.state)
            await self._wait(job, _LOOK_S)
        if stood:
            self._show(job, usual)
        return stood

    def _standing(self, job: Job, point: Point) -> Stand | None:
        """Why the job stands still at this moment. Raises JobFailedError, JobOverError."""
        facts = self._jobs.facts(job)
        due = [
            fault
            for fault in self._faults.ahead_of_job(facts, LifeFault)
            if fault.point() == point and fault.rows() <= job.progress.rows_done
        ]
        endless: Stand | None = None
        for fault in sorted(due, key=_waits_for_a_client):
            since_us = self._faults.strike_job(facts, fault)
            if not since_us:
                continue
            act = fault.act()
            if isinstance(act, Fail):
                raise JobFailedError(act.code, act.words(job))
            if isinstance(act, Leave):
                raise JobOverError(act.state)
            if not act.for_s:
                endless = endless or act
            elif (now_us() - since_us) / 1_000_000 < act.for_s:
                return act
        return endless

    async def _pending(self, job: Job) -> None:
        while not job.progress.started:
            if await self._meet(job, "queue"):
                continue
            left = self._switches.real("pending_s") - (now_us() - job.created_us) / 1_000_000
            if left <= 0:
                self._check_buckets(job)
                job.progress.started = True
                self._show(job, states.RUNNING)
            else:
                await self._wait(job, left)

    def _check_buckets(self, job: Job) -> None:
        """A bad bucket fails the job while PENDING, long after create accepted it (facts 1.3, 9.2 [L])."""
        for bucket in buckets_of(job.resource):
            if not self._store.has_bucket(bucket):
                raise JobFailedError(9, f"Failed to get GCS bucket location for {bucket}.")
        if self._switches.text("bucket_region") == "enforce":
            locations = {bucket: self._store.bucket(bucket)["location"] for bucket in buckets_of(job.resource)}
            problem = check_regions(job.location, locations)
            if problem:
                raise JobFailedError(3, problem)

    async def _running(self, job: Job) -> None:
        if not job.progress.imported:
            await self._in_thread(lambda: self._import(job))
        began = time.monotonic() - self._due_s(job)
        while True:
            if await self._meet(job, "rows"):
                began = time.monotonic() - self._due_s(job)
            wait = self._due_s(job) - (time.monotonic() - began)
            if wait > 0:
                await self._wait(job, wait)
            elif job.progress.rows_done >= job.progress.rows:
                break
            else:
                await self._in_thread(lambda: self._serve_chunk(job))
        await self._meet(job, "end")
        await self._in_thread(lambda: self._ends.finish(job))

    def _due_s(self, job: Job) -> float:
        """How long after its start a job may be as far as it is."""
        rate = self._switches.real("rows_per_s")
        share = job.progress.rows_done / job.progress.rows
        return max(self._switches.real("running_s") * share, job.progress.rows_done / rate if rate else 0.0)

    # In threads

    def _import(self, job: Job) -> None:
        """Raises JobFailedError: code 3 for a broken rule of the importer (facts 2.2)."""
        sources = [self._source(uri) for uri in job.resource["inputConfig"]["gcsSource"]["uris"]]
        work = self._work(job.id)
        work.take_input(sources)
        job.progress.directory = f"prediction-model-{rfc3339(now_us())}"
        self._standing(job, "import")
        try:
            job.progress.rows = import_file(
                work.input,
                refuse_case_clash=self._switches.text("case_clash") == "refuse",
                count_fields=self._switches.text("nesting_counts") == "fields",
            )
        except ImportRefusedError as refused:
            raise JobFailedError(3, f"Failed to import data. {refused}") from refused
        job.progress.imported = True
        self._jobs.save(job)

    def _source(self, uri: str) -> Path:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        try:
            return self._store.path(self._store.get(bucket, name))
        except ApiError as error:
            raise JobFailedError(3, f"Failed to import data. Not found: URI {uri}") from error

    def _chunk_rows(self, job: Job) -> int:
        """A chunk ends where a fault acts after so many rows."""
        rate = self._switches.real("rows_per_s")
        size = min(max(job.progress.rows // 20, _SMALLEST_CHUNK), _LARGEST_CHUNK)
        limits = [math.ceil(rate * _LOOK_S)] if rate else []
        for fault in self._faults.ahead_of_job(self._jobs.facts(job), LifeFault):
            left = fault.rows() - job.progress.rows_done
            limits += [left] if fault.point() == "rows" and left > 0 else []
        return min([size, *limits])

    def _serve_chunk(self, job: Job) -> None:
        work, progress, facts = self._work(job.id), job.progress, self._jobs.facts(job)
        raw, input_bytes = work.read_input(progress.input_bytes, self._chunk_rows(job))
        lines = self._row_server(job).serve(raw, progress.rows_done)
        with self._faults.of_rows(facts) as faults:  # one transaction: strikes and progress, or neither
            served = finished(lines, faults)
            lines_bytes = work.append(progress.lines_bytes, served.lines)
            self._journal.rows_served(job.name, served.journal)
            progress.chunks += 1
            progress.input_bytes, progress.lines_bytes = input_bytes, lines_bytes
            progress.rows_done += len(raw)
            progress.rows_failed += served.failed
            self._jobs.save(job)
        if self._faults.of_job(facts, ChunkFiles):
            # After the strikes are counted. A kill before this line costs a chunk file, and no row.
            name = f"incremental_predictions-{progress.chunks:05d}.jsonl"
            write_chunk(self._store, served.lines, f"{job.output_directory}/{name}")

    def _row_server(self, job: Job) -> RowServer:
        model = find_model(job.model, job.location, old_project=True)
        return RowServer(self._answerer, self._switches, job.model, model)


def _waits_for_a_client(fault: LifeFault) -> bool:
    """For sorting: a standstill that ends by itself comes before all that does not."""
    act = fault.act()
    return not (isinstance(act, Stand) and act.for_s > 0)
