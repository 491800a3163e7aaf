"""Looks at the account before anything is sent: `overnight check --cloud`, and a study's first `run`. Reads only,
costs nothing.

A create is accepted although the bucket is missing or not writable, and the job fails minutes later, at worst after
all the work ran (facts 9.2 [L]): this is the place to find out.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from overnight.errors import (
    CloudError,
    CredentialsError,
    Finding,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnreachableError,
)
from overnight.google.auth import Access
from overnight.google.batch_jobs import BatchJobs
from overnight.google.gemini import Gemini
from overnight.google.identity import member_of
from overnight.google.locations import fitting_bucket_location, mismatch
from overnight.google.projects import Projects
from overnight.google.storage import Bucket, Storage

OBJECT_RIGHTS: Final = (
    "storage.objects.create",
    "storage.objects.get",
    "storage.objects.list",
    "storage.objects.delete",
)
JOB_RIGHTS: Final = (
    "aiplatform.batchPredictionJobs.create",
    "aiplatform.batchPredictionJobs.get",
    "aiplatform.batchPredictionJobs.list",
    "aiplatform.batchPredictionJobs.cancel",
)
_POLICY_RIGHT: Final = "storage.buckets.getIamPolicy"
_WRITING_ROLES: Final = frozenset({"roles/storage.objectUser", "roles/storage.objectAdmin", "roles/storage.admin"})
_AGENT = re.compile(r"serviceAccount:service-\d+@gcp-sa-aiplatform\.iam\.gserviceaccount\.com")
Tell = Callable[[str], None]
LOOK_PATIENCE_S: Final = 5.0
"""A person waits for what is seen, and looking again costs nothing: each call is repeated for so long."""
LOOK_TIMEOUT_S: Final = 10.0
_ONE_WORD: Final = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}).encode()


@dataclass(frozen=True, slots=True)
class Target:
    """What the study would use. bucket: the name alone. model: a plain id. served_in: locations, empty: not known."""

    project: str
    location: str
    bucket: str
    model: str
    served_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clients:
    access: Access
    storage: Storage
    jobs: BatchJobs
    gemini: Gemini
    projects: Projects


def preflight(target: Target, clients: Clients, tell: Tell) -> list[Finding]:
    """All findings at once; `tell` gets a line for each thing that was looked at and is well, or cannot be seen.

    Faults of the network are findings too, one for each service that has one. What Google documents nowhere is a
    warning, never an error.
    """
    findings: list[Finding] = []
    down: set[str] = set()
    for service, check in _CHECKS:
        if service in down:
            continue
        try:
            findings.extend(check(target, clients, tell))
        except (CredentialsError, UnreachableError) as error:
            return [*findings, _finding(error, "cloud")]  # nothing else can be seen without
        except UnavailableError as error:
            findings.append(_finding(error, "cloud"))
            down.add(service)  # a person waits: no other look at it would end better
        except CloudError as error:
            findings.append(_finding(error, "cloud"))
    return findings


def _finding(error: CloudError, path: str, level: Literal["error", "warning"] = "error") -> Finding:
    return Finding(error.what, path=path, hint=error.hint, level=level)


def _jobs(target: Target, clients: Clients, tell: Tell) -> Iterator[Finding]:
    """Credentials, the API and the right to list jobs in one cheap call."""
    try:
        clients.jobs.probe()
    except RefusedError as error:
        yield _finding(error, "cloud.project")
        return
    tell(f"credentials: {clients.access.who}")
    tell(f"Vertex AI answers for project {target.project} in {target.location}; jobs may be listed")


def _job_rights(target: Target, clients: Clients, tell: Tell) -> Iterator[Finding]:
    """Listing proves no right to create. What the project says of it needs an API of its own, often turned off."""
    if clients.access.local:
        return
    try:
        held = clients.projects.granted(target.project, JOB_RIGHTS)
    except CredentialsError:
        raise
    except CloudError as error:
        tell(f"whether jobs may be created cannot be seen from here: {error.what}")
        return
    missing = [right for right in JOB_RIGHTS if right not in held]
    if not missing:
        tell(f"jobs may be created and cancelled in project {target.project}")
        return
    yield Finding(
        f"{clients.access.who} lacks {', '.join(missing)} in project {target.project}",
        path="cloud.project",
        hint=f"`gcloud projects add-iam-policy-binding {target.project} --member={member_of(clients.access)} "
        "--role=roles/aiplatform.user --condition=None` by somebody who may.",
    )


def _model(target: Target, clients: Clients, tell: Tell) -> Iterator[Finding]:
    """countTokens is free and is refused for a model that is unknown, elsewhere, or closed to this project."""
    places = target.served_in
    elsewhere = f" It is known to be served in {', '.join(places)}." if places and target.location not in places else ""
    try:
        clients.gemini.count_tokens(target.model, _ONE_WORD)
    except NotFoundError as error:
        yield Finding(error.what, path="model.name", hint=error.hint + elsewhere)
    except RefusedError as error:
        yield _finding(error, "model.name", level="warning")
    else:
        tell(f"{target.model} is served in {target.location} (whether to batch, only a job tells)")


def _bucket(target: Target, clients: Clients, tell: Tell) -> Iterator[Finding]:
    try:
        bucket = clients.storage.bucket(target.bucket)
    except NotFoundError:
        yield Finding(
            f"there is no bucket gs://{target.bucket}",
            path="cloud.bucket",
            hint="`overnight check --print-setup` prints the command that makes it.",
        )
        return
    except RefusedError as error:
        yield _finding(error, "cloud.bucket", level="warning")  # it may still be written to: the next check says
        return
    tell(f"gs://{bucket.name} is there, in {bucket.location} ({bucket.location_type or 'type not said'})")
    yield from _bucket_settings(target, bucket)


def _bucket_settings(target: Target, bucket: Bucket) -> Iterator[Finding]:
    if reason := mismatch(target.location, bucket.location):
        yield Finding(
            reason,
            path="cloud.location",
            hint="Either a bucket where the jobs run: `gcloud storage buckets create gs://NAME "
            f"--project={target.project} --location={fitting_bucket_location(target.location)}`; "
            "or jobs where the bucket is: "
            f"`location: {bucket.location}` in the study, if the model is served there.",
            level="warning",
        )
    yield from _keeping(bucket)
    if bucket.requester_pays:
        yield Finding(
            f"who reads gs://{bucket.name} pays for it (requester pays), and Google's service agent names nobody",
            path="cloud.bucket",
            hint=f"`gcloud storage buckets update gs://{bucket.name} --no-requester-pays`, or a bucket of its own.",
            level="warning",
        )
    if bucket.kms_key:
        yield Finding(
            f"gs://{bucket.name} encrypts with a key of yours ({bucket.kms_key}); Google's pages say that batch jobs of"
            " Gemini do not support such keys",
            path="cloud.bucket",
            hint=f"Use another bucket, or `gcloud storage buckets update gs://{bucket.name}"
            " --clear-default-encryption-key`.",
            level="warning",
        )


def _keeping(bucket: Bucket) -> Iterator[Finding]:
    """Settings that keep what is deleted, or keep it from being deleted."""
    if bucket.retention_s:
        yield Finding(
            f"files of gs://{bucket.name} cannot be deleted for {_duration(bucket.retention_s)} (retention policy): "
            "`overnight clean` has to wait that long",
            path="cloud.bucket",
            hint="Use a bucket of its own, or, if the policy is not locked, "
            f"`gcloud storage buckets update gs://{bucket.name} --clear-retention-period`.",
            level="warning",
        )
    if bucket.event_hold:
        yield Finding(
            f"new files of gs://{bucket.name} are held until somebody releases them: "
            "`overnight clean` cannot delete them",
            path="cloud.bucket",
            hint=f"`gcloud storage buckets update gs://{bucket.name} --no-default-event-based-hold`.",
            level="warning",
        )
    if bucket.soft_delete_s:
        yield Finding(
            f"deleted files of gs://{bucket.name} are kept, and billed, for {bucket.soft_delete_s // 86_400} days",
            path="cloud.bucket",
            hint=f"`gcloud storage buckets update gs://{bucket.name} --clear-soft-delete` (Google advises it).",
            level="warning",
        )
    if bucket.versioning:
        yield Finding(
            f"gs://{bucket.name} keeps old versions of files, and bills them",
            path="cloud.bucket",
            hint=f"`gcloud storage buckets update gs://{bucket.name} --no-versioning`, or use a bucket of its own.",
            level="warning",
        )


def _duration(seconds: int) -> str:
    return f"{seconds // 86_400} days" if seconds >= 86_400 else f"{seconds:,} seconds"


def _rights(target: Target, clients: Clients, tell: Tell) -> Iterator[Finding]:
    try:
        held = clients.storage.granted(target.bucket, OBJECT_RIGHTS)
    except NotFoundError:
        return  # said by _bucket
    missing = [right for right in OBJECT_RIGHTS if right not in held]
    if not missing:
        tell(f"files in gs://{target.bucket} may be written, read, listed and deleted")
        return
    yield Finding(
        f"{clients.access.who} lacks {', '.join(missing)} on gs://{target.bucket}",
        path="cloud.bucket",
        hint=f"`gcloud storage buckets add-iam-policy-binding gs://{target.bucket} "
        f"--member={member_of(clients.access)} --role=roles/storage.objectUser` by somebody who may.",
    )


def _agent(target: Target, clients: Clients, tell: Tell) -> Iterator[Finding]:
    """Google reads and writes the bucket as a service agent; its rights show only to who may read the policy."""
    if clients.access.local:
        return
    unseen = f"whether Google's service agent may use gs://{target.bucket} cannot be seen from here"
    try:
        if _POLICY_RIGHT not in clients.storage.granted(target.bucket, [_POLICY_RIGHT]):
            tell(f"{unseen} ({_POLICY_RIGHT} is missing)")
            return
        grants = clients.storage.grants(target.bucket)
    except RefusedError as error:
        if error.code != 404:
            tell(f"{unseen}: {error.what}")
        return
    if any(_AGENT.fullmatch(member) for role in _WRITING_ROLES for member in grants.get(role, ())):
        tell(f"Google's service agent may use gs://{target.bucket}")
        return
    yield Finding(
        f"gs://{target.bucket} grants nothing to Google's service agent by name. In a bucket of the job's own project "
        "it normally has the right from the project; in another project's bucket it has not, and jobs fail",
        path="cloud.bucket",
        hint="`overnight check --print-setup` prints the command that grants it.",
        level="warning",
    )


_CHECKS: Final[tuple[tuple[str, Callable[[Target, Clients, Tell], Iterator[Finding]]], ...]] = (
    ("vertex", _jobs),
    ("projects", _job_rights),
    ("vertex", _model),
    ("storage", _bucket),
    ("storage", _rights),
    ("storage", _agent),
)
