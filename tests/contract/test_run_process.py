"""Runs as processes: Ctrl-C, one process at a time, looking beside it, and ledgers that cannot be used."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.cloud import SWIFT, created, instead_of_a_child, kill_group, served, start_beside
from tests.support.local_cloud import LocalCloud
from tests.support.studies import SmallStudy

RECORDS = 12


@pytest.fixture
def study(tmp_path: Path) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS)


@pytest.fixture
def waiting(study: SmallStudy) -> Iterator[tuple[SmallStudy, LocalCloud]]:
    """A study with a local cloud beside it in which jobs stay in the queue."""
    cloud = start_beside(study.home, stuck_pending=True)
    yield study, cloud
    if cloud.process.poll() is None:
        cloud.stop()


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)  # between two looks


def start_and_wait_for_its_job(study: SmallStudy) -> "subprocess.Popen[str]":
    """A run that watches its job; in a session of its own, so that a signal to the group reaches nobody else."""
    process = study.process("run", start_new_session=True)
    until(lambda: study.ledger.exists() and study.ledger.stat().st_size)
    until(lambda: study.query("SELECT 1 FROM shard WHERE state = 'submitted' AND job LIKE '%PENDING%'"))
    return process


def test_a_run_whose_local_cloud_was_killed_ends_and_says_so_and_the_next_goes_on(
    waiting: tuple[SmallStudy, LocalCloud],
) -> None:
    study, cloud = waiting
    process = start_and_wait_for_its_job(study)
    cloud.kill()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 8, err
    assert "the study's local cloud has ended: it was stopped or killed" in err
    assert "HTTPConnection" not in err
    assert "1 job stays under way" in err
    start_beside(study.home, stuck_pending=False).stop()  # the switch is on disk
    found = study.ended("run", "--json").json
    assert (found["answers"], found["requests_sent"]) == (RECORDS, 0)
    assert created(cloud.data).total() == 1


class TestCtrlC:
    def test_while_a_job_waits_it_detaches_with_0_says_so_and_the_next_run_collects(
        self, waiting: tuple[SmallStudy, LocalCloud]
    ) -> None:
        study, cloud = waiting
        process = start_and_wait_for_its_job(study)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        assert f"Next: overnight run {study.path}" in out
        assert "nothing is paid twice" in out
        assert len(study.results()) == RECORDS
        cloud.switch(stuck_pending=False)
        found = study.ended("run", "--json").json
        assert (found["answers"], found["requests_sent"], found["detached"]) == (RECORDS, 0, False)
        assert created(cloud.data).total() == 1

    def test_from_a_terminal_it_reaches_the_embedded_cloud_too_and_nothing_is_lost(self, study: SmallStudy) -> None:
        start_beside(study.home, stuck_pending=True).stop()  # the switch is on disk
        process = start_and_wait_for_its_job(study)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        cloud = start_beside(study.home)
        cloud.switch(stuck_pending=False)
        cloud.stop()
        found = study.ended("run", "--json").json
        assert (found["answers"], found["requests_sent"]) == (RECORDS, 0)
        assert set(served(cloud.data, study.uid).values()) == {1}

    def test_detach_leaves_with_0_and_the_next_run_collects(self, waiting: tuple[SmallStudy, LocalCloud]) -> None:
        study, cloud = waiting
        ended = study.ended("run", "--detach", "--json")
        assert (ended.code, ended.json["detached"], ended.json["open"]) == (0, True, RECORDS)
        cloud.switch(stuck_pending=False)
        found = study.ended("run", "--json").json
        assert (found["answers"], found["requests_sent"]) == (RECORDS, 0)


class TestOneAtATime:
    def test_a_second_one_is_refused_with_the_name_of_the_first_and_status_works_beside_it(
        self, waiting: tuple[SmallStudy, LocalCloud]
    ) -> None:
        study, cloud = waiting
        process = start_and_wait_for_its_job(study)
        try:
            for command in ("run", "fetch", "retry", "cancel"):
                refused = study.cli(command)
                assert refused.code == 7
                assert "another overnight works on this study" in refused.err
                assert f"process {process.pid} (`overnight run`)" in refused.err
            beside = study.cli("status", "--json")
            assert (beside.code, beside.json["requests_in_flight"]) == (0, RECORDS)
            assert [job["state"] for job in beside.json["job_states"]] == ["pending"]
            assert study.cli("plan", "--json").json["requests"]["in_flight"] == RECORDS
            cloud.switch(stuck_pending=False)
            assert process.wait(30) == 0
        finally:
            kill_group(process.pid)
            process.communicate()

    def test_the_lock_of_a_killed_run_is_free(self, waiting: tuple[SmallStudy, LocalCloud]) -> None:
        study, cloud = waiting
        process = start_and_wait_for_its_job(study)
        kill_group(process.pid)
        process.communicate()
        assert (study.home / ".overnight" / "holder.json").exists(), "it had no time to tidy up"
        cloud.switch(stuck_pending=False)
        assert study.ended("run", "--json").json["answers"] == RECORDS


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    study = SmallStudy.of(tmp_path_factory.mktemp("answered"), 200)
    cloud = LocalCloud(study.home.parent / "answered-cloud", **SWIFT)
    with instead_of_a_child(cloud):
        assert study.cli("run").code == 0
    cloud.stop()
    return study


@pytest.fixture
def copy(answered: SmallStudy, tmp_path: Path) -> SmallStudy:
    shutil.copytree(answered.home, tmp_path / "copy")
    return SmallStudy(tmp_path / "copy")


COMMANDS = ("status", "plan", "fetch", "retry")


def refusals(study: SmallStudy) -> list[str]:
    """What each command says; all of them refuse."""
    before = study.ledger.read_bytes()
    ended = [study.cli(command) for command in COMMANDS]
    assert [one.code for one in ended] == [7] * len(COMMANDS), [one.err for one in ended]
    assert study.ledger.read_bytes() == before, "a ledger that is not understood is not touched"
    return [one.err for one in ended]


@pytest.fixture
def no_cloud_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal comes before anything is started."""
    from overnight.wiring import service

    def started(*_: object) -> None:
        pytest.fail("the local cloud was started for a ledger that cannot be used")

    monkeypatch.setattr(service, "local_cloud", started)


