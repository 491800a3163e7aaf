"""Google's own clients meet the faults: what they ride out, what they raise, and when they pay twice.

Each test says what the client does today (google-genai 3.4, google-cloud-storage 3.17); our own client is built on it.
"""

import io
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.credentials import Credentials as BaseCredentials
from google.auth.exceptions import InvalidOperation
from google.cloud.exceptions import NotFound
from google.cloud.storage import Client as StorageClient
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from google.genai import Client, errors, types
from google.oauth2.credentials import Credentials

from tests.support.local_cloud import LOCATION, MODEL, PROJECT, LocalCloud, Plans, rows

# A streamed download that is answered with an error is left open by google-cloud-storage: not ours to close.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

DATA = bytes(range(256)) * 4 * 1024  # 1 MiB
CHUNK = 256 * 1024
SWIFT_RETRY = DEFAULT_RETRY.with_delay(initial=0.02, maximum=0.1).with_timeout(10)


@pytest.fixture
def plans(cloud: LocalCloud) -> Iterator[Plans]:
    with Plans(cloud) as made:
        yield made


# google-cloud-storage


@pytest.fixture
def bucket(storage: Any, cloud: LocalCloud) -> Any:
    cloud.bucket("faults")
    found = storage.bucket("faults")
    found.blob("there").upload_from_string(DATA)
    return found


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_download_is_asked_again_and_the_bytes_are_right(bucket: Any, plans: Plans, code: int) -> None:
    plans.add("tired", "status", {"code": code}, {"calls": ["download"]}, {"times": 2})
    assert bucket.blob("there").download_as_bytes(retry=SWIFT_RETRY) == DATA
    assert (plans.strikes("tired"), plans.shown("tired")["seen"]) == (2, 3)


@pytest.mark.parametrize("code", [403, 404, 409])
def test_what_asking_again_cannot_help_is_asked_once(bucket: Any, plans: Plans, code: int) -> None:
    plans.add("no", "status", {"code": code}, {"calls": ["get_object"]})
    with pytest.raises(exceptions.ClientError) as raised:
        bucket.blob("there").reload(retry=SWIFT_RETRY)
    assert (raised.value.code, plans.strikes("no")) == (code, 1)


