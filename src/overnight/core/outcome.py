"""How an attempt ends: an answer or a problem; and lines that settle nothing: strays.

The table AGAIN says per kind of problem whether a request is sent again, and what the next attempt changes.
"""

from enum import StrEnum
from typing import Final

import msgspec

from overnight.core.usage import NO_USAGE, Usage


class ProblemKind(StrEnum):
    """Why there is no answer."""

    BLOCKED = "blocked"  # the prompt or the answer was stopped by a filter
    TRUNCATED = "truncated"  # the answer ends at the token limit
    MALFORMED = "malformed"  # the answer is not the JSON asked for
    INVALID = "invalid"  # JSON, but not of the schema asked for
    REFUSED = "refused"  # the service refused this row (400 class)
    SERVICE_ERROR = "service_error"  # the service failed on this row or its whole job
    MISSING = "missing"  # the job ended and its output holds no line for this row
    MISMATCHED = "mismatched"  # key and echoed text disagree: whose answer it is, is not known
    EXPIRED = "expired"  # the job ran out of time before this row
    CANCELLED = "cancelled"  # a person cancelled the job before this row


class Next(StrEnum):
    """What follows a problem."""

    GIVE_UP = "give_up"  # permanent: only `overnight retry` reopens it
    SAME = "same"  # sent again as it is
    MORE_ROOM = "more_room"  # sent again with a larger maxOutputTokens


AGAIN: Final[dict[ProblemKind, Next]] = {
    ProblemKind.BLOCKED: Next.GIVE_UP,
    ProblemKind.TRUNCATED: Next.MORE_ROOM,
    ProblemKind.MALFORMED: Next.SAME,
    ProblemKind.INVALID: Next.SAME,
    ProblemKind.REFUSED: Next.GIVE_UP,  # 400-class rows are permanent (facts 9.3)
    ProblemKind.SERVICE_ERROR: Next.SAME,
    ProblemKind.MISSING: Next.SAME,
    ProblemKind.MISMATCHED: Next.SAME,
    ProblemKind.EXPIRED: Next.SAME,
    ProblemKind.CANCELLED: Next.GIVE_UP,  # a person's word: reopened by a person
}

SUSPICIOUS: Final = frozenset({ProblemKind.MISMATCHED, ProblemKind.MALFORMED, ProblemKind.INVALID})
"""Kinds that, in number, point to a mistake of ours or a change of the service: they count for the breaker."""


class StrayKind(StrEnum):
    """Why a line settles nothing."""

    DUPLICATE = "duplicate"  # another line of the same attempt was taken
    UNIDENTIFIED = "unidentified"  # no key and no usable echo, or no JSON at all
    FOREIGN = "foreign"  # a key or text that this job was not asked about
    SURPLUS = "surplus"  # a good line for a request that was settled before: stored, billed, never replacing


class Identity(StrEnum):
    """By what a line was attached to its request."""

    KEY = "key"  # key and echoed text agree
    LOOSE = "loose"  # key agrees, the echoed text agrees but for white space, control characters, Unicode form
    KEY_ONLY = "key_only"  # key, but nothing was echoed to check it with
    FINGERPRINT = "fingerprint"  # no key; the echoed text names exactly one request


class NotSent(StrEnum):
    """Why a record is not sent at all."""

    NO_TEXT = "no_text"
    DUPLICATE = "duplicate"
    OVER_BUDGET = "over_budget"
    DECIDED_BY_PERSON = "decided_by_person"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What one attempt ended as. `kind` None is an answer, and then `answer` is its JSON (validated, compact).

    detail: the service's own words, or ours with the path. source: `raw file:line` of the line it was read from, empty
    when there was none (missing, expired, cancelled).
    """

    address: bytes
    attempt: int
    kind: ProblemKind | None
    answer: bytes = b""
    detail: str = ""
    usage: Usage = NO_USAGE
    model_version: str = ""
    finish_reason: str = ""
    identity: Identity | None = None
    processed_time: str = ""
    source: str = ""


COPY: Final = "a copy of the line that was taken"
"""Detail of a duplicate that is the same serving written twice: it carries no tokens, so that it is billed once."""


class Stray(msgspec.Struct, frozen=True, gc=False):
    """A line that settles nothing. `differs`: a duplicate or surplus whose answer is not the one taken."""

    kind: StrayKind
    key: str
    detail: str = ""
    differs: bool = False
    usage: Usage = NO_USAGE
    model_version: str = ""
    source: str = ""
    processed_time: str = ""
