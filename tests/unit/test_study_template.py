"""The page that `overnight init` writes: loads once its questions are filled in, and not before."""

from pathlib import Path

import pytest

from overnight.core import realm
from overnight.errors import StudyError
from overnight.study.load import load_study
from overnight.study.models import ScreenSpec
from overnight.study.template import study_template

AWKWARD = ["Ärzte: “Nacht”.csv", "it's, [here].csv", "- dash.csv", "007.csv", "a #b.csv", "yes"]


def write(folder: Path, text: str) -> Path:
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return folder / "study.yaml"


def filled(text: str) -> str:
    return text.replace("WRITE HERE: ", "")


def test_it_loads_once_the_questions_are_filled_in(tmp_path: Path) -> None:
    for name in AWKWARD:
        (tmp_path / name).write_text("title,abstract\n")
    page = study_template(
        "nap-trials", [(name, 1100) for name in AWKWARD], "Paper Id", ["Article Title", "Abstract: all"]
    )
    study = load_study(write(tmp_path, filled(page)))
    assert study.name == "nap-trials"
    assert [file.path.name for file in study.records.files] == AWKWARD
    assert (study.records.id, study.records.text) == ("Paper Id", ("Article Title", "Abstract: all"))
    assert isinstance(study.task, ScreenSpec)
    assert study.task.question == "the question of your review, in one sentence"
    assert study.realm == realm.STAND_IN, "the cloud section is a comment"
    assert study.warnings == ()


def test_what_is_not_filled_in_is_found_and_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("title,abstract\n")
    with pytest.raises(StudyError) as caught:
        load_study(write(tmp_path, study_template("nap", [("a.csv", 3)])))
    assert [finding.path for finding in caught.value.findings] == [
        "screen.question",
        "screen.include[0].ask",
        "screen.include[1].ask",
    ]
    assert all("still to be written" in finding.what for finding in caught.value.findings)


def test_the_cloud_section_is_right_when_its_notes_are_taken_off(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("title,abstract\n")
    page = filled(study_template("nap", [("a.csv", 3)]))
    start = page.index("# cloud:")
    page = page[:start] + page[start:].replace("# ", "")
    study = load_study(write(tmp_path, page))
    assert study.cloud is not None
    assert (study.cloud.project, study.cloud.bucket, study.cloud.prefix) == ("my-project", "my-bucket", "overnight")


def test_counts_stand_beside_the_files_and_without_files_a_name_to_change() -> None:
    assert "- a.csv   # 1,100 records\n" in study_template("nap", [("a.csv", 1100)])
    assert "    - records.csv\n" in study_template("nap", [])
