"""The example's folder: the committed files are the generator's, and nobody's changes are overwritten."""

import csv
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from overnight.core.realm import STAND_IN
from overnight.demo.abstracts import make_records
from overnight.demo.example import COLUMNS, TRUTH_COLUMNS, example_files, write_example
from overnight.errors import OutputError, UsageError
from overnight.records.reader import read_records
from overnight.study.load import load_study

EXAMPLE = Path(__file__).parents[2] / "examples" / "planned-naps"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["study.yaml", "records.csv", "truth.csv", "README.md"])
def test_the_committed_file_is_what_the_generator_writes(name: str) -> None:
    assert (EXAMPLE / name).read_bytes() == example_files()[name], "write it anew: see docs/explanation/demo-data.md"


def test_the_bytes_depend_on_neither_hash_seed_nor_locale() -> None:
    script = (
        "import hashlib, sys\n"
        "from overnight.demo.example import example_files\n"
        "sys.stdout.write(hashlib.sha256(b''.join(example_files().values())).hexdigest())\n"
    )
    here = {**os.environ, "PYTHONHASHSEED": "4711", "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "TZ": "Asia/Tokyo"}
    told = subprocess.run([sys.executable, "-c", script], env=here, capture_output=True, text=True, check=True)
    assert told.stdout == hashlib.sha256(b"".join(example_files().values())).hexdigest()


def test_a_csv_reader_gets_back_what_was_made() -> None:
    made = make_records()
    read = rows(EXAMPLE / "records.csv")
    assert tuple(read[0]) == COLUMNS
    assert read == [{column: getattr(record, column) for column in COLUMNS} for record in made]
    truth = rows(EXAMPLE / "truth.csv")
    assert tuple(truth[0]) == TRUTH_COLUMNS
    assert [row["record_id"] for row in truth] == [row["record_id"] for row in read]
    assert len(read) == 1_100


def test_the_study_loads_and_its_records_are_accepted() -> None:
    study = load_study(EXAMPLE / "study.yaml")
    assert (study.name, study.realm, study.warnings) == ("planned-naps", STAND_IN, ())
    records = read_records(study.records.files, id=study.records.id, text=study.records.text)
    assert records.check() == 1_100
    assert [finding for finding in records.notes if finding.level == "error"] == []


def test_the_study_with_its_cloud_lines_uncommented_loads_too(tmp_path: Path) -> None:
    write_example(tmp_path)
    before, mark, after = (tmp_path / "study.yaml").read_text(encoding="utf-8").partition("# cloud:\n")
    assert mark
    active = "".join(line.removeprefix("# ") for line in (mark + after).splitlines(keepends=True))
    (tmp_path / "study.yaml").write_text(before + active, encoding="utf-8")
    cloud = load_study(tmp_path / "study.yaml").cloud
    assert cloud is not None
    assert (cloud.project, cloud.location) == ("my-project", "global")


def test_writing_twice_leaves_the_files_alone(tmp_path: Path) -> None:
    write_example(tmp_path / "new" / "folder")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "new" / "folder").iterdir()}
    assert sorted(path.name for path in before) == sorted(example_files())
    write_example(tmp_path / "new" / "folder")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "new" / "folder").iterdir()} == before


def test_what_is_missing_is_added(tmp_path: Path) -> None:
    write_example(tmp_path)
    (tmp_path / "truth.csv").unlink()
    write_example(tmp_path)
    assert (tmp_path / "truth.csv").read_bytes() == example_files()["truth.csv"]


def test_a_changed_file_stops_it_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("study: mine\n", encoding="utf-8")
    (tmp_path / "truth.csv").mkdir()
    with pytest.raises(UsageError) as caught:
        write_example(tmp_path)
    assert caught.value.what == "truth.csv and study.yaml would be overwritten"
    assert caught.value.where == str(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.yaml", "truth.csv"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot write"):
        write_example(tmp_path / "file" / "inside")
