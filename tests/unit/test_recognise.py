"""Which request a line asks that somebody else wrote: what the model is shown decides, how it is written does not."""

import json
from typing import Any

import pytest

from overnight.core.identity import wire_key
from overnight.core.recipe import Part, Recipe
from overnight.requests.recognise import Foreign, differing, read_line, settings_of
from overnight.requests.render import Renderer, request_body

SCHEMA = {"type": "OBJECT", "properties": {"max_output_tokens": {"type": "STRING"}, "b": {"type": "STRING"}}}
RECIPE = Recipe(
    stage="answer",
    system="You read.",
    prompt=(Part("text", "Read: "), Part("slot", "text")),
    schema=SCHEMA,
    thinking={"thinkingLevel": "LOW"},
    own="o",
)


def body(**changes: Any) -> dict[str, Any]:
    return {**request_body(RECIPE, "Read: naps", 100), **changes}


def read(request: object, **more: object) -> Foreign | None:
    return read_line(json.dumps({"request": request, **more}).encode())


def settings(request: object) -> dict[str, bytes]:
    found = read(request)
    assert found is not None
    return dict(found.settings)


def test_a_line_of_ours_is_its_recipe_s_with_key_text_and_room() -> None:
    line = Renderer(RECIPE, 100).line(bytes(16), 2, ["naps"])
    found = read_line(line.data)
    assert found is not None
    assert (found.text, found.max_output_tokens, found.wire_key) == ("Read: naps", 100, (bytes(16), 2))
    assert found.settings == settings_of(RECIPE)
    assert read_line(line.data.replace(wire_key(bytes(16), 2).encode(), b"row-7")) is not None


GENERATION = body()["generationConfig"]
PROPERTIES: dict[str, Any] = {"max_output_tokens": {"type": "STRING"}, "b": {"type": "STRING"}}
TURNED = {**SCHEMA, "properties": dict(reversed(PROPERTIES.items()))}


def generating(**changes: Any) -> dict[str, Any]:
    return body(generationConfig={**GENERATION, **changes})


@pytest.mark.parametrize(
    "same",
    [
        body(contents=[{"role": "user", "parts": [{"text": "Read: "}, {"text": "naps"}]}]),
        body(contents=[{"parts": {"text": "Read: naps", "fileData": None}}]),
        body(contents={"role": "user", "parts": [{"text": "Read: naps"}]}),
        body(labels={"who": "me"}, tools=None, safetySettings=[]),
        generating(maxOutputTokens=7, seed=3, temperature=None),
        body(systemInstruction={"role": "system", "parts": [{"text": "You "}, {"text": "read."}]}),
        {
            "system_instruction": {"parts": [{"text": "You read."}]},
            "contents": [{"role": "user", "parts": [{"text": "Read: naps"}]}],
            "generation_config": {
                "thinking_config": {"thinking_level": "LOW"},
                "response_schema": SCHEMA,
                "response_mime_type": "application/json",
            },
        },
    ],
)
def test_the_same_request_in_other_words(same: dict[str, Any]) -> None:
    found = read(same)
    assert found is not None
    assert (found.text, differing(found.settings, settings_of(RECIPE))) == ("Read: naps", [])


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (body(systemInstruction={"parts": [{"text": "You write."}]}), ["systemInstruction"]),
        (generating(temperature=0.5), ["generationConfig.temperature"]),
        (generating(thinkingConfig={"thinkingLevel": "HIGH"}), ["generationConfig.thinkingConfig"]),
        (generating(responseSchema=TURNED), ["generationConfig.responseSchema"]),
        (body(tools=[{"googleSearch": {}}]), ["tools"]),
    ],
)
def test_another_request_and_what_differs(other: dict[str, Any], names: list[str]) -> None:
    assert differing(settings(other), settings_of(RECIPE)) == names


def test_names_inside_a_schema_are_the_user_s_and_are_not_rewritten() -> None:
    changed = json.loads(json.dumps(SCHEMA).replace("max_output_tokens", "maxOutputTokens"))
    assert differing(settings(generating(responseSchema=changed)), settings_of(RECIPE))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"request": 3}',
        b'{"request": {"contents": []}}',
        json.dumps({"request": body(contents=[{"role": "model", "parts": [{"text": "x"}]}])}).encode(),
        json.dumps({"request": body(contents=[{"parts": [{"text": "x"}]}, {"parts": [{"text": "y"}]}])}).encode(),
        json.dumps(
            {"request": body(contents=[{"parts": [{"text": "x", "fileData": {"fileUri": "gs://a/b"}}]}])}
        ).encode(),
        json.dumps({"request": body(contents=[{"parts": [{"text": 3}]}])}).encode(),
    ],
)
def test_what_is_no_single_turn_of_text_is_nobody_s(data: bytes) -> None:
    assert read_line(data) is None
