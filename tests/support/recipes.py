"""Recipes for tests that need one and do not care which, and strategies for those that care for all of them."""

from typing import Any

from hypothesis import strategies as st

from overnight.core.recipe import Part, Recipe
from overnight.study.schemas import MAX_SCHEMA_DEPTH, schema_depth

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["yes", "no"]}},
    "propertyOrdering": ["verdict"],
    "required": ["verdict"],
}


def recipe(
    *prompt: str,
    stage: str = "answer",
    system: str = "",
    schema: dict[str, Any] | None = None,
    thinking: dict[str, Any] | None = None,
    own: str = "own",
) -> Recipe:
    """prompt: words, and slots as `{name}`; one slot `{text}` when nothing is given."""
    parts = [
        Part("slot", piece[1:-1]) if piece.startswith("{") else Part("text", piece) for piece in prompt or ["{text}"]
    ]
    return Recipe(stage, system, tuple(parts), SCHEMA if schema is None else schema, thinking or {}, own)


TEXTS = st.text(max_size=200)
"""All of Unicode but surrogates: what the readers let in."""
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
PARTS = st.one_of(st.builds(Part, st.just("text"), TEXTS), st.builds(Part, st.just("slot"), NAMES))
THINKING = st.sampled_from([{}, {"thinkingLevel": "HIGH"}, {"thinkingBudget": 512}])


def _fields(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(NAMES, inner, min_size=1, max_size=4).map(
        lambda properties: {
            "type": "object",
            "properties": properties,
            "propertyOrdering": list(properties),
            "required": list(properties),
        }
    )


_LEAVES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"type": st.just("string")}, optional={"description": TEXTS, "nullable": st.just(True)}),
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(TEXTS, min_size=1, max_size=3, unique=True)}),
    st.fixed_dictionaries({"type": st.just("integer"), "minimum": st.integers(-9, 9), "maximum": st.integers(10, 99)}),
    st.fixed_dictionaries({"type": st.sampled_from(["number", "boolean"])}),
)
SCHEMAS = _fields(
    st.recursive(
        _LEAVES,
        lambda inner: st.one_of(_fields(inner), st.builds(lambda items: {"type": "array", "items": items}, inner)),
        max_leaves=6,
    )
).filter(lambda schema: schema_depth(schema) <= MAX_SCHEMA_DEPTH)
"""Every schema that a study can make."""
RECIPES = st.builds(
    Recipe,
    st.sampled_from(["answer", "screen"]),
    TEXTS,
    st.lists(PARTS, min_size=1, max_size=6).map(tuple),
    SCHEMAS,
    THINKING,
    st.just("own"),
)
