"""What people were told once, so that a command that runs every hour does not tell it every hour."""

import sqlite3
from collections.abc import Iterable

from overnight.ledger.database import transaction


class Notices:
    """what: the event. about: the thing it is about, in words that stay the same while nothing new happens."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def was_told(self, realm: str, what: str, about: str) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM notice WHERE realm = ? AND what = ? AND about = ?", (realm, what, about)
        ).fetchone()
        return found is not None

    def told(self, realm: str, what: str, about: str, now: str) -> None:
        with transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO notice VALUES (?, ?, ?, ?)", (realm, what, about, now))

    def over(self, realm: str, whats: Iterable[str]) -> None:
        """What these were about is past: should it come again, it is new."""
        kinds = tuple(whats)
        marks = ", ".join("?" * len(kinds))
        query = f"SELECT 1 FROM notice WHERE realm = ? AND what IN ({marks})"  # noqa: S608  # our own marks
        if self._db.execute(query, (realm, *kinds)).fetchone() is None:
            return
        with transaction(self._db):
            self._db.execute(f"DELETE FROM notice WHERE realm = ? AND what IN ({marks})", (realm, *kinds))  # noqa: S608  # our own marks
