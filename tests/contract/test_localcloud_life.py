"""Start, end, kill -9, the lock, the guard, the control routes: what only the process itself shows."""

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from filelock import FileLock

from tests.support.local_cloud import LocalCloud, row, rows

Start = Callable[..., LocalCloud]


def run_main(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "overnight.localcloud", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)


def test_start_and_clean_end(start: Start) -> None:
    cloud = start()
    assert "LOCAL STAND-IN" in cloud.announced
    assert cloud.endpoint in cloud.announced
    facts = json.loads((cloud.data / "endpoint.json").read_text())
    assert set(facts) == {"endpoint", "pid", "control_token", "started"}
    assert facts["pid"] == cloud.process.pid
    if os.name == "posix":
        assert stat.S_IMODE((cloud.data / "endpoint.json").stat().st_mode) == 0o600
    assert "LOCAL STAND-IN" in requests.get(cloud.endpoint).text
    assert cloud.stop() == 0
    assert not (cloud.data / "endpoint.json").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(start: Start, number: signal.Signals) -> None:
    cloud = start(pending_s=60)
    assert cloud.create(rows(1)).status_code == 200
    cloud.process.send_signal(number)
    assert cloud.process.wait(10) == 0
    assert not (cloud.data / "endpoint.json").exists()


def test_it_can_be_stopped_over_http(start: Start) -> None:
    cloud = start()
    assert cloud.http.post(f"{cloud.endpoint}/control/stop", headers=cloud.token).status_code == 200
    assert cloud.process.wait(10) == 0


PARENT = """
import subprocess, sys, time
command = [sys.executable, "-m", "overnight.localcloud", "--data", sys.argv[1], "--with-parent"]
child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(child.stdout.readline(), child.pid, flush=True)
time.sleep(60)
"""


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert "LOCAL STAND-IN" in parent.stdout.readline()
        parent.kill()
    with FileLock(str(tmp_path / "lock"), timeout=10):  # the child gives it back as the last thing it does
        assert not (tmp_path / "endpoint.json").exists()


def test_a_second_process_on_the_folder_is_refused(start: Start) -> None:
    cloud = start()
    second = run_main("--data", str(cloud.data))
    assert second.returncode == 3
    assert cloud.endpoint in second.stderr
    assert str(cloud.process.pid) in second.stderr
    assert requests.get(cloud.endpoint).status_code == 200, "the first is not disturbed"
    assert (cloud.data / "endpoint.json").exists()


def test_bad_command_lines(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = run_main("--data", str(tmp_path), "--port", str(taken.getsockname()[1]))
    assert (port.returncode, "choose another --port" in port.stderr) == (4, True)
    file = tmp_path / "file"
    file.touch()
    folder = run_main("--data", str(file))
    assert (folder.returncode, "choose another --data" in folder.stderr) == (4, True)
    for text, said in (
        ("colour=red", "no switch 'colour'"),
        ("shuffle=maybe", "neither true nor false"),
        ("x", "NAME=VALUE"),
    ):
        refused = run_main("--data", str(tmp_path), "--switch", text)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


def test_killed_with_a_job_in_flight_it_goes_on(start: Start) -> None:
    cloud = start(rows_per_s=400)
    name = cloud.create(rows(600), labels={"study": "killed"}).json()["name"]
    cloud.wait(name, lambda job: cloud.journal()["counts"]["served"] >= 100)
    cloud.kill()
    for _ in range(3):
        cloud = start(rows_per_s=400)
        served = cloud.journal()["counts"]["served"]
        cloud.wait(name, lambda _, at=cloud, served=served: at.journal()["counts"]["served"] > served)
        cloud.kill()
    cloud = start(rows_per_s=0)
    job = cloud.wait(name)
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert job["completionStats"] == {"successfulCount": "600", "failedCount": "0", "incompleteCount": "0"}
    keys = sorted(json.loads(line)["key"] for line in cloud.output(job).splitlines())
    assert keys == sorted(f"k{number}" for number in range(600)), "every row once"
    journal = cloud.journal()
    assert journal["counts"]["served"] == 600
    assert journal["served_again"] == {}
    assert journal["jobs_per_label"] == {"study=killed": 1}
    assert list((cloud.data / "work").iterdir()) == []


def test_a_pending_job_and_switches_outlive_the_process(start: Start) -> None:
    cloud = start(stuck_pending=True, create_503=1)
    assert cloud.create(rows(2)).status_code == 503
    name = cloud.create(rows(2)).json()["name"]
    cloud.switch(duplicate_every=2)
    cloud.kill()
    cloud = start(stuck_pending=True, create_503=1)
    assert cloud.job(name)["state"] == "JOB_STATE_PENDING"
    assert cloud.create(rows(2)).status_code == 200, "the one 503 was spent before"
    cloud.switch(stuck_pending=False)
    assert len(cloud.output(cloud.wait(name)).splitlines()) == 3


def test_leftovers_of_a_crash_are_swept(start: Start) -> None:
    cloud = start()
    cloud.bucket("bkt")
    cloud.upload("bkt", "kept", b"kept")
    kept = list((cloud.data / "objects").glob("*/*"))
    cloud.kill()
    for leftover in ("tmp/half", "uploads/half", "objects/half", "work/half"):
        place = cloud.data / leftover if leftover != "objects/half" else cloud.data / "objects" / "00" / "half"
        place.parent.mkdir(exist_ok=True)
        place.write_text("half") if leftover != "work/half" else place.mkdir()
    cloud = start()
    assert list((cloud.data / "objects").glob("*/*")) == kept
    assert [list((cloud.data / folder).iterdir()) for folder in ("tmp", "uploads", "work")] == [[], [], []]
    assert cloud.download("bkt", "kept") == b"kept"


def test_the_journal_is_completed_after_a_crash(start: Start) -> None:
    """A server killed between its state and its journal must not have made a job the journal never heard of."""
    cloud = start(stuck_pending=True)
    cloud.create(rows(1), labels={"a": "b"})
    cloud.kill()
    with sqlite3.connect(cloud.data / "journal.sqlite") as journal:
        journal.execute("DELETE FROM creates")
        journal.execute("DELETE FROM objects")
    journal.close()
    journal = start().journal()
    assert journal["jobs_per_label"] == {"a=b": 1}
    assert journal["counts"]["objects"] == 1


def test_the_journal_can_be_read_offline(start: Start) -> None:
    cloud = start()
    job, _ = cloud.run(rows(3), labels={"a": "b"})
    assert cloud.stop() == 0
    journal = sqlite3.connect(f"file:{cloud.data / 'journal.sqlite'}?mode=ro", uri=True)
    assert journal.execute("SELECT job, display_name, model, labels FROM creates").fetchall() == [
        (job["name"], "test", "gemini-3.8-flash", '{"a": "b"}')
    ]
    assert journal.execute("SELECT row, key, status FROM served ORDER BY row").fetchall() == [
        (0, "k0", ""),
        (1, "k1", ""),
        (2, "k2", ""),
    ]
    names = [name for (name,) in journal.execute("SELECT name FROM objects ORDER BY seq")]
    assert names[0] == "in.jsonl"
    assert names[1].endswith("/predictions.jsonl")
    journal.close()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"Host": "localhost:80"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:80"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "127.0.0.1:x"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/", "/storage/v1/b?project=p", "/control"])
