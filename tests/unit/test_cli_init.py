"""`overnight init` drops no column without a word, in whatever language the table's header is."""

from pathlib import Path

import pytest

from overnight.cli.main import main
from overnight.study.load import load_study
from overnight.study.models import AskSpec


def written(folder: Path, *options: str) -> str:
    (folder / "a.csv").write_text("Nr;Titel;Zusammenfassung;Jahr\n7;T;Z;2020\n8;U;Y;2021\n", "utf-8")
    (folder / "b.csv").write_text("Titel;Zusammenfassung;Quelle\nV;X;W\n", "utf-8")
    tables = [str(folder / "a.csv"), str(folder / "b.csv")]
    assert main(["init", str(folder / "naps"), *options, "--from", *tables]) == 0
    return (folder / "naps" / "study.yaml").read_text("utf-8")


def test_columns_that_the_model_is_not_to_see_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = written(tmp_path)
    assert "text: [Titel, Zusammenfassung]" in page
    assert "  # Not shown to the model, because the text above does not name them: Nr, Jahr, Quelle\n" in page
    assert "The model is to see Titel, Zusammenfassung, and no other column." in capsys.readouterr().out


def test_an_ask_is_written_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = written(tmp_path, "--ask")
    assert "your answer fields, then:" in capsys.readouterr().out
    (tmp_path / "naps" / "study.yaml").write_text(page.replace("WRITE HERE: ", ""), "utf-8")
    study = load_study(tmp_path / "naps")
    assert isinstance(study.task, AskSpec)
    assert study.text_columns == ("Titel", "Zusammenfassung")
