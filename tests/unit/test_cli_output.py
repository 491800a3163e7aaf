"""The CLI has one way to a terminal, and what passes there is shown, never obeyed."""

import ast
import json
from pathlib import Path

import pytest

import overnight.cli
from overnight.cli.main import parser
from overnight.cli.output import answer, harmless, say

FOLDER = Path(overnight.cli.__file__).parent
DOOR = "output.py"
LIVE = ("show.py", "self._console.print")
"""The live display of a terminal: what it draws is escaped where it is drawn (`_escaped`)."""


def _is_a_way_out(call: ast.Call) -> bool:
    words = ast.unparse(call.func)
    return words.split(".")[-1] in {"print", "pprint", "print_help", "print_usage"} or words.endswith(
        ("stdout.write", "stderr.write", "stdout.writelines", "stderr.writelines", "stdout.buffer.write")
    )


def ways_out(source: str) -> list[str]:
    """Every call in it that writes to a terminal by itself, as it stands there."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call.func) for call in calls if _is_a_way_out(call)]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("**/*.py")), ids=lambda path: path.name)
def test_nothing_prints_but_the_one_way(path: Path) -> None:
    found = ways_out(path.read_text(encoding="utf-8"))
    assert [way for way in found if (path.name, way) != LIVE] == (["print", "print"] if path.name == DOOR else [])


def test_a_bare_print_is_found() -> None:
    source = "def f():\n    print('x')\n    sys.stdout.write('y')\n    parser.print_help()\n    answer('z')\n"
    assert ways_out(source) == ["print", "sys.stdout.write", "parser.print_help"]


@pytest.mark.parametrize(
    "code", [*range(32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
def test_what_a_terminal_obeys_is_shown(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    char = chr(code)
    shown = char if char in "\t\n" else f"\\u{code:04x}"
    answer(f"a{char}b")
    say(f"a{char}b")
    assert capsys.readouterr() == (f"a{shown}b\n", f"a{shown}b\n")


@pytest.mark.parametrize("text", ["naïve 日本 \u200fשלום", "👩🏽‍⚕️ zero\u200bwidth", "[bold]not markup[/]", ""])
def test_letters_of_every_alphabet_pass(text: str) -> None:
    assert harmless(text) == text


def test_json_reads_the_same() -> None:
    value = {"record": "r1\x1b[2J\x9b31m\x7f\u202e"}
    assert json.loads(harmless(json.dumps(value, ensure_ascii=False))) == value


def test_the_first_page_of_help_fits_a_terminal_of_eighty_columns() -> None:
    assert max(map(len, parser().format_help().splitlines())) < 80
