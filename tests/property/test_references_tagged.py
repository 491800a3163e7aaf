"""Laws: n references written in a tagged format with every oddity are read as n, equal; and so are their raw texts."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overnight.errors import Finding
from overnight.records import open_table
from overnight.records.references.endnote_tagged import ENDNOTE_TAGGED
from overnight.records.references.format import Format
from overnight.records.references.ris import RIS
from overnight.records.references.wos import WOS
from overnight.records.source import Source
from tests.support.references import places, raws, references
from tests.support.references_made import File, endnote_file, ris_file, wos_file

FAMILIES: list[tuple[Format, Callable[[int], File]]] = [
    (RIS, ris_file),
    (WOS, wos_file),
    (ENDNOTE_TAGGED, endnote_file),
]
by_family = pytest.mark.parametrize(("format_", "write"), FAMILIES, ids=[f.name for f, _ in FAMILIES])


@by_family
@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read(format_: Format, write: Callable[[int], File], seed: int) -> None:
    file = write(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.txt"
        path.write_bytes(file.content)
        table = open_table(path)
        assert table.format == format_.name
        assert references(table) == file.found
        assert places(table) == file.starts


@by_family
@given(seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_the_raw_texts_joined_are_the_same_records(format_: Format, write: Callable[[int], File], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.txt"
        path.write_bytes(write(seed).content)
        first = open_table(path)
        again = Path(folder) / "again.txt"
        blank = "\n\n" if format_ is ENDNOTE_TAGGED else "\n"
        again.write_bytes(blank.join(raws(first)).encode())
        second = open_table(again)
        assert references(second) == references(first)
        assert raws(second) == raws(first)


SIGNS = (
    *(
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        " ",
        "   ",
        "\t",
        "\ufeff",
        "\x0b",
        "\u2028",
        "é",
        "–",
        "TY  - JOUR",
        "TY - BOOK",
        "ty-JOUR",
    ),
    *(
        "ER  - ",
        "ER -",
        "ER",
        "TI  - a",
        "TI a",
        "AB-x",
        "  - ",
        "KW  - a;",
        "UR  - u     DO  - 10.1/x",
        "DO  - 10.1000/a",
    ),
    *("PT J", "EF", "FN Web of Science", "%0 Book", "%T x", "%", "Record #1 of 2", "5.", "PMID- 1"),
)


@pytest.mark.parametrize("format_", [family[0] for family in FAMILIES], ids=lambda f: f.name)
@given(text=st.lists(st.sampled_from(SIGNS), max_size=30).map("".join))
@settings(max_examples=200, deadline=None)
def test_reading_and_counting_agree_on_any_text(format_: Format, text: str) -> None:
    """Whatever it is: the same places by both ways, each raw is a piece of the text, and nothing raises."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.txt"
        path.write_bytes(text.encode())
        source = Source(path)
        pieces = list(format_.read(source, "utf-8"))
        read = [piece for piece in pieces if not isinstance(piece, Finding)]
        assert [piece.line for piece in read] == list(format_.starts(source, "utf-8"))
        rest = text
        for piece in read:
            assert piece.raw in rest
            rest = rest.partition(piece.raw)[2]
