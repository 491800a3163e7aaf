"""Faults of rows and lines: what stands in the line, that only the struck ones differ, and how many were struck."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.local_cloud import LocalCloud, Plans, rows

SCHEMA = {
    "type": "OBJECT",
    "properties": {"naps": {"type": "BOOLEAN"}, "why": {"type": "STRING"}},
    "required": ["naps", "why"],
}
CONFIG = {"responseMimeType": "application/json", "responseSchema": SCHEMA}
COUNT = 12
EVERY = 4
STRUCK = ["k3", "k7", "k11"]
Line = dict[str, Any]


@pytest.fixture
def plans(cloud: LocalCloud) -> Iterator[Plans]:
    cloud.switch(total_missing_every=0)
    with Plans(cloud) as made:
        yield made


def keyed(got: list[Line]) -> dict[str, Line]:
    return {line["key"]: line for line in got}


def stable(line: Line) -> Line:
    """Without its time."""
    return {name: value for name, value in line.items() if name != "processed_time"}


@pytest.fixture
def struck(cloud: LocalCloud, plans: Plans) -> Callable[..., tuple[dict[str, Line], dict[str, Line]]]:
    """Runs a job with and without the fault on each fourth row: (struck lines, the same lines as they were)."""

    def run(kind: str, **parameters: Any) -> tuple[dict[str, Line], dict[str, Line]]:
        data = rows(COUNT, generationConfig=CONFIG)
        before = keyed(cloud.run(data)[1])
        plans.add("fault", kind, parameters, {"every": EVERY})
        after = keyed(cloud.run(data)[1])
        assert plans.strikes("fault") == len(STRUCK), "it struck"
        same = [key for key in before if stable(before[key]) == stable(after[key])]
        assert sorted(same) == sorted(before.keys() - set(STRUCK)), "and nothing else is changed"
        return {key: after[key] for key in STRUCK}, {key: before[key] for key in STRUCK}

    return run


Struck = Callable[..., tuple[dict[str, Line], dict[str, Line]]]


def candidate(line: Line) -> Line:
    found: Line = line["response"]["candidates"][0]
    return found


def texts(line: Line) -> list[str]:
    return [part["text"] for part in candidate(line)["content"].get("parts", []) if not part.get("thought")]


# Rows

FORMS = [
    ({"form": "role"}, 'Bad Request: {"error":{"code":400,"message":"Please use a valid role: user, model.",'),
    ({"form": "proto_invalid"}, "The GenerateContentRequest proto is invalid: * tools[0]"),
    ({"form": "bad_value"}, "Bad Request: {\"error\":{\"code\":400,\"message\":\"Invalid value at 'contents[0]."),
    ({"form": "provisioning"}, 'Bad Request: {"error":{"code":400,"message":"Service agents are being provisioned.'),
    ({"form": "cached_content"}, "Internal error occurred. Failed to get generateContentResponse: {"),
    ({"form": "resource_exhausted"}, 'RESOURCE_EXHAUSTED error occurred: {"error":{"code":429,'),
    ({"form": "cannot_fetch"}, 'Bad Request: {"error":{"code":400,"message":"Cannot fetch content'),
    ({"form": "unknown"}, "Something nobody has seen before went wrong"),
    ({"code": 429}, 'Too Many Requests: {"error":{"code":429,'),
    ({"code": 499}, 'Client Closed Request: {"error":{"code":499,'),
    ({"code": 504}, 'Gateway Timeout: {"error":{"code":504,'),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "status"), FORMS, ids=[str(next(iter(one.values()))) for one, _ in FORMS])
def test_failed_rows_with_every_prefix(struck: Struck, parameters: dict[str, Any], status: str) -> None:
    after, before = struck("row_failed", **parameters)
    for key, line in after.items():
        assert line["status"].startswith(status)
        assert line["response"] == {}
        assert line["request"] == before[key]["request"]


@pytest.mark.parametrize(("form", "expected"), [("absent", "no such field"), ("null", None)])
def test_failed_rows_without_a_response(struck: Struck, form: str, expected: object) -> None:
    after, _ = struck("row_failed", response=form)
    assert all(line.get("response", "no such field") == expected for line in after.values())


def test_blocked_prompts(struck: Struck) -> None:
    after, before = struck("prompt_blocked", reason="SAFETY")
    for key, line in after.items():
        assert line["response"]["promptFeedback"] == {"blockReason": "SAFETY"}
        assert "candidates" not in line["response"]
        prompt = before[key]["response"]["usageMetadata"]["promptTokenCount"]
        assert line["response"]["usageMetadata"]["totalTokenCount"] == prompt


@pytest.mark.parametrize(
    ("kind", "parameters", "reason", "extra"),
    [
        ("safety", {}, "SAFETY", "safetyRatings"),
        ("safety", {"reason": "SPII"}, "SPII", "safetyRatings"),
        ("recitation", {}, "RECITATION", "citationMetadata"),
        ("max_tokens", {"text": "none"}, "MAX_TOKENS", ""),
    ],
)
def test_stopped_without_text(struck: Struck, kind: str, parameters: dict[str, Any], reason: str, extra: str) -> None:
    after, before = struck(kind, **parameters)
    for key, line in after.items():
        assert candidate(line)["finishReason"] == reason
        assert texts(line) == []
        assert not extra or candidate(line)[extra]
        usage, old = (one["response"]["usageMetadata"] for one in (line, before[key]))
        assert "candidatesTokenCount" not in usage
        assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["thoughtsTokenCount"]
        assert (usage["totalTokenCount"] == old["totalTokenCount"]) is (reason == "MAX_TOKENS"), "eaten by thinking"


@pytest.mark.parametrize(
    ("kind", "reason"), [("max_tokens", "MAX_TOKENS"), ("continuation", "CONTINUATION"), ("json_cut", "STOP")]
)
def test_half_an_answer(struck: Struck, kind: str, reason: str) -> None:
    after, before = struck(kind)
    for key, line in after.items():
        (text,), (whole,) = texts(line), texts(before[key])
        assert 0 < len(text) < len(whole)
        assert whole.startswith(text)
        assert candidate(line)["finishReason"] == reason
        assert ("continuationToken" in candidate(line)) is (kind == "continuation")


def test_thoughts_first(struck: Struck) -> None:
    after, before = struck("thoughts_first", parts=3)
    for key, line in after.items():
        parts = candidate(line)["content"]["parts"]
        assert [part.get("thought", False) for part in parts] == [True, True, True, False]
        assert texts(line) == texts(before[key])


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("empty_list", {"role": "model", "parts": []}),
        ("no_parts", {"role": "model"}),
        ("empty_text", {"role": "model", "parts": [{"text": ""}]}),
        ("no_content", None),
    ],
)
def test_empty_parts(struck: Struck, form: str, content: object) -> None:
    after, _ = struck("empty_parts", form=form)
    for line in after.values():
        assert (candidate(line)["finishReason"], candidate(line).get("content")) == ("STOP", content)


@pytest.mark.parametrize(("prose", "lead"), [(False, ""), (True, "Here is the answer:\n")])
def test_json_in_fences(struck: Struck, prose: bool, lead: str) -> None:
    after, before = struck("fenced", prose=prose)
    for key, line in after.items():
        assert texts(line) == [f"{lead}```json\n{texts(before[key])[0]}\n```"]


@pytest.mark.parametrize("form", ["wrong_type", "missing_field", "extra_field", "list"])
def test_valid_json_that_breaks_the_schema(struck: Struck, form: str) -> None:
    after, before = struck("breaks_schema", form=form)
    for key, line in after.items():
        found, right = json.loads(texts(line)[0]), json.loads(texts(before[key])[0])
        expected = {
            "wrong_type": {**right, "naps": {"instead_of": right["naps"]}},
            "missing_field": {"why": right["why"]},
            "extra_field": {**right, "nobody_asked": True},
            "list": [right],
        }
        assert found == expected[form]


def test_another_model(struck: Struck) -> None:
    after, _ = struck("other_model", model="gemini-3.5-flash")
    assert {line["response"]["modelVersion"] for line in after.values()} == {"gemini-3.5-flash@local-stand-in"}


# Lines


def run(cloud: LocalCloud, plans: Plans, kind: str, **parameters: Any) -> tuple[list[Line], list[Line]]:
    """(lines with the fault on each fourth row, lines without)"""
    data = rows(COUNT, generationConfig=CONFIG)
    before = cloud.run(data)[1]
    plans.add("fault", kind, parameters, {"every": EVERY})
    return cloud.run(data)[1], before


@pytest.mark.parametrize(("kind", "moved"), [("answers_swapped", "response"), ("keys_swapped", "key")])
def test_swaps(cloud: LocalCloud, plans: Plans, kind: str, moved: str) -> None:
    cloud.switch(shuffle=False)
    after, before = run(cloud, plans, kind)
    assert plans.strikes("fault") == 3
    for place, line in enumerate(after):
        neighbour = {2: 3, 3: 2, 6: 7, 7: 6, 10: 11, 11: 10}.get(place, place)
        assert line[moved] == before[neighbour][moved]
        assert line["request"] == before[place]["request"]


def test_the_first_row_of_a_chunk_is_swapped_with_the_next(cloud: LocalCloud, plans: Plans) -> None:
    cloud.switch(shuffle=False)
    plans.add("fault", "keys_swapped", scope={"rows": [1]})
    assert [line["key"] for line in cloud.run(rows(4))[1]] == ["k1", "k0", "k2", "k3"]


def test_missing_lines(cloud: LocalCloud, plans: Plans) -> None:
    after, before = run(cloud, plans, "line_missing")
    assert sorted(keyed(before).keys() - keyed(after)) == sorted(STRUCK)
    assert len(after) == COUNT - 3
    assert plans.strikes("fault") == 3
    assert cloud.journal()["served_again"].get("k3"), "they were served"


def test_repeated_lines(cloud: LocalCloud, plans: Plans) -> None:
    after, _ = run(cloud, plans, "line_repeated", copies=3)
    for key in STRUCK:
        same = [line for line in after if line["key"] == key]
        assert len(same) == 3
        assert same[0] == same[1] == same[2]
    assert (len(after), plans.strikes("fault")) == (COUNT + 6, 3)


@pytest.mark.parametrize("later_s", [1.0, -5.0])
def test_repeated_with_another_answer(cloud: LocalCloud, plans: Plans, later_s: float) -> None:
    after, before = run(cloud, plans, "line_repeated_otherwise", later_s=later_s)
    assert (len(after), plans.strikes("fault")) == (COUNT + 3, 3)
    for key in STRUCK:
        right = keyed(before)[key]["response"]
        ones = [line for line in after if line["key"] == key]
        first = next(line for line in ones if line["response"] == right)
        second = next(line for line in ones if line["response"] != right)
        assert first["request"] == second["request"]
        assert (second["processed_time"] > first["processed_time"]) is (later_s > 0)


def test_key_as_number(cloud: LocalCloud, plans: Plans) -> None:
    after, _ = run(cloud, plans, "key_as_number")
    assert sorted(line["key"] for line in after if isinstance(line["key"], int)) == [3, 7, 11]
    assert plans.strikes("fault") == 3


def test_key_missing(cloud: LocalCloud, plans: Plans) -> None:
    after, _ = run(cloud, plans, "key_missing")
    without = [line for line in after if "key" not in line]
    assert (len(without), plans.strikes("fault")) == (3, 3)
    assert all(line["request"] and line["response"] for line in without)


@pytest.mark.parametrize(("case", "name"), [("snake", "system_instruction"), ("camel", "systemInstruction")])
def test_echo_normalised(struck: Struck, case: str, name: str) -> None:
    after, _ = struck("echo_normalised", case=case, nulls="all")
    for line in after.values():
        assert line["request"][name] is None
        assert line["request"]["contents"][0]["parts"][0]["text"].startswith("Record")


def test_echo_missing(struck: Struck) -> None:
    after, _ = struck("echo_missing")
    assert all("request" not in line and line["response"] for line in after.values())


def test_unknown_fields(struck: Struck) -> None:
    after, before = struck("unknown_fields")
    for key, line in after.items():
        assert line.keys() - before[key].keys() == {"score", "annotations"}
        assert line["response"].keys() - before[key]["response"].keys() == {"createTime", "provenance"}
        assert texts(line) == texts(before[key])


@pytest.mark.parametrize(
    ("kind", "error"),
    [("half_line", json.JSONDecodeError), ("not_json", json.JSONDecodeError), ("invalid_utf8", UnicodeDecodeError)],
)
def test_lines_that_cannot_be_read(cloud: LocalCloud, plans: Plans, kind: str, error: type[Exception]) -> None:
    plans.add("fault", kind, scope={"keys": ["k1", "k5"]})
    made = cloud.create(rows(8)).json()["name"]
    raw = cloud.output(cloud.wait(made)).split(b"\n")
    bad = 0
    for line in raw[:-1]:
        try:
            json.loads(line.decode("utf-8"))
        except error:
            bad += 1
    assert (len(raw), raw[-1], bad, plans.strikes("fault")) == (9, b"", 2, 2)


def test_several_plans_on_one_line_act_in_the_order_of_the_page(cloud: LocalCloud, plans: Plans) -> None:
    plans.add("c", "half_line", scope={"rows": [2]})
    plans.add("b", "line_repeated", scope={"rows": [2]})
    plans.add("a", "fenced", scope={"rows": [2]})
    made = cloud.create(rows(3)).json()["name"]
    broken = 0
    for line in cloud.output(cloud.wait(made)).splitlines():
        try:
            json.loads(line)
        except json.JSONDecodeError:
            broken += 1
    assert broken == 2, "doubled first, then each copy cut"
    assert [plans.strikes(name) for name in "abc"] == [1, 1, 2]


def test_chance_with_a_seed_strikes_the_same_rows_every_time(cloud: LocalCloud, plans: Plans) -> None:
    def hit(seed: int) -> list[str]:
        plans.add("some", "key_missing", when={"probability": 0.3, "seed": seed})
        texts_of = (
            line["request"]["contents"][0]["parts"][0]["text"] for line in cloud.run(rows(60))[1] if "key" not in line
        )
        return sorted(texts_of)

    first = hit(1)
    assert hit(1) == first != hit(2)
    assert 8 < len(first) < 30
