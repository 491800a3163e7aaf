"""`overnight export` and its verb in Python: references and other tools' tables, of a study that was run once."""

import csv
from pathlib import Path

import pytest

import overnight
from overnight.records import open_table
from tests.support.studies import SmallStudy

SCREEN = """\
study: {name}
records: {{files: [records.csv], id: id, text: [title, abstract]}}
screen:
  question: Do planned naps help?
  include:
    - {{id: night_shift, ask: The people studied work at night.}}
model: {{name: gemini-3.8-flash, thinking: low}}
"""
ROWS = (
    ("1", "Naps; on the night shift", "Nurses on the night shift napped.", "Müller, Ä."),
    ("2", "Guards, who work by day", "Guards were studied by day.", "Smith, J"),
    ("3", "No abstract", "", ""),
)


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    home = tmp_path_factory.mktemp("export")
    with (home / "records.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "title", "abstract", "authors"), *ROWS])
    study = SmallStudy(home)
    study.path.write_text(SCREEN.format(name=study.name))
    assert study.ended("run").code == 0
    return study


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("tool", ["asreview", "rayyan"])
def test_a_tool_gets_its_columns_and_the_decisions(screened: SmallStudy, tool: str) -> None:
    target = screened.home / f"{tool}.csv"
    assert screened.cli("export", "--to", str(target), "--as", tool).code == 0
    rows, decisions = table(target), [row["decision"] for row in screened.results()]
    assert [row["title"] for row in rows] == [title for _, title, *_ in ROWS]
    assert all("LOCAL STAND-IN, not a model" in row["notes"] for row in rows)
    if tool == "asreview":
        assert [row["included"] for row in rows] == [{"include": "1", "exclude": "0"}.get(d, "") for d in decisions]
    else:
        assert [row["notes"].partition(";")[0] for row in rows] == [f"screening:{d or 'open'}" for d in decisions]
    again = screened.home / f"{tool}-python.csv"
    closing = overnight.open(screened.home).export(again, tool=tool)
    assert closing.results[tool] == again.absolute()
    assert again.read_bytes() == target.read_bytes()


@pytest.mark.parametrize("ending", ["ris", "bib"])
def test_references_come_from_a_table(screened: SmallStudy, ending: str) -> None:
    target = screened.home / f"x.{ending}"
    assert screened.cli("export", "--to", str(target)).code == 0
    found = open_table(target)
    back = [dict(zip(found.columns, row, strict=True)) for _, row in found.rows()]
    assert [row["title"] for row in back] == [title for _, title, *_ in ROWS]
    decisions = [row["decision"] or "open" for row in screened.results()]
    assert [f"screening:{decision}" in str(row["keywords"]) for row, decision in zip(back, decisions, strict=True)] == [
        True
    ] * 3
    again = screened.home / f"python.{ending}"
    overnight.open(screened.home).export(again)
    assert again.read_bytes() == target.read_bytes()


@pytest.mark.parametrize(("name", "n_rows"), [("samples", 2), ("verdicts", 2)])
def test_a_long_table_is_written_where_it_is_wanted(screened: SmallStudy, name: str, n_rows: int) -> None:
    """Two records were sent, each once, with one criterion."""
    of_run = table(screened.home / "stand-in" / f"{name}.csv")
    assert [row["record_id"] for row in of_run] == ["1", "2"]
    target = screened.home / f"{name}-again.parquet"
    ended = screened.cli("export", "--table", name, "--to", str(target))
    assert f"{n_rows} rows of {name}, of 3 records" in ended.out, ended.err
    found = open_table(target)
    assert [list(row[:3]) for _, row in found.rows()] == [["1", "screen", 1], ["2", "screen", 1]]
    again = screened.home / f"{name}.csv"
    overnight.open(screened.home).export(again, table=name)
    assert again.read_bytes() == (screened.home / "stand-in" / f"{name}.csv").read_bytes()


def test_what_cannot_be_written_is_refused_with_words(screened: SmallStudy) -> None:
    for words, said in (
        (("--to", "x.ris", "--as", "rayyan"), "for rayyan a CSV is written, not x.ris"),
        (("--to", "x.enw"), "x.enw is of no format that can be written"),
        (("--to", "x.csv", "--table", "votes"), "there is no table 'votes'"),
        (("--to", "x.ris", "--table", "samples"), "the table samples is not of records, and cannot become ris"),
        (("--to", "x.csv", "--as", "rayyan", "--table", "samples"), "and cannot become rayyan"),
    ):
        ended = screened.cli("export", *words)
        assert (ended.code, said in ended.err) == (2, True), ended.err
    with pytest.raises(overnight.OvernightError, match="nothing is known of a tool called 'covidence'"):
        overnight.open(screened.home).export(screened.home / "x.csv", tool="covidence")


@pytest.mark.parametrize("words", [("x.bib",), ("x.ris",), ("x.csv", "--as", "asreview")])
def test_a_table_without_titles_makes_no_references(tmp_path: Path, words: tuple[str, ...]) -> None:
    study = SmallStudy.of(tmp_path, 2)
    ended = study.cli("export", "--to", str(tmp_path / words[0]), *words[1:])
    assert ended.code == 2
    assert "no column of the records is known to hold titles, and a reference needs one: id, text" in ended.err
    assert not (tmp_path / words[0]).exists()
