"""The seam between the run and a service. An implementation knows nothing of studies, records or answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from overnight.core.states import JobStatus
from overnight.ledger.shards import Place
from overnight.requests.shards import ShardLimits


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to look for a job whose create had no reply, before anything else is done.

    look_again_s: waits between looks at the list, which may lag behind (facts 1.4 [?]).
    then_create: True where the list is known not to lag, so that "not listed" means "not made".
    poll_s: shortest and longest wait between two looks at running jobs. unusual_s: waiting longer is worth a word.
    """

    look_again_s: tuple[float, ...]
    then_create: bool
    poll_s: tuple[float, float]
    unusual_s: float


@dataclass(frozen=True, slots=True)
class OutputFile:
    """One file of a job's output. chunk: written while the job ran, beside the final file: may repeat its rows."""

    name: str
    size_bytes: int
    chunk: bool = False


class Backend(Protocol):
    """Places are made once and kept in the ledger: every later call uses the place, never the study."""

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> ShardLimits: ...

    @property
    def patience(self) -> Patience: ...

    def place(self, uid: str, label: str) -> Place:
        """Where the shard's input and output will be. Nothing is done yet."""

    def stage(self, place: Place, lines: Iterable[bytes], manifest: Mapping[str, object]) -> None:
        """Upload the input, whole or not at all. What the lines raise comes out. Raises CloudError."""

    def unstage(self, place: Place) -> None:
        """Remove a staged input that no job was made of."""

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        """Create the job, once. RefusedError: none was made. UnavailableError: one may have been."""

    def find(self, place: Place, key: str, value: str) -> Sequence[JobStatus]:
        """Jobs with that label, in the place's project and location."""

    def poll(self, place: Place, job: str) -> JobStatus:
        """How the job stands now."""

    def cancel(self, place: Place, job: str) -> None:
        """Ask for it; the job may still end otherwise."""

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        """The job's output files as listed now, final ones first. Empty when nothing is there (yet)."""

    def fetch(self, place: Place, file: OutputFile, target: BinaryIO) -> None:
        """Download an output file, checked."""

    def fetch_input(self, place: Place, target: BinaryIO) -> None:
        """Download the input again: only when an echo differs from what was sent."""

    def close(self) -> None:
        """Let go of connections. Nothing that was begun is undone."""
