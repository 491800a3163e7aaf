"""Blank texts are counted in a warning, and findings made after reading a study know their line in it."""

from pathlib import Path

import pytest

from overnight.core.record import Record
from overnight.errors import Finding
from overnight.study.blanks import BlankSlots, missing_abstracts
from overnight.study.load import load_study
from overnight.study.models import Study

ASK = """\
study: reviews
records: {files: [r.csv], id: id}
ask:
  prompt: |
    What is it about? {title}
    {abstract} {keywords}
  answer:
    topic: {type: string}
model:
  thinking: low
  name: gemini-3.8-flash
"""
SCREEN = """\
study: naps
records: {files: [r.csv]}
screen:
  question: Do they nap?
  include:
    - id: naps
      ask: They nap.
model: {name: gemini-3.8-flash}
"""


def loaded(folder: Path, text: str) -> Study:
    (folder / "r.csv").write_text("id,title,abstract,keywords\n")
    (folder / "study.yaml").write_text(text)
    return load_study(folder / "study.yaml")


def warnings_of(study: Study, *rows: tuple[object, object, object]) -> list[Finding]:
    blanks = BlankSlots(study)
    for n, row in enumerate(rows):
        values = dict(zip(("title", "abstract", "keywords"), row, strict=True))
        blanks.see(Record(str(n), n, values, f"r.csv:{n + 2}"))
    return blanks.warnings()


def test_records_with_some_texts_blank_are_counted_and_columns_named(tmp_path: Path) -> None:
    full, none = ("a", "b", "c"), ("", None, "  ")
    rows = (full, none, ("a", "", "c"), ("a", " \t", None), ("a", "b", ""))
    (warning,) = warnings_of(loaded(tmp_path, ASK), *rows)
    assert warning.what == (
        "3 records have no text in a column that the prompt shows: abstract (2), keywords (2). "
        "They are sent with nothing in its place"
    )
    assert (warning.level, warning.path, warning.line) == ("warning", "ask.prompt", 4)


def test_one_record_is_one_record(tmp_path: Path) -> None:
    (warning,) = warnings_of(loaded(tmp_path, ASK), ("a", "", "c"))
    assert warning.what.startswith("1 record has no text in a column that the prompt shows: abstract (1). It is sent")


def test_whole_records_and_empty_ones_are_nothing_to_warn_of(tmp_path: Path) -> None:
    assert warnings_of(loaded(tmp_path, ASK), ("a", 1, False), (None, "", " ")) == []


def test_a_screen_has_its_own_word_for_it(tmp_path: Path) -> None:
    study = loaded(tmp_path, SCREEN)
    assert warnings_of(study, ("a", "", "")) == []
    assert missing_abstracts(study, 0) == []
    assert missing_abstracts(study, 1)[0].what == "1 record has no abstract; it is not sent: a person decides"
    assert missing_abstracts(study, 12)[0].what == "12 records have no abstract; they are not sent: a person decides"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("model.name", 11),
        ("model.temperature", 9),
        ("ask.answer.topic.type", 8),
        ("records.files[0]", 2),
        ("records.files[7].path", 2),
        ("ask.answer[9]", 7),
        ("budget.limit_usd", 1),
        ("", 1),
    ],
)
def test_a_key_path_knows_its_line_or_that_of_the_nearest_thing_around_it(tmp_path: Path, path: str, line: int) -> None:
    assert loaded(tmp_path, ASK).line_of(path) == line


def test_a_finding_made_later_is_placed_like_one_made_while_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(tmp_path, ASK)
    monkeypatch.chdir(tmp_path)
    study = load_study(Path("study.yaml"))
    assert study.placed(Finding("no such model", path="model.name")).where == "study.yaml:11, model.name"
