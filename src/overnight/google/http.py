"""The only file that sends HTTP for jobs and models.

Calls that change nothing, or the same thing twice, are repeated with back-off; `post_once` never is: a create that is
repeated is a job that is paid twice.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import orjson
import requests
from google.auth import exceptions as auth_exceptions
from urllib3 import exceptions as urllib3_exceptions

from overnight.errors import CloudError, UnavailableError, UnreachableError
from overnight.google.auth import Access
from overnight.google.endpoints import check_destination
from overnight.google.errors import (
    CERTIFICATE_HINT,
    DOUBTFUL_4XX,
    is_certificate_fault,
    no_token,
    read_reply,
    refusal,
    token_may_come,
    unavailable,
)

RETRIED: Final = frozenset({408, 409, 429, 499, 500, 502, 503, 504})
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 32.0

Json = dict[str, object]
Body = bytes | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Retry:
    """One repeat that is about to happen. attempt: the one that failed, from 1."""

    call: str
    attempt: int
    wait_s: float
    reason: str

    def __str__(self) -> str:
        return f"{self.reason}; asking again in {self.wait_s:.0f} s ({self.call})"


@dataclass(frozen=True, slots=True)
class _Failure:
    """A try that brought no usable reply. retry_after_s: what the service asked for. unsent: for want of a token."""

    error: CloudError
    again: bool
    retry_after_s: float | None = None
    unsent: bool = False


class Http:
    """JSON over HTTPS with one person's access.

    timeout_s: for the connection, and for each silence of the server. patience_s: for a call with all its repeats.
    Every method raises CredentialsError, RefusedError (NotFoundError) or UnavailableError.
    """

    def __init__(
        self,
        access: Access,
        *,
        timeout_s: float = 60.0,
        patience_s: float = 120.0,
        on_retry: Callable[[Retry], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._access = access
        self._session = access.session()
        self._once_session = access.session(repeat_on_401=False)
        self._timeout_s, self._patience_s = timeout_s, patience_s
        self._on_retry = on_retry or _nobody_listens
        self._sleep, self._clock, self._jitter = sleep, clock, jitter

    def get(self, url: str, params: Mapping[str, str] | None = None) -> Json:
        return self._repeated("GET", url, params=params)

    def post_again(self, url: str, body: Body) -> Json:
        """POST of a call that may be repeated: it changes nothing, or the same thing twice (cancel, countTokens)."""
        return self._repeated("POST", url, body=body)

    def delete(self, url: str) -> Json:
        return self._repeated("DELETE", url)

    def post_once(self, url: str, body: Body, *, timeout_s: float | None = None) -> Json:
        """POST, sent at most once, whatever happens. A token that does not come is waited for: nothing is sent then.

        Returns the reply. RefusedError, CredentialsError and UnreachableError prove that nothing was made: a 4xx
        other than 408, 409 and 499, no token, no connection. Any other UnavailableError is doubtful: 408, 409, 499,
        5xx, a redirect, a timeout, a cut connection, a reply that is no JSON object.
        """
        return self._until(
            "POST",
            url,
            lambda: self._try(self._once_session, "POST", url, body=body, timeout_s=timeout_s, once=True),
            lambda failure: failure.unsent,
        )

    def _repeated(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, body: Body | None = None
    ) -> Json:
        return self._until(
            method,
            url,
            lambda: self._try(self._session, method, url, params=params, body=body),
            lambda failure: failure.again,
        )

    def _until(
        self, method: str, url: str, attempt_it: Callable[[], Json | _Failure], again: Callable[[_Failure], bool]
    ) -> Json:
        """Tries until one succeeds, one fails for good, or the patience ends."""
        started = self._clock()
        attempt = 0
        while True:
            attempt += 1
            result = attempt_it()
            if not isinstance(result, _Failure):
                return result
            wait_s = self._wait_s(attempt, result)
            if not again(result) or self._clock() - started + wait_s > self._patience_s:
                raise result.error
            self._on_retry(Retry(_call(method, url), attempt, wait_s, result.error.what))
            self._sleep(wait_s)

    def _wait_s(self, attempt: int, failure: _Failure) -> float:
        """Doubling from FIRST_WAIT_S, half of it left to chance so that many clients spread; never before asked."""
        most = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1))
        wait_s = most * (0.5 + 0.5 * self._jitter())
        return max(wait_s, failure.retry_after_s or 0.0)

    def _try(
        self,
        session: requests.Session,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Body | None = None,
        timeout_s: float | None = None,
        once: bool = False,
    ) -> Json | _Failure:
        where = _call(method, url)
        check_destination(url, local=self._access.local)
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if data is not None else {})
        timeout = timeout_s or self._timeout_s
        try:
            response = session.request(
                method, url, params=params, data=data, headers=headers, timeout=timeout, allow_redirects=False
            )
        except auth_exceptions.GoogleAuthError as cause:
            again = token_may_come(
                cause
            )  # before anything was sent: the session of `post_once` asks for no token after a 401
            return _Failure(_with_cause(no_token(cause, where), cause), again=again, unsent=again)
        except requests.RequestException as cause:
            return _Failure(_with_cause(_fault(cause, where), cause), again=not is_certificate_fault(cause))
        return _read(response, where, once=once)

    def close(self) -> None:
        self._session.close()
        self._once_session.close()


def _read(response: requests.Response, where: str, *, once: bool) -> Json | _Failure:
    code = response.status_code
    if 200 <= code < 300:
        return _json_object(response, where)
    if 300 <= code < 400:
        target = response.headers.get("Location", "nowhere")
        what = f"the service answered {code} and pointed to {target}: redirects are not followed"
        return _Failure(UnavailableError(what, where=where), again=False)
    reply = read_reply(code, response.content)
    doubtful = code >= 500 or code in DOUBTFUL_4XX
    # A 429 to a call that may be repeated is "not now"; to a create it is a plain no: nothing was made.
    if doubtful or (code == 429 and not once):
        error: CloudError = unavailable(reply, where=where)
    else:
        error = refusal(reply, where=where)
    return _Failure(error, again=code in RETRIED, retry_after_s=_retry_after_s(response.headers))


def _json_object(response: requests.Response, where: str) -> Json | _Failure:
    if not response.content.strip():
        return {}
    try:
        data: object = orjson.loads(response.content)
    except orjson.JSONDecodeError as cause:
        error = UnavailableError(f"the reply is no JSON: {response.content[:80]!r}", where=where)
        return _Failure(_with_cause(error, cause), again=True)
    if not isinstance(data, dict):
        return _Failure(UnavailableError(f"the reply is no JSON object: {data!r:.80}", where=where), again=False)
    return data


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from now, from either form of the header; a date is read against the server's own clock."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        then = parsedate_to_datetime(value)
        now = parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(UTC)
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):  # no date; or one date with and one without a zone
        return None


def _fault(cause: requests.RequestException, where: str) -> UnavailableError:
    if is_certificate_fault(cause):
        what = f"the server's certificate cannot be verified: {cause}"
        return UnreachableError(what, where=where, hint=CERTIFICATE_HINT)
    hint = "Check the network, then run again: nothing is lost."
    if _never_connected(cause):
        return UnreachableError(f"no connection could be made: {in_words(cause)}", where=where, hint=hint)
    if isinstance(cause, requests.Timeout):
        return UnavailableError("the server did not answer in time", where=where, hint=hint)
    return UnavailableError(f"the connection was cut: {in_words(cause)}", where=where, hint=hint)


def _reason(cause: requests.RequestException) -> object:
    inner = cause.args[0] if cause.args else cause
    return getattr(inner, "reason", None) or inner


def in_words(cause: requests.RequestException) -> str:
    """What the system said, without the names of the classes it is wrapped in: `Connection reset by peer`."""
    reason = _reason(cause)
    found = reason.args[-1] if isinstance(reason, urllib3_exceptions.ProtocolError) and reason.args else reason
    if isinstance(found, urllib3_exceptions.NewConnectionError) and isinstance(found.__cause__, OSError):
        found = found.__cause__
    return str(getattr(found, "strerror", None) or found)


def _never_connected(cause: requests.RequestException) -> bool:
    """True only where the request cannot have been sent: name, route, port, proxy."""
    refused = (urllib3_exceptions.NewConnectionError, urllib3_exceptions.ConnectTimeoutError)
    unsent = (requests.exceptions.ProxyError, requests.ConnectTimeout)
    return isinstance(cause, unsent) or isinstance(_reason(cause), refused)


def _with_cause(error: CloudError, cause: Exception) -> CloudError:
    error.__cause__ = cause
    return error


def _call(method: str, url: str) -> str:
    return f"{method} {url.partition('?')[0]}"


def _nobody_listens(retry: Retry) -> None:
    """A caller that does not want to know."""
