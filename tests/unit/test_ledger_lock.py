"""The lock beside the ledger, and the ledger's journal: one process at a time, by name, whatever became of the last."""

import contextlib
import errno
import fcntl
import getpass
import os
import platform
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import overnight
from overnight.errors import LedgerError, LockedError
from overnight.ledger.ledger import Ledger, Lock
from tests.support.studies import SmallStudy

NOW = "2026-11-22T12:00:00Z"
HOLDER = """
import sys
from pathlib import Path
from overnight.ledger.ledger import Lock
with Lock(Path(sys.argv[1]), "fetch"):
    print("held", flush=True)
    sys.stdin.read()
"""

WITHOUT_LOCKS = f"""
import errno, fcntl, os
def no_locks(*_):
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
fcntl.flock = no_locks
{HOLDER}
"""


@pytest.fixture
def study(tmp_path: Path) -> SmallStudy:
    return SmallStudy.of(tmp_path, 2)


@contextlib.contextmanager
def held(study: SmallStudy, holder: str = HOLDER) -> "Iterator[subprocess.Popen[str]]":
    """Another process holds the study until this is left."""
    words = [sys.executable, "-c", holder, str(study.home / ".overnight")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_holder_is_named_with_user_machine_process_and_command_to_the_cli_and_to_python(study: SmallStudy) -> None:
    with held(study) as holder:
        name = f"{getpass.getuser()} on {platform.node()}, process {holder.pid} (`overnight fetch`)"
        refused = study.cli("run")
        assert (refused.code, name in refused.err) == (7, True), refused.err
        with pytest.raises(LockedError) as caught:
            overnight.open(study.path).retry()
        assert name in caught.value.what
        assert study.cli("plan").code == 0, "who only looks is let in"


def test_after_kill_9_of_the_holder_the_next_one_goes_on_at_once(study: SmallStudy) -> None:
    with held(study) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(10)
        assert (study.home / ".overnight" / "holder.json").exists(), "it had no time to tidy up"
        assert study.cli("retry").code == 0
        assert not (study.home / ".overnight" / "holder.json").exists()


@pytest.mark.parametrize("said", ["", "{", "[]", "null", "{}", '"me"'])
def test_a_name_that_cannot_be_read_is_no_traceback(tmp_path: Path, said: str) -> None:
    with Lock(tmp_path, "run"):
        (tmp_path / "holder.json").write_text(said)
        with pytest.raises(LockedError, match="has not said its name yet"), Lock(tmp_path, "fetch"):
            pytest.fail("two at a time")


def no_locks(*_: object) -> None:
    """As `flock` answers on a file system that has none."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


@pytest.mark.filterwarnings("ignore:flock not supported")
def test_where_the_file_system_has_no_locks_a_file_stands_for_one_and_dies_with_its_holder(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", no_locks)
    with held(study, WITHOUT_LOCKS) as holder:
        refused = study.cli("retry")
        assert (refused.code, f"process {holder.pid} (`overnight fetch`)" in refused.err) == (7, True), refused.err
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(10)
        assert study.cli("retry").code == 0


def journal_mode(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as file:
        return str(file.execute("PRAGMA journal_mode").fetchone()[0])


def test_the_ledger_keeps_a_rollback_journal_and_no_write_ahead_log(tmp_path: Path) -> None:
    """WAL shares memory between processes: on a network folder it loses facts."""
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path, study="s", now=NOW) as ledger:
        with ledger.transaction() as db:
            db.execute("UPDATE study SET name = 't'")
            assert {file.name for file in tmp_path.iterdir()} == {"ledger.sqlite", "ledger.sqlite-journal"}
        assert db.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: on disk when the call returns"
    assert journal_mode(path) == "delete"


def test_a_ledger_that_a_viewer_left_with_a_write_ahead_log_is_put_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger.open(path, study="s", now=NOW).close()
    with contextlib.closing(sqlite3.connect(path)) as viewer:
        viewer.execute("PRAGMA journal_mode = WAL")
    Ledger.open(path, study="s", now=NOW, only_look=True).close()
    assert journal_mode(path) == "wal", "who only looks changes nothing"
    with contextlib.closing(sqlite3.connect(path)) as viewer:
        viewer.execute("SELECT * FROM study").fetchall()
        with pytest.raises(LedgerError, match="database is locked"):
            Ledger.open(path, study="s", now=NOW).close()
    Ledger.open(path, study="s", now=NOW).close()
    assert journal_mode(path) == "delete"
