"""Who answers a request, and the stand-in that does by default.

`Responder` is the seam: forwarding to an OpenAI-compatible server will be another one.
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from overnight.localcloud.standin.marks import LONG_THOUGHT, Failure, failure_of
from overnight.localcloud.standin.prompt import Prompt, read_prompt, request_texts
from overnight.localcloud.standin.schema import fill
from overnight.localcloud.standin.words import stems
from overnight.localcloud.values import JsonObject

_BYTES_A_TOKEN: Final = 4
# What thinking plausibly costs at each level; ±50 % by hash. Ours: Google publishes no figures.
THINKING_TOKENS: Final = {"OFF": 0, "MINIMAL": 20, "LOW": 150, "MEDIUM": 500, "HIGH": 1500, "XHIGH": 3000}
_DYNAMIC: Final = "MEDIUM"  # a budget of -1


@dataclass(slots=True)
class Reply:
    """text: the whole answer, before maxOutputTokens cuts it. thought: shown only where thoughts are asked for.

    prefix_tokens: what stands before the record, so what other rows begin with too. luck: a number in [0, 1) of this
    request, that decides whether a cache holds it. failure: BLOCKED, SAFETY or REFUSED take the text's place.
    """

    text: str
    thought: str
    prompt_tokens: int
    answer_tokens: int
    thinking_tokens: int
    prefix_tokens: int
    luck: float
    failure: Failure | None = None


class Responder(Protocol):
    def answer(self, model: str, request: JsonObject, default_thinking: str) -> Reply:
        """request: checked. default_thinking: the model's level when the request names none."""


def count_tokens(text: str) -> int:
    """About what a tokenizer would say: a quarter of the UTF-8 bytes."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / _BYTES_A_TOKEN)


def prompt_tokens(request: JsonObject) -> int:
    """Contents, system instruction and schema: a schema counts as input (facts 10 [D])."""
    texts = [text for content in request.get("contents") or () for text in request_texts(content)]
    texts += request_texts(request.get("systemInstruction", request.get("system_instruction")))
    schema = answer_schema(_config(request))
    size = count_tokens("".join(texts)) if texts else 0
    return size + (len(orjson.dumps(schema)) // _BYTES_A_TOKEN if schema else 0)


def _config(request: JsonObject) -> JsonObject:
    config = request.get("generationConfig", request.get("generation_config"))
    return config if isinstance(config, dict) else {}


def answer_schema(config: JsonObject) -> JsonObject | None:
    for name in ("responseSchema", "response_schema", "responseJsonSchema", "response_json_schema"):
        schema = config.get(name)
        if isinstance(schema, dict) and schema:
            return schema
    return None


class StandIn:
    """Lexical and deterministic: the same request has the same answer, on any day and machine."""

    def answer(self, model: str, request: JsonObject, default_thinking: str) -> Reply:
        prompt = read_prompt(request)
        config = _config(request)
        text = _answer_text(prompt, config)
        failure = failure_of(prompt)
        thinking = _thinking_tokens(prompt, config, default_thinking)
        if failure == "LONG":
            thinking = max(thinking, LONG_THOUGHT)
        elif failure == "CUT":
            text = text[: len(text) // 2]
        return Reply(
            text=text,
            thought=f"The local stand-in compared words; it is not {model} and thought nothing.",
            prompt_tokens=prompt_tokens(request),
            answer_tokens=count_tokens(text),
            thinking_tokens=thinking,
            prefix_tokens=count_tokens(prompt.prefix) if prompt.prefix else 0,
            luck=prompt.chance("cache"),
            failure=failure,
        )


def _answer_text(prompt: Prompt, config: JsonObject) -> str:
    schema = answer_schema(config)
    mime = config.get("responseMimeType", config.get("response_mime_type", ""))
    if schema is not None:
        value = fill(schema, prompt)
        return str(value) if mime == "text/x.enum" else orjson.dumps(value).decode()
    sentence, _ = prompt.best_sentence(stems(prompt.frame))
    return orjson.dumps({"extract": sentence}).decode() if mime == "application/json" else sentence


def _thinking_tokens(prompt: Prompt, config: JsonObject, default_thinking: str) -> int:
    thinking = config.get("thinkingConfig", config.get("thinking_config"))
    thinking = thinking if isinstance(thinking, dict) else {}
    level = str(thinking.get("thinkingLevel", thinking.get("thinking_level")) or default_thinking).upper()
    budget = thinking.get("thinkingBudget", thinking.get("thinking_budget"))
    if budget == -1:
        level = _DYNAMIC
    usual = THINKING_TOKENS.get(level, THINKING_TOKENS[_DYNAMIC])
    if isinstance(budget, int) and budget >= 0:
        usual = min(budget, THINKING_TOKENS["HIGH"])
    tokens = round(usual * (0.5 + prompt.chance("thinking")))
    return min(tokens, budget) if isinstance(budget, int) and budget >= 0 else tokens
