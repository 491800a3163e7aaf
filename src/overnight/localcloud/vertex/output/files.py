"""Lines on disk while a job runs, and the final file made of them."""

import random
import shutil
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from overnight.localcloud.faults.output import Layout
from overnight.localcloud.storage.objects import Conditions, StoredObject
from overnight.localcloud.storage.staging import Staged
from overnight.localcloud.storage.store import ObjectStore


class WorkFiles:
    """DIR/work/<job>: the input as it was when the job read it, and the lines so far. Both outlive the process."""

    def __init__(self, root: Path, job_id: str) -> None:
        self.folder = root / job_id
        self.input = self.folder / "input.jsonl"
        self.lines = self.folder / "lines.jsonl"

    def take_input(self, sources: list[Path]) -> None:
        """Copies the objects: what a client does to them later does not reach the job."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with self.input.open("wb") as target:
            for source in sources:
                with source.open("rb") as file:
                    shutil.copyfileobj(file, target, 1 << 20)
                target.write(b"\n")  # the last line of a file may lack its end; a blank line is no row
        self.lines.touch()

    def append(self, at_bytes: int, raw: list[bytes]) -> int:
        """Writes lines from byte `at_bytes` on (what stood behind it was cut short by a crash); returns the length."""
        with self.lines.open("r+b") as file:
            file.truncate(at_bytes)
            file.seek(at_bytes)
            file.writelines(raw)
            return file.tell()

    def read_input(self, at_bytes: int, rows: int) -> tuple[list[bytes], int]:
        """(up to `rows` lines that are not blank, the byte after them)."""
        found: list[bytes] = []
        with self.input.open("rb") as file:
            file.seek(at_bytes)
            while len(found) < rows and (raw := file.readline()):
                if raw.strip():
                    found.append(raw)
            return found, file.tell()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def write_final(store: ObjectStore, work: WorkFiles, directory: str, layout: Layout) -> None:
    """Makes the lines the files at `directory` (gs://…). The order comes from the seed and the lines' own bytes."""
    with work.lines.open("rb") as file:
        spans, digest = _spans(file)
        if layout.seed is not None:
            salt = str(layout.seed).encode() if layout.seed else b""
            random.Random(digest + salt).shuffle(spans)  # noqa: S311  an order, not a secret
        share = -(-len(spans) // layout.files)
        for number in range(layout.files):
            name = "predictions" if layout.files == 1 else f"predictions_{number + 1:04d}"
            part = spans[number * share : (number + 1) * share]
            is_last = (number + 1) * share >= len(spans) > number * share
            staged = Staged(store.home.new_tmp())
            for place, (first, length) in enumerate(part, 1):
                file.seek(first)
                raw = file.read(length)
                cut = layout.change_last if is_last and place == len(part) else None
                staged.write(cut(raw) if cut else raw)
            write_object(store, staged, f"{directory}/{name}.jsonl")


def _spans(file: BinaryIO) -> tuple[list[tuple[int, int]], bytes]:
    """((first byte, length) of each line, a digest of them all)."""
    spans: list[tuple[int, int]] = []
    digest, at_bytes = sha256(), 0
    for raw in file:
        spans.append((at_bytes, len(raw)))
        at_bytes += len(raw)
        digest.update(raw[-64:])
    return spans, digest.digest()


def write_object(store: ObjectStore, staged: Staged, place: str) -> StoredObject:
    bucket, _, name = place.removeprefix("gs://").partition("/")
    return store.commit(staged, bucket, name, {"contentType": "application/json-lines"}, Conditions())


def write_chunk(store: ObjectStore, raw: list[bytes], place: str) -> StoredObject:
    staged = Staged(store.home.new_tmp())
    for line in raw:
        staged.write(line)
    return write_object(store, staged, place)
