"""Faults of jobs and of their files: the states a client sees, in their order, and what is there at the end."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.local_cloud import LocalCloud, Plans, rows

Start = Callable[..., LocalCloud]
ROWS = 120


@pytest.fixture
def plans(cloud: LocalCloud) -> Iterator[Plans]:
    with Plans(cloud) as made:
        yield made


def created(cloud: LocalCloud, count: int = ROWS) -> str:
    name: str = cloud.create(rows(count)).json()["name"]
    return name


def short(job: dict[str, Any]) -> str:
    return str(job["state"]).removeprefix("JOB_STATE_")


def states(cloud: LocalCloud, name: str, last: str) -> list[str]:
    """Every state seen on the way, in order."""
    seen: list[str] = []

    def over(job: dict[str, Any]) -> bool:
        if not seen or seen[-1] != short(job):
            seen.append(short(job))
        return seen[-1] == last

    cloud.wait(name, over)
    return seen


def keys(cloud: LocalCloud, job: dict[str, Any]) -> list[str]:
    return sorted(json.loads(line)["key"] for line in cloud.output(job).splitlines())


# On the way


@pytest.mark.parametrize("state", ["PENDING", "QUEUED"])
def test_stuck_in_the_queue_until_the_plan_is_removed(cloud: LocalCloud, plans: Plans, state: str) -> None:
    plans.add("held", "stuck_in_queue", {"state": state})
    name = created(cloud, 2)
    job = cloud.wait(name, lambda job: short(job) == state)
    assert "startTime" not in job
    assert plans.strikes("held") == 1
    plans.remove("held")
    assert short(cloud.wait(name)) == "SUCCEEDED"


def test_every_state_on_the_way_in_one_life(cloud: LocalCloud, plans: Plans) -> None:
    cloud.switch(pending_s=0.4)
    plans.add("queued", "stuck_in_queue", {"state": "QUEUED", "for_s": 0.2})
    plans.add("paused", "paused", {"after_rows": 30, "for_s": 0.3})
    plans.add("updating", "updating", {"after_rows": 60, "for_s": 0.3})
    plans.add("unknown", "unknown_state", {"at": "end", "for_s": 0.3})
    cloud.switch(running_s=1.0)
    name = created(cloud)
    seen = states(cloud, name, "SUCCEEDED")
    assert [state for state in seen if state != "RUNNING"] == [
        "QUEUED", "PENDING", "PAUSED", "UPDATING", "ARCHIVING", "SUCCEEDED",
    ]  # fmt: skip
    assert [plans.strikes(one) for one in ("queued", "paused", "updating", "unknown")] == [1, 1, 1, 1]
    assert len(keys(cloud, cloud.job(name))) == ROWS


@pytest.mark.parametrize("at", ["queue", "rows", "end"])
def test_a_state_nobody_knows(cloud: LocalCloud, plans: Plans, at: str) -> None:
    plans.add("odd", "unknown_state", {"at": at, "state": "JOB_STATE_UNSPECIFIED", "after_rows": 50})
    name = created(cloud)
    assert "outputInfo" not in cloud.wait(name, lambda job: short(job) == "UNSPECIFIED")
    served = sum(entry["job"] == name for entry in cloud.journal("served"))
    assert served == {"queue": 0, "rows": 50, "end": ROWS}[at]
    plans.remove("odd")
    assert short(cloud.wait(name)) == "SUCCEEDED"


def test_paused_can_be_cancelled_and_keeps_its_rows(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("paused", "paused", {"after_rows": 30})
    name = created(cloud)
    cloud.wait(name, lambda job: short(job) == "PAUSED")
    cloud.http.post(f"{cloud.endpoint}/v1/{name}:cancel")
    job = cloud.wait(name)
    assert (short(job), len(keys(cloud, job))) == ("CANCELLED", 30)


# Ends


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        ("name", 'Invalid field name "$defs"'),
        ("levels", "Schema nested too deeply, at least 16"),
        ("empty", "Cannot store struct"),
        ("types", "Repeated field must be imported as a JSON array"),
        ("null", "Only optional fields can be set to NULL"),
        ("dataset", "llm_bp_tenant_dataset_0 was not found in location US"),
        ("syntax", "_vertex_row_id"),
    ],
)
def test_import_failed_in_the_services_words(cloud: LocalCloud, plans: Plans, words: str, fragment: str) -> None:
    plans.add("bad", "import_failed", {"words": words})
    job = cloud.wait(created(cloud, 2))
    assert (short(job), job["error"]["code"]) == ("FAILED", 3)
    assert job["error"]["message"].startswith("Failed to import data. ")
    assert fragment in job["error"]["message"]
    assert "completionStats" not in job
    assert job["outputInfo"]["gcsOutputDirectory"]
    assert plans.strikes("bad") == 1


@pytest.mark.parametrize(
    ("code", "at", "fragment", "done"),
    [
        (1, "rows", "CANCELED", 50),
        (3, "queue", "Failed to import data.", 0),
        (7, "end", "doesn't have sufficient permission `storage.objects.create` to write gs://bkt/out/predic", ROWS),
        (8, "end", "quota exceeded for gemini-3.8-flash", ROWS),
        (9, "queue", "Failed to get GCS bucket location for bkt.", 0),
        (13, "end", "System error. Please try this operation again.", ROWS),
        (13, "rows", "System error.", 50),
    ],
)
def test_failed_with_each_code(cloud: LocalCloud, plans: Plans, code: int, at: str, fragment: str, done: int) -> None:
    plans.add("bad", "failed", {"code": code, "at": at, "after_rows": 50 if at == "rows" else 0})
    job = cloud.wait(created(cloud))
    assert (short(job), job["error"]["code"]) == ("FAILED", code)
    assert fragment in job["error"]["message"]
    assert job.get("completionStats") == ({"successfulCount": str(done)} if done else None)
    prefix = job["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://bkt/") if done else "out/nothing"
    assert "items" not in cloud.http.get(f"{cloud.endpoint}/storage/v1/b/bkt/o", params={"prefix": prefix}).json()
    assert sum(entry["job"] == job["name"] for entry in cloud.journal("served")) == done
    assert plans.strikes("bad") == 1


def test_failed_with_words_of_ones_own(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("bad", "failed", {"code": 14, "message": "No {thing} in {bucket}"})
    assert cloud.wait(created(cloud, 1))["error"] == {"code": 14, "message": "No {thing} in bkt"}


def test_expired_in_the_queue(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("held", "stuck_in_queue", {"for_s": 0.3})
    plans.add("late", "expired_in_queue")
    name = created(cloud)
    assert states(cloud, name, "EXPIRED") == ["PENDING", "EXPIRED"]
    job = cloud.job(name)
    assert not {"outputInfo", "completionStats", "error", "startTime"} & job.keys()
    assert [plans.strikes(one) for one in ("held", "late")] == [1, 1]


@pytest.mark.parametrize(("kind", "state"), [("expired_running", "EXPIRED"), ("cancelled_by_other", "CANCELLED")])
def test_over_while_running_finished_rows_in_place(cloud: LocalCloud, plans: Plans, kind: str, state: str) -> None:
    plans.add("over", kind, {"after_rows": 33})
    job = cloud.wait(created(cloud))
    assert (short(job), len(keys(cloud, job)), plans.strikes("over")) == (state, 33, 1)
    assert job.get("error") == ({"code": 1, "message": "CANCELED"} if state == "CANCELLED" else None)


@pytest.mark.parametrize("ends", ["SUCCEEDED", "FAILED", "CANCELLED"])
def test_cancelling_ends_as_the_service_likes(cloud: LocalCloud, plans: Plans, ends: str) -> None:
    plans.add("stubborn", "cancelling_ends", {"state": ends, "for_s": 0.2})
    cloud.switch(rows_per_s=300)
    name = created(cloud)
    cloud.wait(name, lambda _: any(entry["job"] == name for entry in cloud.journal("served")))
    assert cloud.http.post(f"{cloud.endpoint}/v1/{name}:cancel").status_code == 200
    assert states(cloud, name, ends)[-2:] == ["CANCELLING", ends]
    assert plans.strikes("stubborn") == 1
    job = cloud.job(name)
    if ends == "SUCCEEDED":
        assert len(keys(cloud, job)) == ROWS
        assert job["completionStats"]["successfulCount"] == str(ROWS)
    elif ends == "CANCELLED":
        assert 0 < len(keys(cloud, job)) < ROWS
    else:
        assert job["error"]["code"] == 13


@pytest.mark.parametrize("held", ["paused", "stuck_in_queue"])
def test_a_cancel_ends_a_standstill_also_where_the_job_then_goes_on(cloud: LocalCloud, plans: Plans, held: str) -> None:
    plans.add("stubborn", "cancelling_ends", {"state": "SUCCEEDED", "for_s": 0.0})
    plans.add("held", held, when={"times": 1})
    name = created(cloud)
    cloud.wait(
        name, lambda job: job["state"] in {"JOB_STATE_PAUSED", "JOB_STATE_PENDING"} and bool(plans.strikes("held"))
    )
    assert cloud.http.post(f"{cloud.endpoint}/v1/{name}:cancel").status_code == 200
    job = cloud.wait(name)
    assert (job["state"], len(keys(cloud, job))) == ("JOB_STATE_SUCCEEDED", ROWS)


def test_partially_succeeded(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("part", "partially_succeeded", {"failure": "gs://bkt/more.jsonl could not be read"})
    plans.add("some", "row_failed", scope={"every": 4})
    job, got = cloud.run(rows(8))
    assert short(job) == "PARTIALLY_SUCCEEDED"
    assert job["partialFailures"] == [{"code": 13, "message": "gs://bkt/more.jsonl could not be read"}]
    assert job["completionStats"] == {"successfulCount": "6", "failedCount": "2", "incompleteCount": "0"}
    assert sum(bool(line["status"]) for line in got) == 2
    assert plans.strikes("part") == 1


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("absent", "no such field"),
        ("null", None),
        ("minus_one", {"successfulCount": "-1", "failedCount": "-1", "incompleteCount": "-1"}),
    ],
)
def test_counts_that_are_none(cloud: LocalCloud, plans: Plans, form: str, expected: object) -> None:
    plans.add("uncounted", "no_counts", {"form": form})
    job, _ = cloud.run(rows(2))
    assert job.get("completionStats", "no such field") == expected
    assert plans.strikes("uncounted") == 1


def test_succeeded_before_the_output_exists(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("late", "output_late", {"delay_s": 0.4})
    name = created(cloud)
    job = cloud.wait(name)
    assert (short(job), job["completionStats"]["successfulCount"]) == ("SUCCEEDED", str(ROWS))
    url = f"{cloud.endpoint}/storage/v1/b/bkt/o"
    query = {"prefix": job["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://bkt/")}
    assert "items" not in cloud.http.get(url, params=query).json(), "the directory is named, and empty"
    cloud.wait(name, lambda _: "items" in cloud.http.get(url, params=query).json())
    assert len(keys(cloud, job)) == ROWS
    assert cloud.job(name)["endTime"] == job["endTime"]
    assert plans.strikes("late") == 1


def test_output_that_is_late_comes_though_the_process_was_killed(start: Start) -> None:
    cloud = start()
    Plans(cloud).add("late", "output_late", {"delay_s": 0.5})
    name = created(cloud)
    job = cloud.wait(name)
    cloud.kill()
    cloud = start()
    query = {"prefix": job["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://bkt/")}
    url = f"{cloud.endpoint}/storage/v1/b/bkt/o"
    cloud.wait(name, lambda _: "items" in cloud.http.get(url, params=query).json())
    assert len(keys(cloud, job)) == ROWS
    assert Plans(cloud).strikes("late") == 1


def test_succeeded_with_every_row_failed(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("all", "row_failed", {"code": 503})
    job, got = cloud.run(rows(5))
    assert (short(job), job["completionStats"]["failedCount"], plans.strikes("all")) == ("SUCCEEDED", "5", 5)
    assert all(line["status"].startswith('Service Unavailable: {"error":{"code":503') for line in got)


# Files


def files(cloud: LocalCloud, job: dict[str, Any]) -> dict[str, bytes]:
    """Name in the output directory → content."""
    prefix = job["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://bkt/")
    listed = cloud.http.get(f"{cloud.endpoint}/storage/v1/b/bkt/o", params={"prefix": prefix}).json()["items"]
    names = [item["name"] for item in listed]
    return {name.rsplit("/", 1)[1]: cloud.download("bkt", name) for name in names}


def test_chunk_files_beside_the_final_one_while_the_job_runs(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("chunks", "chunk_files")
    plans.add("held", "paused", {"after_rows": 100})
    name = created(cloud)
    cloud.wait(name, lambda job: short(job) == "PAUSED")
    assert plans.strikes("chunks") == 1
    plans.remove("held")
    job = cloud.wait(name)
    found = files(cloud, job)
    final = found.pop("predictions.jsonl")
    assert set(found) == {f"incremental_predictions-{number:05d}.jsonl" for number in (1, 2, 3)}
    assert sorted(b"".join(found.values()).splitlines()) == sorted(final.splitlines())


def test_shuffled_by_seed(cloud: LocalCloud, plans: Plans) -> None:
    cloud.switch(shuffle=False)

    def order(seed: int | None) -> list[str]:
        if seed is not None:
            plans.add("mixed", "shuffled", {"seed": seed})
        return [line["key"] for line in cloud.run(rows(30))[1]]

    straight, one, two = order(None), order(1), order(2)
    assert straight == [f"k{number}" for number in range(30)]
    assert straight != one != two != straight
    assert sorted(one) == sorted(two) == sorted(straight)
    assert plans.strikes("mixed") == 1


def test_several_files(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("many", "several_files", {"files": 4})
    job = cloud.wait(created(cloud, 10))
    found = files(cloud, job)
    assert [(name, len(data.splitlines())) for name, data in sorted(found.items())] == [
        ("predictions_0001.jsonl", 3), ("predictions_0002.jsonl", 3), ("predictions_0003.jsonl", 3),
        ("predictions_0004.jsonl", 1),
    ]  # fmt: skip
    lines = b"".join(found.values()).splitlines()
    assert sorted(json.loads(line)["key"] for line in lines) == [f"k{number}" for number in range(10)]
    assert plans.strikes("many") == 1


def test_truncated_last_line(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("torn", "truncated_last_line")
    plans.add("many", "several_files", {"files": 2})
    found = files(cloud, cloud.wait(created(cloud, 10)))
    first, last = found["predictions_0001.jsonl"], found["predictions_0002.jsonl"]
    assert len([json.loads(line) for line in first.splitlines()]) == 5
    assert not last.endswith(b"\n")
    with pytest.raises(json.JSONDecodeError):
        json.loads(last.splitlines()[-1])
    assert plans.strikes("torn") == 1