def test_guard(cloud: LocalCloud, headers: dict[str, str], code: int, path: str) -> None:
    reply = requests.get(cloud.endpoint + path, headers={**cloud.token, **headers})
    assert reply.status_code == code
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]
    if code == 403:
        assert reply.json()["error"]["code"] == 403


def test_no_preflight_is_answered(cloud: LocalCloud) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    reply = requests.options(f"{cloud.endpoint}/storage/v1/b", headers=headers)
    assert reply.status_code == 403


def test_loopback_only(cloud: LocalCloud) -> None:
    port = int(cloud.endpoint.rsplit(":", 1)[1])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1"}:
        if not str(address).startswith("127."):
            with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
                socket.create_connection((str(address), port), timeout=1).close()


@pytest.mark.parametrize("path", ["/control", "/control/journal", "/control/journal/served"])
def test_control_needs_the_token(cloud: LocalCloud, path: str) -> None:
    for headers in ({}, {"X-Local-Cloud-Token": "wrong"}, {"X-Local-Cloud-Token": ""}):
        assert requests.get(cloud.endpoint + path, headers=headers).status_code == 403
    assert requests.post(f"{cloud.endpoint}/control/stop").status_code == 403
    assert requests.get(cloud.endpoint + path, headers=cloud.token).status_code == 200


def test_control_refuses_what_it_does_not_know(cloud: LocalCloud) -> None:
    def sent(**values: Any) -> requests.Response:
        return requests.post(f"{cloud.endpoint}/control/switches", json=values, headers=cloud.token)

    assert sent(no_such_switch=1).status_code == 400
    assert sent(echo_nulls="some").status_code == 400
    assert sent(duplicate_every=-1).status_code == 400
    assert sent(shuffle=False, duplicate_every="many").status_code == 400
    described = requests.get(f"{cloud.endpoint}/control", headers=cloud.token).json()["switches"]
    assert described["shuffle"]["value"] is True, "all or none"
    assert requests.get(f"{cloud.endpoint}/control/journal/secrets", headers=cloud.token).status_code == 400


def test_the_journal_in_pages(cloud: LocalCloud) -> None:
    cloud.run(rows(5))
    url = f"{cloud.endpoint}/control/journal/served"
    first = requests.get(url, params={"limit": "2"}, headers=cloud.token).json()["served"]
    second = requests.get(url, params={"after": str(first[-1]["seq"]), "limit": "1"}, headers=cloud.token).json()[
        "served"
    ]
    assert [entry["seq"] for entry in first + second] == [1, 2, 3]


def test_the_server_stays_responsive_during_a_job(cloud: LocalCloud) -> None:
    text = "Nurses who napped at night stayed alert. " * 20
    name = cloud.create("".join(json.dumps(row(number, text)) + "\n" for number in range(5000)).encode()).json()["name"]
    slowest = 0.0

    def over(job: dict[str, Any]) -> bool:
        nonlocal slowest
        reply = cloud.http.get(f"{cloud.endpoint}/storage/v1/b/bkt/o/in.jsonl")
        slowest = max(slowest, reply.elapsed.total_seconds())
        return bool(job["state"] == "JOB_STATE_SUCCEEDED")

    cloud.wait(name, over)
    assert slowest < 1.0


def test_a_client_that_goes_in_the_middle_of_its_request_is_no_fault_of_ours(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "overnight.localcloud", "--port", "0", "--data", str(tmp_path), "--with-parent"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as cloud:  # type: ignore[call-overload]
        assert cloud.stdout.readline()
        port = int(json.loads((tmp_path / "endpoint.json").read_text())["endpoint"].rsplit(":", 1)[-1])
        head = b"POST /upload/storage/v1/b/b/o?uploadType=resumable&name=x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % port
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(head + b"Content-Length: 100\r\nContent-Type: application/json\r\n\r\n{")
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).status_code == 200
        _, said = cloud.communicate("", timeout=20)
    assert "Traceback" not in said
