"""How long a job may be under way before that is worth a word: by the study's past jobs, else by the service's aim.

Batch jobs mostly wait: a job of two rows takes minutes (facts 1.3), and one of any size may sit in the queue for a day
or more without a reason (facts 13). So a small job is not expected to end sooner than a large one did; only a job
larger than all before it gets more time, in proportion, since its rows have to be run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from overnight.core.realm import GOOGLE

_GOOGLE_AIM_S: Final = 24 * 3600.0
"""What Google's page on batch says a job is meant to take (facts 6)."""
_LOCAL_AIM_S: Final = 120.0
_TIMES: Final = 3
"""So many times as long as jobs usually take, and so many times the service's aim at most: 3 × 24 hours is how long
Google keeps a job in its queue."""
_LEAST: Final = 1 / 4
"""However quick past jobs were, a word is not said before this part of the service's aim. Our choice: a pilot that was
done in four minutes says little about the queue of another day."""


def aim_s(realm: str) -> float:
    """Within which who answers there means to end a job."""
    return _GOOGLE_AIM_S if realm == GOOGLE else _LOCAL_AIM_S


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job that ended by itself. took_s: from its creation to its end, the queue included."""

    n_requests: int
    took_s: float


@dataclass(frozen=True, slots=True)
class Usual:
    """unusual_s: longer is worth a word. n_jobs: the past jobs it was taken from, 0 for the service's aim alone.

    within_s: nine of ten of them took no longer (all of them, where they are fewer than ten); without any, the aim.
    """

    unusual_s: float
    n_jobs: int
    within_s: float


def usual(past: Sequence[PastJob], n_requests: int, aim: float) -> Usual:
    """For a job of so many requests. aim: in seconds, within which the service means to end a job."""
    if not past:
        return Usual(aim, 0, aim)
    within_s = sorted(job.took_s for job in past)[ceil(0.9 * len(past)) - 1]
    larger = max(1.0, n_requests / max(1, *(job.n_requests for job in past)))
    unusual_s = min(max(_TIMES * larger * within_s, _LEAST * aim), _TIMES * aim)
    return Usual(unusual_s, len(past), within_s)


def quiet_s(aim: float) -> float:
    """How long a running job's count of rows may stand still before that is worth a word."""
    return _LEAST * aim
