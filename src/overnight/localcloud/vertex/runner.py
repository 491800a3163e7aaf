"""What becomes of a job: PENDING, RUNNING, an end. One task a job on the event loop, the work in threads.

The work is done in chunks. After each one the lines are on disk, the rows in the journal and the progress in
state.sqlite, in this order; a server killed in between takes the chunk up again, and the journal enters a row once.
"""

import asyncio
import math
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from overnight.localcloud.errors import ApiError
from overnight.localcloud.journal import Journal
from overnight.localcloud.storage.store import ObjectStore
from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject, now_us, rfc3339
from overnight.localcloud.vertex import jobs as states
from overnight.localcloud.vertex.importer import ImportRefusedError, import_file
from overnight.localcloud.vertex.jobs import Job, JobStore
from overnight.localcloud.vertex.models import find_model
from overnight.localcloud.vertex.output.files import WorkFiles, write_chunk, write_final
from overnight.localcloud.vertex.regions import buckets_of, check_regions
from overnight.localcloud.vertex.respond import Answerer
from overnight.localcloud.vertex.rows import RowServer

T = TypeVar("T")
_LOOK_S: Final = 0.2  # how often a waiting job looks at its switches
_SMALLEST_CHUNK: Final = 50
_LARGEST_CHUNK: Final = 2_000


