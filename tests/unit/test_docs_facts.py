"""Where "facts N" is cited, docs/reference/facts.md has an N; and nothing cites what a user cannot open."""

import re
from pathlib import Path

import pytest

from overnight.pricing import packaged_models, packaged_prices

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "docs" / "reference" / "facts.md"
ENDINGS = {".py", ".toml", ".md", ".jinja", ".yaml", ".sql"}
FILES = sorted(
    path
    for place in ("src", "tests", "bench", "docs")
    for path in (ROOT / place).rglob("*")
    if path.suffix in ENDINGS and path not in (FACTS, Path(__file__))
)
NUMBER = r"\d{1,2}(?:\.\d{1,2})?"
CITED = re.compile(rf"\bfacts(?:\.md\)?|\]\([^)]*\))?,? ({NUMBER}(?:(?:, | and | to |–){NUMBER}(?![\d%]))*)")
MARKS = {"D", "S", "L", "U", "T", "?"}

# Pages of a workplace that is not this repository.
ELSEWHERE = re.compile(
    r"vertex-batch-facts|\bdomain(?:\.md)? \d|[Dd]esign,? section"
    r"|(?:performance|local-cloud|design)\.md,? (?:section )?\d"
)


def sections() -> set[str]:
    page = FACTS.read_text("utf-8")
    whole = re.findall(rf"^## ({NUMBER}(?:, {NUMBER})*) ", page, re.MULTILINE)
    inside = re.findall(rf"\*\*({NUMBER}) |\s({NUMBER}): ", page)
    return {n for group in whole for n in group.split(", ")} | {n for pair in inside for n in pair if n}


def cited(text: str) -> set[str]:
    return {number for group in CITED.findall(text) for number in re.findall(NUMBER, group)}


def test_every_section_that_is_cited_is_there() -> None:
    there = sections()
    by_file = {path.relative_to(ROOT).as_posix(): cited(path.read_text("utf-8")) for path in FILES}
    assert len(set().union(*by_file.values())) > 15, "it sees them at all"
    assert {name: numbers - there for name, numbers in by_file.items() if numbers - there} == {}


def test_nothing_cites_a_page_outside_the_repository() -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}: {match[0]}"
        for path in FILES
        if "localcloud" not in path.parts
        for match in ELSEWHERE.finditer(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "row", [*packaged_models(), *packaged_models().gone, *packaged_prices()], ids=lambda row: row.source[:30]
)
def test_the_source_of_a_row_is_something_public(row: object) -> None:
    source = str(getattr(row, "source", ""))
    assert re.sub(r"docs/reference/facts\.md [\d., ]+", "", source).strip(" ()"), "a section of ours is no source"
    assert not re.search(r"(?<!reference/)\bfacts\b", source)


def test_the_page_is_short_and_every_mark_on_it_is_explained() -> None:
    page = FACTS.read_text("utf-8")
    assert len(page.splitlines()) <= 160
    explained = set(re.findall(r"^\| \[(.)\] \|", page, re.MULTILINE))
    assert explained == MARKS
    assert set(re.findall(r"\[([A-Z?])(?:, [^\]]+)?\]", page)) <= explained
