"""Logins that expire, end, or cannot be renewed, at any call of a run: nothing is lost, nothing is paid twice."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from overnight.errors import CredentialsError, UnreachableError
from overnight.google import storage as storage_room
from overnight.google.endpoints import local_endpoints
from overnight.google.storage import Storage
from tests.support.cloud import SWIFT, jobs_by_label, served
from tests.support.http_server import Cut, Reply, serving
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.logins import ENDED, Failure, Tokens, login, with_login
from tests.support.studies import CLOUD, Ended, SmallStudy

N = 5
SECONDS = 10.0
"""A person who has to log in is told so within these, on a machine full of other work."""


@pytest.fixture
def tokens() -> Iterator[Tokens]:
    with serving() as server:
        yield Tokens(server)


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("google") / "data", model_version_suffix="", **SWIFT)
    cloud.bucket("my-bucket")
    yield cloud
    assert cloud.stop() == 0


def check_done_once(google: LocalCloud, study: SmallStudy, ended: Ended) -> None:
    assert ended.code == 0, ended.err
    assert (ended.json["answers"], ended.json["open"]) == (N, 0)
    assert set(served(google.data, study.uid).values()) == {1}, "nothing is asked twice"
    assert set(jobs_by_label(google, study.uid).values()) == {1}


def timed(study: SmallStudy, *words: str) -> tuple[Ended, float]:
    started = time.monotonic()
    return study.cli(*words), time.monotonic() - started


def how_many(tmp_path: Path, google: LocalCloud, tokens: Tokens) -> int:
    """Tokens that a whole run asks for: one for each call."""
    study = SmallStudy.of(tmp_path / "counted", N, more=CLOUD)
    check_done_once(google, study, study.cli("run", "--yes", "--json"))
    asked = tokens.asked
    tokens.work()
    return asked


def test_a_token_that_expires_before_every_call_is_renewed(
    tmp_path: Path, google: LocalCloud, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the look at the account, the smoke test, the upload, the create, the watch, the download."""
    with with_login(google.endpoint, tokens.access, monkeypatch):
        assert how_many(tmp_path, google, tokens) >= 12


