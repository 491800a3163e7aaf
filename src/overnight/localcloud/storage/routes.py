"""Routes of the JSON API."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from overnight.localcloud.errors import ApiError
from overnight.localcloud.requestparts import base_url, json_body, path_part
from overnight.localcloud.storage.listing import ListQuery, list_objects
from overnight.localcloud.storage.objects import Conditions, StoredObject
from overnight.localcloud.storage.staging import read_blocks
from overnight.localcloud.storage.store import ObjectStore
from overnight.localcloud.storage.uploads import Uploads
from overnight.localcloud.values import JsonObject

_BYTES: Final = re.compile(r"bytes=(\d*)-(\d*)")


class StorageRoutes:
    def __init__(self, store: ObjectStore, uploads: Uploads) -> None:
        self._store = store
        self._uploads = uploads

    def routes(self) -> list[Route]:
        bucket, objects = "/storage/v1/b/{bucket}", "/storage/v1/b/{bucket}/o"
        one = objects + "/{object}"
        upload = "/upload" + objects
        return [
            Route("/storage/v1/b", self._create_bucket, methods=["POST"]),
            Route("/storage/v1/b", self._list_buckets, methods=["GET"]),
            Route(bucket, self._get_bucket, methods=["GET"]),
            Route(bucket, self._patch_bucket, methods=["PATCH", "PUT"]),
            Route(bucket, self._delete_bucket, methods=["DELETE"]),
            Route(bucket + "/iam/testPermissions", self._test_permissions, methods=["GET"]),
            Route(objects, self._list_objects, methods=["GET"]),
            Route(one, self._get_object, methods=["GET"]),
            Route(one, self._patch_object, methods=["PATCH"]),
            Route(one, self._delete_object, methods=["DELETE"]),
            Route("/download" + one, self._download, methods=["GET"]),
            Route(upload, self._uploads.insert, methods=["POST"]),
            Route(upload, self._uploads.resume, methods=["PUT"]),
            Route(upload, self._uploads.cancel, methods=["DELETE"]),
        ]

    # Buckets

    async def _create_bucket(self, request: Request) -> Response:
        project = request.query_params.get("project")
        if not project:
            raise ApiError(400, "Required parameter: project")
        return JSONResponse(_linked(request, self._store.create_bucket(project, await json_body(request))))

    async def _list_buckets(self, request: Request) -> Response:
        project = request.query_params.get("project", "")
        found = self._store.list_buckets(project, request.query_params.get("prefix", ""))
        return JSONResponse({"kind": "storage#buckets", "items": [_linked(request, one) for one in found]})

    async def _get_bucket(self, request: Request) -> Response:
        return JSONResponse(_linked(request, self._store.bucket(path_part(request, "bucket"))))

    async def _patch_bucket(self, request: Request) -> Response:
        changed = self._store.patch_bucket(path_part(request, "bucket"), await json_body(request))
        return JSONResponse(_linked(request, changed))

    async def _delete_bucket(self, request: Request) -> Response:
        self._store.delete_bucket(path_part(request, "bucket"))
        return Response(status_code=204)

    async def _test_permissions(self, request: Request) -> Response:
        """Everybody here may do everything."""
        self._store.bucket(path_part(request, "bucket"))
        asked = request.query_params.getlist("permissions")
        return JSONResponse({"kind": "storage#testIamPermissionsResponse", "permissions": asked})

    # Objects

    async def _list_objects(self, request: Request) -> Response:
        asked = request.query_params
        query = ListQuery(
            prefix=asked.get("prefix", ""),
            delimiter=asked.get("delimiter", ""),
            start_offset=asked.get("startOffset", ""),
            end_offset=asked.get("endOffset", ""),
            page_token=asked.get("pageToken", ""),
            max_results=_count(asked.get("maxResults") or asked.get("pageSize") or "0"),
        )
        bucket, base = path_part(request, "bucket"), base_url(request)
        found = list_objects(self._store, bucket, query)
        body: JsonObject = {"kind": "storage#objects"}
        items = [self._store.find(bucket, name) for name in found.names]
        if items:
            body["items"] = [item.resource(base) for item in items if item]
        if found.prefixes:
            body["prefixes"] = found.prefixes
        if found.next_page_token:
            body["nextPageToken"] = found.next_page_token
        return JSONResponse(body)

    def _named(self, request: Request) -> StoredObject:
        generation = request.query_params.get("generation")
        wanted = int(generation) if generation and generation.isdigit() else None
        stored = self._store.get(path_part(request, "bucket"), path_part(request, "object"), wanted)
        Conditions.of(request.query_params).check(stored, reading=True)
        return stored

    async def _get_object(self, request: Request) -> Response:
        if request.query_params.get("alt") == "media":
            return await self._download(request)
        return JSONResponse(self._named(request).resource(base_url(request)))

    async def _patch_object(self, request: Request) -> Response:
        names = path_part(request, "bucket"), path_part(request, "object")
        changed = self._store.patch(*names, await json_body(request), Conditions.of(request.query_params))
        return JSONResponse(changed.resource(base_url(request)))

    async def _delete_object(self, request: Request) -> Response:
        generation = request.query_params.get("generation")
        wanted = int(generation) if generation and generation.isdigit() else None
        names = path_part(request, "bucket"), path_part(request, "object")
        self._store.delete(*names, wanted, Conditions.of(request.query_params))
        return Response(status_code=204)

    async def _download(self, request: Request) -> Response:
        stored = self._named(request)
        span = _span(request.headers.get("range", ""), stored.size_bytes)
        headers = {
            "Content-Type": stored.content_type,
            "Content-Length": str(span.length),
            "Accept-Ranges": "bytes",
            "ETag": stored.etag,
            "X-Goog-Generation": str(stored.generation),
            "X-Goog-Metageneration": str(stored.metageneration),
            "X-Goog-Hash": f"crc32c={stored.crc32c},md5={stored.md5}",
        }
        if span.partial:
            headers["Content-Range"] = f"bytes {span.first}-{span.first + span.length - 1}/{stored.size_bytes}"
        file = self._store.path(stored).open(
            "rb"
        )  # now: the object may be replaced before the first block is asked for
        return StreamingResponse(_blocks(file, span), status_code=206 if span.partial else 200, headers=headers)


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    length: int
    partial: bool


def _span(header: str, size_bytes: int) -> _Span:
    """Raises ApiError 416. A header that is no byte range is ignored, as RFC 9110 14.2 allows."""
    found = _BYTES.fullmatch(header.replace(" ", ""))
    if not found or not (found[1] or found[2]):
        return _Span(0, size_bytes, partial=False)
    if not found[1]:
        length = min(int(found[2]), size_bytes)
        first, last = size_bytes - length, size_bytes - 1
    else:
        first = int(found[1])
        last = min(int(found[2]), size_bytes - 1) if found[2] else size_bytes - 1
    if first >= size_bytes or last < first:
        raise ApiError(416, f"The requested range cannot be satisfied: the object has {size_bytes} bytes.")
    return _Span(first, last - first + 1, partial=True)


async def _blocks(file: BinaryIO, span: _Span) -> AsyncIterator[bytes]:
    with file:
        for block in read_blocks(file, span.first, span.length):
            yield block


def _linked(request: Request, bucket: JsonObject) -> JsonObject:
    return {**bucket, "selfLink": f"{base_url(request)}/storage/v1/b/{bucket['name']}"}


def _count(text: str) -> int:
    if not text.isdigit():
        raise ApiError(400, f"Invalid value for maxResults: {text[:20]!r}")
    return int(text)
