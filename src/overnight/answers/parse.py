"""One line of output, typed.

Shape (facts 3.2): {"status", "processed_time", "request", "response", "key"}. Parsing is tolerant where
services were seen to differ: unknown fields, a missing or null `response`, enum values as numbers [U], thought parts
first, several parts, a `status` with any prefix. What a strict type refuses is read again by hand, field by field.
"""

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
_PERMANENT_CODES: Final = frozenset({400, 401, 403, 404, 405, 410, 411, 412, 413, 414, 415, 416, 422})
"""The 400 class without 408, 409, 429 and 499, which may go away (9.3)."""
_MOST_TOKENS: Final = 2**40
"""No model has seen so many in one line, and sums over any number of lines stay within what SQLite adds exactly."""
_MOST_DETAIL_CHARS: Final = 10_000


class Reply(msgspec.Struct, frozen=True, gc=False):
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
        detail=_cut(detail),
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
    if response is None or not response.candidates:
        feedback = response.prompt_feedback if response else None
        if feedback is None or feedback.block_reason is None:
            return ProblemKind.SERVICE_ERROR, "", "the line has neither a status nor an answer", ""
        words = f"prompt blocked: {feedback.block_reason} {feedback.block_reason_message or ''}".strip()
        return ProblemKind.BLOCKED, "", words, str(feedback.block_reason)
    candidate = response.candidates[0]
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
    if (isinstance(code, int) and code in _PERMANENT_CODES) or (
        code is None and "GenerateContentRequest proto is invalid" in status
    ):
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
    """A count that is left out is zero, as protobuf writes zeros; the prompt's, or an impossible one, is "not said"."""
    if metadata is None or metadata.prompt_token_count is None:
        return NO_USAGE
    usage = Usage(
        prompt=metadata.prompt_token_count,
        cached=metadata.cached_content_token_count or 0,
        thinking=metadata.thoughts_token_count or 0,
        answer=metadata.candidates_token_count or 0,
    )
    counts = (usage.prompt, usage.cached, usage.thinking, usage.answer)
    return usage if all(count is not None and 0 <= count <= _MOST_TOKENS for count in counts) else NO_USAGE


def _by_hand(data: bytes) -> _Line:
    """A line whose fields are not of the types we know: take what is, leave what is not."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as cause:
        raise NotALineError(str(cause)) from cause
    if not isinstance(value, dict):
        raise NotALineError(f"a {type(value).__name__} where an object was expected")
    status, request, response = value.get("status"), value.get("request"), value.get("response")
    return _Line(
        key=value.get("key"),
        status=status if isinstance(status, str) else (as_text(status) if status else ""),
        processed_time=_text(value.get("processed_time")),
        request=_request_by_hand(request) if isinstance(request, dict) else None,
        response=_response_by_hand(response) if isinstance(response, dict) else None,
    )


def _request_by_hand(value: dict[str, Any]) -> _Request:
    contents = value.get("contents")
    last = contents[-1] if isinstance(contents, list) and contents else contents
    return _Request([_content_by_hand(last)])


def _response_by_hand(value: dict[str, Any]) -> _Response:
    candidates = value.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    return _Response(
        candidates=[_candidate_by_hand(first)] if isinstance(first, dict) else None,
        prompt_feedback=_lenient(value.get("promptFeedback"), _Feedback),
        usage_metadata=_lenient(value.get("usageMetadata"), _UsageMetadata),
        model_version=_text(value.get("modelVersion")),
    )


def _candidate_by_hand(value: dict[str, Any]) -> _Candidate:
    """A finish reason of another type is kept as text, and so is none that counts as a good one."""
    finish = value.get("finishReason")
    known = finish is None or (isinstance(finish, str | int) and not isinstance(finish, bool))
    return _Candidate(_content_by_hand(value.get("content")), finish if known else f"FINISH_REASON_{as_text(finish)}")


def _content_by_hand(value: object) -> _Content:
    parts = value.get("parts") if isinstance(value, dict) else None
    listed = parts if isinstance(parts, list) else [parts]
    return _Content(
        [
            _Part(part["text"], bool(part.get("thought")))
            for part in listed
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        ]
    )


def as_text(value: object, most_chars: int = 200) -> str:
    """Any JSON value in a few words: text as it is, all else as JSON, cut."""
    if isinstance(value, str):
        return value[:most_chars]
    try:
        return orjson.dumps(value).decode()[:most_chars]
    except orjson.JSONEncodeError:
        return f"a {type(value).__name__} nested too deep to be shown"


def _cut(detail: str) -> str:
    """The whole of it is in the raw line, which is kept."""
    return detail if len(detail) <= _MOST_DETAIL_CHARS else f"{detail[:_MOST_DETAIL_CHARS]} …"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _lenient(value: object, kind: type[_T]) -> _T | None:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return None
