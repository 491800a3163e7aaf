"""Faults of single rows: failed ones, and answers that are "successful" but useless."""

import json
from dataclasses import dataclass
from typing import ClassVar, Final

from overnight.localcloud.faults.kind import param
from overnight.localcloud.faults.lines import LineChange
from overnight.localcloud.values import JsonObject
from overnight.localcloud.vertex.output.line import ABSENT, Line
from overnight.localcloud.vertex.refusal import RowRefusedError

_WORDS: Final = {
    400: "Request contains an invalid argument.",
    429: "Resource exhausted. Please try again later.",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
    504: "Deadline expired before operation could complete.",
}
_OTHER_WORDS: Final = "The request could not be served."
_CODES: Final = (400, 403, 404, 408, 409, 413, 429, 499, 500, 502, 503, 504)
# Form → (code, message, what stands before the JSON); no lead: the whole status is the message (facts 9.3).
_FORMS: Final[dict[str, tuple[int, str, str]]] = {
    "role": (400, "Please use a valid role: user, model.", "Bad Request"),
    "proto_invalid": (
        400,
        "The GenerateContentRequest proto is invalid: * tools[0].function_declarations[0].name: [FIELD_INVALID]",
        "",
    ),
    "bad_value": (
        400,
        "Invalid value at 'contents[0].parts[0]' (text), Starting an object on a scalar field",
        "Bad Request",
    ),
    "provisioning": (
        400,
        "Service agents are being provisioned. Please try again in a few minutes.",
        "Bad Request",
    ),
    "cached_content": (
        404,
        "Not found: cached content metadata for 1.",
        "Internal error occurred. Failed to get generateContentResponse",
    ),
    "resource_exhausted": (
        429,
        "Online prediction request quota exceeded. Please try again later with backoff.",
        "RESOURCE_EXHAUSTED error occurred",
    ),
    "cannot_fetch": (400, "Cannot fetch content from the provided URL.", "Bad Request"),
    "unknown": (500, "Something nobody has seen before went wrong", ""),
}


@dataclass(frozen=True)
class RowFailed(LineChange):
    """The row failed: a status, no answer, no usage. With no scope every row, and the job is SUCCEEDED."""

    kind: ClassVar[str] = "row_failed"
    source: ClassVar[str] = (
        "facts 3.2 [D], 9.3 [D] [L] [U]; 429, 5xx [?]; SUCCEEDED with all failed: python-genai#2693 [U]"
    )

    code: int = param(500, "with form http: the HTTP code", choices=_CODES)
    form: str = param("http", "http: reason, colon, error JSON; or a documented text", choices=("http", *_FORMS))
    response: str = param("empty", "`response` of the line", choices=("empty", "absent", "null"))

    def change(self, line: Line) -> None:
        line.status = self._status()
        line.response = {"empty": {}, "absent": ABSENT, "null": None}[self.response]

    def _status(self) -> str:
        if self.form == "http":
            return RowRefusedError(self.code, _WORDS.get(self.code, _OTHER_WORDS)).row_status()
        code, message, lead = _FORMS[self.form]
        if not lead:
            return message
        status = "FAILED_PRECONDITION" if self.form == "provisioning" else ""
        return RowRefusedError(code, message, status=status, lead=lead).row_status()


