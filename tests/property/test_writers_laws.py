"""Laws: in → out → in gives the same records; our marks are there once; no text of a record or an answer breaks one."""

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overnight.core.record import Record
from overnight.errors import Finding
from overnight.records import open_table
from overnight.records.references import FORMATS
from overnight.records.references.reference import COLUMNS
from overnight.records.writers.bibtex import BibWriter
from overnight.records.writers.citation import Citations
from overnight.records.writers.marks import Marks
from overnight.records.writers.ris import annotated, as_ris
from tests.support.references_made import ris_file
from tests.support.zoo import ZOO

Values = dict[str, str]

MARKS = Marks.of(("screening:include", "overnight:LOCAL STAND-IN"), 'include; night_shift met "at night"')
OTHER = Marks.of(("screening:exclude", "reason:Wrong type"), "exclude (Wrong type)")
SIGNS = (
    *("\n", "\r\n", "\r", "\n\n", " ", "\t", "\x0b", "\x00", "\x1b[2J", "\x85", "\u2028", "\ud800", "\ufffe", "\ufeff"),
    *("ER  - ", "ER-", "er - ", "TY  - JOUR", "TY - BOOK", "TI  - forged", "KW  - screening:include", "KW-x", "AB"),
    *("N1  - overnight: include [keywords: sleep]", "overnight: x [keywords: a | b]", "[", "]", "|", ";", ",", "; "),
    *("@article{x,", "{", "}", "{}", "\\", "\\}", '"', "%", "50 %", "&", "&amp;", "$", "#", "_", "~", "^", "--", "``"),
    *("''", "'", "=", "@", " and ", "a", "nap", "夜勤", "😴", "é", "\\emph{x}", "$x$", "-", "<p>", "</p>", "PMID- 1"),
)
hostile = st.lists(st.sampled_from(SIGNS), max_size=12).map("".join)
any_marks = st.builds(Marks.of, st.lists(hostile, max_size=3), hostile)


def values_of(folder: Path, name: str, content: bytes) -> tuple[str, list[Values], list[str]]:
    """format, each record's columns with something in them, its own text."""
    path = folder / name
    path.write_bytes(content)
    table = open_table(path)
    values, raws = [], []
    for _, row, raw in table.entries():
        assert not isinstance(row, Finding)
        values.append({name: str(cell) for name, cell in zip(table.columns, row, strict=True) if cell is not None})
        raws.append(raw)
    return table.format, values, raws


def ris_of(content: bytes, marks: Marks) -> tuple[list[Values], list[str], list[Values], list[str]]:
    """A file of RIS, read, marked, written and read again: columns and own texts before and after."""
    with tempfile.TemporaryDirectory() as folder:
        _, before, raws = values_of(Path(folder), "a.ris", content)
        written = [as_ris(raw, "ris", None, marks) for raw in raws]
        format_, after, _ = values_of(Path(folder), "b.ris", "".join(written).encode())
    assert format_ == "ris"
    return before, raws, after, written


@given(seed=st.integers(0, 2**32), marks=any_marks)
@settings(max_examples=150, deadline=None)
def test_records_of_any_dialect_come_back_with_what_is_added_and_nothing_else(seed: int, marks: Marks) -> None:
    before, raws, after, written = ris_of(ris_file(seed).content, marks)
    assert len(after) == len(before)
    for own, raw, text in zip(raws, raws, written, strict=True):
        assert untouched(own, text, marks) == raw
    for old, new in zip(before, after, strict=True):
        assert words(new.get("keywords", "")) == words("; ".join([old.get("keywords", ""), *marks.keywords]))
        assert {n: v for n, v in new.items() if n not in {"keywords", "other"}} == {
            n: v for n, v in old.items() if n not in {"keywords", "other"}
        }
        notes = json.loads(new["other"])
        assert marks.note in notes["N1"]
        notes["N1"].remove(marks.note)
        assert {tag: said for tag, said in notes.items() if said} == json.loads(old.get("other", "{}"))


