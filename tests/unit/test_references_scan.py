"""The second way through a file: every place once, with its line, wherever the pieces in which it is read end."""

import re
from io import StringIO

import pytest

from overnight.records.references import scan


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "pattern", "lines"),
    [
        ("a\nb\na", r"\na(?=\n)", [1, 3]),
        ("a\n\n\n\na\n", r"\na(?=\n)", [1, 5]),
        ("x\n \n\n\na\nb\n\na", r"\n[^\S\n]*\na", [4, 7]),
        ("\n\n\n", r"\na", []),
        ("", r"\na", []),
        ("aa" * 50 + "\na", r"\na", [1, 2]),
    ],
)
def test_places_are_found_once(
    monkeypatch: pytest.MonkeyPatch, chunk: int, text: str, pattern: str, lines: list[int]
) -> None:
    monkeypatch.setattr(scan, "_CHUNK_CHARS", chunk)
    places = scan.Scan(StringIO(text))
    found = []
    while places.find(re.compile(pattern)):
        found.append(places.line)
    assert found == lines