class Renewed(BaseCredentials):
    """A token that can be had anew."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.renewals = "old", 0

    def refresh(self, request: Any) -> None:
        self.token, self.renewals = f"new-{self.renewals}", self.renewals + 1


def test_an_expired_token_is_renewed_in_mid_work(cloud: LocalCloud, bucket: Any, plans: Plans) -> None:
    credentials = Renewed()
    client = StorageClient(project=PROJECT, credentials=credentials, client_options={"api_endpoint": cloud.endpoint})
    plans.add("expired", "status", {"code": 401}, {"calls": ["download"]}, {"times": 1})
    assert client.bucket("faults").blob("there").download_as_bytes(retry=SWIFT_RETRY) == DATA
    assert (plans.strikes("expired"), credentials.renewals) == (1, 1)
    client.close()


def test_anonymous_credentials_cannot_be_renewed(bucket: Any, plans: Plans) -> None:
    plans.add("expired", "status", {"code": 401}, {"calls": ["download"]}, {"times": 1})
    with pytest.raises(InvalidOperation):
        bucket.blob("there").download_as_bytes(retry=SWIFT_RETRY)
    assert plans.strikes("expired") == 1


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "refused", "cut"])
def test_a_download_survives_the_network(bucket: Any, plans: Plans, kind: str) -> None:
    plans.add("net", kind, scope={"calls": ["download"]}, when={"times": 1})
    assert bucket.blob("there").download_as_bytes(retry=SWIFT_RETRY) == DATA
    assert plans.strikes("net") == 1


def test_a_wrong_checksum_on_download_is_an_error(bucket: Any, plans: Plans) -> None:
    plans.add("spoilt", "wrong_checksum", scope={"calls": ["download"]}, when={"times": 1})
    with pytest.raises(DataCorruption):
        bucket.blob("there").download_as_bytes(retry=SWIFT_RETRY)
    assert plans.strikes("spoilt") == 1


def test_a_wrong_checksum_in_the_reply_to_an_upload_is_an_error(bucket: Any, plans: Plans) -> None:
    plans.add("spoilt", "wrong_checksum", scope={"calls": ["upload"]})
    with pytest.raises(DataCorruption):
        bucket.blob("large", chunk_size=CHUNK).upload_from_file(io.BytesIO(DATA), checksum="crc32c", retry=SWIFT_RETRY)
    assert plans.strikes("spoilt") > 0


NETWORK: list[tuple[str, dict[str, Any]]] = [
    ("status", {"code": 503}), ("status", {"code": 503, "took_effect": True}), ("reset_before", {}),
    ("reset_after", {}), ("cut", {}), ("refused", {"for_s": 0.2}), ("slow", {"bytes_per_s": 2_000_000}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parameters"), NETWORK, ids=[f"{kind}{len(given)}" for kind, given in NETWORK])
@pytest.mark.parametrize("step", [0, 2, 4], ids=["session", "chunk", "last chunk"])
def test_a_resumable_upload_survives_the_network(
    cloud: LocalCloud, bucket: Any, plans: Plans, kind: str, parameters: dict[str, Any], step: int
) -> None:
    if step == 0 and kind == "cut":
        parameters = {"share": 0.0}
    name = f"resumable/{kind}-{len(parameters)}-{step}"
    scope = {"calls": ["upload"], "object_prefix": name}
    plans.add("net", kind, parameters, scope, {"after": step, "times": 1})
    blob = bucket.blob(name, chunk_size=CHUNK)
    with blob.open("wb", chunk_size=CHUNK, retry=SWIFT_RETRY) as file:
        file.write(DATA)
    assert cloud.download("faults", name) == DATA
    assert plans.strikes("net") == 1
    assert sum(entry["name"] == name for entry in cloud.journal("objects")) == 1, "one object, one generation"


@pytest.mark.parametrize(("kind", "parameters"), NETWORK, ids=[f"{kind}{len(given)}" for kind, given in NETWORK])
def test_a_small_upload_is_sent_again_without_a_precondition(
    cloud: LocalCloud, bucket: Any, plans: Plans, kind: str, parameters: dict[str, Any]
) -> None:
    plans.add("net", kind, parameters, {"calls": ["upload"]}, {"times": 1})
    bucket.blob("small").upload_from_string(b"naps" * 99, retry=SWIFT_RETRY)
    assert (cloud.download("faults", "small"), plans.strikes("net")) == (b"naps" * 99, 1)


def test_a_lost_reply_makes_a_precondition_fail_on_our_own_success(
    cloud: LocalCloud, bucket: Any, plans: Plans
) -> None:
    """The trap: 412 after an upload, 404 after a delete, and both are ours."""
    plans.add("lost", "reset_after", scope={"calls": ["upload", "delete_object"]}, when={"times": 2, "every": 2})
    bucket.blob("other").upload_from_string(b"x")
    blob = bucket.blob("mine")
    with pytest.raises(exceptions.PreconditionFailed):
        blob.upload_from_string(b"mine", if_generation_match=0, retry=SWIFT_RETRY)
    assert cloud.download("faults", "mine") == b"mine", "it is there all the same"
    bucket.blob("other").reload()
    plans.add("lost", "reset_after", scope={"calls": ["delete_object"]}, when={"times": 1})
    generation = bucket.get_blob("other").generation
    with pytest.raises(NotFound):
        bucket.blob("other").delete(if_generation_match=generation, retry=SWIFT_RETRY)
    assert plans.strikes("lost") == 1
    assert bucket.get_blob("other") is None, "it is gone all the same"
    blob.delete()


def test_storage_does_not_heed_retry_after(bucket: Any, plans: Plans) -> None:
    plans.add("busy", "status", {"code": 429, "retry_after_s": 7}, {"calls": ["download"]}, {"times": 1})
    began = time.monotonic()
    assert bucket.blob("there").download_as_bytes(retry=SWIFT_RETRY) == DATA
    assert time.monotonic() - began < 5


# google-genai

SWIFT = {"initial_delay": 0.02, "max_delay": 0.1}
Make = Callable[..., Any]


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[Callable[..., Any]]:
    """Makes clients with these HttpOptions."""
    made: list[Any] = []

    def make(**options: Any) -> Any:
        http = types.HttpOptions(base_url=cloud.endpoint, **options)
        credentials = Credentials(token="local")
        one = Client(enterprise=True, project=PROJECT, location=LOCATION, credentials=credentials, http_options=http)
        made.append(one)
        return one

    cloud.switch(stuck_pending=True)
    cloud.bucket("bkt")
    cloud.upload("bkt", "in.jsonl", rows(1))
    yield make
    for one in made:
        one.close()


def create(client: Any, label: str, **options: Any) -> Any:
    http = types.HttpOptions(extra_body={"labels": {"try": label}}, **options)
    config = types.CreateBatchJobConfig(display_name=label, dest="gs://bkt/out", http_options=http)
    return client.batches.create(model=MODEL, src="gs://bkt/in.jsonl", config=config)


def jobs_made(cloud: LocalCloud, label: str) -> int:
    return int(cloud.journal()["jobs_per_label"].get(f"try={label}", 0))


SPOILT: dict[str, tuple[str, dict[str, Any]]] = {
    "503": ("status", {"took_effect": True}),
    "dropped": ("reset_after", {}),
    "lost": ("create_reply_lost", {}),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_create_is_sent_once_by_default_and_its_job_is_made(
    cloud: LocalCloud, client: Make, plans: Plans, how: str
) -> None:
    kind, parameters = SPOILT[how]
    plans.add("spoilt", kind, parameters, {"calls": ["create"]})
    with pytest.raises(Exception) as raised:  # of three libraries, by the way it failed
        create(client(), f"once-{how}")
    assert isinstance(raised.value, errors.ServerError) is (how == "503")
    assert (plans.strikes("spoilt"), jobs_made(cloud, f"once-{how}")) == (1, 1)


def test_async_is_not_used_here() -> None:
    """aiohttp makes a dropped create two jobs in silence: it must not come in by accident."""
    assert find_spec("aiohttp") is None


def test_retries_on_the_client_pay_twice(cloud: LocalCloud, client: Make, plans: Plans) -> None:
    plans.add("spoilt", "status", {"took_effect": True}, {"calls": ["create"]}, {"times": 1})
    create(client(retry_options=types.HttpRetryOptions(**SWIFT)), "twice")
    assert (plans.shown("spoilt")["seen"], jobs_made(cloud, "twice")) == (2, 2)


def test_four_attempts_pay_four_times(cloud: LocalCloud, client: Make, plans: Plans) -> None:
    plans.add("spoilt", "status", {"took_effect": True}, {"calls": ["create"]})
    with pytest.raises(errors.ServerError):
        create(client(retry_options=types.HttpRetryOptions(attempts=4, **SWIFT)), "four")
    assert (plans.strikes("spoilt"), jobs_made(cloud, "four")) == (4, 4)


def test_retries_and_a_timeout_pay_twice_for_a_silent_server(cloud: LocalCloud, client: Make, plans: Plans) -> None:
    plans.add("silent", "stalled", {"for_s": 0.8}, {"calls": ["create"]}, {"times": 1})
    create(client(timeout=300, retry_options=types.HttpRetryOptions(**SWIFT)), "silent")
    assert (plans.strikes("silent"), jobs_made(cloud, "silent")) == (1, 2)


@pytest.mark.parametrize("how", SPOILT)
def test_one_attempt_on_the_call_and_a_look_by_label_make_one_job(
    cloud: LocalCloud, client: Make, plans: Plans, how: str
) -> None:
    """The shape our own client has: never repeat a create; look by label before another one."""
    kind, parameters = SPOILT[how]
    label = f"careful-{how}"
    plans.add("spoilt", kind, parameters, {"calls": ["create"]}, {"times": 1})
    plans.add("late", "listed_late", {"delay_s": 0.3}, {"label": f"try={label}"})
    one = client(retry_options=types.HttpRetryOptions(**SWIFT))
    found: list[Any] = []
    for _ in range(100):
        found = list(one.batches.list(config={"filter": f"labels.try={label}"}))
        if found:
            break
        if not plans.strikes("spoilt"):
            with pytest.raises(Exception, match=r"."):
                create(one, label, retry_options=types.HttpRetryOptions(attempts=1))
        time.sleep(0.02)  # between two looks
    assert [job.display_name for job in found] == [label]
    assert jobs_made(cloud, label) == 1
    assert (plans.strikes("spoilt"), plans.strikes("late")) == (1, 1)


def test_a_proxy_that_repeats_shows_two_jobs_for_one_label(cloud: LocalCloud, client: Make, plans: Plans) -> None:
    plans.add("echo", "made_twice")
    one = client()
    create(one, "double")
    assert len(list(one.batches.list(config={"filter": "labels.try=double"}))) == 2
    assert (plans.strikes("echo"), jobs_made(cloud, "double")) == (1, 2)


@pytest.mark.parametrize("call", ["get", "list"])
def test_one_503_ends_a_loop_that_polls(cloud: LocalCloud, client: Make, plans: Plans, call: str) -> None:
    one = client()
    job = create(one, "poll")
    plans.add("tired", "status", scope={"calls": [call]}, when={"times": 1})
    with pytest.raises(errors.ServerError):
        one.batches.get(name=job.name) if call == "get" else list(one.batches.list())
    assert plans.strikes("tired") == 1
    assert one.batches.get(name=job.name).name == job.name


def test_genai_does_not_heed_retry_after(cloud: LocalCloud, client: Make, plans: Plans) -> None:
    one = client(retry_options=types.HttpRetryOptions(**SWIFT))
    job = create(one, "busy")
    plans.add("busy", "status", {"code": 429, "retry_after_s": 7}, {"calls": ["get"]}, {"times": 1})
    began = time.monotonic()
    assert one.batches.get(name=job.name).name == job.name
    assert time.monotonic() - began < 5
    assert plans.strikes("busy") == 1


def test_without_a_timeout_a_silent_server_holds_the_call(cloud: LocalCloud, client: Make, plans: Plans) -> None:
    plans.add("silent", "stalled", {"for_s": 0.6}, {"calls": ["get"]}, {"times": 2})
    patient, hasty = client(), client(timeout=200)
    job = create(patient, "held")
    began = time.monotonic()
    assert patient.batches.get(name=job.name).name == job.name
    assert time.monotonic() - began > 0.59
    with pytest.raises(Exception, match="timed out"):
        hasty.batches.get(name=job.name)
    assert plans.strikes("silent") == 2


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_create_that_may_not_be_made_is_none(cloud: LocalCloud, client: Make, plans: Plans, code: int) -> None:
    plans.add("no", "status", {"code": code}, {"calls": ["create"]})
    with pytest.raises(errors.ClientError) as raised:
        create(client(retry_options=types.HttpRetryOptions(**SWIFT)), f"no-{code}")
    assert (raised.value.code, jobs_made(cloud, f"no-{code}"), plans.strikes("no")) == (code, 0, 1)


@pytest.mark.parametrize(
    ("kind", "state", "done"),
    [
        ("partially_succeeded", "JOB_STATE_PARTIALLY_SUCCEEDED", False),
        ("paused", "JOB_STATE_PAUSED", False),
        ("updating", "JOB_STATE_UPDATING", False),
        ("expired_in_queue", "JOB_STATE_EXPIRED", True),
        ("failed", "JOB_STATE_FAILED", True),
    ],
)
def test_done_forgets_two_states(
    cloud: LocalCloud, client: Make, plans: Plans, kind: str, state: str, done: bool
) -> None:
    cloud.switch(stuck_pending=False)
    plans.add("end", kind, {"for_s": 30.0} if kind == "updating" else {}, {"label": f"try=done-{kind}"})
    one = client()
    job = create(one, f"done-{kind}")
    cloud.wait(job.name, lambda found: found["state"] == state)
    found = one.batches.get(name=job.name)
    assert (found.state.value, found.done) == (state, done)
    assert plans.strikes("end") == 1


def test_an_unknown_state_is_no_traceback(cloud: LocalCloud, client: Make, plans: Plans) -> None:
    cloud.switch(stuck_pending=False)
    plans.add("odd", "unknown_state", {"at": "queue"})
    one = client()
    job = create(one, "odd")
    cloud.wait(job.name, lambda found: found["state"] == "JOB_STATE_ARCHIVING")
    with pytest.warns(UserWarning, match="JOB_STATE_ARCHIVING"):
        assert one.batches.get(name=job.name).state.value == "JOB_STATE_ARCHIVING"


@pytest.mark.parametrize("form", ["absent", "null", "minus_one"])
def test_counts_that_are_none(cloud: LocalCloud, client: Make, plans: Plans, form: str) -> None:
    cloud.switch(stuck_pending=False)
    plans.add("uncounted", "no_counts", {"form": form})
    one = client()
    job = create(one, "uncounted")
    cloud.wait(job.name)
    counts = one.batches.get(name=job.name).completion_stats
    assert (counts.successful_count == -1) if form == "minus_one" else counts is None
