"""The service's job states, in one table; an unknown one is refused, not guessed.

Source: enum JobState of the aiplatform discovery document, revision 20261106 (facts 1.3). A test walks
the SDK's enum and asks that the table knows every member.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from overnight.errors import JobError


class JobPhase(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    NEEDS_A_PERSON = "needs_a_person"


JOB_STATES: Final[dict[str, JobPhase]] = {
    "JOB_STATE_UNSPECIFIED": JobPhase.WAITING,
    "JOB_STATE_QUEUED": JobPhase.WAITING,
    "JOB_STATE_PENDING": JobPhase.WAITING,
    "JOB_STATE_RUNNING": JobPhase.RUNNING,
    "JOB_STATE_UPDATING": JobPhase.RUNNING,  # goes back to RUNNING
    "JOB_STATE_CANCELLING": JobPhase.RUNNING,  # may still end SUCCEEDED, FAILED or CANCELLED
    "JOB_STATE_SUCCEEDED": JobPhase.ENDED,  # says nothing about rows
    "JOB_STATE_PARTIALLY_SUCCEEDED": JobPhase.ENDED,  # the SDK's `done` forgets this one
    "JOB_STATE_FAILED": JobPhase.ENDED,
    "JOB_STATE_CANCELLED": JobPhase.ENDED,  # finished rows stay and are billed
    "JOB_STATE_EXPIRED": JobPhase.ENDED,  # finished rows may be there: collect before judging
    "JOB_STATE_PAUSED": JobPhase.NEEDS_A_PERSON,  # resumable, but no call resumes it
}


_INVALID_ARGUMENT: Final = 3
_REFUSED: Final = frozenset({_INVALID_ARGUMENT, 5, 7, 9, 16})
"""google.rpc codes after which the same job would fail the same way: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED,
FAILED_PRECONDITION, UNAUTHENTICATED (facts 9.2)."""


def phase_of(state: str, job: str = "") -> JobPhase:
    """Raises JobError for a state that is not in the table. job: whose state it is."""
    try:
        return JOB_STATES[state]
    except KeyError:
        raise JobError(
            f"the service reports a job state this version does not know: {state!r}",
            where=job,
            hint="Nothing was sent or changed. Look at the job in the console; run again when its state is another one,"
            " or update overnight.",
        ) from None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What the service says of a job. Every count is optional: seen absent, null and -1 (facts 1.2).

    error: (code, message) of google.rpc.Status. Times are RFC 3339 as the service wrote them, empty when absent.
    """

    name: str
    state: str
    label: str = ""
    error: tuple[int, str] | None = None
    partial_failures: tuple[str, ...] = ()
    succeeded: int | None = None
    failed: int | None = None
    incomplete: int | None = None
    output_directory: str = ""
    create_time: str = ""
    start_time: str = ""
    end_time: str = ""

    @property
    def phase(self) -> JobPhase:
        return phase_of(self.state, self.name)

    @property
    def is_refused(self) -> bool:
        """Sent again as it is, it would end the same way. Also of a job that ran and then could not write."""
        return self.error is not None and self.error[0] in _REFUSED

    @property
    def never_ran(self) -> bool:
        """Refused before any row ran. Without a count, a job that was seen to start may have run and been billed (an
        output that cannot be written fails it at its end), but for an import that failed (facts 2.2, 9.2)."""
        if self.error is None or not self.is_refused:
            return False
        if self.succeeded is not None and self.succeeded >= 0:
            return self.succeeded == 0
        return not self.start_time or self.error[0] == _INVALID_ARGUMENT
