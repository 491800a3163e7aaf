"""The client against a real server on this machine: repeats, Retry-After, timeouts, cut connections, redirects."""

import logging
import socket
from collections.abc import Iterator

import pytest
from google.auth.exceptions import RefreshError, TransportError
from hypothesis import given
from hypothesis import strategies as st

from overnight.errors import CredentialsError, NotFoundError, RefusedError, UnavailableError, UnreachableError
from overnight.google.auth import Access, adc_access, local_access
from overnight.google.http import LONGEST_WAIT_S, Http, Retry, _Failure, _retry_after_s
from tests.support.fake_time import FakeTime
from tests.support.http_server import Answer, Cut, Reply, Server, Silence, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def retries() -> list[Retry]:
    return []


@pytest.fixture
def http(time: FakeTime, retries: list[Retry]) -> Iterator[Http]:
    client = Http(
        local_access(), timeout_s=5, on_retry=retries.append, sleep=time.sleep, clock=time.clock, jitter=lambda: 1.0
    )
    yield client
    client.close()


def error(code: int, message: str = "no", status: str = "S") -> Reply:
    return Reply(code, {"error": {"code": code, "message": message, "status": status}})


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as s:
        return f"http://127.0.0.1:{s.getsockname()[1]}/"


@pytest.mark.parametrize("fault", [error(408), error(429), error(500), error(502), error(503), error(504), Cut()])
def test_a_get_is_repeated(server: Server, http: Http, time: FakeTime, retries: list[Retry], fault: Answer) -> None:
    server.replies = [fault, fault, Reply(200, {"ok": True})]
    assert http.get(server.url + "/v1/x", {"a": "b c"}) == {"ok": True}
    assert [asked.path for asked in server.asked] == ["/v1/x?a=b+c"] * 3
    assert time.slept == [1.0, 2.0]
    assert [(retry.attempt, retry.wait_s) for retry in retries] == [(1, 1.0), (2, 2.0)]
    assert retries[0].call == f"GET {server.url}/v1/x"


def test_half_a_reply_is_repeated(server: Server, http: Http) -> None:
    server.replies = [Reply(200, {"long": "text"}, cut_after=5), Reply(200, b'{"half'), Reply(200, {"ok": 1})]
    assert http.get(server.url) == {"ok": 1}


@pytest.mark.parametrize("code", [400, 401, 403, 404, 412])
def test_a_plain_no_is_not_repeated(server: Server, http: Http, time: FakeTime, code: int) -> None:
    server.otherwise = lambda asked: error(code, "because")
    kind = {401: CredentialsError, 404: NotFoundError}.get(code, RefusedError)
    with pytest.raises(kind, match="because") as caught:
        http.get(server.url + "/v1/x")
    assert not time.slept
    assert caught.value.where == f"GET {server.url}/v1/x"
    if isinstance(caught.value, RefusedError):
        assert caught.value.code == code


def test_patience_ends_within_two_minutes(server: Server, http: Http, time: FakeTime) -> None:
    server.otherwise = lambda asked: error(503, "overloaded")
    with pytest.raises(UnavailableError, match="overloaded"):
        http.get(server.url)
    assert time.slept == [1, 2, 4, 8, 16, 32, 32]
    assert time.now <= 120


def test_retry_after_in_seconds_is_honoured(server: Server, http: Http, time: FakeTime) -> None:
    server.replies = [Reply(429, headers={"Retry-After": "17"}), Reply(200, {"ok": 1})]
    http.get(server.url)
    assert time.slept == [17.0]


def test_retry_after_as_a_date_is_read_against_the_servers_clock(server: Server, http: Http, time: FakeTime) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})]
    with pytest.raises(UnavailableError):
        http.get(server.url)
    assert not time.slept  # longer than our patience: said at once, not after two minutes of knocking


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:10 GMT", "Date": "Fri, 01 Jan 2100 00:00:00 GMT"}, 10.0),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT", "Date": "Fri, 01 Jan 2100 00:00:10 GMT"}, 0.0),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:10 GMT", "Date": "yesterday"}, None),
        ({"Retry-After": "-3"}, None),
    ],
)
def test_both_forms_of_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert _retry_after_s(headers) == seconds


def test_a_retry_after_that_is_nonsense_is_passed_over(server: Server, http: Http, time: FakeTime) -> None:
    server.replies = [Reply(503, headers={"Retry-After": "soon"}), Reply(200)]
    http.get(server.url)
    assert time.slept == [1.0]


