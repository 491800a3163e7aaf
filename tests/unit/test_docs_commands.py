"""Whatever command a page, a template or a message of ours names is one that the parser knows."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from overnight.cli.main import parser

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "overnight"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEMPLATES = sorted(path for ending in ("*.md", "*.yaml", "*.jinja") for path in SOURCE.rglob(ending))

# Code on a page: in backticks, in a fence, or indented by four.
INLINE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^(?: {4,}|\$ )(.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(?:console|sh|bash|text)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|(?<!another)[/\s`>·|;&])overnight ([a-z][a-z-]*)", re.MULTILINE)
"""`another overnight works on this study` is a message, quoted on a page: the process, not a command."""
QUOTED = re.compile(r"(?:`|<code>|^ {2,}(?:# )?|: {2}|· )overnight ([a-z][a-z-]*)", re.MULTILINE)


def known() -> set[str]:
    found = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return set(found.choices)


def named_on(page: str) -> set[str]:
    code = [part for pattern in (INLINE, BLOCK, FENCE) for part in pattern.findall(page)]
    return {name for part in code for name in COMMAND.findall(part)}


def texts_in(source: Path) -> Iterator[str]:
    """String literals, and the first word given to `command(…)`, which makes a line of it."""
    tree = ast.parse(source.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "command":
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant):
                yield f"`overnight {first.value}`"


@pytest.mark.parametrize("page", [*PAGES, *TEMPLATES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_names_only_commands_that_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    named = named_on(text) if page.suffix == ".md" else set(QUOTED.findall(text))
    assert named <= known(), named - known()


def test_a_message_names_only_commands_that_are_there() -> None:
    named = {
        (name, source.relative_to(ROOT).as_posix())
        for source in sorted(SOURCE.rglob("*.py"))
        for text in texts_in(source)
        for name in QUOTED.findall(text)
    }
    assert {name for name, _ in named} >= {"run", "plan", "check", "init", "export", "retry"}, "it sees them at all"
    assert [each for each in sorted(named) if each[0] not in known()] == []
