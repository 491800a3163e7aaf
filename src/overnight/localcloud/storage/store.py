"""Buckets and objects on disk: rows in state.sqlite, bytes in files named by hash.

A write is: bytes into a temporary file, rename to a name no generation had before, one transaction that makes it the
object. Killed in between, the file has no row and the next start sweeps it.
"""

import json
import re
import threading
from hashlib import sha256
from pathlib import Path
from typing import Final

from overnight.localcloud.database import Database, Value
from overnight.localcloud.errors import ApiError
from overnight.localcloud.home import Home
from overnight.localcloud.journal import Journal
from overnight.localcloud.storage.objects import Conditions, StoredObject, writable_fields
from overnight.localcloud.storage.staging import Staged
from overnight.localcloud.values import JsonObject, now_us, rfc3339

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS buckets (
  name TEXT PRIMARY KEY, project TEXT NOT NULL, location TEXT NOT NULL, created_us INTEGER NOT NULL,
  metageneration INTEGER NOT NULL, fields TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL REFERENCES buckets (name), name TEXT NOT NULL, generation INTEGER NOT NULL,
  metageneration INTEGER NOT NULL, size_bytes INTEGER NOT NULL, crc32c TEXT NOT NULL, md5 TEXT NOT NULL,
  created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, fields TEXT NOT NULL, file TEXT NOT NULL,
  PRIMARY KEY (bucket, name)) WITHOUT ROWID;
