"""Bytes on their way into the store: written to a temporary file and hashed as they pass, in constant memory."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import google_crc32c

from overnight.localcloud.errors import ApiError

_BLOCK_BYTES: Final = 1 << 20


class Staged:
    """A file being filled. After `finish`, crc32c and md5 are base64 as in Google's metadata (crc32c big-endian)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self._crc, self._md5 = 0, hashlib.md5(usedforsecurity=False)
        if path.exists():  # a resumable upload whose hashes did not outlive the process
            with path.open("rb") as before:
                for block in read_blocks(before, 0, path.stat().st_size):
                    self._count(block)
        self._file = path.open("ab")

    def _count(self, data: bytes) -> None:
        self.size_bytes += len(data)
        self._crc = google_crc32c.extend(self._crc, data)
        self._md5.update(data)

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._count(data)

    def flush(self) -> None:
        self._file.flush()

    def finish(self) -> None:
        self._file.close()

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    @property
    def crc32c(self) -> str:
        return base64.b64encode(self._crc.to_bytes(4, "big")).decode()

    @property
    def md5(self) -> str:
        return base64.b64encode(self._md5.digest()).decode()

    def check(self, crc32c: str | None, md5: str | None) -> None:
        """Raises ApiError 400 when the client promised other hashes."""
        for name, promised, found in (("CRC32C", crc32c, self.crc32c), ("MD5 hash", md5, self.md5)):
            if promised and promised != found:
                raise ApiError(400, f'Provided {name} "{promised}" doesn\'t match calculated {name} "{found}".')


def read_blocks(file: BinaryIO, first: int, length: int) -> Iterator[bytes]:
    """At most `length` bytes of a file from `first` on, in blocks of 1 MiB."""
    file.seek(first)
    while length > 0 and (block := file.read(min(_BLOCK_BYTES, length))):
        length -= len(block)
        yield block


def promised_hashes(header: str) -> tuple[str | None, str | None]:
    """(crc32c, md5) of an X-Goog-Hash header: `crc32c=...,md5=...`."""
    found = dict(part.strip().split("=", 1) for part in header.split(",") if "=" in part)
    return found.get("crc32c"), found.get("md5")