class JobFailedError(Exception):
    """Ends a job. code: google.rpc.Code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class JobOverError(Exception):
    """The job was cancelled or expired: what is done stays."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class Runner:
    def __init__(
        self, jobs: JobStore, store: ObjectStore, journal: Journal, switches: Switches, answerer: Answerer
    ) -> None:
        self._jobs, self._store, self._journal = jobs, store, journal
        self._switches, self._answerer = switches, answerer
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
        # A fault of the local cloud itself: shown here, and the client sees Google's words for such a thing.
        traceback.print_exception(error, file=sys.stderr)
        text = f"System error. Please try this operation again. (local cloud: {error!r})"
        self._jobs.save(job, states.FAILED, error={"code": 13, "message": text})

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
        return WorkFiles(self._store.home.work, job_id)

    # A job's life

    async def _drive(self, job: Job) -> None:
        try:
            self._check_over(job)  # asked before the process was killed
            await self._pending(job)
            await self._running(job)
        except JobFailedError as failed:
            self._fail(job, failed)
        except JobOverError as over:
            state = over.state
            await self._in_thread(lambda: self._leave(job, state))
        self._work(job.id).remove()

    def _check_over(self, job: Job) -> None:
        if self._jobs.cancel_asked(job.id):
            self._jobs.save(job, states.CANCELLING)
            raise JobOverError(states.CANCELLED)

    async def _pending(self, job: Job) -> None:
        while job.state == states.PENDING:
            self._check_over(job)
            if self._switches.flag("expire_pending"):
                self._switches.strike("expire_pending")
                raise JobOverError(states.EXPIRED)
            left = self._switches.real("pending_s") - (now_us() - job.created_us) / 1_000_000
            if left <= 0 and not self._switches.flag("stuck_pending"):
                self._check_buckets(job)
                self._jobs.save(job, states.RUNNING)
                return
            await self._wait(job, left if left > 0 else _LOOK_S)

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
            self._check_over(job)
            self._check_expiry(job)
            if await self._paused(job):
                began = time.monotonic() - self._due_s(job)
            wait = self._due_s(job) - (time.monotonic() - began)
            if wait > 0:
                await self._wait(job, wait)
            elif job.progress.rows_done >= job.progress.rows:
                break
            else:
                await self._in_thread(lambda: self._serve_chunk(job))
        await self._in_thread(lambda: self._finish(job))

    def _due_s(self, job: Job) -> float:
        """How long after its start a job may be as far as it is."""
        rate = self._switches.real("rows_per_s")
        share = job.progress.rows_done / job.progress.rows
        return max(self._switches.real("running_s") * share, job.progress.rows_done / rate if rate else 0.0)

    def _check_expiry(self, job: Job) -> None:
        limit = self._switches.whole("expire_after_rows")
        if limit and job.progress.rows_done >= limit:
            self._switches.strike("expire_after_rows")
            raise JobOverError(states.EXPIRED)

    async def _paused(self, job: Job) -> bool:
        """Stays here while the job is to be paused."""
        was = False
        while (limit := self._switches.whole("pause_after_rows")) and job.progress.rows_done >= limit:
            if not was:
                self._switches.strike("pause_after_rows")
                self._jobs.save(job, states.PAUSED)
            was = True
            self._check_over(job)
            await self._wait(job, _LOOK_S)
        if job.state == states.PAUSED:
            self._jobs.save(job, states.RUNNING)
        return was

    # In threads

    def _import(self, job: Job) -> None:
        """Raises JobFailedError: code 3 for a broken rule of the importer (facts 2.2)."""
        sources = [self._source(uri) for uri in job.resource["inputConfig"]["gcsSource"]["uris"]]
        work = self._work(job.id)
        work.take_input(sources)
        job.progress.directory = f"prediction-model-{rfc3339(now_us())}"
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
        rate = self._switches.real("rows_per_s")
        size = min(max(job.progress.rows // 20, _SMALLEST_CHUNK), _LARGEST_CHUNK)
        limits = [math.ceil(rate * _LOOK_S)] if rate else []
        for name in ("expire_after_rows", "pause_after_rows"):
            left = self._switches.whole(name) - job.progress.rows_done
            limits += [left] if left > 0 else []
        return min([size, *limits])

    def _serve_chunk(self, job: Job) -> None:
        work, progress = self._work(job.id), job.progress
        raw, input_bytes = work.read_input(progress.input_bytes, self._chunk_rows(job))
        served = self._row_server(job).serve(raw, progress.rows_done)
        lines_bytes = work.append(progress.lines_bytes, served.lines)
        self._journal.rows_served(job.name, served.journal)
        progress.chunks += 1
        if self._switches.flag("incremental"):
            name = f"incremental_predictions-{progress.chunks:05d}.jsonl"
            write_chunk(self._store, served.lines, f"{job.output_directory}/{name}")
            served.strikes["incremental"] = 1
        progress.input_bytes, progress.lines_bytes = input_bytes, lines_bytes
        progress.rows_done += len(raw)
        progress.rows_failed += served.failed
        self._jobs.save(job)
        for name, times in served.strikes.items():
            self._switches.strike(name, times)

    def _row_server(self, job: Job) -> RowServer:
        model = find_model(job.model, job.location, old_project=True)
        return RowServer(self._answerer, self._switches, job.model, model)

    # Ends

    def _finish(self, job: Job) -> None:
        switches = self._switches
        if switches.flag("output_unwritable"):
            switches.strike("output_unwritable")
            place = f"{job.output_directory}/predictions.jsonl"
            who = "Service account `service-0@gcp-sa-aiplatform.iam.gserviceaccount.com`"
            text = f"{who} doesn't have sufficient permission `storage.objects.create` to write {place}"
            raise JobFailedError(7, text)
        if switches.text("fail_job"):
            switches.strike("fail_job")
            raise JobFailedError(switches.whole("fail_job_code"), switches.text("fail_job"))
        self._write_output(job)
        self._jobs.save(job, self._end_state(job), **self._counts(job), **self._output_info(job))

    def _end_state(self, job: Job) -> str:
        if job.progress.rows_failed == 0:
            return states.SUCCEEDED
        if job.progress.rows_failed == job.progress.rows and self._switches.text("all_failed_state") == "failed":
            return states.FAILED
        partial = self._switches.text("some_failed_state") == "partially_succeeded"
        return states.PARTIALLY_SUCCEEDED if partial else states.SUCCEEDED

    def _write_output(self, job: Job) -> None:
        cut = self._switches.flag("truncate_last_line")
        shuffled = self._switches.flag("shuffle")
        place = f"{job.output_directory}/predictions.jsonl"
        write_final(self._store, self._work(job.id), place, shuffled=shuffled, cut_last=cut)
        for name, on in (("shuffle", shuffled), ("truncate_last_line", cut)):
            self._switches.strike(name, int(on))

    def _counts(self, job: Job) -> JsonObject:
        """int64 as text (facts 1.2 [D])."""
        if self._switches.text("completion_stats") == "absent":
            return {}
        done, failed = job.progress.rows_done, job.progress.rows_failed
        return {
            "completionStats": {
                "successfulCount": str(done - failed),
                "failedCount": str(failed),
                "incompleteCount": str(job.progress.rows - done),
            }
        }

    def _output_info(self, job: Job) -> JsonObject:
        return {"outputInfo": {"gcsOutputDirectory": job.output_directory}} if job.progress.directory else {}

    def _fail(self, job: Job, failed: JobFailedError) -> None:
        """A failed job names its directory, and if it ran, only how many rows were served (facts 1.2, 3.1 [L])."""
        fields: JsonObject = {"error": {"code": failed.code, "message": failed.message}, **self._output_info(job)}
        if job.progress.rows_done:
            served = job.progress.rows_done - job.progress.rows_failed
            fields["completionStats"] = {"successfulCount": str(served)}
        self._jobs.save(job, states.FAILED, **fields)

    def _leave(self, job: Job, state: str) -> None:
        """Cancelled or expired: finished rows stay and are billed (facts 3.3 [D]); no counts (1.2 [L])."""
        fields: JsonObject = {"error": {"code": 1, "message": "CANCELED"}} if state == states.CANCELLED else {}
        readable = state == states.CANCELLED or self._switches.text("expired_output") == "readable"
        if job.progress.imported and readable and self._write_left(job):
            fields.update(self._output_info(job))
        self._jobs.save(job, state, **fields)

    def _write_left(self, job: Job) -> bool:
        """Whether there was anything to write."""
        progress, work = job.progress, self._work(job.id)
        if self._switches.text("cancelled_rows") == "status":
            raw, _ = work.read_input(progress.input_bytes, progress.rows - progress.rows_done)
            work.append(progress.lines_bytes, self._row_server(job).not_done(raw, progress.rows_done))
        else:
            work.append(progress.lines_bytes, [])
        if not work.lines.stat().st_size:
            return False
        self._write_output(job)
        return True
