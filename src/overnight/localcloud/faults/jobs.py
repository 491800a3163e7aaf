"""Faults of a job's life: where it stands still, fails, is left, and as what it ends.

The runner asks at four points: in the queue, at import, between chunks of rows, and at the end, when every row is
served and nothing is written yet.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, cast

from overnight.localcloud.faults.kind import Family, Kind, param
from overnight.localcloud.values import JsonObject
from overnight.localcloud.vertex import jobs as states
from overnight.localcloud.vertex.jobs import Job
from overnight.localcloud.vertex.regions import buckets_of

Point = Literal["queue", "import", "rows", "end"]
_POINTS: Final = ("queue", "rows", "end")


@dataclass(frozen=True, slots=True)
class Stand:
    """The job shows this state and does nothing. for_s: 0 = until the plan is removed."""

    state: str
    for_s: float


@dataclass(frozen=True, slots=True)
class Fail:
    """code: google.rpc.Code. message: {bucket}, {directory} and {model} in it stand for the job's."""

    code: int
    message: str

    def words(self, job: Job) -> str:
        places = {"{bucket}": buckets_of(job.resource)[0], "{directory}": job.output_directory, "{model}": job.model}
        found = self.message
        for name, value in places.items():
            found = found.replace(name, value)
        return found


@dataclass(frozen=True, slots=True)
class Leave:
    """The job is over; rows that are done stay."""

    state: str


class LifeFault(Kind):
    """Strikes a job at one point of its life."""

    family: ClassVar[Family] = "job"

    def point(self) -> Point:
        raise NotImplementedError

    def rows(self) -> int:
        """At the point `rows`: when so many are done."""
        return 0

    def act(self) -> Stand | Fail | Leave:
        raise NotImplementedError


_AFTER_ROWS: Final = "when so many rows are done"
_FOR_S: Final = "how long; 0 = until the plan is removed"


@dataclass(frozen=True)
class StuckInQueue(LifeFault):
    """The job stays PENDING or QUEUED."""

    kind: ClassVar[str] = "stuck_in_queue"
    source: ClassVar[str] = "facts 13.1 [U]; QUEUED: facts 1.3 [D]"

    state: str = param("PENDING", "what it shows", choices=("PENDING", "QUEUED"))
    for_s: float = param(0.0, _FOR_S)

    def point(self) -> Point:
        return "queue"

    def act(self) -> Stand:
        return Stand(f"JOB_STATE_{self.state}", self.for_s)


@dataclass(frozen=True)
class Paused(LifeFault):
    """The job is PAUSED between rows; no call makes it go on."""

    kind: ClassVar[str] = "paused"
    source: ClassVar[str] = "facts 1.3 [D]"

    after_rows: int = param(0, _AFTER_ROWS)
    for_s: float = param(0.0, _FOR_S)

    def point(self) -> Point:
        return "rows"

    def rows(self) -> int:
        return self.after_rows

    def act(self) -> Stand:
        return Stand(states.PAUSED, self.for_s)


@dataclass(frozen=True)
class Updating(Paused):
    """The job is UPDATING between rows, then RUNNING again."""

    kind: ClassVar[str] = "updating"

    for_s: float = param(1.0, _FOR_S)

    def act(self) -> Stand:
        return Stand("JOB_STATE_UPDATING", self.for_s)


@dataclass(frozen=True)
class UnknownState(LifeFault):
    """The job shows a state nobody knows."""

    kind: ClassVar[str] = "unknown_state"
    source: ClassVar[str] = "ours; JOB_STATE_UNSPECIFIED: facts 1.3 [D]"

    state: str = param("JOB_STATE_ARCHIVING", "the word; JOB_STATE_UNSPECIFIED is one the service has")
    at: str = param("rows", "where in its life; end: every row is served, nothing written", choices=_POINTS)
    after_rows: int = param(0, f"at rows: {_AFTER_ROWS}")
    for_s: float = param(0.0, _FOR_S)

    def point(self) -> Point:
        return cast("Point", self.at)

    def rows(self) -> int:
        return self.after_rows if self.at == "rows" else 0

    def act(self) -> Stand:
        return Stand(self.state, self.for_s)


_IMPORT: Final = {
    "name": 'Invalid field name "$defs". Fields must contain only letters, numbers, and underscores.',
    "levels": "Schema nested too deeply, at least 16 compared to the maximum allowed level of 15",
    "empty": "Unsupported empty struct type: Cannot store struct 'request.tools' with no fields",
    "types": "Repeated field must be imported as a JSON array. Field: type.",
    "null": "Only optional fields can be set to NULL. Field: enum; Value: NULL",
    "dataset": "Not found: Dataset 0-tp:llm_bp_tenant_dataset_0 was not found in location US",
    "syntax": "Syntax error: Unexpected identifier `_vertex_row_id` at [17:5]",
}


@dataclass(frozen=True)
class ImportFailed(LifeFault):
    """The job fails with code 3 while its input is read: no row runs."""

    kind: ClassVar[str] = "import_failed"
    source: ClassVar[str] = "facts 2.2, 9.2 [L] [U]"

    words: str = param("types", "which of the service's texts", choices=tuple(_IMPORT))
    message: str = param("", "another text after `Failed to import data. `; empty = those words")

    def point(self) -> Point:
        return "import"

    def act(self) -> Fail:
        return Fail(3, f"Failed to import data. {self.message or _IMPORT[self.words]}")


