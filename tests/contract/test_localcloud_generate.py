"""generateContent and countTokens through google-genai: the smoke step before a batch."""

import json
from typing import Any

import pytest
from google.genai import errors, types

from tests.support.local_cloud import LocalCloud, rows


def test_generate_with_a_schema(genai: Any) -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "complaint": {"type": "STRING", "nullable": True, "description": "what broke, in the reviewer's words"},
            "severity": {"type": "STRING", "enum": ["none", "minor", "major"]},
        },
    }
    reply = genai.models.generate_content(
        model="gemini-3.8-flash",
        contents="You read reviews.\n<record>The lid broke on day two. I like the colour.</record>",
        config=types.GenerateContentConfig(
            response_mime_type="application/json",
            response_schema=schema,
            thinking_config=types.ThinkingConfig(thinking_level="HIGH", include_thoughts=True),
        ),
    )
    answer = json.loads(reply.text)
    assert answer["complaint"] in {"The lid broke on day two.", None}
    assert answer["severity"] in {"none", "minor", "major"}
    assert reply.model_version == "gemini-3.8-flash@local-stand-in"
    assert 750 <= reply.usage_metadata.thoughts_token_count <= 2250
    assert reply.candidates[0].content.parts[0].thought


def test_the_answer_is_the_same_as_in_a_batch(cloud: LocalCloud, genai: Any) -> None:
    _, got = cloud.run(rows(1))
    sent = got[0]["request"]["contents"][0]["parts"][0]["text"]
    reply = genai.models.generate_content(model="gemini-3.8-flash", contents=sent)
    assert reply.text == got[0]["response"]["candidates"][0]["content"]["parts"][0]["text"]


def test_count_tokens_is_what_is_billed(genai: Any) -> None:
    text = "Nurses who napped at night stayed alert. " * 20
    counted = genai.models.count_tokens(model="gemini-3.8-flash", contents=text).total_tokens
    reply = genai.models.generate_content(model="gemini-3.8-flash", contents=text)
    assert counted == reply.usage_metadata.prompt_token_count
    assert counted == len(text) // 4


@pytest.mark.parametrize(
    ("model", "code", "status"),
    [("gemini-2.5-pro-002", 404, "NOT_FOUND"), ("gemini-2.5-pro", 404, "NOT_FOUND")],
)
def test_models_that_are_not_there(genai: Any, model: str, code: int, status: str) -> None:
    with pytest.raises(errors.ClientError) as refused:
        genai.models.generate_content(model=model, contents="x")
    assert (refused.value.code, refused.value.status) == (code, status)


def test_a_bad_request_is_a_400(cloud: LocalCloud) -> None:
    url = f"{cloud.base}/publishers/google/models/gemini-3.8-flash:generateContent"
    reply = cloud.http.post(url, json={"contents": [{"role": "system", "parts": [{"text": "x"}]}]})
    assert reply.status_code == 400
    assert reply.json()["error"] == {
        "code": 400,
        "message": "Please use a valid role: user, model.",
        "status": "INVALID_ARGUMENT",
    }
    empty_tool = {"contents": [{"role": "user", "parts": [{"text": "x"}]}], "tools": [{"googleSearch": {}}]}
    assert cloud.http.post(url, json=empty_tool).status_code == 200, "what breaks a batch may be fine here (facts 2.2)"


@pytest.mark.parametrize(
    ("model", "thinking", "served"),
    [
        ("gemini-4-argon", {"thinkingLevel": "HIGH"}, True),
        ("gemini-4-argon", {"thinkingBudget": 100}, False),
        ("gemini-4-argon", {"thinking_level": "low"}, True),
        ("gemini-3.5-flash-lite", {"thinkingLevel": "MINIMAL"}, True),
        ("gemini-3.8-flash", {"thinkingLevel": "MINIMAL"}, False),
        ("gemini-4-hydrogen", {"thinkingLevel": "XHIGH"}, True),
    ],
)
def test_thinking_by_model(cloud: LocalCloud, model: str, thinking: dict[str, Any], served: bool) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}], "generationConfig": {"thinkingConfig": thinking}}
    reply = cloud.http.post(f"{cloud.base}/publishers/google/models/{model}:generateContent", json=body)
    assert reply.status_code == (200 if served else 400), reply.text


def test_throttled(cloud: LocalCloud, genai: Any) -> None:
    cloud.switch(generate_429=1)
    with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
        genai.models.generate_content(model="gemini-3.8-flash", contents="x")
    assert genai.models.generate_content(model="gemini-3.8-flash", contents="x").text == "x"
