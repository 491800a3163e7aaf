"""Google's own clients and what lies in the bucket: damaged rows and lines, storage that stalls, ends, comes late.

What stands in the names of these tests is what google-cloud-storage 3.17 and google-genai 3.4 do today.
"""

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.credentials import Credentials
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from google.genai import types

from tests.support.local_cloud import MODEL, PROJECT, LocalCloud, Plans, rows

# A streamed download that is answered with an error is left open by google-cloud-storage: not ours to close.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SCHEMA = {"type": "OBJECT", "properties": {"naps": {"type": "BOOLEAN"}}, "required": ["naps"]}
CONFIG = {"responseMimeType": "application/json", "responseSchema": SCHEMA}
DATA = bytes(range(256)) * 4 * 1024  # 1 MiB
CHUNK = 256 * 1024
SWIFT = DEFAULT_RETRY.with_delay(initial=0.02, maximum=0.1).with_timeout(10)
Line = dict[str, Any]


@pytest.fixture
def plans(cloud: LocalCloud) -> Iterator[Plans]:
    cloud.switch(total_missing_every=0)
    cloud.bucket("bkt")
    with Plans(cloud) as made:
        yield made


@pytest.fixture
def bucket(storage: Any, plans: Plans) -> Any:
    found = storage.bucket("bkt")
    found.blob("there").upload_from_string(DATA)
    return found


# Rows and lines


@pytest.fixture
def output(cloud: LocalCloud, genai: Any, storage: Any, plans: Plans) -> Callable[[], list[bytes]]:
    """Runs a job of eight rows through google-genai and fetches its lines through google-cloud-storage."""

    def run() -> list[bytes]:
        cloud.upload("bkt", "in.jsonl", rows(8, generationConfig=CONFIG))
        config = types.CreateBatchJobConfig(display_name="rows", dest="gs://bkt/rows")
        name = genai.batches.create(model=MODEL, src="gs://bkt/in.jsonl", config=config).name
        cloud.wait(name)
        job = genai.batches.get(name=name)
        assert job.state.value == "JOB_STATE_SUCCEEDED", "whatever its rows say"
        directory = job.output_info.gcs_output_directory.removeprefix("gs://bkt/")
        found = sorted(storage.bucket("bkt").list_blobs(prefix=directory), key=lambda blob: str(blob.name))
        return b"".join(blob.download_as_bytes() for blob in found).splitlines()

    return run


def shown(line: bytes) -> types.GenerateContentResponse:
    """A line's response as google-genai's own type reads it."""
    return types.GenerateContentResponse.model_validate(json.loads(line)["response"])


def finish(line: bytes) -> str:
    candidates = shown(line).candidates
    assert candidates
    assert candidates[0].finish_reason is not None
    return str(candidates[0].finish_reason.value)


def answered(line: bytes) -> bool:
    """Is its text JSON of the schema?"""
    try:
        value = json.loads(shown(line).text or "")
    except ValueError:
        return False
    return isinstance(value, dict) and set(value) == {"naps"} and isinstance(value["naps"], bool)


