"""How far down the draw of `when_over: fit` the last run went: what tells a record left out from one that waits."""

import sqlite3

from overnight.ledger.database import transaction
from overnight.planning.fit import ALL


class Fits:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def bound(self, realm: str, seed: int) -> int:
        """ALL where no run has drawn with that seed: then nothing was left out."""
        query = "SELECT bound FROM fit WHERE realm = ? AND seed = ?"
        found = self._db.execute(query, (realm, seed)).fetchone()
        return ALL if found is None else int(found[0])

    def keep(self, realm: str, seed: int, bound: int, now: str) -> None:
        if (self._db.execute("SELECT seed, bound FROM fit WHERE realm = ?", (realm,)).fetchone()) == (seed, bound):
            return
        with transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO fit VALUES (?, ?, ?, ?)", (realm, seed, bound, now))
