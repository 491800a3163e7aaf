"""`overnight export` refuses a target it would have to guess about, before it opens anything."""

from pathlib import Path

import pytest

from overnight.cli.main import main


def refused(target: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["export", str(target.parent / "no-such-study.yaml"), "--to", str(target)]) == 2
    return capsys.readouterr().err


def test_a_folder_that_is_not_there_is_named_and_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "nobody" / "made this" / "x.csv"
    assert f"there is no folder {target.parent}" in refused(target, capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.csv").mkdir()
    assert f"{tmp_path / 'x.csv'} is a folder" in refused(tmp_path / "x.csv", capsys)


def test_a_file_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.csv").write_text("mine")
    assert "is there already" in refused(tmp_path / "x.csv", capsys)
    assert (tmp_path / "x.csv").read_text() == "mine"
