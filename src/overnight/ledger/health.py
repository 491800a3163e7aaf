"""Is this file a whole ledger? What is wrong with it is said in our words, with what to do.

What the looks cost, on two shared cores, for a ledger of 100,000 and of 1,000,000 requests (60 and 655 MB): size and
schema under a millisecond; `PRAGMA quick_check` 0.1 and 1.1 s; `integrity_check` 0.13 and 1.5 s.
"""

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Final

from overnight.errors import LedgerError

VERSION: Final = 6
"""Of the schema."""
CHECKED_BYTES: Final = 256 << 20
"""Up to this size all pages are looked at before a command changes the study: 0.4 s at most. `overnight recover` looks
at all of any ledger."""
RECOVER: Final = (
    "Keep it. `overnight recover` mends it where only an index is hurt, and else rebuilds it from the bucket: nothing"
    " is paid twice. A copy of it serves as well if nothing was sent since it was made."
)
_IN_USE: Final = (
    "Another program has the file open at this moment (a backup, a database viewer, another overnight): let it finish"
    " or close it, then run again."
)
_SAYS_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
UNREADABLE: Final = (ValueError, TypeError, KeyError, ArithmeticError)

Shape = dict[str, tuple[object, ...]]


def damaged(path: Path, what: str) -> LedgerError:
    return LedgerError(f"the ledger is damaged: {what}", where=str(path), hint=RECOVER)


def unusable(path: Path, cause: BaseException) -> LedgerError:
    if isinstance(cause, sqlite3.Error):
        if is_locked(cause):
            return LedgerError(f"the ledger cannot be used now: {cause}", where=str(path), hint=_IN_USE)
        if _code(cause) in _SAYS_DAMAGED:
            return damaged(path, str(cause))
    return LedgerError(
        f"the ledger cannot be used: {cause}",
        where=str(path),
        hint="Make room on the disk, and give yourself the right to read and write that folder and the file; then run"
        " again. If the disk itself is failing, copy the folder elsewhere first.",
    )


def could_not_write(cause: sqlite3.Error) -> LedgerError:
    mend = _IN_USE if is_locked(cause) else "Make room or give the right to write, then run again."
    return LedgerError(f"the ledger could not be written: {cause}", hint=f"Nothing half-written was kept. {mend}")


def is_locked(cause: sqlite3.Error) -> bool:
    return _code(cause) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _code(cause: sqlite3.Error) -> int:
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF  # only on errors that SQLite itself raised


@contextlib.contextmanager
def reading(what: str) -> Iterator[None]:
    """What was stored by us and does not read back was changed by other hands, or by a failing disk: LedgerError."""
    try:
        yield
    except UNREADABLE as cause:
        raise unreadable(what, cause) from cause


def unreadable(what: str, cause: Exception) -> LedgerError:
    return LedgerError(f"{what} in the ledger does not read back: {cause}", hint=RECOVER)


def check_empty(path: Path) -> None:
    """Raises LedgerError for a file of no bytes beside output that was collected: its ledger was once full.

    Without such output it is a ledger that is just being made, or whose making was interrupted.
    """
    with contextlib.suppress(OSError):  # a file that cannot be looked at is refused when it is opened
        raw = path.parent / "raw"
        if path.stat().st_size == 0 and raw.is_dir() and any(raw.iterdir()):
            raise damaged(path, f"the file is empty, and {raw} holds the output of jobs it knew of")


def check(connection: sqlite3.Connection, path: Path, *, pages: bool) -> None:
    """Raises LedgerError for a file that is cut off, a schema that is not ours, or (pages) a page that is not whole."""
    check_size(connection, path)
    check_schema(connection, path)
    if pages:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise damaged(path, _one_line(found))
        _check_counts(connection, path)


