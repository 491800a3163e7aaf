"""EndNote tagged (refer) in: made files as EndNote, Google Scholar, Zotero and old programs write them."""

from pathlib import Path

import pytest

from tests.support.references import notes, opened, places, raws, references, refusal

RECORD = (
    "%0 Journal Article\n%A Lind, Ada\n%A Moreau, Bea\n%D 2020\n%T Planned naps on the ward\n%J Journal of Made Sleep\n"
    "%V 3\n%N 4\n%P 10-19\n%! Naps\n%@ 1234-5678\n%G eng\n%M 30000001\n%2 PMC7000001\n%R 10.5555/enw.1\n"
    "%K Adult\nFemale\nHumans\n%X Sixty nurses napped.\n\nTwelve did not; 5% slept.\n% of all.\n%U https://example.org/1\n"
    "%~ Nlm\n%+ Ward 3.\n\n"
)


def test_a_whole_record(tmp_path: Path) -> None:
    table = opened(tmp_path, "\ufeff" + RECORD, "t.enw")
    assert table.format == "endnote_tagged"
    assert notes(table) == []
    assert references(table) == [
        {
            "title": "Planned naps on the ward",
            "abstract": "Sixty nurses napped.\n\nTwelve did not; 5% slept.\n% of all.",
            "authors": "Lind, Ada; Moreau, Bea",
            "year": "2020",
            "journal": "Journal of Made Sleep",
            "volume": "3",
            "issue": "4",
            "pages": "10-19",
            "doi": "10.5555/enw.1",
            "pmid": "30000001",
            "pmcid": "PMC7000001",
            "accession_number": "30000001",
            "type": "Journal Article",
            "language": "eng",
            "keywords": "Adult; Female; Humans",
            "issn": "1234-5678",
            "url": "https://example.org/1",
            "database": "Nlm",
            "other": {"%!": ["Naps"], "%+": ["Ward 3."], "%2": ["PMC7000001"]},
        }
    ]
    assert raws(table) == [RECORD.rstrip("\n")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_and_line_end(tmp_path: Path, codec: str, end: str) -> None:
    text = (RECORD.replace("Ward 3", "Wärter") * 3).replace("\n", end)
    table = opened(tmp_path, text.encode(codec), "t.enw")
    assert [r["doi"] for r in references(table)] == ["10.5555/enw.1"] * 3
    assert places(table) == [1, 27, 53]


def test_records_without_a_blank_line_between(tmp_path: Path) -> None:
    table = opened(tmp_path, RECORD.rstrip("\n").replace("\n\n", "\n") + "\n" + RECORD, "t.txt")
    assert len(references(table)) == 2


def test_google_scholar(tmp_path: Path) -> None:
    table = opened(
        tmp_path, "%0 Journal Article\n%T Naps\n%A Lind, Ada\n%J Sleep\n%P 1\n%@ 1234\n%D 2019\n%I Made", "s.enw"
    )
    assert references(table)[0] | {"other": None} == {
        "title": "Naps",
        "authors": "Lind, Ada",
        "year": "2019",
        "journal": "Sleep",
        "pages": "1",
        "issn": "1234",
        "type": "Journal Article",
        "other": None,
    }


def test_plain_refer_without_types(tmp_path: Path) -> None:
    table = opened(tmp_path, "%A Ada Lind\n%T Naps\n%R TR-7\n\n\n%A Bea Moreau\n%T More naps\n%D 1985\n", "bib.refer")
    assert [(r["authors"], r["title"]) for r in references(table)] == [
        ("Ada Lind", "Naps"),
        ("Bea Moreau", "More naps"),
    ]
    assert references(table)[0]["other"] == {"%R": ["TR-7"]}
    assert places(table) == [1, 6]
    assert notes(table) == []


def test_a_book_section_has_its_book_as_journal(tmp_path: Path) -> None:
    table = opened(tmp_path, "%0 Book Section\n%T Naps\n%B Sleep\n%E Editor, E.\n%D 2001\n", "t.enw")
    got = references(table)[0]
    assert (got["title"], got["journal"], got["other"]) == ("Naps", "Sleep", {"%E": ["Editor, E."]})


def test_a_label_is_a_citation_key_and_a_number_is_not(tmp_path: Path) -> None:
    table = opened(tmp_path, "%0 Book\n%T A\n%F lind2019\n\n%0 Book\n%T B\n%F 17\n", "t.enw")
    got = references(table)
    assert got[0]["citation_key"] == "lind2019"
    assert "citation_key" not in got[1]
    assert got[1]["other"] == {"%F": ["17"]}


def test_a_pmid_only_from_pubmed(tmp_path: Path) -> None:
    table = opened(
        tmp_path, "%0 Book\n%T A\n%M 123\n%W CINAHL\n\n%0 Book\n%T B\n%U https://pubmed.ncbi.nlm.nih.gov/9/\n", "t.enw"
    )
    assert [r.get("pmid") for r in references(table)] == [None, "9"]


def test_a_blank_line_before_the_next_tag_of_a_record(tmp_path: Path) -> None:
    table = opened(tmp_path, "%0 Book\n%T A\n%X Text.\n\n%U https://example.org\n\n\n%0 Book\n%T B\n", "t.enw")
    assert [(r["title"], r.get("url")) for r in references(table)] == [("A", "https://example.org"), ("B", None)]


def test_a_second_title_behind_a_blank_line_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "%0 Book\n%T A\n\n%A Lind\n%D 1\n\n%T B\n", "t.enw")
    assert "t.enw:7: a second %T in the record of line 1, after a blank line: two records, or one?" in said


def test_a_record_without_type_before_others_with(tmp_path: Path) -> None:
    table = opened(tmp_path, "%T A\n%D 2001\n\n%T B\n\n%0 Book\n%T C\n", "t.enw")
    assert [r["title"] for r in references(table)] == ["A", "B", "C"]


def test_text_before_the_first_record_is_noted(tmp_path: Path) -> None:
    table = opened(tmp_path, "saved by Ada\n\n%0 Book\n%T A\n", "t.csv")
    assert references(table) == [{"title": "A", "type": "Book"}]
    assert "1: a line between records, left out: 'saved by Ada'" in notes(table)


def test_a_record_of_another_format_before_the_first_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "PT J\n\n%0 Book\n%T A\n", "t.enw")
    assert "t.enw:1: a record of another format begins here: 'PT J'" in said


def test_two_records_with_nothing_between_them_are_refused(tmp_path: Path) -> None:
    run = "%0 Book\n%T A\n%D 2019\n%X x\n{}%T B\n%D 2020\n%X y\n"
    said = refusal(tmp_path, run.format(""), "t.enw")
    assert "t.enw:5: a second %T and a second %D and a second %X in the record of line 1: two records, or one?" in said
    assert len(references(opened(tmp_path, run.format("%0 Book\n"), "t.enw"))) == 2