"""
_BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_MAX_NAME_BYTES: Final = 1024
_MULTI_REGIONS: Final = ("US", "EU", "ASIA")


class ObjectStore:
    def __init__(self, home: Home, database: Database, journal: Journal) -> None:
        self.home = home
        self._database = database
        self._journal = journal
        self._clock_lock = threading.Lock()
        newest = database.row("SELECT MAX(generation) AS newest FROM objects")
        self._last_generation: int = (newest["newest"] or 0) if newest else 0

    # Buckets

    def create_bucket(self, project: str, resource: JsonObject) -> JsonObject:
        name = resource.get("name")
        if not isinstance(name, str) or not _BUCKET_NAME.fullmatch(name):
            raise ApiError(400, f"Invalid bucket name: {name!r}")
        location = str(resource.get("location") or "US").upper()
        fields = {key: value for key, value in resource.items() if key not in {"name", "location"}}
        with self._database.transaction():
            if self._database.row("SELECT 1 FROM buckets WHERE name = ?", (name,)):
                text = "Your previous request to create the named bucket succeeded and you already own it."
                raise ApiError(409, text)
            self._database.write(
                "INSERT INTO buckets VALUES (?, ?, ?, ?, 1, ?)", (name, project, location, now_us(), json.dumps(fields))
            )
        return self.bucket(name)

    def bucket(self, name: str) -> JsonObject:
        """The bucket's resource without its links. Raises ApiError 404."""
        row = self._database.row("SELECT * FROM buckets WHERE name = ?", (name,))
        if row is None:
            raise ApiError(404, "The specified bucket does not exist.")
        created = rfc3339(row["created_us"], 3)
        location = row["location"]
        return {
            "kind": "storage#bucket",
            "id": name,
            "storageClass": "STANDARD",
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
            **json.loads(row["fields"]),
            "name": name,
            "projectNumber": "0",
            "location": location,
            "locationType": "multi-region" if location in _MULTI_REGIONS else "region",
            "metageneration": str(row["metageneration"]),
            "timeCreated": created,
            "updated": created,
            "etag": f"b{row['metageneration']}",
        }

    def has_bucket(self, name: str) -> bool:
        return self._database.row("SELECT 1 FROM buckets WHERE name = ?", (name,)) is not None

    def patch_bucket(self, name: str, changes: JsonObject) -> JsonObject:
        with self._database.transaction():
            self.bucket(name)
            row = self._database.row("SELECT fields FROM buckets WHERE name = ?", (name,))
            fields = {**json.loads(row["fields"] if row else "{}"), **changes}
            kept = {
                key: value for key, value in fields.items() if value is not None and key not in {"name", "location"}
            }
            self._database.write(
                "UPDATE buckets SET fields = ?, metageneration = metageneration + 1 WHERE name = ?",
                (json.dumps(kept), name),
            )
        return self.bucket(name)

    def list_buckets(self, project: str, prefix: str) -> list[JsonObject]:
        rows = self._database.rows("SELECT name FROM buckets WHERE project = ? ORDER BY name", (project,))
        return [self.bucket(row["name"]) for row in rows if row["name"].startswith(prefix)]

    def delete_bucket(self, name: str) -> None:
        with self._database.transaction():
            self.bucket(name)
            if self._database.row("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (name,)):
                raise ApiError(409, "The bucket you tried to delete is not empty.")
            self._database.write("DELETE FROM buckets WHERE name = ?", (name,))

    # Objects

    def find(self, bucket: str, name: str) -> StoredObject | None:
        row = self._database.row("SELECT * FROM objects WHERE bucket = ? AND name = ?", (bucket, name))
        return StoredObject.of(row) if row else None

    def get(self, bucket: str, name: str, generation: int | None = None) -> StoredObject:
        """Raises ApiError 404 for the bucket, the object, or a generation that is not the live one."""
        self.bucket(bucket)
        found = self.find(bucket, name)
        if found is None or generation not in {None, found.generation}:
            raise ApiError(404, f"No such object: {bucket}/{name}")
        return found

    def check_name(self, bucket: str, name: str) -> None:
        self.bucket(bucket)
        if not name or len(name.encode()) > _MAX_NAME_BYTES or set(name) & {"\r", "\n"} or name in {".", ".."}:
            raise ApiError(400, f"Invalid object name: {name[:100]!r}")

    def commit(
        self, staged: Staged, bucket: str, name: str, resource: JsonObject, conditions: Conditions
    ) -> StoredObject:
        """Makes a finished file the object. Raises ApiError 400, 404, 412; the file is then gone."""
        staged.finish()
        try:
            fields = writable_fields(resource)
            staged.check(resource.get("crc32c"), resource.get("md5Hash"))
            self.check_name(bucket, name)
            with self._database.transaction():
                old = self.find(bucket, name)
                conditions.check(old)
                stored = self._adopt(staged, bucket, name, fields)
        finally:
            staged.path.unlink(missing_ok=True)
        self._journal.object_written(bucket, name, stored.generation, stored.size_bytes, stored.crc32c)
        if old:
            self._remove_file(old)
        return stored

    def _adopt(self, staged: Staged, bucket: str, name: str, fields: JsonObject) -> StoredObject:
        generation = self._next_generation()
        digest = sha256(f"{bucket}\n{name}\n{generation}".encode()).hexdigest()
        target = self.home.objects / digest[:2] / digest
        target.parent.mkdir(exist_ok=True)
        staged.path.replace(target)
        row: tuple[Value, ...] = (
            bucket, name, generation, 1, staged.size_bytes, staged.crc32c, staged.md5, generation, generation,
            json.dumps(fields), f"{digest[:2]}/{digest}",
        )  # fmt: skip
        self._database.write("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return self.get(bucket, name)

    def _next_generation(self) -> int:
        """Microseconds since 1970, as Google's look, and always larger than the last."""
        with self._clock_lock:
            self._last_generation = max(now_us(), self._last_generation + 1)
            return self._last_generation

    def patch(self, bucket: str, name: str, changes: JsonObject, conditions: Conditions) -> StoredObject:
        with self._database.transaction():
            current = self.get(bucket, name)
            conditions.check(current)
            fields = {**current.fields, **writable_fields(changes)}
            kept = {key: value for key, value in fields.items() if changes.get(key, "kept") is not None}
            self._database.write(
                "UPDATE objects SET fields = ?, metageneration = metageneration + 1, updated_us = ?"
                " WHERE bucket = ? AND name = ?",
                (json.dumps(kept), now_us(), bucket, name),
            )
        return self.get(bucket, name)

    def delete(self, bucket: str, name: str, generation: int | None, conditions: Conditions) -> None:
        with self._database.transaction():
            current = self.get(bucket, name, generation)
            conditions.check(current)
            self._database.write("DELETE FROM objects WHERE bucket = ? AND name = ?", (bucket, name))
        self._remove_file(current)

    def path(self, stored: StoredObject) -> Path:
        return self.home.objects / stored.file

    def _remove_file(self, stored: StoredObject) -> None:
        try:
            self.path(stored).unlink(missing_ok=True)
        except PermissionError:  # Windows: still being read by a download; swept at the next start
            return

    def sweep(self) -> None:
        """Removes files no row names: writes and deletes that a crash cut in two."""
        named = {row["file"] for row in self._database.rows("SELECT file FROM objects")}
        for path in self.home.objects.glob("*/*"):
            if f"{path.parent.name}/{path.name}" not in named:
                path.unlink(missing_ok=True)

    def reconcile(self) -> None:
        """Enters in the journal what a crash kept out of it."""
        for row in self._database.rows("SELECT bucket, name, generation, size_bytes, crc32c FROM objects"):
            self._journal.object_written(
                row["bucket"], row["name"], row["generation"], row["size_bytes"], row["crc32c"]
            )

    def names(self, bucket: str, at_least: str, below: str | None, limit: int) -> list[str]:
        """Object names in order of their UTF-8 bytes, as Google lists them."""
        upper = "" if below is None else " AND name < ?"
        values: list[Value] = [bucket, at_least, *([] if below is None else [below]), limit]
        sql = f"SELECT name FROM objects WHERE bucket = ? AND name >= ?{upper} ORDER BY name LIMIT ?"  # noqa: S608
        return [row["name"] for row in self._database.rows(sql, values)]
