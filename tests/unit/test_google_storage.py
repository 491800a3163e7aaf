"""Google's storage client as we use it, against a server on this machine that loses answers and spoils bytes."""

import contextlib
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overnight.errors import CredentialsError, NotFoundError, RefusedError, UnavailableError, UsageError
from overnight.google.auth import Access, local_access
from overnight.google.endpoints import google_endpoints, local_endpoints
from overnight.google.storage import CHUNK_BYTES, Storage
from overnight.google.upload_stream import LinesFailedError, UploadStream
from tests.support.http_server import Asked, Cut, Reply, Server, serving
from tests.support.tiny_storage import TinyStorage, lose_first

LINES = [b'{"key":"k1"}\n', b'{"key":"k2"}\n']
BIG = [b"x" * 999_999 + b"\n"] * 20  # three chunks


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def tiny(server: Server) -> TinyStorage:
    return TinyStorage(server)


@pytest.fixture
def storage(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    # The pause of Google's own repeats, which takes no clock from outside.
    monkeypatch.setattr("google.api_core.retry.retry_unary.time.sleep", lambda seconds: None)
    client = Storage(local_endpoints(server.url), local_access(), "p")
    yield client
    client.close()


@pytest.mark.parametrize("lines", [LINES, [], [b""], BIG, [b"y" * CHUNK_BYTES], [b"z" * (2 * CHUNK_BYTES + 1)]])
def test_what_is_uploaded_comes_back(tiny: TinyStorage, storage: Storage, lines: list[bytes]) -> None:
    done = storage.upload("b", "a b+ü#?%/x.jsonl", iter(lines))
    whole = b"".join(lines)
    assert tiny.objects["a b+ü#?%/x.jsonl"] == (whole, done.generation)
    assert done.size_bytes == len(whole)
    there = storage.stat("b", "a b+ü#?%/x.jsonl")
    assert (there.size_bytes, there.crc32c, there.generation) == (done.size_bytes, done.crc32c, done.generation)
    file = io.BytesIO()
    assert storage.download("b", "a b+ü#?%/x.jsonl", file, done.generation) == len(whole)
    assert file.getvalue() == whole


def final(asked: Asked, reply: Reply) -> bool:
    return asked.method == "PUT" and reply.status == 200


@pytest.mark.parametrize("lines", [LINES, BIG])
def test_an_answer_lost_after_success_is_found_to_be_ours(
    tiny: TinyStorage, storage: Storage, lines: list[bytes]
) -> None:
    tiny.spoil = lose_first(final)
    done = storage.upload("b", "o", iter(lines))
    assert tiny.objects["o"] == (b"".join(lines), done.generation)


def test_a_chunk_whose_answer_is_lost_is_sent_again(tiny: TinyStorage, storage: Storage) -> None:
    tiny.spoil = lose_first(lambda asked, reply: reply.status == 308)
    assert storage.upload("b", "o", iter(BIG)).size_bytes == 20_000_000
    assert tiny.objects["o"][0] == b"".join(BIG)


def test_the_same_upload_again_is_ours_and_writes_nothing(tiny: TinyStorage, storage: Storage) -> None:
    first = storage.upload("b", "o", iter(LINES))
    assert storage.upload("b", "o", iter(LINES)) == first
    assert storage.write_small("b", "o", b"".join(LINES)) == first


def test_another_object_of_that_name_is_not_overwritten(tiny: TinyStorage, storage: Storage) -> None:
    storage.upload("b", "o", [b"theirs"])
    for write in (lambda: storage.upload("b", "o", [b"ours!!"]), lambda: storage.write_small("b", "o", b"ours!!")):
        with pytest.raises(RefusedError, match="another object has this name: 6 bytes") as caught:
            write()
        assert caught.value.code == 412
        assert caught.value.where == "gs://b/o"
    assert tiny.objects["o"][0] == b"theirs"


@pytest.mark.parametrize("fault", [ValueError("bad record"), ConnectionError("a database"), RuntimeError("x")])
@pytest.mark.parametrize("before", [LINES, BIG])
def test_lines_that_raise_leave_no_object_and_their_own_error(
    tiny: TinyStorage, storage: Storage, fault: Exception, before: list[bytes]
) -> None:
    def lines() -> Iterator[bytes]:
        yield from before
        raise fault

    with pytest.raises(type(fault)) as caught:
        storage.upload("b", "o", lines())
    assert caught.value is fault
    assert not tiny.objects


def test_bytes_changed_on_the_way_are_refused(tiny: TinyStorage, storage: Storage) -> None:
    done = storage.upload("b", "o", iter(LINES))
    tiny.corrupt = True
    with pytest.raises(UnavailableError, match="changed on the way"):
        storage.download("b", "o", io.BytesIO(), done.generation)


def test_a_download_that_is_cut_is_repeated(tiny: TinyStorage, storage: Storage) -> None:
    done = storage.upload("b", "o", iter(LINES))
    tiny.spoil = lose_first(lambda asked, reply: "alt=media" in asked.path)
    file = io.BytesIO(b"kept")
    file.seek(4)
    assert storage.download("b", "o", file, done.generation) == done.size_bytes
    assert file.getvalue() == b"kept" + b"".join(LINES)


def test_small_things(tiny: TinyStorage, storage: Storage) -> None:
    assert not storage.exists("b", "m")
    tiny.spoil = lose_first(lambda asked, reply: asked.method == "POST")
    done = storage.write_small("b", "m", b'{"shard":1}')
    assert storage.read_small("b", "m") == b'{"shard":1}'
    assert storage.exists("b", "m")
    tiny.spoil = lose_first(lambda asked, reply: asked.method == "DELETE")
    storage.delete("b", "m", done.generation)
    assert not tiny.objects
    storage.delete("b", "m")
    for read in (storage.stat, storage.read_small):
        with pytest.raises(NotFoundError, match="No such object"):
            read("b", "m")


def test_a_service_that_stays_down_is_said_after_its_time(server: Server) -> None:
    server.otherwise = lambda asked: Reply(503, {"error": {"code": 503, "message": "overloaded"}})
    storage = Storage(local_endpoints(server.url), local_access(), "p", patience_s=0.01)
    with pytest.raises(UnavailableError, match="overloaded") as caught:
        storage.stat("b", "o")
    assert caught.value.where == "gs://b/o"
    server.otherwise = lambda asked: Cut()
    with pytest.raises(UnavailableError):
        storage.stat("b", "o")


def test_a_refusal_names_the_right_and_the_role(server: Server, storage: Storage) -> None:
    server.otherwise = lambda asked: Reply(
        403,
        {"error": {"code": 403, "message": "me@example.org does not have storage.objects.get access to the object."}},
    )
    with pytest.raises(RefusedError, match=r"roles/storage\.objectUser") as caught:
        storage.stat("b", "o")
    assert caught.value.code == 403


def test_no_bucket_is_made_on_google() -> None:
    from google.oauth2.credentials import Credentials

    storage = Storage(google_endpoints(), Access(Credentials(token="t"), local=False), "p")
    with pytest.raises(UsageError, match="makes no bucket"):
        storage.create_bucket("b", "US")


REDIRECTIONS = ("STORAGE_EMULATOR_HOST", "API_ENDPOINT_OVERRIDE", "GOOGLE_CLOUD_UNIVERSE_DOMAIN")


@pytest.mark.parametrize("name", REDIRECTIONS)
def test_the_environment_moves_neither_client(
    server: Server, tiny: TinyStorage, storage: Storage, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.oauth2.credentials import Credentials

    with serving() as trap:
        monkeypatch.setenv(name, trap.url)
        local = Storage(local_endpoints(server.url), local_access(), "p")
        assert local.upload("b", "o", LINES).size_bytes
        google = Storage(google_endpoints(), Access(Credentials(token="t"), local=False), "p")
        assert google._blob("b", "o")._get_download_url(google._client).startswith("https://storage.googleapis.com/")
        assert google._client._connection.get_api_base_url_for_mtls() == "https://storage.googleapis.com"
        assert not trap.asked


@pytest.mark.parametrize("value", ["always", "auto", "never"])
def test_the_mtls_setting_does_not_move_the_local_client(
    server: Server, tiny: TinyStorage, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_USE_MTLS_ENDPOINT", value)
    monkeypatch.setenv("GOOGLE_API_USE_CLIENT_CERTIFICATE", "false")
    storage = Storage(local_endpoints(server.url), local_access(), "p")
    assert storage.upload("b", "o", LINES).size_bytes
    assert storage.stat("b", "o").size_bytes


def test_an_upload_address_elsewhere_gets_no_credentials(server: Server, storage: Storage) -> None:
    """The service names the address that the bytes go to; ours is refused unless it is on this machine."""
    server.otherwise = lambda asked: Reply(200, {}, {"Location": "https://storage.googleapis.com/upload?id=1"})
    with pytest.raises(CredentialsError, match="Nothing was sent"):
        storage.upload("b", "o", LINES)


# the stream


@given(st.lists(st.binary(max_size=12), max_size=30), st.lists(st.integers(1, 20), min_size=1, max_size=30))
def test_law_chunks_are_the_lines_and_short_only_at_the_end(lines: list[bytes], sizes: list[int]) -> None:
    stream, whole, read = UploadStream(lines), b"".join(lines), b""
    for size in sizes:
        assert stream.tell() == len(read)
        chunk = stream.read(size)
        assert chunk == whole[len(read) : len(read) + size]
        read += chunk
    stream.drain()
    assert stream.size_bytes == len(whole)
    other = UploadStream([whole])
    other.drain()
    assert stream.crc32c == other.crc32c


def test_the_stream_wraps_what_the_lines_raise() -> None:
    def lines() -> Iterator[bytes]:
        yield b"a"
        raise KeyError("column")

    with pytest.raises(LinesFailedError) as caught:
        UploadStream(lines()).read(10)
    assert isinstance(caught.value.fault, KeyError)


@pytest.mark.parametrize("code", [500, 503, 404])
def test_the_connection_of_a_download_that_failed_is_used_again(
    server: Server, tiny: TinyStorage, storage: Storage, code: int
) -> None:
    """Google's client leaves the reply it asks again after unread: each would keep a socket open."""
    generation = storage.upload("b", "x", LINES).generation
    left = [4]

    def fail_first(asked: Asked, reply: Reply) -> Reply:
        if "alt=media" in asked.path and left[0]:
            left[0] -= 1
            return Reply(code, {"error": {"code": code, "message": "not now"}})
        return reply

    tiny.spoil = fail_first
    while left[0]:
        with contextlib.suppress(NotFoundError):
            storage.download("b", "x", io.BytesIO(), generation)
    assert len({asked.port for asked in server.asked}) <= 2
