"""What records were called before, and by what else they are known. One naming for all realms of a study."""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from overnight.records.naming import Known

MOST: Final = 8
"""Records with one alias. A text that more of them have (a blank one, `Editorial`) tells none of them from another."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A name to be kept. seen: the print of its record. own: the record would have this name in an empty study too."""

    record_id: str
    aliases: tuple[str, ...]
    seen: int
    own: bool


class Names:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._realms: list[str] | None = None

    def any(self) -> bool:
        return self._db.execute("SELECT 1 FROM name LIMIT 1").fetchone() is not None

    def any_known(self) -> bool:
        """Was a record ever named or asked about?"""
        return self.any() or self._db.execute("SELECT 1 FROM binding LIMIT 1").fetchone() is not None

    def state(self) -> tuple[int, int]:
        """Another one whenever a record was named or asked about since."""
        newest, asked = "SELECT coalesce(max(n), 0) FROM name", "SELECT count(*) FROM binding"
        (found,) = self._db.execute(f"SELECT ({newest}), ({asked})")
        return int(found[0]), int(found[1])

    def own_prints(self) -> "array[int]":
        """Ascending; of records that have the name they would have in an empty study. 8 bytes each."""
        return array("q", (seen for (seen,) in self._db.execute("SELECT seen FROM name WHERE own ORDER BY seen")))

    def other_prints(self) -> dict[int, str]:
        """Print → name, of the others."""
        return dict(self._db.execute("SELECT seen, record_id FROM name WHERE NOT own AND seen <> 0"))

    def known_by(self, aliases: Iterable[str]) -> list[Known]:
        """Names that are one of these, or have one of these aliases, but for aliases that more than MOST have."""
        found: dict[str, tuple[int, int]] = {}
        for alias in dict.fromkeys(aliases):
            rows = self._db.execute(
                "SELECT n, record_id, seen FROM name WHERE record_id = ?1"
                " UNION SELECT n, record_id, seen FROM alias JOIN name USING (n) WHERE alias = ?1 LIMIT ?2",
                (alias, MOST + 1),
            ).fetchall()
            if len(rows) <= MOST:
                found |= {record_id: (n, seen) for n, record_id, seen in rows}
            for record_id in self._asked(alias):
                found.setdefault(record_id, (0, 0))
        return [Known(n, record_id, self._aliases(n), seen) for record_id, (n, seen) in found.items()]

    def _asked(self, by_text: str) -> list[str]:
        """Of records that had only a text: their names are in bindings. `t1b…-2` is another with the same text."""
        if not by_text.startswith("t") or ":" in by_text:
            return []
        if self._realms is None:
            self._realms = [realm for (realm,) in self._db.execute("SELECT DISTINCT realm FROM binding")]
        found: set[str] = set()
        for realm in self._realms:
            rows = self._db.execute(
                "SELECT DISTINCT record_id FROM binding WHERE realm = ?1 AND (record_id = ?2"
                " OR record_id > ?2 || '-' AND record_id < ?2 || '.') LIMIT ?3",
                (realm, by_text, MOST + 1),
            ).fetchall()
            found.update(record_id for (record_id,) in rows)
        return sorted(found) if len(found) <= MOST else [by_text] if by_text in found else []

    def _aliases(self, n: int) -> tuple[str, ...]:
        return tuple(alias for (alias,) in self._db.execute("SELECT alias FROM alias WHERE n = ? ORDER BY alias", (n,)))

    def keep(self, namings: Iterable[Naming]) -> None:
        """Part of the caller's transaction. A name that is there keeps its number and the aliases it has."""
        for naming in namings:
            (n,) = self._db.execute(
                "INSERT INTO name (record_id, seen, own) VALUES (?, ?, ?) ON CONFLICT (record_id) DO UPDATE"
                " SET seen = excluded.seen, own = excluded.own RETURNING n",
                (naming.record_id, naming.seen, naming.own),
            ).fetchone()
            self._db.executemany(
                "INSERT INTO alias VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(alias, n) for alias in naming.aliases if alias != naming.record_id],
            )

    def also(self, pairs: Iterable[tuple[str, str]]) -> None:
        """(a name, the name of its record from now on). Part of the caller's transaction."""
        self._db.executemany(
            "INSERT INTO alias SELECT ?, n FROM name WHERE record_id = ? ON CONFLICT DO NOTHING", pairs
        )

    def now_called(self, name: str) -> list[str]:
        """The names of records that were once called this."""
        rows = self._db.execute("SELECT record_id FROM alias JOIN name USING (n) WHERE alias = ? ORDER BY n", (name,))
        return [record_id for (record_id,) in rows]

    def asked(self, realm: str) -> Iterator[str]:
        """Every record for which a request was made. Reads all bindings of the realm."""
        rows = self._db.execute("SELECT DISTINCT record_id FROM binding WHERE realm = ? ORDER BY record_id", (realm,))
        return (record_id for (record_id,) in rows)

    def was_asked(self, realm: str, record_id: str) -> bool:
        found = self._db.execute("SELECT 1 FROM binding WHERE realm = ? AND record_id = ?", (realm, record_id))
        return found.fetchone() is not None

    def number(self, record_id: str) -> int | None:
        """In the order of naming; None for a name that was never kept."""
        found = self._db.execute("SELECT n FROM name WHERE record_id = ?", (record_id,)).fetchone()
        return int(found[0]) if found else None