ROWS: dict[str, tuple[dict[str, Any], Callable[[bytes], bool]]] = {
    "row_failed": ({"code": 429}, lambda line: json.loads(line)["status"].startswith("Too Many Requests: ")),
    "prompt_blocked": ({}, lambda line: bool(shown(line).prompt_feedback) and shown(line).text is None),
    "safety": ({}, lambda line: finish(line) == "SAFETY" and not shown(line).text),
    "recitation": ({}, lambda line: finish(line) == "RECITATION" and not shown(line).text),
    "max_tokens": ({"text": "none"}, lambda line: finish(line) == "MAX_TOKENS" and not shown(line).text),
    "continuation": ({}, lambda line: finish(line) == "CONTINUATION" and not answered(line)),
    "json_cut": ({}, lambda line: finish(line) == "STOP" and not answered(line)),
    "breaks_schema": ({}, lambda line: finish(line) == "STOP" and not answered(line)),
    "fenced": ({}, lambda line: (shown(line).text or "").startswith("```")),
    "empty_parts": ({}, lambda line: finish(line) == "STOP" and not shown(line).text),
    "thoughts_first": ({}, answered),  # `text` leaves thoughts out
    "other_model": ({}, lambda line: "rerouted" in (shown(line).model_version or "")),
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_that_went_wrong_is_a_line_like_any_other(
    output: Callable[[], list[bytes]], plans: Plans, kind: str
) -> None:
    parameters, is_struck = ROWS[kind]
    plans.add("row", kind, parameters, {"keys": ["k3"]})
    lines = output()
    found = {json.loads(line)["key"]: line for line in lines}
    assert is_struck(found.pop("k3"))
    assert plans.strikes("row") == 1
    assert len(found) == 7
    assert all(answered(line) for line in found.values())


def test_a_finish_reason_googles_client_does_not_know_is_a_warning_and_its_words() -> None:
    response = {"candidates": [{"content": {"parts": [{"text": "half"}]}, "finishReason": "NEVER_HEARD_OF"}]}
    with pytest.warns(UserWarning, match="NEVER_HEARD_OF"):
        assert finish(json.dumps({"response": response}).encode()) == "NEVER_HEARD_OF"


def parsed(lines: list[bytes]) -> list[Line | None]:
    def one(line: bytes) -> Line | None:
        try:
            found: Line = json.loads(line)
        except ValueError:  # no JSON, or not UTF-8
            return None
        return found

    return [one(line) for line in lines]


def texts(lines: list[Line | None]) -> dict[str, str]:
    """key → the echoed text."""
    return {line["key"]: line["request"]["contents"][0]["parts"][0]["text"] for line in lines if line is not None}


LINES: dict[str, Callable[[list[Line | None]], bool]] = {
    "answers_swapped": lambda lines: len(texts(lines)) == 8,
    "keys_swapped": lambda lines: not texts(lines)["k3"].startswith("Record 3") and len(texts(lines)) == 8,
    "line_missing": lambda lines: sorted(texts(lines)) == [f"k{number}" for number in range(8) if number != 3],
    "line_repeated": lambda lines: len(lines) == 9 and len(texts(lines)) == 8,
    "line_repeated_otherwise": lambda lines: len(lines) == 9 and len(texts(lines)) == 8,
    "key_as_number": lambda lines: 3 in texts(lines),
    "key_missing": lambda lines: sum("key" not in (line or {}) for line in lines) == 1,
    "echo_normalised": lambda lines: any("generation_config" in (line or {})["request"] for line in lines),
    "echo_missing": lambda lines: sum("request" not in (line or {}) for line in lines) == 1,
    "unknown_fields": lambda lines: len({frozenset(line or {}) for line in lines}) == 2,
    "half_line": lambda lines: lines.count(None) == 1,
    "invalid_utf8": lambda lines: lines.count(None) == 1,
    "not_json": lambda lines: lines.count(None) == 1,
}


@pytest.mark.parametrize("kind", LINES)
def test_a_damaged_line_arrives_as_it_was_written_its_checksum_is_right(
    output: Callable[[], list[bytes]], plans: Plans, kind: str
) -> None:
    """What a checksum is for is the way; a line that was written wrong is nobody's to notice but ours."""
    plans.add("line", kind, {}, {"keys": ["k3"]})
    assert LINES[kind](parsed(output()))
    assert plans.strikes("line") == 1


@pytest.mark.parametrize("kind", ["several_files", "chunk_files", "truncated_last_line"])
def test_files_are_listed_as_they_are(output: Callable[[], list[bytes]], plans: Plans, kind: str) -> None:
    plans.add("files", kind)
    lines = parsed(output())
    whole = [line for line in lines if line is not None]
    expected = {"several_files": (8, 0), "chunk_files": (16, 0), "truncated_last_line": (7, 1)}
    assert (len(whole), lines.count(None)) == expected[kind]
    assert plans.strikes("files") == 1


# Storage


def test_a_stalled_download_is_asked_again_after_the_timeout(bucket: Any, plans: Plans) -> None:
    plans.add("silent", "stalled", {"for_s": 2.0}, {"calls": ["download"]}, {"times": 1})
    began = time.monotonic()
    assert bucket.blob("there").download_as_bytes(timeout=0.4, retry=SWIFT) == DATA
    assert time.monotonic() - began < 2.0
    assert plans.strikes("silent") == 1


def test_a_download_that_stalls_half_way_goes_on_where_it_was(bucket: Any, plans: Plans) -> None:
    plans.add("silent", "stalled", {"for_s": 2.0, "share": 0.5}, {"calls": ["download"]}, {"times": 1})
    assert bucket.blob("there").download_as_bytes(timeout=0.4, retry=SWIFT) == DATA
    assert (plans.strikes("silent"), plans.shown("silent")["seen"]) == (1, 2)


def test_a_stalled_upload_is_asked_about_and_is_one_object(cloud: LocalCloud, bucket: Any, plans: Plans) -> None:
    plans.add("silent", "stalled", {"for_s": 2.0}, {"calls": ["upload"], "object_prefix": "slow"}, {"times": 1})
    bucket.blob("slow", chunk_size=CHUNK).upload_from_file(io.BytesIO(DATA), timeout=0.4, retry=SWIFT)
    assert (cloud.download("bkt", "slow"), plans.strikes("silent")) == (DATA, 1)
    assert sum(entry["name"] == "slow" for entry in cloud.journal("objects")) == 1


def test_without_a_retry_a_stalled_call_is_an_error_after_the_timeout(bucket: Any, plans: Plans) -> None:
    plans.add("silent", "stalled", {"for_s": 2.0}, {"calls": ["download"]}, {"times": 1})
    with pytest.raises(Exception, match="timed out"):
        bucket.blob("there").download_as_bytes(timeout=0.4, retry=None)
    assert plans.strikes("silent") == 1


class Renewed(Credentials):
    """A token that can be had anew."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.renewals = "old", 0

    def refresh(self, request: Any) -> None:
        self.token, self.renewals = f"new-{self.renewals}", self.renewals + 1


@pytest.mark.parametrize("call", ["upload", "list_objects", "get_object", "delete_object", "bucket"])
def test_a_token_that_expires_before_any_call_is_renewed(
    cloud: LocalCloud, bucket: Any, plans: Plans, call: str
) -> None:
    credentials = Renewed()
    client = Client(project=PROJECT, credentials=credentials, client_options={"api_endpoint": cloud.endpoint})
    mine = client.bucket("bkt")
    calls: dict[str, Callable[[], Any]] = {
        "upload": lambda: mine.blob("large", chunk_size=CHUNK).upload_from_file(io.BytesIO(DATA), retry=SWIFT),
        "list_objects": lambda: list(mine.list_blobs()),
        "get_object": lambda: mine.get_blob("there"),
        "delete_object": lambda: mine.blob("there").delete(),
        "bucket": lambda: client.get_bucket("bkt"),
    }
    after = 2 if call == "upload" else 0
    plans.add("expired", "status", {"code": 401}, {"calls": [call]}, {"after": after, "times": 1})
    calls[call]()
    assert (plans.strikes("expired"), credentials.renewals) == (1, 1)
    assert call != "upload" or cloud.download("bkt", "large") == DATA
    client.close()


def test_what_is_seen_late_is_not_found_and_then_there(bucket: Any, plans: Plans) -> None:
    plans.add("late", "status", {"code": 404}, {"calls": ["download", "get_object"]}, {"times": 2})
    with pytest.raises(exceptions.NotFound):
        bucket.blob("there").download_as_bytes(retry=SWIFT)
    assert bucket.get_blob("there") is None
    assert bucket.blob("there").download_as_bytes(retry=SWIFT) == DATA


@pytest.mark.parametrize("call", ["upload", "download", "delete"])
def test_a_precondition_that_does_not_hold_is_said_once_and_not_tried_again(
    bucket: Any, plans: Plans, call: str
) -> None:
    blob = bucket.blob("there")
    calls: dict[str, Callable[[], Any]] = {
        "upload": lambda: blob.upload_from_string(b"x", if_generation_match=0, retry=SWIFT),
        "download": lambda: blob.download_as_bytes(if_generation_match=7, retry=SWIFT),
        "delete": lambda: blob.delete(if_generation_match=7, retry=SWIFT),
    }
    name = "delete_object" if call == "delete" else call
    plans.add("seen", "slow", {"bytes_per_s": 1_000_000_000}, {"calls": [name]})
    with pytest.raises(exceptions.PreconditionFailed):
        calls[call]()
    assert plans.strikes("seen") == 1
    assert bucket.blob("there").download_as_bytes() == DATA


def test_every_page_of_a_list_is_asked_for_until_it_comes(bucket: Any, plans: Plans) -> None:
    names = [f"page/{number}" for number in range(5)]
    for name in names:
        bucket.blob(name).upload_from_string("")
    plans.add("tired", "status", {"code": 503}, {"calls": ["list_objects"]}, {"every": 2})
    found = [blob.name for blob in bucket.list_blobs(prefix="page/", page_size=2, retry=SWIFT)]
    assert (found, plans.strikes("tired")) == (names, 2)


def test_a_delete_is_sent_again_without_a_precondition_and_may_not_find_what_it_deleted(
    bucket: Any, plans: Plans
) -> None:
    bucket.blob("other").upload_from_string(b"x")
    plans.add("tired", "status", {"code": 503}, {"calls": ["delete_object"]}, {"times": 1})
    bucket.blob("there").delete(retry=SWIFT)
    assert (plans.strikes("tired"), plans.shown("tired")["seen"]) == (1, 2)
    plans.add("tired", "status", {"code": 503, "took_effect": True}, {"calls": ["delete_object"]}, {"times": 1})
    with pytest.raises(exceptions.NotFound):
        bucket.blob("other").delete(retry=SWIFT)
    assert bucket.get_blob("other") is None, "it is gone, and our own doing"


def test_bytes_with_a_wrong_checksum_are_not_left_in_a_file(bucket: Any, plans: Plans, tmp_path: Path) -> None:
    plans.add("spoilt", "wrong_checksum", scope={"calls": ["download"]}, when={"times": 1})
    with pytest.raises(DataCorruption):
        bucket.blob("there").download_to_filename(tmp_path / "there", retry=SWIFT)
    assert not (tmp_path / "there").exists()
    assert plans.strikes("spoilt") == 1
