"""Who may talk to the local cloud, and where its things lie: a test for each rule."""

import json
import os
import re
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from starlette.applications import Starlette
from starlette.testclient import TestClient

from overnight.localcloud import control
from overnight.localcloud.errors import ApiError, on_api_error
from overnight.localcloud.guard import refusal
from overnight.localcloud.server import bind
from tests.support.local_cloud import LocalCloud, rows

Start = Callable[..., LocalCloud]
TOKEN_ROUTES = [
    ("GET", "/control"),
    ("POST", "/control/switches"),
    ("GET", "/control/faults"),
    ("POST", "/control/faults"),
    ("DELETE", "/control/faults"),
    ("GET", "/control/faults/x"),
    ("DELETE", "/control/faults/x"),
    ("GET", "/control/journal"),
    ("GET", "/control/journal/served"),
    ("POST", "/control/stop"),
]
SERVED = ["/", "/storage/v1/b?project=p", "/v1/projects/p/locations/global/batchPredictionJobs", "/control", "/nothing"]
posix = pytest.mark.skipif(os.name != "posix", reason="rights as on POSIX")


def test_it_listens_on_the_loopback_address_only(cloud: LocalCloud) -> None:
    port = int(cloud.endpoint.rsplit(":", 1)[1])
    with bind(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    listening = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):  # where there is one, the system's own word
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and int(address.rsplit(":", 1)[1], 16) == port:
                listening.add(address.rsplit(":", 1)[0])
    assert listening <= {"0100007F"}


@pytest.mark.parametrize("path", SERVED)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example:80", "evil.example:127", "127.0.0.2", "0.0.0.0", "127.0.0.1@evil.example"],
)
def test_another_name_for_this_machine_is_refused(cloud: LocalCloud, path: str, host: str) -> None:
    """DNS rebinding: a page's own name is made to mean 127.0.0.1, and the browser sends that name as Host."""
    reply = requests.get(cloud.endpoint + path, headers={"Host": host, **cloud.token})
    assert (reply.status_code, host in reply.json()["error"]["message"]) == (403, True)


def test_a_request_without_a_host_is_refused() -> None:
    assert refusal({})
    assert refusal({b"host": b""})
    assert not refusal({b"host": b"127.0.0.1:8080"})


