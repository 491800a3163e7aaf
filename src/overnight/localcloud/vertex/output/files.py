"""Lines on disk while a job runs, and the final file made of them."""

import random
import shutil
from hashlib import sha256
from pathlib import Path

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


def write_final(store: ObjectStore, work: WorkFiles, place: str, *, shuffled: bool, cut_last: bool) -> StoredObject:
    """Makes the lines the object at `place` (gs://…). Shuffled by a seed taken from the lines' own bytes."""
    staged = Staged(store.home.new_tmp())
    with work.lines.open("rb") as file:
        spans: list[tuple[int, int]] = []
        digest, place_bytes = sha256(), 0
        for raw in file:
            spans.append((place_bytes, len(raw)))
            place_bytes += len(raw)
            digest.update(raw[-64:])
        if shuffled:
            random.Random(digest.digest()).shuffle(spans)  # noqa: S311  an order, not a secret
        for number, (first, length) in enumerate(spans, 1):
            file.seek(first)
            raw = file.read(length)
            staged.write(raw[: len(raw) // 2] if cut_last and number == len(spans) else raw)
    return write_object(store, staged, place)


def write_object(store: ObjectStore, staged: Staged, place: str) -> StoredObject:
    bucket, _, name = place.removeprefix("gs://").partition("/")
    return store.commit(staged, bucket, name, {"contentType": "application/json-lines"}, Conditions())


def write_chunk(store: ObjectStore, raw: list[bytes], place: str) -> StoredObject:
    staged = Staged(store.home.new_tmp())
    for line in raw:
        staged.write(line)
    return write_object(store, staged, place)
