"""A person's real login (google-auth's credentials, a refresh token) with a token server of our own behind it."""

import contextlib
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from google.auth import _exponential_backoff
from google.oauth2.credentials import Credentials

from overnight.google.auth import Access
from tests.support import google_cli
from tests.support.http_server import Asked, Cut, Reply, Server

ENDED = Reply(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
"""What Google's token server says when a login has ended."""
Failure = Reply | Cut


class Tokens:
    """Google's token server: gives tokens that have all but expired, so that every call asks for a new one.

    fails: gets the number of a request for a token (from 0), and says what is wrong with it, or None.
    """

    def __init__(self, server: Server) -> None:
        self.fails: Callable[[int], Failure | None] = lambda number: None
        self.asked = self.given = 0
        self.url = f"{server.url}/token"
        server.otherwise = self._answer

    def _answer(self, asked: Asked) -> Failure:
        assert b"refresh_token=for-ever" in asked.body
        failure = self.fails(self.asked)
        self.asked += 1
        if failure is not None:
            return failure
        self.given += 1
        return Reply(200, {"access_token": f"token-{self.given}", "expires_in": 1, "token_type": "Bearer"})

    def access(self) -> Access:
        return login(self.url)

    def work(self) -> None:
        """From here on as at the start: the person has logged in again, the server is well again."""
        self.asked = self.given = 0
        self.fails = lambda number: None


def login(token_uri: str) -> Access:
    credentials = Credentials(None, "for-ever", token_uri=token_uri, client_id="c", client_secret="s")  # type: ignore[no-untyped-call]  # google-auth has none there
    return Access(credentials, local=True)


@contextlib.contextmanager
def with_login(endpoint: str, access: Callable[[], Access], patch: pytest.MonkeyPatch) -> Iterator[None]:
    """As `in_place_of_google`, with that login. google-auth's own waits are skipped."""
    quick = SimpleNamespace(sleep=lambda seconds: None, time=time.time)
    with google_cli.in_place_of_google(endpoint), patch.context() as inner:
        inner.setattr(google_cli, "local_access", access)
        inner.setattr(_exponential_backoff, "time", quick)
        yield
