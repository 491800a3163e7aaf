"""Where the bytes of a table come from: a file as it is, or packed in a gzip file or a zip archive.

What unpacks to more than tables do is an error before it fills a disk, and so is every kind of damage: both checks of
the packing (its length, its checksum) are made when the last byte was read.
"""

import gzip
import io
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, Literal, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Packing = Literal["", "gzip", "zip"]

MOST_RATIO: Final = 300
"""Text shrinks to a fifth, equal rows to a hundredth; deflate's own limit is a thousandth."""
SMALL_BYTES: Final = 64 << 20
"""What unpacks to no more than this is read, however small it was packed."""


@dataclass(frozen=True, slots=True)
class Source:
    """One table's bytes, from the first, as often as wanted. str(): what a message calls it.

    path: the file that the person named. member: its name in a zip archive. Packed bytes are unpacked anew at each
    opening, in constant memory, so what is read may end in an error that its packing raises (UNPACKING).
    """

    path: Path
    packing: Packing = ""
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path} ({_seen(self.member)})" if self.member else str(self.path)

    @property
    def label(self) -> str:
        """Short, for the places of records: `x.zip (a.csv)`, `a.csv.gz`, `a.csv`."""
        return f"{self.path.name} ({_seen(self.member)})" if self.member else self.path.name

    @property
    def name(self) -> str:
        """The name whose ending may say the format: of the member, or of the file without `.gz`."""
        if self.member:
            return self.member.rsplit("/", 1)[-1]
        return self.path.stem if self.packing == "gzip" and self.path.suffix.lower() == ".gz" else self.path.name

    @property
    def suffix(self) -> str:
        """In lower case, with its point."""
        return Path(self.name).suffix.lower()

    def open(self) -> BinaryIO:
        """Its bytes as a stream. Raises OSError, or one of UNPACKING here or while it is read."""
        if not self.packing:
            return self.path.open("rb")
        unpacked = gzip.GzipFile(self.path) if self.packing == "gzip" else _open_member(self.path, self.member)
        limit = max(SMALL_BYTES, self.path.stat().st_size * MOST_RATIO)
        return io.BufferedReader(_Bounded(cast("io.BufferedIOBase", unpacked), limit), 1 << 18)

    def open_text(self, codec: str, newline: str = "") -> IO[str]:
        """Decoded, line ends as they are (or cut at `newline` only)."""
        return io.TextIOWrapper(self.open(), encoding=codec, newline=newline)

    @contextmanager
    def seekable(self) -> Iterator[BinaryIO]:
        """For formats that are read from their end: what is packed is unpacked into a temporary file first."""
        with self.open() as packed:
            if not self.packing:
                yield packed
                return
            with tempfile.TemporaryFile() as whole:
                shutil.copyfileobj(packed, whole, 1 << 20)
                whole.seek(0)
                yield cast("BinaryIO", whole)


class _Bounded(io.RawIOBase):
    """Unpacked bytes, up to a limit. Raises BadGzipFile beyond it."""

    def __init__(self, unpacked: io.BufferedIOBase, limit_bytes: int) -> None:
        self._unpacked, self._limit_bytes, self._left_bytes = unpacked, limit_bytes, limit_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        chunk = self._unpacked.read(len(room))
        self._left_bytes -= len(chunk)
        if self._left_bytes < 0:
            raise gzip.BadGzipFile(f"it unpacks to more than {self._limit_bytes:,} bytes: made to swell")
        room[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._unpacked.close()
        super().close()


def _open_member(path: Path, member: str) -> IO[bytes]:
    """Closing the archive leaves its file open for the member's stream, which closes it."""
    with zipfile.ZipFile(path) as archive:
        return archive.open(member)


def _seen(name: str) -> str:
    """A member's name for a message: what could move a terminal's cursor is replaced. Nothing is written under it."""
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


UNPACKING = (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, NotImplementedError, struct.error)
"""What damaged packing raises, beside zlib.error. NotImplementedError: a way of packing that Python does not know."""
