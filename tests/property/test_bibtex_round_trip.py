"""Law: n entries written in BibTeX with every oddity are n records with the same texts; no word of a value is lost."""

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from overnight.errors import RecordsError
from overnight.records import open_table
from overnight.records.references.latex import plain_text

LETTERS = st.characters(codec="utf-8", exclude_characters='\0{}\\"$~`@%#,=()\ufeff', exclude_categories=["Cs", "Cc"])
ODD = [
    "\n @article{no,\n  title = {no}}\n",  # at the margin it is refused: a brace may be missing above it
    "@home",
    "a, b = c",
    "50\\% \\& \\_",
    "{Protected}",
    '{"}',
    "\n\n",
    "(",
    "x@y.z",
]
# Texts as they stand in the file, in balanced braces.
texts = st.lists(st.one_of(st.sampled_from(ODD), st.text(LETTERS, max_size=12)), min_size=1, max_size=4).map(" ".join)
keys = st.one_of(st.just(""), st.text(st.sampled_from("abzé09:/.+-_"), min_size=1, max_size=8))
between = st.sampled_from(
    ["", "\n", "\r\n\r\n", "\n% a comment with @ and {\n", "\n@comment{x {y} @misc{z}}\n", " free text\n"]
)
delimiters = st.sampled_from([("{", "}"), ("(", ")")])


@given(st.lists(st.tuples(keys, texts, texts, delimiters, between), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_entry_comes_back(entries: list[tuple[str, str, str, tuple[str, str], str]]) -> None:
    raws = [
        f"@Article{open_}{key},\n  Title = {{T {title}}},\n  abstract = {{A {abstract}}} {close}"
        for key, title, abstract, (open_, close), _ in entries
    ]
    written = "".join(f"{raw}{after}" for raw, (*_, after) in zip(raws, entries, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.bib"
        path.write_bytes(written.encode())
        table = open_table(path)
        rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
        assert [raw for *_, raw in table.entries()] == raws
    assert [row.get("citation_key") or "" for row in rows] == [entry[0].strip() for entry in entries]
    for row, (_, title, abstract, *_) in zip(rows, entries, strict=True):
        assert (row["title"], row["abstract"]) == (printed(f"T {title}"), printed(f"A {abstract}"))


def printed(text: str) -> str:
    """Told again in other words than latex.py's, for what these texts are made of."""
    for written, shown in (("\\%", "%"), ("\\&", "&"), ("\\_", "_"), ("{", ""), ("}", "")):
        text = text.replace(written, shown)
    return text.replace("---", "—").replace("--", "–").strip()


@given(st.text(st.sampled_from("ab1 {}\\'\"`~$%-&_^cuv.\n@#é"), max_size=30))
@settings(max_examples=300, deadline=None)
def test_plain_text_keeps_every_digit_and_never_grows_wild(value: str) -> None:
    shown = plain_text(value)
    assert [c for c in shown if c == "1"] == [c for c in value if c == "1"]
    assert len(shown) <= len(value)


PIECES = [
    "@article{",
    "@misc(",
    "@comment{",
    "@string{s = ",
    "k",
    ",",
    "title",
    " = ",
    "{",
    "}",
    '"',
    ")",
    "#",
    "\\",
    "%",
    "\n",
    "@",
    "x y",
    "=",
    "1",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40))
@example(["\\", ",", "@misc(", ")"])
@example(["\\", "{", "@misc(", ")"])
@example(["\\", "\\", "@misc(", ")"])
@settings(max_examples=400, deadline=None)
def test_any_arrangement_of_what_entries_are_made_of_is_read_or_refused(pieces: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.bib"
        path.write_text("@misc{first, title={x}}\n" + "".join(pieces))
        assert records_or_refusal(path)


def records_or_refusal(path: Path) -> int | str:
    """How many records, or the refusal: with a line, and never because reader and count disagree."""
    try:
        return sum(1 for _ in open_table(path).rows())
    except RecordsError as error:
        said, unplaced = str(error), [finding for finding in error.findings if not finding.line]
    assert not unplaced
    assert not any(words in said for words in ("by counting", "was counted and", "where no record begins"))
    return said
