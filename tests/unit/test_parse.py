"""One line of output, typed: documented lines, and whatever else may come, as a Reply or as no line."""

import contextlib
import json
from typing import Any, Final

import orjson
import pytest
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from overnight.answers.parse import NotALineError, Reply, parse_line
from overnight.core.outcome import ProblemKind
from overnight.core.usage import NO_USAGE, Usage
from tests.support.output_lines import VECTORS, Vector, candidate, response


def parse(**fields: Any) -> Reply:
    return parse_line(orjson.dumps(fields))


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vector(vector: Vector) -> None:
    reply = parse_line(vector.data)
    assert (reply.problem, reply.text, reply.finish_reason) == (vector.problem, vector.text, vector.finish)
    assert vector.said in reply.detail
    assert bool(reply.detail) == (vector.problem is not None), "a problem says why, an answer has nothing to say"
    assert (reply.key, reply.echo, reply.processed_time) == ("k1", "Naps?", "2026-11-01T02:03:04.5Z")


@pytest.mark.parametrize("reason", [member.value for member in types.FinishReason])
def test_no_finish_reason_of_googles_client_but_stop_is_an_answer(reason: str) -> None:
    fine = reason in {"STOP", "FINISH_REASON_UNSPECIFIED"}
    assert (parse(**response({"text": "{}"}, finish=reason)).problem is None) == fine


class TestEcho:
    @pytest.mark.parametrize(
        ("request_", "echo"),
        [
            ({"contents": [{"parts": [{"text": "a"}, {"text": "b"}]}]}, "ab"),
            (
                {"contents": [{"parts": [{"text": "a", "fileData": None}], "role": None}], "systemInstruction": None},
                "a",
            ),
            ({"contents": [{"parts": [{"text": "old"}]}, {"parts": [{"text": "last turn"}]}]}, "last turn"),
            ({"contents": [{"parts": [{"text": ""}]}]}, ""),
            ({"contents": [{"parts": [{"text": "a"}], "role": 7}]}, "a"),
            ({"contents": [{"parts": [{"text": "a", "thought": "no"}, 7, {"text": 8}, {"text": "b"}]}]}, "ab"),
            ({"contents": [{"parts": {"text": "a"}}]}, "a"),
            ({"contents": {"parts": [{"text": "a"}]}}, "a"),
            ({"contents": []}, None),
            ({"contents": [{"parts": []}]}, None),
            ({"contents": [{"parts": [{"text": None}]}]}, None),
            ({"contents": ["a"]}, None),
            ({"contents": "a"}, None),
            ({}, None),
            (None, None),
            ("a", None),
            ([{"contents": []}], None),
        ],
        ids=str,
    )
    def test_the_texts_of_the_last_turn_joined(self, request_: object, echo: str | None) -> None:
        """An odd field beside the text must not lose the text: then nothing would check whose answer it is."""
        assert parse(request=request_, **response({"text": "{}"})).echo == echo


class TestKey:
    @pytest.mark.parametrize("key", ["k1", "", 7, 0, 1.5, None, True, ["k1"], {"k": 1}])
    def test_it_is_given_as_it_came(self, key: object) -> None:
        assert parse(key=key, **response({"text": "{}"})).key == key


class TestUsage:
    FULL: Final = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 40,
        "thoughtsTokenCount": 30,
        "candidatesTokenCount": 7,
    }

    def usage(self, metadata: object) -> Usage:
        return parse(response={**candidate({"text": "{}"}), "usageMetadata": metadata}).usage

    @pytest.mark.parametrize(
        ("metadata", "usage"),
        [
            (FULL, Usage(100, 40, 30, 7)),
            (
                {**FULL, "totalTokenCount": None, "trafficType": "ON_DEMAND", "promptTokensDetails": []},
                Usage(100, 40, 30, 7),
            ),
            ({"promptTokenCount": 100, "candidatesTokenCount": 7}, Usage(100, 0, 0, 7)),
            ({"promptTokenCount": 100}, Usage(100, 0, 0, 0)),
            ({"promptTokenCount": 0}, Usage(0, 0, 0, 0)),
            ({key: str(count) for key, count in FULL.items()}, Usage(100, 40, 30, 7)),
            ({key: float(count) for key, count in FULL.items()}, Usage(100, 40, 30, 7)),
            ({"candidatesTokenCount": 7}, NO_USAGE),
            ({**FULL, "promptTokenCount": None}, NO_USAGE),
            ({**FULL, "promptTokenCount": -1}, NO_USAGE),
            ({**FULL, "thoughtsTokenCount": -1}, NO_USAGE),
            ({**FULL, "thoughtsTokenCount": 2**60}, NO_USAGE),
            ({**FULL, "promptTokenCount": 1.5}, NO_USAGE),
            ({**FULL, "promptTokenCount": "many"}, NO_USAGE),
            ({}, NO_USAGE),
            (None, NO_USAGE),
            ([100], NO_USAGE),
        ],
        ids=str,
    )
    def test_counts_as_said_and_nothing_made_up(self, metadata: object, usage: Usage) -> None:
        """A count nobody said is never zero: a bill would be short. Protobuf leaves zeros out, so what stands beside a
        prompt count and is absent is zero."""
        assert self.usage(metadata) == usage

    def test_odd_counts_do_not_lose_the_answer(self) -> None:
        reply = parse(response={**candidate({"text": "{}"}), "usageMetadata": {"promptTokenCount": "many"}})
        assert (reply.problem, reply.text, reply.model_version) == (None, "{}", "gemini-3.8-flash")


