"""A disk that is really full, a read-only folder, clocks that jump, tokens that end: nothing is lost or paid twice."""

import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.cloud import cloud_folder, served
from tests.support.memory_backend import MemoryBackend, answers
from tests.support.person import Person, Seen, tree
from tests.support.studies import SmallStudy


def can_mount() -> bool:
    if sys.platform != "linux" or shutil.which("mount") is None or os.geteuid() != 0:
        return False
    probe = Path("/tmp") / f"overnight-mount-{os.getpid()}"
    probe.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(probe)], capture_output=True)
    if done.returncode == 0:
        subprocess.run(["umount", str(probe)], check=True)
    probe.rmdir()
    return done.returncode == 0


needs_mount = pytest.mark.skipif(not can_mount(), reason="mounting a small disk needs root on Linux")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def leave(disk: Path, free_bytes: int) -> Path:
    """Fills the disk but for so much. Removing the file makes room again."""
    found = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * max(0, found.f_bavail * found.f_frsize - free_bytes))
    return ballast


def check_stopped(seen: Seen, *codes: int) -> None:
    assert seen.code in codes, seen.err
    assert "Traceback" not in seen.err
    assert seen.err.count("overnight: ") == 1
    assert "→" in seen.err


@needs_mount
@pytest.mark.parametrize("free_kb", [0, 120, 400])
def test_a_disk_that_is_full_stops_the_run_and_costs_nothing(disk: Path, free_kb: int) -> None:
    """At the ledger's making, at its first facts, at the local cloud's start, beside a job under way."""
    study = SmallStudy.of(disk / "naps", 60)
    ballast = leave(disk, free_kb * 1024)
    stopped = Person(study.home).types("run")
    check_stopped(stopped, 7, 8, 13)
    assert "it said nothing" not in stopped.err
    ballast.unlink()
    again = Person(study.home).types("run", "--json")
    assert again.code == 0, again.err
    assert (again.json["answers"], again.json["open"]) == (60, 0)
    assert set(served(cloud_folder(study.home)).values()) == {1}, "nothing is asked twice"


@needs_mount
def test_a_job_of_the_local_cloud_goes_on_when_there_is_room(disk: Path) -> None:
    """The disk fills while the local cloud works at the job: it is neither lost nor failed."""
    study = SmallStudy.of(disk / "naps", 60)
    ballast = leave(disk, 700 * 1024)
    with Person(study.home).start("run", "--json") as running:
        assert running.stderr is not None
        said = ""
        while "pending" not in said and "running" not in said and running.poll() is None:
            said += running.stderr.readline()
        room = threading.Timer(3.0, ballast.unlink)  # what a person does when the disk is full
        room.start()
        out, err = running.communicate(timeout=60)
        room.join()
    seen = Seen(running.returncode, out, said + err)
    if seen.code != 0:
        check_stopped(seen, 7, 8, 13)
    again = Person(study.home).types("run", "--json")
    assert again.code == 0, again.err
    assert (again.json["answers"], again.json["open"]) == (60, 0)
    assert set(served(cloud_folder(study.home)).values()) == {1}, "nothing is asked twice"


@needs_mount
def test_a_folder_that_cannot_be_written_is_said_and_left_as_it_is(disk: Path) -> None:
    """A read-only mount, which holds for root too."""
    study = SmallStudy.of(disk / "naps", 5)
    Person(study.home).types("check")  # makes the person's home
    before = tree(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for command in ("plan", "status"):
        seen = Person(study.home).types(command)
        assert seen.code == 0, seen.err
    for command in ("run", "fetch"):
        check_stopped(Person(study.home).types(command), 7, 13)
    assert tree(disk) == before
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert Person(study.home).types("run").code == 0


def test_too_few_open_files_are_said(tmp_path: Path) -> None:
    study = SmallStudy.of(tmp_path / "naps", 5)
    seen = Person(study.home).types("run", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12)))
    if seen.code != 0:
        check_stopped(seen, 1, 7, 8, 13)
    again = Person(study.home).types("run", "--json")
    assert (again.code, again.json["answers"]) == (0, 5)


class Jumping:
    """A wall clock that jumps at each look, as after a laptop's sleep or when a clock is set right."""

    def __init__(self, *hours: float) -> None:
        self.now = datetime(2026, 11, 22, 23, 50, tzinfo=UTC)
        self.jumps = list(hours)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert 0 <= seconds <= 3_600, "no sleep is made of a jump"
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds) + timedelta(hours=self.jumps.pop(0) if self.jumps else 0)


@pytest.mark.parametrize(
    "hours", [(9.0,), (-9.0,), (0.5, -30.0, 48.0), (-0.1, -0.1, -0.1), (24 * 400.0,)],
    ids=["slept for 9 hours", "set back 9 hours", "to and fro over days", "slowly back", "a year ahead"],
)  # fmt: skip
def test_a_clock_that_jumps_changes_nothing(tmp_path: Path, hours: tuple[float, ...]) -> None:
    """Between submit and poll, and between polls, and over midnight; a run after it has nothing left to do."""
    from overnight.run.loop import run
    from overnight.run.world import Options
    from overnight.wiring.opening import open_study

    study = SmallStudy.of(tmp_path / "naps", 5)
    backend = MemoryBackend(answers(lambda text: {"who": text[:10], "naps": "none", "people": 3}), looks=5)
    clock = Jumping(*hours)
    for sent in (5, 0):
        with open_study(study.path, command="run", now=clock, sleep=clock.sleep) as opened:
            opened.world.backend = backend
            closing = run(opened.world, Options(yes=True))
        assert (closing.answers, closing.open, closing.requests_sent) == (5, 0, sent)
    assert len(backend.created) == 1
    assert set(backend.served.values()) == {1}
