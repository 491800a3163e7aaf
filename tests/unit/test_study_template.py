"""The page that `overnight init` writes: loads once its questions are filled in, and not before."""

from pathlib import Path
from typing import Literal

import pytest

from overnight.core import realm
from overnight.errors import StudyError
from overnight.study.load import load_study
from overnight.study.models import AskSpec, DeepThinkSpec, ScreenSpec, Study
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


def test_the_deadline_and_notify_are_right_when_their_notes_are_taken_off(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("title,abstract\n")
    page = filled(study_template("nap", [("a.csv", 3)]))
    for line in ("give_up_after_days: 14", "notify:", '  command: "'):
        assert f"# {line}" in page
        page = page.replace(f"# {line}", line)
    study = load_study(write(tmp_path, page))
    assert study.notify is not None
    assert (study.give_up_after_days, study.notify.words) == (14, ("mail", "-s", "study", "me@example.org"))


def test_deep_think_and_the_rule_are_right_when_their_notes_are_taken_off(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("title,abstract\n")
    page = filled(study_template("nap", [("a.csv", 3)]))
    for line in ("  # rule: unanimous  #", "# deep_think: {samples: 3,"):
        assert f"\n{line}" in page
        page = page.replace(line, line.replace("# ", "", 1))
    study = load_study(write(tmp_path, page))
    assert study.deep_think == DeepThinkSpec(samples=3, adjudicate="contested")
    assert isinstance(study.task, ScreenSpec)
    assert study.task.model_fields_set >= {"rule"}
    assert study.warnings == ()


def test_a_page_that_asks_has_no_deep_think() -> None:
    assert "deep_think" not in study_template("nap", [], task="ask")


def test_counts_stand_beside_the_files_and_without_files_a_name_to_change() -> None:
    assert "- a.csv   # 1,100 records\n" in study_template("nap", [("a.csv", 1100)])
    assert "- a.csv   # 1 record\n" in study_template("nap", [("a.csv", 1)])
    assert "    - records.csv\n" in study_template("nap", [])


def asking(folder: Path, text: list[str], left_out: list[str]) -> Study:
    (folder / "a.csv").write_text("title,abstract\n")
    page = study_template("nap", [("a.csv", 3)], "Id", text, task="ask", left_out=left_out)
    return load_study(write(folder, filled(page)))


def test_an_ask_loads_once_its_questions_are_filled_in_and_not_before(tmp_path: Path) -> None:
    study = asking(tmp_path, ["Titel", "Zusammenfassung"], [])
    assert isinstance(study.task, AskSpec)
    assert study.text_columns == ("Titel", "Zusammenfassung")
    assert list(study.task.answer) == ["topic", "verdict"]
    assert study.warnings == ()
    with pytest.raises(StudyError) as caught:
        load_study(write(tmp_path, study_template("nap", [("a.csv", 3)], task="ask")))
    assert [finding.path for finding in caught.value.findings] == [
        "ask.system",
        "ask.prompt",
        "ask.answer.topic.description",
        "ask.answer.verdict.description",
    ]
    assert all("still to be written" in finding.what for finding in caught.value.findings)


def test_columns_that_no_slot_can_name_are_left_out_and_named(tmp_path: Path) -> None:
    odd = ["# Nr.", "a: b", "- c", "摘要 {raw}", 'say "so"', " edge", "two\nlines", "ok"]
    study = asking(tmp_path, odd, [])
    assert study.text_columns == ("# Nr.", "a: b", "- c", "ok")
    note = study.path.read_text("utf-8").replace("\n  # ", " ")
    assert '"摘要 {raw}", "say \\"so\\"", " edge", "two\\nlines"' in note


@pytest.mark.parametrize("task", ["screen", "ask"])
def test_columns_left_out_are_named_in_a_comment_however_many(tmp_path: Path, task: Literal["screen", "ask"]) -> None:
    (tmp_path / "a.csv").write_text("title,abstract\n")
    left_out = ["Année", "a\u0085b\u2028c\x07d", *(f"column {n}" for n in range(100))]
    page = study_template("nap", [("a.csv", 3)], "Id", ["Titre", "Résumé"], task=task, left_out=left_out)
    study = load_study(write(tmp_path, filled(page)))
    assert study.text_columns == ("Titre", "Résumé")
    assert [len(line) for line in page.splitlines() if len(line) > 120] == []
    joined = page.replace("\n  # ", " ")
    assert "Not shown to the model" in joined
    assert all(f" column {n}," in joined for n in range(99))
    assert "Not shown" not in study_template("nap", [("a.csv", 3)], task=task)
