"""What the local cloud did, append-only and fsynced: the other side's own book-keeping for tests.

A crash test asks it, over /control/journal or offline from DIR/journal.sqlite: how many jobs were made for this
label, how often was this key served. A row is entered under the identity of the fact (job; job and row; bucket, name
and generation), so a fact taken up again after a crash is entered once. `Cloud.reconcile` enters what a crash
between state.sqlite and the journal left out.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from overnight.localcloud.database import Database
from overnight.localcloud.values import JsonObject, now_us, rfc3339

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS creates (
  seq INTEGER PRIMARY KEY, time TEXT NOT NULL, job TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
  model TEXT NOT NULL, labels TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS served (
  seq INTEGER PRIMARY KEY, time TEXT NOT NULL, job TEXT NOT NULL, row INTEGER NOT NULL, key TEXT NOT NULL,
  status TEXT NOT NULL, UNIQUE (job, row));
CREATE TABLE IF NOT EXISTS objects (
  seq INTEGER PRIMARY KEY, time TEXT NOT NULL, bucket TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL, crc32c TEXT NOT NULL, UNIQUE (bucket, name, generation));
"""
KINDS: Final = ("creates", "served", "objects")


class Journal:
    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, durable=True)

    def job_created(self, job: str, display_name: str, model: str, labels: dict[str, str], created_us: int) -> None:
        self._database.write(
            "INSERT OR IGNORE INTO creates (time, job, display_name, model, labels) VALUES (?, ?, ?, ?, ?)",
            (rfc3339(created_us), job, display_name, model, json.dumps(labels, sort_keys=True)),
        )

    def ordinal(self, job: str) -> int:
        """A job's number among all jobs made, from 1; of one not made yet, the next."""
        found = self._database.row("SELECT seq FROM creates WHERE job = ?", (job,))
        last = self._database.row("SELECT MAX(seq) AS last FROM creates")
        return int(found["seq"]) if found else (int(last["last"] or 0) if last else 0) + 1

    def rows_served(self, job: str, rows: Iterable[tuple[int, str, str]]) -> None:
        """rows: (row number in the input from 0, key, status text; empty = served)."""
        time = rfc3339(now_us())
        self._database.write_many(
            "INSERT OR IGNORE INTO served (time, job, row, key, status) VALUES (?, ?, ?, ?, ?)",
            ((time, job, row, key, status) for row, key, status in rows),
        )

    def object_written(self, bucket: str, name: str, generation: int, size_bytes: int, crc32c: str) -> None:
        self._database.write(
            "INSERT OR IGNORE INTO objects (time, bucket, name, generation, size_bytes, crc32c)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (rfc3339(now_us()), bucket, name, generation, size_bytes, crc32c),
        )

    def entries(self, kind: str, after: int, limit: int) -> list[JsonObject]:
        """Entries of one kind with seq > after, oldest first."""
        assert kind in KINDS
        sql = f"SELECT * FROM {kind} WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608  kind is one of KINDS
        entries = [dict(row) for row in self._database.rows(sql, (after, limit))]
        for entry in entries if kind == "creates" else ():
            entry["labels"] = json.loads(entry["labels"])
        return entries

    def summary(self) -> JsonObject:
        """Counts of each kind, jobs per label, and the keys served more than once (at most 1,000 of them)."""
        counts = {kind: self._count(kind) for kind in KINDS}
        per_label: dict[str, int] = {}
        for entry in self.entries("creates", 0, -1):
            for name, value in entry["labels"].items():
                label = f"{name}={value}"
                per_label[label] = per_label.get(label, 0) + 1
        again = self._database.rows(
            "SELECT key, COUNT(*) AS times FROM served WHERE key <> '' GROUP BY key HAVING times > 1 LIMIT 1000"
        )
        return {
            "counts": counts,
            "jobs_per_label": per_label,
            "served_again": {row["key"]: row["times"] for row in again},
        }

    def _count(self, kind: str) -> int:
        row = self._database.row(f"SELECT COUNT(*) AS n FROM {kind}")  # noqa: S608  kind is one of KINDS
        return int(row["n"]) if row else 0

    def close(self) -> None:
        self._database.close()
