"""Our clients against the local cloud, over HTTP: what google/ promises, on a service that stores and runs."""

import io
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overnight.core.states import JobPhase, JobStatus
from overnight.errors import NotFoundError, RefusedError, UnavailableError
from overnight.google.auth import local_access
from overnight.google.batch_jobs import JOB_LABEL, BatchJobs
from overnight.google.endpoints import Endpoints, local_endpoints
from overnight.google.gemini import Gemini
from overnight.google.http import Http
from overnight.google.preflight import Clients, Target, preflight
from overnight.google.projects import Projects
from overnight.google.storage import Storage

MODEL = "gemini-3.8-flash"


class Service:
    """A local cloud of its own for this file, started by its module's name and reached over HTTP only."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "overnight.localcloud", "--port", "0", "--data", str(folder), "--with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert "LOCAL STAND-IN" in self._process.stdout.readline()
        known = json.loads((folder / "endpoint.json").read_text())
        self.url, self._token = str(known["endpoint"]), str(known["control_token"])

    def switch(self, **values: Any) -> None:
        self._control("/control/switches", json.dumps(values).encode())

    def jobs_per_label(self) -> dict[str, int]:
        return dict(self._control("/control/journal")["jobs_per_label"])

    def _control(self, path: str, body: bytes | None = None) -> Any:
        headers = {"X-Local-Cloud-Token": self._token, "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=20) as reply:
            return json.load(reply)

    def stop(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("cloud"))
    running.switch(pending_s=0.05, running_s=0.05)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def ends(service: Service) -> Endpoints:
    return local_endpoints(service.url)


@pytest.fixture(scope="module")
def http() -> Iterator[Http]:
    client = Http(local_access(), timeout_s=10)
    yield client
    client.close()


@pytest.fixture(scope="module")
def storage(ends: Endpoints) -> Iterator[Storage]:
    client = Storage(ends, local_access(), "my-project")
    client.create_bucket("naps-bucket", "US")
    yield client
    client.close()


@pytest.fixture(scope="module")
def jobs(ends: Endpoints, http: Http) -> BatchJobs:
    return BatchJobs(ends, http, "my-project", "global")


def request(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], "generationConfig": {"maxOutputTokens": 2048}}


def lines(n: int) -> Iterator[bytes]:
    for k in range(n):
        yield json.dumps({"key": f"k{k}", "request": request(f"Say something about nap {k}.")}).encode() + b"\n"


def ended(jobs: BatchJobs, name: str) -> JobStatus:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = jobs.get(name)
        if status.phase is JobPhase.ENDED:
            return status
        time.sleep(0.05)
    pytest.fail(f"the job is still {status.state}")


def create(jobs: BatchJobs, storage: Storage, label: str, *, n: int = 5) -> JobStatus:
    storage.upload("naps-bucket", f"in/{label}.jsonl", lines(n))
    return jobs.create(
        label,
        MODEL,
        f"gs://naps-bucket/in/{label}.jsonl",
        f"gs://naps-bucket/out/{label}",
        {JOB_LABEL: label, "t": "x"},
    )


def test_a_bucket_that_is_there_may_be_made_again(storage: Storage) -> None:
    storage.create_bucket("naps-bucket", "US")
    bucket = storage.bucket("naps-bucket")
    assert (bucket.name, bucket.location) == ("naps-bucket", "us")
    with pytest.raises(NotFoundError, match="bucket does not exist"):
        storage.bucket("nowhere-at-all")


def test_objects_there_and_back(storage: Storage) -> None:
    name = "a b+ü#?%/x.jsonl"
    big = [b"%d " % k * 1000 + b"\n" for k in range(5000)]  # three chunks of 8 MiB
    done = storage.upload("naps-bucket", name, iter(big))
    assert done.size_bytes == sum(map(len, big))
    assert storage.upload("naps-bucket", name, iter(big)) == done
    with pytest.raises(RefusedError, match="another object has this name"):
        storage.upload("naps-bucket", name, [b"other"])
    file = io.BytesIO()
    assert storage.download("naps-bucket", name, file, done.generation) == done.size_bytes
    assert file.getvalue() == b"".join(big)
    assert storage.stat("naps-bucket", name).crc32c == done.crc32c
    with pytest.raises(NotFoundError):
        storage.download("naps-bucket", name, io.BytesIO(), done.generation + 1)
    with pytest.raises(RefusedError) as refused:
        storage.delete("naps-bucket", name, done.generation + 1)
    assert refused.value.code == 412
    storage.delete("naps-bucket", name, done.generation)
    assert not storage.exists("naps-bucket", name)


def test_an_empty_object(storage: Storage) -> None:
    assert storage.upload("naps-bucket", "empty", []).size_bytes == 0
    assert storage.read_small("naps-bucket", "empty") == b""


def test_lines_that_raise_leave_nothing(storage: Storage) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * (9 * 1024 * 1024)
        raise LookupError("record 7")

    with pytest.raises(LookupError, match="record 7"):
        storage.upload("naps-bucket", "broken/x", broken())
    assert storage.list("naps-bucket", "broken/") == []


def test_a_listing_has_what_is_needed_and_only_the_prefix(storage: Storage) -> None:
    for name in ("list/b", "list/a", "listen"):
        storage.write_small("naps-bucket", name, name.encode())
    found = storage.list("naps-bucket", "list/")
    assert [(each.name, each.size_bytes) for each in found] == [("list/a", 6), ("list/b", 6)]
    assert all(each.generation and each.crc32c and each.updated for each in found)


def test_a_job_from_lines_to_answers(jobs: BatchJobs, storage: Storage) -> None:
    made = create(jobs, storage, "whole", n=20)
    assert (made.label, made.phase) == ("whole", JobPhase.WAITING)
    assert made.name.startswith("projects/")
    status = ended(jobs, made.name)
    assert status.state == "JOB_STATE_SUCCEEDED"
    assert status.error is None
    assert status.end_time
    (found,) = jobs.list_by_label(JOB_LABEL, "whole")
    assert found.name == made.name
    prefix = status.output_directory.removeprefix("gs://naps-bucket/")
    assert prefix.startswith("out/whole/")
    (output,) = [each for each in storage.list("naps-bucket", prefix) if each.name.endswith("/predictions.jsonl")]
    file = io.BytesIO()
    storage.download("naps-bucket", output.name, file, output.generation)
    rows = [json.loads(line) for line in file.getvalue().splitlines()]
    assert {row["key"] for row in rows} == {f"k{k}" for k in range(20)}


def test_a_create_whose_reply_is_lost_is_sent_once_and_found_by_its_label(
    service: Service, jobs: BatchJobs, storage: Storage
) -> None:
    service.switch(create_reply_lost=1)
    with pytest.raises(UnavailableError):
        create(jobs, storage, "lost")
    assert len(jobs.list_by_label(JOB_LABEL, "lost")) == 1
    assert service.jobs_per_label()[f"{JOB_LABEL}=lost"] == 1


def test_a_create_that_is_turned_away_before_it_took_effect(
    service: Service, jobs: BatchJobs, storage: Storage
) -> None:
    service.switch(create_503=1)
    with pytest.raises(UnavailableError):
        create(jobs, storage, "turned-away")
    assert jobs.list_by_label(JOB_LABEL, "turned-away") == []


def test_a_model_that_does_not_exist(jobs: BatchJobs) -> None:
    with pytest.raises(RefusedError, match="models-and-prices"):
        jobs.create("d", "gemini-2.5-pro-002", "gs://naps-bucket/in/x", "gs://naps-bucket/out", {JOB_LABEL: "none"})
    assert jobs.list_by_label(JOB_LABEL, "none") == []


def test_a_bucket_that_does_not_exist_is_seen_only_in_the_job(jobs: BatchJobs) -> None:
    made = jobs.create("d", MODEL, "gs://no-such-bucket-x/in", "gs://naps-bucket/out", {JOB_LABEL: "no-bucket"})
    status = ended(jobs, made.name)
    assert status.state == "JOB_STATE_FAILED"
    assert status.error is not None
    assert status.error[0] == 9  # facts 9.2, [L]
    with pytest.raises(RefusedError, match="FAILED_PRECONDITION"):
        jobs.cancel(made.name)


def test_a_job_is_cancelled_and_deleted(service: Service, jobs: BatchJobs, storage: Storage) -> None:
    service.switch(pending_s=60)
    try:
        made = create(jobs, storage, "cancelled")
        jobs.cancel(made.name)
        status = ended(jobs, made.name)
    finally:
        service.switch(pending_s=0.05)
    assert (status.state, status.error and status.error[0]) == ("JOB_STATE_CANCELLED", 1)
    jobs.delete(made.name)
    jobs.delete(made.name)
    assert jobs.list_by_label(JOB_LABEL, "cancelled") == []
    with pytest.raises(NotFoundError):
        jobs.get(made.name)


def test_a_job_is_read_where_it_was_made(ends: Endpoints, http: Http, jobs: BatchJobs, storage: Storage) -> None:
    made = create(jobs, storage, "elsewhere")
    there = BatchJobs(ends, http, "my-project", "us-central1")
    assert there.get(made.name).name == made.name
    assert there.list_by_label(JOB_LABEL, "elsewhere") == []


def test_one_request_at_a_time(ends: Endpoints, http: Http) -> None:
    gemini = Gemini(ends, http, "my-project", "global")
    body = json.dumps(request("Do naps help?")).encode()
    assert gemini.count_tokens(MODEL, body) > 0
    reply: Any = gemini.generate(MODEL, body)
    assert reply["candidates"][0]["content"]["parts"][0]["text"]
    assert reply["modelVersion"].endswith("@local-stand-in")


def test_the_look_before_sending(ends: Endpoints, http: Http, storage: Storage, jobs: BatchJobs) -> None:
    clients = Clients(local_access(), storage, jobs, Gemini(ends, http, "my-project", "global"), Projects(ends, http))
    said: list[str] = []
    findings = preflight(Target("my-project", "global", "naps-bucket", MODEL), clients, said.append)
    assert [finding for finding in findings if finding.level == "error"] == []
    assert any("gs://naps-bucket is there, in us" in line for line in said)
    missing = preflight(Target("my-project", "global", "no-such-bucket-x", "gemini-9"), clients, said.append)
    assert {finding.path for finding in missing if finding.level == "error"} >= {"cloud.bucket", "model.name"}
