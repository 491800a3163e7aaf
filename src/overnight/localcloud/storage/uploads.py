"""The three ways in: media, multipart, resumable. Sessions of resumable uploads outlive the process."""

import asyncio
import json
import re
import secrets
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from overnight.localcloud.database import Database
from overnight.localcloud.errors import ApiError
from overnight.localcloud.requestparts import base_url, json_body, path_part
from overnight.localcloud.storage.multipart import MultipartReader, boundary_of
from overnight.localcloud.storage.objects import Conditions, StoredObject
from overnight.localcloud.storage.staging import Staged, promised_hashes
from overnight.localcloud.storage.store import ObjectStore
from overnight.localcloud.values import JsonObject, now_us

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, resource TEXT NOT NULL, conditions TEXT NOT NULL,
  created_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS finished_uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL,
  created_us INTEGER NOT NULL) WITHOUT ROWID;
"""
_RANGE: Final = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_WEEK_US: Final = 7 * 86_400 * 1_000_000  # Google keeps a session for a week


@dataclass(frozen=True, slots=True)
class _ContentRange:
    """first: None when the request only asks how far the upload is. total: None while the client does not know."""

    first: int | None
    total: int | None


class Uploads:
    def __init__(self, store: ObjectStore, database: Database) -> None:
        self._store = store
        self._database = database
        self._open: dict[str, Staged] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def sweep(self) -> None:
        """Removes sessions older than a week and files without a session."""
        for table in ("uploads", "finished_uploads"):
            self._database.write(f"DELETE FROM {table} WHERE created_us < ?", (now_us() - _WEEK_US,))  # noqa: S608  ours
        known = {row["id"] for row in self._database.rows("SELECT id FROM uploads")}
        for path in self._store.home.uploads.iterdir():
            if path.name not in known:
                path.unlink(missing_ok=True)

    async def insert(self, request: Request) -> Response:
        """POST /upload/storage/v1/b/{bucket}/o"""
        kind = request.query_params.get("uploadType", "")
        if kind == "resumable" and "upload_id" not in request.query_params:
            return await self._begin(request)
        if kind == "resumable":
            return await self.resume(request)
        if kind not in {"media", "multipart"}:
            raise ApiError(400, f"uploadType {kind!r} is none of media, multipart, resumable.")
        bucket = path_part(request, "bucket")
        self._store.bucket(bucket)
        staged = Staged(self._store.home.new_tmp())
        try:
            resource = await (self._media(request, staged) if kind == "media" else self._multipart(request, staged))
            name = request.query_params.get("name") or resource.get("name")
            stored = self._store.commit(staged, bucket, str(name or ""), resource, Conditions.of(request.query_params))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        finally:
            staged.discard()
        return _reply(request, stored)

    async def _media(self, request: Request, staged: Staged) -> JsonObject:
        async for chunk in request.stream():
            staged.write(chunk)
        crc32c, md5 = promised_hashes(request.headers.get("x-goog-hash", ""))
        return {
            "contentType": request.headers.get("content-type"),
            "crc32c": crc32c,
            "md5Hash": md5 or request.headers.get("content-md5"),
        }

    async def _multipart(self, request: Request, staged: Staged) -> JsonObject:
        reader = MultipartReader(request.stream(), boundary_of(request.headers.get("content-type", "")))
        resource = await reader.metadata()
        content_type = await reader.media(staged)
        staged.check(*promised_hashes(request.headers.get("x-goog-hash", "")))
        return {"contentType": content_type, **resource}

    async def _begin(self, request: Request) -> Response:
        bucket = path_part(request, "bucket")
        resource = await json_body(request)
        name = str(request.query_params.get("name") or resource.get("name") or "")
        self._store.check_name(bucket, name)
        conditions = Conditions.of(request.query_params)
        conditions.check(self._store.find(bucket, name))
        resource.setdefault("contentType", request.headers.get("x-upload-content-type"))
        upload = secrets.token_hex(24)
        self._database.write(
            "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)",
            (upload, bucket, name, json.dumps(resource), conditions.to_json(), now_us()),
        )
        place = f"{base_url(request)}{request.url.path}?uploadType=resumable&upload_id={upload}"
        return Response(status_code=200, headers={"Location": place, "X-GUploader-UploadID": upload})

    async def resume(self, request: Request) -> Response:
        """PUT to a session: bytes, or the question how far it is (`Content-Range: bytes */N`)."""
        upload = request.query_params.get("upload_id", "")
        async with self._turns.setdefault(upload, asyncio.Lock()):
            session = self._database.row("SELECT * FROM uploads WHERE id = ?", (upload,))
            if session is None:
                self._turns.pop(upload, None)
                if finished := self._finished(upload):
                    return _reply(request, finished)
                raise ApiError(404, "This upload session does not exist, has ended, or is older than a week.")
            span = _content_range(request.headers.get("content-range", ""))
            staged = self._staged(upload)
            try:
                await self._receive(request, staged, span)
            except ClientDisconnect:
                staged.flush()
                return Response(status_code=400)  # nobody is there to read it
            staged.flush()
            if span.total is None or staged.size_bytes < span.total:
                return _incomplete(staged.size_bytes)
            return self._end(request, upload, staged)

    def _staged(self, upload: str) -> Staged:
        if upload not in self._open:
            self._open[upload] = Staged(self._store.home.uploads / upload)
        return self._open[upload]

    async def _receive(self, request: Request, staged: Staged, span: _ContentRange) -> None:
        """Bytes the session already has are skipped; a gap is refused."""
        if span.first is None:
            return
        if span.first > staged.size_bytes:
            raise ApiError(400, f"This upload has {staged.size_bytes} bytes; bytes from {span.first} leave a gap.")
        skip = staged.size_bytes - span.first
        async for chunk in request.stream():
            staged.write(chunk[skip:])
            skip = max(0, skip - len(chunk))

    def _end(self, request: Request, upload: str, staged: Staged) -> Response:
        session = self._database.row("SELECT * FROM uploads WHERE id = ?", (upload,))
        assert session is not None
        resource: JsonObject = json.loads(session["resource"])
        crc32c, md5 = promised_hashes(request.headers.get("x-goog-hash", ""))
        resource["crc32c"] = crc32c or resource.get("crc32c")
        resource["md5Hash"] = md5 or resource.get("md5Hash")
        conditions = Conditions.from_json(session["conditions"])
        try:
            stored = self._store.commit(staged, session["bucket"], session["name"], resource, conditions)
            self._database.write(
                "INSERT INTO finished_uploads VALUES (?, ?, ?, ?, ?)",
                (upload, stored.bucket, stored.name, stored.generation, now_us()),
            )
        finally:
            self._forget(upload)
        return _reply(request, stored)

    def _finished(self, upload: str) -> StoredObject | None:
        """What a session became: a client whose last reply was lost asks again and is told (resumable-uploads [D])."""
        row = self._database.row("SELECT bucket, name, generation FROM finished_uploads WHERE id = ?", (upload,))
        found = self._store.find(row["bucket"], row["name"]) if row else None
        return found if row and found and found.generation == row["generation"] else None

    def place(self, upload: str) -> tuple[str, str]:
        """(bucket, name) of a session, under way or finished; empty when there is none."""
        sql = (
            "SELECT bucket, name FROM uploads WHERE id = ? UNION SELECT bucket, name FROM finished_uploads WHERE id = ?"
        )
        row = self._database.row(sql, (upload, upload))
        return (row["bucket"], row["name"]) if row else ("", "")

    def _forget(self, upload: str) -> None:
        self._database.write("DELETE FROM uploads WHERE id = ?", (upload,))
        self._turns.pop(upload, None)
        staged = self._open.pop(upload, None)
        if staged:
            staged.discard()

    async def cancel(self, request: Request) -> Response:
        """DELETE of a session: 499, as Google answers."""
        upload = request.query_params.get("upload_id", "")
        if self._database.row("SELECT 1 FROM uploads WHERE id = ?", (upload,)) is None:
            raise ApiError(404, "This upload session does not exist or has ended.")
        self._forget(upload)
        return Response(status_code=499)

    def close(self) -> None:
        for staged in self._open.values():
            staged.finish()


def _content_range(header: str) -> _ContentRange:
    if not header:
        return _ContentRange(0, 0)  # the whole object in one request without the header
    found = _RANGE.fullmatch(header.strip())
    if not found:
        raise ApiError(400, f"Invalid Content-Range: {header[:100]!r}")
    total = None if found[3] == "*" else int(found[3])
    return _ContentRange(int(found[1]) if found[1] else None, total)


def _incomplete(size_bytes: int) -> Response:
    headers = {"Range": f"bytes=0-{size_bytes - 1}"} if size_bytes else {}
    return Response(status_code=308, headers=headers)


def _reply(request: Request, stored: StoredObject) -> Response:
    headers = {"ETag": stored.etag, "X-Goog-Hash": f"crc32c={stored.crc32c},md5={stored.md5}"}
    return JSONResponse(stored.resource(base_url(request)), headers=headers)
