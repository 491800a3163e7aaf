"""BibTeX in: every shape of entry that reference managers write, and every broken one with its line."""

import json
import os
from pathlib import Path

import pytest

from overnight.errors import RecordsError
from overnight.records import open_table
from overnight.records.table import Table


def bib(folder: Path, content: str, name: str = "t.bib", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def read(folder: Path, content: str, name: str = "t.bib", encoding: str = "utf-8") -> list[dict[str, object]]:
    table = open_table(bib(folder, content, name, encoding))
    assert table.format == "bibtex"
    return [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]


def opened(folder: Path, content: str) -> Table:
    return open_table(bib(folder, content))


def refusal(folder: Path, content: str) -> str:
    with pytest.raises(RecordsError) as caught:
        open_table(bib(folder, content))
    return str(caught.value)


def test_an_entry_becomes_columns_and_what_has_none_is_in_other(tmp_path: Path) -> None:
    (record,) = read(
        tmp_path,
        """@Article{Weber2019,
          Author = {Weber, Anna and M{\\"u}ller, Jan and {Sleep and Work Group}},
          title = "{N}aps at night",
          journal = {Sleep}, year = 2019, volume = {4}, number = {2}, pages = {83--96},
          doi = {10.1000/ab\\_c}, pmid = {123}, issn = {1234-5678}, language = {eng},
          abstract = {We studied 50% of A \\& B.},
          keywords = {nap, night}, url = {https://example.org/~x},
          publisher = {Nobody}, month = mar,
        }""",
    )
    assert json.loads(str(record.pop("other"))) == {"publisher": ["Nobody"], "month": ["mar"]}
    assert record == {
        "title": "Naps at night",
        "abstract": "We studied 50% of A & B.",
        "authors": "Weber, Anna; Müller, Jan; Sleep and Work Group",
        "year": "2019",
        "journal": "Sleep",
        "volume": "4",
        "issue": "2",
        "pages": "83-96",
        "doi": "10.1000/ab_c",
        "pmid": "123",
        "citation_key": "Weber2019",
        "type": "Article",
        "language": "eng",
        "keywords": "nap, night",
        "issn": "1234-5678",
        "url": "https://example.org/~x",
    }


def test_the_raw_text_is_what_stands_in_the_file(tmp_path: Path) -> None:
    entry = "@article{a,\r\n\ttitle = {Stra{\\ss}e  },\r\n}"
    table = opened(tmp_path, f"junk\r\n\r\n{entry}\r\n")
    assert [(place, raw) for place, _, raw in table.entries()] == [(3, entry)]


def test_biblatex_names_date_subtitle_and_pubmed_id(tmp_path: Path) -> None:
    (record,) = read(
        tmp_path,
        "@article{a, title={Naps}, subtitle={A trial}, date={2020-03-01}, journaltitle={J}, langid={german},\n"
        " eprint={777}, eprinttype={pubmed}}",
    )
    assert (record["title"], record["year"], record["journal"]) == ("Naps: A trial", "2020", "J")
    assert (record["language"], record["pmid"]) == ("german", "777")
    assert json.loads(str(record["other"])) == {"date": ["2020-03-01"], "eprinttype": ["pubmed"]}


def test_keys_that_are_missing_there_twice_or_odd_lose_no_record(tmp_path: Path) -> None:
    heads = ["{,", "{", "{same,", "{same,", "{a b c,", "{DBLP:conf/x-1.2+(3)\"'é,", "{10.1000/x_y;z,"]
    records = read(tmp_path, "\n".join(f"@misc{head} title = {{T{i}}}}}" for i, head in enumerate(heads)))
    assert [record["title"] for record in records] == [f"T{i}" for i in range(len(heads))]
    keys = [None, None, "same", "same", "a b c", "DBLP:conf/x-1.2+(3)\"'é", "10.1000/x_y;z"]
    assert [record["citation_key"] for record in records] == keys


def test_text_that_looks_like_an_entry_inside_braces_fools_neither_reader_nor_count(tmp_path: Path) -> None:
    text = "Mail\n@home {see below} or\n @article{x,\n  title = {no}}\nend"
    table = opened(tmp_path, f"@article{{a, title = {{One}}, abstract = {{{text}}}}}\n@article{{b, title = {{Two}}}}")
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    assert [row["title"] for row in rows] == ["One", "Two"]
    assert "@home see below or\n @article" in str(rows[0]["abstract"])
    (note,) = table.notes
    assert (note.line, note.level) == (3, "warning")
    assert "looks like the beginning of an entry" in note.what


@pytest.mark.parametrize(
    "swallowed",
    [
        "@article{b,\n  title = {Two},\n}",
        '@book{b,\n\n  title = "Two",\n}',
        "@MISC{b, title = {Two}}",
        "@misc(b:2, year = 2020)",
    ],
)
def test_an_entry_in_the_braces_of_another_is_refused_though_braces_too_many_follow(
    tmp_path: Path, swallowed: str
) -> None:
    text = f"@article{{a,\n  title = {{One,\n  note = {{x}},\n{swallowed}\n}}}}\n@article{{c,\n  title = {{Three}}}}\n"
    said = refusal(tmp_path, text)
    assert "t.bib:4: an entry begins here, but stands in the braces of that on line 1" in said
    assert "A closing brace is missing above it" in said


def test_a_field_that_ends_in_a_line_break_of_latex_does_not_swallow_the_next(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "@misc{a, abstract = {One\\\\two\\\\}, title = {T}}")
    assert (record["title"], record["abstract"]) == ("T", "One two")


def test_parentheses_as_delimiters_and_several_entries_on_a_line(tmp_path: Path) -> None:
    records = read(tmp_path, '@article(a, title = "Two (2) :-)") @book{b, title={x)}} @misc(c, title={y (z})')
    assert [record["title"] for record in records] == ["Two (2) :-)", "x)", "y (z"]


def test_abbreviations_are_put_in_and_unknown_ones_stay_with_a_note(tmp_path: Path) -> None:
    table = opened(
        tmp_path,
        '@string{jos = "Journal of " # sleepy}\n@STRING(sleepy = {Sleep})\n@string{j2 = "J of " # sleepy # " II"}\n'
        '@preamble{ "\\newcommand{\\x}{y}" }\n@article{a, title={t}, journal = J2, month = 1 # jan, year = inpress}\n',
    )
    (row,) = (dict(zip(table.columns, row, strict=True)) for _, row in table.rows())
    assert (row["journal"], row["year"]) == ("J of Sleep II", "inpress")
    assert json.loads(str(row["other"])) == {"month": ["1jan"]}
    assert [note.what for note in table.notes] == [
        "the abbreviation 'sleepy' is defined by no @string above it: kept as it stands, 1 time",
        "the abbreviation 'inpress' is defined by no @string above it: kept as it stands, 1 time",
    ]


def test_comments_of_jabref_and_lines_between_entries(tmp_path: Path) -> None:
    content = (
        "This file was created with JabRef 2.10.\nEncoding: UTF8\n\n@article{a, title={One}}\n"
        "@Comment{jabref-meta: grouping:\n0 AllEntriesGroup:;\n1 StaticGroup:x\\;0\\;1\\;;\n}\n"
        "@comment{\n@article{hidden,\n title={H}}}\n% @article{off, title={x}}\n"
    )
    table = opened(tmp_path, content)
    assert len(list(table.rows())) == 1
    assert [(note.line, note.what.split(":")[0]) for note in table.notes] == [
        (10, "1 entry inside @comment not read"),
        (1, "2 lines outside all entries, first 'This file was created with JabRef 2.10.'"),
        (12, "1 entry on lines that begin with %"),
    ]


def test_a_field_that_is_there_twice_keeps_both(tmp_path: Path) -> None:
    table = opened(tmp_path, "@misc{a, title={One}, title={Two}, keywords={x}, keywords={y; z}, note={n}, note={m}}")
    (row,) = (dict(zip(table.columns, row, strict=True)) for _, row in table.rows())
    assert (row["title"], row["keywords"]) == ("One", "x; y; z")
    assert json.loads(str(row["other"])) == {"title": ["Two"], "note": ["n", "m"]}
    assert [note.what for note in table.notes] == [
        "the field title is there 2 times: the first is read, the others are in `other`"
    ]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("@article{a, title = {One {two}\n}\n@article{b,\n title={x}}\n", 1, "another one seems to begin on line 3"),
        ("@misc{z, title={y}}\n@article{a, title = {{{One}\n}\n", 2, "never closed"),
        ("@article{a, title = {One}}\n  year = {2020},\n}\n", 2, "outside all entries: 'year = {2020},'"),
        ("@article{a, title = {One}\n year = {2020}}\n", 1, "the field title cannot be read"),
        ("@article{a,\n title {One}, year = {2020}}\n", 1, "this entry cannot be read: Expected a `=`"),
        ('@article{a,\n  title = "One, year = {2020}}\n', 1, "this entry cannot be read"),
        ("@article{a, title={x}}\n@string{foo}\n", 2, "an @string that cannot be read"),
        ("@article{a, title={x}}\n@article\n{b, title={y}}\n", 2, "outside all entries: '@article'"),
    ],
)  # fmt: skip
def test_a_broken_entry_is_named_with_its_line(tmp_path: Path, content: str, line: int, words: str) -> None:
    said = refusal(tmp_path, content)
    assert f"t.bib:{line}: " in said
    assert words in said


