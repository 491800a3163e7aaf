"""Opening the ledger: made, checked, never guessed at.

A rollback journal and `synchronous = FULL`: a fact is on disk when the call returns, on network folders too, where the
write-ahead log (which shares memory between processes) must not be used; at a shard's size per transaction this costs
nothing measurable.
"""

import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from overnight.core.atomic import sync_folder
from overnight.errors import LedgerError
from overnight.ledger.health import (
    CHECKED_BYTES,
    VERSION,
    check,
    check_empty,
    check_schema,
    could_not_write,
    damaged,
    missing_indexes,
    newer,
    schema_sql,
    unusable,
)

_APPLICATION_ID: Final = 0x4F764E74  # "OvNt"


def open_database(path: Path, *, study: str, now: str, only_look: bool = False, uid: str = "") -> sqlite3.Connection:
    """The open file, made when it is not there. Raises LedgerError for a foreign, newer, damaged or unreadable one.

    only_look: nothing can be written; a file that is not there is not made, an empty ledger in memory stands for it.
    uid: of a study whose ledger is rebuilt; a new one is born otherwise.
    """
    check_empty(path)
    try:
        if only_look and not (path.exists() and path.stat().st_size):  # empty: another process is just making it
            connection = sqlite3.connect(":memory:", isolation_level=None)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    except (OSError, sqlite3.Error) as cause:
        raise unusable(path, cause) from cause
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")
        connection = _prepared(connection, path, study, now, uid or _new_uid(), only_look=only_look)
    except (sqlite3.Error, OSError, LedgerError, UnicodeDecodeError) as cause:
        connection.close()
        if isinstance(cause, LedgerError):
            raise
        if isinstance(cause, UnicodeDecodeError):  # SQLite's complaint quotes a damaged schema, which is no text
            raise damaged(path, "its schema holds bytes that are no text") from cause
        raise unusable(path, cause) from cause
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; takes the write lock at once, so that what was read inside still holds when it is written."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        with ExitStack() as undo:
            undo.callback(_roll_back, connection)
            yield connection
            undo.pop_all()
        connection.execute("COMMIT")
    except sqlite3.OperationalError as cause:
        _roll_back(connection)
        raise could_not_write(cause) from cause


def _roll_back(connection: sqlite3.Connection) -> None:
    """SQLite does it by itself on a full disk and the like, and would say that there is nothing to roll back."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _prepared(
    connection: sqlite3.Connection, path: Path, study: str, now: str, uid: str, *, only_look: bool
) -> sqlite3.Connection:
    """Of this version, and whole. An older one is brought up, where it is only looked at: in memory."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if version == 0 and application == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        _create(connection, study, now, uid)
    elif application != _APPLICATION_ID:
        raise LedgerError("this file is no ledger of ours", where=str(path), hint="Move it away, then run again.")
    elif version > VERSION:
        raise newer(path, version)
    elif version < VERSION and only_look:
        connection = _in_memory(connection)
        _migrate(connection, path, keep=False)
    else:
        if version < VERSION:
            _migrate(connection, path, keep=True)
        check(connection, path, pages=not only_look and path.stat().st_size <= CHECKED_BYTES)
        if not only_look:
            _make_indexes(connection)
    if only_look:
        connection.execute("PRAGMA query_only = ON")
    else:  # a viewer may have left it with a write-ahead log, which stays in the file
        connection.execute("PRAGMA journal_mode = DELETE")
    return connection


def _in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(connection):
        connection.backup(copy)
    return copy


def _migrate(connection: sqlite3.Connection, path: Path, *, keep: bool) -> None:
    """All steps in one transaction: after a crash the ledger is of the old version, whole.

    Of two processes that come at once the second waits, and finds it done. keep: a copy of the old one is made first,
    inside the transaction: nobody writes meanwhile.
    """
    with transaction(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version >= VERSION:
            return
        if keep:
            _keep_a_copy(path, version)
        for step in range(version + 1, VERSION + 1):
            text = files("overnight.ledger").joinpath(f"migrations/{step:04d}.sql").read_text(encoding="utf-8")
            for statement in _statements(text):
                connection.execute(statement)
        check_schema(connection, path)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _keep_a_copy(path: Path, version: int) -> None:
    """`ledger.v1.sqlite` beside it, complete and on disk before anything is changed; an older copy stays.

    Read through a connection of its own: SQLite copies nothing through one that is writing.
    """
    copy = path.with_suffix(f".v{version}{path.suffix}")
    if copy.exists():
        return
    for left_over in path.parent.glob(f"{copy.stem}.*.part"):
        left_over.unlink()
    half = copy.with_suffix(f".{secrets.token_hex(4)}.part")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(half)) as target:
            source.backup(target)
        half.replace(copy)
    except (sqlite3.Error, OSError):
        half.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _make_indexes(connection: sqlite3.Connection) -> None:
    """An index that somebody took away is made anew: it holds nothing of its own."""
    missing = missing_indexes(connection)
    for statement in _statements(schema_sql()) if missing else ():
        if any(f"CREATE INDEX {name} " in statement for name in missing):
            connection.execute(statement)


def _statements(text: str) -> Iterator[str]:
    """One by one: `executescript` would commit what came before it."""
    waiting = ""
    for line in text.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""


def _new_uid() -> str:
    return f"u{uuid.uuid4().hex[:15]}"  # 16 characters, letter first: fits a label and a folder name


def _create(connection: sqlite3.Connection, study: str, now: str, uid: str) -> None:
    with transaction(connection):
        if connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            return  # another process made it while we waited
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        for statement in _statements(schema_sql()):
            connection.execute(statement)
        connection.execute("INSERT INTO study VALUES (?, ?, ?)", (uid, study, now))