class TestOddAnswers:
    def test_a_finish_reason_of_another_type_is_never_a_good_end(self) -> None:
        for finish in (True, 1.0, ["STOP"], {"name": "STOP"}):
            reply = parse(**response({"text": "{}"}, finish=finish))
            assert reply.problem is not None, finish

    def test_the_first_candidate_counts_and_no_other_takes_its_place(self) -> None:
        answer = candidate({"text": "{}"})["candidates"][0]
        assert parse(response={"candidates": [7, answer]}).problem is ProblemKind.SERVICE_ERROR
        assert parse(response={"candidates": [{**answer, "finishReason": []}, answer]}).problem is not None

    def test_a_thought_marked_in_another_type_is_still_a_thought(self) -> None:
        for mark in ("true", 1, "yes"):
            assert parse(**response({"text": "hm", "thought": mark}, {"text": "{}"})).text == "{}"


NO_LINES = [
    b"", b" ", b"\n", b"{", b'{"key":"k1","response":{"cand', b"not json", b"[]", b'["k1"]', b"null", b"7", b'"text"',
    b'{"status": NaN}', b'{"key": "caf\xe9"}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"{}{}", b"{} x",
    b'{"key":"\\ud800"}', b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * 100_000, b"{'key': 1}",
    b'{"response":{"usageMetadata":{"promptTokenCount":1' + b"0" * 5000 + b"}}}",
]  # fmt: skip


@pytest.mark.parametrize("data", NO_LINES, ids=lambda data: repr(data[:30]))
def test_what_is_no_line_says_so(data: bytes) -> None:
    with pytest.raises(NotALineError):
        parse_line(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def or_odd(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object of these fields, some of them left out, each possibly of any JSON at all; or any JSON at all."""
    odd = {name: st.one_of(field, field, JSON) for name, field in fields.items()}
    return st.one_of(st.fixed_dictionaries({}, optional=odd), st.fixed_dictionaries(odd), JSON)


CONTENTS = or_odd(parts=st.lists(or_odd(text=st.text(), thought=st.booleans()), max_size=3), role=st.just("user"))
CANDIDATES = or_odd(content=CONTENTS, finishReason=st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY", 1, 2, 77]))
COUNTS = or_odd(promptTokenCount=st.integers(), thoughtsTokenCount=st.integers(), candidatesTokenCount=st.integers())
FEEDBACK = or_odd(blockReason=st.just("SAFETY"), blockReasonMessage=st.text())
RESPONSES = or_odd(
    candidates=st.lists(CANDIDATES, max_size=2), usageMetadata=COUNTS, promptFeedback=FEEDBACK, modelVersion=st.text()
)


def status_of(code: object) -> str:
    return f"Bad Request: {json.dumps({'error': {'code': code}})}"


STATUS = st.one_of(st.just(""), st.text(), JSON.map(status_of))
LINES = or_odd(
    key=st.text(),
    status=STATUS,
    processed_time=st.text(),
    request=or_odd(contents=st.lists(CONTENTS)),
    response=RESPONSES,
)


def is_sound(reply: Reply) -> None:
    assert reply.echo is None or isinstance(reply.echo, str)
    assert all(isinstance(text, str) for text in (reply.text, reply.detail, reply.model_version, reply.finish_reason))
    assert isinstance(reply.processed_time, str)
    assert reply.problem is None or reply.detail
    assert reply.problem is not None or reply.text.strip()
    for count in (reply.usage.prompt, reply.usage.cached, reply.usage.thinking, reply.usage.answer):
        assert count is None or 0 <= count < 2**63


@given(st.binary())
def test_any_bytes_are_a_reply_or_no_line(data: bytes) -> None:
    with contextlib.suppress(NotALineError):
        is_sound(parse_line(data))


@given(LINES)
def test_any_json_object_is_a_reply(value: object) -> None:
    try:
        is_sound(parse_line(json.dumps(value).encode()))
    except NotALineError:
        assert not isinstance(value, dict)


@given(st.sampled_from(VECTORS), st.data())
def test_half_a_line_is_no_line(vector: Vector, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(vector.data) - 1))
    with pytest.raises(NotALineError):
        parse_line(vector.data[:cut])
