"""multipart/related bodies (metadata, then media), read as they arrive: the media never lies in memory."""

import json
import re
from collections.abc import AsyncIterator
from typing import Final

from overnight.localcloud.errors import ApiError
from overnight.localcloud.storage.staging import Staged
from overnight.localcloud.values import JsonObject

_MAX_METADATA_BYTES: Final = 1 << 20


def boundary_of(content_type: str) -> bytes:
    """Raises ApiError 400 when the header names none."""
    found = re.search(r'boundary=(?:"([^"]+)"|([^;\s]+))', content_type) or re.search(
        r"boundary='([^']+)'", content_type
    )
    if not found:
        raise ApiError(400, "multipart upload: the Content-Type header names no boundary.")
    return next(group for group in found.groups() if group).strip("'").encode()


class MultipartReader:
    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes) -> None:
        self._chunks = chunks
        self._mark = b"\r\n--" + boundary
        self._buffer = b"\r\n"  # so that the first boundary looks like the others

    async def _more(self) -> None:
        try:
            self._buffer += await anext(self._chunks)
        except StopAsyncIteration as error:
            raise ApiError(400, "multipart upload: the body ends before its last boundary.") from error

    async def _until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            if len(self._buffer) > _MAX_METADATA_BYTES:
                raise ApiError(400, "multipart upload: the metadata part is too large.")
            await self._more()
        found, self._buffer = self._buffer[:end], self._buffer[end + len(mark) :]
        return found

    async def _headers(self) -> dict[str, str]:
        await self._until(b"\r\n")
        lines = (b"\r\n" + await self._until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return {name.strip().lower(): value.strip() for name, value in pairs}

    async def metadata(self) -> JsonObject:
        await self._until(self._mark)
        await self._headers()
        raw = await self._until(self._mark)
        try:
            resource = json.loads(raw or b"{}")
        except ValueError as error:
            raise ApiError(400, "multipart upload: the first part is not JSON.") from error
        if not isinstance(resource, dict):
            raise ApiError(400, "multipart upload: the first part is not a JSON object.")
        return resource

    async def media(self, staged: Staged) -> str:
        """Writes the second part to `staged` and returns its Content-Type."""
        headers = await self._headers()
        hold = len(self._mark)
        while (end := self._buffer.find(self._mark)) < 0:
            if len(self._buffer) > hold:
                staged.write(self._buffer[:-hold])
                self._buffer = self._buffer[-hold:]
            await self._more()
        staged.write(self._buffer[:end])
        async for _ in self._chunks:  # what follows the last boundary
            continue
        return headers.get("content-type", "")
