"""Batch jobs on disk: the resource a client sees, and beside it how far the work is."""

import json
import random
from dataclasses import asdict, dataclass
from typing import Final

from overnight.localcloud.database import Database, Row
from overnight.localcloud.errors import ApiError
from overnight.localcloud.faults.scope import JobFacts
from overnight.localcloud.journal import Journal
from overnight.localcloud.values import JsonObject, now_us, rfc3339
from overnight.localcloud.vertex.models import model_id

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, location TEXT NOT NULL, created_us INTEGER NOT NULL,
  state TEXT NOT NULL, cancel_asked INTEGER NOT NULL DEFAULT 0, resource TEXT NOT NULL, progress TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_by_place ON jobs (project, location, created_us);
"""
PENDING: Final = "JOB_STATE_PENDING"
RUNNING: Final = "JOB_STATE_RUNNING"
CANCELLING: Final = "JOB_STATE_CANCELLING"
PAUSED: Final = "JOB_STATE_PAUSED"
SUCCEEDED: Final = "JOB_STATE_SUCCEEDED"
PARTIALLY_SUCCEEDED: Final = "JOB_STATE_PARTIALLY_SUCCEEDED"
FAILED: Final = "JOB_STATE_FAILED"
CANCELLED: Final = "JOB_STATE_CANCELLED"
EXPIRED: Final = "JOB_STATE_EXPIRED"
ENDED: Final = frozenset({SUCCEEDED, PARTIALLY_SUCCEEDED, FAILED, CANCELLED, EXPIRED})


@dataclass(slots=True)
class Progress:
    """How far a job is, enough to go on after the process was killed.

    input_bytes and lines_bytes: how much of the input is served and how long the file of output lines then was.
    directory: the output directory's name, chosen once. started: it has left the queue. output_due_us: it has ended
    and its output is still to come, at this moment (fault `output_late`); 0 otherwise.
    """

    imported: bool = False
    rows: int = 0
    rows_done: int = 0
    rows_failed: int = 0
    input_bytes: int = 0
    lines_bytes: int = 0
    chunks: int = 0
    directory: str = ""
    started: bool = False
    output_due_us: int = 0


@dataclass(slots=True)
class Job:
    id: str
    project: str
    location: str
    created_us: int
    state: str
    cancel_asked: bool
    resource: JsonObject
    progress: Progress

    @property
    def name(self) -> str:
        return f"projects/{self.project}/locations/{self.location}/batchPredictionJobs/{self.id}"

    @property
    def model(self) -> str:
        """The id alone, without `@version`."""
        return model_id(self.resource["model"])

    @property
    def output_prefix(self) -> str:
        """gs://bucket/and/path, without a slash at the end."""
        return str(self.resource["outputConfig"]["gcsDestination"]["outputUriPrefix"]).rstrip("/")

    @property
    def output_directory(self) -> str:
        return f"{self.output_prefix}/{self.progress.directory}"


class JobStore:
    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def create(self, project: str, location: str, accepted: JsonObject) -> Job:
        created = now_us()
        job_id = str(random.SystemRandom().randrange(10**18, 9 * 10**18))
        job = Job(job_id, project, location, created, PENDING, cancel_asked=False, resource={}, progress=Progress())
        time = rfc3339(created)
        job.resource = {"name": job.name, **accepted, "state": PENDING, "createTime": time, "updateTime": time}
        self._database.write(
            "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
            (job.id, project, location, created, PENDING, json.dumps(job.resource), json.dumps(asdict(job.progress))),
        )
        self._enter(job)
        return job

    def _enter(self, job: Job) -> None:
        labels: dict[str, str] = job.resource.get("labels", {})
        self._journal.job_created(job.name, job.resource["displayName"], job.model, labels, job.created_us)

    def reconcile(self) -> None:
        """Enters in the journal what a crash kept out of it."""
        for row in self._database.rows("SELECT * FROM jobs"):
            self._enter(_job(row))

    def look(self, job_id: str) -> Job | None:
        row = self._database.row("SELECT * FROM jobs WHERE id = ?", (job_id,))
        return _job(row) if row else None

    def facts(self, job: Job) -> JobFacts:
        """What a fault's scope asks about."""
        labels: dict[str, str] = job.resource.get("labels", {})
        return JobFacts(job.id, self._journal.ordinal(job.name), job.resource["displayName"], labels)

    def find(self, project: str, location: str, job_id: str) -> Job:
        """Raises ApiError 404, also for a job of another location (facts 1.5)."""
        row = self._database.row(
            "SELECT * FROM jobs WHERE id = ? AND project = ? AND location = ?", (job_id, project, location)
        )
        if row is None:
            name = f"projects/{project}/locations/{location}/batchPredictionJobs/{job_id}"
            raise ApiError(404, f'The BatchPredictionJob "{name}" does not exist.')
        return _job(row)

    def newest_first(self, project: str, location: str) -> list[Job]:
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE project = ? AND location = ? ORDER BY created_us DESC, id DESC",
            (project, location),
        )
        return [_job(row) for row in rows]

    def unfinished(self) -> list[Job]:
        """Also those that have ended and owe their output."""
        jobs = (_job(row) for row in self._database.rows("SELECT * FROM jobs ORDER BY created_us"))
        return [job for job in jobs if job.state not in ENDED or job.progress.output_due_us]

    def save(self, job: Job, state: str = "", **fields: object) -> None:
        """Writes resource and progress; `fields` go into the resource. The state is left alone unless given."""
        now = rfc3339(now_us())
        job.state = state or job.state
        job.resource.update(fields, state=job.state, updateTime=now)
        if job.state == RUNNING:
            job.resource.setdefault("startTime", now)
        if job.state in ENDED:
            job.resource.setdefault("endTime", now)
        self._database.write(
            "UPDATE jobs SET state = ?, resource = ?, progress = ? WHERE id = ?",
            (job.state, json.dumps(job.resource), json.dumps(asdict(job.progress)), job.id),
        )

    def ask_cancel(self, job: Job) -> None:
        """Raises ApiError 400 FAILED_PRECONDITION when the job has ended (facts 1.3 [L])."""
        if job.state in ENDED:
            text = f"Cannot cancel the BatchPredictionJob: its state is {job.state}."
            raise ApiError(400, text, status="FAILED_PRECONDITION")
        self._database.write("UPDATE jobs SET cancel_asked = 1 WHERE id = ?", (job.id,))

    def cancel_asked(self, job_id: str) -> bool:
        row = self._database.row("SELECT cancel_asked FROM jobs WHERE id = ?", (job_id,))
        return bool(row and row["cancel_asked"])

    def delete(self, job: Job) -> None:
        if job.state not in ENDED:
            text = f"Cannot delete the BatchPredictionJob while its state is {job.state}."
            raise ApiError(400, text, status="FAILED_PRECONDITION")
        self._database.write("DELETE FROM jobs WHERE id = ?", (job.id,))


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        project=row["project"],
        location=row["location"],
        created_us=row["created_us"],
        state=row["state"],
        cancel_asked=bool(row["cancel_asked"]),
        resource=json.loads(row["resource"]),
        progress=Progress(**json.loads(row["progress"])),
    )
