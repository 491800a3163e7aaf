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


def phase_of(state: str) -> JobPhase:
    """Raises JobError for a state that is not in the table."""
    try:
        return JOB_STATES[state]
    except KeyError:
        raise JobError(
            f"the service reports a job state this version does not know: {state!r}",
            hint="Nothing was sent or changed. Update overnight, or look at the job in the console.",
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
        return phase_of(self.state)
