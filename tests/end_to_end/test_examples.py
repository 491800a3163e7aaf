"""The studies in examples/ as a newcomer walks through them; every number of theirs worked out once more."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from overnight.cli.main import main
from tests.support.cloud import SWIFT, instead_of_a_child, served
from tests.support.local_cloud import LocalCloud
from tests.support.screening_numbers import check_numbers

EXAMPLES = Path(__file__).parents[2] / "examples"
OWN = ("naps", "reading-aloud")
REAL = pytest.mark.real_data, pytest.mark.skipif("OVERNIGHT_DATA" not in os.environ, reason="OVERNIGHT_DATA is not set")
LABELS = {"pubmedqa-children": "label_children", "pubmedqa-cancer": "label_cancer"}
FLASH = {"input": "0.375", "cached": "0.0375", "output": "1.875"}
LITE = {"input": "0.15", "cached": "0.015", "output": "1.25"}
"""gemini-3.8-flash and gemini-3.5-flash-lite in batch, US dollars per million tokens, from 2026-10-07 on."""
ALL = [*OWN, *(pytest.param(name, marks=REAL) for name in LABELS)]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), **SWIFT)
    with instead_of_a_child(cloud):
        yield cloud
    cloud.stop()


def copied(name: str, folder: Path) -> Path:
    """The example's files as git has them, and of a real one the table beside it."""
    home = folder / name
    shutil.copytree(EXAMPLES / name, home, ignore=shutil.ignore_patterns("stand-in", ".overnight"))
    if name in LABELS:
        shutil.copy(Path(os.environ["OVERNIGHT_DATA"]) / "pubmedqa_1000.csv", home)
    return home


def types(home: Path, command: str, *options: str) -> dict[str, Any]:
    """`overnight COMMAND … --json` to its good end."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([command, str(home / "study.yaml"), *options, *(() if command == "check" else ("--json",))])
    assert code == 0, f"{command}: {out.getvalue()[-500:]}{err.getvalue()[-500:]}"
    found: dict[str, Any] = {} if command == "check" else json.loads(out.getvalue().strip().splitlines()[-1])
    return found


def results(home: Path) -> list[dict[str, str]]:
    with (home / "stand-in" / "results.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ALL)
def test_check_plan_pilot_and_run_and_every_number_once_more(name: str, cloud: LocalCloud, tmp_path: Path) -> None:
    home = copied(name, tmp_path)
    types(home, "check")
    plan = types(home, "plan")
    assert not (home / ".overnight" / "raw").exists(), "nothing was sent"
    pilot = types(home, "pilot", "--records", "12")
    assert 12 <= pilot["requests_sent"] < plan["requests"]["to_send"]
    closing = types(home, "run")
    assert set(served(cloud.data).values()) == {1}, "what the pilot asked is not asked again"
    assert closing["records"] == len(results(home))
    seen = check_numbers(home, tmp_path / "made", closing, LITE if name == "naps" else FLASH)
    assert name == "naps" or seen["adjudicated"], "three samples, and some records that went to the adjudicator"
    assert types(home, "plan")["requests"]["to_send"] == 0
    assert (home / "stand-in" / "report.html").stat().st_size > 50_000
    if name == "reading-aloud":
        assert list((home / "stand-in" / "ris").iterdir())
    if name in LABELS:
        assert_the_page_says_so(home, LABELS[name])


def confusion(home: Path, label: str) -> Counter[tuple[str, str]]:
    """(decision, label) → records."""
    return Counter((row["decision"], row[label]) for row in results(home))


def table(counted: Mapping[tuple[str, str], int]) -> str:
    head = "| decision | label 1 | label 0 |\n| --- | ---: | ---: |\n"
    words = ("include", "unclear", "exclude")
    return head + "\n".join(
        f"| {word} | {counted.get((word, '1'), 0)} | {counted.get((word, '0'), 0)} |" for word in words
    )


def assert_the_page_says_so(home: Path, label: str) -> None:
    """README's table of decisions against labels is what this run came to."""
    counted = confusion(home, label)
    assert counted.total() == 1000
    page = (home / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^\| decision .*?(?=\n\n|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert found[0].strip() == table(counted), f"the page should say:\n{table(counted)}"


@pytest.mark.parametrize("name", OWN)
def test_an_example_says_that_it_is_fictional_and_leaves_nothing_behind(name: str) -> None:
    assert "fictional" in (EXAMPLES / name / "README.md").read_text(encoding="utf-8").lower()
    assert "fictional" in next((EXAMPLES / name).glob("records.*")).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(LABELS))
def test_a_real_one_holds_nobodys_data_and_says_what_its_labels_are(name: str) -> None:
    assert {path.name for path in (EXAMPLES / name).iterdir() if path.suffix != ""} <= {
        "README.md",
        "study.yaml",
        "stand-in",
    }
    page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert all(words in page for words in (LABELS[name], "MeSH", "MIT", "no model"))
    assert "mesh" not in re.sub(r"#.*", "", (EXAMPLES / name / "study.yaml").read_text(encoding="utf-8"))
