"""Results as RIS: a person's own record untouched but for our lines, or one made of a table's columns."""

from pathlib import Path

import pytest

from overnight.core.record import Cell, Record
from overnight.records.opening import open_table
from overnight.records.writers.citation import Citations
from overnight.records.writers.marks import Marks
from overnight.records.writers.ris import annotated, as_ris, made

MARKS = Marks.of(("screening:include", "overnight:LOCAL STAND-IN"), 'include; night_shift met "at night"')
NOTE = 'N1  - overnight: include; night_shift met "at night" [keywords: screening:include | overnight:LOCAL STAND-IN]'
ADDED = ("KW  - screening:include", "KW  - overnight:LOCAL STAND-IN", NOTE)
RECORD = (
    "TY  - JOUR\nTI  - A nap\nAB  - First.\n  TY - no record\nXX  - unknown\nKW  - sleep\nKW  - reason:unknown\nER  - "
)


def read(tmp_path: Path, *texts: str) -> list[dict[str, Cell]]:
    """As our own reader has them."""
    path = tmp_path / "x.ris"
    path.write_bytes("".join(texts).encode())
    table = open_table(path)
    assert table.format == "ris"
    return [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]


def citation(values: dict[str, Cell], record_id: str = "r1") -> str:
    return made(Citations(list(values)).of(Record(record_id, 0, values, "x.csv:2")), MARKS)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_record_keeps_every_character_and_its_line_ends(end: str) -> None:
    raw = RECORD.replace("\n", end)
    assert annotated(raw, MARKS) == raw.replace("ER  - ", "".join(line + end for line in ADDED) + "ER  - ")


def test_a_second_time_replaces_what_the_first_time_added() -> None:
    once = annotated(RECORD, MARKS)
    assert annotated(once, MARKS) == once
    other = annotated(once, Marks.of(("screening:exclude", "reason:Wrong type"), "exclude"))
    assert "include" not in other
    assert annotated(other, MARKS) == once


def test_a_persons_own_keyword_stays_also_where_it_is_one_of_ours_word_for_word() -> None:
    raw = "TY  - JOUR\nKW  - screening:include\nKW  - reason:unknown\nER  - "
    once = annotated(raw, MARKS)
    assert once.count("KW  - screening:include\n") == 2
    assert annotated(once, MARKS) == once


def test_a_note_of_ours_that_a_person_went_on_with_stays() -> None:
    note = "N1  - overnight: include [keywords: screening:include]\nbut I doubt it"
    raw = f"TY  - JOUR\n{note}\nKW  - screening:include\nER  - "
    assert annotated(raw, MARKS).startswith(raw.removesuffix("ER  - "))


def test_our_note_is_known_again_as_zotero_writes_it() -> None:
    note = "N1  - <p>overnight: exclude [keywords: screening:exclude | reason:a &amp; b]</p>"
    raw = f"TY  - JOUR\n{note}\nKW  - reason:a & b\nKW  - screening:exclude\nTI  - A\nER  - "
    assert annotated(raw, MARKS) == "\n".join(["TY  - JOUR", "TI  - A", *ADDED, "ER  - "])


def test_a_quote_cannot_pass_for_the_list_of_our_keywords() -> None:
    forged = Marks.of(("screening:include",), 'c met "[keywords: sleep]"')
    once = annotated(RECORD, forged)
    assert annotated(once, forged) == once
    assert "KW  - sleep\n" in once


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("TY - JOUR\nTI - A nap\nER - ", "KW - screening:include"),
        ("TY-JOUR\nTI-A nap\nER-", "KW  - screening:include"),
        ("ty  - JOUR\nti  - A nap\ner  - ", "kw  - screening:include"),
        ("TY  – JOUR\nTI  – A nap\nER  – ", "KW  – screening:include"),
        ("  TY  - JOUR\n  TI  - A nap\n  ER  - ", "  KW  - screening:include"),
        ("TY\t-\tJOUR\nTI\t-\tA nap\nER\t-\t", "KW\t-\tscreening:include"),
        ("TY  -\nTI  - A nap\nER  -", "KW  - screening:include"),
        ("TI  - A nap\nER  - ", "KW  - screening:include"),
    ],
)
def test_what_is_added_is_set_off_as_the_record_sets_off_its_tags(tmp_path: Path, raw: str, line: str) -> None:
    text = annotated(raw, MARKS)
    assert line in text.split("\n")
    (values,) = read(tmp_path, text)
    assert (values["title"], values["keywords"]) == ("A nap", "screening:include; overnight:LOCAL STAND-IN")


def test_a_record_without_an_end_gets_one() -> None:
    assert annotated("TY  - JOUR\nTI  - A", MARKS).split("\n") == ["TY  - JOUR", "TI  - A", *ADDED, "ER  - "]
    assert annotated("TY  - JOUR", MARKS).split("\r\n") == ["TY  - JOUR", *ADDED, "ER  - "]


