"""The seam between the run and a service. An implementation knows nothing of studies, records or answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from overnight.core.states import JobStatus
from overnight.errors import Finding
from overnight.ledger.shards import Place
from overnight.pricing.catalogue import Model
from overnight.requests.shards import ShardLimits


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to look for a job whose create had no reply, before anything else is done.

    look_again_s: waits between looks at the list, which may lag behind (facts 1.4 [?]).
    then_create: True where the list is known not to lag, so that "not listed" means "not made".
    poll_s: shortest and longest wait between two looks at running jobs. unusual_s: within which the service
    means to end a job (planning/usual.py).
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


@dataclass(frozen=True, slots=True)
class StoredObject:
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Staged:
    """A shard that has a manifest in the bucket. place: in the project and location that the study names now."""

    uid: str
    label: str
    place: Place


@dataclass(frozen=True, slots=True)
class HandMade:
    """A job that was not made through this seam. model: as the service names it. place: where its files are."""

    status: JobStatus
    model: str
    place: Place


@dataclass(frozen=True, slots=True)
class OwnerNote:
    """Who sends for a study, as it lies in the bucket (run/owner.py). generation: another with each writing."""

    text: str
    generation: int


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

    def preflight(self, model: Model, tell: Callable[[str], None]) -> Sequence[Finding]:
        """Looks at the account, read-only and free: everything that is wrong with it at once. What it would use now.

        tell: gets a line for each thing that is well, or cannot be seen.
        """

    def generate(self, model: str, request: bytes) -> Mapping[str, object]:
        """One request answered at once, at the standard price; sent once, whatever happens.

        request: what a line holds under `request`. Returns what a line of output holds under `response`. RefusedError,
        CredentialsError, UnreachableError: it was not answered. Another UnavailableError: it may have been, and billed.
        """

    def count_tokens(self, model: str, request: bytes) -> int:
        """Input tokens of one request, as the service counts them: free of charge. request: as for `generate`."""

    def stage(self, place: Place, lines: Iterable[bytes], manifest: Mapping[str, object]) -> None:
        """Upload the input, whole or not at all, then the manifest, which may be filled while the lines are read.

        What the lines raise comes out. Raises CloudError.
        """

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

    def staged(self, uid: str = "") -> Sequence[Staged]:
        """Every shard below the study's prefix that has a manifest, of one study or of all: one look at the list."""

    def manifest(self, place: Place) -> bytes:
        """The manifest as it was written (run/send.py)."""

    def hand_made(self, job: str) -> HandMade:
        """A job by its full name, or by its number in this project and location, to be adopted.

        Raises NotFoundError, and JobError where its input or output is of another form than ours.
        """

    def objects(self, place: Place) -> Sequence[StoredObject]:
        """Everything in the shard's own folder, whoever wrote it."""

    def remove(self, place: Place, name: str) -> None:
        """Delete one of `objects`. One that is gone is deleted already."""

    def is_ours(self, place: Place, name: str) -> bool:
        """Was an object of that name written by us, or by the service for a job of ours?"""

    def delete_job(self, place: Place, job: str) -> None:
        """Take an ended job from the service's list. One that is gone is deleted already."""

    def owner_place(self, uid: str) -> str:
        """The address of the study's owner note. Nothing is done yet."""

    def owner(self, place: str) -> OwnerNote | None:
        """The note as it is now; None where there is none."""

    def claim(self, place: str, text: str, generation: int) -> int:
        """Write the note where its generation is this one; 0: where there is none. Returns its new generation.

        RefusedError 412: somebody else wrote it since. UnavailableError: it may have been written.
        """

    def close(self) -> None:
        """Let go of connections. Nothing that was begun is undone."""
