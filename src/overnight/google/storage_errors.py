"""What Google's storage client raises → our error tree."""

import contextlib
from collections.abc import Callable, Iterator

import requests
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from overnight.errors import CloudError, UnavailableError
from overnight.google.errors import (
    GoogleReply,
    is_certificate_fault,
    no_token,
    read_reply,
    refusal,
    token_may_come,
    unavailable,
)
from overnight.google.http import in_words

_HINT = "Check the network, then run again: nothing is lost."
_RAISED = (
    api_exceptions.GoogleAPIError,
    auth_exceptions.GoogleAuthError,
    requests.RequestException,
    InvalidResponse,
    DataCorruption,
    ConnectionError,
)


def may_pass(theirs: Callable[[Exception], bool]) -> Callable[[Exception], bool]:
    """Which failures of Google's storage client are worth a repeat. theirs: that client's own opinion.

    It knows neither of a token that may come yet, nor that no repeat mends a certificate.
    """

    def passes(cause: Exception) -> bool:
        if isinstance(cause, auth_exceptions.GoogleAuthError):
            return token_may_come(cause)
        return theirs(cause) and not is_certificate_fault(cause)

    return passes


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """Errors of Google's storage client inside come out as ours; everything else passes as it is."""
    try:
        yield
    except _RAISED as cause:
        raise _ours(cause, where) from cause


def _ours(cause: Exception, where: str) -> CloudError:
    match cause:
        case api_exceptions.RetryError():
            inner = cause.cause
            if isinstance(inner, auth_exceptions.GoogleAuthError):
                return no_token(inner, where)
            said = f": {_said(inner)}" if inner else ""
            return UnavailableError(f"the storage did not answer well for too long{said}", where=where, hint=_HINT)
        case DataCorruption():
            return UnavailableError(f"bytes were changed on the way: {cause}", where=where, hint="Run again.")
        case api_exceptions.GoogleAPICallError() | InvalidResponse():
            return _by_status(_reply(cause), where)
        case auth_exceptions.GoogleAuthError():
            return no_token(cause, where)
    return UnavailableError(f"the connection to the storage failed: {_said(cause)}", where=where, hint=_HINT)


def _said(cause: BaseException) -> str:
    if isinstance(cause, requests.Timeout):
        return "no reply in time"
    return in_words(cause) if isinstance(cause, requests.RequestException) else str(cause)


def _reply(cause: api_exceptions.GoogleAPICallError | InvalidResponse) -> GoogleReply:
    response = getattr(cause, "response", None)
    if isinstance(response, requests.Response):
        return read_reply(response.status_code, response.content)
    code = getattr(cause, "code", None)
    return GoogleReply(int(code) if isinstance(code, int) else 500, str(cause))


def _by_status(reply: GoogleReply, where: str) -> CloudError:
    if reply.code >= 500 or reply.code in (408, 429):
        return unavailable(reply, where=where)
    return refusal(reply, where=where)
