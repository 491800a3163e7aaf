"""PMID, DOI and citation key as databases write them; and how a record is called by them."""

from pathlib import Path

import pytest

from overnight.core.record import Cell
from overnight.records import RecordSet, RecordsFile, read_records
from overnight.records.identifiers import (
    Identifiers,
    identifier_columns,
    identifiers_named,
    normal_doi,
    normal_key,
    normal_pmid,
)
from overnight.records.publications import first_author, normal_title, year_of


@pytest.mark.parametrize(
    ("cell", "pmid"),
    [
        ("12345678", "12345678"),
        (12345678, "12345678"),
        (12345678.0, "12345678"),
        ("PMID: 0012345", "12345"),
        ("https://pubmed.ncbi.nlm.nih.gov/12345678/", "12345678"),
        ("PMC123456", ""),
        ("0", ""),
        ("1234567890", ""),
        ("12345 67", ""),
        (True, ""),
        (None, ""),
        (1e300, ""),
    ],
)
def test_a_pmid_is_its_digits_or_nothing(cell: Cell, pmid: str) -> None:
    assert normal_pmid(cell) == pmid


@pytest.mark.parametrize(
    ("cell", "doi"),
    [
        ("10.1000/XYZ", "10.1000/xyz"),
        (" https://doi.org/10.1000/xyz. ", "10.1000/xyz"),
        ("http://dx.doi.org/10.1000/xyz", "10.1000/xyz"),
        ("doi:10.1000/xyz;", "10.1000/xyz"),
        ("DOI 10.1000/456#789", "10.1000/456#789"),
        ("10.1016/S0140-6736(05)12345-6", "10.1016/s0140-6736(05)12345-6"),
        ("10.1000/xyz [doi]", "10.1000/xyz"),
        ("10.1000.10/123456", "10.1000.10/123456"),
        ("10.1000/two words", ""),
        ("10.1000/", ""),
        ("11.1000/xyz", ""),
        ("n/a", ""),
        (10.1, ""),
        (None, ""),
    ],
)
def test_a_doi_is_lower_case_and_bare_or_nothing(cell: Cell, doi: str) -> None:
    assert normal_doi(cell) == doi
    assert normal_doi(doi) == doi


def test_a_key_keeps_its_case_and_a_whole_sentence_is_none() -> None:
    assert normal_key(" Smith2020a ") == "Smith2020a"
    assert normal_key("word " * 50) == ""


def test_names_of_identifiers_are_read_back() -> None:
    whole = Identifiers("1", "10.1000/a:b", "Smith2020")
    assert whole.named == ("pmid:1", "doi:10.1000/a:b", "key:Smith2020")
    assert identifiers_named(whole.named) == whole
    assert identifiers_named(("t0123456789abcdef",)) == Identifiers()


def test_tags_of_two_letters_are_identifiers_only_beside_a_title() -> None:
    assert identifier_columns(("PM", "DI", "TI")).pmid == "PM"
    assert not identifier_columns(("pm", "di", "text"))
    assert identifier_columns(("pm", "PubMed ID")).pmid == "PubMed ID"
    assert identifier_columns(("TITLE", "MEDLINE PMID", "PUI")).pmid == "MEDLINE PMID"  # Embase's CSV


@pytest.mark.parametrize(
    "cell",
    [
        "van der Berg J; Doe A",
        "Berg, Jan van der and Doe, Ann",
        "Jan van der Berg",
        "van der Berg J.-P., Doe A.",
        "BERG J | DOE A",
    ],
)
def test_the_first_author_is_the_same_however_a_database_writes_it(cell: str) -> None:
    assert first_author(cell) == "berg"


def test_titles_are_compared_by_their_words_and_short_ones_are_not() -> None:
    assert normal_title("Planned <i>naps</i> on night-shifts: a trial.") == "planned naps on night shifts a trial"
    assert normal_title("[Schläfchen während der Nachtarbeit].") == "schlafchen wahrend der nachtarbeit"
    assert normal_title("Letter to the editor") == ""
    several = ("CO<sub>2</sub> &amp; arousal after naps at work", "CO2 & arousal after naps at work")
    assert {normal_title(title) for title in several} == {"co2 and arousal after naps at work"}
    assert normal_title("CO&lt;sub&gt;2&lt;/sub&gt; and arousal after naps at work") == normal_title(several[0])
    assert [year_of(cell) for cell in ("2020 Jan", 2020, "12/03/1999", "", 123456)] == [2020, 2020, 1999, 0, 0]


def read(folder: Path, *tables: str) -> RecordSet:
    files = []
    for n, text in enumerate(tables):
        path = folder / f"{n}.csv"
        path.write_text(text, encoding="utf-8")
        files.append(RecordsFile(path))
    records = read_records(files, id="auto", text=["title"])
    records.check()
    return records


def test_the_best_identifier_names_a_record_and_the_text_one_without(tmp_path: Path) -> None:
    table = "PMID,DOI,Citation Key,title\n7,10.1/a,A1,x\n,10.1000/B,A2,y\n,,A3,z\n,,,w\n7,10.1000/c,A4,v\n"
    names = [record.record_id for record in read(tmp_path, table)]
    assert names[:3] == ["pmid:7", "doi:10.1000/b", "key:A3"]
    assert names[3].startswith("t")
    assert names[4].startswith("t"), "another record has that PMID already"
    assert len(set(names)) == 5


def test_what_is_no_pmid_and_no_doi_is_noted_with_its_place(tmp_path: Path) -> None:
    records = read(tmp_path, "pmid,doi,title\nPMC1,none,x\n,,y\nabc,10.1000/b,z\n")
    assert [str(note) for note in records.notes] == [
        "records.id: 1 DOI is none and was not used, first at 0.csv:2: 'none'",
        "records.id: 2 PMIDs are none and were not used, first at 0.csv:2: 'PMC1'",
    ]


def test_a_key_of_two_libraries_for_two_texts_names_neither_and_that_is_noted(tmp_path: Path) -> None:
    one, other = "citation_key,title\nSmith2020,x\nDoe2021,y\n", "citation_key,title\nSmith2020,z\nDoe2021,y\n"
    records = read(tmp_path, one, other)
    names = [record.record_id for record in records]
    assert [name.partition(":")[0] for name in names if name.startswith("key")] == ["key"]
    assert names[1] == "key:Doe2021"
    assert "1 citation key is used for records with different texts" in str(records.notes[0])


def test_a_table_without_identifiers_is_named_by_its_texts_as_ever(tmp_path: Path) -> None:
    names = [record.record_id for record in read(tmp_path, "title,stars\nx,1\ny,2\nx,3\n")]
    assert (names[0][0], len(names[0]), names[2]) == ("t", 17, f"{names[0]}-2")