@given(attempt=st.integers(1, 1000), jitter=st.floats(0, 1, exclude_max=True), asked=st.none() | st.floats(0, 500))
def test_law_a_wait_is_bounded_and_never_shorter_than_asked(attempt: int, jitter: float, asked: float | None) -> None:
    http = Http(local_access(), jitter=lambda: jitter)
    wait_s = http._wait_s(attempt, _Failure(UnavailableError("x"), again=True, retry_after_s=asked))
    assert max(0.5, asked or 0) <= wait_s <= max(LONGEST_WAIT_S, asked or 0)


def test_a_refused_connection_is_repeated_for_a_get(http: Http, time: FakeTime) -> None:
    with pytest.raises(UnreachableError, match="no connection could be made"):
        http.get(closed_port())
    assert len(time.slept) == 7


# post_once


@pytest.mark.parametrize("code", [400, 402, 403, 404, 405, 412, 413, 422, 429])
def test_a_create_refused_is_definite(server: Server, http: Http, code: int) -> None:
    server.otherwise = lambda asked: error(code, "no", "NO")
    with pytest.raises(RefusedError) as caught:
        http.post_once(server.url, {"a": 1})
    assert caught.value.code == code
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        *(error(code) for code in (408, 409, 499, 500, 501, 502, 503, 504)),
        Cut(),
        Reply(200, {"name": "long enough"}, cut_after=4),
        Reply(200, b"<html>"),
        Reply(200, [1]),
        Reply(302, headers={"Location": "/elsewhere"}),
    ],
)
def test_everything_else_is_doubtful_and_sent_exactly_once(
    server: Server, http: Http, time: FakeTime, answer: Answer
) -> None:
    server.otherwise = lambda asked: answer
    with pytest.raises(UnavailableError) as caught:
        http.post_once(server.url + "/create", {"a": 1})
    assert not isinstance(caught.value, UnreachableError)
    assert [(asked.method, asked.path, asked.json) for asked in server.asked] == [("POST", "/create", {"a": 1})]
    assert not time.slept


def test_a_silent_server_is_doubtful(server: Server) -> None:
    server.otherwise = lambda asked: Silence()
    with pytest.raises(UnavailableError, match="in time") as caught:
        Http(local_access(), timeout_s=0.1).post_once(server.url, {})
    assert not isinstance(caught.value, UnreachableError)
    assert len(server.asked) == 1


def test_a_kept_alive_connection_that_died_is_not_a_reason_to_send_again(server: Server, http: Http) -> None:
    server.replies = [Reply(200, {"first": 1}), Cut()]
    assert http.post_once(server.url, {}) == {"first": 1}
    with pytest.raises(UnavailableError):
        http.post_once(server.url, {})
    assert len(server.asked) == 2


def test_no_connection_proves_that_nothing_was_made(http: Http, time: FakeTime) -> None:
    with pytest.raises(UnreachableError, match="no connection could be made"):
        http.post_once(closed_port(), {})
    assert not time.slept


def access_that_fails(*faults: Exception) -> Access:
    """Credentials whose refresh fails so often, then gives a token."""
    from google.auth.credentials import Credentials

    left = list(faults)

    class Failing(Credentials):
        def refresh(self, request: object) -> None:
            if left:
                raise left.pop(0)
            self.token = "t"

    return Access(Failing(), local=True)


def test_a_token_that_is_late_is_asked_for_again(server: Server, time: FakeTime) -> None:
    faults = (TransportError("no route"), RefreshError("500 from the token server", retryable=True))
    http = Http(access_that_fails(*faults), sleep=time.sleep, clock=time.clock)
    server.otherwise = lambda asked: Reply(200, {"ok": 1})
    assert http.get(server.url) == {"ok": 1}
    assert len(time.slept) == 2
    http = Http(access_that_fails(*faults), sleep=time.sleep, clock=time.clock)
    assert http.post_once(server.url, {}) == {"ok": 1}
    assert len(server.asked) == 2, "nothing is sent without a token: a create, too, goes out once"
    with pytest.raises(UnreachableError, match="no token"):  # nothing was sent: no doubt about a create
        Http(access_that_fails(*faults * 50), sleep=time.sleep, clock=time.clock).post_once(server.url, {})
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "reply",
    [
        "<html><title>502 Bad Gateway</title></html>",
        "",
        {"error": {"code": 502, "message": "bad gateway"}},
    ],
)
def test_a_gateway_in_the_way_of_the_token_is_no_bad_login(server: Server, time: FakeTime, reply: object) -> None:
    http = Http(access_that_fails(*[RefreshError("said", reply)] * 50), sleep=time.sleep, clock=time.clock)
    with pytest.raises(UnreachableError, match="Your login is not the reason"):
        http.get(server.url)
    assert 60 < sum(time.slept) < 120
    assert not server.asked


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client", "unauthorized_client", "access_denied"])
def test_a_refused_login_is_told_apart_from_a_gateway(server: Server, time: FakeTime, error: str) -> None:
    fault = RefreshError(f"{error}: Bad Request", {"error": error, "error_description": "Bad Request"})
    http = Http(access_that_fails(fault), sleep=time.sleep, clock=time.clock)
    with pytest.raises(CredentialsError, match="gcloud auth application-default login"):
        http.post_once(server.url, {})
    assert not time.slept


