"""docs/reference/problems.md, read: the page is the list of what can go wrong, and the test walks what it says.

A row of its tables has six cells: what happened, what you see, what Overnight does, the exit code, how often a request
is paid at most, what to do. In them, code spans have a meaning:

* what happened: `[realm or manner: ]PLAN[ + PLAN …]` or `[realm: ]machine: CIRCUMSTANCE`, as the page explains; values
  with a slash are alternatives, each walked by itself. `test: FILE.NAME` is no alternative to walk: a whole test that
  proves the row. `overnight …` are the commands given while it is so (else: `overnight run`).
* what you see: words that are printed, in any order; … stands for what differs.
* what to do: `overnight …` are the commands that mend it, in that order, once the cause is gone.
"""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "problems.md"
SCOPE: Final = ("calls", "bucket", "object_prefix", "label", "display_name", "ordinal", "keys", "rows", "every")
WHEN: Final = ("after", "times", "probability", "seed")
LISTS: Final = ("calls", "keys", "rows")
MANNERS: Final = ("google", "screen", "impatient", "machine")
TEST: Final = "test: "
_JSON: Final = re.compile(r"-?[0-9.]+|true|false")
_SPAN: Final = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Plan:
    """A fault plan of the local cloud."""

    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)
    scope: dict[str, Any] = field(default_factory=dict)
    when: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One thing to walk: one alternative of a row of the page.

    plans: act together. manner: how the study is run, one of MANNERS or empty; machine: the circumstance, where
    there is one. while_so: commands given under the fault. says: printed by the last of them. paid: at most so often
    is a request worked on, all commands together. mend: commands given when the cause is gone.
    """

    part: str
    name: str
    plans: tuple[Plan, ...]
    manner: str
    machine: str
    while_so: tuple[str, ...]
    says: tuple[str, ...]
    code: int
    paid: int
    mend: tuple[str, ...]


def rows(text: str | None = None) -> list[Row]:
    """Every alternative of every row, in the order of the page."""
    found: list[Row] = []
    part = ""
    for line in (PAGE.read_text(encoding="utf-8") if text is None else text).splitlines():
        if line.startswith("## "):
            part = line[3:]
        cells = [cell.strip() for cell in line.strip("| \n").split(" | ")]
        if line.startswith("| ") and len(cells) == 6 and cells[3].isdigit():
            found += _rows_of(part, cells)
    return found


def named_tests(text: str | None = None) -> list[tuple[str, str]]:
    """(file without `.py`, function) of every test that the page names as the proof of a row."""
    page = PAGE.read_text(encoding="utf-8") if text is None else text
    return [(file, name) for file, name in re.findall(rf"`{TEST}([a-z0-9_]+)\.([a-z0-9_]+)`", page)]


def _rows_of(part: str, cells: list[str]) -> Iterator[Row]:
    happened, see, _, code, paid, do = cells
    spans = _SPAN.findall(happened)
    for span in (one for one in spans if not _is_command(one) and not one.startswith(TEST)):
        for name, manner, machine, plans in _alternatives(span):
            yield Row(
                part=part,
                name=name,
                plans=plans,
                manner=manner,
                machine=machine,
                while_so=tuple(filter(_is_command, spans)) or ("overnight run",),
                says=tuple(_SPAN.findall(see)),
                code=int(code),
                paid=int(paid),
                mend=tuple(filter(_is_command, _SPAN.findall(do))),
            )


def _is_command(span: str) -> bool:
    return span.startswith("overnight ")


def _alternatives(span: str) -> Iterator[tuple[str, str, str, tuple[Plan, ...]]]:
    """(name, manner, machine, plans) for each combination of values that a slash divides."""
    for chosen in itertools.product(*map(_choices, span.split())):
        text = " ".join(chosen)
        manner, colon, rest = text.partition(": ")
        if not colon:
            manner, rest = "", text
        if manner not in ("", *MANNERS):
            raise ValueError(f"{span!r}: {manner!r} is none of {', '.join(MANNERS)}")
        if manner == "machine" or rest.startswith("machine: "):
            yield text, "" if manner == "machine" else manner, rest.removeprefix("machine: "), ()
        else:
            yield text, manner, "", tuple(map(_plan, rest.split(" + ")))


def _choices(word: str) -> list[str]:
    """`code=500/503` → `code=500`, `code=503`; `safety/recitation` → `safety`, `recitation`."""
    name, equals, values = word.rpartition("=")
    return [f"{name}{equals}{value}" for value in values.split("/")]


def _plan(text: str) -> Plan:
    kind, *settings = text.split()
    plan = Plan(kind)
    for setting in settings:
        name, _, value = setting.partition("=")
        place = plan.scope if name in SCOPE else plan.when if name in WHEN else plan.parameters
        place[name] = [_value(one) for one in value.split(",")] if name in LISTS else _value(value)
    return plan


def _value(text: str) -> Any:
    return text if text == "null" or not _JSON.fullmatch(text) else json.loads(text)
