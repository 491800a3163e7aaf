"""The recipe's digest: what reaches the model is in it, and what does not is not."""

import dataclasses
from hashlib import sha256
from typing import Any

import pytest

from overnight.core.recipe import Part, Recipe
from tests.support.recipes import recipe

BASE = recipe("Read: ", "{text}", system="Be brief.", thinking={"thinkingLevel": "LOW"})


def hex_digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_it_is_what_plain_text_and_hex_digests_give() -> None:
    made = Recipe("answer", "Sys", (Part("text", "Q: "), Part("slot", "t")), {"type": "object"}, {}, "whatever")
    schema = "\n".join(hex_digest(line) for line in ["${}", "$.type=str:object"])
    lines = [
        hex_digest("Sys"),
        "text:" + hex_digest("Q: "),
        "slot:0",
        hex_digest(schema),
        hex_digest(hex_digest("${}")),
        "1",
        "1",
    ]
    assert made.digest == hex_digest("\n".join(lines))


@pytest.mark.parametrize(
    "changed",
    [
        {"system": "Be long."},
        {"prompt": (Part("text", "Read: "), Part("slot", "text"), Part("text", "!"))},
        {"prompt": (Part("slot", "text"), Part("text", "Read: "))},
        {"prompt": (Part("text", "Read: "), Part("text", "text"))},
        {"schema": {"type": "object"}},
        {"thinking": {"thinkingLevel": "HIGH"}},
        {"thinking": {}},
        {"renderer": 2},
        {"cleaning": 2},
    ],
    ids=str,
)
def test_what_reaches_the_model_is_in_it(changed: dict[str, Any]) -> None:
    assert dataclasses.replace(BASE, **changed).digest != BASE.digest


@pytest.mark.parametrize(
    "changed",
    [{"own": "other"}, {"stage": "screen"}, {"prompt": (Part("text", "Read: "), Part("slot", "Abstract"))}],
    ids=str,
)
def test_what_does_not_reach_the_model_is_not(changed: dict[str, Any]) -> None:
    """The stage stands in the address itself; a column may be renamed without asking anything again."""
    assert dataclasses.replace(BASE, **changed).digest == BASE.digest


def test_which_text_goes_where_is_in_it() -> None:
    once = recipe("{a}", " and ", "{b}")
    assert recipe("{b}", " and ", "{a}").digest == once.digest, "the texts swap with the names"
    assert recipe("{a}", " and ", "{a}").digest != once.digest
    assert recipe("{a}", " and ", "{b}", "{a}").digest != recipe("{a}", " and ", "{b}", "{b}").digest
    assert recipe("{a}", " and ", "{b}", "{a}").slots == ("a", "b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": "1"}),
        ({"a": True}, {"a": "True"}),
        ({"a": None}, {"a": "None"}),
        ({"a": {}}, {"a": []}),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}),
        ({"a": "x", "b": "y"}, {"b": "y", "a": "x"}),
        ({"a": "x\n$.b=str:y"}, {"a": "x", "b": "y"}),
        ({"a.b": 1}, {"a": {"b": 1}}),
    ],
    ids=str,
)
def test_schemas_that_differ_have_digests_that_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert recipe(schema=one).digest != recipe(schema=other).digest
