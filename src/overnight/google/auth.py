"""Who we are: standard credentials for Google, one fixed word for the local cloud; and sessions that carry them.

Tokens live in Google's credentials objects only: nothing here logs, stores or prints one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import requests
from requests.adapters import HTTPAdapter

from overnight.errors import CredentialsError
from overnight.google.endpoints import check_destination

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
LOGIN_HINT: Final = (
    "Run `gcloud auth application-default login` "
    "(on a server: set GOOGLE_APPLICATION_CREDENTIALS to a key file, or attach a service account)."
)
_LOCAL_TOKEN: Final = "local"  # noqa: S105 - no secret: the local cloud takes any word
_KINDS: Final = {
    "google.oauth2.credentials": "a person's login (gcloud auth application-default login; the address is not in it)",
    "google.auth.compute_engine.credentials": "the service account of this machine",
}
_UNIVERSE: Final = "googleapis.com"


@dataclass(frozen=True, slots=True)
class Access:
    """Credentials and what is known of them. project: the one the credentials name, or empty."""

    credentials: "Credentials" = field(repr=False)
    local: bool
    project: str = ""

    def session(self, *, repeat_on_401: bool = True) -> requests.Session:
        """A new session that refuses, on every hop, to leave for a host that may not see these credentials.

        repeat_on_401: google-auth's habit of refreshing the token and sending the request once more.
        """
        from google.auth.transport.requests import AuthorizedSession

        codes = (requests.codes.unauthorized,) if repeat_on_401 and not self.local else ()
        session: requests.Session = AuthorizedSession(  # type: ignore[no-untyped-call]  # google-auth has none there
            self.credentials, refresh_status_codes=codes
        )
        for scheme in ("https://", "http://"):
            session.mount(scheme, _GuardedAdapter(local=self.local))
        # Without an `auth` of its own, requests would put a password from ~/.netrc in place of the token.
        session.auth = _as_it_is
        # A proxy named in the environment is right for Google and wrong for this machine.
        session.trust_env = not self.local
        return session

    @property
    def who(self) -> str:
        """The account, as far as the credentials say: an address, or the kind of credentials."""
        if self.local:
            return "local cloud (no account)"
        for name in ("service_account_email", "signer_email", "account"):
            value = getattr(self.credentials, name, None)
            if isinstance(value, str) and value and value != "default":
                return value
        module = type(self.credentials).__module__
        return _KINDS.get(module, f"credentials of {module}")


def adc_access() -> Access:
    """Application Default Credentials. Raises CredentialsError when there are none, or they are not for Google."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        credentials, project = google.auth.default(scopes=[SCOPE])
        universe = getattr(credentials, "universe_domain", _UNIVERSE)
    except (GoogleAuthError, OSError, ValueError) as cause:
        raise CredentialsError(f"no usable Google credentials: {_first_line(cause)}", hint=LOGIN_HINT) from cause
    if universe != _UNIVERSE:
        raise CredentialsError(
            f"these credentials are for {universe}, and overnight speaks to {_UNIVERSE} only", hint=LOGIN_HINT
        )
    return Access(credentials, local=False, project=project or "")


def local_access() -> Access:
    from google.oauth2.credentials import Credentials

    credentials = Credentials(token=_LOCAL_TOKEN)  # type: ignore[no-untyped-call]  # google-auth has none there
    return Access(credentials, local=True)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class _GuardedAdapter(HTTPAdapter):
    """The last place before the socket: first sends and redirects alike pass here, of our client and of Google's."""

    def __init__(self, *, local: bool) -> None:
        super().__init__(max_retries=0)
        self._local = local

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        check_destination(request.url or "", local=self._local)
        reply = super().send(request, stream, timeout, verify, cert, proxies)
        if stream and not reply.ok:
            _read_whole(reply)
        return reply


def _read_whole(reply: requests.Response) -> None:
    """An error is short, and who asked for a stream need not read it: Google's storage client leaves the reply to a
    download that failed as it is and asks again, and its connection would stay open until the collector finds it."""
    try:
        reply.content  # noqa: B018 - reading it gives the connection back
    except requests.RequestException:
        reply.close()
        raise
