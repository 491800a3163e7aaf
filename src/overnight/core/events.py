"""What a run tells while it works. The CLI draws these; a test reads them; nothing depends on their being seen."""

from collections.abc import Callable
from dataclasses import dataclass

from overnight.core.states import JobStatus


@dataclass(frozen=True, slots=True)
class Event:
    """Base: `text` is the plain line for a terminal without a live display."""

    @property
    def text(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something worth one line. level: info | warning."""

    message: str
    level: str = "info"

    @property
    def text(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class JobStuck(Note):
    """A job is under way for unusually long. job: its label, by which people are told of it once."""

    job: str = ""


@dataclass(frozen=True, slots=True)
class StepStarted(Event):
    step: str
    detail: str = ""

    @property
    def text(self) -> str:
        return f"{self.step}: {self.detail}" if self.detail else self.step


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """`done` of `total` in the running step. total 0: not known."""

    step: str
    done: int
    total: int
    unit: str = "records"


@dataclass(frozen=True, slots=True)
class JobChanged(Event):
    """A job was seen in another state, or with other counts, than at the last look."""

    shard: int
    status: JobStatus
    n_requests: int
    elapsed_s: float

    @property
    def word(self) -> str:
        """The state, as a person would say it."""
        return self.status.state.removeprefix("JOB_STATE_").lower().replace("_", " ")

    @property
    def text(self) -> str:
        done = "" if self.status.succeeded is None or self.status.succeeded < 0 else f", {self.status.succeeded:,} done"
        noun = "request" if self.n_requests == 1 else "requests"
        return f"job {self.shard}: {self.word} ({self.n_requests:,} {noun}{done})"


Tell = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener that does not listen."""
