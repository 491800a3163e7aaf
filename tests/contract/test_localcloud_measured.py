"""The local cloud as a person's own programs meet it: ways to point Google's clients at it, what they send by
themselves, and what it does not have.
"""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.cloud.storage import Client, transfer_manager
from google.genai import Client as GenaiClient
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from tests.support.local_cloud import LOCATION, MODEL, PROJECT, LocalCloud, job_body, rows

# A call that is answered with an error may be left open by google-cloud-storage: not ours to close.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def bucket(cloud: LocalCloud, storage: Any) -> Any:
    cloud.bucket("bkt")
    found = storage.bucket("bkt")
    found.blob("there").upload_from_string(b"one\ntwo\n")
    return found


# Ways to it


def test_storage_emulator_host_alone_is_enough(cloud: LocalCloud, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", cloud.endpoint)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    client = Client()
    assert client.bucket("bkt").blob("there").download_as_bytes() == b"one\ntwo\n"
    client.close()


def genai_at(cloud: LocalCloud, **options: Any) -> Any:
    http = types.HttpOptions(timeout=10_000, **options)
    return GenaiClient(
        enterprise=True, project=PROJECT, location=LOCATION, credentials=Credentials(token="local"), http_options=http
    )


def test_google_vertex_base_url_leads_here_where_all_else_is_an_argument(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", cloud.endpoint)
    client = genai_at(cloud)
    assert client.models.generate_content(model=MODEL, contents="naps").text
    client.close()


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_both_versions_are_the_same(cloud: LocalCloud, version: str) -> None:
    client = genai_at(cloud, base_url=cloud.endpoint, api_version=version)
    assert client.models.count_tokens(model=MODEL, contents="naps").total_tokens
    assert list(client.batches.list(config={"page_size": 1})) is not None
    client.close()


# What google-genai sends by itself


@pytest.fixture
def waiting(cloud: LocalCloud, bucket: Any) -> Iterator[LocalCloud]:
    cloud.switch(stuck_pending=True)
    cloud.upload("bkt", "in.jsonl", rows(1))
    cloud.upload("bkt", "in.txt", rows(1))
    yield cloud
    cloud.reset()


def test_without_a_name_and_a_destination_it_makes_both_up(waiting: LocalCloud, genai: Any) -> None:
    job = genai.batches.create(model=MODEL, src="gs://bkt/in.jsonl")
    kept = waiting.job(job.name)
    assert kept["displayName"].startswith("genai_batch_job_")
    assert kept["outputConfig"]["gcsDestination"]["outputUriPrefix"] == "gs://bkt/in/dest"
    assert kept["model"] == f"publishers/google/models/{MODEL}"


def test_a_source_that_does_not_end_in_jsonl_has_no_destination_and_is_refused(waiting: LocalCloud, genai: Any) -> None:
    with pytest.raises(errors.ClientError, match="outputConfig") as refused:
        genai.batches.create(model=MODEL, src="gs://bkt/in.txt")
    assert refused.value.code == 400


def test_inline_requests_never_leave_google_genai_for_vertex(waiting: LocalCloud, genai: Any) -> None:
    before = waiting.journal()["counts"]["creates"]
    with pytest.raises(ValueError, match=r"(?i)inline|gs://|source"):
        genai.batches.create(model=MODEL, src=[types.InlinedRequest(contents="naps")])
    assert waiting.journal()["counts"]["creates"] == before


def test_labels_go_through_extra_body_and_are_not_shown_by_it(waiting: LocalCloud, genai: Any) -> None:
    http = types.HttpOptions(extra_body={"labels": {"run": "42"}})
    config = types.CreateBatchJobConfig(display_name="l", dest="gs://bkt/out", http_options=http)
    job = genai.batches.create(model=MODEL, src="gs://bkt/in.jsonl", config=config)
    assert waiting.job(job.name)["labels"] == {"run": "42"}
    assert not hasattr(job, "labels")
    assert job.name in [one.name for one in genai.batches.list(config={"filter": 'labels.run="42"'})]


def test_a_job_of_another_location_is_not_found_since_google_genai_drops_the_names_location(
    waiting: LocalCloud, genai: Any
) -> None:
    url = f"{waiting.base}/batchPredictionJobs".replace("/global/", "/us-central1/")
    name = waiting.http.post(url, json=job_body("gs://bkt/in.jsonl", "gs://bkt/out")).json()["name"]
    assert waiting.job(name)["name"] == name
    with pytest.raises(errors.ClientError) as missing:
        genai.batches.get(name=name)
    assert missing.value.code == 404


@pytest.mark.parametrize("name", ["thinking_budget", "thinkingBudget"])
def test_a_thinking_budget_is_taken_in_both_cases(cloud: LocalCloud, name: str) -> None:
    body = {
        "contents": [{"role": "user", "parts": [{"text": "x"}]}],
        "generationConfig": {"thinkingConfig": {name: 200}},
    }
    url = f"{cloud.base}/publishers/google/models/gemini-2.5-flash:generateContent"
    cloud.switch(project_age="old")
    assert cloud.http.post(url, json=body).status_code == 200
    body["generationConfig"] = {"thinkingConfig": {name: -7}}
    assert cloud.http.post(url, json=body).status_code == 400, "it was read"


# What is not there says so


ABSENT: dict[str, Callable[[Any, Path], Any]] = {
    "compose": lambda bucket, _: bucket.blob("sum").compose([bucket.blob("there")]),
    "copy": lambda bucket, _: bucket.copy_blob(bucket.blob("there"), bucket, "copy"),
    "rewrite": lambda bucket, _: bucket.blob("copy").rewrite(bucket.blob("there")),
    "XML multipart": lambda bucket, path: transfer_manager.upload_chunks_concurrently(
        str(path), bucket.blob("parts"), chunk_size=5 << 20, worker_type=transfer_manager.THREAD
    ),
    "notifications": lambda bucket, _: list(bucket.list_notifications()),
    "access lists": lambda bucket, _: bucket.blob("there").acl.reload(),
}


@pytest.mark.parametrize("what", ABSENT)
def test_what_storage_does_not_have_is_not_found_and_leaves_nothing(bucket: Any, tmp_path: Path, what: str) -> None:
    (tmp_path / "large").write_bytes(bytes(11 << 20))
    before = _names(bucket)
    with pytest.raises(Exception, match=r"404|the local cloud has no") as absent:  # of two libraries in one package
        ABSENT[what](bucket, tmp_path / "large")
    assert what == "XML multipart" or isinstance(absent.value, NotFound)
    assert _names(bucket) == before


def _names(bucket: Any) -> set[str]:
    """Without what jobs write: one of an earlier test may still be at it."""
    return {blob.name for blob in bucket.list_blobs() if "/prediction-model-" not in blob.name}


def test_bigquery_is_refused_at_create_with_the_reason(waiting: LocalCloud, genai: Any) -> None:
    with pytest.raises(errors.ClientError, match="BigQuery is absent") as refused:
        genai.batches.create(model=MODEL, src="bq://p.d.t")
    assert refused.value.code == 400


# Reading


def test_a_download_to_a_file_has_the_bytes_that_open_would_read_by_line(bucket: Any, tmp_path: Path) -> None:
    blob = bucket.blob("there")
    file = io.BytesIO()
    blob.download_to_file(file)
    with blob.open("r", newline="\n") as lines:
        assert [line.encode() for line in lines] == file.getvalue().splitlines(keepends=True)


def test_the_journal_says_which_job_was_asked_for_under_which_label(waiting: LocalCloud) -> None:
    name = waiting.create(rows(1), labels={"who": "me"}).json()["name"]
    entry = next(one for one in waiting.journal("creates") if one["job"] == name)
    labels = entry["labels"]
    assert (labels if isinstance(labels, dict) else json.loads(labels)) == {"who": "me"}
