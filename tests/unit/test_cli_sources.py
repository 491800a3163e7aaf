"""What is said of records that have gone or that another one stands for: of one, and of several."""

from pathlib import Path

import pytest

from overnight.cli.sources import duplicate_lines, vanished_line
from overnight.records.identifiers import NO_IDENTIFIERS
from overnight.records.publications import Publication
from overnight.run.world import Vanished
from overnight.wiring.identity import Duplicates


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a",), "1 record that was asked about is in no file any more: a. Its answers are kept; if it comes back,"),
        (("a", "b"), "2 records that were asked about are in no file any more: a, b. Their answers are kept; if they"),
    ],
)
def test_what_has_gone_is_one_or_several(names: tuple[str, ...], words: str) -> None:
    assert vanished_line(Vanished(len(names), names)).startswith(words)


@pytest.mark.parametrize(("n", "are", "them"), [(1, "1 record is", "it"), (2, "2 records are", "them")])
def test_what_another_stands_for_is_one_or_several(n: int, are: str, them: str) -> None:
    group = tuple(Publication(i, f"r{i}", NO_IDENTIFIERS, "t", 2020, "a", True) for i in range(n + 1))
    (line,) = duplicate_lines(Duplicates(True, (group,)), Path("study.yaml"))
    assert line == f"{are} not sent: another of the same publication stands for {them} (duplicates: skip)"
