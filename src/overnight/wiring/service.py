"""Ways to the service: Google with the person's credentials, or the study's embedded local cloud at another address."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from overnight.backends.backend import Backend, Patience
from overnight.backends.on_first_use import OnFirstUse
from overnight.core.events import Note, Tell
from overnight.core.realm import GOOGLE
from overnight.errors import CloudError
from overnight.run.world import Home
from overnight.study.models import Study

if TYPE_CHECKING:
    from overnight.google.auth import Access
    from overnight.google.endpoints import Endpoints
    from overnight.google.http import Http
    from overnight.google.preflight import Clients
    from overnight.google.storage import Storage

LOCAL_PROJECT: Final = "local-project"
LOCAL_LOCATION: Final = "global"  # where every model is; the newest are nowhere else (facts 7.1)
LOCAL_BUCKET_LOCATION: Final = "US"
LOCAL_BUCKET: Final = "overnight-local"
_SERVED_ALREADY: Final = 3
"""The local cloud's exit code when another process serves the folder."""
_LITTLE_ROOM_BYTES: Final = 5_000_000
_BUSY_LOOKS: Final = 25
_BUSY_WAIT_S: Final = 0.2
"""One that is just starting or stopping, of a run that was stopped or killed a moment ago, is waited for."""


@dataclass(frozen=True, slots=True)
class Service:
    """An address, who asks, and how patient to be there. still: raises CloudError when it is worth no other try."""

    endpoints: "Endpoints"
    access: "Access"
    patience: Patience
    project: str
    location: str
    bucket: str
    prefix: str
    still: Callable[[], None] = lambda: None


def google_service(study: Study) -> Service:
    """Google itself, with the person's standard credentials. Raises CredentialsError."""
    from overnight.backends.vertex_storage import GOOGLE_PATIENCE
    from overnight.google.auth import adc_access
    from overnight.google.endpoints import google_endpoints

    assert study.cloud is not None
    cloud = study.cloud
    return Service(
        google_endpoints(), adc_access(), GOOGLE_PATIENCE, cloud.project, cloud.location, cloud.bucket, cloud.prefix
    )


def local_service(endpoint: str) -> Service:
    from overnight.backends.vertex_storage import LOCAL_PATIENCE
    from overnight.google.auth import local_access
    from overnight.google.endpoints import local_endpoints

    return Service(
        local_endpoints(endpoint), local_access(), LOCAL_PATIENCE, LOCAL_PROJECT, LOCAL_LOCATION, LOCAL_BUCKET, ""
    )


@contextlib.contextmanager
def connected(study: Study, home: Home, tell: Tell) -> Iterator[Backend]:
    """A way to the service that the study names, made at its first use: a run that has nothing to do needs no account.

    Its connections are closed when this is left, and the local cloud, if it was started, ends.
    """
    with contextlib.ExitStack() as stack:

        def connect() -> Backend:
            if study.realm == GOOGLE:
                service = google_service(study)
            else:
                data = home.folder / "stand-in" / "cloud"
                service = local_service(stack.enter_context(local_cloud(data, tell)))
                service = replace(service, still=partial(_must_be_served, data))
                _make_local_bucket(service)
            backend = backend_of(service, tell)
            stack.callback(backend.close)
            return backend

        yield OnFirstUse(connect)


def _make_local_bucket(service: Service) -> None:
    from overnight.google.storage import Storage

    storage = Storage(service.endpoints, service.access, service.project)
    with contextlib.closing(storage):
        storage.create_bucket(service.bucket, LOCAL_BUCKET_LOCATION)


def backend_of(service: Service, tell: Tell) -> Backend:
    from overnight.backends.vertex_storage import VertexStorage
    from overnight.google.batch_jobs import BatchJobs
    from overnight.google.http import Http, Retry
    from overnight.google.storage import Storage

    def on_retry(retry: Retry) -> None:
        service.still()
        tell(Note(str(retry), "warning"))

    http = Http(service.access, on_retry=on_retry)
    return VertexStorage(
        _clients(service, http, Storage(service.endpoints, service.access, service.project)),
        lambda: _looking(service),
        http.close,
        lambda project, location: BatchJobs(service.endpoints, http, project, location),
        project=service.project,
        location=service.location,
        bucket=service.bucket,
        prefix=service.prefix,
        patience=service.patience,
    )


