"""Faults of calls, over raw HTTP: what the client sees, whether the call took effect, and that it was counted."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

import pytest
import requests

from tests.support.local_cloud import LocalCloud, Plans, job_body, rows

BYTES = bytes(range(256)) * 200


@pytest.fixture
def plans(cloud: LocalCloud) -> Iterator[Plans]:
    with Plans(cloud) as made:
        yield made


@dataclass(frozen=True)
class Action:
    """One call of a client. effect: whether it took effect; None where a call has none."""

    call: Callable[[], requests.Response]
    effect: Callable[[], bool] | None


def action(cloud: LocalCloud, name: str) -> Action:
    """Everything it needs is made first, so that only the call itself meets a fault."""
    http, jobs = requests, f"{cloud.base}/batchPredictionJobs"
    cloud.bucket("calls")
    cloud.upload("calls", "there", BYTES)
    objects = f"{cloud.endpoint}/storage/v1/b/calls/o"
    if name in {"upload", "download"}:
        http.delete(f"{objects}/new")
        url = f"{cloud.endpoint}/upload/storage/v1/b/calls/o?uploadType=media&name=new"
        if name == "upload":
            return Action(lambda: http.post(url, data=BYTES), lambda: http.get(f"{objects}/new").status_code == 200)
        return Action(lambda: http.get(f"{objects}/there?alt=media"), None)
    cloud.upload("calls", "in.jsonl", rows(1))
    body = job_body("gs://calls/in.jsonl", "gs://calls/out")
    before = cloud.journal()["counts"]["creates"]
    if name == "create":
        return Action(lambda: http.post(jobs, json=body), lambda: cloud.journal()["counts"]["creates"] > before)
    if name == "list":
        return Action(lambda: http.get(jobs), None)
    cloud.switch(stuck_pending=True)
    job = cloud.post_job(body).json()["name"]
    if name == "get":
        return Action(lambda: http.get(f"{cloud.endpoint}/v1/{job}"), None)
    return Action(
        lambda: http.post(f"{cloud.endpoint}/v1/{job}:cancel"),
        lambda: cloud.wait(job, lambda _: True)["state"] != "JOB_STATE_PENDING",
    )


CALLS = ("upload", "download", "create", "get", "list", "cancel")
STATUS = {
    401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED",
    409: "ALREADY_EXISTS", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_every_status_on_every_call_in_googles_shape_without_effect(cloud: LocalCloud, plans: Plans, name: str) -> None:
    asked = action(cloud, name)
    for code, status in STATUS.items():
        plans.add("error", "status", {"code": code, "retry_after_s": 7}, {"calls": [name]}, {"times": 1})
        reply = asked.call()
        error = reply.json()["error"]
        assert (reply.status_code, error["code"], reply.headers["Retry-After"]) == (code, code, "7")
        if name in {"upload", "download"}:
            assert error["errors"][0]["domain"] == "global"
        else:
            assert error["status"] == status
        assert ("WWW-Authenticate" in reply.headers) is (code == 401)
        assert plans.strikes("error") == 1
    assert asked.effect is None or not asked.effect()
    assert asked.call().status_code == 200, "the call is as before"


@pytest.mark.parametrize("name", ["upload", "create", "cancel"])
def test_a_status_after_the_effect(cloud: LocalCloud, plans: Plans, name: str) -> None:
    asked = action(cloud, name)
    plans.add("error", "status", {"took_effect": True, "message": "Oh."}, {"calls": [name]}, {"times": 1})
    reply = asked.call()
    assert (reply.status_code, reply.json()["error"]["message"], plans.strikes("error")) == (503, "Oh.", 1)
    assert asked.effect is not None
    assert asked.effect()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_resets(cloud: LocalCloud, plans: Plans, name: str, kind: str) -> None:
    asked = action(cloud, name)
    plans.add("reset", kind, scope={"calls": [name]}, when={"times": 1})
    with pytest.raises(requests.ConnectionError):
        asked.call()
    assert plans.strikes("reset") == 1
    assert asked.effect is None or asked.effect() is (kind == "reset_after")


def test_a_reset_is_one(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("reset", "reset_before", scope={"calls": ["list"]})
    place = urlparse(cloud.endpoint)
    with socket.create_connection((str(place.hostname), int(place.port or 0))) as client:
        client.sendall(
            f"GET {urlparse(cloud.base).path}/batchPredictionJobs HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def connects(cloud: LocalCloud) -> bool:
    place = urlparse(cloud.endpoint)
    try:
        socket.create_connection((str(place.hostname), int(place.port or 0))).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("name", CALLS)
def test_refused_for_a_while(cloud: LocalCloud, plans: Plans, name: str) -> None:
    asked = action(cloud, name)
    plans.add("away", "refused", {"for_s": 0.25}, {"calls": [name]}, {"times": 1})
    with pytest.raises(requests.ConnectionError):
        asked.call()
    assert not connects(cloud)
    deadline = time.monotonic() + 10
    while not connects(cloud):
        assert time.monotonic() < deadline
        time.sleep(0.02)  # between two attempts
    cloud.http.close()  # connections of before were reset
    assert plans.strikes("away") == 1
    assert asked.effect is None or not asked.effect()


def test_refused_for_a_number_of_connections(cloud: LocalCloud, plans: Plans) -> None:
    asked = action(cloud, "list")
    plans.add("away", "refused", {"for_s": 0.0, "connections": 2}, {"calls": ["list"]}, {"times": 1})
    for _ in range(3):  # the call itself, then two connections
        with pytest.raises(requests.ConnectionError):
            asked.call()
    assert asked.call().status_code == 200


@pytest.mark.parametrize("name", CALLS)
def test_stalled_the_call_takes_effect_and_nothing_is_heard(cloud: LocalCloud, plans: Plans, name: str) -> None:
    asked = action(cloud, name)
    plans.add("silent", "stalled", {"for_s": 0.3}, {"calls": [name]}, {"times": 1})
    began = time.monotonic()
    assert asked.call().status_code == 200
    assert time.monotonic() - began > 0.29
    assert plans.strikes("silent") == 1
    assert asked.effect is None or asked.effect()


def test_stalled_in_the_middle_of_a_body(cloud: LocalCloud, plans: Plans) -> None:
    action(cloud, "download")
    plans.add("silent", "stalled", {"for_s": 1.0, "share": 0.5}, {"calls": ["download"]}, {"times": 1})
    url = f"{cloud.endpoint}/storage/v1/b/calls/o/there?alt=media"
    with requests.get(url, stream=True, timeout=0.3) as reply:
        assert reply.raw.read(len(BYTES) // 2) == BYTES[: len(BYTES) // 2]
        with pytest.raises(requests.ConnectionError):
            next(reply.iter_content(10))
    assert plans.strikes("silent") == 1


RATES = {"upload": 200_000, "download": 200_000, "list": 50_000, "get": 2_000, "create": 2_000, "cancel": 5}


@pytest.mark.parametrize(("name", "rate"), RATES.items())
def test_slow(cloud: LocalCloud, plans: Plans, name: str, rate: int) -> None:
    asked = action(cloud, name)
    plans.add("slow", "slow", {"bytes_per_s": rate}, {"calls": [name]}, {"times": 1})
    began = time.monotonic()
    reply = asked.call()
    took_s = time.monotonic() - began
    assert reply.status_code == 200
    assert name != "download" or reply.content == BYTES
    size = len(BYTES) if name == "upload" else len(reply.content)
    assert took_s > size / rate * 0.9
    assert plans.strikes("slow") == 1


@pytest.mark.parametrize("name", CALLS)
def test_cut_in_the_middle(cloud: LocalCloud, plans: Plans, name: str) -> None:
    asked = action(cloud, name)
    plans.add("cut", "cut", {"share": 0.4}, {"calls": [name]}, {"times": 1})
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)) as seen:
        asked.call()
    if name == "download":
        share = int(len(BYTES) * 0.4)
        assert f"IncompleteRead({share} bytes read, {len(BYTES) - share} more expected)" in str(seen.value)
    assert plans.strikes("cut") == 1
    assert asked.effect is None or asked.effect() is (name != "upload"), "an upload that is cut is none"


def test_a_resumable_upload_that_is_cut_keeps_what_had_come(cloud: LocalCloud, plans: Plans) -> None:
    cloud.bucket("calls")
    url = f"{cloud.endpoint}/upload/storage/v1/b/calls/o"
    session = requests.post(url, params={"uploadType": "resumable", "name": "big/one"}).headers["Location"]
    plans.add("cut", "cut", scope={"calls": ["upload"], "object_prefix": "big/"}, when={"times": 1})
    with pytest.raises(requests.ConnectionError):
        requests.put(session, data=BYTES, headers={"Content-Range": f"bytes 0-{len(BYTES) - 1}/{len(BYTES)}"})
    asked = requests.put(session, headers={"Content-Range": f"bytes */{len(BYTES)}"})
    assert (asked.status_code, asked.headers["Range"]) == (308, f"bytes=0-{len(BYTES) // 2 - 1}")
    assert plans.strikes("cut") == 1, "the question was not cut: its one strike was spent"


def test_the_begin_of_a_session_that_is_cut_makes_no_session(cloud: LocalCloud, plans: Plans) -> None:
    cloud.bucket("calls")
    url = f"{cloud.endpoint}/upload/storage/v1/b/calls/o?uploadType=resumable"
    plans.add("cut", "cut", scope={"calls": ["upload"]}, when={"times": 1})
    with pytest.raises(requests.ConnectionError):
        requests.post(url, json={"name": "never"})
    assert plans.strikes("cut") == 1


def test_an_error_comes_after_a_large_body_was_read(cloud: LocalCloud, plans: Plans) -> None:
    cloud.bucket("calls")
    plans.add("tired", "status", scope={"calls": ["upload"]}, when={"times": 3})
    large = bytes(8 << 20)
    assert [cloud.upload("calls", "large", large).status_code for _ in range(4)] == [503, 503, 503, 200]


@pytest.mark.parametrize("name", ["upload", "download", "get_object"])
def test_wrong_checksums(cloud: LocalCloud, plans: Plans, name: str) -> None:
    action(cloud, "download")
    calls: dict[str, Callable[[], requests.Response]] = {
        "upload": lambda: cloud.upload("calls", "there", BYTES),
        "download": lambda: requests.get(f"{cloud.endpoint}/storage/v1/b/calls/o/there?alt=media"),
        "get_object": lambda: requests.get(f"{cloud.endpoint}/storage/v1/b/calls/o/there"),
    }
    plans.add("spoilt", "wrong_checksum", scope={"calls": [name]}, when={"times": 1})
    wrong, right = calls[name](), calls[name]()
    assert (wrong.status_code, plans.strikes("spoilt")) == (200, 1)
    if name == "download":
        assert wrong.content == right.content == BYTES
        assert wrong.headers["X-Goog-Hash"] != right.headers["X-Goog-Hash"]
        assert len(wrong.headers["X-Goog-Hash"]) == len(right.headers["X-Goog-Hash"])
    else:
        assert wrong.json()["crc32c"] != right.json()["crc32c"]
        assert wrong.json()["md5Hash"] != right.json()["md5Hash"]


# Scopes of calls


def test_scope_by_bucket_and_object(cloud: LocalCloud, plans: Plans) -> None:
    for bucket in ("calls", "calls-too"):
        cloud.bucket(bucket)
    plans.add("error", "status", scope={"calls": ["upload", "download"], "bucket": "calls", "object_prefix": "in/a"})
    assert [cloud.upload(bucket, name, b"x").status_code for bucket, name in (
        ("calls", "in/a1"), ("calls", "in/b1"), ("calls-too", "in/a1"),
    )] == [503, 200, 200]  # fmt: skip
    assert plans.strikes("error") == 1
    url = f"{cloud.endpoint}/upload/storage/v1/b/calls/o"
    begun = requests.post(url, params={"uploadType": "resumable"}, json={"name": "in/a2"})
    assert begun.status_code == 503, "the name is in the body"
    said, media = b'Content-Type: application/json\r\n\r\n{"name": "in/a3"}', b"Content-Type: text/plain\r\n\r\nabc"
    part = b"--=\r\n" + said + b"\r\n--=\r\n" + media + b"\r\n--=--"
    headers = {"Content-Type": 'multipart/related; boundary="="'}
    assert requests.post(url, params={"uploadType": "multipart"}, data=part, headers=headers).status_code == 503
    other = part.replace(b"in/a3", b"in/b3")
    assert requests.post(url, params={"uploadType": "multipart"}, data=other, headers=headers).status_code == 200
    assert cloud.download("calls", "in/b3") == b"abc", "a body that was looked into arrives whole"


def test_scope_by_job(cloud: LocalCloud, plans: Plans) -> None:
    cloud.switch(stuck_pending=True)
    scope: dict[str, Any] = {"calls": ["create", "get", "cancel"], "label": "arm=a"}
    plans.add("error", "status", scope=scope, when={"after": 1})
    mine, other = (cloud.create(rows(1), labels={"arm": arm}).json()["name"] for arm in ("a", "b"))
    assert cloud.create(rows(1), labels={"arm": "a"}).status_code == 503, "the first was left alone"
    for name, code in ((mine, 503), (other, 200)):
        assert requests.get(f"{cloud.endpoint}/v1/{name}").status_code == code
        assert requests.post(f"{cloud.endpoint}/v1/{name}:cancel").status_code == code
    nobody = mine.rsplit("/", 1)[0] + "/1"
    assert requests.get(f"{cloud.endpoint}/v1/{nobody}").status_code == 404
    plans.add("error", "status", scope={"calls": ["create"], "ordinal": cloud.journal()["counts"]["creates"] + 1})
    assert cloud.create(rows(1)).status_code == 503
    plans.add("error", "status", scope={"calls": ["create"], "display_name": "this"})
    assert cloud.create(rows(1), displayName="that").status_code == 200


def test_other_calls_can_be_struck_and_control_cannot(cloud: LocalCloud, plans: Plans) -> None:
    action(cloud, "download")
    storage, place = f"{cloud.endpoint}/storage/v1", f"{cloud.base}/publishers/google/models/gemini-3.8-flash"
    body = {"contents": [{"role": "user", "parts": [{"text": "naps"}]}]}
    calls: dict[str, Callable[[], requests.Response]] = {
        "get_object": lambda: requests.get(f"{storage}/b/calls/o/there"),
        "list_objects": lambda: requests.get(f"{storage}/b/calls/o"),
        "delete_object": lambda: requests.delete(f"{storage}/b/calls/o/there"),
        "bucket": lambda: requests.get(f"{storage}/b/calls"),
        "generate": lambda: requests.post(f"{place}:generateContent", json=body),
        "count": lambda: requests.post(f"{place}:countTokens", json=body),
        "delete": lambda: requests.delete(f"{cloud.base}/batchPredictionJobs/1"),
    }
    for name, call in calls.items():
        plans.add(name, "status", {"code": 429}, {"calls": [name]}, {"times": 1})
        assert call().status_code == 429
        assert plans.strikes(name) == 1
    assert requests.get(f"{cloud.endpoint}/control", headers=cloud.token).status_code == 200


# Making jobs


def test_create_reply_lost(cloud: LocalCloud, plans: Plans) -> None:
    asked = action(cloud, "create")
    plans.add("lost", "create_reply_lost", when={"times": 1})
    with pytest.raises(requests.ConnectionError):
        asked.call()
    assert asked.effect is not None
    assert (asked.effect(), plans.strikes("lost")) == (True, 1)


def test_made_twice(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("echo", "made_twice", when={"times": 1})
    made = cloud.create(rows(2), labels={"made": "twice"}).json()["name"]
    assert cloud.journal()["jobs_per_label"]["made=twice"] == 2
    url, query = f"{cloud.base}/batchPredictionJobs", {"filter": "labels.made=twice"}
    found = [job["name"] for job in cloud.http.get(url, params=query).json()["batchPredictionJobs"]]
    assert found[0] == made
    assert [cloud.wait(name)["state"] for name in found] == ["JOB_STATE_SUCCEEDED"] * 2, "both run, both are paid"
    assert plans.strikes("echo") == 1


def test_listed_late(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("late", "listed_late", {"delay_s": 0.4}, {"label": "when=late"})
    late, now = (cloud.create(rows(1), labels={"when": when}).json()["name"] for when in ("late", "now"))

    def listed() -> set[str]:
        jobs = cloud.http.get(f"{cloud.base}/batchPredictionJobs").json()["batchPredictionJobs"]
        return {job["name"] for job in jobs} & {late, now}

    assert listed() == listed() == {now}
    assert cloud.job(late)["name"] == late, "it can be got"
    cloud.wait(late, lambda _: late in listed())
    assert plans.strikes("late") == 1, "one job, however often it was looked for"
