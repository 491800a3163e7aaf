"""The stand-in: what it answers fits the schema, is the same each time, and quotes the text."""

import json
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from overnight.localcloud.standin.prompt import read_prompt
from overnight.localcloud.standin.responder import StandIn
from overnight.localcloud.standin.words import sentences

RECORD = """Night-shift nurses were randomised to a planned nap or to no nap. Alertness was measured at 6 am.
Nurses who napped at night were more alert. No adverse events were seen. The median age was 34 years."""
CRITERIA = """- night_shift (include): The people studied worked at night.
- planned_nap (include): A planned nap is compared with something else.
- adverse (exclude): adverse events were seen
- surgeons (include): orthopaedic trainees performing arthroscopy"""
VERDICT = {
    "type": "OBJECT",
    "properties": {
        "verdict": {"type": "STRING", "enum": ["met", "not_met", "not_stated", "unclear"]},
        "quote": {"type": "STRING"},
        "reason": {"type": "STRING"},
    },
    "propertyOrdering": ["quote", "reason", "verdict"],
}


def request(prompt: str, schema: Any = None, **config: Any) -> dict[str, Any]:
    wanted = {"responseMimeType": "application/json", "responseSchema": schema} if schema is not None else {}
    return {
        "contents": [{"role": "user", "parts": [{"text": prompt}]}],
        "systemInstruction": {"parts": [{"text": CRITERIA}]},
        "generationConfig": {**wanted, **config},
    }


def answer(prompt: str, schema: Any = None, **config: Any) -> Any:
    text = StandIn().answer("gemini-3.8-flash", request(prompt, schema, **config), "MEDIUM").text
    return json.loads(text) if schema is not None else text


def screen(record: str) -> dict[str, dict[str, str]]:
    names = ("night_shift", "planned_nap", "adverse", "surgeons")
    schema = {"type": "OBJECT", "properties": dict.fromkeys(names, VERDICT)}
    found: dict[str, dict[str, str]] = answer(f"Screen this.\n<record>\n{record}\n</record>", schema)
    return found


def test_verdicts() -> None:
    found = screen(RECORD)
    assert found["adverse"]["verdict"] == "not_met"
    assert found["adverse"]["quote"] == "No adverse events were seen."
    assert found["surgeons"] == {"quote": "", "reason": "No sentence speaks of this.", "verdict": "not_stated"}
    assert list(found["adverse"]) == ["quote", "reason", "verdict"], "in propertyOrdering"
    clear = screen("The people studied all worked at night.")
    assert clear["night_shift"]["verdict"] == "met"


def test_about_two_quotes_in_a_hundred_are_altered() -> None:
    records = [f"The {number} people studied worked at night in ward {number}." for number in range(1000)]
    found = [(record, screen(record)["night_shift"]) for record in records]
    quoted = [(record, one["quote"]) for record, one in found if one["verdict"] == "met"]
    assert len(quoted) > 900
    altered = sum(quote not in record for record, quote in quoted)
    assert 5 <= altered <= 45


def test_the_text_asked_about() -> None:
    assert read_prompt(request("A <record id='1'>one</record> B <record>two</record>")).record == "one\ntwo"
    assert read_prompt(request("Which?\n<review>the long review text</review>")).record == "the long review text"
    assert (
        read_prompt(request("Short.\n\nThe longest paragraph of all.\n\nEnd.")).record
        == "The longest paragraph of all."
    )
    assert "Short." in read_prompt(request("Short.\n\nThe longest paragraph of all.\n\nEnd.")).frame
    assert read_prompt(request("")).record == ""


def test_without_a_schema_it_extracts() -> None:
    text = answer(f"<record>{RECORD}</record>")
    assert text in RECORD
    assert json.loads(
        StandIn().answer("m", request("<record>One. Two.</record>", responseMimeType="application/json"), "LOW").text
    )


