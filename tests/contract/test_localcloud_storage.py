"""Cloud Storage through google-cloud-storage, and what only raw HTTP shows."""

import base64
import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
import requests
from google.api_core import exceptions

from tests.support.local_cloud import LocalCloud

ODD_NAME = "a b+ü#?%/compose/.jsonl"


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


@pytest.fixture
def bucket(storage: Any, request: pytest.FixtureRequest) -> Any:
    digest = hashlib.sha256(request.node.name.encode()).hexdigest()[:20]
    return storage.create_bucket(f"b-{digest}")


def test_buckets(storage: Any) -> None:
    made = storage.create_bucket("one-bucket", location="europe-west1")
    assert storage.get_bucket("one-bucket").location == "EUROPE-WEST1"
    assert storage.create_bucket("two-bucket").location == "US"
    assert {"one-bucket", "two-bucket"} <= {found.name for found in storage.list_buckets()}
    assert made.test_iam_permissions(["storage.objects.get", "storage.objects.create"]) == [
        "storage.objects.get",
        "storage.objects.create",
    ]
    with pytest.raises(exceptions.Conflict):
        storage.create_bucket("one-bucket")
    made.blob("x").upload_from_string("x")
    with pytest.raises(exceptions.Conflict, match="not empty"):
        made.delete()
    made.blob("x").delete()
    made.delete()
    with pytest.raises(exceptions.NotFound):
        storage.get_bucket("one-bucket")
    with pytest.raises(exceptions.BadRequest):
        storage.create_bucket("Not_A_Bucket")


@pytest.mark.parametrize("name", ["plain.txt", ODD_NAME, "%2F", "ends/", "日本語"])
def test_small_object(bucket: Any, name: str) -> None:
    data = b"x" * 1024
    blob = bucket.blob(name)
    blob.metadata = {"study": "naps"}
    blob.upload_from_string(data, content_type="text/plain")
    found = bucket.get_blob(name)
    assert (found.size, found.content_type, found.metadata) == (1024, "text/plain", {"study": "naps"})
    assert found.crc32c == crc32c(data)
    assert found.md5_hash == base64.b64encode(hashlib.md5(data).digest()).decode()
    assert found.download_as_bytes() == data
    assert [one.name for one in bucket.list_blobs()] == [name]
    found.delete()
    assert bucket.get_blob(name) is None


def test_large_resumable_upload_and_ranges(bucket: Any, tmp_path: Path) -> None:
    data = os.urandom(20_000_000)
    source = tmp_path / "large"
    source.write_bytes(data)
    blob = bucket.blob("large", chunk_size=4 * 1024 * 1024)
    blob.upload_from_filename(source)
    assert bucket.get_blob("large").crc32c == crc32c(data)
    assert blob.download_as_bytes(start=5_000_000, end=5_000_099) == data[5_000_000:5_000_100]
    assert blob.download_as_bytes(start=19_999_990) == data[-10:]
    whole = bucket.blob("large")
    target = tmp_path / "back"
    whole.download_to_filename(target)
    assert target.read_bytes() == data
    with pytest.raises(exceptions.RequestRangeNotSatisfiable):
        blob.download_as_bytes(start=20_000_000)


