"""Input files the service's importer refuses, and near misses it takes: one list for the local cloud and our linter.

`fragment` is what the job's error (code 3, after "Failed to import data. ") must contain; empty: the file is taken.
Sources: facts 2.2 with its evidence mark. `inferred` marks what follows from BigQuery's column rules and
was not seen.
"""

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Vector:
    """lines: values to be written as JSON, or bytes to be written as they are (without the line feed)."""

    name: str
    lines: tuple[object, ...]
    fragment: str
    source: str

    @property
    def data(self) -> bytes:
        return b"".join((line if isinstance(line, bytes) else orjson.dumps(line)) + b"\n" for line in self.lines)

    def __str__(self) -> str:
        return self.name


def line(text: str = "Naps on night shifts.", *, key: object = "k1", extras: Any = None, **request: object) -> object:
    """A sound line with something added to its request or beside it."""
    content = {"role": "user", "parts": [{"text": text}]}
    return {"key": key, **(extras or {}), "request": {"contents": [content], **request}}


def schema(**properties: object) -> object:
    """A line whose generationConfig has a responseSchema with these properties."""
    answer = {"type": "OBJECT", "properties": properties}
    return line(generationConfig={"responseMimeType": "application/json", "responseSchema": answer})


def nested(levels: int) -> object:
    """A line whose deepest name is `levels` names below the line: request and labels are the first two."""
    value: object = "deep"
    for level in range(levels - 2):
        value = {f"n{level}": value}
    return line(labels=value)


_SEEN = "facts 2.2 [L]"
_INFERRED = "facts 2.2 [?], inferred"

VECTORS = (
    Vector("plain", (line(), line(key="k2")), "", "facts 2.1 [D]"),
    Vector("blank lines", (line(), b"", line(key="k2")), "", _INFERRED),
    Vector("a schema", (schema(verdict={"type": "STRING", "enum": ["met", "not_met"]}),), "", _SEEN),
    Vector(
        "dollar in a name", (line(generationConfig={"x": {"$defs": {"a": "b"}}}),), 'Invalid field name "$defs"', _SEEN
    ),
    Vector("reference in a schema", (schema(a={"$ref": "x"}),), 'Invalid field name "$ref"', _SEEN),
    Vector(
        "space in a property name",
        (schema(**{"night shift": {"type": "STRING"}}),),
        'Invalid field name "night shift"',
        _SEEN,
    ),
    Vector(
        "hyphen in a property name",
        (schema(**{"night-shift": {"type": "STRING"}}),),
        'Invalid field name "night-shift"',
        _SEEN,
    ),
    Vector("digit first in a name", (schema(**{"2nd": {"type": "STRING"}}),), 'Invalid field name "2nd"', _SEEN),
    Vector("bad name beside request", (line(extras={"my key": "x"}),), 'Invalid field name "my key"', _SEEN),
    Vector("empty name", (line(extras={"": "x"}),), 'Invalid field name ""', _SEEN),
    Vector("bad name in the second line only", (line(), line(labels={"a b": "x"})), 'Invalid field name "a b"', _SEEN),
    Vector("15 levels", (nested(15),), "", _SEEN),
    Vector("16 levels", (nested(16),), "Schema nested too deeply, at least 16", _SEEN),
    Vector(
        "empty tool",
        (line(tools=[{"googleSearch": {}}]),),
        "Cannot store struct 'request.tools.googleSearch' with no fields",
        _SEEN,
    ),
    Vector("empty properties", (schema(),), "with no fields", _SEEN),
    Vector("empty schema node", (schema(a={}),), "with no fields", _SEEN),
    Vector("empty labels", (line(labels={}),), "with no fields", _SEEN),
    Vector("empty object beside request", (line(extras={"meta": {}}),), "with no fields", _SEEN),
    Vector("empty request", ({"key": "k1", "request": {}},), "with no fields", _SEEN),
    Vector(
        "type as text, then as list",
        (schema(a={"type": "STRING"}), schema(a={"type": ["STRING", "x"]})),
        "Repeated field must be imported as a JSON array. Field: type",
        _SEEN,
    ),
    Vector(
        "list, then text",
        (schema(a={"type": ["STRING"]}), schema(a={"type": "STRING"})),
        "Repeated field must be imported as a JSON array. Field: type",
        _SEEN,
    ),
    Vector(
        "object, then text",
        (line(labels={"a": {"b": "c"}}), line(labels={"a": "c"})),
        "Could not convert value of field a",
        _INFERRED,
    ),
    Vector(
        "number, then text",
        (line(extras={"n": 1}), line(extras={"n": "one"})),
        "Could not convert value of field n",
        _INFERRED,
    ),
    Vector(
        "true, then text",
        (line(extras={"n": True}), line(extras={"n": "yes"})),
        "Could not convert value of field n",
        _INFERRED,
    ),
    Vector("whole number, then fraction", (line(extras={"n": 1}), line(extras={"n": 1.5})), "", _INFERRED),
    Vector(
        "mixed list",
        (schema(a={"type": "STRING", "enum": ["one", 2]}),),
        "Could not convert value of field enum",
        _INFERRED,
    ),
    Vector("list in a list", (line(extras={"n": [[1]]}),), "Nested arrays are not supported. Field: n", _INFERRED),
    Vector("empty list, then list", (line(stop=[]), line(stop=["a"])), "", _INFERRED),
    Vector("empty list, then text", (line(stop=[]), line(stop="a")), "Repeated field must be imported", _INFERRED),
    Vector(
        "null",
        (schema(a={"type": "STRING", "enum": None}),),
        "Only optional fields can be set to NULL. Field: enum",
        _SEEN,
    ),
    Vector(
        "null in a list",
        (schema(a={"type": "STRING", "enum": ["a", None]}),),
        "Only optional fields can be set to NULL. Field: enum",
        _SEEN,
    ),
    Vector("null key", (line(key=None),), "Only optional fields can be set to NULL. Field: key", _SEEN),
    Vector("names that differ in case", (line(extras={"pmid": "a", "PMID": "b"}),), "differ in case only", _INFERRED),
    Vector(
        "names that differ in case over lines",
        (line(extras={"pmid": "a"}), line(extras={"Pmid": "b"})),
        "differ in case only",
        _INFERRED,
    ),
    Vector("not JSON", (line(), b"{'key': 1}"), "JSON parsing error in row 2", _INFERRED),
    Vector("half a line", (b'{"key": "k1", "request": {"contents": [',), "JSON parsing error in row 1", _INFERRED),
    Vector("a list as line", ([line()],), "row 1 is not a JSON object", _INFERRED),
    Vector("no request", ({"key": "k1"},), "request", _INFERRED),
    Vector(
        "not UTF-8", (b'{"key": "caf\xe9", "request": {"contents": []}}',), "JSON parsing error in row 1", _INFERRED
    ),
    Vector("no lines", (), "no rows", _INFERRED),
)
