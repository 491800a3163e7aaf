"""Opening the ledger: made, checked, never guessed at.

A rollback journal and `synchronous = FULL`: a fact is on disk when the call returns, on network folders too; at a
shard's size per transaction this costs nothing measurable.
"""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from overnight.errors import LedgerError

VERSION: Final = 2
_APPLICATION_ID: Final = 0x4F764E74  # "OvNt"
_IN_USE: Final = (
    "Another program has the file open at this moment (a backup, a database viewer, another overnight): let it finish"
    " or close it, then run again."
)


def open_database(path: Path, *, study: str, now: str, only_look: bool = False) -> sqlite3.Connection:
    """The open file, made when it is not there. Raises LedgerError for a foreign, newer, damaged or unreadable one.

    only_look: nothing can be written; a file that is not there is not made, an empty ledger in memory stands for it.
    """
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
        connection = _prepared(connection, path, study, now, only_look=only_look)
    except (sqlite3.Error, LedgerError) as cause:
        connection.close()
        if isinstance(cause, LedgerError):
            raise
        raise unusable(path, cause) from cause
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; takes the write lock at once, so that what was read inside still holds when it is written."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        with ExitStack() as undo:
            undo.callback(connection.execute, "ROLLBACK")
            yield connection
            undo.pop_all()
        connection.execute("COMMIT")
    except sqlite3.OperationalError as cause:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        mend = _IN_USE if _is_locked(cause) else "Make room or give the right to write, then run again."
        raise LedgerError(
            f"the ledger could not be written: {cause}", hint=f"Nothing half-written was kept. {mend}"
        ) from cause


def _is_locked(cause: sqlite3.Error) -> bool:
    code = getattr(cause, "sqlite_errorcode", 0)  # only on errors that SQLite itself raised
    return code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _prepared(
    connection: sqlite3.Connection, path: Path, study: str, now: str, *, only_look: bool
) -> sqlite3.Connection:
    """Of this version. An older one is brought up, where it is only looked at: in memory."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if version == 0 and application == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        _create(connection, study, now)
    elif application != _APPLICATION_ID:
        raise LedgerError("this file is no ledger of ours", where=str(path), hint="Move it away, then run again.")
    elif version > VERSION:
        raise LedgerError(
            f"the ledger is of version {version}, this overnight knows up to {VERSION}",
            where=str(path),
            hint="Update overnight; an older one will not touch it.",
        )
    elif version < VERSION and only_look:
        connection = _in_memory(connection)
        _migrate(connection, version)
    elif version < VERSION:
        _keep_a_copy(connection, path, version)
        _migrate(connection, version)
    if only_look:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(connection):
        connection.backup(copy)
    return copy


def _keep_a_copy(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """`ledger.v1.sqlite` beside it, complete before anything is changed; an older copy of the same version stays."""
    copy = path.with_suffix(f".v{version}{path.suffix}")
    if copy.exists():
        return
    half = copy.with_suffix(".part")
    half.unlink(missing_ok=True)
    with closing(sqlite3.connect(half)) as target:
        connection.backup(target)
    half.replace(copy)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """All steps in one transaction: after a crash the ledger is of the old version, whole."""
    with transaction(connection):
        for step in range(version + 1, VERSION + 1):
            text = files("overnight.ledger").joinpath(f"migrations/{step:04d}.sql").read_text(encoding="utf-8")
            for statement in _statements(text):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _statements(text: str) -> Iterator[str]:
    """One by one: `executescript` would commit what came before it."""
    waiting = ""
    for line in text.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""


def _create(connection: sqlite3.Connection, study: str, now: str) -> None:
    schema = files("overnight.ledger").joinpath("schema.sql").read_text(encoding="utf-8")
    uid = f"u{uuid.uuid4().hex[:15]}"  # 16 characters, letter first: fits a label and a folder name
    connection.executescript(
        f"BEGIN IMMEDIATE; PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {VERSION};\n{schema}"
    )
    connection.execute("INSERT INTO study VALUES (?, ?, ?)", (uid, study, now))
    connection.execute("COMMIT")


def unusable(path: Path, cause: BaseException) -> LedgerError:
    if isinstance(cause, sqlite3.Error) and _is_locked(cause):
        return LedgerError(f"the ledger cannot be used now: {cause}", where=str(path), hint=_IN_USE)
    return LedgerError(
        f"the ledger cannot be used: {cause}",
        where=str(path),
        hint="Check the disk and the rights on that folder. A damaged ledger: keep it, restore a copy, then run again.",
    )