def check_size(connection: sqlite3.Connection, path: Path) -> None:
    (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    size_bytes = path.stat().st_size
    if size_bytes < n_pages * page_bytes:
        raise damaged(path, f"{size_bytes:,} bytes are there, and there should be {n_pages * page_bytes:,}")


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raises LedgerError naming the first table, or thing beside our tables, that is not as we make it."""
    ours, found = _ours(), shape(connection)
    for name in sorted(ours.keys() | found.keys()):
        if ours.get(name) == found.get(name) or (name in ours and name not in found and ours[name][0] == "index"):
            continue
        what = "is missing" if name not in found else "is not ours" if name not in ours else "was altered"
        kind = (found.get(name) or ours[name])[0]
        raise LedgerError(
            f"the ledger's {kind} {name!r} {what}: the file was changed by other hands",
            where=str(path),
            hint="Undo that change, or restore a copy made before it. `overnight recover` sets the file aside and"
            " rebuilds the ledger from the bucket.",
        )


def missing_indexes(connection: sqlite3.Connection) -> list[str]:
    return [name for name, (kind, *_) in _ours().items() if kind == "index" and name not in shape(connection)]


def shape(connection: sqlite3.Connection) -> Shape:
    """Name → kind, and all that SQLite knows of a table's columns, or an index's table and columns.

    Not the text of the SQL: a column that a migration added stands elsewhere in it.
    """
    found: Shape = {}
    rows = connection.execute(
        "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    for kind, name, table in rows.fetchall():
        if kind == "table":
            columns = connection.execute("SELECT * FROM pragma_table_info(?)", (name,)).fetchall()
            made = connection.execute("SELECT wr, strict FROM pragma_table_list(?)", (name,)).fetchall()
            found[name] = (kind, tuple(columns), tuple(made))
        else:
            columns = connection.execute("SELECT name FROM pragma_index_info(?)", (name,)).fetchall()
            found[name] = (kind, table, tuple(columns))
    return found


@functools.cache
def _ours() -> Shape:
    with closing(sqlite3.connect(":memory:")) as new:
        new.executescript(schema_sql())
        return shape(new)


def schema_sql() -> str:
    return files("overnight.ledger").joinpath("schema.sql").read_text(encoding="utf-8")


def _check_counts(connection: sqlite3.Connection, path: Path) -> None:
    """Every shard has its rows: a ledger copied in mid-write without its journal may have whole pages, and not this."""
    found = connection.execute(
        "SELECT id, n_rows, (SELECT count(*) FROM sent WHERE shard = shard.id) AS n FROM shard"
        " WHERE state NOT IN ('intended', 'abandoned') AND n <> n_rows LIMIT 1"
    ).fetchone()
    if found:
        raise damaged(path, f"shard {found[0]} has {found[2]:,} of its {found[1]:,} rows")


def faults(path: Path) -> Iterator[str]:
    """Everything that a full look finds wrong, index entries against rows included. Nothing: the ledger is whole.

    Of any version up to ours. Raises LedgerError where it cannot be looked at, or is newer.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30.0)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise newer(path, version)
            yield from _faults(connection, path, version)
    except sqlite3.Error as cause:
        if _code(cause) not in _SAYS_DAMAGED:
            raise unusable(path, cause) from cause
        yield str(cause)


def _faults(connection: sqlite3.Connection, path: Path, version: int) -> Iterator[str]:
    try:
        check_size(connection, path)
        if version == VERSION:
            check_schema(connection, path)
    except LedgerError as fault:
        yield fault.what
    found = [_one_line(text) for (text,) in connection.execute("PRAGMA integrity_check(10)")]
    if found != ["ok"]:
        yield from found
        return
    broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    if broken:
        yield f"a row of {broken[0]} names a row of {broken[2]} that is not there"
    try:
        _check_counts(connection, path)
    except LedgerError as fault:
        yield fault.what


def newer(path: Path, version: int) -> LedgerError:
    return LedgerError(
        f"the ledger is of version {version}, this overnight knows up to {VERSION}",
        where=str(path),
        hint="Update overnight; an older one will not touch it.",
    )


def mend(path: Path, into: Path) -> bool:
    """Every row of a damaged ledger into a new file, its indexes made anew. False when its tables are hurt too.

    The original is left as it is. Raises LedgerError where the disk is full.
    """
    try:
        with closing(sqlite3.connect(path)) as hurt, closing(sqlite3.connect(into)) as whole:
            _copy_rows(hurt, whole)
    except sqlite3.Error as cause:
        if _code(cause) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
            raise unusable(path, cause) from cause
        mended = False
    else:
        mended = not any(faults(into))
    if not mended:
        into.unlink(missing_ok=True)
    return mended


def _copy_rows(hurt: sqlite3.Connection, whole: sqlite3.Connection) -> None:
    """Row by row: VACUUM, and INSERT … SELECT between two files, would copy the pages of the indexes as they are."""
    for pragma in ("application_id", "user_version"):
        whole.execute(f"PRAGMA {pragma} = {hurt.execute(f'PRAGMA {pragma}').fetchone()[0]}")
    made = "SELECT name, sql FROM sqlite_schema WHERE type = ? AND sql IS NOT NULL ORDER BY rowid"
    for name, sql in hurt.execute(made, ("table",)).fetchall():
        whole.execute(sql)
        rows = hurt.execute(f"SELECT * FROM {_quoted(name)} NOT INDEXED")  # noqa: S608  # quoted
        marks = ", ".join("?" * len(rows.description))
        whole.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", rows)  # noqa: S608  # quoted
    for _, sql in hurt.execute(made, ("index",)).fetchall():
        whole.execute(sql)
    whole.commit()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
