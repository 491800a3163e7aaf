"""One SQLite file behind one lock: short transactions from the event loop and from the job threads."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

Value = str | int | float | bytes | None
Row = sqlite3.Row


class Database:
    """durable: fsync on every commit. Without it a killed process loses nothing, a power cut the last moments."""

    def __init__(self, path: Path, schema: str, *, durable: bool) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._connection.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested, the outermost commits. Other threads wait."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            with ExitStack() as undo:
                undo.callback(self._leave, "ROLLBACK")
                yield
                undo.pop_all()
            self._leave("COMMIT")

    def _leave(self, how: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._connection.execute(how)

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        with self._lock:
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def write(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Returns how many rows changed."""
        with self.transaction():
            return self._connection.execute(sql, values).rowcount

    def write_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        with self.transaction():
            self._connection.executemany(sql, rows)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
