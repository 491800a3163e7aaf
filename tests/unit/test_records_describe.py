"""The first look at a table that `overnight init --from` takes."""

from pathlib import Path

import pytest

from overnight.errors import RecordsError
from overnight.records import Description, describe


def described(folder: Path, content: str, name: str = "t.csv") -> Description:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return describe(path)


def test_everything_there_is_to_say(tmp_path: Path) -> None:
    said = described(tmp_path, "\ufeffpmid;Title;Abstract;year\n7;A;long;2020\n8;B;;2021\n")
    assert said == Description(
        path=tmp_path / "t.csv",
        format="csv",
        encoding="utf-8-sig",
        separator=";",
        columns=("pmid", "Title", "Abstract", "year"),
        n_records=2,
        id_column="pmid",
        text_columns=("Title", "Abstract"),
        notes=(),
    )


@pytest.mark.parametrize(
    ("content", "id_column"),
    [
        ("doi,PubMed ID,id\n1,2,3\n", "id"),
        ("doi,PubMed_ID,title\n1,2,3\n", "PubMed_ID"),
        ("review_id,t\n1,x\n2,y\n", "review_id"),
        ("id,pmid,t\n1,8,x\n1,9,y\n", "pmid"),  # id is there twice
        ("id,pmid,t\n,8,x\n2,9,y\n", "pmid"),  # or blank
        ("id,t\n1,x\n 1,y\n", ""),
        ("title,abstract\na,b\n", ""),
        (f"id,t\n{'x' * 65},y\n", ""),
        ("Identifiant,Titre\na1,x\na2,y\n", "Identifiant"),
    ],
)
def test_the_id_is_unique_whole_and_named_like_one(tmp_path: Path, content: str, id_column: str) -> None:
    assert described(tmp_path, content).id_column == id_column


@pytest.mark.parametrize(
    ("content", "text_columns"),
    [
        ("id,abstract,title\n1,a,b\n", ("title", "abstract")),
        ("id,review_text,stars\n1,a,5\n", ("review_text",)),
        ("id,a,b\n1,short,a much longer text\n", ("b",)),
        ("id,title,notes\n1,a title,a much longer note\n", ("title", "notes")),
        ("id,title,abstract\n1,a title,\n", ("title",)),  # an abstract column that holds nothing
        ("id\n1\n", ()),
        # the longest column is another one, and would be taken for the text were the names not known
        ("Nr,Titel,Zusammenfassung,Anmerkungen\n1,a,b,much longer than the others\n", ("Titel", "Zusammenfassung")),
        ("Titre,R\u00e9sum\u00e9,Notes de lecture\na,b,much longer than the others\n", ("Titre", "R\u00e9sum\u00e9")),
        ("T\u00edtulo,Resumen,Observaciones\na,b,much longer than the others\n", ("T\u00edtulo", "Resumen")),
        ("Titre,Re\u0301sume\u0301,Notes\na,b,much longer than the others\n", ("Titre", "Re\u0301sume\u0301")),
        ("\u00dcberschrift,Kurz-Fassung,Rest\na,b,much longer than the others\n", ("\u00dcberschrift", "Kurz-Fassung")),
    ],
)
def test_texts_are_found_by_name_or_by_length(tmp_path: Path, content: str, text_columns: tuple[str, ...]) -> None:
    assert described(tmp_path, content).text_columns == text_columns


def test_numbers_are_no_text_and_may_be_ids(tmp_path: Path) -> None:
    said = described(tmp_path, '{"id": 1.0, "n": 123456789, "s": "x"}\n{"id": 2, "n": 1, "s": "y"}\n', "t.jsonl")
    assert (said.format, said.separator, said.id_column, said.text_columns) == ("jsonl", "", "id", ("s",))


def test_a_bad_row_is_an_error_here_too(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"t\.csv:3: 1 column where the header has 2"):
        described(tmp_path, "id,t\n1,x\n2\n")
