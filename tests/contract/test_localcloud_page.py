"""The coverage page says what the code does, and every switch is struck by some test."""

import re
from pathlib import Path

import pytest

from overnight.localcloud.catalogue import SWITCHES, markdown

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "local-cloud.md").read_text("utf-8")
TESTS = "".join(path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("test_localcloud_*.py")))


def test_the_switches_on_the_page_are_those_of_the_code() -> None:
    assert markdown() in PAGE, "say: python -c 'from overnight.localcloud.catalogue import markdown; print(markdown())'"


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_is_used_in_a_test(name: str) -> None:
    assert re.search(rf"\b{name}=|\"{name}\"", TESTS)
