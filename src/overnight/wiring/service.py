"""Ways to the service: Google with the person's credentials, or the study's embedded local cloud at another address."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from overnight.backends.backend import Backend, Patience
from overnight.core.events import Note, Tell
from overnight.core.realm import GOOGLE
from overnight.errors import CloudError
from overnight.run.world import Home
from overnight.study.models import Study

if TYPE_CHECKING:
    from overnight.google.auth import Access
    from overnight.google.endpoints import Endpoints
    from overnight.google.preflight import Clients

LOCAL_PROJECT: Final = "local-project"
LOCAL_LOCATION: Final = "global"  # where every model is; the newest are nowhere else (vertex-batch-facts 12, claim 26)
LOCAL_BUCKET_LOCATION: Final = "US"
LOCAL_BUCKET: Final = "overnight-local"
_SERVED_ALREADY: Final = 3
"""The local cloud's exit code when another process serves the folder."""


@dataclass(frozen=True, slots=True)
class Service:
    """An address, who asks, and how patient to be there."""

    endpoints: "Endpoints"
    access: "Access"
    patience: Patience
    project: str
    location: str
    bucket: str
    prefix: str


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
    """A way to the service that the study names; its connections are closed when this is left."""
    with contextlib.ExitStack() as stack:
        if study.realm == GOOGLE:
            service = google_service(study)
        else:
            service = local_service(stack.enter_context(local_cloud(home.folder / "stand-in" / "cloud", tell)))
            _make_local_bucket(service)
        backend = backend_of(service, tell)
        stack.callback(backend.close)
        yield backend


def _make_local_bucket(service: Service) -> None:
    from overnight.google.storage import Storage

    storage = Storage(service.endpoints, service.access, service.project)
    with contextlib.closing(storage):
        storage.create_bucket(service.bucket, LOCAL_BUCKET_LOCATION)


def backend_of(service: Service, tell: Tell) -> Backend:
    from overnight.backends.vertex_storage import VertexStorage
    from overnight.google.batch_jobs import BatchJobs
    from overnight.google.http import Http
    from overnight.google.storage import Storage

    http = Http(service.access, on_retry=lambda retry: tell(Note(str(retry), "warning")))
    return VertexStorage(
        Storage(service.endpoints, service.access, service.project),
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
    command = [sys.executable, "-m", "overnight.localcloud", "--port", "0", "--data", str(data), "--with-parent"]
    log = data.parent / "cloud.log"
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    with log.open("wb") as errors:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, **apart)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        if child.stdout.readline():
            yield _endpoint(data)
        elif child.wait() == _SERVED_ALREADY:
            endpoint = _endpoint(data)
            tell(Note(f"the local cloud at {endpoint} serves this study already; it goes on after us"))
            yield endpoint
        else:
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise CloudError(
                f"the local cloud did not start: {said or 'it said nothing'}",
                where=str(data),
                hint="Mend what it says. If the folder is damaged, move it away: the ledger keeps what was answered.",
            )
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


def _endpoint(data: Path) -> str:
    found: Mapping[str, Any] = json.loads((data / "endpoint.json").read_text(encoding="utf-8"))
    return str(found["endpoint"])


def preflight_clients(service: Service) -> "Clients":
    """What `check --cloud` asks with: read-only."""
    from overnight.google.batch_jobs import BatchJobs
    from overnight.google.gemini import Gemini
    from overnight.google.http import Http
    from overnight.google.preflight import Clients
    from overnight.google.storage import Storage

    http = Http(service.access)
    return Clients(
        access=service.access,
        storage=Storage(service.endpoints, service.access, service.project),
        jobs=BatchJobs(service.endpoints, http, service.project, service.location),
        gemini=Gemini(service.endpoints, http, service.project, service.location),
    )
