"""Vertex AI batch prediction through Cloud Storage.

One shard = one JSONL object = one job = one output prefix of its own (facts 2.5, 3.1: two jobs with one
prefix may overwrite each other [U]).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import BinaryIO, Final

from overnight.backends.backend import OutputFile, Patience
from overnight.core.states import JobStatus
from overnight.errors import NotFoundError
from overnight.google.batch_jobs import BatchJobs
from overnight.google.storage import Storage
from overnight.ledger.shards import Place
from overnight.requests.shards import ShardLimits

NAME: Final = "vertex-storage"
GOOGLE_PATIENCE: Final = Patience((2, 5, 10, 20, 30, 60), then_create=False, poll_s=(5, 300), unusual_s=12 * 3600)
"""Some two minutes of looking. What is not listed then is a person's to judge: `run --resubmit`."""
LOCAL_PATIENCE: Final = Patience((0.2, 0.5, 1, 2, 3), then_create=True, poll_s=(0.25, 2), unusual_s=120)
"""The local cloud lists a job as soon as it is made, unless told otherwise for up to a few seconds."""


class VertexStorage:
    """jobs: makes a client for a project and location, as jobs are read where they were made; close_jobs ends them."""

    name = NAME

    def __init__(
        self,
        storage: Storage,
        close_jobs: Callable[[], None],
        jobs: Callable[[str, str], BatchJobs],
        *,
        project: str,
        location: str,
        bucket: str,
        prefix: str,
        patience: Patience,
        limits: ShardLimits | None = None,
    ) -> None:
        self._storage, self._close_jobs, self._jobs = storage, close_jobs, jobs
        self._project, self._location, self._bucket, self._prefix = project, location, bucket, prefix.strip("/")
        self.patience = patience
        self.limits = limits or ShardLimits()

    def place(self, uid: str, label: str) -> Place:
        folder = "/".join(part for part in (self._prefix, uid, label) if part)
        return Place(
            backend=NAME,
            project=self._project,
            location=self._location,
            bucket=self._bucket,
            input=f"{folder}/requests.jsonl",
            output=f"{folder}/output",
        )

    def stage(self, place: Place, lines: Iterable[bytes], manifest: Mapping[str, object]) -> None:
        self._storage.upload(place.bucket, place.input, lines)
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        self._storage.write_small(place.bucket, _manifest(place), text.encode())

    def unstage(self, place: Place) -> None:
        for name in (place.input, _manifest(place)):
            try:
                self._storage.delete(place.bucket, name)
            except NotFoundError:
                continue

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        return self._jobs(place.project, place.location).create(
            display_name=labels.get("overnight-job", "overnight"),
            model=model,
            input_uri=f"gs://{place.bucket}/{place.input}",
            output_prefix=f"gs://{place.bucket}/{place.output}",
            labels=labels,
        )

    def find(self, place: Place, key: str, value: str) -> Sequence[JobStatus]:
        return self._jobs(place.project, place.location).list_by_label(key, value)

    def poll(self, place: Place, job: str) -> JobStatus:
        return self._jobs(place.project, place.location).get(job)

    def cancel(self, place: Place, job: str) -> None:
        self._jobs(place.project, place.location).cancel(job)

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        """What lies in the directory the job names; below our own prefix when it names none.

        Not `{prefix}/*.jsonl`: results are in a sub-directory whose name cannot be computed (facts 3.1).
        """
        own = f"gs://{place.bucket}/{place.output}"
        directory = status.output_directory if status.output_directory.startswith(own) else own
        prefix = directory.removeprefix(f"gs://{place.bucket}/").rstrip("/") + "/"
        files = [
            OutputFile(found.name, found.size_bytes, _is_chunk(found.name))
            for found in self._storage.list(place.bucket, prefix)
            if found.name.endswith(".jsonl")
        ]
        return sorted(files, key=lambda file: (file.chunk, file.name))

    def fetch(self, place: Place, file: OutputFile, target: BinaryIO) -> None:
        found = self._storage.stat(place.bucket, file.name)
        self._storage.download(place.bucket, file.name, target, found.generation)

    def close(self) -> None:
        self._storage.close()
        self._close_jobs()

    def fetch_input(self, place: Place, target: BinaryIO) -> None:
        found = self._storage.stat(place.bucket, place.input)
        self._storage.download(place.bucket, place.input, target, found.generation)


def _is_chunk(name: str) -> bool:
    """`incremental_predictions…` may lie beside the final file (facts 3.1 [U]): `predictions…`."""
    return not name.rsplit("/", 1)[-1].startswith("predictions")


def _manifest(place: Place) -> str:
    return f"{place.input.rsplit('/', 1)[0]}/manifest.json"
