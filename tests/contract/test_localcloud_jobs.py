"""Batch jobs through google-genai, and what only raw HTTP shows."""

import json
from typing import Any

import pytest
from google.genai import errors, types

from tests.support.local_cloud import LocalCloud, job_body, lines, row, rows

ANSWER = {"type": "OBJECT", "properties": {"naps": {"type": "BOOLEAN"}, "why": {"type": "STRING"}}}


def test_fifty_rows(cloud: LocalCloud, genai: Any, storage: Any) -> None:
    bucket = storage.create_bucket("fifty")
    config = {"responseMimeType": "application/json", "responseSchema": ANSWER}
    bucket.blob("in/requests.jsonl").upload_from_string(rows(50, generationConfig=config))
    made = genai.batches.create(
        model="gemini-3.8-flash",
        src="gs://fifty/in/requests.jsonl",
        config=types.CreateBatchJobConfig(
            display_name="fifty",
            dest="gs://fifty/out/",
            http_options=types.HttpOptions(extra_body={"labels": {"study": "naps", "shard": "1"}}),
        ),
    )
    assert made.state == types.JobState.JOB_STATE_PENDING
    cloud.wait(made.name)
    job = genai.batches.get(name=made.name)
    assert job.done
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert (job.completion_stats.successful_count, job.completion_stats.failed_count) == (50, 0)
    assert job.create_time < job.start_time < job.end_time
    assert cloud.job(made.name)["labels"] == {"study": "naps", "shard": "1"}
    directory = job.output_info.gcs_output_directory
    assert directory.startswith("gs://fifty/out/prediction-model-20")
    blob = bucket.blob(f"{directory.removeprefix('gs://fifty/')}/predictions.jsonl")
    got = [json.loads(line) for line in blob.download_as_text().splitlines()]
    assert sorted(line["key"] for line in got) == sorted(f"k{number}" for number in range(50))
    assert [line["key"] for line in got] != [f"k{number}" for number in range(50)], "order is not input order"
    for line in got:
        assert line["status"] == ""
        assert line["processed_time"].endswith("Z")
        sent = row(int(line["key"][1:]))["request"]["contents"][0]["parts"][0]["text"]
        assert line["request"]["contents"][0]["parts"][0] == {"fileData": None, "text": sent}
        candidate = line["response"]["candidates"][0]
        assert candidate["finishReason"] == "STOP"
        assert set(json.loads(candidate["content"]["parts"][0]["text"])) == {"naps", "why"}
        assert line["response"]["modelVersion"] == "gemini-3.8-flash@local-stand-in"
        usage = line["response"]["usageMetadata"]
        assert usage["promptTokenCount"] > 0 < usage["candidatesTokenCount"]


def test_states_in_order_and_no_counts_before_the_end(cloud: LocalCloud) -> None:
    cloud.switch(pending_s=0.15, running_s=0.3)
    name = cloud.create(rows(20)).json()["name"]
    seen: list[str] = []

    def over(job: dict[str, Any]) -> bool:
        if job["state"] not in seen:
            seen.append(job["state"])
        ended = job["state"] == "JOB_STATE_SUCCEEDED"
        assert ("completionStats" in job) is ("outputInfo" in job) is ended
        return ended

    job = cloud.wait(name, over)
    assert seen == ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    assert job["completionStats"] == {"successfulCount": "20", "failedCount": "0", "incompleteCount": "0"}


def test_list_and_filters(cloud: LocalCloud, genai: Any) -> None:
    for number in range(5):
        cloud.create(rows(1), displayName=f"list-{number}", labels={"list": "yes", "n": str(number)})

    def names(text: str) -> list[str]:
        config = {"filter": text, "page_size": 2}
        return [job.display_name for job in genai.batches.list(config=config)]

    assert names("labels.list=yes") == ["list-4", "list-3", "list-2", "list-1", "list-0"], "newest first, all pages"
    assert names('display_name="list-3"') == ["list-3"]
    assert names('displayName="list-3" AND labels.list:*') == ["list-3"]
    assert names('labels.list="yes" AND display_name!="list-3"') == ["list-4", "list-2", "list-1", "list-0"]
    assert names('display_name:"list-*" AND labels.n="1"') == ["list-1"]
    assert names("labels.nothing:*") == []
    assert names('labels.list="yes" AND create_time<"2020-01-01T00:00:00Z"') == []
    assert len(names('labels.list="yes" AND create_time>"2020-01-01T00:00:00Z"')) == 5
    for job in genai.batches.list(config={"filter": "labels.list=yes"}):
        cloud.wait(job.name)
    assert names('labels.list="yes" AND state="JOB_STATE_PENDING"') == []
    assert len(names('labels.list="yes" AND state="JOB_STATE_SUCCEEDED"')) == 5


