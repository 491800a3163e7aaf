"""Error texts as reported (facts 9.1) → what we say, and what mends it. D, L, U: evidence marks."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overnight.errors import CredentialsError, NotFoundError, RefusedError
from overnight.google.errors import GoogleReply, read_reply, refusal, unavailable


def body(code: int, message: str, status: str = "", **info: Any) -> bytes:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **info}] if info else []
    return json.dumps({"error": {"code": code, "message": message, "status": status, "details": details}}).encode()


AGENT = "service-123@gcp-sa-aiplatform.iam.gserviceaccount.com"
VECTORS = [
    (
        "pg#704 U",
        body(400, "Do not support publisher model gemini-2.5-flash-preview-04-17"),
        400,
        "models-and-prices.md",
    ),
    (
        "vertex-ai-samples#3710 U",
        body(400, f"Service account `{AGENT}` does not have `[storage.objects.get]` IAM permission(s)"),
        400,
        f"--member=serviceAccount:{AGENT} --role=roles/storage.objectUser",
    ),
    ("401", body(401, "Request had invalid authentication credentials."), 401, "gcloud auth application-default login"),
    (
        "403 create L",
        body(403, "Permission 'aiplatform.batchPredictionJobs.create' denied on resource '//aiplatform…/p/l'"),
        403,
        "aiplatform.batchPredictionJobs.create. Ask for roles/aiplatform.user",
    ),
    (
        "403 by its metadata",
        body(403, "denied", reason="IAM_PERMISSION_DENIED", metadata={"permission": "aiplatform.endpoints.predict"}),
        403,
        "aiplatform.endpoints.predict",
    ),
    (
        "403 API off D",
        body(
            403,
            "Agent Platform API has not been used in project 42 before or it is disabled.",
            reason="SERVICE_DISABLED",
            metadata={"service": "aiplatform.googleapis.com", "consumer": "projects/42"},
        ),
        403,
        "gcloud services enable aiplatform.googleapis.com --project=42",
    ),
    (
        "403 API off, by its text",
        body(403, "Vertex AI API has not been used in project 42. Enable it at x.googleapis.com"),
        403,
        "--project=42",
    ),
    ("403 billing D", body(403, "This API method requires billing to be enabled."), 403, "billing account"),
    ("403 quota project", body(403, "The API requires a quota project, which is not set."), 403, "set-quota-project"),
    (
        "403 quota project refused",
        body(403, "Caller does not have required permission to use project p.", reason="USER_PROJECT_DENIED"),
        403,
        "set-quota-project",
    ),
    ("403 scopes", body(403, "Request had insufficient authentication scopes."), 403, "login"),
    ("403 VPC-SC", body(403, "Request is prohibited by organization's policy."), 403, "VPC Service Controls"),
    ("403 bare", b"", 403, "lacks a right"),
    ("404 model U", body(404, "Publisher Model `x` was not found or your project…"), 404, "models-and-prices.md"),
    ("404 model L", body(404, "The PublisherModel X does not exist."), 404, "closed to new projects"),
    ("404 bucket", body(404, "The specified bucket does not exist."), 404, "--print-setup"),
    ("429 pg#1901 U", body(429, "You exceeded your current quota", "RESOURCE_EXHAUSTED"), 429, "run again later"),
    ("first use ga#1308 U", body(400, "Service agents are being provisioned (…)"), 400, "few minutes"),
]


@pytest.mark.parametrize(("source", "raw", "code", "mends"), VECTORS, ids=[v[0] for v in VECTORS])
def test_a_refusal_keeps_googles_words_and_says_what_mends_it(source: str, raw: bytes, code: int, mends: str) -> None:
    error = refusal(read_reply(code, raw), where="POST https://x")
    kinds = {401: CredentialsError, 404: NotFoundError}
    assert type(error) is kinds.get(code, RefusedError)
    assert mends in error.hint
    assert str(code) in error.what
    assert error.where == "POST https://x"
    if raw:
        assert json.loads(raw)["error"]["message"] in error.what


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"<html><head><title>t</title></head><body><h1>502</h1>  Bad\nGateway</body></html>", "502 Bad Gateway"),
        (b"", "no message"),
        (b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
        (b'[{"error": {"message": "in a list"}}]', "in a list"),
        (b'{"error": "invalid_grant"}', "invalid_grant"),
        (b'{"error": {"message": null}}', "no message"),
        (b'{"error": {"message": "m", "details": [null, {"@type": 1}, "x"]}}', "m"),
        (b"[]", "[]"),
    ],
)
def test_replies_of_other_shapes_are_read(raw: bytes, message: str) -> None:
    assert read_reply(502, raw).message == message


def test_a_fault_says_that_nothing_is_lost() -> None:
    assert "nothing is lost" in unavailable(GoogleReply(503, "overloaded"), where="x").hint


@given(st.integers(300, 599), st.binary(max_size=60) | st.text(max_size=40).map(lambda text: body(400, text)))
def test_law_every_reply_can_be_read_and_said(code: int, raw: bytes) -> None:
    reply = read_reply(code, raw)
    assert reply.message
    assert str(code) in str(refusal(reply, where="w"))
    assert str(code) in str(unavailable(reply, where="w"))
