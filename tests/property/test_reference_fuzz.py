"""Law: a damaged file is read whole, or refused with words; no traceback, no hang, nothing lost without a word.

Eight hundred inputs of `python -m tests.fuzz`, and those that once went wrong. The seeds are fixed: what fails, fails
again.
"""

import re
from pathlib import Path

import pytest

from overnight.records import open_table
from tests.fuzz.judge import Tally
from tests.fuzz.one import exhibits, try_one
from tests.support.zoo import ZOO

pytest.importorskip("resource", reason="the limit of time needs SIGALRM, which Windows has not")

SEEDS = range(800)
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_files_are_read_whole_or_refused_with_words(part: int, tmp_path: Path) -> None:
    tally = Tally()
    for seed in SEEDS[part::PARTS]:
        try_one(seed, tmp_path, tally)
    assert tally.inputs == len(SEEDS) // PARTS
    assert tally.refused > 10  # else nothing was damaged
    assert tally.read.total() > 10  # else all of it was nonsense
    assert len(tally.read) > 4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("blank lines above something else", b"\n" * 400 + b"x"),
        ("blank lines within", b"a\n\n\n\n" * 60),
        ("comments without an entry", b"%\n\n\n \n" * 60 + b"x"),
        ("one DOCTYPE after another", b"<!DOCTYPE a [<!ENTITY b 'c'>]>" * 60),
        ("comments that never end", b"<!-- " * 4000),
    ],
)
def test_no_file_makes_the_question_what_it_is_take_long(name: str, content: bytes, tmp_path: Path) -> None:
    from tests.fuzz.judge import judge, limited

    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with limited():
        assert judge(path, content, Tally()) == "", name


def test_what_lies_between_two_records_of_xml_is_noted(tmp_path: Path) -> None:
    exhibit = ZOO["PubMed XML with its DOCTYPE"]()
    record = re.search(rb"(?s)<PubmedArticle>.*?</PubmedArticle>", exhibit.content)
    assert record
    content = exhibit.content.replace(record[0], record[0].lower())
    path = tmp_path / exhibit.name
    path.write_bytes(content)
    table = open_table(path)
    assert sum(1 for _ in table.rows()) == 2
    assert [(note.line, note.what) for note in table.notes] == [(4, "text outside all records: '91000001'")]


def test_every_format_is_fuzzed() -> None:
    assert len({exhibit.format for exhibit in exhibits()}) == 12