@pytest.mark.parametrize(
    "text", ["nonsense", "color=red", 'create_time>"yesterday"', "labels.a=b OR labels.c=d", "a=b AND"]
)
def test_a_filter_nobody_knows_is_refused(cloud: LocalCloud, text: str) -> None:
    reply = cloud.http.get(f"{cloud.base}/batchPredictionJobs", params={"filter": text})
    assert reply.status_code == 400
    assert reply.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_job_is_not_seen_from_another_place(cloud: LocalCloud) -> None:
    name = cloud.create(rows(1)).json()["name"]
    elsewhere = name.replace("/global/", "/us-central1/")
    reply = cloud.http.get(f"{cloud.endpoint}/v1/{elsewhere}")
    assert (reply.status_code, reply.json()["error"]["status"]) == (404, "NOT_FOUND")
    listed = cloud.http.get(f"{cloud.base}/batchPredictionJobs".replace("/global/", "/us-central1/")).json()
    assert listed == {"batchPredictionJobs": []}
    assert cloud.http.get(f"{cloud.endpoint}/v1beta1/{name}").status_code == 200, "both versions see it"


def test_cancel_while_pending(cloud: LocalCloud, genai: Any) -> None:
    cloud.switch(stuck_pending=True)
    name = cloud.create(rows(3)).json()["name"]
    genai.batches.cancel(name=name)
    job = cloud.wait(name)
    assert job["state"] == "JOB_STATE_CANCELLED"
    assert job["error"] == {"code": 1, "message": "CANCELED"}
    assert "completionStats" not in job
    assert "outputInfo" not in job
    with pytest.raises(errors.ClientError) as refused:
        genai.batches.cancel(name=name)
    assert (refused.value.code, refused.value.status) == (400, "FAILED_PRECONDITION")


@pytest.mark.parametrize("left", ["missing", "status"])
def test_cancel_while_running_keeps_what_is_done(cloud: LocalCloud, left: str) -> None:
    cloud.switch(rows_per_s=100, cancelled_rows=left)
    name = cloud.create(rows(500)).json()["name"]
    cloud.wait(name, lambda job: any(entry["job"] == name for entry in cloud.journal("served")))
    assert cloud.http.post(f"{cloud.endpoint}/v1/{name}:cancel").json() == {}
    job = cloud.wait(name)
    assert job["state"] == "JOB_STATE_CANCELLED"
    got = [json.loads(line) for line in cloud.output(job).splitlines()]
    done = [line for line in got if not line["status"]]
    served = [entry for entry in cloud.journal("served") if entry["job"] == name]
    assert 0 < len(done) == len(served) < 500
    assert len(got) == (500 if left == "status" else len(done))
    assert all(line["response"] == {} for line in got if line["status"])


