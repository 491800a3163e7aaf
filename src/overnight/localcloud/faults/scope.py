"""What a plan can strike: calls, jobs, rows. A scope that its kind can never meet is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from overnight.localcloud.faults.kind import Kind, PlanError
from overnight.localcloud.faults.reading import members, text, texts, whole, wholes
from overnight.localcloud.values import JsonObject

STORAGE_CALLS: Final = ("upload", "download", "get_object", "list_objects", "delete_object", "bucket")
OBJECT_CALLS: Final = ("upload", "download", "get_object", "delete_object")
JOB_CALLS: Final = ("create", "get", "cancel", "delete")
VERTEX_CALLS: Final = (*JOB_CALLS, "list", "generate", "count")
ALL_CALLS: Final = (*STORAGE_CALLS, *VERTEX_CALLS)

_JOB_FIELDS: Final = ("label", "display_name", "ordinal")
_FIELDS: Final = {
    "call": ("calls", "bucket", "object_prefix", *_JOB_FIELDS),
    "job": _JOB_FIELDS,
    "row": (*_JOB_FIELDS, "keys", "rows", "every"),
}


@dataclass(frozen=True, slots=True)
class JobFacts:
    """Who a job is. id: empty while it is being made. ordinal: its number among all jobs made here, from 1."""

    id: str = ""
    ordinal: int = 0
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a client. job: None where the call is about no single job, or about one that is not there."""

    name: str
    bucket: str = ""
    object: str = ""
    job: JobFacts | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything given must hold; what is left out is not looked at. rows and every count from 1 in the input."""

    calls: tuple[str, ...] = ()
    bucket: str = ""
    object_prefix: str = ""
    label: str = ""
    display_name: str = ""
    ordinal: int = 0
    keys: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    every: int = 1

    @classmethod
    def of(cls, value: object, kind: type[Kind]) -> "Scope":
        """Raises PlanError."""
        given = members(value, f"scope of kind {kind.kind}", _FIELDS[kind.family])
        scope = cls(
            calls=_calls(given.get("calls"), kind),
            keys=texts(given["keys"], "scope.keys") if "keys" in given else (),
            rows=wholes(given["rows"], "scope.rows") if "rows" in given else (),
            every=whole(given.get("every", 1), "scope.every", low=1),
            ordinal=whole(given["ordinal"], "scope.ordinal", low=1) if "ordinal" in given else 0,
            **{
                name: text(given[name], f"scope.{name}")
                for name in ("bucket", "object_prefix", "label", "display_name")
                if name in given
            },
        )
        if scope.label and "=" not in scope.label:
            raise PlanError(f"scope.label: {scope.label!r} is not name=value")
        if kind.family == "call":
            scope._check_possible(kind)
        return scope

    def _check_possible(self, kind: type[Kind]) -> None:
        """A scope that no call could ever meet is a mistake, not a fault that never strikes."""
        asked = (
            ("bucket", bool(self.bucket), STORAGE_CALLS),
            ("object_prefix", bool(self.object_prefix), OBJECT_CALLS),
            ("label, display_name or ordinal", self.names_jobs, JOB_CALLS),
        )
        for what, given, possible in asked:
            wrong = [call for call in self.calls if given and call not in possible]
            if wrong:
                raise PlanError(f"scope of kind {kind.kind}: {wrong[0]} has no {what}; {', '.join(possible)} have")

    @property
    def names_jobs(self) -> bool:
        return bool(self.label or self.display_name or self.ordinal)

    def describe(self) -> JsonObject:
        """As it was written: what was left out stays out."""
        whole_scope: JsonObject = {
            "calls": list(self.calls),
            "bucket": self.bucket,
            "object_prefix": self.object_prefix,
            "label": self.label,
            "display_name": self.display_name,
            "ordinal": self.ordinal,
            "keys": list(self.keys),
            "rows": list(self.rows),
            "every": self.every if self.every > 1 else 0,
        }
        return {name: value for name, value in whole_scope.items() if value}

    def has_call(self, call: Call) -> bool:
        if call.name not in self.calls:
            return False
        if (self.bucket and call.bucket != self.bucket) or not call.object.startswith(self.object_prefix):
            return False
        return not self.names_jobs or (call.job is not None and self.has_job(call.job))

    def has_job(self, job: JobFacts) -> bool:
        name, _, value = self.label.partition("=")
        return (
            (not self.label or job.labels.get(name) == value)
            and (not self.display_name or job.display_name == self.display_name)
            and (not self.ordinal or job.ordinal == self.ordinal)
        )

    def has_row(self, row: int, key: str) -> bool:
        """row: number in the input, from 0."""
        return (
            (row + 1) % self.every == 0
            and (not self.rows or row + 1 in self.rows)
            and (not self.keys or key in self.keys)
        )


def _calls(value: object, kind: type[Kind]) -> tuple[str, ...]:
    if kind.family != "call":
        return ()
    if value is None and len(kind.calls) == 1:
        return kind.calls
    if value is None:
        raise PlanError(f"scope of kind {kind.kind}: say which calls: {', '.join(kind.calls)}")
    calls = texts(value, "scope.calls")
    for call in calls:
        if call not in ALL_CALLS:
            raise PlanError(f"scope.calls: there is no call {call!r}; there are {', '.join(ALL_CALLS)}")
        if call not in kind.calls:
            raise PlanError(f"scope.calls: kind {kind.kind} cannot strike {call}, only {', '.join(kind.calls)}")
    return calls