@pytest.mark.parametrize("path", SERVED)
@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://127.0.0.1", ""])
def test_a_request_of_a_web_page_is_refused(cloud: LocalCloud, path: str, origin: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        reply = requests.request(method, cloud.endpoint + path, headers={"Origin": origin, **cloud.token})
        assert reply.status_code == 403


@pytest.mark.parametrize("path", SERVED)
def test_no_page_is_ever_allowed_in(cloud: LocalCloud, path: str) -> None:
    """No CORS header, on replies that are fine, refused or unknown."""
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    replies = [
        requests.get(cloud.endpoint + path, headers=cloud.token),
        requests.get(cloud.endpoint + path, headers=asks),
        requests.options(cloud.endpoint + path, headers=asks),
    ]
    for reply in replies:
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(("method", "path"), TOKEN_ROUTES)
def test_every_control_route_needs_the_token(cloud: LocalCloud, method: str, path: str) -> None:
    right = cloud.token["X-Local-Cloud-Token"]
    for token in (None, "", "wrong", right[:-1], right + "x", right.swapcase(), "é"):
        headers = {} if token is None else {"X-Local-Cloud-Token": token.encode()}
        reply = requests.request(method, cloud.endpoint + path, headers=headers)
        assert (reply.status_code, "endpoint.json" in reply.text) == (403, True)
    in_the_address = requests.request(method, f"{cloud.endpoint}{path}?token={right}")
    assert in_the_address.status_code == 403


def test_there_is_no_control_route_beyond_those() -> None:
    """A new one has to be added to the list above."""
    routes = control.ControlRoutes(*[None] * 3).routes()  # type: ignore[arg-type]  # nothing is asked of them here
    assert {route.path.split("/{")[0] for route in routes} == {
        re.sub(r"/(x|served)$", "", path) for _, path in TOKEN_ROUTES
    }
    assert len(routes) == len(TOKEN_ROUTES)


def test_the_token_of_an_earlier_start_is_no_token(start: Start) -> None:
    first = start()
    first.stop()
    second = start()
    assert first.token != second.token
    assert requests.get(f"{second.endpoint}/control", headers=first.token).status_code == 403
    assert requests.get(f"{second.endpoint}/control", headers=second.token).status_code == 200


def test_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What says yes or no is `secrets.compare_digest` and nothing beside it."""
    asked: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, real: bytes) -> bool:
        asked.append((given, real))
        return given == b"whatever it says"

    monkeypatch.setattr(control.secrets, "compare_digest", compare)
    routes = control.ControlRoutes(*[None] * 3)  # type: ignore[arg-type]  # stopping asks nothing of them
    routes.token = "real"
    client = TestClient(Starlette(routes=routes.routes(), exception_handlers={ApiError: on_api_error}))
    for token, code in ((b"real", 403), (b"whatever it says", 200)):
        assert client.post("/control/stop", headers={control.TOKEN_HEADER: token.decode()}).status_code == code
    assert asked == [(b"real", b"real"), (b"whatever it says", b"real")]


@posix
def test_the_file_with_the_token_is_its_owners_alone(tmp_path: Path, start: Start) -> None:
    before = os.umask(0)  # whatever the person's habit is
    try:
        cloud = start(tmp_path / "new" / "cloud")
    finally:
        os.umask(before)
    assert stat.S_IMODE((cloud.data / "endpoint.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(cloud.data.stat().st_mode) == 0o700, "what was uploaded is nobody else's to read"
    assert cloud.token["X-Local-Cloud-Token"] not in cloud.announced


NAMES = [
    "../../escaped",
    "/etc/escaped",
    "a/../../../../escaped",
    "..\\..\\escaped",
    "C:\\escaped",
    "%2e%2e/%2e%2e/escaped",
    "..%2f..%2fescaped",
    "a//b",
    "./.",
    "nul\0inside",
    "new\nline\r\x1b[2J",
    "\u202egnp.exe",
    "é" * 512,
    "x" * 1024,
    "x" * 1025,
    "é" * 513,
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_an_objects_name_never_becomes_a_path(cloud: LocalCloud, name: str) -> None:
    """Stored under a hash or refused; what is stored is found again under exactly its name."""
    bucket = cloud.bucket("names")
    around = {path for path in cloud.data.parent.rglob("*") if not path.is_relative_to(cloud.data)}
    reply = cloud.upload(bucket, name, b"content")
    too_long = len(name.encode()) > 1024
    if reply.status_code == 200:
        assert not too_long
        assert reply.json()["name"] == name
        assert cloud.download(bucket, name) == b"content"
    else:
        assert reply.status_code == 400
        assert too_long or set(name) & set("\0\r\n"), "only what Cloud Storage refuses too"
    assert {path for path in cloud.data.parent.rglob("*") if not path.is_relative_to(cloud.data)} == around
    for file in (cloud.data / "objects").rglob("*"):
        assert re.fullmatch(r"[0-9a-f]{2}(/[0-9a-f-]+)?", file.relative_to(cloud.data / "objects").as_posix())


def test_an_address_with_dots_is_no_way_out(cloud: LocalCloud) -> None:
    bucket = cloud.bucket("names")
    for path in (
        "../../../../etc/passwd",
        "%2e%2e/%2e%2e/state.sqlite",
        "..%2f..%2fendpoint.json",
        "..\\endpoint.json",
    ):
        address = f"{cloud.endpoint}/storage/v1/b/{bucket}/o/"
        asked = requests.Request("GET", address).prepare()
        asked.url = f"{address}{path}?alt=media"  # as it is: requests would resolve the dots
        reply = cloud.http.send(asked)
        assert reply.status_code in {400, 404}, path
        assert cloud.token["X-Local-Cloud-Token"] not in reply.text


@pytest.mark.parametrize("bucket", ["..", "../x", "A", "a\0b", "x" * 64, "", "a/b", "%2e%2e"])
def test_a_bucket_is_named_as_buckets_are(cloud: LocalCloud, bucket: str) -> None:
    reply = cloud.http.post(f"{cloud.endpoint}/storage/v1/b?project=p", json={"name": bucket})
    assert reply.status_code == 400
    reply = cloud.http.post(f"{cloud.endpoint}/upload/storage/v1/b/{quote(bucket, safe='')}/o?uploadType=media&name=x")
    assert reply.status_code in {400, 404}


def stored_texts(data: Path) -> list[str]:
    """Every text in its databases, and every file's name."""
    found = [path.relative_to(data).as_posix() for path in data.rglob("*")]
    for database in (data / "state.sqlite", data / "journal.sqlite"):
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            found += [str(value) for row in connection.execute(f"SELECT * FROM {table}") for value in row]
        connection.close()
    return found


def test_no_stored_name_holds_a_port(start: Start) -> None:
    """The next start has another one: what was stored is still found, and says so with its own address."""
    first = start()
    job, _ = first.run(rows(3))
    port = first.endpoint.rsplit(":", 1)[1]
    first.stop()
    assert not [text for text in stored_texts(first.data) if f":{port}" in text or f"127.0.0.1:{port}" in text]
    second = start()
    assert second.endpoint != first.endpoint
    found: dict[str, Any] = second.job(job["name"])
    assert found["outputInfo"] == job["outputInfo"]
    assert len(second.output(found).splitlines()) == 3
    resource = second.http.get(f"{second.endpoint}/storage/v1/b/bkt/o/in.jsonl").json()
    assert resource["mediaLink"].startswith(second.endpoint)
    assert json.dumps(resource).count(f":{port}") == 0