def test_a_login_that_ends_at_any_call_is_said_in_seconds_and_the_run_goes_on_after_it(
    tmp_path: Path, google: LocalCloud, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_login(google.endpoint, tokens.access, monkeypatch):
        calls = how_many(tmp_path, google, tokens)
        for call in range(calls):
            study = SmallStudy.of(tmp_path / f"naps{call}", N, more=CLOUD)
            tokens.fails = lambda number, call=call: ENDED if number >= call else None  # type: ignore[misc]
            ended, seconds = timed(study, "run", "--yes", "--json")
            if ended.code != 0:
                assert ended.code == 8, (call, ended.err)
                assert "Token has been expired or revoked" in ended.err
                assert "gcloud auth application-default login" in ended.err
                assert "Traceback" not in ended.err
            assert seconds < SECONDS, (call, ended.err)
            tokens.work()
            check_done_once(google, study, study.cli("run", "--yes", "--json"))


@pytest.mark.parametrize(
    "failure",
    [Reply(503, {"error": {"code": 503}}), Reply(502, b"<html>Bad Gateway</html>"), Cut()],
    ids=["503", "a page of a gateway", "a cut connection"],
)
def test_a_token_server_that_is_down_for_a_while_is_waited_out(
    tmp_path: Path, google: LocalCloud, tokens: Tokens, monkeypatch: pytest.MonkeyPatch, failure: Failure
) -> None:
    """At calls of every kind: no run stops, and no create is in doubt."""
    with with_login(google.endpoint, tokens.access, monkeypatch):
        calls = how_many(tmp_path, google, tokens)
        tries = 4 if failure == Reply(503, {"error": {"code": 503}}) else 2  # of a 503, google-auth itself makes three
        down = {number for call in range(1, calls, 6) for number in range(call * tries, call * tries + tries)}
        tokens.fails = lambda number: failure if number in down else None
        study = SmallStudy.of(tmp_path / "naps", N, more=CLOUD)
        ended = study.cli("run", "--yes", "--json")
        check_done_once(google, study, ended)
        assert "no usable reply" not in ended.err


class TestInTheMiddle:
    """Of a body that takes several calls, each under a token of its own."""

    LINES = tuple(f"{number:06d} {'nurses ' * 20}\n".encode() for number in range(12_000))

    @pytest.fixture
    def storage(self, google: LocalCloud, tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
        monkeypatch.setattr(storage_room, "CHUNK_BYTES", 256 * 1024)
        with with_login(google.endpoint, tokens.access, monkeypatch):
            made = Storage(local_endpoints(google.endpoint), tokens.access(), "p")
            yield made
            made.close()

    def test_of_an_upload(self, storage: Storage, google: LocalCloud, tokens: Tokens) -> None:
        storage.upload("my-bucket", "whole.jsonl", self.LINES)
        assert tokens.given >= 7
        assert google.download("my-bucket", "whole.jsonl") == b"".join(self.LINES)

    def test_of_an_upload_whose_login_ends(self, storage: Storage, google: LocalCloud, tokens: Tokens) -> None:
        tokens.fails = lambda number: ENDED if number >= 4 else None
        with pytest.raises(CredentialsError, match="expired or revoked"):
            storage.upload("my-bucket", "ended.jsonl", self.LINES)
        tokens.work()
        assert not storage.exists("my-bucket", "ended.jsonl"), "whole or not at all"
        storage.upload("my-bucket", "ended.jsonl", self.LINES)
        assert google.download("my-bucket", "ended.jsonl") == b"".join(self.LINES)

    def test_of_an_upload_whose_token_is_late(self, storage: Storage, google: LocalCloud, tokens: Tokens) -> None:
        tokens.fails = lambda number: Reply(502, b"<html>") if number in {3, 5} else None
        storage.upload("my-bucket", "late.jsonl", self.LINES)
        assert google.download("my-bucket", "late.jsonl") == b"".join(self.LINES)

    @pytest.mark.parametrize(
        "later", [None, ENDED, Reply(503, {"error": {"code": 503}})], ids=["renewed", "ended", "late"]
    )
    def test_of_a_download(self, storage: Storage, google: LocalCloud, tokens: Tokens, later: Reply | None) -> None:
        data = b"".join(self.LINES)
        google.upload("my-bucket", "out.jsonl", data)
        generation = storage.stat("my-bucket", "out.jsonl").generation
        tokens.work()
        tokens.fails = lambda number: later if number in range(1, 5) else None
        with Plans(google) as plans:
            plans.add("half", "cut", {"share": 0.4}, {"calls": ["download"]}, {"times": 1})
            file = io.BytesIO()
            if later == ENDED:
                with pytest.raises(CredentialsError, match="expired or revoked"):
                    storage.download("my-bucket", "out.jsonl", file, generation)
                tokens.work()
                file = io.BytesIO()
            storage.download("my-bucket", "out.jsonl", file, generation)
            assert plans.strikes("half") == 1
        assert file.getvalue() == data
        assert tokens.asked >= 1


class TestNobodyThere:
    """Nothing listens, from the first call on: a person is told within seconds, in words that say where."""

    @pytest.fixture
    def nowhere(self) -> str:
        with serving() as server:
            return server.url

    def test_no_service(self, tmp_path: Path, nowhere: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
        study = SmallStudy.of(tmp_path / "naps", N, more=CLOUD)
        with with_login(nowhere, tokens.access, monkeypatch):
            ended, seconds = timed(study, "run", "--yes")
        assert (ended.code, "no connection could be made" in ended.err) == (8, True), ended.err
        assert seconds < 15

    def test_no_token_server(
        self, tmp_path: Path, google: LocalCloud, nowhere: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = SmallStudy.of(tmp_path / "naps", N, more=CLOUD)
        with with_login(google.endpoint, lambda: login(f"{nowhere}/token"), monkeypatch):
            ended, seconds = timed(study, "check", "--cloud")
        assert ended.code == 3
        assert "no token could be had from Google" in ended.err
        assert "Your login is not the reason" in ended.err
        assert "application-default login" not in ended.err
        assert seconds < 15


def test_a_token_server_that_stays_away_is_given_up_after_the_patience(
    google: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server:
        gone = f"{server.url}/token"
    with with_login(google.endpoint, lambda: login(gone), monkeypatch):
        storage = Storage(local_endpoints(google.endpoint), login(gone), "p", patience_s=1.5)
        started = time.monotonic()
        with pytest.raises(UnreachableError, match="no token could be had"):
            storage.stat("my-bucket", "x")
        storage.close()
    assert time.monotonic() - started < SECONDS
