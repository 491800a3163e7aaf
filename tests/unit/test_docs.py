"""The reference pages against the code: exit codes, every command and option, every column; and help stays light."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from overnight import errors
from overnight.cli.main import STOPPED, parser
from overnight.core.outcome import Identity, NotSent, ProblemKind
from overnight.planning.tasks import make_task
from overnight.run.results import FIRST, LAST, answered_by, table_columns
from overnight.study.load import load_study

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def section(name: str, title: str) -> str:
    return page(name).split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("room", ["run", "records", "answers", "planning", "study", "report"])
def test_the_map_of_the_house_names_every_file_of_its_larger_rooms(room: str) -> None:
    named = set(re.findall(r"`(?:[a-z_]+/)*([a-z_]+\.py)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    files = {path.name for path in (ROOT / "src" / "overnight" / room).glob("*.py")} - {"__init__.py"}
    assert files - named == set()
    assert {name for name in named if not list((ROOT / "src").rglob(name))} == set(), "what is named is there"


def error_classes() -> dict[str, int]:
    """Name → exit code of everything that can stop a run."""
    found: dict[str, int] = {}
    left: list[type[errors.OvernightError]] = [errors.OvernightError]
    while left:
        one = left.pop()
        left += one.__subclasses__()
        if not one.__name__.startswith("_") and one.__module__ == errors.__name__:
            found[one.__name__] = one.exit_code
    return found


def commands() -> dict[str, argparse.ArgumentParser]:
    found = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def options(command: argparse.ArgumentParser) -> set[str]:
    return {name for action in command._actions for name in action.option_strings} - {"-h", "--help"}


def test_the_page_of_exit_codes_is_errors_py() -> None:
    rows = re.findall(r"^\| (\d+) \|([^|]*)\|", page("exit-codes.md"), re.MULTILINE)
    documented = {name: int(code) for code, names in rows for name in names.replace(",", " ").split()}
    assert documented == error_classes()
    assert {int(code) for code, _ in rows} == {0, STOPPED, *error_classes().values()}


def test_the_tree_in_errors_py_is_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn = re.findall(r"^[ │├└─]*(\w+Error) +(\d+)", errors.__doc__, re.MULTILINE)
    assert {name: int(code) for name, code in drawn} == error_classes()
    assert len(drawn) == len(error_classes())


def test_every_command_has_its_section_and_no_other_is_there() -> None:
    assert set(re.findall(r"^## (.+)$", page("commands.md"), re.MULTILINE)) == set(commands())
    in_help = set(re.findall(r"^  ([a-z-]+)  +\w", parser().format_help(), re.MULTILINE))
    assert in_help == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_is_in_its_section_and_no_other_is_there(name: str) -> None:
    documented = set(re.findall(r"^\| `(--[a-z-]+)", section("commands.md", name), re.MULTILINE))
    assert documented == options(commands()[name])


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_says_what_it_takes(name: str) -> None:
    command = commands()[name]
    text = command.format_help()
    assert text.startswith(f"usage: overnight {name} ")
    assert command.description
    assert all(action.help for action in command._actions), "every argument has a word about it"


def test_the_first_and_last_columns_are_documented_in_their_order() -> None:
    first = re.findall(r"^\| `([a-z_]+)` \| .", section("results.md", "First").split("| outcome |")[0], re.MULTILINE)
    assert first == [column.name for column in FIRST]
    last = re.findall(r"^\| `([a-z_]+)` \| .", section("results.md", "Last"), re.MULTILINE)
    assert last == [column.name for column in LAST]
    assert f"`{answered_by('stand-in')}`" in section("results.md", "Last")
    assert f"`{answered_by('google')}`" in section("results.md", "Last")


def test_the_columns_of_a_screen_are_documented_in_their_order() -> None:
    study = load_study(ROOT / "examples" / "planned-naps")
    ours = [column.name for column in make_task(study, {}).columns]
    first = next(name for name in ours if name.startswith("c_"))
    pattern = [re.sub(f"^{first}", "c_<id>", name) for name in ours if not name.startswith("c_") or first in name]
    rows = re.findall(r"^\| (?:`screen`)? *\| `([a-z_<>]+)` \|", section("results.md", "The task's"), re.MULTILINE)
    assert rows == pattern
    assert "| `ask` | `a_<field>` |" in section("results.md", "The task's")


def test_the_columns_of_samples_and_verdicts_are_documented_in_their_order() -> None:
    task = make_task(load_study(ROOT / "examples" / "planned-naps"), {})
    for table in task.tables:
        text = section("results.md", "Samples and verdicts")
        rows = text[text.index(f"{table.name}.csv, a row") :].split("\n\n")[1]
        named = re.findall(r"`([a-z_]+)`", " ".join(line.split("|")[1] for line in rows.splitlines()))
        ours = [column.name for column in table_columns(table)]
        if table.by_request:
            named[-2:] = [column.name for column in LAST]
        assert named == ours


def test_every_kind_of_problem_reason_and_identity_is_documented() -> None:
    kinds = re.findall(r"^\| (?:`\w+`)? *\| `([a-z_]+)` \|", section("results.md", "First"), re.MULTILINE)
    assert kinds == [*ProblemKind, *NotSent]
    for identity in Identity:
        assert f"`{identity.value}`" in section("results.md", "Last")


def imported(*lines: str) -> set[str]:
    """Top-level modules in memory after these lines, in a fresh interpreter, beyond those it starts with."""
    code = ";".join(
        [
            "import sys",
            "before = set(sys.modules)",
            *lines,
            "print(*sorted(set(sys.modules) - before), file=sys.__stdout__)",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HEAVY = {
    "pydantic", "pyarrow", "openpyxl", "jinja2", "msgspec", "orjson", "yaml", "rich", "requests", "google", "starlette",
    "uvicorn", "sqlite3", "xxhash", "filelock", "http", "ssl", "asyncio",
}  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        ("import overnight",),
        ("from overnight.cli.main import parser", "parser()"),
        ("sys.stdout = sys.stderr", "from overnight.cli.main import main", "main(['--help'])", "main(['run', '-h'])"),
    ],
    ids=["import overnight", "the parser", "--help"],
)  # fmt: skip
def test_nothing_heavy_is_loaded_before_it_is_used(lines: tuple[str, ...]) -> None:
    tops = {name.partition(".")[0] for name in imported(*lines)}
    assert tops & HEAVY == set()