def test_thinking_tokens_follow_the_level() -> None:
    def mean(level: str) -> float:
        thinking = {"thinkingConfig": {"thinkingLevel": level}}
        replies = [StandIn().answer("m", request(f"text {number}", **thinking), "MEDIUM") for number in range(60)]
        return sum(reply.thinking_tokens for reply in replies) / 60

    means = {level: mean(level) for level in ("MINIMAL", "LOW", "MEDIUM", "HIGH")}
    for level, expected in (("MINIMAL", 20), ("LOW", 150), ("MEDIUM", 500), ("HIGH", 1500)):
        assert 0.8 * expected < means[level] < 1.2 * expected
    budget = StandIn().answer("m", request("text", thinkingConfig={"thinking_budget": 100}), "MEDIUM")
    assert 0 < budget.thinking_tokens <= 100
    assert StandIn().answer("m", request("text", thinkingConfig={"thinkingBudget": 0}), "MEDIUM").thinking_tokens == 0


@given(st.text(max_size=400))
def test_sentences_are_verbatim_and_complete(text: str) -> None:
    found = sentences(text)
    place = 0
    for sentence in found:
        place = text.index(sentence, place) + len(sentence)
    assert "".join("".join(found).split()) == "".join(text.split())


NAMES = st.sampled_from(["topic", "size_n", "is_rct", "outcome", "score"])
BOUNDS = st.tuples(st.integers(-50, 50), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
LEAVES = st.one_of(
    st.builds(lambda nullable: {"type": "STRING", "nullable": nullable}, st.booleans()),
    st.builds(lambda length: {"type": "string", "maxLength": length}, st.integers(0, 30)),
    st.builds(
        lambda labels: {"type": "STRING", "enum": labels},
        st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4),
    ),
    st.builds(
        lambda kind, ends: {"type": kind, "minimum": ends[0], "maximum": ends[1]},
        st.sampled_from(["INTEGER", "NUMBER"]),
        BOUNDS,
    ),
    st.just({"type": "BOOLEAN"}),
    st.just({"type": ["integer", "null"]}),
    st.just({"anyOf": [{"type": "string"}, {"type": "null"}]}),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda items, low, more: {"type": "ARRAY", "items": items, "minItems": low, "maxItems": low + more},
            inner,
            st.integers(0, 2),
            st.integers(0, 2),
        ),
        st.builds(
            lambda properties: {"type": "OBJECT", "properties": properties},
            st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=6,
)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """An independent reading of the schema, for what the strategy makes."""
    if value is None:
        kinds = schema.get("type")
        return bool(schema.get("nullable") or "anyOf" in schema or (isinstance(kinds, list) and "null" in kinds))
    if "anyOf" in schema:
        return isinstance(value, str)
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"].lower()
    if kind == "object":
        inner = schema["properties"]
        return list(value) == list(inner) and all(fits(value[name], inner[name]) for name in inner)
    if kind == "array":
        return schema["minItems"] <= len(value) <= schema["maxItems"] and all(
            fits(one, schema["items"]) for one in value
        )
    if kind == "string":
        return isinstance(value, str) and len(value) <= schema.get("maxLength", 10_000)
    if kind == "boolean":
        return isinstance(value, bool)
    numeric = isinstance(value, int) if kind == "integer" else isinstance(value, (int, float))
    return numeric and schema.get("minimum", -1e9) <= value <= schema.get("maximum", 1e9)


@settings(max_examples=150, deadline=None)
@given(SCHEMAS, st.text(max_size=200))
def test_every_answer_fits_its_schema_and_is_the_same_again(schema: dict[str, Any], text: str) -> None:
    value = answer(f"<record>{text} 12.5 or 30.</record>", schema)
    assert fits(value, schema), value
    assert answer(f"<record>{text} 12.5 or 30.</record>", schema) == value


def test_what_stands_before_the_record_is_the_prefix_and_luck_is_of_the_request() -> None:
    same = "Screen this, and mind the rules.\n<record>\n"
    replies = [StandIn().answer("m", request(f"{same}Text number {n}.\n</record>"), "MEDIUM") for n in range(200)]
    assert {reply.prefix_tokens for reply in replies} == {(len(CRITERIA) + len(same) + 3) // 4}
    assert 120 < sum(reply.luck < 0.7 for reply in replies) < 160
    again = StandIn().answer("m", request(f"{same}Text number 7.\n</record>"), "MEDIUM")
    assert again == replies[7]
