"""The pilot that a study is in: what `run` collects before it sends the others, and what `pilot` alone goes on with."""

import sqlite3

from overnight.planning.pilot import Drawn


class Pilots:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def current(self, realm: str) -> Drawn | None:
        """None: there was none, or the whole was run since."""
        query = "SELECT n, seed, records, of FROM pilot WHERE realm = ?"
        found = self._db.execute(query, (realm,)).fetchone()
        return None if found is None else Drawn(*found)

    def begin(self, realm: str, drawn: Drawn, now: str) -> None:
        """Inside a transaction."""
        values = (realm, drawn.n, drawn.seed, drawn.records, drawn.of, now)
        self._db.execute("INSERT OR REPLACE INTO pilot VALUES (?, ?, ?, ?, ?, ?)", values)

    def end(self, realm: str) -> None:
        """Inside a transaction: the plan that was accepted is of the whole."""
        self._db.execute("DELETE FROM pilot WHERE realm = ?", (realm,))
