"""An answer's text against the schema that was sent: its compact JSON, or what is wrong and where."""

import json
import keyword
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overnight.answers.validate import Checked, validator
from overnight.core.outcome import ProblemKind
from tests.support.recipes import NAMES, SCHEMAS


def obj(optional: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    names = list(properties)
    required = [name for name in names if name not in optional]
    return {"type": "object", "properties": properties, "propertyOrdering": names, "required": required}


STRING = {"type": "string"}
REVIEW = obj(
    complaint={"type": "string", "nullable": True},
    severity={"type": "string", "enum": ["none", "major"]},
    stars={"type": "integer", "minimum": 1, "maximum": 5},
    share={"type": "number", "minimum": 0, "maximum": 1.5},
    broken={"type": "boolean"},
    parts={"type": "array", "items": obj(name={"type": "string", "maxLength": 4}), "minItems": 1, "maxItems": 2},
)
GOOD: dict[str, Any] = {
    "complaint": None,
    "severity": "none",
    "stars": 5,
    "share": 0.5,
    "broken": False,
    "parts": [{"name": "lid"}],
}
check = validator(REVIEW)


def checked(**changed: Any) -> Checked:
    return check(json.dumps({**GOOD, **changed}))


def test_a_good_answer_is_compact_json_in_schema_order() -> None:
    backwards = json.dumps(dict(reversed(GOOD.items())), indent=4)
    assert check(backwards) == Checked(None, orjson.dumps(GOOD))


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"complaint": 7}, "Expected `str | null`, got `int` - at `$.complaint`"),
        ({"severity": "minor"}, "Invalid enum value 'minor' - at `$.severity`"),
        ({"severity": "None"}, "Invalid enum value 'None' - at `$.severity`"),
        ({"severity": None}, "- at `$.severity`"),
        ({"stars": 0}, "Expected `int` >= 1 - at `$.stars`"),
        ({"stars": 6}, "Expected `int` <= 5 - at `$.stars`"),
        ({"stars": 1.5}, "Expected `int`, got `float` - at `$.stars`"),
        ({"stars": "5"}, "Expected `int`, got `str` - at `$.stars`"),
        ({"stars": True}, "Expected `int`, got `bool` - at `$.stars`"),
        ({"share": 1.51}, "Expected `float` <= 1.5 - at `$.share`"),
        ({"share": -0.1}, "Expected `float` >= 0.0 - at `$.share`"),
        ({"broken": 0}, "Expected `bool`, got `int` - at `$.broken`"),
        ({"parts": []}, "Expected `array` of length >= 1 - at `$.parts`"),
        ({"parts": [{"name": "a"}] * 3}, "Expected `array` of length <= 2 - at `$.parts`"),
        ({"parts": {"name": "a"}}, "Expected `array`, got `object` - at `$.parts`"),
        ({"parts": [{"name": "a"}, {}]}, "Object missing required field `name` - at `$.parts[1]`"),
        ({"parts": [{"name": "lidlid"}]}, "Expected `str` of length <= 4 - at `$.parts[0].name`"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_its_path(changed: dict[str, Any], detail: str) -> None:
    found = checked(**changed)
    assert (found.problem, found.answer) == (ProblemKind.INVALID, b"")
    assert detail in found.detail


@pytest.mark.parametrize(
    "changed",
    [{"stars": 1}, {"stars": 5}, {"share": 0}, {"share": 1.5}, {"share": 1}, {"complaint": ""}, {"complaint": "x"},
     {"parts": [{"name": "lid2"}, {"name": ""}]}],
    ids=str,
)  # fmt: skip
def test_bounds_are_inclusive(changed: dict[str, Any]) -> None:
    assert orjson.loads(checked(**changed).answer) == {**GOOD, **changed}


@pytest.mark.parametrize("name", list(GOOD))
def test_a_field_left_out_is_named_unless_it_may_be_null(name: str) -> None:
    found = check(json.dumps({key: value for key, value in GOOD.items() if key != name}))
    if name == "complaint":
        assert orjson.loads(found.answer) == {key: value for key, value in GOOD.items() if key != name}
    else:
        assert found.detail == f"Object missing required field `{name}`"


def test_what_was_not_asked_for_is_left_out_at_every_level() -> None:
    more = {**GOOD, "confidence": 0.9, "parts": [{"name": "lid", "extra": {"deep": [1]}}]}
    assert orjson.loads(check(json.dumps(more)).answer) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "```json\n{}\n```", "```\n{}\n```", "  ```JSON \n{}\n  ```  \n", "\n```json\r\n{}\n\n```\n", "```json\n{}```",
        " {} ", "\n{}\n",
    ],
)  # fmt: skip
def test_fences_and_space_around_an_answer_are_read_past(text: str) -> None:
    assert check(text.replace("{}", json.dumps(GOOD))) == checked()


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "```", "``````", "```json\n```", "```json\n{}", "{}\n```", "Here it is:\n```json\n{}\n```",
        "```json\n{}\n```\nDone.",
        "```a b\n{}\n```", "{} {}", "{", "The answer is yes.", "{'a': 1}", "{}}", "\ufeff{}",
    ],
)  # fmt: skip
def test_what_is_no_json_is_malformed_and_shows_how_it_begins(text: str) -> None:
    full = text.replace("{}", json.dumps(GOOD))
    found = check(full)
    assert (found.problem, found.answer) == (ProblemKind.MALFORMED, b"")
    assert repr(full[:80]) in found.detail


