"""Job resources as documented and as seen. D, L, U: the evidence marks of docs/reference/facts.md."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overnight.core.states import JobPhase
from overnight.errors import JobError, RefusedError, UnavailableError, UsageError
from overnight.google.auth import local_access
from overnight.google.batch_jobs import JOB_LABEL, BatchJobs, parse_job
from overnight.google.endpoints import local_endpoints
from overnight.google.gemini import Gemini
from overnight.google.http import Http
from tests.support.fake_time import FakeTime
from tests.support.http_server import Cut, Reply, Server, serving

NAME = "projects/123/locations/europe-west4/batchPredictionJobs/77"


def patient_http() -> Http:
    time = FakeTime()
    return Http(local_access(), timeout_s=5, sleep=time.sleep, clock=time.clock)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def jobs(server: Server) -> BatchJobs:
    http = patient_http()
    return BatchJobs(local_endpoints(server.url), http, "my-project", "global")


def job(**more: Any) -> dict[str, Any]:
    return {"name": NAME, "displayName": "d", "state": "JOB_STATE_PENDING", **more}


PARTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # what it shows [source, mark], fields of the resource, fields of JobStatus
    (
        "int64 as text [1.2 D]",
        {"completionStats": {"successfulCount": "1100", "failedCount": "3"}},
        {"succeeded": 1100, "failed": 3, "incomplete": None},
    ),
    (
        "-1 is unknown [1.2 D]",
        {"completionStats": {"incompleteCount": "-1", "successfulCount": -1}},
        {"incomplete": None, "succeeded": None},
    ),
    ("null while pending [1.2 L]", {"completionStats": None}, {"succeeded": None, "failed": None, "incomplete": None}),
    (
        "a failed job with one count [1.2 L]",
        {"state": "JOB_STATE_FAILED", "completionStats": {"successfulCount": "2"}},
        {"succeeded": 2, "failed": None},
    ),
    ("zero is zero", {"completionStats": {"successfulCount": "0"}}, {"succeeded": 0}),
    (
        "output directory, on a failed job too [3.1 L]",
        {"outputInfo": {"gcsOutputDirectory": "gs://b/o/prediction-model-2026-11-22T01:02:03.123456Z"}},
        {"output_directory": "gs://b/o/prediction-model-2026-11-22T01:02:03.123456Z"},
    ),
    (
        "BigQuery output has no directory [1.2 D]",
        {"outputInfo": {"bigqueryOutputTable": "bq://p.d.t"}},
        {"output_directory": ""},
    ),
    (
        "error [9.2 L]",
        {"error": {"code": 9, "message": "Failed to get GCS bucket location for gs://x"}},
        {"error": (9, "Failed to get GCS bucket location for gs://x")},
    ),
    (
        "cancelled [9.2 L]",
        {"state": "JOB_STATE_CANCELLED", "error": {"code": 1, "message": "CANCELED"}},
        {"error": (1, "CANCELED")},
    ),
    ("an empty error is none", {"error": {}}, {"error": None}),
    ("an error without a code", {"error": {"message": "m"}}, {"error": (2, "m")}),
    (
        "partial failures [1.2 D]",
        {"partialFailures": [{"code": 5, "message": "gs://b/x not readable"}, {"code": 13}]},
        {"partial_failures": ("gs://b/x not readable (code 5)", "no message (code 13)")},
    ),
    (
        "times [1.2 D]",
        {"createTime": "2026-11-22T01:02:03.1Z", "startTime": "2026-11-22T01:03:03Z", "endTime": None},
        {"create_time": "2026-11-22T01:02:03.1Z", "start_time": "2026-11-22T01:03:03Z", "end_time": ""},
    ),
    ("our label [1.4 D]", {"labels": {JOB_LABEL: "abc-1", "other": "x"}}, {"label": "abc-1"}),
    ("no state yet", {"state": None}, {"state": "JOB_STATE_UNSPECIFIED", "phase": JobPhase.WAITING}),
    ("a field nobody knows", {"somethingNew": {"a": [1]}}, {"state": "JOB_STATE_PENDING"}),
]


@pytest.mark.parametrize(("resource", "wanted"), [p[1:] for p in PARTS], ids=[p[0] for p in PARTS])
def test_a_job_as_the_service_writes_it(resource: dict[str, Any], wanted: dict[str, Any]) -> None:
    status = parse_job(job(**resource))
    assert status.name == NAME
    assert {name: getattr(status, name) for name in wanted} == wanted


def test_a_state_nobody_knows_is_kept_and_refused_when_judged() -> None:
    status = parse_job(job(state="JOB_STATE_DREAMING"))
    with pytest.raises(JobError, match="JOB_STATE_DREAMING"):
        _ = status.phase


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("state", "labels", "error", "partialFailures", "completionStats", "outputInfo", "createTime", "endTime")


@given(st.fixed_dictionaries({"name": JSON}, optional=dict.fromkeys(FIELDS, JSON)))
def test_law_any_json_is_a_job_or_said_to_be_none(data: dict[str, Any]) -> None:
    try:
        status = parse_job(data)
    except UnavailableError:
        assert not data["name"] or not isinstance(data["name"], str)
        return
    counts = (status.succeeded, status.failed, status.incomplete)
    assert all(count is None or count >= 0 for count in counts)


def test_create_sends_the_documented_body_once(server: Server, jobs: BatchJobs) -> None:
    server.replies = [Reply(200, job(labels={JOB_LABEL: "s1"}))]
    status = jobs.create("d", "gemini-3.8-flash", "gs://b/in.jsonl", "gs://b/out", {JOB_LABEL: "s1", "tool": "x"})
    assert (status.name, status.label, status.phase) == (NAME, "s1", JobPhase.WAITING)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/projects/my-project/locations/global/batchPredictionJobs")
    assert asked.headers["content-type"] == "application/json"
    assert asked.json == {  # facts 1.2, [D]
        "displayName": "d",
        "model": "publishers/google/models/gemini-3.8-flash",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://b/in.jsonl"]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://b/out"}},
        "labels": {JOB_LABEL: "s1", "tool": "x"},
    }


@pytest.mark.parametrize("reply", [Cut(), Reply(200, b""), Reply(200, {"done": True}), Reply(503)])
def test_a_create_without_a_job_in_the_reply_is_doubtful(server: Server, jobs: BatchJobs, reply: Any) -> None:
    server.otherwise = lambda asked: reply
    with pytest.raises(UnavailableError):
        jobs.create("d", "m", "gs://b/i", "gs://b/o", {})
    assert len(server.asked) == 1


@pytest.mark.parametrize("labels", [{"Key": "v"}, {"k": "V"}, {"k": ""}, {"k": 'x" OR state="'}, {"k": "x" * 64}])
def test_a_label_the_service_would_not_take_is_not_sent(
    server: Server, jobs: BatchJobs, labels: dict[str, str]
) -> None:
    with pytest.raises(UsageError, match="no label"):
        jobs.create("d", "m", "gs://b/i", "gs://b/o", labels)
    for key, value in labels.items():
        with pytest.raises(UsageError, match="no label"):
            jobs.list_by_label(key, value)
    assert not server.asked


def test_a_job_is_read_where_it_was_made(server: Server, jobs: BatchJobs) -> None:
    server.otherwise = lambda asked: Reply(200, job())
    jobs.get(NAME)  # made in europe-west4; this study is in global now (facts 1.5)
    jobs.cancel(NAME)
    jobs.delete(NAME)
    assert [(asked.method, asked.path) for asked in server.asked] == [
        ("GET", f"/v1/{NAME}"),
        ("POST", f"/v1/{NAME}:cancel"),
        ("DELETE", f"/v1/{NAME}"),
    ]


@pytest.mark.parametrize(
    "name", ["77", "", "projects/p/locations/l/endpoints/1", NAME + "/../1", NAME + "?x", "../" + NAME]
)
def test_what_is_no_full_name_is_not_asked_for(server: Server, jobs: BatchJobs, name: str) -> None:
    for call in (jobs.get, jobs.cancel, jobs.delete):
        with pytest.raises(UsageError, match="no job's full name"):
            call(name)
    assert not server.asked


def test_a_delete_whose_answer_was_lost_is_done(server: Server, jobs: BatchJobs) -> None:
    server.replies = [Cut(), Reply(404, {"error": {"code": 404, "message": "not found"}})]
    jobs.delete(NAME)
    assert len(server.asked) == 2


def test_cancelling_a_failed_job_is_refused(server: Server, jobs: BatchJobs) -> None:
    server.replies = [Reply(400, {"error": {"code": 400, "message": "no", "status": "FAILED_PRECONDITION"}})]
    with pytest.raises(RefusedError, match="FAILED_PRECONDITION"):
        jobs.cancel(NAME)


def test_a_label_is_looked_up_on_all_pages(server: Server, jobs: BatchJobs) -> None:
    names = [f"projects/1/locations/global/batchPredictionJobs/{n}" for n in range(5)]
    server.replies = [
        Reply(200, {"batchPredictionJobs": [job(name=n) for n in names[:2]], "nextPageToken": "t1"}),
        Reply(200, {"nextPageToken": "t2"}),  # an empty page in the middle
        Cut(),
        Reply(200, {"batchPredictionJobs": [job(name=n) for n in names[2:]]}),
    ]
    assert [status.name for status in jobs.list_by_label(JOB_LABEL, "s-1_a")] == names
    assert "filter=labels.overnight-job%3D%22s-1_a%22&pageSize=100" in server.asked[0].path
    assert server.asked[1].path.endswith("&pageToken=t1")


def test_a_list_without_an_end_is_noticed(server: Server, jobs: BatchJobs) -> None:
    server.otherwise = lambda asked: Reply(200, {"nextPageToken": "same"})
    with pytest.raises(UnavailableError, match="does not end"):
        jobs.list_by_label("k", "v")


# one request at a time


def test_generate_is_sent_once_and_count_tokens_again(server: Server) -> None:
    gemini = Gemini(local_endpoints(server.url), patient_http(), "p", "us-central1")
    request = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "labels": {"a": "b"}}).encode()
    server.replies = [Reply(200, {"candidates": []})]
    assert gemini.generate("gemini-3.8-flash", request) == {"candidates": []}
    base = "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-3.8-flash"
    assert (server.asked[0].path, server.asked[0].body) == (base + ":generateContent", request)
    server.replies = [Cut()]
    with pytest.raises(UnavailableError):
        gemini.generate("gemini-3.8-flash", request)
    assert len(server.asked) == 2
    server.replies = [Cut(), Reply(200, {"totalTokens": 7})]
    assert gemini.count_tokens("gemini-3.8-flash", request) == 7
    assert server.asked[3].path == base + ":countTokens"
    assert server.asked[3].json == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    server.replies = [Reply(200, {"totalTokens": None})]
    with pytest.raises(UnavailableError, match="no totalTokens"):
        gemini.count_tokens("gemini-3.8-flash", request)
    with pytest.raises(UsageError, match="no published model"):
        gemini.generate("projects/p/locations/l/models/1", request)
