"""One study over files that name their columns differently: what is read as what, and what is too doubtful to be."""

import os
from pathlib import Path

import pytest

from overnight.errors import RecordsError
from overnight.records import RecordSet, RecordsFile, read_records


def put(folder: Path, name: str, content: str) -> RecordsFile:
    path = folder / name
    path.write_text(content)
    return RecordsFile(path)


def refusal(*files: RecordsFile, id: str = "auto", text: tuple[str, ...] = ("title",)) -> str:  # noqa: A002
    with pytest.raises(RecordsError) as caught:
        read_records(files, id=id, text=text)
    return str(caught.value)


def texts(records: RecordSet, *names: str) -> list[tuple[object, ...]]:
    return [tuple(record.values[name] for name in names) for record in records]


def test_a_bibtex_file_and_a_csv_with_other_names_are_one_table(tmp_path: Path) -> None:
    bib = put(tmp_path, "a.bib", "@misc{a, title={One}, abstract={First.}, doi={10.1/a}}")
    csv = put(tmp_path, "b.csv", "DOI,Document Title,Abstract Note,Cited by\n10.1/b,Two,Second.,7\n")
    records = read_records([bib, csv], id="doi", text=["title", "abstract"])
    assert texts(records, "doi", "title", "abstract") == [("10.1/a", "One", "First."), ("10.1/b", "Two", "Second.")]
    assert records.columns == ("title", "abstract", "doi", "citation_key", "type", "Cited by")
    assert [(note.what, note.file) for note in records.notes] == [
        ("'DOI' is read as 'doi', 'Document Title' as 'title', 'Abstract Note' as 'abstract'", str(csv.path)),
    ]


def test_a_name_as_it_stands_wins_and_needs_no_note(tmp_path: Path) -> None:
    records = read_records([put(tmp_path, "a.csv", "Title,title\nupper,lower\n")], id="auto", text=["title"])
    assert (texts(records, "title"), records.notes) == ([("lower",)], ())


@pytest.mark.parametrize("header", ["Réponse Libre", "reponse_libre", "REPONSE-LIBRE"])
def test_own_names_are_found_without_case_accents_and_spaces_only(tmp_path: Path, header: str) -> None:
    records = read_records([put(tmp_path, "a.csv", f"{header}\nx\n")], id="auto", text=["réponse libre"])
    assert texts(records, "réponse libre") == [("x",)]
    assert "there is no column 'headline'" in refusal(put(tmp_path, "b.csv", "Title\nx\n"), text=("headline",))


@pytest.mark.parametrize(
    ("header", "named"), [("Title,TITLE", "'Title' and 'TITLE'"), ("Titel,Titre", "'Titel' and 'Titre'")]
)
def test_two_columns_that_may_be_meant_are_both_named(tmp_path: Path, header: str, named: str) -> None:
    said = refusal(put(tmp_path, "a.csv", f"{header}\nx,y\n"))
    assert f"a.csv, records.text: 2 columns may be meant by 'title': {named}" in said
    said = refusal(put(tmp_path, "a.csv", f"{header}\nx,y\n"), id="title", text=())
    assert f"records.id: 2 columns may be meant by 'title': {named}" in said


def test_one_column_is_not_read_under_two_names(tmp_path: Path) -> None:
    assert "there is no column 'TITLE'" in refusal(put(tmp_path, "a.csv", "TiTle,x\na,b\n"), text=("title", "TITLE"))


def test_a_bibliographic_file_without_any_abstract_has_empty_ones(tmp_path: Path) -> None:
    records = read_records([put(tmp_path, "a.bib", "@misc{a, title={One}}")], id="auto", text=["title", "abstract"])
    assert texts(records, "title", "abstract") == [("One", None)]
    assert [note.what for note in records.notes] == ["none of its records has 'abstract'"]
    assert "there is no column 'abstract'" in refusal(put(tmp_path, "b.csv", "title\nx\n"), text=("title", "abstract"))
    assert "there is no column 'pmid'" in refusal(put(tmp_path, "a.bib", "@misc{a, title={One}}"), id="pmid")


@pytest.mark.real_data
@pytest.mark.skipif("OVERNIGHT_DATA" not in os.environ, reason="OVERNIGHT_DATA does not name the folder of real data")
def test_real_exports_of_three_programs_are_one_study() -> None:
    folder = Path(os.environ["OVERNIGHT_DATA"]) / "exports"
    files = [RecordsFile(folder / name) for name in ("pubmed.nbib", "scopus.csv", "jabref51.bib")]
    records = read_records(files, id="auto", text=["title", "abstract"])
    assert records.check() == 5 + 10 + 20
    assert sum(bool(record.values["abstract"]) for record in records) == 5 + 10 + 19