def test_delete(cloud: LocalCloud, genai: Any) -> None:
    cloud.switch(stuck_pending=True)
    name = cloud.create(rows(1)).json()["name"]
    with pytest.raises(errors.ClientError, match="FAILED_PRECONDITION"):
        genai.batches.delete(name=name)
    cloud.switch(stuck_pending=False)
    cloud.wait(name)
    assert genai.batches.delete(name=name).done
    assert cloud.http.get(f"{cloud.endpoint}/v1/{name}").status_code == 404
    assert cloud.http.get(f"{cloud.endpoint}/v1/{name}").json()["error"]["code"] == 404


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"displayName": None}, 400, "displayName"),
        ({"model": None}, 400, "model"),
        ({"model": "gemini-3.8-flash"}, 400, "Invalid model resource name"),
        ({"model": "projects/p/models/123"}, 400, "Invalid model resource name"),
        (
            {"model": "publishers/google/models/gemini-2.5-pro-002"},
            404,
            "was not found or your project does not have access",
        ),
        ({"model": "publishers/google/models/gemini-2.5-flash"}, 404, "was not found"),
        ({"model": "publishers/google/models/gemini-3.6-flash"}, 404, "was not found"),
        (
            {"model": "publishers/google/models/gemini-2.5-flash-preview-04-17"},
            400,
            "Do not support publisher model gemini-2.5",
        ),
        ({"inputConfig": None}, 400, "inputConfig"),
        ({"inputConfig": {"instancesFormat": "jsonl"}}, 400, "gcsSource.uris"),
        ({"inputConfig": {"instancesFormat": "csv", "gcsSource": {"uris": ["gs://b/o"]}}}, 400, "instancesFormat"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["b/o"]}}}, 400, "gs://"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://b"]}}}, 400, "names no object"),
        ({"inputConfig": {"instancesFormat": "jsonl", "requests": {"requests": []}}}, 400, "inline"),
        ({"outputConfig": None}, 400, "outputConfig"),
        ({"outputConfig": {"predictionsFormat": "jsonl"}}, 400, "outputUriPrefix"),
        (
            {"outputConfig": {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": "bq://p.d.t"}}},
            400,
            "BigQuery",
        ),
        ({"labels": {"Upper": "x"}}, 400, "label key"),
        ({"labels": {"x": "Upper"}}, 400, "value"),
        ({"labels": {"x": "y" * 64}}, 400, "value"),
        ({"labels": {f"l{number}": "x" for number in range(65)}}, 400, "65 labels"),
        ({"lables": {"x": "y"}}, 400, 'Unknown name "lables"'),
    ],
)
def test_create_is_strict(cloud: LocalCloud, changes: dict[str, Any], code: int, text: str) -> None:
    before = cloud.journal()["counts"]["creates"]
    reply = cloud.create(rows(1), **changes)
    assert reply.status_code == code
    error = reply.json()["error"]
    assert error["code"] == code
    assert error["status"] == {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}[code]
    assert text in error["message"]
    assert cloud.journal()["counts"]["creates"] == before


