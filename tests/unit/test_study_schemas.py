"""Answer schemas: in the dialect batch takes, and inside the importer's rules as our linter knows them."""

from typing import Any

import pytest

from overnight.requests.lint import Linter
from overnight.requests.render import Renderer
from overnight.study.models import AskSpec, Criterion, FieldSpec, ScreenSpec
from overnight.study.recipes import ask_recipe
from overnight.study.schemas import (
    LEVELS_ABOVE,
    MAX_SCHEMA_DEPTH,
    adjudicate_schema,
    answer_schema,
    schema_depth,
    screen_schema,
)
from overnight.study.screen_recipes import adjudicate_recipe, screen_recipe

SCREEN = ScreenSpec(
    question="Do naps help?",
    include=(Criterion(id="night", ask="Works at night.", kind="include", if_silent="unclear"),),
    exclude=(Criterion(id="review", ask="Is a review.", kind="exclude", if_silent="not_met"),),
)

FIELDS = {
    "complaint": FieldSpec(type="string", nullable=True, description="in the reviewer's words", max_length=400),
    "severity": FieldSpec(type="string", enum=("none", "minor")),
    "stars": FieldSpec(type="integer", minimum=1, maximum=5),
    "type": FieldSpec(type="number", maximum=0.5),
    "parts": FieldSpec(
        type="array",
        max_items=3,
        items=FieldSpec(
            type="object", properties={"name": FieldSpec(type="string"), "broken": FieldSpec(type="boolean")}
        ),
    ),
}


def test_answer_schema_whole() -> None:
    assert answer_schema(FIELDS) == {
        "type": "object",
        "properties": {
            "complaint": {
                "type": "string",
                "description": "in the reviewer's words",
                "nullable": True,
                "maxLength": 400,
            },
            "severity": {"type": "string", "enum": ["none", "minor"]},
            "stars": {"type": "integer", "minimum": 1, "maximum": 5},
            "type": {"type": "number", "maximum": 0.5},
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "broken": {"type": "boolean"}},
                    "propertyOrdering": ["name", "broken"],
                    "required": ["name", "broken"],
                },
                "maxItems": 3,
            },
        },
        "propertyOrdering": ["complaint", "severity", "stars", "type", "parts"],
        "required": ["complaint", "severity", "stars", "type", "parts"],
    }


@pytest.mark.parametrize(
    ("schema", "whole"),
    [
        (screen_schema(SCREEN), ["rationale", "decision"]),
        (adjudicate_schema(SCREEN), ["mistakes", "rationale", "decision"]),
    ],
    ids=["screen", "adjudicate"],
)
def test_the_quote_comes_first_the_verdict_after_the_reason_and_the_decision_last(
    schema: dict[str, Any], whole: list[str]
) -> None:
    properties = schema["properties"]
    assert schema["propertyOrdering"] == schema["required"] == list(properties) == ["c_night", "c_review", *whole]
    assert properties["decision"]["enum"] == ["include", "exclude", "unclear"]
    for criterion in (properties["c_night"], properties["c_review"]):
        assert criterion["propertyOrdering"] == list(criterion["properties"]) == ["quote", "reason", "verdict"]
        assert criterion["required"] == ["quote", "reason", "verdict"]
        assert criterion["properties"]["verdict"]["enum"] == ["met", "not_met", "not_stated", "unclear"]


def test_schema_depth_counts_keys() -> None:
    assert schema_depth({"type": "string"}) == 1
    assert schema_depth(answer_schema({"a": FieldSpec(type="string")})) == 3
    assert schema_depth(answer_schema(FIELDS)) == 6
    assert schema_depth(screen_schema(SCREEN)) == 5


def _nested(levels: int) -> dict[str, FieldSpec]:
    field = FieldSpec(type="string")
    for _ in range(levels):
        field = FieldSpec(type="object", properties={"x": field})
    return {"a": field}


def _rules_broken(recipe: Any) -> set[str]:
    line = Renderer(recipe, 1024).line(b"\x01" * 16, 1, ["some text"] * len(recipe.slots)).data
    return {finding.rule for finding in Linter().check(line, 1)}


@pytest.mark.parametrize("fields", [FIELDS, _nested(4)], ids=["all types", "as deep as allowed"])
def test_a_rendered_line_breaks_no_rule_of_the_importer(fields: dict[str, FieldSpec]) -> None:
    assert schema_depth(answer_schema(fields)) <= MAX_SCHEMA_DEPTH
    recipe = ask_recipe(AskSpec(prompt="{text}", answer=fields), {"thinkingLevel": "HIGH"})
    assert _rules_broken(recipe) == set()


def test_a_rendered_screen_breaks_no_rule_of_the_importer() -> None:
    for recipe in (screen_recipe, adjudicate_recipe):
        assert _rules_broken(recipe(SCREEN, ("title", "abstract"), {"thinkingBudget": 512})) == set()


def test_the_depth_limit_is_not_wider_than_the_linters() -> None:
    for levels in range(1, 12):
        deep = schema_depth(answer_schema(_nested(levels))) > MAX_SCHEMA_DEPTH
        broken = _rules_broken(ask_recipe(AskSpec(prompt="{text}", answer=_nested(levels)), {}))
        assert deep or not broken, levels
    assert LEVELS_ABOVE == 3
