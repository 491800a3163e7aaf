"""One request to one response, as generateContent and as a row of a batch."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from overnight.localcloud.standin.responder import Reply, Responder, prompt_tokens
from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject
from overnight.localcloud.vertex.checks import check_request, generation_config, pick, thinking_config
from overnight.localcloud.vertex.models import Model
from overnight.localcloud.vertex.refusal import RowRefusedError

_BYTES_A_TOKEN: Final = 4
_CACHE_STRIKES: Final = 0.7  # ours: implicit caching promises nothing
# Numbers of the v1 enum (facts 9.4 [D]); some libraries meet them in Vertex output [U].
_FINISH_NUMBERS: Final = {"STOP": 1, "MAX_TOKENS": 2, "SAFETY": 3}
_RATING: Final = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}


@dataclass(frozen=True, slots=True)
class Answerer:
    """Checks a request and answers it in Google's shape."""

    responder: Responder
    switches: Switches

    def answer(self, name: str, model: Model, request: object) -> JsonObject:
        """The response. Raises RowRefusedError."""
        sound = check_request(request, model, refuse_unknown=self.switches.text("unknown_request_fields") == "refuse")
        reply = self.responder.answer(name, sound, model.default_thinking)
        if reply.failure == "REFUSED":
            raise RowRefusedError(400, "Request contains an invalid argument.")
        if reply.failure == "BLOCKED":
            return self._blocked(name, reply)
        config = generation_config(sound)
        served = _Served.of(reply, config)
        include = pick(thinking_config(config), "includeThoughts", "include_thoughts")
        return self._response(name, reply, served, thoughts=bool(include))

    def _response(self, name: str, reply: Reply, served: "_Served", *, thoughts: bool) -> JsonObject:
        stopped = reply.failure == "SAFETY"
        if stopped:
            served = _Served("", "SAFETY", 0, served.thinking_tokens)
        parts: list[JsonObject] = []
        if thoughts and reply.thinking_tokens:
            parts.append({"text": reply.thought, "thought": True})
        if served.text:
            parts.append({"text": served.text})
        digest = blake2b(f"{name}\0{reply.text}\0{reply.prompt_tokens}".encode(), digest_size=12).hexdigest()
        content: JsonObject = {"role": "model", "parts": parts} if parts else {"role": "model"}
        finish: str | int = served.finish
        if self.switches.flag("numeric_finish_reason"):
            finish = _FINISH_NUMBERS[served.finish]
        candidate: JsonObject = {
            "content": content,
            "finishReason": finish,
            "avgLogprobs": -(int(digest[:4], 16) % 900 + 50) / 1000,
        }
        if stopped:
            candidate["safetyRatings"] = [_RATING]
        return {
            "candidates": [candidate],
            "modelVersion": name + self.switches.text("model_version_suffix"),
            "usageMetadata": self._usage(reply, served, digest),
            "responseId": digest,
        }

    def _blocked(self, name: str, reply: Reply) -> JsonObject:
        """No candidates; the prompt is counted (facts 9.4 [D])."""
        tokens = reply.prompt_tokens
        return {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "modelVersion": name + self.switches.text("model_version_suffix"),
            "usageMetadata": {"promptTokenCount": tokens, "totalTokenCount": tokens, "trafficType": "ON_DEMAND"},
        }

    def _usage(self, reply: Reply, served: "_Served", digest: str) -> JsonObject:
        usage: JsonObject = {
            "promptTokenCount": reply.prompt_tokens,
            "candidatesTokenCount": served.answer_tokens,
            "thoughtsTokenCount": served.thinking_tokens,
            "totalTokenCount": reply.prompt_tokens + served.answer_tokens + served.thinking_tokens,
            "trafficType": "ON_DEMAND",
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": reply.prompt_tokens}],
            "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": served.answer_tokens}],
        }
        if not served.thinking_tokens:
            del usage["thoughtsTokenCount"]
        if not served.answer_tokens:
            del usage["candidatesTokenCount"], usage["candidatesTokensDetails"]
        cached = min(self.switches.whole("cached_tokens") or self._from_cache(reply), reply.prompt_tokens)
        if cached:
            usage["cachedContentTokenCount"] = cached
        every = self.switches.whole("total_missing_every")
        if every and int(digest[4:12], 16) % every == 0:  # facts 3.2 [L]
            del usage["totalTokenCount"]
        return usage

    def _from_cache(self, reply: Reply) -> int:
        """A common prefix is read from a cache now and then, when it is long enough."""
        least = self.switches.whole("cache_from_tokens")
        return reply.prefix_tokens if 0 < least <= reply.prefix_tokens and reply.luck < _CACHE_STRIKES else 0

    def count(self, request: object) -> JsonObject:
        """countTokens: what `promptTokenCount` would be."""
        sound: JsonObject = request if isinstance(request, dict) else {}
        total = prompt_tokens(sound)
        return {"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]}


@dataclass(slots=True)
class _Served:
    """What of a reply fits in maxOutputTokens: thinking comes first and eats it up (facts 7.3 [U])."""

    text: str
    finish: str
    answer_tokens: int
    thinking_tokens: int

    @classmethod
    def of(cls, reply: Reply, config: JsonObject) -> "_Served":
        cap = pick(config, "maxOutputTokens", "max_output_tokens")
        if not isinstance(cap, int) or reply.thinking_tokens + reply.answer_tokens <= cap:
            return cls(reply.text, "STOP", reply.answer_tokens, reply.thinking_tokens)
        thinking = min(reply.thinking_tokens, cap)
        left = cap - thinking
        cut = reply.text.encode()[: left * _BYTES_A_TOKEN].decode("utf-8", "ignore")
        return cls(cut, "MAX_TOKENS", left if cut else 0, thinking)
