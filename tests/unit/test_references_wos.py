"""Web of Science tagged in: made files of its versions, every oddity, and what is refused."""

from pathlib import Path

import pytest

from tests.support.references import notes, opened, places, raws, references, refusal

HEAD = "FN Clarivate Analytics Web of Science\nVR 1.0\n"
RECORD = (
    "PT J\nAU Lind, A\n   Moreau, B\nAF Lind, Ada\n   Moreau, Bea\nTI Planned naps on\n   the ward\n"
    "SO JOURNAL OF MADE\n   SLEEP\nLA English\n"
    "DT Article\nDE nap; night work;\n   nurses\nID SLEEP; WORK\nAB Sixty nurses napped.\n"
    "   IL 6 fell.\nC1 [Lind, A] Ward 3.\n   [Moreau, B] Ward 4.\nCR Somebody A, 2001, SLEEP, V1, P1\n"
    "   Other B, 2002, SLEEP, V2, P2\nNR 2\nTC 5\nSN 1234-5678\nEI 8765-4321\nPD SEP\nPY 2020\nVL 3\nIS 4\nBP 10\n"
    "EP 19\nDI 10.5555/wos.1\nPM 30000001\nUT WOS:000000000000001\nER\n\n"
)


def test_a_whole_record(tmp_path: Path) -> None:
    table = opened(tmp_path, "\ufeff" + HEAD + RECORD + "EF", "savedrecs.txt")
    assert table.format == "wos"
    assert notes(table) == []
    assert places(table) == [3]
    assert references(table) == [
        {
            "title": "Planned naps on the ward",
            "abstract": "Sixty nurses napped. IL 6 fell.",
            "authors": "Lind, A; Moreau, B",
            "year": "2020",
            "journal": "JOURNAL OF MADE SLEEP",
            "volume": "3",
            "issue": "4",
            "pages": "10-19",
            "doi": "10.5555/wos.1",
            "pmid": "30000001",
            "accession_number": "WOS:000000000000001",
            "type": "J; Article",
            "language": "English",
            "keywords": "nap; night work; nurses; SLEEP; WORK",
            "issn": "1234-5678; 8765-4321",
            "other": {
                "AF": ["Lind, Ada", "Moreau, Bea"],
                "C1": ["[Lind, A] Ward 3.", "[Moreau, B] Ward 4."],
                "CR": ["Somebody A, 2001, SLEEP, V1, P1", "Other B, 2002, SLEEP, V2, P2"],
                "NR": ["2"],
                "TC": ["5"],
                "PD": ["SEP"],
            },
        }
    ]
    assert raws(table) == [RECORD.rstrip("\n")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_and_line_end(tmp_path: Path, codec: str, end: str) -> None:
    text = (HEAD + RECORD.replace("Ward 3", "Wärter") * 3 + "EF").replace("\n", end)
    table = opened(tmp_path, text.encode(codec), "t.txt")
    assert [r["doi"] for r in references(table)] == ["10.5555/wos.1"] * 3


@pytest.mark.parametrize(
    "head", ["FN ISI Export Format\nVR 1.0\n", "FN Thomson Reuters Web of Science™\nVR 1.0\n", "VR 1.0\n", "", "\n\n"]
)
def test_heads_of_every_age(tmp_path: Path, head: str) -> None:
    table = opened(tmp_path, head + RECORD * 2, "t.isi")
    assert (table.format, len(references(table)), notes(table)) == ("wos", 2, [])


def test_exports_of_500_put_together(tmp_path: Path) -> None:
    table = opened(tmp_path, (HEAD + RECORD * 2 + "EF\n") * 3, "t.ciw")
    assert (len(references(table)), notes(table)) == (6, [])


def test_a_missing_er_is_noted_and_loses_nothing(tmp_path: Path) -> None:
    record = RECORD.replace("ER\n", "")
    table = opened(tmp_path, HEAD + record * 2 + "EF\n" + HEAD + record, "t.ciw")
    assert len(references(table)) == 3
    assert notes(table) == ["3: 3 records without an ER line at their end; the first is here"]


def test_a_missing_pt_is_a_record_all_the_same_with_a_note(tmp_path: Path) -> None:
    table = opened(tmp_path, HEAD + RECORD + RECORD.removeprefix("PT J\n") + RECORD + "EF", "t.ciw")
    assert [r["doi"] for r in references(table)] == ["10.5555/wos.1"] * 3
    assert notes(table) == ["38: a record that does not begin with a PT line"]


def test_a_book_chapter_with_an_article_number(tmp_path: Path) -> None:
    table = opened(tmp_path, HEAD + "PT B\nAU Lind, A\nTI Naps\nSO Sleep\nAR e12\nPY 2001\nER\nEF", "t.ciw")
    assert references(table) == [
        {"title": "Naps", "authors": "Lind, A", "year": "2001", "journal": "Sleep", "pages": "e12", "type": "B"}
    ]


def test_lines_that_lost_their_blanks_and_blank_lines_in_values(tmp_path: Path) -> None:
    table = opened(tmp_path, HEAD + "PT J\nTI Naps\nAB One.\n\n   Two.\nthree.\nER\nEF", "t.ciw")
    assert references(table)[0]["abstract"] == "One. Two. three."


def test_an_empty_record_and_stray_text(tmp_path: Path) -> None:
    table = opened(tmp_path, HEAD + "PT J\nER\n\nsaved by Ada\n\nPT\nER\nEF", "t.ciw")
    assert references(table) == [{"type": "J"}, {}]
    assert notes(table) == ["6: a line between records, left out: 'saved by Ada'"]


def test_a_record_of_another_format_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, HEAD + RECORD + "PMID- 30000001\nTI  - B\n" + RECORD, "t.ciw")
    assert "t.ciw:38: a record of another format begins here: 'PMID- 30000001'" in said


def test_the_tab_delimited_variant_is_a_table(tmp_path: Path) -> None:
    table = opened(tmp_path, "PT\tAU\tTI\tAB\tDI\nJ\tLind, A\tNaps\tShort.\t10.5555/wos.1\n", "savedrecs.txt")
    assert table.format in {"tsv", "delimited", "csv"}
    assert references(table) == [{"PT": "J", "AU": "Lind, A", "TI": "Naps", "AB": "Short.", "DI": "10.5555/wos.1"}]


def test_a_record_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overnight.records.references.tagged.LIMIT", 1000)
    assert "t.ciw:3: a record too long" in refusal(tmp_path, HEAD + "PT J\nTI A\n" + "   more\n" * 5000, "t.ciw")


def test_two_records_with_nothing_between_them_are_refused(tmp_path: Path) -> None:
    run = "FN Web of Science\nVR 1.0\nPT J\nTI A\nAB x\nPY 2019\n{}TI B\nAB y\nPY 2020\nER\n\nEF\n"
    said = refusal(tmp_path, run.format(""), "t.ciw")
    assert "t.ciw:7: a second TI and a second AB and a second PY in the record of line 3: two records, or one?" in said
    assert len(references(opened(tmp_path, run.format("ER\nPT J\n"), "t.ciw"))) == 2