def test_create_takes_what_google_takes(cloud: LocalCloud) -> None:
    full = "projects/p/locations/global/publishers/google/models/gemini-3.8-flash"
    assert cloud.create(rows(1), model=full).status_code == 200
    versioned = cloud.create(rows(1), model="publishers/google/models/gemini-3.8-flash@default")
    assert cloud.wait(versioned.json()["name"])["state"] == "JOB_STATE_SUCCEEDED"
    bare = {"instancesFormat": "jsonl", "gcsSource": {"uris": "gs://bkt/in.jsonl"}}
    made = cloud.create(rows(1), inputConfig=bare)
    assert made.json()["inputConfig"]["gcsSource"] == {"uris": ["gs://bkt/in.jsonl"]}
    forged = cloud.create(rows(1), state="JOB_STATE_SUCCEEDED", name="mine").json()
    assert forged["state"] == "JOB_STATE_PENDING"
    assert forged["name"] != "mine"
    not_json = cloud.http.post(f"{cloud.base}/batchPredictionJobs", data=b"{")
    assert (not_json.status_code, not_json.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    nowhere = cloud.http.post(f"{cloud.base}/batchPredictionJobs".replace("/global/", "/nowhere1/"), json={})
    assert nowhere.status_code == 400


def test_models_by_location_and_project(cloud: LocalCloud) -> None:
    argon = {"model": "publishers/google/models/gemini-4-argon"}
    body = {**job_body("gs://bkt/in.jsonl", "gs://bkt/out"), **argon}
    cloud.create(rows(1))
    assert cloud.post_job(body).status_code == 200
    regional = cloud.http.post(f"{cloud.base}/batchPredictionJobs".replace("/global/", "/us-central1/"), json=body)
    assert regional.status_code == 404
    cloud.switch(gemini_4_batch=False, project_age="old")
    assert "Do not support publisher model gemini-4-argon" in cloud.post_job(body).text
    assert cloud.post_job({**body, "model": "publishers/google/models/gemini-2.5-flash"}).status_code == 200


@pytest.mark.parametrize("bad", ["input", "output"])
def test_a_bad_bucket_is_accepted_and_fails_later(cloud: LocalCloud, bad: str) -> None:
    cloud.create(rows(1))
    places = ("gs://nowhere/in.jsonl", "gs://bkt/out") if bad == "input" else ("gs://bkt/in.jsonl", "gs://nowhere/out")
    reply = cloud.post_job(job_body(*places))
    assert reply.status_code == 200
    job = cloud.wait(reply.json()["name"])
    assert job["error"]["code"] == 9
    assert job["error"]["message"].startswith("Failed to get GCS bucket location for nowhere")


def test_a_missing_input_object_fails_the_job(cloud: LocalCloud) -> None:
    cloud.bucket("bkt")
    job = cloud.wait(cloud.post_job(job_body("gs://bkt/nothing.jsonl", "gs://bkt/out")).json()["name"])
    assert job["error"]["message"] == "Failed to import data. Not found: URI gs://bkt/nothing.jsonl"


@pytest.mark.parametrize(
    ("bucket_location", "job_location", "state"),
    [
        ("US", "us-central1", "SUCCEEDED"),
        ("US-CENTRAL1", "us-central1", "SUCCEEDED"),
        ("US", "global", "SUCCEEDED"),
        ("US-CENTRAL1", "us", "SUCCEEDED"),
        ("EU", "us-central1", "FAILED"),
        ("EU", "us", "FAILED"),
        ("EUROPE-WEST1", "europe-west4", "FAILED"),
    ],
)
def test_a_bucket_lies_where_the_job_runs(
    cloud: LocalCloud, bucket_location: str, job_location: str, state: str
) -> None:
    bucket = cloud.bucket(f"in-{bucket_location.lower()}", bucket_location)
    cloud.upload(bucket, "in.jsonl", rows(1))
    url = f"{cloud.base}/batchPredictionJobs".replace("/global/", f"/{job_location}/")
    name = cloud.http.post(url, json=job_body(f"gs://{bucket}/in.jsonl", f"gs://{bucket}/out")).json()["name"]
    job = cloud.wait(name)
    assert job["state"] == f"JOB_STATE_{state}"
    if state == "FAILED":
        assert job["error"]["code"] == 3
        assert f"was not found in location {bucket_location}" in job["error"]["message"]
        cloud.switch(bucket_region="ignore")
        name = cloud.http.post(url, json=job_body(f"gs://{bucket}/in.jsonl", f"gs://{bucket}/out")).json()["name"]
        assert cloud.wait(name)["state"] == "JOB_STATE_SUCCEEDED"


def test_several_inputs_and_a_prefix_without_a_path(cloud: LocalCloud) -> None:
    cloud.create(rows(2))
    cloud.upload("bkt", "more.jsonl", lines(row(2), row(3)).rstrip(b"\n"))
    body = job_body("gs://bkt/more.jsonl", "gs://bkt")
    body["inputConfig"]["gcsSource"]["uris"].append("gs://bkt/in.jsonl")
    job = cloud.wait(cloud.post_job(body).json()["name"])
    assert job["state"] == "JOB_STATE_SUCCEEDED", job.get("error")
    assert job["outputInfo"]["gcsOutputDirectory"].startswith("gs://bkt/prediction-model-")
    assert len(cloud.output(job).splitlines()) == 4


def test_later_changes_of_the_input_do_not_reach_a_job(cloud: LocalCloud) -> None:
    cloud.switch(rows_per_s=200)
    name = cloud.create(rows(60)).json()["name"]
    cloud.wait(name, lambda job: any(entry["job"] == name for entry in cloud.journal("served")))
    cloud.upload("bkt", "in.jsonl", b"gone")
    assert cloud.wait(name)["completionStats"]["successfulCount"] == "60"
