"""Ledgers of earlier versions: brought up with a copy kept, looked at without being touched; newer ones are refused."""

import sqlite3
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