_AGENT: Final = "Service account `service-0@gcp-sa-aiplatform.iam.gserviceaccount.com`"
_FAILED: Final = {
    1: "CANCELED",
    3: "Failed to import data. Not found: Dataset 0-tp:llm_bp_tenant_dataset_0 was not found in location US",
    7: _AGENT + " doesn't have sufficient permission `storage.objects.create` to write {directory}/predictions.jsonl",
    8: "RESOURCE_EXHAUSTED error occurred: Online prediction request quota exceeded for {model}.",
    9: "Failed to get GCS bucket location for {bucket}.",
    13: "System error. Please try this operation again.",
}


@dataclass(frozen=True)
class Failed(LifeFault):
    """The job is FAILED; at the end all its work was done and nothing is written."""

    kind: ClassVar[str] = "failed"
    source: ClassVar[str] = "facts 9.2 [L] [U]"

    code: int = param(13, "google.rpc.Code", low=1, high=16)
    message: str = param(
        "", "{bucket}, {directory}, {model} are put in; empty = the service's words for 1, 3, 7, 8, 9, 13"
    )
    at: str = param("end", "where in its life", choices=_POINTS)
    after_rows: int = param(0, f"at rows: {_AFTER_ROWS}")

    def point(self) -> Point:
        return cast("Point", self.at)

    def rows(self) -> int:
        return self.after_rows if self.at == "rows" else 0

    def act(self) -> Fail:
        return Fail(self.code, self.message or _FAILED.get(self.code, "The job failed."))


@dataclass(frozen=True)
class ExpiredInQueue(LifeFault):
    """The job is EXPIRED before a row ran: the queue's 72 hours are over."""

    kind: ClassVar[str] = "expired_in_queue"
    source: ClassVar[str] = "facts 1.3, 6 [D]"

    def point(self) -> Point:
        return "queue"

    def act(self) -> Leave:
        return Leave(states.EXPIRED)


@dataclass(frozen=True)
class ExpiredRunning(LifeFault):
    """The job is EXPIRED while it runs; finished rows are in place."""

    kind: ClassVar[str] = "expired_running"
    source: ClassVar[str] = "facts 3.3, 6 [D]; that they can be read [?]"

    after_rows: int = param(1, _AFTER_ROWS)

    def point(self) -> Point:
        return "rows"

    def rows(self) -> int:
        return self.after_rows

    def act(self) -> Leave:
        return Leave(states.EXPIRED)


@dataclass(frozen=True)
class CancelledByOther(ExpiredRunning):
    """Somebody else cancels the job while it runs; finished rows are in place."""

    kind: ClassVar[str] = "cancelled_by_other"
    source: ClassVar[str] = "facts 1.3, 3.3 [D]"

    def act(self) -> Leave:
        return Leave(states.CANCELLED)


@dataclass(frozen=True)
class CancellingEnds(Kind):
    """A cancelled job is CANCELLING for a while and ends as the service likes; SUCCEEDED with every row."""

    kind: ClassVar[str] = "cancelling_ends"
    family: ClassVar[Family] = "job"
    source: ClassVar[str] = "facts 1.3 [D]: best effort"

    state: str = param("SUCCEEDED", "what it ends as", choices=("SUCCEEDED", "FAILED", "CANCELLED"))
    for_s: float = param(0.2, "how long it shows CANCELLING at least")


@dataclass(slots=True)
class End:
    """How a job that served every row ends. fields: of the resource; counts may be {}, null or anything."""

    state: str
    fields: JsonObject = field(default_factory=dict)
    output_delay_s: float = 0.0


class EndFault(Kind):
    family: ClassVar[Family] = "job"

    def change(self, end: End) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class PartiallySucceeded(EndFault):
    """The job ends PARTIALLY_SUCCEEDED, whatever its rows did."""

    kind: ClassVar[str] = "partially_succeeded"
    source: ClassVar[str] = "facts 1.3 [?]: never met by others; partialFailures: facts 1.2 [D]"

    failure: str = param("", "one entry of partialFailures; empty = none")

    def change(self, end: End) -> None:
        end.state = states.PARTIALLY_SUCCEEDED
        if self.failure:
            end.fields["partialFailures"] = [{"code": 13, "message": self.failure}]


@dataclass(frozen=True)
class NoCounts(EndFault):
    """The job ends without usable counts."""

    kind: ClassVar[str] = "no_counts"
    source: ClassVar[str] = "facts 1.2 [D] -1, [L] null, [U] absent"

    form: str = param("absent", "what completionStats is", choices=("absent", "null", "minus_one"))

    def change(self, end: End) -> None:
        if self.form == "absent":
            end.fields.pop("completionStats", None)
            return
        names = ("successfulCount", "failedCount", "incompleteCount")
        end.fields["completionStats"] = None if self.form == "null" else dict.fromkeys(names, "-1")


@dataclass(frozen=True)
class OutputLate(EndFault):
    """The job is SUCCEEDED before its output exists."""

    kind: ClassVar[str] = "output_late"
    source: ClassVar[str] = "tidyverse/ellmer#926 [U]"

    delay_s: float = param(1.0, "how long after the end the files come", high=86_400)

    def change(self, end: End) -> None:
        end.output_delay_s = self.delay_s
