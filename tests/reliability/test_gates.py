"""A count that is too small, or in which something is wrong, is no count: it says why, and never reaches the page."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash.scenarios import SCENARIOS
from tests.crash.steps import REALMS
from tests.crash.walk import Wrong
from tests.reliability.__main__ import table, write
from tests.reliability.count import STORIES, Asked, Counts, shortfalls

N = len(REALMS) * STORIES
ENOUGH = Counts(
    plans=60, strikes=60, scenarios=len(SCENARIOS), pairs=500, machine=Counter(lives=N, kills=N, strikes=N), seconds=1.0
)


def test_enough_of_everything_is_a_count() -> None:
    assert shortfalls(ENOUGH) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"plans": 59}, "59 fault plans, must be 60 or more"),
        ({"pairs": 499}, "499 kill-resume pairs, must be 500 or more"),
        ({"scenarios": 1}, "1 scenarios"),
        ({"strikes": 59}, "59 strikes"),
        ({"idle": ["x"]}, "1 plans that never struck, must be 0"),
        ({"machine": Counter(lives=N, strikes=N)}, "0 kills in the state machine"),
        ({"machine": Counter(lives=N, kills=N)}, "0 strikes in the state machine"),
        ({"machine": Counter(lives=N - 1, kills=N, strikes=N)}, f"{N - 1} lives of the state machine"),
        ({"wrong": Wrong(rows_lost=1)}, "1 rows lost, must be 0"),
        ({"wrong": Wrong(attached_wrongly=2)}, "2 answers attached wrongly, must be 0"),
        ({"wrong": Wrong(paid_twice=3)}, "3 paid twice, must be 0"),
        ({"wrong": Wrong(tracebacks=4)}, "4 tracebacks, must be 0"),
        ({"wrong": Wrong(words=["differs"])}, "1 cases wrong, must be 0"),
    ],
)
def test_too_little_or_anything_wrong_is_none(changed: dict[str, object], said: str) -> None:
    assert any(words.startswith(said) for words in shortfalls(replace(ENOUGH, **changed)))  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", [Asked(fewer=True), Asked(("kinds",)), Asked(case="failed"), Asked(at=("x", 1))])
def test_a_try_is_never_the_whole(asked: Asked) -> None:
    assert not asked.whole
    assert Asked().whole


def test_the_table_takes_the_place_of_the_former_one(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n<!-- counted: reliability -->\nold\n<!-- end -->\nb\n", encoding="utf-8")
    write(page, table(ENOUGH))
    text = page.read_text(encoding="utf-8")
    assert "old" not in text
    assert "| Kill points × resumes: commands killed and given again | 500 |" in text
    assert text.endswith("<!-- end -->\nb\n")
