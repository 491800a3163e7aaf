"""Google's own clients and jobs that misbehave: each state as google-genai shows it, cancel, list, generateContent.

What stands in the names of these tests is what google-genai 3.4 does today.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.genai import Client, errors, types
from google.oauth2.credentials import Credentials

from tests.support.local_cloud import LOCATION, MODEL, PROJECT, LocalCloud, Plans, rows

ENDED_BY_ITSELF = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"}
"""What google-genai calls `done`."""


@pytest.fixture
def plans(cloud: LocalCloud) -> Iterator[Plans]:
    cloud.bucket("bkt")
    with Plans(cloud) as made:
        yield made


@pytest.fixture
def steady(cloud: LocalCloud) -> Iterator[Any]:
    """google-genai with its retries on, made quick."""
    swift = types.HttpRetryOptions(initial_delay=0.02, max_delay=0.1)
    options = types.HttpOptions(base_url=cloud.endpoint, timeout=500, retry_options=swift)
    client = Client(
        enterprise=True,
        project=PROJECT,
        location=LOCATION,
        credentials=Credentials(token="local"),
        http_options=options,
    )
    yield client
    client.close()


def create(cloud: LocalCloud, genai: Any, count: int = 4, label: str = "one") -> str:
    cloud.upload("bkt", "in.jsonl", rows(count))
    http = types.HttpOptions(extra_body={"labels": {"try": label}})
    config = types.CreateBatchJobConfig(display_name=label, dest="gs://bkt/out", http_options=http)
    return str(genai.batches.create(model=MODEL, src="gs://bkt/in.jsonl", config=config).name)


def reach(cloud: LocalCloud, name: str, state: str) -> None:
    cloud.wait(name, lambda job: job["state"] == f"JOB_STATE_{state}")


def keys(cloud: LocalCloud, storage: Any, name: str) -> int:
    """How many lines google-cloud-storage finds in the job's directory."""
    directory = cloud.job(name)["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://bkt/")
    found = [blob.download_as_bytes() for blob in storage.bucket("bkt").list_blobs(prefix=directory)]
    return sum(data.count(b"\n") for data in found)


# States

STATES: list[tuple[str, str, dict[str, Any]]] = [
    ("UNSPECIFIED", "unknown_state", {"state": "JOB_STATE_UNSPECIFIED"}),
    ("PENDING", "stuck_in_queue", {"state": "PENDING"}),
    ("QUEUED", "stuck_in_queue", {"state": "QUEUED"}),
    ("RUNNING", "slow_rows", {}),
    ("UPDATING", "updating", {"for_s": 30.0}),
    ("PAUSED", "paused", {}),
    ("CANCELLING", "cancelling_ends", {"for_s": 30.0}),
    ("CANCELLED", "cancelled_by_other", {}),
    ("EXPIRED", "expired_running", {}),
    ("FAILED", "import_failed", {}),
    ("PARTIALLY_SUCCEEDED", "partially_succeeded", {}),
    ("SUCCEEDED", "no_counts", {}),
]


@pytest.mark.parametrize(("state", "kind", "parameters"), STATES, ids=[state for state, _, _ in STATES])
def test_every_state_has_its_name_and_done_is_true_of_four(
    cloud: LocalCloud, genai: Any, plans: Plans, state: str, kind: str, parameters: dict[str, Any]
) -> None:
    label = f"is-{state.lower()}"
    if state in {"RUNNING", "CANCELLING"}:  # a job that is over before anybody cancels it is none to cancel
        cloud.switch(rows_per_s=0.5)
    if kind != "slow_rows":
        plans.add("life", kind, parameters, {"label": f"try={label}"})
    name = create(cloud, genai, label=label)
    if state == "CANCELLING":
        genai.batches.cancel(name=name)
    reach(cloud, name, state)
    job = genai.batches.get(name=name)
    assert job.state.value == f"JOB_STATE_{state}"
    assert job.done is (job.state.value in ENDED_BY_ITSELF)
    assert kind == "slow_rows" or plans.strikes("life") == 1


def test_every_state_of_googles_client_is_tried() -> None:
    assert {f"JOB_STATE_{state}" for state, _, _ in STATES} == {state.value for state in types.JobState}


@pytest.mark.parametrize(
    ("kind", "parameters", "code", "words"),
    [
        ("import_failed", {"words": "levels"}, 3, "Failed to import data. Schema nested too deeply"),
        ("failed", {"code": 13}, 13, ""),
        ("failed", {"code": 8, "message": "Quota of {model}"}, 8, f"Quota of {MODEL}"),
        ("cancelled_by_other", {}, 1, ""),
    ],
)
def test_the_error_of_a_job_is_shown_with_code_and_words(
    cloud: LocalCloud, genai: Any, plans: Plans, kind: str, parameters: dict[str, Any], code: int, words: str
) -> None:
    plans.add("end", kind, parameters)
    name = create(cloud, genai)
    cloud.wait(name)
    job = genai.batches.get(name=name)
    assert (job.error.code, plans.strikes("end")) == (code, 1)
    assert words in job.error.message