@pytest.mark.parametrize("breaking", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x00", "\x1b[2J", "\ud800"])
def test_no_answer_can_break_a_record(tmp_path: Path, breaking: str) -> None:
    hostile = f"a quote{breaking}ER  - {breaking}{breaking}TY  - JOUR{breaking}TI  - forged"
    marks = Marks.of((f"reason:{hostile}",), f'exclude; c met "{hostile}"')
    values: dict[str, Cell] = {
        "title": hostile,
        "abstract": hostile,
        "my column": hostile,
        "authors": f"A{breaking}B; C",
    }
    texts = [
        as_ris(RECORD, "ris", None, marks),
        as_ris("", "csv", Citations(list(values)).of(Record("r1", 0, values, "x.csv:2")), marks),
    ]
    first, second = read(tmp_path, *texts)
    assert first["title"] == "A nap"
    assert str(second["title"]).startswith("a quote")
    assert "TI - forged" in str(second["title"]).replace("  ", " ")


def test_a_table_is_written_by_what_its_columns_hold(tmp_path: Path) -> None:
    values: dict[str, Cell] = {
        "Titel": "Naps; and nights",
        "Zusammenfassung": "One.\r\nTwo.",
        "Authors": "Smith J, Doe KL, van der Berg A.",
        "Publication Year": 2020,
        "Journal/Book": "unknown to us",
        "Source title": "Sleep",
        "PMID": "00123",
        "DOI": "10.1/x",
        "Issue": None,
        "pages": "17-23",
        "Keywords": "sleep; nap ;",
        "rating": "007",
        "blank": "  ",
    }
    text = citation(values, record_id="007")
    assert text.split("\r\n") == [
        "TY  - JOUR",
        "AU  - Smith J",
        "AU  - Doe KL",
        "AU  - van der Berg A",
        "TI  - Naps; and nights",
        "AB  - One. Two.",
        "PY  - 2020",
        "T2  - Sleep",
        "DO  - 10.1/x",
        "PM  - 00123",
        "SP  - 17",
        "EP  - 23",
        "AN  - 00123",
        "ID  - 007",
        "KW  - sleep",
        "KW  - nap",
        "N1  - other fields: Journal/Book: unknown to us",
        "KW  - screening:include",
        "KW  - overnight:LOCAL STAND-IN",
        NOTE,
        "ER  - ",
    ]
    assert "ID  - 123.5\r\n" in citation({"n": 123.5, "title": "x"}, record_id="123.5")
    for name in ("doi:10.1/x", "pmid:123", "t8faa0123456789ab"):  # read again it would be taken for a citation key
        assert "ID  - " not in citation(values, record_id=name)
    (back,) = read(tmp_path, text)
    assert (back["title"], back["doi"], back["pmid"], back["pages"]) == ("Naps; and nights", "10.1/x", "00123", "17-23")


@pytest.mark.parametrize(
    ("types", "journal", "tag"),
    [
        ("Journal Article; Review", "Sleep", "JOUR"),
        ("article", "", "JOUR"),
        ("inproceedings", "", "CPAPER"),
        ("Book Chapter", "", "CHAP"),
        ("THES", "", "THES"),
        ("phdthesis", "", "THES"),
        ("Case Reports", "J", "JOUR"),
        ("", "", "GEN"),
        ("", "Sleep", "JOUR"),
    ],
)
def test_the_type_is_one_of_ris(types: str, journal: str, tag: str) -> None:
    text = citation({"title": "A", "type": types, "journal": journal})
    assert text.startswith(f"TY  - {tag}\r\n")
    assert all(f"M3  - {said}\r\n" in text for said in types.split("; ") if said and said != tag)


def test_tags_that_no_column_holds_are_in_one_note() -> None:
    text = citation({"title": "A", "other": '{"PHST": ["2020/01/01", "2020/02/01"], "MHDA": ["x\\ny"]}', "odd": "1"})
    assert "N1  - other fields: PHST: 2020/01/01; PHST: 2020/02/01; MHDA: x y; odd: 1\r\n" in text


def test_each_record_is_read_by_its_own_files_columns() -> None:
    of = Citations(["title", "abstract", "Title", "Abstract"]).of
    first = of(Record("1", 0, {"title": "A", "abstract": "B", "Title": None, "Abstract": None}, "x:1"))
    second = of(Record("2", 1, {"title": None, "abstract": None, "Title": "C", "Abstract": "D"}, "y:1"))
    assert [one.first("title") + one.first("abstract") for one in (first, second)] == ["AB", "CD"]
    assert (first.rest, second.rest) == ([], [])
