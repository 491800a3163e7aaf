"""Replacing a file: a reader sees the old one or the new one, whatever happens in between."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from overnight.core.atomic import replace_bytes, replacing
from overnight.errors import OutputError

posix = pytest.mark.skipif(os.name == "nt", reason="signals, rights and limits of POSIX systems")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    target = tmp_path / "results[1]*.csv"
    target.write_bytes(b"old")
    return target


def names(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()}


def child(code: str, target: Path) -> "subprocess.CompletedProcess[str]":
    """Runs `code` in a Python of its own, with `target` and `replacing` known."""
    head = "import os, signal\nfrom pathlib import Path\nfrom overnight.core.atomic import *\n"
    head += f"target = Path({str(target)!r})\n"
    return subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True, timeout=60)


def test_the_new_file_takes_the_old_ones_place(target: Path) -> None:
    replace_bytes(target, b"new")
    assert (target.read_bytes(), names(target)) == (b"new", {target.name})


def test_the_old_file_is_there_until_the_end(target: Path) -> None:
    with replacing(target) as file:
        file.write(b"new")
        file.flush()
        assert target.read_bytes() == b"old"


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    replace_bytes(tmp_path / "a" / "b" / "c", b"x")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"x"


class OursError(Exception):
    pass


@pytest.mark.parametrize("error", [OursError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_error_on_the_way_leaves_the_old_file_and_nothing_else(target: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), replacing(target) as file:  # noqa: PT012  # the error comes in mid-write
        file.write(b"half")
        raise error
    assert (target.read_bytes(), names(target)) == (b"old", {target.name})


@posix
def test_a_kill_in_the_middle_leaves_the_old_file_and_the_next_write_clears_up(target: Path) -> None:
    ended = child(
        "with replacing(target) as f:\n f.write(b'half')\n f.flush()\n os.kill(os.getpid(), signal.SIGKILL)", target
    )
    assert ended.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    assert len(names(target)) == 2, "the child was killed while its temporary file was there"
    replace_bytes(target, b"new")
    assert (target.read_bytes(), names(target)) == (b"new", {target.name})


def test_clearing_up_spares_a_file_under_way_whose_name_begins_the_same(tmp_path: Path) -> None:
    with replacing(tmp_path / "results.csv") as longer:
        longer.write(b"longer")
        replace_bytes(tmp_path / "results", b"short")
    assert (tmp_path / "results.csv").read_bytes() == b"longer"


@posix
def test_a_full_disk_is_one_error_and_leaves_the_old_file(target: Path) -> None:
    """A limit on the size of files stands in for the disk: the same write fails with the same class of error."""
    ended = child(
        "import resource\nfrom overnight.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n replace_bytes(target, b'x' * 5000)\n"
        "except OutputError as error:\n print(error)",
        target,
    )
    assert ended.returncode == 0, ended.stderr
    assert f"cannot write {target.name}" in ended.stdout
    assert "Make room on the disk" in ended.stdout
    assert (target.read_bytes(), names(target)) == (b"old", {target.name})


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EFBIG, "Make room"),
        (errno.EDQUOT, "Make room"),
        (errno.EACCES, "Close the file"),
        (errno.EPERM, "Close the file"),
        (errno.EIO, "Mend that"),
    ],
)
def test_the_hint_says_what_to_do(target: Path, number: int, hint: str) -> None:
    with pytest.raises(OutputError) as caught, replacing(target):
        raise OSError(number, os.strerror(number))
    assert (caught.value.hint.startswith(hint), caught.value.where) == (True, str(target))


def test_a_folder_in_its_place_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "results.csv" / "in").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"cannot write results\.csv"):
        replace_bytes(tmp_path / "results.csv", b"x")
    assert names(tmp_path / "results.csv") == {"results.csv"}


def test_a_file_where_a_folder_should_be_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(OutputError):
        replace_bytes(tmp_path / "results" / "r.csv", b"x")


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_rights_of_any_new_file(target: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        replace_bytes(target, b"x")
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o666 & ~mask


@posix
def test_a_folder_that_cannot_be_synced_spoils_nothing(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems refuse to sync a folder. Faked: none is at hand."""
    sync = os.fsync

    def refuse_folders(handle: int) -> None:
        if os.path.isdir(f"/dev/fd/{handle}"):  # noqa: PTH112  # a descriptor, not a path of ours
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    replace_bytes(target, b"new")
    assert target.read_bytes() == b"new"


def test_the_bytes_are_on_disk_before_the_name_changes(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one order that survives a power cut; nothing else can show it but the calls themselves."""
    calls: list[str] = []
    sync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("sync"), sync(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda path, to: (calls.append("rename"), rename(path, to))[1])
    replace_bytes(target, b"new")
    assert calls[:2] == ["sync", "rename"]
