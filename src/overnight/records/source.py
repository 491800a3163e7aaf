"""Where the bytes of a table come from: a file as it is, or packed in a gzip file or a zip archive."""

import gzip
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

Packing = Literal["", "gzip", "zip"]


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
        return f"{self.path} ({self.member})" if self.member else str(self.path)

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
        if self.packing == "gzip":
            return cast("BinaryIO", gzip.open(self.path, "rb"))
        if self.packing == "zip":
            return _Member(self.path, self.member)
        return self.path.open("rb")

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


class _Member(io.BufferedReader):
    """A member's stream that closes its archive too."""

    def __init__(self, path: Path, member: str) -> None:
        self._archive = zipfile.ZipFile(path)
        try:
            stream = self._archive.open(member)
        except BaseException:
            self._archive.close()
            raise
        super().__init__(cast("io.RawIOBase", stream), 1 << 16)

    def close(self) -> None:
        super().close()
        self._archive.close()


UNPACKING = (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, NotImplementedError)
"""What damaged packing raises, beside zlib.error. NotImplementedError: a way of packing that Python does not know."""
