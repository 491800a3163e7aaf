"""An iterable of lines as the file that Google's resumable upload reads from."""

import base64
import io
from collections.abc import Iterable, Iterator
from typing import Protocol

import google_crc32c


class _Checksum(Protocol):
    def update(self, chunk: bytes) -> None: ...
    def digest(self) -> bytes: ...


class LinesFailedError(Exception):
    """The lines raised `fault`: no word of the service, and not to be translated as one."""

    def __init__(self, fault: Exception) -> None:
        super().__init__(str(fault))
        self.fault = fault


class UploadStream(io.RawIOBase):
    """Reads lines joined as they are; counts and checksums every byte once, as it is made.

    At most one chunk is in memory: the one handed out. Raises LinesFailedError for whatever the lines raise.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        super().__init__()
        self._lines: Iterator[bytes] = iter(lines)
        self._rest = b""  # of a line that did not fit into the last chunk
        self._checksum: _Checksum = google_crc32c.Checksum()  # type: ignore[no-untyped-call]  # it has no annotations
        self.size_bytes = 0

    @property
    def crc32c(self) -> str:
        """Of the bytes read so far, base64, as the API writes it."""
        return base64.b64encode(self._checksum.digest()).decode()

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size_bytes

    def read(self, size: int = -1) -> bytes:
        """Exactly `size` bytes, fewer only at the end: a shorter read means to Google's client that this was all."""
        pieces, have = [self._rest], len(self._rest)
        self._rest = b""
        while size < 0 or have < size:
            line = self._next()
            if line is None:
                break
            pieces.append(line)
            have += len(line)
        if 0 <= size < have:
            # Only the last piece is cut: a second copy of a chunk of 8 MiB costs as much as sending it.
            keep = len(pieces[-1]) - (have - size)
            pieces[-1], self._rest = pieces[-1][:keep], pieces[-1][keep:]
        data = b"".join(pieces)
        self._checksum.update(data)
        self.size_bytes += len(data)
        return data

    def drain(self) -> None:
        """Reads to the end, for size and checksum only."""
        while self.read(1024 * 1024):
            pass

    def _next(self) -> bytes | None:
        try:
            return next(self._lines, None)
        except Exception as fault:
            raise LinesFailedError(fault) from fault