def test_expired_has_no_error_and_its_finished_rows_are_there(
    cloud: LocalCloud, genai: Any, storage: Any, plans: Plans
) -> None:
    plans.add("late", "expired_running", {"after_rows": 60})
    name = create(cloud, genai, 120)
    cloud.wait(name)
    job = genai.batches.get(name=name)
    assert (job.state.value, job.done, job.error) == ("JOB_STATE_EXPIRED", True, None)
    assert 60 <= keys(cloud, storage, name) < 120
    assert plans.strikes("late") == 1


def test_partial_failures_are_lost_in_googles_client(cloud: LocalCloud, genai: Any, plans: Plans) -> None:
    plans.add("part", "partially_succeeded", {"failure": "one file could not be read"})
    name = create(cloud, genai)
    reach(cloud, name, "PARTIALLY_SUCCEEDED")
    assert "one file could not be read" in str(cloud.job(name)["partialFailures"])
    assert "could not be read" not in str(genai.batches.get(name=name))
    assert plans.strikes("part") == 1


def test_done_does_not_mean_that_the_output_is_there(cloud: LocalCloud, genai: Any, storage: Any, plans: Plans) -> None:
    plans.add("late", "output_late", {"delay_s": 0.5})
    name = create(cloud, genai)
    cloud.wait(name)
    assert genai.batches.get(name=name).done
    assert keys(cloud, storage, name) == 0
    cloud.wait(name, lambda _: keys(cloud, storage, name) == 4)
    assert plans.strikes("late") == 1


# Cancel


@pytest.mark.parametrize("state", ["PENDING", "QUEUED", "RUNNING", "PAUSED", "UPDATING"])
def test_what_has_not_ended_can_be_cancelled_and_twice(cloud: LocalCloud, genai: Any, plans: Plans, state: str) -> None:
    _, kind, parameters = next(one for one in STATES if one[0] == state)
    if kind == "slow_rows":
        cloud.switch(rows_per_s=5)
    else:
        plans.add("life", kind, parameters)
    name = create(cloud, genai, 60)
    reach(cloud, name, state)
    genai.batches.cancel(name=name)
    with contextlib.suppress(errors.ClientError):  # it may have ended by then
        genai.batches.cancel(name=name)
    plans.clear()
    cloud.wait(name)
    job = genai.batches.get(name=name)
    assert (job.state.value, job.error.code) == ("JOB_STATE_CANCELLED", 1)


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"])
def test_what_has_ended_cannot_be_cancelled(cloud: LocalCloud, genai: Any, plans: Plans, state: str) -> None:
    _, kind, parameters = next(one for one in STATES if one[0] == state)
    plans.add("end", kind, parameters)
    name = create(cloud, genai)
    reach(cloud, name, state)
    with pytest.raises(errors.ClientError) as refused:
        genai.batches.cancel(name=name)
    assert (refused.value.code, refused.value.status) == (400, "FAILED_PRECONDITION")
    assert cloud.job(name)["state"] == f"JOB_STATE_{state}"


@pytest.mark.parametrize("ends_as", ["SUCCEEDED", "FAILED", "CANCELLED"])
def test_a_cancel_is_a_wish_the_job_may_end_otherwise(
    cloud: LocalCloud, genai: Any, storage: Any, plans: Plans, ends_as: str
) -> None:
    cloud.switch(rows_per_s=200)
    plans.add("wish", "cancelling_ends", {"state": ends_as})
    name = create(cloud, genai, 60)
    reach(cloud, name, "RUNNING")
    genai.batches.cancel(name=name)
    reach(cloud, name, "CANCELLING")
    cloud.wait(name)
    assert genai.batches.get(name=name).state.value == f"JOB_STATE_{ends_as}"
    assert ends_as != "SUCCEEDED" or keys(cloud, storage, name) == 60
    assert plans.strikes("wish") == 1


@pytest.mark.parametrize(("kind", "parameters"), [("status", {"took_effect": True}), ("reset_after", {})])
def test_a_cancel_whose_reply_is_lost_took_effect(
    cloud: LocalCloud, genai: Any, plans: Plans, kind: str, parameters: dict[str, Any]
) -> None:
    cloud.switch(stuck_pending=True)
    name = create(cloud, genai)
    plans.add("lost", kind, parameters, {"calls": ["cancel"]}, {"times": 1})
    with pytest.raises(Exception) as lost:  # of two libraries, by the way it was lost
        genai.batches.cancel(name=name)
    assert isinstance(lost.value, errors.ServerError) is (kind == "status")
    cloud.wait(name)
    assert genai.batches.get(name=name).state.value == "JOB_STATE_CANCELLED"


