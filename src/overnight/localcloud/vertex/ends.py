"""How jobs end: what is written, and what the resource says."""

from collections.abc import Callable

from overnight.localcloud.faults.book import Faults
from overnight.localcloud.faults.jobs import End, EndFault
from overnight.localcloud.faults.output import FileFault, Layout
from overnight.localcloud.storage.store import ObjectStore
from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject, now_us
from overnight.localcloud.vertex import jobs as states
from overnight.localcloud.vertex.jobs import Job, JobStore
from overnight.localcloud.vertex.output.files import WorkFiles, write_final
from overnight.localcloud.vertex.rows import RowServer


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


class Ends:
    def __init__(
        self,
        jobs: JobStore,
        store: ObjectStore,
        switches: Switches,
        faults: Faults,
        row_server: Callable[[Job], RowServer],
    ) -> None:
        self._jobs, self._store, self._switches, self._faults = jobs, store, switches, faults
        self._row_server = row_server

    def work(self, job_id: str) -> WorkFiles:
        return WorkFiles(self._store.home.work, job_id)

    def finish(self, job: Job) -> None:
        """Every row is served."""
        end = End(self._state(job), {**_counts(job), **_output_info(job)})
        for struck in self._faults.of_job(self._jobs.facts(job), EndFault):
            struck.fault.change(end)
        if end.output_delay_s:
            job.progress.output_due_us = now_us() + int(end.output_delay_s * 1_000_000)
        else:
            self._write(job)
        self._jobs.save(job, end.state, **end.fields)

    def pay(self, job: Job) -> None:
        """The output of a job that has ended without it."""
        self._write(job)
        job.progress.output_due_us = 0
        self._jobs.save(job)

    def _state(self, job: Job) -> str:
        if job.progress.rows_failed == 0:
            return states.SUCCEEDED
        if job.progress.rows_failed == job.progress.rows and self._switches.text("all_failed_state") == "failed":
            return states.FAILED
        partial = self._switches.text("some_failed_state") == "partially_succeeded"
        return states.PARTIALLY_SUCCEEDED if partial else states.SUCCEEDED

    def _write(self, job: Job) -> None:
        layout = Layout()
        for struck in self._faults.of_job(self._jobs.facts(job), FileFault):
            struck.fault.change(layout)
        write_final(self._store, self.work(job.id), job.output_directory, layout)

    def fail(self, job: Job, failed: JobFailedError) -> None:
        """A failed job names its directory, and if it ran, only how many rows were served (facts 1.2, 3.1 [L])."""
        fields: JsonObject = {"error": {"code": failed.code, "message": failed.message}, **_output_info(job)}
        if job.progress.rows_done:
            served = job.progress.rows_done - job.progress.rows_failed
            fields["completionStats"] = {"successfulCount": str(served)}
        self._jobs.save(job, states.FAILED, **fields)

    def leave(self, job: Job, state: str) -> None:
        """Cancelled or expired: finished rows stay and are billed (facts 3.3 [D]); no counts (1.2 [L])."""
        fields: JsonObject = {"error": {"code": 1, "message": "CANCELED"}} if state == states.CANCELLED else {}
        readable = state == states.CANCELLED or self._switches.text("expired_output") == "readable"
        if job.progress.imported and readable and self._write_left(job):
            fields.update(_output_info(job))
        self._jobs.save(job, state, **fields)

    def _write_left(self, job: Job) -> bool:
        """Whether there was anything to write."""
        progress, work = job.progress, self.work(job.id)
        if self._switches.text("cancelled_rows") == "status":
            raw, _ = work.read_input(progress.input_bytes, progress.rows - progress.rows_done)
            work.append(progress.lines_bytes, self._row_server(job).not_done(raw, progress.rows_done))
        else:
            work.append(progress.lines_bytes, [])
        if not work.lines.stat().st_size:
            return False
        self._write(job)
        return True


def _counts(job: Job) -> JsonObject:
    """int64 as text (facts 1.2 [D])."""
    done, failed = job.progress.rows_done, job.progress.rows_failed
    counts = {
        "successfulCount": str(done - failed),
        "failedCount": str(failed),
        "incompleteCount": str(job.progress.rows - done),
    }
    return {"completionStats": counts}


def _output_info(job: Job) -> JsonObject:
    return {"outputInfo": {"gcsOutputDirectory": job.output_directory}} if job.progress.directory else {}
