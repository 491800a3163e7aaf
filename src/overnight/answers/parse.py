"""One line of output, typed.

Shape (vertex-batch-facts 3.2): {"status", "processed_time", "request", "response", "key"}. Parsing is tolerant where
services were seen to differ: unknown fields, a missing or null `response`, enum values as numbers [U], thought parts
first, several parts, a `status` with any prefix. What a strict type refuses is read again by hand, field by field.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
import orjson

from overnight.core.outcome import ProblemKind
from overnight.core.usage import NO_USAGE, Usage


class _Part(msgspec.Struct, gc=False):
    text: str | None = None
    thought: bool | None = None


class _Content(msgspec.Struct, gc=False):
    parts: list[_Part] | None = None
    role: str | None = None


class _Candidate(msgspec.Struct, gc=False, rename="camel"):
    content: _Content | None = None
    finish_reason: str | int | None = None


class _Feedback(msgspec.Struct, gc=False, rename="camel"):
    block_reason: str | int | None = None
    block_reason_message: str | None = None


class _UsageMetadata(msgspec.Struct, gc=False, rename="camel"):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None


class _Response(msgspec.Struct, gc=False, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _UsageMetadata | None = None
    model_version: str | None = None


class _Request(msgspec.Struct, gc=False):
    contents: list[_Content] | None = None


class _Line(msgspec.Struct, gc=False):
    key: Any = None
    status: str | None = None
    processed_time: str | None = None
    request: _Request | None = None
    response: _Response | None = None


_T = TypeVar("_T", bound=msgspec.Struct)

_decode: Final = msgspec.json.Decoder(_Line).decode

# finishReason by number, as protobuf counts them, should an enum come back as one ([U] LX guards for it).
_FINISH_BY_NUMBER: Final = {0: "FINISH_REASON_UNSPECIFIED", 1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION"}
_FINISH_BY_NUMBER.update({5: "OTHER", 6: "BLOCKLIST", 7: "PROHIBITED_CONTENT", 8: "SPII"})
_CUT_SHORT: Final = frozenset({"MAX_TOKENS", "CONTINUATION"})
_FINE: Final = frozenset({"STOP", "", "FINISH_REASON_UNSPECIFIED"})
_FAILED_TO_ANSWER: Final = frozenset(
    {"OTHER", "MALFORMED_RESPONSE", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"}
)
_PERMANENT_CODES: Final = frozenset({400, 401, 403, 404, 405, 409, 410, 411, 412, 413, 414, 415, 416, 422, 501})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a line says, before anyone asks whose it is.

    echo: the user turn's text as echoed, None when nothing usable was. problem: None when the model answered in full,
    and then `text` is the answer's text without thoughts.
    """

    key: object
    echo: str | None
    problem: ProblemKind | None
    text: str
    detail: str
    usage: Usage
    model_version: str
    finish_reason: str
    processed_time: str


class NotALineError(Exception):
    """The bytes are no output line at all: no JSON, not UTF-8, half a line, no object."""


