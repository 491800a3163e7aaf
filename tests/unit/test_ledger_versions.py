"""Ledgers of earlier versions: brought up with a copy kept, looked at without being touched; newer ones are refused."""

import errno
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from overnight.errors import LedgerError
from overnight.ledger import database
from overnight.ledger.database import VERSION, open_database

V1 = (Path(__file__).parents[1] / "support" / "ledger_v1.sql").read_text("utf-8")
NOW = "2026-11-22T12:00:00Z"


def shape(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every table's columns, as SQLite understands them: name, type, null or not, default, key."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {name: sorted(row[1:] for row in connection.execute(f"PRAGMA table_info({name})")) for name in sorted(names)}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger of version 1 with a study and a shard in it."""
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"BEGIN; PRAGMA application_id = {0x4F764E74}; PRAGMA user_version = 1;\n{V1}\nCOMMIT;"
        )
        connection.execute("INSERT INTO study VALUES ('u1', 'naps', 'then')")
        connection.execute("INSERT INTO recipe VALUES ('d', '{}')")
        connection.execute(
            "INSERT INTO shard (id, realm, stage, recipe, model, max_output_tokens, state, label, place, intended)"
            " VALUES (7, 'google', 'answer', 'd', 'm', 100, 'submitted', 'l', '{}', 'then')"
        )
        connection.commit()
    return path


def test_a_ledger_of_version_1_becomes_what_a_new_one_is(old: Path, tmp_path: Path) -> None:
    with closing(open_database(old, study="naps", now=NOW)) as brought_up:
        assert brought_up.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert brought_up.execute("SELECT id, state, adopted FROM shard").fetchall() == [(7, "submitted", 0)]
        with closing(open_database(tmp_path / "new.sqlite", study="naps", now=NOW)) as new:
            assert shape(brought_up) == shape(new)


def test_a_copy_is_kept_as_it_was_and_not_overwritten_later(old: Path) -> None:
    before = shape_of(old)
    open_database(old, study="naps", now=NOW).close()
    copy = old.with_name("ledger.v1.sqlite")
    assert shape_of(copy) == before
    marked = copy.stat().st_mtime_ns
    open_database(old, study="naps", now=NOW).close()
    assert copy.stat().st_mtime_ns == marked


def shape_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return shape(connection)


def test_looking_at_an_old_ledger_leaves_it_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    with closing(open_database(old, study="naps", now=NOW, only_look=True)) as seen:
        assert seen.execute("SELECT id, adopted FROM shard").fetchall() == [(7, 0)]
        with pytest.raises(sqlite3.OperationalError):
            seen.execute("DELETE FROM shard")
    assert old.read_bytes() == before
    assert [path.name for path in old.parent.iterdir()] == [old.name]


@pytest.mark.parametrize("broken", ["notice", "smoke"])
def test_a_step_that_fails_leaves_the_old_version_whole(
    old: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = database._statements

    def failing(text: str) -> list[str]:
        return [one if f"TABLE {broken}" not in one else "CREATE TABLE shard (id)" for one in statements(text)]

    before = shape_of(old)
    monkeypatch.setattr("overnight.ledger.database._statements", failing)
    with pytest.raises(LedgerError):
        open_database(old, study="naps", now=NOW)
    assert shape_of(old) == before
    monkeypatch.undo()
    open_database(old, study="naps", now=NOW).close()
    assert shape_of(old) != before


def test_a_newer_ledger_is_refused_and_left_alone(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = old.read_bytes()
    with pytest.raises(LedgerError, match=f"of version {VERSION + 1}, this overnight knows up to {VERSION}"):
        open_database(old, study="naps", now=NOW)
    assert old.read_bytes() == before


def in_a_process(old: Path, patch: str) -> "subprocess.Popen[str]":
    """Opens the ledger in a process of its own, in which `patch` was done before."""
    script = (
        "import os, resource, signal, sqlite3, sys\n"
        "from pathlib import Path\n"
        "from overnight.errors import LedgerError\n"
        "from overnight.ledger import database\n"
        "die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"{patch}\n"
        "try:\n"
        f"    database.open_database(Path({str(old)!r}), study='naps', now='now').close()\n"
        "except LedgerError as error:\n"
        "    print(error); sys.exit(7)\n"
    )
    words = [sys.executable, "-B", "-c", script]  # -B: where files may not grow, byte code would be cut off
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, text=True, **pipes)


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT id, state, label FROM shard").fetchall()


@pytest.mark.parametrize(
    "killed",
    [
        "Path.replace = die  # the copy is written, and has not its name yet",
        "database.sync_folder = die  # the copy is there, nothing is changed",
        "database.check_schema = die  # every step is done, nothing is committed",
        "database.check = die  # committed",
    ],
)
def test_killed_while_it_is_brought_up_it_is_brought_up_by_the_next_one(old: Path, killed: str) -> None:
    before = shape_of(old)
    process = in_a_process(old, killed)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    open_database(old, study="naps", now=NOW).close()
    assert (rows(old), shape_of(old) != before) == ([(7, "submitted", "l")], True)
    assert shape_of(old.with_name("ledger.v1.sqlite")) == before
    assert sorted(path.name for path in old.parent.iterdir()) == ["ledger.sqlite", "ledger.v1.sqlite"]


@pytest.mark.parametrize("short_bytes", [4_096, 0])
def test_a_full_disk_leaves_the_old_one_whole_and_no_half_copy(old: Path, short_bytes: int) -> None:
    """No file may grow beyond so many bytes: too few for the copy, or only for the ledger with its new tables."""
    room_bytes = old.stat().st_size - short_bytes
    before = old.read_bytes()
    process = in_a_process(
        old,
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room_bytes}, {room_bytes}))",
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 7, err
    assert "room" in out
    assert old.read_bytes() == before
    assert not list(old.parent.glob("*.part"))
    open_database(old, study="naps", now=NOW).close()
    assert rows(old) == [(7, "submitted", "l")]


def test_a_folder_where_nothing_can_be_written_is_said(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    before = old.read_bytes()
    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(LedgerError, match="Read-only file system") as caught:
        open_database(old, study="naps", now=NOW)
    assert "right to read and write" in caught.value.hint
    assert old.read_bytes() == before
    assert [path.name for path in old.parent.iterdir()] == ["ledger.sqlite"]


def test_two_that_come_at_once_bring_it_up_once(old: Path) -> None:
    """Each begins only when both have seen the old version."""
    waits = (
        "real = database._migrate\n"
        "def both(connection, path, *, keep):\n"
        "    print('seen', flush=True); sys.stdin.readline(); real(connection, path, keep=keep)\n"
        "database._migrate = both"
    )
    processes = [in_a_process(old, f"sys.stdin = os.fdopen(os.dup(0))\n{waits}") for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "seen\n"
    for process in processes:
        _, err = process.communicate("go\n", timeout=60)
        assert process.returncode == 0, err
    assert rows(old) == [(7, "submitted", "l")]
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_two_that_make_a_new_one_at_once_make_one_study(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    waits = (
        "real = database._create\n"
        "def both(*given):\n"
        "    print('seen', flush=True); sys.stdin.readline(); real(*given)\n"
        "database._create = both"
    )
    processes = [in_a_process(path, waits) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "seen\n"
    for process in processes:
        _, err = process.communicate("go\n", timeout=60)
        assert process.returncode == 0, err
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM study").fetchone() == (1,)