@pytest.mark.parametrize("text", ["[]", "null", '"x"', "7", "true"])
def test_json_of_another_kind_is_invalid(text: str) -> None:
    assert check(text).problem is ProblemKind.INVALID


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400, "1" + "0" * 6000]
)
def test_no_number_that_is_none_gets_in(number: str) -> None:
    loose = validator(obj(n={"type": "number"}, i={"type": "integer", "nullable": True}))
    for text in (f'{{"n":{number},"i":1}}', f'{{"n":1,"i":{number}}}'):
        found = loose(text)
        assert found.problem in {ProblemKind.MALFORMED, ProblemKind.INVALID}, text[:40]
        assert found.answer == b""


@pytest.mark.parametrize(
    ("number", "fits"), [(2**63 - 1, True), (2**63, False), (-(2**63) + 1, True), (-(2**64), False)]
)
def test_an_integer_fits_64_bits_as_tables_do(number: int, fits: bool) -> None:
    """A longer one would be a float in the results, or end the writing of a Parquet file."""
    found = validator(obj(i={"type": "integer"}))(f'{{"i":{number}}}')
    assert (found.problem is None) == fits
    if fits:
        assert orjson.loads(found.answer) == {"i": number}


@pytest.mark.parametrize(
    "name", [*keyword.kwlist, *keyword.softkwlist, "self", "cls", "__init__", "msgspec", "f0", "f1"]
)
def test_any_name_may_be_a_field(name: str) -> None:
    names = [name, f"{name}_", f"_{name}", name * 2]
    value = {each: f"value of {each}" for each in names}
    found = validator(obj(**dict.fromkeys(names, STRING)))(json.dumps(value))
    assert orjson.loads(found.answer) == value


def test_the_types_may_be_written_in_upper_case() -> None:
    upper = {"type": "OBJECT", "properties": {"a": {"type": "ARRAY", "items": {"type": "STRING", "enum": ["x"]}}}}
    assert validator(upper)('{"a":["x"]}').answer == b'{"a":["x"]}'
    assert validator(upper)('{"a":["y"]}').problem is ProblemKind.INVALID


def test_a_field_that_is_not_required_may_be_missing_and_then_is() -> None:
    free = validator(obj(("b",), a=STRING, b=STRING))
    assert free('{"a":"x"}').answer == b'{"a":"x"}'
    assert free('{"a":"x","b":null}').problem is ProblemKind.INVALID
    assert free('{"b":"x"}').problem is ProblemKind.INVALID


def test_texts_of_an_answer_come_through_whole() -> None:
    text = "“Naps” \\ / \u2028 \x00 \ud83d\ude34 睡眠 </script>".encode("utf-16", "surrogatepass").decode("utf-16")
    assert orjson.loads(checked(complaint=text).answer)["complaint"] == text


@pytest.mark.parametrize("text", ['{"a":' * 10_000, "[" * 100_000, '{"x":' * 5000 + "1" + "}" * 5000])
def test_nesting_without_end_is_a_problem_and_no_crash(text: str) -> None:
    assert check(text).problem in {ProblemKind.MALFORMED, ProblemKind.INVALID}


def test_half_a_surrogate_pair_is_malformed() -> None:
    assert check('{"complaint":"\\ud83d"}').problem is ProblemKind.MALFORMED


@pytest.mark.timeout(10)
def test_a_degenerate_answer_of_blanks_takes_no_time() -> None:
    """Models fall into endless line breaks; a pattern that tries every place for the closing fence takes minutes."""
    assert check("```json\n" + " \n" * 200_000 + "{").problem is ProblemKind.MALFORMED


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Answers a schema of ours asks for."""
    if schema["type"] == "object":
        made: st.SearchStrategy[Any] = st.fixed_dictionaries({k: values(v) for k, v in schema["properties"].items()})
    elif schema["type"] == "array":
        made = st.lists(values(schema["items"]), max_size=2)
    elif schema["type"] == "integer":
        made = st.integers(schema.get("minimum"), schema.get("maximum"))
    elif schema["type"] == "number":
        made = st.floats(allow_nan=False, allow_infinity=False)
    elif schema["type"] == "boolean":
        made = st.booleans()
    else:
        made = st.sampled_from(schema["enum"]) if "enum" in schema else st.text(max_size=9)
    return st.none() | made if schema.get("nullable") else made


@given(st.data(), SCHEMAS)
def test_every_answer_a_schema_asks_for_comes_through_whole(data: st.DataObject, schema: dict[str, Any]) -> None:
    answer = data.draw(values(schema))
    found = validator(schema)(json.dumps(answer))
    assert found.problem is None, found.detail
    assert orjson.loads(found.answer) == answer


@given(SCHEMAS, st.one_of(st.text(), st.dictionaries(NAMES, st.text() | st.floats() | st.none()).map(json.dumps)))
def test_any_text_is_an_answer_or_a_problem_with_its_reason(schema: dict[str, Any], text: str) -> None:
    found = validator(schema)(text)
    if found.problem is None:
        assert orjson.loads(found.answer) is not None
        assert all(not isinstance(v, float) or math.isfinite(v) for v in orjson.loads(found.answer).values())
    else:
        assert found.problem in {ProblemKind.MALFORMED, ProblemKind.INVALID}
        assert found.detail
        assert found.answer == b""