# List


def listed(genai: Any, label: str, size: int = 3) -> list[str]:
    config = types.ListBatchJobsConfig(filter=f'labels.try="{label}"', page_size=size)
    return [job.name for job in genai.batches.list(config=config)]


@pytest.fixture
def seven(cloud: LocalCloud, genai: Any, plans: Plans, request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """A label and the seven jobs that have it, among others; they wait in the queue."""
    cloud.switch(stuck_pending=True)
    label = f"seven-{abs(hash(request.node.name)) % 10**8}"
    create(cloud, genai, 1, "other")
    return label, [create(cloud, genai, 1, label) for _ in range(7)][::-1]


def test_pages_of_a_label_hold_each_job_once_the_newest_first(genai: Any, seven: tuple[str, list[str]]) -> None:
    label, made = seven
    assert listed(genai, label) == made


def test_a_503_on_the_second_page_ends_the_list_there(genai: Any, plans: Plans, seven: tuple[str, list[str]]) -> None:
    label, made = seven
    plans.add("tired", "status", {}, {"calls": ["list"]}, {"after": 1, "times": 1})
    jobs = genai.batches.list(config=types.ListBatchJobsConfig(filter=f'labels.try="{label}"', page_size=3))
    assert [next(jobs).name for _ in range(3)] == made[:3]
    with pytest.raises(errors.ServerError):
        next(jobs)
    assert plans.strikes("tired") == 1
    assert listed(genai, label) == made


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_with_retries_on_every_page_comes(steady: Any, plans: Plans, seven: tuple[str, list[str]], code: int) -> None:
    label, made = seven
    plans.add("tired", "status", {"code": code}, {"calls": ["list"]}, {"every": 2})
    assert listed(steady, label) == made
    assert plans.strikes("tired") == 2, "the second page and the third"


def test_a_stalled_list_is_asked_again_after_the_timeout(
    steady: Any, plans: Plans, seven: tuple[str, list[str]]
) -> None:
    label, made = seven
    plans.add("silent", "stalled", {"for_s": 2.0}, {"calls": ["list"]}, {"times": 1})
    assert listed(steady, label) == made
    assert plans.strikes("silent") == 1


# generateContent

Call = Callable[[Any], Any]
GENERATE: dict[str, Call] = {
    "generate": lambda client: client.models.generate_content(model=MODEL, contents="naps").text,
    "count": lambda client: client.models.count_tokens(model=MODEL, contents="naps").total_tokens,
}


@pytest.mark.parametrize("call", GENERATE)
@pytest.mark.parametrize("code", [401, 403, 404, 408, 409, 429, 500, 502, 503, 504])
def test_an_error_is_raised_at_once_with_code_and_status(genai: Any, plans: Plans, call: str, code: int) -> None:
    plans.add("no", "status", {"code": code}, {"calls": [call]})
    with pytest.raises(errors.APIError) as raised:
        GENERATE[call](genai)
    assert (raised.value.code, plans.strikes("no")) == (code, 1)
    assert isinstance(raised.value, errors.ClientError) is (code < 500)


@pytest.mark.parametrize("call", GENERATE)
@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_with_retries_on_it_is_ridden_out(steady: Any, plans: Plans, call: str, code: int) -> None:
    plans.add("tired", "status", {"code": code}, {"calls": [call]}, {"times": 2})
    assert GENERATE[call](steady)
    assert (plans.strikes("tired"), plans.shown("tired")["seen"]) == (2, 3)


@pytest.mark.parametrize("call", GENERATE)
@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "cut"])
def test_a_dropped_connection_is_raised_even_with_retries_on(steady: Any, plans: Plans, call: str, kind: str) -> None:
    plans.add("net", kind, {}, {"calls": [call]}, {"times": 1})
    with pytest.raises(Exception) as raised:  # of the HTTP library under google-genai
        GENERATE[call](steady)
    assert not isinstance(raised.value, errors.APIError)
    assert plans.strikes("net") == 1
    assert GENERATE[call](steady)


@pytest.mark.parametrize("call", GENERATE)
def test_a_silent_server_is_asked_again_after_the_timeout_where_retries_are_on(
    steady: Any, plans: Plans, call: str
) -> None:
    plans.add("silent", "stalled", {"for_s": 2.0}, {"calls": [call]}, {"times": 1})
    began = time.monotonic()
    assert GENERATE[call](steady)
    assert 0.49 < time.monotonic() - began < 2.0
    assert (plans.strikes("silent"), plans.shown("silent")["seen"]) == (1, 2)
