"""A line that somebody else wrote: which request of this study is it, if any?

For a job made by hand (`overnight adopt`). Two requests are the same when the model is shown the same: the same system
instruction, the same user turn, the same settings. What only an attempt has (`maxOutputTokens`, `seed`) and what the
model does not see (`labels`, how a text is cut into parts) makes no difference.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from overnight.core.identity import parse_wire_key
from overnight.core.recipe import Recipe
from overnight.requests.render import request_body

_OF_AN_ATTEMPT: Final = ("maxOutputTokens", "seed")
_CAMEL: Final = {
    "system_instruction": "systemInstruction",
    "generation_config": "generationConfig",
    "max_output_tokens": "maxOutputTokens",
    "response_mime_type": "responseMimeType",
    "response_schema": "responseSchema",
    "thinking_config": "thinkingConfig",
    "thinking_level": "thinkingLevel",
    "thinking_budget": "thinkingBudget",
    "include_thoughts": "includeThoughts",
}
"""The service takes both spellings (proto3 JSON). Names inside a schema are the user's and are left alone."""


class Foreign(msgspec.Struct, frozen=True, gc=False):
    """What a line asks. settings: all but the user turn's text, by name; to be compared with `settings_of`.

    wire_key: (address, attempt) where the line carries a key of ours.
    """

    text: str
    settings: Mapping[str, bytes]
    max_output_tokens: int
    wire_key: tuple[bytes, int] | None


def read_line(data: bytes) -> Foreign | None:
    """None: no JSON, or not one user turn of text."""
    try:
        line = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(line, dict):
        return None
    request = line.get("request")
    body = _camel(request) if isinstance(request, dict) else {}
    text = _only_turn(body.get("contents"))
    if text is None:
        return None
    generation = _camel(body.get("generationConfig"))
    room = generation.get("maxOutputTokens")
    most = room if isinstance(room, int) and not isinstance(room, bool) else 0
    return Foreign(text, _settings(body), most, parse_wire_key(line.get("key")))


def settings_of(recipe: Recipe) -> Mapping[str, bytes]:
    """What a line of this recipe says besides its text."""
    return _settings(_camel(request_body(recipe, "", 0)))


def differing(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    """The names of what is not the same, sorted."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _settings(body: Mapping[str, Any]) -> dict[str, bytes]:
    """Each as bytes: the order of a schema's properties counts (it shapes an answer), that of settings does not."""
    found = {"systemInstruction": (_text(body.get("systemInstruction")) or "").encode(errors="surrogatepass")}
    for name, value in _camel(body.get("generationConfig")).items():
        if name not in _OF_AN_ATTEMPT and value is not None:
            ordered = value if name == "responseSchema" else _camel(value) if isinstance(value, dict) else value
            option = 0 if name == "responseSchema" else orjson.OPT_SORT_KEYS
            found[f"generationConfig.{name}"] = orjson.dumps(ordered, option=option)
    for name, value in body.items():
        if name not in {"contents", "systemInstruction", "generationConfig", "labels"} and value:
            found[name] = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return found


def _only_turn(contents: object) -> str | None:
    """The text of the one user turn."""
    turns: Sequence[object] = contents if isinstance(contents, list) else [contents]
    if len(turns) != 1 or not isinstance(turns[0], dict) or turns[0].get("role") not in {None, "", "user"}:
        return None
    return _text(turns[0])


def _text(content: object) -> str | None:
    parts = content.get("parts") if isinstance(content, dict) else None
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or not all(isinstance(part, dict) and _is_text(part) for part in parts):
        return None
    return "".join(part["text"] for part in parts)


def _is_text(part: Mapping[str, object]) -> bool:
    """Nothing but text: other kinds of parts may stand there as null."""
    return isinstance(part.get("text"), str) and all(value is None for name, value in part.items() if name != "text")


def _camel(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {_CAMEL.get(str(name), str(name)): inner for name, inner in value.items()}
