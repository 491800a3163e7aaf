"""Which request answers for which record: many to one."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Binding:
    record_id: str
    stage: str
    sample: int
    address: bytes
    recipe: str
    model: str


class Bindings:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def bind(self, realm: str, bindings: Iterable[Binding]) -> None:
        """Part of the caller's transaction."""
        self._db.executemany(
            "INSERT INTO binding VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET address = excluded.address, recipe = excluded.recipe, model = excluded.model"
            " WHERE address <> excluded.address",
            ((realm, b.record_id, b.stage, b.sample, b.address, b.recipe, b.model) for b in bindings),
        )

    def any(self, realm: str) -> bool:
        return self._db.execute("SELECT 1 FROM binding WHERE realm = ? LIMIT 1", (realm,)).fetchone() is not None

    def of(self, realm: str, record_id: str, stage: str, sample: int) -> Binding | None:
        found = self._db.execute(
            "SELECT record_id, stage, sample, address, recipe, model FROM binding"
            " WHERE realm = ? AND record_id = ? AND stage = ? AND sample = ?",
            (realm, record_id, stage, sample),
        ).fetchone()
        return Binding(*found) if found else None

    def of_record(self, realm: str, record_id: str) -> list[Binding]:
        rows = self._db.execute(
            "SELECT record_id, stage, sample, address, recipe, model FROM binding WHERE realm = ? AND record_id = ?",
            (realm, record_id),
        )
        return [Binding(*row) for row in rows]

    def sharing(self, realm: str, addresses: frozenset[bytes]) -> Iterator[Binding]:
        """Records whose answer is one of these: reads all bindings of the realm."""
        rows = self._db.execute(
            "SELECT record_id, stage, sample, address, recipe, model FROM binding WHERE realm = ?", (realm,)
        )
        return (Binding(*row) for row in rows if row[3] in addresses)
