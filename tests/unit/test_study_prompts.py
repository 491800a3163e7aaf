"""Prompts with slots: the user's words exactly, `{{` and `}}` for braces."""

import pytest

from overnight.core.recipe import Part
from overnight.errors import StudyError
from overnight.study.prompts import parse_prompt, read_prompt


def parts(text: str) -> list[str]:
    return [f"{part.kind}:{part.value}" for part in parse_prompt(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {x} b", ["text:a ", "slot:x", "text: b"]),
        ("{Article Title}{x}", ["slot:Article Title", "slot:x"]),
        ("{{x}} {y}", ["text:{x} ", "slot:y"]),
        ("{{{x}}}", ["text:{", "slot:x", "text:}"]),
        ('{{"a": "{a}"}}', ['text:{"a": "', "slot:a", 'text:"}']),
        ("{größe}: {x: y}", ["slot:größe", "text:: ", "slot:x: y"]),
        ("no slot\n", ["text:no slot\n"]),
        ("", []),
    ],
)
def test_words_and_slots(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("a { b", "a lone `{`", 1),
        ("a } b", "a lone `}`", 1),
        ("x\ny {{a} b", "a lone `}`", 2),
        ("{}", "an empty slot `{}`", 1),
        ("{ }", "an empty slot `{ }`", 1),
        ("x\n\n{ x }", "`{ x }` begins or ends with a space", 3),
        ('{"a": 1}', '`{"a": 1}` is no column\'s name', 1),
        ("{a\nb}", "is no column's name", 1),
    ],
)
def test_a_brace_that_is_neither_slot_nor_doubled(text: str, what: str, line: int) -> None:
    (fault,) = read_prompt(text)[1]
    assert what in fault.what
    assert fault.line == line
    assert "{{" in fault.hint or "}}" in fault.hint or "{x}" in fault.hint


def test_all_slips_come_at_once() -> None:
    with pytest.raises(StudyError) as caught:
        parse_prompt("{} and } and {x}")
    assert len(caught.value.findings) == 2


def test_what_was_parsed_is_whole() -> None:
    assert parse_prompt("a {x}") == (Part("text", "a "), Part("slot", "x"))
