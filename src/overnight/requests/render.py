"""Record → one line of bytes.

A shard's lines differ in two places only, the key and the prompt's text, so all the rest is encoded once. What that
comes to beside `orjson.dumps` of the same objects is in docs/explanation/performance.md.

    {"key":"k…-a1","request":{"contents":[{"role":"user","parts":[{"text":"…"}]}],
     "systemInstruction":{"parts":[{"text":"…"}]},"generationConfig":{…}}}

`role` is always written and `parts` is always a list (facts 2.1); names are camelCase; `responseSchema`,
not `responseJsonSchema` (facts 10); no temperature (deprecated, facts 7.3); no labels a request (docs/decisions/0002).
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import orjson

from overnight.core.identity import fingerprint, wire_key
from overnight.core.recipe import RENDERER, Recipe

_KEY: Final = "k\u0000key"
_TEXT: Final = "k\u0000text"


def request_body(recipe: Recipe, prompt_text: str, max_output_tokens: int) -> dict[str, Any]:
    """A GenerateContentRequest, as a line holds it under `request` and as `generateContent` takes it."""
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": prompt_text}]}]}
    if recipe.system:
        body["systemInstruction"] = {"parts": [{"text": recipe.system}]}
    generation: dict[str, Any] = {
        "responseMimeType": "application/json",
        "responseSchema": recipe.schema,
        "maxOutputTokens": max_output_tokens,
    }
    if recipe.thinking:
        generation["thinkingConfig"] = recipe.thinking
    body["generationConfig"] = generation
    return body


class Line(msgspec.Struct, frozen=True, gc=False):
    """A rendered line, line end included, and the fingerprint of the prompt text in it."""

    data: bytes
    fingerprint: bytes


class Renderer:
    """Renders one shape of line: one recipe, one `maxOutputTokens`."""

    def __init__(self, recipe: Recipe, max_output_tokens: int) -> None:
        if recipe.renderer != RENDERER:
            raise ValueError(f"recipe of renderer {recipe.renderer}, this is renderer {RENDERER}")
        self.recipe = recipe
        self.max_output_tokens = max_output_tokens
        whole = orjson.dumps({"key": _KEY, "request": request_body(recipe, _TEXT, max_output_tokens)})
        self._head, rest = whole.split(orjson.dumps(_KEY)[1:-1], 1)  # key and text come first in a line: whatever
        self._middle, tail = rest.split(orjson.dumps(_TEXT), 1)  # a prompt or schema holds stands after them
        self._tail = tail + b"\n"
        self._pieces, self._places = _split(recipe)

    def prompt_text(self, texts: Sequence[str]) -> str:
        """The user turn as the model sees it. texts: cleaned, in the order of `recipe.slots`."""
        pieces = self._pieces.copy()
        for place, slot in self._places:
            pieces[place] = texts[slot]
        return "".join(pieces)

    def line(self, address: bytes, attempt: int, texts: Sequence[str]) -> Line:
        """Raises TypeError (orjson) when a text holds a lone surrogate: the readers let none in."""
        text = self.prompt_text(texts)
        encoded = orjson.dumps(text)  # before the fingerprint: it leaves the UTF-8 form cached in the str
        key = wire_key(address, attempt).encode()
        return Line(b"".join((self._head, key, self._middle, encoded, self._tail)), fingerprint(text))


def _split(recipe: Recipe) -> tuple[list[str], list[tuple[int, int]]]:
    """The prompt as a list of pieces, and (place in it, number of the slot) for each slot."""
    slots = {name: number for number, name in enumerate(recipe.slots)}
    pieces = [part.value if part.kind == "text" else "" for part in recipe.prompt]
    places = [(place, slots[part.value]) for place, part in enumerate(recipe.prompt) if part.kind == "slot"]
    return pieces, places
