"""The importer's rules in our linter: each refuses what the service refuses, and lets pass what it takes."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from overnight.requests import lint
from overnight.requests.lint import Linter, lint_lines
from tests.support.importer_vectors import VECTORS, Vector, line, nested, schema

RULES = {
    "dollar in a name": "name",
    "reference in a schema": "name",
    "space in a property name": "name",
    "hyphen in a property name": "name",
    "digit first in a name": "name",
    "bad name beside request": "name",
    "empty name": "name",
    "bad name in the second line only": "name",
    "16 levels": "nesting",
    "empty tool": "empty_object",
    "empty properties": "empty_object",
    "empty schema node": "empty_object",
    "empty labels": "empty_object",
    "empty object beside request": "empty_object",
    "empty request": "empty_object",
    "type as text, then as list": "one_type",
    "list, then text": "one_type",
    "object, then text": "one_type",
    "number, then text": "one_type",
    "true, then text": "one_type",
    "mixed list": "one_type",
    "list in a list": "nested_list",
    "empty list, then text": "one_type",
    "null": "null",
    "null in a list": "null",
    "null key": "null",
    "names that differ in case": "case",
    "names that differ in case over lines": "case",
    "not JSON": "json",
    "half a line": "json",
    "a list as line": "shape",
    "no request": "shape",
    "not UTF-8": "json",
    "no lines": "no_rows",
}
"""What each refused vector is refused for, and for nothing else: so that a rule taken out fails its vectors."""


def rules(data: bytes) -> set[str]:
    return {finding.rule for finding in lint_lines(data.splitlines(keepends=True))}


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vector(vector: Vector) -> None:
    assert rules(vector.data) == ({RULES[vector.name]} if vector.fragment else set())


def test_every_rule_the_linter_has_is_tried() -> None:
    named = re.findall(r'(?:yield |LintFinding\()"(\w+)"', Path(lint.__file__).read_text())
    assert sorted(named) == sorted({*RULES.values(), "numeric_string", "lines", "bytes"})


@pytest.mark.parametrize("text", ["7", "000000", "-1", "+1.5", ".5", "1.", "1e5", "1E-7", " 12 ", "12345"])
def test_a_top_level_text_that_looks_like_a_number_would_come_back_as_one(text: str) -> None:
    """Facts 2.2 [U]: no error, the value is changed in silence."""
    assert rules(orjson.dumps(line(key=text))) == {"numeric_string"}
    assert rules(orjson.dumps(line(text))) == set(), "inside the request numbers are only words"


@pytest.mark.parametrize("text", ["k7", "7a", "1-2", "e5", "", ".", "1,5", "0x1F"])
def test_a_top_level_text_that_is_no_number_is_fine(text: str) -> None:
    assert rules(orjson.dumps(line(key=text))) == set()


def test_a_finding_says_line_path_and_what() -> None:
    data = [orjson.dumps(line()), b"", orjson.dumps(schema(a={"type": "STRING", "enum": ["x", None]}))]
    (finding,) = lint_lines(data)
    assert str(finding) == (
        "line 3, $.request.generationConfig.responseSchema.properties.a.enum[]: null where the importer expects a value"
    )


def test_all_findings_of_a_line_come_at_once() -> None:
    assert rules(orjson.dumps(line(key="7", labels={}, extras={"a b": None}))) == {
        *("numeric_string", "empty_object", "name", "null")
    }


def test_a_type_is_remembered_with_the_line_it_was_first_seen_on() -> None:
    linter = Linter()
    assert linter.check(orjson.dumps(line(extras={"n": "x"})), 4) == []
    assert linter.check(orjson.dumps(line(extras={"n": "x"})), 5) == []
    (finding,) = linter.check(orjson.dumps(line(extras={"n": 1})), 9)
    assert finding.what.startswith("number here, string on line 4")


@pytest.mark.parametrize(
    ("levels", "found"), [(14, set()), (15, set()), (16, {"nesting"}), (17, {"nesting"}), (120, {"nesting"})]
)
def test_levels_are_counted_as_names_below_the_line(levels: int, found: set[str]) -> None:
    assert rules(orjson.dumps(nested(levels))) == found


def test_levels_inside_lists_count_and_the_lists_do_not() -> None:
    def tower(levels: int) -> Any:
        return {"a": [tower(levels - 1)]} if levels else "x"

    assert rules(orjson.dumps(line(labels=tower(13)))) == set()
    assert rules(orjson.dumps(line(labels=tower(14)))) == {"nesting"}


def test_the_limits_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (lint.MAX_LINES, lint.MAX_BYTES) == (200_000, 1_000_000_000), "facts 6 [D]"
    one = orjson.dumps(line()) + b"\n"
    monkeypatch.setattr(lint, "MAX_LINES", 3)
    monkeypatch.setattr(lint, "MAX_BYTES", 3 * len(one))
    assert rules(one * 3) == set()
    assert rules(one * 3 + b"\n") == {"bytes"}, "a blank line is no request, but it has a byte"
    assert rules(one * 4) == {"lines", "bytes"}