def test_preconditions(bucket: Any) -> None:
    blob = bucket.blob("once")
    blob.upload_from_string("first", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("once").upload_from_string("second", if_generation_match=0)
    first = bucket.get_blob("once").generation
    bucket.blob("once").upload_from_string("second", if_generation_match=first)
    second = bucket.get_blob("once").generation
    assert second > first
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("once").delete(if_generation_match=first)
    with pytest.raises(exceptions.NotFound):
        bucket.blob("once", generation=first).download_as_bytes()
    with pytest.raises(exceptions.NotModified):
        bucket.blob("once").reload(if_generation_not_match=second)
    assert bucket.blob("once").download_as_bytes() == b"second"


def test_one_of_many_writers_wins(cloud: LocalCloud, bucket: Any) -> None:
    replies: list[int] = []

    def write(number: int) -> None:
        url = f"{cloud.endpoint}/upload/storage/v1/b/{bucket.name}/o"
        query = {"uploadType": "media", "name": "race", "ifGenerationMatch": "0"}
        replies.append(requests.post(url, params=query, data=str(number)).status_code)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(replies) == [200] + [412] * 7


def test_metadata_can_be_changed(bucket: Any) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string("x")
    blob.reload()
    blob.content_type = "application/json"
    blob.metadata = {"a": "b"}
    blob.patch(if_metageneration_match=blob.metageneration)
    found = bucket.get_blob("x")
    assert (found.content_type, found.metadata, found.metageneration) == ("application/json", {"a": "b"}, 2)


def test_listing(bucket: Any) -> None:
    names = [f"a/{number:04d}" for number in range(25)] + ["b/c/d", "b/e", "ü", "z"]
    for name in names:
        bucket.blob(name).upload_from_string("")
    assert [blob.name for blob in bucket.list_blobs()] == sorted(names, key=str.encode)
    pages = list(bucket.list_blobs(page_size=7).pages)
    assert [page.num_items for page in pages] == [7, 7, 7, 7, 1]
    iterator = bucket.list_blobs(delimiter="/")
    assert [blob.name for blob in iterator] == ["z", "ü"]
    assert iterator.prefixes == {"a/", "b/"}
    inner = bucket.list_blobs(prefix="b/", delimiter="/")
    assert [blob.name for blob in inner] == ["b/e"]
    assert inner.prefixes == {"b/c/"}
    window = bucket.list_blobs(start_offset="a/0020", end_offset="a/0023", fields="items(name),nextPageToken")
    assert [blob.name for blob in window] == ["a/0020", "a/0021", "a/0022"]
    paged = bucket.list_blobs(prefix="a/", delimiter="0020", page_size=5)
    assert [len(list(page)) + len(page.prefixes) for page in paged.pages] == [5, 5, 5, 5, 5]


def test_a_wrong_hash_is_refused(cloud: LocalCloud, bucket: Any) -> None:
    url = f"{cloud.endpoint}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    for header in (f"crc32c={crc32c(b'other')}", "md5=AAAAAAAAAAAAAAAAAAAAAA=="):
        reply = requests.post(url, data=b"data", headers={"X-Goog-Hash": header})
        assert reply.status_code == 400, reply.text
        assert "doesn't match calculated" in reply.json()["error"]["message"]
    assert bucket.get_blob("x") is None
    blob = bucket.blob("x")
    blob.md5_hash = "AAAAAAAAAAAAAAAAAAAAAA=="
    with pytest.raises(exceptions.BadRequest):
        blob.upload_from_string("data", checksum=None)


def test_media_link_is_of_this_request(cloud: LocalCloud, bucket: Any) -> None:
    cloud.upload(bucket.name, ODD_NAME, b"data")
    by_name = cloud.endpoint.replace("127.0.0.1", "localhost")
    listed = requests.get(f"{by_name}/storage/v1/b/{bucket.name}/o").json()["items"][0]
    assert listed["mediaLink"].startswith(f"{by_name}/download/storage/v1/b/{bucket.name}/o/a%20b%2B")
    assert requests.get(listed["mediaLink"]).content == b"data"
    assert requests.get(listed["selfLink"]).json()["name"] == ODD_NAME


def test_unknown_paths_are_a_soft_404(cloud: LocalCloud, bucket: Any) -> None:
    for path in (f"/storage/v1/b/{bucket.name}/o/a/compose", "/storage/v1/nothing", "/nothing"):
        reply = requests.get(cloud.endpoint + path)
        assert reply.status_code == 404
        assert "local cloud" in reply.json()["error"]["message"]
    reply = requests.get(f"{cloud.endpoint}/storage/v1/b/{bucket.name}/o/%FF")
    assert reply.status_code == 400


def begin(cloud: LocalCloud, bucket: str, name: str, **headers: str) -> str:
    url = f"{cloud.endpoint}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name={name}"
    reply = requests.post(url, json={"metadata": {"a": "b"}}, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.headers["Location"]


def put(place: str, data: bytes, content_range: str, **headers: str) -> requests.Response:
    return requests.put(place, data=data, headers={"Content-Range": content_range, **headers}, allow_redirects=False)


def test_resumable_by_hand(cloud: LocalCloud, bucket: Any) -> None:
    place = begin(cloud, bucket.name, "by-hand")
    assert put(place, b"", "bytes */*").status_code == 308
    reply = put(place, b"01234", "bytes 0-4/*")
    assert (reply.status_code, reply.headers["Range"]) == (308, "bytes=0-4")
    overlapping = put(place, b"3456", "bytes 3-6/10")
    assert overlapping.headers["Range"] == "bytes=0-6"
    assert put(place, b"9", "bytes 9-9/10").status_code == 400, "a gap"
    done = put(place, b"789", "bytes 7-9/10")
    assert done.status_code == 200
    assert done.json()["metadata"] == {"a": "b"}
    assert cloud.download(bucket.name, "by-hand") == b"0123456789"
    again = put(place, b"", "bytes */10")
    assert (again.status_code, again.json()) == (200, done.json()), "a client whose last reply was lost asks again"


def test_resumable_checks_the_hash_at_the_end(cloud: LocalCloud, bucket: Any) -> None:
    place = begin(cloud, bucket.name, "hashed")
    wrong = {"X-Goog-Hash": f"crc32c={crc32c(b'other')}"}
    assert put(place, b"data", "bytes 0-3/4", **wrong).status_code == 400
    assert bucket.get_blob("hashed") is None


def test_resumable_can_be_cancelled(cloud: LocalCloud, bucket: Any) -> None:
    place = begin(cloud, bucket.name, "cancelled")
    put(place, b"0", "bytes 0-0/*")
    assert requests.delete(place).status_code == 499
    assert put(place, b"1", "bytes 1-1/2").status_code == 404
    assert list((cloud.data / "uploads").iterdir()) == []


def test_resumable_empty_object(cloud: LocalCloud, bucket: Any) -> None:
    assert put(begin(cloud, bucket.name, "empty"), b"", "bytes */0").status_code == 200
    assert cloud.download(bucket.name, "empty") == b""


def test_an_upload_outlives_the_process(start: Any) -> None:
    cloud = start()
    bucket = cloud.bucket("bkt")
    place = begin(cloud, bucket, "long")
    put(place, b"a" * 300_000, "bytes 0-299999/600000")
    cloud.kill()
    again = start()
    place = place.replace(cloud.endpoint, again.endpoint)
    assert put(place, b"", "bytes */600000").headers["Range"] == "bytes=0-299999"
    data = b"a" * 300_000 + b"b" * 300_000
    reply = put(place, b"b" * 300_000, "bytes 300000-599999/600000", **{"X-Goog-Hash": f"crc32c={crc32c(data)}"})
    assert reply.status_code == 200, reply.text
    assert again.download(bucket, "long") == data


def test_multipart_without_its_end_is_refused(cloud: LocalCloud, bucket: Any) -> None:
    url = f"{cloud.endpoint}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    headers = {"Content-Type": "multipart/related; boundary=xx"}
    body = (
        b'--xx\r\nContent-Type: application/json\r\n\r\n{"name":"m"}\r\n--xx\r\nContent-Type: text/plain\r\n\r\nhello'
    )
    assert requests.post(url, data=body, headers=headers).status_code == 400
    reply = requests.post(url, data=body + b"\r\n--x\r\n--xx--\r\n", headers=headers)
    assert (reply.status_code, reply.json()["contentType"]) == (200, "text/plain")
    assert cloud.download(bucket.name, "m") == b"hello\r\n--x"
    assert requests.post(url, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 400


def test_memory_stays_flat(start: Any) -> None:
    """200 MB through every way in and out in less than 60 MB more than at rest."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("reads /proc, which this system does not have")
    cloud = start()
    bucket = cloud.bucket("bkt")

    def peak_kb() -> int:
        text = Path(f"/proc/{cloud.process.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1])

    before = peak_kb()
    block = b"x" * 1_000_000
    url = f"{cloud.endpoint}/upload/storage/v1/b/{bucket}/o?uploadType=media&name=big"
    assert requests.post(url, data=(block for _ in range(200))).json()["size"] == "200000000"
    with requests.get(f"{cloud.endpoint}/storage/v1/b/{bucket}/o/big?alt=media", stream=True) as reply:
        assert sum(len(chunk) for chunk in reply.iter_content(1 << 20)) == 200_000_000
    assert peak_kb() - before < 60_000
