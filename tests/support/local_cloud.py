"""The local cloud as a subprocess, spoken to over plain HTTP: its control, its journal, storage and jobs."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

PROJECT = "local-project"
LOCATION = "global"
MODEL = "gemini-3.8-flash"
QUICK = {"pending_s": 0, "running_s": 0}


class LocalCloud:
    """One running process. `data` outlives it."""

    def __init__(self, data: Path, **switches: object) -> None:
        command = [sys.executable, "-m", "overnight.localcloud", "--port", "0", "--data", str(data), "--with-parent"]
        for name, value in switches.items():
            command += ["--switch", f"{name}={value}"]
        self.data = data
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.announced = self.process.stdout.readline()
        assert self.announced, f"the local cloud did not start: exit code {self.process.wait()}"
        facts = json.loads((data / "endpoint.json").read_text())
        self.endpoint: str = facts["endpoint"]
        self.token = {"X-Local-Cloud-Token": facts["control_token"]}
        self.http = requests.Session()
        # A fault may close the port for a moment: that is for the program under test, not for who counts its strikes.
        self.control_http = requests.Session()
        self.control_http.mount("http://", HTTPAdapter(max_retries=Retry(connect=6, backoff_factor=0.05)))
        self.base = f"{self.endpoint}/v1/projects/{PROJECT}/locations/{LOCATION}"

    # Control

    def switch(self, **values: object) -> None:
        reply = self.control_http.post(f"{self.endpoint}/control/switches", json=values, headers=self.token)
        assert reply.status_code == 200, reply.text

    def reset(self) -> None:
        """Switches at their defaults, without waiting times; no fault plans."""
        switches = self.control_http.get(f"{self.endpoint}/control", headers=self.token).json()["switches"]
        self.switch(**({name: switch["default"] for name, switch in switches.items()} | QUICK))
        Plans(self).clear()

    def strikes(self, name: str) -> int:
        reply = self.control_http.get(f"{self.endpoint}/control", headers=self.token)
        return int(reply.json()["switches"][name]["strikes"])

    def journal(self, kind: str = "") -> Any:
        url = f"{self.endpoint}/control/journal{'/' + kind if kind else ''}"
        reply = self.control_http.get(url, headers=self.token)
        assert reply.status_code == 200, reply.text
        return reply.json()[kind] if kind else reply.json()

    # Storage

    def bucket(self, name: str, location: str = "US") -> str:
        reply = self.http.post(
            f"{self.endpoint}/storage/v1/b?project={PROJECT}", json={"name": name, "location": location}
        )
        assert reply.status_code in {200, 409}, reply.text
        return name

    def upload(self, bucket: str, name: str, data: bytes, **query: str) -> requests.Response:
        url = f"{self.endpoint}/upload/storage/v1/b/{bucket}/o"
        return self.http.post(url, params={"uploadType": "media", "name": name, **query}, data=data)

    def download(self, bucket: str, name: str) -> bytes:
        quoted = requests.utils.quote(name, safe="")
        reply = self.http.get(f"{self.endpoint}/storage/v1/b/{bucket}/o/{quoted}?alt=media")
        assert reply.status_code == 200, reply.text
        return reply.content

    # Jobs

    def create(self, data: bytes, *, bucket: str = "bkt", name: str = "in.jsonl", **changes: Any) -> requests.Response:
        """Uploads the input and asks for a job; `changes` go into the body (None takes a field out)."""
        self.bucket(bucket)
        assert self.upload(bucket, name, data).status_code == 200
        return self.post_job({**job_body(f"gs://{bucket}/{name}", f"gs://{bucket}/out"), **changes})

    def post_job(self, body: dict[str, Any]) -> requests.Response:
        sent = {key: value for key, value in body.items() if value is not None}
        return self.http.post(f"{self.base}/batchPredictionJobs", json=sent)

    def job(self, name: str) -> dict[str, Any]:
        reply = self.http.get(f"{self.endpoint}/v1/{name}")
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def wait(self, name: str, until: Callable[[dict[str, Any]], bool] | None = None) -> dict[str, Any]:
        """Asks until the job has ended (or `until` says so)."""
        is_over = until or (
            lambda job: job["state"].rsplit("_", 1)[-1] in {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            job = self.job(name)
            if is_over(job):
                return job
            time.sleep(0.02)  # between two questions; the test ends on the answer
        pytest.fail(f"{name} is still {job['state']}")

    def run(self, data: bytes, **changes: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """(the ended job, its output lines)."""
        reply = self.create(data, **changes)
        assert reply.status_code == 200, reply.text
        job = self.wait(reply.json()["name"])
        return job, [json.loads(line) for line in self.output(job).splitlines()]

    def output(self, job: dict[str, Any]) -> bytes:
        bucket, _, prefix = job["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://").partition("/")
        return self.download(bucket, f"{prefix}/predictions.jsonl")

    # Ends

    def kill(self) -> None:
        self.process.kill()
        self._close()

    def stop(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self._close()

    def _close(self) -> int:
        code = self.process.wait(10)
        self.close()
        return code

    def close(self) -> None:
        self.http.close()
        self.control_http.close()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def job_body(source: str, destination: str) -> dict[str, Any]:
    return {
        "displayName": "test",
        "model": f"publishers/google/models/{MODEL}",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [source]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": destination}},
    }


def row(number: int, text: str = "", **request: Any) -> dict[str, Any]:
    """A line with key k<number>."""
    content = {
        "role": "user",
        "parts": [{"text": text or f"Record {number}: nurses who napped at night stayed alert."}],
    }
    return {"key": f"k{number}", "request": {"contents": [content], **request}}


def lines(*rows: Any) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in rows).encode()


def rows(count: int, **request: Any) -> bytes:
    return lines(*(row(number, **request) for number in range(count)))


class Plans:
    """Fault plans of a local cloud, from a client's side. Leaving the context removes them all."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    def __enter__(self) -> Self:
        self.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def _control(self, method: str, path: str = "", body: object = None) -> Any:
        url = f"{self._cloud.endpoint}/control/faults{path}"
        reply = self._cloud.control_http.request(method, url, json=body, headers=self._cloud.token)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def add(
        self,
        name: str,
        kind: str,
        parameters: Mapping[str, Any] | None = None,
        scope: Mapping[str, Any] | None = None,
        when: Mapping[str, Any] | None = None,
    ) -> None:
        plan = {"name": name, "kind": kind, "parameters": parameters, "scope": scope, "when": when}
        self._control("POST", "", {key: value for key, value in plan.items() if value is not None})

    def shown(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._control("GET", f"/{name}")
        return found

    def strikes(self, name: str) -> int:
        return int(self.shown(name)["strikes"])

    def all_strikes(self) -> dict[str, int]:
        return {plan["name"]: int(plan["strikes"]) for plan in self._control("GET")["faults"]}

    def remove(self, name: str) -> None:
        self._control("DELETE", f"/{name}")

    def clear(self) -> None:
        self._control("DELETE")
