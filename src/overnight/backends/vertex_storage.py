"""Vertex AI batch prediction through Cloud Storage.

One shard = one JSONL object = one job = one output prefix of its own (facts 2.5, 3.1: two jobs with one
prefix may overwrite each other [U]).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Final

from overnight.backends.backend import HandMade, OutputFile, OwnerNote, Patience, Staged, StoredObject
from overnight.core.realm import GOOGLE, STAND_IN
from overnight.core.states import JobStatus
from overnight.errors import Finding, JobError, NotFoundError, UsageError
from overnight.google.batch_jobs import BatchJobs
from overnight.google.preflight import Clients, Target, preflight
from overnight.ledger.shards import Place
from overnight.planning.usual import aim_s
from overnight.pricing.catalogue import Model
from overnight.requests.shards import ShardLimits

NAME: Final = "vertex-storage"
_MANIFEST: Final = "manifest.json"
GOOGLE_PATIENCE: Final = Patience((2, 5, 10, 20, 30, 60), then_create=False, poll_s=(5, 300), unusual_s=aim_s(GOOGLE))
"""Some two minutes of looking. What is not listed then is a person's to judge: `run --resubmit`."""
LOCAL_PATIENCE: Final = Patience((0.2, 0.5, 1, 2, 3), then_create=True, poll_s=(0.25, 2), unusual_s=aim_s(STAND_IN))
"""The local cloud lists a job as soon as it is made, unless told otherwise for up to a few seconds."""


class VertexStorage:
    """clients: of the project and location that the study names now. looking: others of the same, with the little
    patience of a look at the account, closed when it is left.

    jobs: makes a client for a project and location, as jobs are read where they were made; close_jobs ends them.
    """

    name = NAME

    def __init__(
        self,
        clients: Clients,
        looking: Callable[[], AbstractContextManager[Clients]],
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
        self._clients, self._storage, self._looking = clients, clients.storage, looking
        self._close_jobs, self._jobs = close_jobs, jobs
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

    def preflight(self, model: Model, tell: Callable[[str], None]) -> Sequence[Finding]:
        target = Target(self._project, self._location, self._bucket, model.id, model.locations)
        with self._looking() as clients:
            return preflight(target, clients, tell)

    def generate(self, model: str, request: bytes) -> Mapping[str, object]:
        return self._clients.gemini.generate(model, request)

    def count_tokens(self, model: str, request: bytes) -> int:
        return self._clients.gemini.count_tokens(model, request)

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
        if not (place.output or status.output_directory.startswith(own)):
            return []  # of a job made by hand only the directory that it names itself
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

    def staged(self, uid: str = "") -> Sequence[Staged]:
        root = f"{self._prefix}/" if self._prefix else ""
        found = []
        for stored in self._storage.list(self._bucket, f"{root}{uid}/" if uid else f"{root}u"):
            owner, _, rest = stored.name.removeprefix(root).partition("/")
            label, _, name = rest.partition("/")
            if name == _MANIFEST and label:
                found.append(Staged(owner, label, self.place(owner, label)))
        return found

    def manifest(self, place: Place) -> bytes:
        return self._storage.read_small(place.bucket, _manifest(place))

    def hand_made(self, job: str) -> HandMade:
        name = job if "/" in job else f"projects/{self._project}/locations/{self._location}/batchPredictionJobs/{job}"
        project, location = _parent(name)
        files = self._jobs(project, location).files(name)
        bucket, _, path = (
            files.inputs[0].removeprefix("gs://").partition("/") if len(files.inputs) == 1 else ("", "", "")
        )
        target = files.output_prefix.removeprefix("gs://").partition("/")[0]
        if not path or "*" in path or not target or bucket != target:
            raise JobError(
                f"the job reads {', '.join(files.inputs) or 'nothing from Cloud Storage'} and writes to"
                f" {files.output_prefix or 'somewhere else'}",
                where=name,
                hint="A job can be adopted that reads one JSONL file and writes into the same bucket.",
            )
        return HandMade(files.status, files.model, Place(NAME, project, location, bucket, path, ""))

    def objects(self, place: Place) -> Sequence[StoredObject]:
        return [
            StoredObject(found.name, found.size_bytes)
            for found in self._storage.list(place.bucket, _folder(place) + "/")
        ]

    def remove(self, place: Place, name: str) -> None:
        self._storage.delete(place.bucket, name)

    def is_ours(self, place: Place, name: str) -> bool:
        return name in {place.input, _manifest(place)} or name.startswith(f"{place.output}/")

    def delete_job(self, place: Place, job: str) -> None:
        self._jobs(place.project, place.location).delete(job)

    def owner_place(self, uid: str) -> str:
        return "/".join(part for part in (f"gs://{self._bucket}", self._prefix, uid, "owner.json") if part)

    def owner(self, place: str) -> OwnerNote | None:
        try:
            data, generation = self._storage.read_live(*_split(place))
        except NotFoundError:
            return None
        return OwnerNote(data.decode(errors="replace"), generation)

    def claim(self, place: str, text: str, generation: int) -> int:
        return self._storage.replace_small(*_split(place), text.encode(), generation)

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
    return f"{_folder(place)}/{_MANIFEST}"


def _folder(place: Place) -> str:
    """The shard's own: nothing else is written into it."""
    return place.input.rsplit("/", 1)[0]


def _parent(job: str) -> tuple[str, str]:
    """(project, location) of a job's full name."""
    parts = job.split("/")
    if len(parts) != 6 or parts[0::2] != ["projects", "locations", "batchPredictionJobs"] or not all(parts):
        raise UsageError(
            f"{job!r} is no job's name", hint="projects/…/locations/…/batchPredictionJobs/…, or its number."
        )
    return parts[1], parts[3]


def _split(address: str) -> tuple[str, str]:
    """(bucket, name) of gs://bucket/name."""
    bucket, _, name = address.removeprefix("gs://").partition("/")
    return bucket, name