@dataclass(frozen=True)
class PromptBlocked(LineChange):
    """The prompt is blocked: no candidates, the prompt is counted."""

    kind: ClassVar[str] = "prompt_blocked"
    source: ClassVar[str] = "facts 9.4 [D]"

    reason: str = param(
        "PROHIBITED_CONTENT",
        "blockReason",
        choices=("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "MODEL_ARMOR", "IMAGE_SAFETY", "JAILBREAK"),
    )

    def change(self, line: Line) -> None:
        old = _object(line.response)
        usage = _object(old.get("usageMetadata"))
        kept: JsonObject = {name: usage[name] for name in ("promptTokenCount", "trafficType") if name in usage}
        line.response = {
            "promptFeedback": {"blockReason": self.reason},
            "modelVersion": old.get("modelVersion"),
            "usageMetadata": {**kept, "totalTokenCount": usage.get("promptTokenCount", 0)},
        }


@dataclass(frozen=True)
class Safety(LineChange):
    """The answer was stopped for safety: ratings, no text."""

    kind: ClassVar[str] = "safety"
    source: ClassVar[str] = "facts 9.4 [D] [U]"

    reason: str = param(
        "SAFETY", "finishReason", choices=("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "MODEL_ARMOR", "OTHER")
    )

    def change(self, line: Line) -> None:
        rating = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
        for candidate in _candidates(line):
            _without_text(line, candidate, self.reason)
            candidate["safetyRatings"] = [rating]


@dataclass(frozen=True)
class Recitation(LineChange):
    """The answer was stopped as a recitation: citations, no text."""

    kind: ClassVar[str] = "recitation"
    source: ClassVar[str] = "facts 9.4 [U]"

    def change(self, line: Line) -> None:
        for candidate in _candidates(line):
            _without_text(line, candidate, "RECITATION")
            candidate["citationMetadata"] = {
                "citations": [{"startIndex": 0, "endIndex": 120, "uri": "https://a.example"}]
            }


@dataclass(frozen=True)
class MaxTokens(LineChange):
    """The answer ran into maxOutputTokens: half of its text, or thinking ate everything."""

    kind: ClassVar[str] = "max_tokens"
    source: ClassVar[str] = "facts 7.3, 9.4 [U]"

    text: str = param("half", "what is left of the text", choices=("half", "none"))

    def change(self, line: Line) -> None:
        for candidate in _candidates(line):
            if self.text == "none":
                _without_text(line, candidate, "MAX_TOKENS")
            else:
                _cut(candidate)
                candidate["finishReason"] = "MAX_TOKENS"


@dataclass(frozen=True)
class Continuation(LineChange):
    """The answer stops half-way with CONTINUATION and a continuationToken."""

    kind: ClassVar[str] = "continuation"
    source: ClassVar[str] = "facts 7.1 [D] enum; in batch and where the token stands [?]"

    def change(self, line: Line) -> None:
        for candidate in _candidates(line):
            _cut(candidate)
            candidate["finishReason"] = "CONTINUATION"
            candidate["continuationToken"] = "bG9jYWwtc3RhbmQtaW4="


@dataclass(frozen=True)
class ThoughtsFirst(LineChange):
    """Thought parts stand before the answer's text."""

    kind: ClassVar[str] = "thoughts_first"
    source: ClassVar[str] = "facts 7.3 [D]"

    parts: int = param(2, "how many", low=1, high=100)

    def change(self, line: Line) -> None:
        for candidate in _candidates(line):
            content = candidate["content"]
            thoughts = [
                {"text": f'{{"thought": {number}}} of the local stand-in, which thinks nothing', "thought": True}
                for number in range(1, self.parts + 1)
            ]
            content["parts"] = [*thoughts, *(content.get("parts") or ())]


@dataclass(frozen=True)
class EmptyParts(LineChange):
    """The answer stopped regularly and has no text."""

    kind: ClassVar[str] = "empty_parts"
    source: ClassVar[str] = "facts 9.4 [U]; forms ours"

    form: str = param(
        "empty_list",
        "parts is []; is absent; is one empty text; content is absent",
        choices=("empty_list", "no_parts", "empty_text", "no_content"),
    )

    def change(self, line: Line) -> None:
        for candidate in _candidates(line):
            content: JsonObject = {"role": "model"}
            if self.form == "empty_list":
                content["parts"] = []
            elif self.form == "empty_text":
                content["parts"] = [{"text": ""}]
            candidate["content"] = content
            if self.form == "no_content":
                del candidate["content"]


@dataclass(frozen=True)
class Fenced(LineChange):
    """The JSON stands between ``` fences."""

    kind: ClassVar[str] = "fenced"
    source: ClassVar[str] = "facts 9.4: STOP does not prove valid JSON"

    prose: bool = param(False, "and after a sentence nobody asked for")

    def change(self, line: Line) -> None:
        lead = "Here is the answer:\n" if self.prose else ""
        for part in _answer_parts(line):
            part["text"] = f"{lead}```json\n{part['text']}\n```"


@dataclass(frozen=True)
class JsonCut(LineChange):
    """The JSON is cut off though the answer stopped regularly."""

    kind: ClassVar[str] = "json_cut"
    source: ClassVar[str] = "facts 9.4: STOP does not prove valid JSON"

    def change(self, line: Line) -> None:
        for candidate in _candidates(line):
            _cut(candidate)


@dataclass(frozen=True)
class BreaksSchema(LineChange):
    """Valid JSON that the schema does not allow."""

    kind: ClassVar[str] = "breaks_schema"
    source: ClassVar[str] = "googleapis/python-genai#1150, #1307 [U]: schema not honoured in batch"

    form: str = param(
        "wrong_type",
        "the first field has another type; is missing; one more is there; a list stands around",
        choices=("wrong_type", "missing_field", "extra_field", "list"),
    )

    def change(self, line: Line) -> None:
        for part in _answer_parts(line):
            part["text"] = json.dumps(self._broken(part["text"]), ensure_ascii=False)

    def _broken(self, text: str) -> object:
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if self.form == "list" or not isinstance(value, dict) or not value:
            return [value]
        first = next(iter(value))
        if self.form == "missing_field":
            return {name: item for name, item in value.items() if name != first}
        if self.form == "extra_field":
            return {**value, "nobody_asked": True}
        return {**value, first: {"instead_of": value[first]}}


@dataclass(frozen=True)
class OtherModel(LineChange):
    """The row is served by another model than asked."""

    kind: ClassVar[str] = "other_model"
    source: ClassVar[str] = "facts 7.2 [D]"

    model: str = param("gemini-3.8-flash-rerouted", "its id; what follows the @ stays")

    def change(self, line: Line) -> None:
        response = _object(line.response)
        _, mark, suffix = str(response.get("modelVersion", "")).partition("@")
        response["modelVersion"] = self.model + mark + suffix


# Responses in hand


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _candidates(line: Line) -> list[JsonObject]:
    found: list[JsonObject] = _object(line.response).get("candidates") or []
    return found


def _answer_parts(line: Line) -> list[JsonObject]:
    parts = (part for one in _candidates(line) for part in _object(one.get("content")).get("parts") or ())
    return [part for part in parts if not part.get("thought")]


def _cut(candidate: JsonObject) -> None:
    """Half of the answer's text."""
    for part in _object(candidate.get("content")).get("parts") or ():
        if not part.get("thought"):
            part["text"] = part["text"][: len(part["text"]) // 2]


def _without_text(line: Line, candidate: JsonObject, reason: str) -> None:
    """No parts, and no tokens of an answer."""
    candidate["content"] = {"role": "model"}
    candidate["finishReason"] = reason
    usage = _object(_object(line.response).get("usageMetadata"))
    answer = usage.pop("candidatesTokenCount", 0)
    usage.pop("candidatesTokensDetails", None)
    if reason == "MAX_TOKENS":
        usage["thoughtsTokenCount"] = usage.get("thoughtsTokenCount", 0) + answer
    elif "totalTokenCount" in usage:
        usage["totalTokenCount"] -= answer
