"""Answer schemas in the dialect `responseSchema` takes in batch.

An OpenAPI 3.0 subset (facts 10, [D]). Beyond it, what the importer of batch files wants (2.2, [L]): `type`
is always one plain string, never a list; no `$` names, no empty object, no null; property names are column names,
unique ignoring case (the models allow lower case only); the whole line at most 15 levels deep.
"""

from collections.abc import Mapping
from typing import Any, Final

from overnight.study.models import FieldSpec, ScreenSpec

MAX_LINE_DEPTH: Final = 15
"""Levels the importer takes, counted as keys from the line's top to a value (facts 2.2, [L])."""
LEVELS_ABOVE: Final = 3
"""request, generationConfig, responseSchema."""
MAX_SCHEMA_DEPTH: Final = MAX_LINE_DEPTH - LEVELS_ABOVE

DECISIONS: Final = ("include", "exclude", "unclear")
VERDICTS: Final = ("met", "not_met", "not_stated", "unclear")


def answer_schema(fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """An object with every field required, in the user's order (which is the order the model writes them in)."""
    return _object({name: _field(spec) for name, spec in fields.items()})


def screen_schema(screen: ScreenSpec) -> dict[str, Any]:
    """One object `c_<id>` a criterion: quote, then reason, then verdict, so that the verdict follows from the two; then
    what the model makes of the whole.

    Inclusions first. The order never changes with the sample: one schema a shard.
    """
    return _object({**_judged(screen), **_WHOLE})


def adjudicate_schema(screen: ScreenSpec) -> dict[str, Any]:
    """As `screen_schema`, and before the whole what is wrong in the reviewers' arguments."""
    return _object({**_judged(screen), "mistakes": {"type": "string"}, **_WHOLE})


_WHOLE: Final[dict[str, Any]] = {
    "rationale": {"type": "string"},
    "decision": {"type": "string", "enum": list(DECISIONS)},
}


def _judged(screen: ScreenSpec) -> dict[str, Any]:
    one = {
        "quote": {"type": "string"},
        "reason": {"type": "string"},
        "verdict": {"type": "string", "enum": list(VERDICTS)},
    }
    return {f"c_{criterion.id}": _object(one) for criterion in screen.criteria}


def schema_depth(value: object) -> int:
    """Keys on the longest way down. Lists of texts count as values; no list of objects occurs in a schema of ours."""
    return 1 + max(map(schema_depth, value.values())) if isinstance(value, dict) and value else 0


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    names = list(properties)
    return {"type": "object", "properties": properties, "propertyOrdering": names, "required": list(names)}


_SAME_NAME: Final = ("minimum", "maximum")
_OTHER_NAME: Final = {"min_items": "minItems", "max_items": "maxItems", "max_length": "maxLength"}


def _field(spec: FieldSpec) -> dict[str, Any]:
    schema: dict[str, Any] = _object({n: _field(s) for n, s in spec.properties.items()}) if spec.properties else {}
    schema = {"type": spec.type, **schema}
    if spec.description:
        schema["description"] = spec.description
    if spec.nullable:
        schema["nullable"] = True
    if spec.enum:
        schema["enum"] = list(spec.enum)
    if spec.items is not None:
        schema["items"] = _field(spec.items)
    for name, key in [*((name, name) for name in _SAME_NAME), *_OTHER_NAME.items()]:
        bound = getattr(spec, name)
        if bound is not None:
            schema[key] = bound
    return schema
