"""Lines of output as the facts document them, one list of vectors with source and evidence mark.

`problem` None: an answer whose text is `text`. `said`: a part of the detail. `source`: section of
docs/reference/facts.md; `any` where only tolerance is asked for.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from overnight.core.outcome import ProblemKind as P

ECHO = {"contents": [{"role": "user", "parts": [{"text": "Naps?"}]}]}


@dataclass(frozen=True, slots=True)
class Vector:
    name: str
    fields: dict[str, Any]
    problem: P | None
    source: str
    text: str = ""
    said: str = ""
    finish: str = ""

    @property
    def data(self) -> bytes:
        line = {"status": "", "processed_time": "2026-11-01T02:03:04.5Z", "request": ECHO, "key": "k1", **self.fields}
        return orjson.dumps(line)

    def __str__(self) -> str:
        return self.name


def candidate(*parts: object, finish: object = "STOP", **extra: object) -> dict[str, Any]:
    content = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
    return {"candidates": [{**content, "finishReason": finish, **extra}], "modelVersion": "gemini-3.8-flash"}


def response(*parts: object, finish: object = "STOP", **extra: object) -> dict[str, Any]:
    return {"response": candidate(*parts, finish=finish, **extra)}


def failed(status: str, **fields: Any) -> dict[str, Any]:
    return {"status": status, **(fields or {"response": {}})}


def error(code: int, message: str = "x", prefix: str = "Bad Request: ") -> str:
    return prefix + orjson.dumps({"error": {"code": code, "message": message, "status": "S"}}).decode()


ROLE = (
    'Bad Request: {"error":{"code":400,"message":"Please use a valid role: user, model.","status":"INVALID_ARGUMENT"}}'
)
PROTO = "The GenerateContentRequest proto is invalid:\n  * tools[0].function_declarations[0].name: [FIELD_INVALID] x"
CACHE = error(
    404, "Not found: cached content metadata", "Internal error occurred. Failed to get generateContentResponse: "
)
AGENT = error(400, "Service agents are being provisioned, try again in a few minutes.")
TEXT = {"text": '{"a":1}'}

VECTORS = (
    Vector("served", response(TEXT, avgLogprobs=-0.1, score=1), None, "3.2 [D]", '{"a":1}', finish="STOP"),
    Vector("no status at all", {"status": None, **response(TEXT)}, None, "3.2", '{"a":1}', finish="STOP"),
    Vector("thought first", response({"text": "hm", "thought": True}, TEXT), None, "10", '{"a":1}', finish="STOP"),
    Vector("text in two parts", response({"text": '{"a"'}, {"text": ":1}"}), None, "5", '{"a":1}', finish="STOP"),
    Vector("parts without text", response({"functionCall": None}, TEXT, {}), None, "9.4", '{"a":1}', finish="STOP"),
    Vector("STOP as a number", response(TEXT, finish=1), None, "9.4 [U] LX", '{"a":1}', finish="STOP"),
    Vector("no finish reason", response(TEXT, finish=None), None, "9.4", '{"a":1}'),
    Vector("a wrong role", failed(ROLE), P.REFUSED, "9.3 [D]", said="Please use a valid role"),
    Vector("failed, response null", failed(ROLE, response=None), P.REFUSED, "3.2", said="valid role"),
    Vector("failed, response absent", {"status": ROLE}, P.REFUSED, "3.2 [D]", said="valid role"),
    Vector("failed beside an answer", {"status": ROLE, **response(TEXT)}, P.REFUSED, "3.2", said="valid role"),
    Vector("a status that is an object", {"status": {"error": {"code": 400}}}, P.REFUSED, "any"),
    Vector("the proto is invalid", failed(PROTO), P.REFUSED, "9.3 [L]", said="FIELD_INVALID"),
    Vector("another prefix", failed(CACHE), P.REFUSED, "9.3 [U] ga#2122", said="Internal error occurred"),
    Vector("service agents on their way", failed(AGENT), P.SERVICE_ERROR, "9.3 [U] ga#1308", said="provisioned"),
    *(Vector(f"code {n}", failed(error(n)), P.REFUSED, "9.3: permanent") for n in (400, 401, 403, 404, 413, 422)),
    *(Vector(f"code {n}", failed(error(n, prefix="Oops: ")), P.SERVICE_ERROR, "9.3: again")
      for n in (408, 409, 429, 499, 500, 501, 502, 503, 504)),
    Vector("an exhausted job's words", failed(error(429, prefix="RESOURCE_EXHAUSTED error occurred: ")),
           P.SERVICE_ERROR, "9.3, pa#4485 [U]"),
    Vector("a code as text", failed('x: {"error":{"code":"400"}}'), P.SERVICE_ERROR, "9.3: unknown texts again"),
    Vector("a code as list", failed('x: {"error":{"code":[400]}}'), P.SERVICE_ERROR, "any"),
    Vector("error as text", failed('x: {"error":"400"}'), P.SERVICE_ERROR, "any"),
    Vector("a list after the colon", failed("x: {[400]}"), P.SERVICE_ERROR, "any"),
    Vector("words only", failed("Deadline exceeded"), P.SERVICE_ERROR, "9.3: unknown texts again", said="Deadline"),
    Vector("half a JSON", failed('Bad Request: {"error":{"code":40'), P.SERVICE_ERROR, "9.3", said="Bad Request"),
    Vector("no status, response {}", {"response": {}}, P.SERVICE_ERROR, "3.2", said="neither a status nor an answer"),
    Vector("no status, response null", {"response": None}, P.SERVICE_ERROR, "3.2", said="neither"),
    Vector("no status, no response", {}, P.SERVICE_ERROR, "3.2", said="neither"),
    Vector("a response that is text", {"response": "x"}, P.SERVICE_ERROR, "any", said="neither"),
    Vector("no candidates, no reason", {"response": {"candidates": [], "promptFeedback": {}}}, P.SERVICE_ERROR, "9.4",
           said="neither"),
    *(Vector(f"blocked: {reason}", {"response": {"promptFeedback": {"blockReason": reason}}}, P.BLOCKED, "9.4 [D]",
             said=f"prompt blocked: {reason}", finish=str(reason))
      for reason in ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "MODEL_ARMOR", "IMAGE_SAFETY", "JAILBREAK",
                     4)),
    Vector("blocked, with words",
           {"response": {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "No."}}}, P.BLOCKED,
           "9.4 [D]", said="OTHER No.", finish="OTHER"),
    *(Vector(f"stopped: {reason}", response(finish=reason), P.BLOCKED, "9.4 [D]", said=reason, finish=reason)
      for reason in ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "LANGUAGE")),
    Vector("recitation, citations only", response(finish="RECITATION", citationMetadata={"citations": []}), P.BLOCKED,
           "9.4 [U] CUR", finish="RECITATION"),
    Vector("safety with half an answer", response({"text": '{"a'}, finish="SAFETY"), P.BLOCKED, "9.4 [D]", '{"a',
           finish="SAFETY"),
    *(Vector(f"stopped: {number}", response(finish=number), kind, "9.4 [U] LX: numbers", said=name, finish=name)
      for number, kind, name in ((2, P.TRUNCATED, "MAX_TOKENS"), (3, P.BLOCKED, "SAFETY"), (4, P.BLOCKED, "RECITATION"),
                                 (5, P.SERVICE_ERROR, "OTHER"), (8, P.BLOCKED, "SPII"))),
    Vector("all room spent thinking", response(finish="MAX_TOKENS"), P.TRUNCATED, "9.4 [U] CUR", said="0 characters",
           finish="MAX_TOKENS"),
    Vector("cut in the answer", response({"text": '{"a'}, finish="MAX_TOKENS"), P.TRUNCATED, "9.4", '{"a',
           said="3 characters", finish="MAX_TOKENS"),
    Vector("continuation", response(TEXT, finish="CONTINUATION"), P.TRUNCATED, "9.4 [D]", '{"a":1}',
           finish="CONTINUATION"),
    *(Vector(f"stopped: {reason}", response(finish=reason), P.SERVICE_ERROR, "9.4 [D]", said=reason, finish=reason)
      for reason in ("OTHER", "MALFORMED_RESPONSE", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL",
                     "TOO_MANY_TOOL_CALLS")),
    Vector("STOP and no parts", response(), P.MALFORMED, "9.4", said="empty answer", finish="STOP"),
    Vector("STOP and empty text", response({"text": " \n"}), P.MALFORMED, "9.4", " \n", said="empty answer",
           finish="STOP"),
    Vector("STOP and thoughts only", response({"text": "hm", "thought": True}), P.MALFORMED, "9.4", finish="STOP"),
    Vector("parts null", {"response": {"candidates": [{"content": {"parts": None}, "finishReason": "STOP"}]}},
           P.MALFORMED, "9.4", finish="STOP"),
    Vector("a reason never heard of", response(TEXT, finish="NEW_REASON"), P.BLOCKED, "9.4: keep unknown values",
           '{"a":1}', said="NEW_REASON", finish="NEW_REASON"),
)  # fmt: skip