@contextlib.contextmanager
def local_cloud(data: Path, tell: Tell) -> Iterator[str]:
    """The endpoint of the study's local cloud: one that serves this folder already, else a child that ends with us.

    What the child says of errors goes to `cloud.log` beside its data. It is out of reach of our terminal's Ctrl-C: it
    ends when its standard input does, after we have finished what we were doing.
    """
    data.mkdir(parents=True, exist_ok=True)
    for _ in range(_BUSY_LOOKS):
        with _child(data) as child:
            assert child.stdout is not None
            if child.stdout.readline():
                yield _endpoint(data)
                return
            code = child.wait()
        if code != _SERVED_ALREADY:
            said = _log_of(data).read_text(encoding="utf-8", errors="replace").strip()
            raise CloudError(
                f"the local cloud did not start: {said or _why_silent(data, code)}",
                where=str(data),
                hint="Mend what it says. If the folder is damaged, move it away: the ledger keeps what was answered.",
            )
        if endpoint := _answering(data):
            tell(Note(f"the local cloud at {endpoint} serves this study already; it goes on after us"))
            yield endpoint
            return
        time.sleep(_BUSY_WAIT_S)
    raise CloudError(
        "the study's local cloud is held by a process that neither serves it nor ends",
        where=str(data),
        hint="Find and stop that process (`python -m overnight.localcloud` on this folder), then run again.",
    )


@contextlib.contextmanager
def _child(data: Path) -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "overnight.localcloud", "--port", "0", "--data", str(data), "--with-parent"]
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    with _log_of(data).open("wb") as errors:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, **apart)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield child
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


def _why_silent(data: Path, code: int) -> str:
    """What it would have said, where its log could not be written."""
    free_bytes = shutil.disk_usage(data).free
    if free_bytes < _LITTLE_ROOM_BYTES:
        return f"the disk may be full, {free_bytes // 1000:,} kB are free; make room, then run again"
    return f"it said nothing (exit code {code})"


def _must_be_served(data: Path) -> None:
    """Raises CloudError when no process serves the folder any more: another would listen at another address.

    Its lock says so, which the system frees when its holder dies: a refused connection alone may pass.
    """
    from filelock import FileLock, Timeout

    if not (data / "lock").exists():
        return
    try:
        FileLock(data / "lock").acquire(timeout=0).lock.release()
    except Timeout:
        return
    raise CloudError(
        "the study's local cloud has ended: it was stopped or killed",
        where=str(data),
        hint=f"Run again: it is started anew, and its jobs go on where they were. What it said last: {_log_of(data)}",
    )


def _log_of(data: Path) -> Path:
    return data.parent / "cloud.log"


def _endpoint(data: Path) -> str:
    found: Mapping[str, Any] = json.loads((data / "endpoint.json").read_text(encoding="utf-8"))
    return str(found["endpoint"])


def _answering(data: Path) -> str:
    """The endpoint the folder names, if somebody listens there. Empty: none is named, or it is of a process gone."""
    try:
        endpoint = _endpoint(data)
        where = urlsplit(endpoint)
        socket.create_connection((where.hostname or "", where.port or 0), timeout=1.0).close()
    except (OSError, ValueError, KeyError):
        return ""
    return endpoint


@contextlib.contextmanager
def _looking(service: Service) -> "Iterator[Clients]":
    """Clients for a look at the account, which is over in seconds whatever the network does."""
    from overnight.google.http import Http
    from overnight.google.preflight import LOOK_PATIENCE_S, LOOK_TIMEOUT_S
    from overnight.google.storage import Storage

    http = Http(service.access, timeout_s=LOOK_TIMEOUT_S, patience_s=LOOK_PATIENCE_S)
    storage = Storage(
        service.endpoints, service.access, service.project, patience_s=LOOK_PATIENCE_S, timeout_s=LOOK_TIMEOUT_S
    )
    with contextlib.closing(http), contextlib.closing(storage):
        yield _clients(service, http, storage)


def _clients(service: Service, http: "Http", storage: "Storage") -> "Clients":
    """What looks at the account, and asks one request at a time."""
    from overnight.google.batch_jobs import BatchJobs
    from overnight.google.gemini import Gemini
    from overnight.google.preflight import Clients
    from overnight.google.projects import Projects

    return Clients(
        access=service.access,
        storage=storage,
        jobs=BatchJobs(service.endpoints, http, service.project, service.location),
        gemini=Gemini(service.endpoints, http, service.project, service.location),
        projects=Projects(service.endpoints, http),
    )