@pytest.mark.usefixtures("no_cloud_needed")
class TestLedgersThatCannotBeUsed:
    def test_of_a_newer_version(self, copy: SmallStudy) -> None:
        with closing(sqlite3.connect(copy.ledger)) as ledger:
            ledger.execute("PRAGMA user_version = 99")
        assert all("the ledger is of version 99" in said and "Update overnight" in said for said in refusals(copy))

    def test_another_programs_database(self, copy: SmallStudy) -> None:
        copy.ledger.unlink()
        with closing(sqlite3.connect(copy.ledger)) as other:
            other.execute("CREATE TABLE bookmarks (url)")
        assert all("this file is no ledger of ours" in said for said in refusals(copy))

    def test_no_database_at_all(self, copy: SmallStudy) -> None:
        copy.ledger.write_bytes(b"notes on naps\n" * 500)
        assert all("the ledger is damaged: file is not a database" in said for said in refusals(copy))

    def test_cut_short(self, copy: SmallStudy) -> None:
        data = copy.ledger.read_bytes()
        copy.ledger.write_bytes(data[: len(data) // 2])
        for command in ("status", "plan"):
            ended = copy.cli(command)
            assert ended.code == 7, ended.err
            assert "`overnight recover`" in ended.err


def test_every_page_of_a_ledger_may_be_damaged_and_the_worst_is_a_refusal(answered: SmallStudy, tmp_path: Path) -> None:
    """Zeros over one page at a time: a command is refused with words, or the page was not needed. Never a traceback."""
    data = answered.ledger.read_bytes()
    page = int.from_bytes(data[16:18], "big")
    refused = 0
    study = SmallStudy(tmp_path / "damaged")
    shutil.copytree(answered.home, study.home)
    for at in range(0, len(data), page):
        study.ledger.write_bytes(data[:at] + bytes(page) + data[at + page :])
        ended = study.cli("status", "--json")
        assert ended.code in {0, 7}, f"page {at // page}: {ended}"
        if ended.code == 0:
            assert ended.json["answers"] == 200, f"page {at // page} was needed, and its loss not noticed"
        refused += ended.code == 7
    assert refused > len(data) / page / 3