def untouched(raw: str, text: str, marks: Marks) -> str:
    """The record without the lines that hold exactly what was added, told without the writer's own way."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text.rstrip("\r\n"))
    ours = [*marks.keywords, marks.note]
    n = len(lines) - 1
    assert all(line.rstrip("\r\n").endswith(said) for line, said in zip(lines[n - len(ours) : n], ours, strict=True))
    head, end = "".join(lines[: n - len(ours)]), lines[n]
    had_end = re.search(r"(?:\A|[\r\n])[ \t]*[Ee][Rr][ \t]*[-–—][^\r\n]*\Z", raw)
    return head + end if had_end else head.rstrip("\r\n") + raw[len(raw.rstrip("\r\n")) :]


@given(seed=st.integers(0, 2**32), marks=any_marks, other=any_marks)
@settings(max_examples=150, deadline=None)
def test_what_was_added_before_is_replaced_in_ris(seed: int, marks: Marks, other: Marks) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, _, raws = values_of(Path(folder), "a.ris", ris_file(seed).content)
    for raw in raws:
        once = annotated(raw, marks)
        assert annotated(once, marks) == once
        assert annotated(once, other) == annotated(raw, other)


texts = st.one_of(hostile, st.text(max_size=20), st.lists(st.sampled_from(SIGNS), min_size=1, max_size=4).map(" ".join))
several = st.lists(texts, min_size=1, max_size=3).map("; ".join)
cells = st.fixed_dictionaries(
    {"title": texts.map("A nap ".__add__)},
    optional={
        **dict.fromkeys(("abstract", "journal", "volume", "issue", "my own column"), texts),
        **dict.fromkeys(("authors", "keywords"), several),
        "pages": st.sampled_from(["1-9", "e12", "S1-10--S1-19", "12-", "-12", "1–9", "1, 3-5"]),
        "year": st.sampled_from(["1987", "2026"]),
        "doi": st.sampled_from(["10.5555/a_b", "10.5555/x(2019)2;1-2"]),
        "pmid": st.sampled_from(["1", "00123"]),
        "pmcid": st.just("PMC12"),
        "citation_key": st.sampled_from(["Aster2020", "a:b/c"]),
        "accession_number": st.sampled_from(["WOS:1", "2020123"]),
        "language": st.sampled_from(["eng", "eng; ger"]),
        "issn": st.sampled_from(["1234-5678", "1234-5678; 8765-4321"]),
        "url": st.sampled_from(["https://a.example/x_y?a=1&b=2#z", "https://a.example/b;c=1; https://b.example/~me"]),
        "database": st.sampled_from(["Scopus", "Embase; CAB"]),
    },
)


def made_and_read(values: Values, format_: str, marks: Marks) -> Values:
    cited = Citations(list(values)).of(Record("r1", 0, dict(values), "x.csv:2"))
    with tempfile.TemporaryDirectory() as folder:
        text = as_ris("", "csv", cited, marks) if format_ == "ris" else BibWriter()("", "csv", cited, marks)
        found, (back,), _ = values_of(Path(folder), f"x.{format_}", text.encode())
    assert found.startswith(format_)
    return back


@pytest.mark.parametrize("format_", ["ris", "bib"])
@given(values=cells, marks=any_marks)
@settings(max_examples=300, deadline=None)
def test_every_column_of_a_table_comes_back(format_: str, values: Values, marks: Marks) -> None:
    back = made_and_read(values, format_, marks)
    rest = " ".join(json.loads(back["other"]).get(_REST[format_], []))
    for name in COLUMNS:
        if name == "database" and format_ == "ris" and not {"accession_number", "pmid"} & set(values):
            assert all(f"database: {said}" in rest for said in words(values.get(name, "")))
        elif name in _SEVERAL:
            wanted = words(values.get(name, ""))
            assert words(back.get(name, ""))[: len(wanted)] == wanted, name
        elif seen(values.get(name, "")):
            assert seen(back.get(name, "")) == seen(values[name]), name
    assert seen(values.get("my own column", "")) in seen(rest)


_SEVERAL = ("authors", "keywords", "issn", "language", "database")
_REST = {"ris": "N1", "bib": "annote"}


def words(keywords: str) -> list[str]:
    return [word for one in re.split("[,;]", keywords) if (word := seen(one))]


def seen(text: str) -> str:
    """On one line, without what no line can hold."""
    return " ".join(re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]", " ", text).split())


LETTERS = st.text(
    st.characters(codec="utf-8", exclude_characters='\0{}\\"@#,=()%\ufeff', exclude_categories=["Cs", "Cc"])
)
FIELDS = (
    *("year = 2020", "month = jan", "X-odd = {a, {b}}", "note = {mine}", "abstract = {a % b \\& c,\n  {N}aps\n}"),
    *('Keywords = "sleep; {n}ap"', "keywords = {sleep, nap, screening:include}", 'annote = "a, b"'),
    *("keywords={Sleep, deep; nap}", 'Keywords = "a,b"', "overnight = {my own}", "overnight = {} "),
)
entries = st.builds(
    lambda key, title, fields, ends, last: f"@Article{ends[0]}k{key},\n  title = {{T {title}}}"
    + "".join(f",\n  {field}" for field in fields) + last + ends[1],
    st.text(st.sampled_from("abzé09:/.+-_"), max_size=6),
    LETTERS,
    st.lists(st.sampled_from(FIELDS), max_size=4, unique_by=lambda field: field.partition("=")[0].strip().lower()),
    st.sampled_from(["{}", "()"]),
    st.sampled_from(["", "\n", ",\n", " , "]),
)  # fmt: skip


@given(raws=st.lists(entries, min_size=1, max_size=4), marks=any_marks, other=any_marks)
@settings(max_examples=200, deadline=None)
def test_entries_come_back_with_what_is_added_and_what_was_added_before_is_replaced(
    raws: list[str], marks: Marks, other: Marks
) -> None:
    citation = Citations(["title"]).of(Record("r1", 0, {"title": "not used"}, "x.bib:1"))

    def written(raws: list[str], marks: Marks) -> list[str]:
        write = BibWriter()
        return [write(raw, "bibtex", citation, marks).rstrip("\n") for raw in raws]

    once = written(raws, marks)
    assert written(once, marks) == once
    assert written(written(raws, other), marks) == once
    with tempfile.TemporaryDirectory() as folder:
        _, before, own = values_of(Path(folder), "a.bib", "\n".join(raws).encode())
        _, after, _ = values_of(Path(folder), "b.bib", "\n".join(once).encode())
    assert own == raws
    for old, new, text in zip(before, after, once, strict=True):
        assert {**new, "keywords": "", "other": "", "citation_key": ""} == {
            **old, "keywords": "", "other": "", "citation_key": ""
        }  # fmt: skip
        assert words(new.get("keywords", ""))[: len(words(old.get("keywords", "")))] == words(old.get("keywords", ""))
        assert text.count("\n  overnight = {overnight: ") == 1


@pytest.mark.parametrize("format_", ["ris", "bib"])
@pytest.mark.parametrize("name", sorted({format_.name for format_ in FORMATS} - {"ris", "bibtex"}))
def test_what_other_formats_hold_comes_back(tmp_path: Path, name: str, format_: str) -> None:
    """Of each file in the zoo: every column, and what has no column in the note."""
    exhibits = [made for make in ZOO.values() if (made := make()).format == name]
    assert exhibits
    for n, exhibit in enumerate(exhibits):
        folder = tmp_path / str(n)
        folder.mkdir()
        read, before, _ = values_of(folder, exhibit.name, exhibit.content)
        write = BibWriter()
        texts = []
        for values in before:
            cited = Citations(list(values)).of(Record("r1", 0, dict(values), "x:1"))
            texts.append(as_ris("", read, cited, MARKS) if format_ == "ris" else write("", read, cited, MARKS))
        _, after, _ = values_of(folder, f"x.{format_}", "".join(texts).encode())
        assert len(after) == len(before) == exhibit.records
        for old, new in zip(before, after, strict=True):
            rest = seen(" ".join(json.loads(new["other"]).get(_REST[format_], [])))
            for column in set(old) - {"type", "other"}:
                assert words(new.get(column, ""))[: len(words(old[column]))] == words(old[column]), column
            for tag, values in json.loads(old.get("other", "{}")).items():
                assert all(f"{tag}: {seen(value)}" in rest for value in values), tag