def parse_line(data: bytes) -> Reply:
    """Raises NotALineError. Everything else that can be odd about a line is in the Reply."""
    try:
        line = _decode(data)
    except msgspec.ValidationError:
        line = _by_hand(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise NotALineError(str(cause)) from cause
    problem, text, detail, finish = _verdict(line)
    response = line.response
    return Reply(
        key=line.key,
        echo=_echo(line.request),
        problem=problem,
        text=text,
        detail=detail,
        usage=_usage(response.usage_metadata if response else None),
        model_version=(response.model_version or "") if response else "",
        finish_reason=finish,
        processed_time=line.processed_time or "",
    )


def _verdict(line: _Line) -> tuple[ProblemKind | None, str, str, str]:
    """(problem, text, detail, finish reason). A non-empty status or an empty response is a failed row (3.2)."""
    if line.status:
        return _status_problem(line.status), "", line.status, ""
    response = line.response
    if response is None or (not response.candidates and response.prompt_feedback is None):
        return ProblemKind.SERVICE_ERROR, "", "the line has neither a status nor an answer", ""
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None and not response.candidates:
        words = f"prompt blocked: {feedback.block_reason} {feedback.block_reason_message or ''}".strip()
        return ProblemKind.BLOCKED, "", words, str(feedback.block_reason)
    candidate = response.candidates[0] if response.candidates else _Candidate()
    finish = _name_of(candidate.finish_reason)
    text = _answer_text(candidate.content)
    if finish in _CUT_SHORT:
        return ProblemKind.TRUNCATED, text, f"the answer stopped with {finish} after {len(text)} characters", finish
    if finish not in _FINE:
        kind = ProblemKind.SERVICE_ERROR if finish in _FAILED_TO_ANSWER else ProblemKind.BLOCKED
        return kind, text, f"the answer stopped with {finish}", finish
    if not text.strip():
        return ProblemKind.MALFORMED, text, f"an empty answer (finishReason {finish or 'absent'})", finish
    return None, text, "", finish


def _status_problem(status: str) -> ProblemKind:
    """Cut at the first `{`, read the rest as JSON, take error.code (9.3): 400 class refused, all else a service error.

    The service-agent message is a 400 that mends itself (ga#1308 [U]): sent again.
    """
    start = status.find("{")
    code: object = None
    if start >= 0:
        try:
            found = orjson.loads(status[start:])
        except orjson.JSONDecodeError:
            found = None
        error = found.get("error") if isinstance(found, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
    if "being provisioned" in status:
        return ProblemKind.SERVICE_ERROR
    if code in _PERMANENT_CODES or (code is None and "GenerateContentRequest proto is invalid" in status):
        return ProblemKind.REFUSED
    return ProblemKind.SERVICE_ERROR


def _answer_text(content: _Content | None) -> str:
    parts = (content.parts if content else None) or []
    return "".join(part.text or "" for part in parts if not part.thought)


def _echo(request: _Request | None) -> str | None:
    """The texts of the last turn, joined: what `core.identity.fingerprint` was taken of."""
    if request is None or not request.contents:
        return None
    texts = [part.text for part in request.contents[-1].parts or [] if part.text is not None]
    return "".join(texts) if texts else None


def _name_of(reason: str | int | None) -> str:
    if isinstance(reason, int):
        return _FINISH_BY_NUMBER.get(reason, f"FINISH_REASON_{reason}")
    return reason or ""


def _usage(metadata: _UsageMetadata | None) -> Usage:
    """No count, or one below zero, is "not said"."""
    if metadata is None or metadata.prompt_token_count is None or metadata.prompt_token_count < 0:
        return NO_USAGE
    return Usage(
        prompt=metadata.prompt_token_count,
        cached=max(0, metadata.cached_content_token_count or 0),
        thinking=max(0, metadata.thoughts_token_count or 0),
        answer=max(0, metadata.candidates_token_count or 0),
    )


def _by_hand(data: bytes) -> _Line:
    """A line whose fields are not of the types we know: take what is, leave what is not."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as cause:
        raise NotALineError(str(cause)) from cause
    if not isinstance(value, dict):
        raise NotALineError(f"a {type(value).__name__} where an object was expected")
    line = _Line(key=value.get("key"))
    status = value.get("status")
    line.status = status if isinstance(status, str) else (orjson.dumps(status).decode() if status else "")
    time = value.get("processed_time")
    line.processed_time = time if isinstance(time, str) else ""
    line.request = _lenient(value.get("request"), _Request)
    line.response = _lenient(value.get("response"), _Response)
    if line.response is None and isinstance(value.get("response"), dict):
        line.response = _response_by_hand(value["response"])
    return line


def _response_by_hand(value: dict[str, Any]) -> _Response:
    candidates = value.get("candidates")
    found = [_lenient(one, _Candidate) for one in candidates] if isinstance(candidates, list) else []
    version = value.get("modelVersion")
    return _Response(
        candidates=[one for one in found if one is not None] or None,
        prompt_feedback=_lenient(value.get("promptFeedback"), _Feedback),
        usage_metadata=_lenient(value.get("usageMetadata"), _UsageMetadata),
        model_version=version if isinstance(version, str) else None,
    )


def _lenient(value: object, kind: type[_T]) -> _T | None:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return None
