"""Google's replies and faults → our error tree: what Google said, where, and what mends it.

Matching is by status, `reason` and key words, never by a whole text: the texts change (facts 9).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import requests
from google.auth import exceptions as auth_exceptions

from overnight.errors import (
    CloudError,
    CredentialsError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnreachableError,
)
from overnight.google.auth import LOGIN_HINT

DOUBTFUL_4XX: Final = frozenset({408, 409, 499})
"""4xx that do not prove that nothing was made: 408 the server stopped waiting, 409 another call (maybe an earlier one
of ours, repeated on the way) was there, 499 the call was cancelled on the way. Every other 4xx is checked before the
call takes effect."""


@dataclass(frozen=True, slots=True)
class GoogleReply:
    """What a reply that is not 2xx says. status: such as PERMISSION_DENIED, reason: of google.rpc.ErrorInfo."""

    code: int
    message: str
    status: str = ""
    reason: str = ""
    metadata: Mapping[str, str] | None = None


_MARKUP = re.compile(r"<(style|script|head)\b.*?</\1>|<[^>]+>", re.DOTALL)


def read_reply(code: int, body: bytes) -> GoogleReply:
    """Reads `{"error": {…}}`, the same in a list, the old `errors[]` form, HTML or nothing at all."""
    try:
        data: object = json.loads(body)
    except ValueError:  # UnicodeDecodeError is one too
        text = _MARKUP.sub(" ", body[:20_000].decode(errors="replace"))
        return GoogleReply(code, " ".join(text.split())[:300] or "no message")
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, dict):
        return GoogleReply(code, str(error or data)[:300])
    info = _error_info(error.get("details"))
    metadata = info.get("metadata")
    return GoogleReply(
        code,
        str(error.get("message") or "no message"),
        status=str(error.get("status") or ""),
        reason=str(info.get("reason") or ""),
        metadata={str(k): str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else None,
    )


def _error_info(details: object) -> dict[str, object]:
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith("google.rpc.ErrorInfo"):
            return detail
    return {}


def refusal(reply: GoogleReply, *, where: str) -> CloudError:
    """The error for a reply that is a definite no (4xx)."""
    what = f"Google refused: {reply.message} ({' '.join(filter(None, (str(reply.code), reply.status)))})"
    hint = hint_for(reply)
    if reply.code == 401:
        return CredentialsError(what, where=where, hint=hint)
    kind = NotFoundError if reply.code == 404 else RefusedError
    return kind(what, code=reply.code, where=where, hint=hint)


def unavailable(reply: GoogleReply, *, where: str, hint: str = "") -> UnavailableError:
    """The error for a reply after which it is not known whether the call took effect."""
    what = f"Google did not answer well: {reply.message} ({' '.join(filter(None, (str(reply.code), reply.status)))})"
    return UnavailableError(what, where=where, hint=hint or hint_for(reply))


CERTIFICATE_HINT: Final = (
    "Something between here and Google replaces its certificate: set REQUESTS_CA_BUNDLE to your network's."
)


def no_token(cause: auth_exceptions.GoogleAuthError, where: str) -> CloudError:
    """The error for a token that could not be had: the request was not sent. UnreachableError where no login mends it.

    A login that is refused (`invalid_grant`) ends at once in CredentialsError; who gives tokens being out of reach or
    out of order does not.
    """
    if is_certificate_fault(_carried(cause)):
        return UnreachableError(f"no token could be had from Google: {cause}", where=where, hint=CERTIFICATE_HINT)
    if token_may_come(cause):
        hint = "Your login is not the reason. Check the network, then run again: nothing is lost."
        return UnreachableError(f"no token could be had from Google: {_token_words(cause)}", where=where, hint=hint)
    return CredentialsError(f"Google gave no token: {cause}", where=where, hint=LOGIN_HINT)


def token_may_come(cause: auth_exceptions.GoogleAuthError) -> bool:
    """Is a token that could not be had worth asking for again in a moment?

    google-auth calls 408, 429, 500 and 503 of the token server worth it. So is any other reply that is no OAuth error
    (RFC 6749, 5.2: JSON whose `error` is one word): a gateway's 502, a hotel's login page.
    """
    if isinstance(cause, auth_exceptions.TransportError):
        return not is_certificate_fault(_carried(cause))
    if cause.retryable:
        return True
    reply = cause.args[-1] if isinstance(cause, auth_exceptions.RefreshError) and cause.args else None
    if isinstance(reply, str):
        return not reply.strip() or reply.lstrip().startswith("<")
    error = reply.get("error") if isinstance(reply, dict) else None
    return isinstance(error, dict) and str(error.get("code", "")).startswith("5")


def is_certificate_fault(cause: object) -> bool:
    """No repeat mends it."""
    return isinstance(cause, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(cause)


def _carried(cause: auth_exceptions.GoogleAuthError) -> object:
    return cause.args[0] if cause.args else None


def _token_words(cause: auth_exceptions.GoogleAuthError) -> str:
    """The reply may be a whole page."""
    return " ".join(_MARKUP.sub(" ", str(cause)).split())[:300] or "an empty reply"


_ROLES: Final = (
    ("aiplatform.", "roles/aiplatform.user"),
    ("storage.buckets.", "roles/storage.legacyBucketReader (on the bucket)"),
    ("storage.objects.", "roles/storage.objectUser (on the bucket)"),
    ("serviceusage.", "roles/serviceusage.serviceUsageConsumer"),
)

_PERMISSION = re.compile(r"\b((?:aiplatform|storage|serviceusage)\.[A-Za-z]+\.[A-Za-z]+)\b")
_AGENT = re.compile(r"service-\d+@gcp-sa-aiplatform[\w-]*\.iam\.gserviceaccount\.com")


def hint_for(reply: GoogleReply) -> str:
    """What mends it, or an empty text."""
    if agent := _AGENT.search(reply.message):
        return _agent_hint(agent[0])
    if "Service agents are being provisioned" in reply.message:  # facts 9.3, ga#1308 [U]
        return "Google is making its service account for this project (first use). Run again in a few minutes."
    if hint := _settings_hint(reply.message.lower()):
        return hint
    match reply.code:
        case 401:
            return LOGIN_HINT
        case 403:
            return _forbidden_hint(reply)
        case 404:
            return _not_found_hint(reply.message)
        case 429:
            return "The project's quota or Google's capacity is used up for now: run again later, nothing is lost."
        case 400 if "publisher model" in reply.message:
            return "This model is not offered for batch; docs/reference/models-and-prices.md lists those that are."
        case 409:
            return "Something else works on the same thing just now: run again in a minute, nothing is lost."
        case 412:
            return "The object is there already, or was changed by somebody else."
        case code if code >= 500 or code == 408:
            return "A fault at Google or on the way: run again in some minutes, nothing is lost."
    return ""


def _settings_hint(text: str) -> str:
    """Of a bucket or an organisation, told by words: the same refusal comes as 400 or as 403."""
    if "requester pays" in text:
        return "Who reads this bucket must pay for it: `gcloud storage buckets update gs://BUCKET --no-requester-pays`."
    if "cloud kms" in text or "cloudkms." in text or "kms key" in text:
        return (
            "A key of your organisation's (CMEK) encrypts here, and somebody may not use it: ask its owner for "
            "roles/cloudkms.cryptoKeyEncrypterDecrypter, or use a bucket without one: "
            "`gcloud storage buckets update gs://BUCKET --clear-default-encryption-key`."
        )
    if "vpc service controls" in text:
        return "A rule of your organisation (VPC Service Controls) forbids it: ask the people who run it."
    return ""


def _agent_hint(agent: str) -> str:
    return (
        f"Google reads and writes the bucket as {agent}. Give it the right: "
        f"`gcloud storage buckets add-iam-policy-binding gs://BUCKET --member=serviceAccount:{agent} "
        "--role=roles/storage.objectUser`."
    )


def _forbidden_hint(reply: GoogleReply) -> str:
    text = reply.message.lower()
    metadata = reply.metadata or {}
    if reply.reason == "SERVICE_DISABLED" or "has not been used in project" in text or "it is disabled" in text:
        project = metadata.get("consumer", "").removeprefix("projects/") or _after(r"in project (\S+)", reply.message)
        service = metadata.get("service") or _after(r"([a-z]+\.googleapis\.com)", reply.message)
        names = f"{service or 'aiplatform.googleapis.com'} --project={project or 'PROJECT'}"
        return f"Turn the API on with `gcloud services enable {names}`, then wait a minute."
    if reply.reason == "BILLING_DISABLED" or "billing" in text:
        return "Link a billing account to the project: https://console.cloud.google.com/billing/projects"
    if reply.reason == "USER_PROJECT_DENIED" or "quota project" in text:
        return "`gcloud auth application-default set-quota-project PROJECT` with a project you may use."
    if reply.reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT" or "insufficient authentication scopes" in text:
        return "These credentials may not use Google Cloud. " + LOGIN_HINT
    if reply.reason == "SECURITY_POLICY_VIOLATED" or "organization's policy" in text:
        return "A rule of your organisation (VPC Service Controls) forbids it: ask the people who run it."
    permission = metadata.get("permission") or _after(_PERMISSION.pattern, reply.message)
    if permission:
        role = next((role for start, role in _ROLES if permission.startswith(start)), "a role that holds it")
        return f"The account lacks {permission}. Ask for {role}; `overnight check --cloud` shows who you are."
    return "The account lacks a right. `overnight check --cloud` shows who you are and what is missing."


def _not_found_hint(message: str) -> str:
    text = message.lower()
    if "model" in text:  # "Publisher Model … was not found or your project does not have access to it"
        return (
            "The model's name is wrong, it is not served in this location, or it is closed to new projects "
            "(Gemini 2.5 since 2026-10-20). docs/reference/models-and-prices.md lists the others; `location: global` "
            "serves most."
        )
    if "bucket" in text:
        return "Make the bucket first: `overnight check --print-setup` prints the command."
    return (
        "It is not there (yet), or this account may not see it: run again in a minute, nothing is lost. "
        "`overnight check --cloud` looks at project, bucket and rights."
    )


def _after(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1].rstrip(".,") if match else ""
