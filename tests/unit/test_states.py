"""Tables that must be complete: job states and what follows a problem."""

import pytest
from google.genai import types

from overnight.core.outcome import AGAIN, SUSPICIOUS, Next, ProblemKind
from overnight.core.states import JOB_STATES, JobPhase, JobStatus, phase_of
from overnight.errors import JobError


def test_every_state_of_googles_client_is_in_the_table_and_no_other() -> None:
    assert set(JOB_STATES) == {member.value for member in types.JobState}


@pytest.mark.parametrize(
    ("phase", "states"),
    [
        (JobPhase.ENDED, {"SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}),
        (JobPhase.NEEDS_A_PERSON, {"PAUSED"}),
        (JobPhase.RUNNING, {"RUNNING", "UPDATING", "CANCELLING"}),
        (JobPhase.WAITING, {"UNSPECIFIED", "QUEUED", "PENDING"}),
    ],
)
def test_phases(phase: JobPhase, states: set[str]) -> None:
    """Ending states as facts 1.3 lists them; CANCELLING may still end well, PAUSED is no end."""
    assert {state.removeprefix("JOB_STATE_") for state, found in JOB_STATES.items() if found is phase} == states


@pytest.mark.parametrize("state", ["", "SUCCEEDED", "JOB_STATE_NEW", "job_state_failed"])
def test_an_unknown_state_is_refused_not_guessed(state: str) -> None:
    with pytest.raises(JobError, match="does not know"):
        phase_of(state)
    with pytest.raises(JobError):
        _ = JobStatus("job", state).phase


def test_again_says_something_of_every_problem() -> None:
    assert set(AGAIN) == set(ProblemKind)


def test_what_is_permanent_and_what_changes() -> None:
    by = {following: {kind for kind in ProblemKind if AGAIN[kind] is following} for following in Next}
    assert by[Next.GIVE_UP] == {ProblemKind.BLOCKED, ProblemKind.REFUSED, ProblemKind.CANCELLED}
    assert by[Next.MORE_ROOM] == {ProblemKind.TRUNCATED}


def test_the_breaker_counts_what_rows_do_not_do_by_themselves() -> None:
    assert {ProblemKind.MISMATCHED, ProblemKind.MALFORMED, ProblemKind.INVALID} == SUSPICIOUS
