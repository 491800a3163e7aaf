"""Prompts with slots: `Which complaint does {text} make?`. `{{` and `}}` stand for braces."""

import re
from dataclasses import dataclass
from typing import Final

from overnight.core.recipe import Part
from overnight.errors import Finding, StudyError

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a prompt. line: 1-based line within the prompt's text."""

    what: str
    line: int
    hint: str


def parse_prompt(text: str) -> tuple[Part, ...]:
    """The prompt's words and slots, in order; no two text parts follow each other and none is empty.

    A slot is a column's name in single braces, spaces inside it allowed: `{Article Title}`. Raises StudyError with one
    finding for each brace that is neither a slot nor doubled.
    """
    parts, faults = read_prompt(text)
    if faults:
        raise StudyError([Finding(fault.what, hint=fault.hint) for fault in faults])
    return parts


def read_prompt(text: str) -> tuple[tuple[Part, ...], list[Fault]]:
    """`parse_prompt` that returns what is wrong, for a caller with more to say."""
    parts: list[Part] = []
    faults: list[Fault] = []
    words: list[str] = []
    end, line = 0, 1
    for match in _TOKEN.finditer(text):
        words.append(text[end : match.start()])
        line += text.count("\n", end, match.start())
        end = match.end()
        token, slot = match[0], match[1]
        fault = None if token in ("{{", "}}") else _fault(token, slot)
        if fault:
            faults.append(Fault(fault[0], line, fault[1]))
        elif slot is None:
            words.append(token[0])
        else:
            _flush(words, parts)
            parts.append(Part("slot", slot))
    words.append(text[end:])
    _flush(words, parts)
    return tuple(parts), faults


def _flush(words: list[str], parts: list[Part]) -> None:
    joined = "".join(words)
    words.clear()
    if joined:
        parts.append(Part("text", joined))


def _fault(token: str, slot: str | None) -> tuple[str, str] | None:
    if slot is None:
        return f"a lone `{token}`", f"Write `{token * 2}` for a brace that is meant as one, or close the slot."
    shown = token if len(token) <= 40 else token[:37] + "…"
    if not slot.strip():
        return f"an empty slot `{shown}`", "Write a column's name in it, or `{{` and `}}` for braces."
    if '"' in slot or "\n" in slot:
        return f"`{shown}` is no column's name", "Write `{{` and `}}` for braces that are meant as braces."
    if slot != slot.strip():
        return f"`{shown}` begins or ends with a space", f"Write `{{{slot.strip()}}}`, or double the braces."
    return None