def test_a_login_that_ended_is_said_at_once(server: Server, time: FakeTime) -> None:
    for call in ("get", "post_again", "post_once"):
        http = Http(access_that_fails(RefreshError("Reauthentication is needed.")), sleep=time.sleep, clock=time.clock)
        with pytest.raises(
            CredentialsError, match=r"Reauthentication[^→]*→ Run `gcloud auth application-default login`"
        ):
            http.get(server.url) if call == "get" else getattr(http, call)(server.url, {})
    assert not time.slept
    assert not server.asked


# where credentials go


def test_the_token_of_the_local_cloud_is_a_fixed_word(server: Server, http: Http) -> None:
    server.replies = [Reply()]
    http.get(server.url)
    assert server.asked[0].headers["authorization"] == "Bearer local"


def test_credentials_of_google_never_reach_another_server(server: Server) -> None:
    from google.oauth2.credentials import Credentials

    real = Access(Credentials(token="secret"), local=False)
    for call in (Http(real).get, lambda url: Http(real).post_once(url, {})):
        with pytest.raises(CredentialsError, match="Nothing was sent"):
            call(server.url)
    with pytest.raises(CredentialsError):
        real.session().get(server.url)  # what Google's own storage client is given
    assert not server.asked


def test_local_credentials_never_reach_google() -> None:
    with pytest.raises(CredentialsError):
        Http(local_access()).get("https://storage.googleapis.com/storage/v1/b")


def test_a_redirect_takes_the_session_nowhere_else(server: Server, http: Http) -> None:
    with serving() as other:
        server.otherwise = lambda asked: Reply(302, headers={"Location": other.url})
        with pytest.raises(UnavailableError, match="redirects are not followed"):
            http.get(server.url)
        assert not other.asked
    server.otherwise = lambda asked: Reply(302, headers={"Location": "http://example.org/"})
    with pytest.raises(CredentialsError, match=r"example\.org"):
        local_access().session().get(server.url)


def test_a_password_in_netrc_does_not_replace_the_token(
    server: Server, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.replies = [Reply()]
    session = local_access().session()
    session.trust_env = True  # as it is for Google
    session.get(server.url)
    assert server.asked[0].headers["authorization"] == "Bearer local"


def test_a_proxy_in_the_environment_does_not_see_local_traffic(
    server: Server, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", closed_port())
    monkeypatch.setenv("http_proxy", closed_port())
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.replies = [Reply(200, {"ok": 1})]
    assert http.get(server.url) == {"ok": 1}


def test_no_token_is_logged_or_shown(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    from google.oauth2.credentials import Credentials

    access = Access(Credentials(token="very-secret"), local=True)
    server.otherwise = lambda asked: error(403, "no")
    with caplog.at_level(logging.DEBUG), pytest.raises(RefusedError) as caught:
        Http(access).get(server.url)
    assert server.asked[0].headers["authorization"] == "Bearer very-secret"
    assert "very-secret" not in caplog.text + str(caught.value) + repr(caught.value) + repr(access)


def test_no_credentials_says_how_to_get_some(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "not-there.json"))
    with pytest.raises(CredentialsError, match="gcloud auth application-default login") as caught:
        adc_access()
    assert "not-there.json" in caught.value.what
    assert caught.value.exit_code == 8


def test_who_we_are_is_said_without_a_secret() -> None:
    from google.oauth2.credentials import Credentials

    assert local_access().who == "local cloud (no account)"
    assert Access(Credentials(token="secret", account="me@example.org"), local=False).who == "me@example.org"
    assert Access(Credentials(token="secret"), local=False).who.startswith("a person's login")
    assert "secret" not in repr(Access(Credentials(token="secret"), local=False))
