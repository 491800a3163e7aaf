"""Raw output on disk: fetched plain, read plain, kept compressed."""

import contextlib
import gzip
import itertools
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from overnight.errors import OutputError

_BLOCK_BYTES = 1 << 20
_ODD = re.compile(r"[^A-Za-z0-9._-]")
_MOST_NAME_CHARS = 100


@dataclass(frozen=True, slots=True)
class RawFile:
    """path: plain, for reading now. source: the name it is kept under, `<label>/<n>-<name>.gz`."""

    path: Path
    source: str
    chunk: bool


def read_lines(file: RawFile) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, bytes without the line end); blank lines are passed over. A last line may be half a line."""
    with file.path.open("rb", buffering=_BLOCK_BYTES) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.isspace():
                yield number, line


class Keeper:
    """Compresses the files into `folder` in a thread, beside the reading: zlib works without the interpreter's lock."""

    def __init__(self, files: Sequence[RawFile], folder: Path) -> None:
        self._files, self._folder = files, folder
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="keep-compressed")
        self._thread.start()

    def finish(self) -> None:
        """Returns when all is on disk. Raises OutputError when it could not be: nothing may be committed then."""
        self.join()
        if self._failure is not None:
            raise OutputError(
                f"the raw output could not be kept: {self._failure.strerror}",
                where=str(self._folder),
                hint="Make room on the disk, then run `overnight fetch`: the output is still in the bucket.",
            ) from self._failure

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        try:
            for file in self._files:
                _compress(file, self._folder)
        except OSError as cause:
            self._failure = cause


def _kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.gz"))


def is_kept(folder: Path) -> bool:
    return bool(_kept(folder))


def raw_line(root: Path, source: str, most_chars: int) -> str:
    """The kept line that `source` (`<label>/<file>.gz:<line>`) names, as `harmless`; empty when it is not kept."""
    name, _, number = source.rpartition(":")
    try:
        with gzip.open(root / name, "rb") as lines:
            line = next(itertools.islice(lines, int(number) - 1, None), b"")
    except (OSError, EOFError, ValueError):
        return ""
    return harmless(line.decode(errors="replace").rstrip("\n"), most_chars)


def harmless(text: str, most_chars: int) -> str:
    """Cut, and without what a terminal would obey: the service's words and a model's are anybody's."""
    cut = text if len(text) <= most_chars else f"{text[:most_chars]}…"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)


def kept_name(number: int, object_name: str) -> str:
    """A file's name for the `number`-th object of an output: anybody may have named it, so little is taken over."""
    last = object_name.rpartition("/")[2]
    return f"{number:02d}-{_ODD.sub('_', last)[:_MOST_NAME_CHARS]}"


def forget_kept(folder: Path) -> None:
    """Before a job's output is kept: what an interrupted collecting left would be read again beside it."""
    for left_over in _kept(folder):
        left_over.unlink()


@contextlib.contextmanager
def raw_files(folder: Path) -> Iterator[list[RawFile]]:
    """The kept raw output of a shard, uncompressed into a scratch folder, final files first as they were kept."""
    kept = sorted(folder.glob("*.gz"))
    if not kept:
        raise OutputError(
            "no raw output is kept for this job",
            where=str(folder),
            hint="`overnight fetch` can only re-read what is kept.",
        )
    with tempfile.TemporaryDirectory(prefix=".reparse-", dir=folder) as scratch:
        files = []
        for packed in kept:
            path = Path(scratch) / packed.stem
            with gzip.open(packed, "rb") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, _BLOCK_BYTES)
            final = packed.stem.partition("-")[2].startswith("predictions")
            files.append(RawFile(path, f"{folder.name}/{packed.name}", chunk=not final))
        yield files


def _compress(file: RawFile, folder: Path) -> None:
    target = folder / Path(file.source).name
    unfinished = target.with_suffix(".tmp")
    with file.path.open("rb") as source, gzip.open(unfinished, "wb", compresslevel=1) as packed:
        shutil.copyfileobj(source, packed, _BLOCK_BYTES)
    unfinished.replace(target)
