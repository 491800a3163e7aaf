"""A backend that is made when it is first needed: credentials are asked for, and a local cloud started, only then."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import BinaryIO

from overnight.backends.backend import Backend, HandMade, OutputFile, OwnerNote, Patience, Staged, StoredObject
from overnight.core.states import JobStatus
from overnight.errors import Finding
from overnight.ledger.shards import Place
from overnight.pricing.catalogue import Model
from overnight.requests.shards import ShardLimits


class OnFirstUse:
    """connect: makes the real one, once. What it raises comes out of the call that needed it."""

    def __init__(self, connect: Callable[[], Backend]) -> None:
        self._connect = connect

    @cached_property
    def _real(self) -> Backend:
        return self._connect()

    @property
    def name(self) -> str:
        return self._real.name

    @property
    def limits(self) -> ShardLimits:
        return self._real.limits

    @property
    def patience(self) -> Patience:
        return self._real.patience

    def place(self, uid: str, label: str) -> Place:
        return self._real.place(uid, label)

    def preflight(self, model: Model, tell: Callable[[str], None]) -> Sequence[Finding]:
        return self._real.preflight(model, tell)

    def generate(self, model: str, request: bytes) -> Mapping[str, object]:
        return self._real.generate(model, request)

    def count_tokens(self, model: str, request: bytes) -> int:
        return self._real.count_tokens(model, request)

    def stage(self, place: Place, lines: Iterable[bytes], manifest: Mapping[str, object]) -> None:
        self._real.stage(place, lines, manifest)

    def unstage(self, place: Place) -> None:
        self._real.unstage(place)

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        return self._real.submit(place, model, labels)

    def find(self, place: Place, key: str, value: str) -> Sequence[JobStatus]:
        return self._real.find(place, key, value)

    def poll(self, place: Place, job: str) -> JobStatus:
        return self._real.poll(place, job)

    def cancel(self, place: Place, job: str) -> None:
        self._real.cancel(place, job)

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        return self._real.outputs(place, status)

    def fetch(self, place: Place, file: OutputFile, target: BinaryIO) -> None:
        self._real.fetch(place, file, target)

    def fetch_input(self, place: Place, target: BinaryIO) -> None:
        self._real.fetch_input(place, target)

    def staged(self, uid: str = "") -> Sequence[Staged]:
        return self._real.staged(uid)

    def manifest(self, place: Place) -> bytes:
        return self._real.manifest(place)

    def hand_made(self, job: str) -> HandMade:
        return self._real.hand_made(job)

    def objects(self, place: Place) -> Sequence[StoredObject]:
        return self._real.objects(place)

    def remove(self, place: Place, name: str) -> None:
        self._real.remove(place, name)

    def is_ours(self, place: Place, name: str) -> bool:
        return self._real.is_ours(place, name)

    def delete_job(self, place: Place, job: str) -> None:
        self._real.delete_job(place, job)

    def owner_place(self, uid: str) -> str:
        return self._real.owner_place(uid)

    def owner(self, place: str) -> OwnerNote | None:
        return self._real.owner(place)

    def claim(self, place: str, text: str, generation: int) -> int:
        return self._real.claim(place, text, generation)

    def close(self) -> None:
        if "_real" in self.__dict__:
            self._real.close()