def test_all_broken_entries_are_named_at_once(tmp_path: Path) -> None:
    broken = "@article{a, title = {One {two}\n}\n"
    said = refusal(tmp_path, f"{broken}@misc{{k, title={{ok}}}}\n{broken}@misc{{l, title={{ok}}}}\n")
    assert "t.bib:1: " in said
    assert "t.bib:4: " in said


def test_windows_1252_is_read_unless_the_file_says_another_encoding(tmp_path: Path) -> None:
    entry = "@misc{a, title={Müller}}\n"
    assert read(tmp_path, f"% Encoding: Cp1252\n{entry}", encoding="cp1252")[0]["title"] == "Müller"
    with pytest.raises(RecordsError, match="says that its encoding is MacRoman"):
        open_table(bib(tmp_path, f"% Encoding: MacRoman\n{entry}", encoding="mac-roman"))


def test_a_file_of_comments_only_holds_no_record(tmp_path: Path) -> None:
    assert "an empty BibTeX file" in refusal(tmp_path, "@comment{jabref-meta: databaseType:bibtex;}\n")


def test_the_content_says_bibtex_whatever_the_name(tmp_path: Path) -> None:
    scopus = "Scopus\nEXPORT DATE: 22 November 2026\n\n@ARTICLE{Weber20191,\nauthor={Weber, A.},\ntitle={Naps},\n}\n"
    table = open_table(bib(tmp_path, scopus, "t.txt"))
    assert table.format == "bibtex"
    assert open_table(bib(tmp_path, "id,t\n1,@article{x\n", "t.csv")).format == "csv"


@pytest.mark.real_data
@pytest.mark.skipif("OVERNIGHT_DATA" not in os.environ, reason="OVERNIGHT_DATA does not name the folder of real data")
def test_a_real_jabref_library() -> None:
    path = Path(os.environ["OVERNIGHT_DATA"]) / "exports" / "jabref51.bib"
    table = open_table(path)
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    # 23 lines begin with @: 20 entries and the three @Comment blocks of JabRef's own.
    assert (len(rows), sum(bool(row["abstract"]) for row in rows), table.notes) == (20, 19, ())
    text = path.read_text()
    assert all(raw in text and raw.startswith("@") and raw.endswith("}") for _, _, raw in table.entries())
