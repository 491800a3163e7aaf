"""What one request must look like when it is served: these failures stay in their row (facts 9.3)."""

from typing import Final

from overnight.localcloud.errors import ApiError
from overnight.localcloud.values import JsonObject
from overnight.localcloud.vertex.create import check_labels
from overnight.localcloud.vertex.models import Model
from overnight.localcloud.vertex.refusal import RowRefusedError

_ROLES: Final = frozenset({"user", "model"})
_FIELDS_TEXT: Final = """
    contents systemInstruction system_instruction generationConfig generation_config safetySettings safety_settings
    tools toolConfig tool_config labels cachedContent cached_content modelArmorConfig model_armor_config
    continuationToken continuation_token outputConfig output_config model"""
_FIELDS: Final = frozenset(_FIELDS_TEXT.split())
_MAX_TEXT_PARTS: Final = 3_000


def pick(source: JsonObject, camel: str, snake: str) -> object:
    """A field under either spelling: proto JSON takes both (facts 10)."""
    return source.get(camel, source.get(snake))


def generation_config(request: JsonObject) -> JsonObject:
    config = pick(request, "generationConfig", "generation_config")
    return config if isinstance(config, dict) else {}


def thinking_config(config: JsonObject) -> JsonObject:
    thinking = pick(config, "thinkingConfig", "thinking_config")
    return thinking if isinstance(thinking, dict) else {}


def check_request(request: object, model: Model, *, refuse_unknown: bool) -> JsonObject:
    """The request, known to be sound. Raises RowRefusedError."""
    if not isinstance(request, dict):
        raise RowRefusedError(400, "Invalid JSON payload received. request must be a message.")
    unknown = sorted(request.keys() - _FIELDS) if refuse_unknown else []
    if unknown:
        raise RowRefusedError(400, f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
    if pick(request, "cachedContent", "cached_content"):
        raise RowRefusedError(
            404,
            "Not found: cached content metadata for this request.",
            lead="Internal error occurred. Failed to get generateContentResponse",  # facts 9.3, ga#2122 [U]
        )
    _check_contents(request.get("contents"))
    if "labels" in request:
        try:
            check_labels(request["labels"])
        except ApiError as error:
            raise RowRefusedError(400, error.message) from error
    _check_config(generation_config(request), model)
    return request


def _check_contents(contents: object) -> None:
    if not isinstance(contents, list) or not contents:
        raise RowRefusedError(400, "Unable to submit request because at least one contents field is required.")
    for number, content in enumerate(contents):
        if not isinstance(content, dict):
            raise RowRefusedError(400, f"Invalid value at 'contents[{number}]': it is not a message.")
        if content.get("role", "user") not in _ROLES:
            raise RowRefusedError(400, "Please use a valid role: user, model.")
        parts = content.get("parts")
        parts = [parts] if isinstance(parts, dict) else parts  # one object instead of a list: facts 2.1 [?], taken
        if not isinstance(parts, list) or not parts or len(parts) > _MAX_TEXT_PARTS:
            raise RowRefusedError(400, f"Unable to submit request because contents[{number}] must have parts.")
        for place, part in enumerate(parts):
            _check_part(part, f"contents[{number}].parts[{place}]")


def _check_part(part: object, where: str) -> None:
    if not isinstance(part, dict):
        raise RowRefusedError(400, f"Invalid value at '{where}': it is not a message.")
    if "text" in part and not isinstance(part["text"], str):
        raise RowRefusedError(400, f"Invalid value at '{where}' (text), Starting an object on a scalar field")
    if not part:
        raise RowRefusedError(400, f"Unable to submit request because '{where}' has no data: use text.")


def _check_config(config: JsonObject, model: Model) -> None:
    cap = pick(config, "maxOutputTokens", "max_output_tokens")
    if cap is not None and (
        not isinstance(cap, int) or isinstance(cap, bool) or not 1 <= cap <= model.max_output_tokens
    ):
        text = f"supported range is from 1 (inclusive) to {model.max_output_tokens + 1} (exclusive)"
        raise RowRefusedError(400, f"Unable to submit request because maxOutputTokens is {cap!r}: {text}.")
    thinking = thinking_config(config)
    level = pick(thinking, "thinkingLevel", "thinking_level")
    budget = pick(thinking, "thinkingBudget", "thinking_budget")
    if level is not None and budget is not None:  # facts 7.3 [D]
        raise RowRefusedError(400, "You can only set only one of thinking budget and thinking level.")
    if level is not None and str(level).upper() not in model.levels:
        raise RowRefusedError(400, f"Thinking level {level} is not supported for this model.")
    if level is not None and model.thinks == "budget":
        raise RowRefusedError(400, "Thinking level is not supported for this model.")
    if budget is not None and model.thinks == "level":
        raise RowRefusedError(400, "Thinking budget is not supported for this model: use thinking level.")
    if budget is not None and (not isinstance(budget, int) or budget < -1):
        raise RowRefusedError(400, f"The thinking budget {budget!r} is invalid.")
