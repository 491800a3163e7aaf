"""A local cloud for studies: one process, reached where a study looks for its own, with its journal in words."""

import contextlib
import json
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from overnight.wiring import service
from tests.support.local_cloud import LocalCloud

SWIFT = {"pending_s": 0, "running_s": 0}


def cloud_folder(home: Path) -> Path:
    """Where a study in `home` keeps its local cloud."""
    return home / "stand-in" / "cloud"


def start_beside(home: Path, **switches: object) -> LocalCloud:
    """A local cloud of its own in the study's folder: a run finds it there and does not start another."""
    return LocalCloud(cloud_folder(home), **{**SWIFT, **switches})


@contextlib.contextmanager
def instead_of_a_child(cloud: LocalCloud) -> Iterator[None]:
    """In this process, every study's local cloud is this one: no start and no stop for each run."""

    @contextlib.contextmanager
    def found(data: Path, tell: object) -> Iterator[str]:
        yield cloud.endpoint

    real = service.local_cloud
    service.local_cloud = found
    try:
        yield
    finally:
        service.local_cloud = real


def jobs_by_label(cloud: LocalCloud, uid: str = "") -> Counter[str]:
    """How many jobs were made for each `overnight-job` label (of one study)."""
    labels = (entry["labels"] for entry in cloud.journal("creates"))
    return Counter(one["overnight-job"] for one in labels if not uid or one["overnight-study"] == uid)


def served(data: Path, uid: str = "") -> Counter[str]:
    """How often each key was served, from the journal on disk: the cloud may be dead."""
    with contextlib.closing(sqlite3.connect(data / "journal.sqlite")) as journal:
        jobs = {job for job, labels in journal.execute("SELECT job, labels FROM creates") if uid in labels}
        return Counter(key for job, key in journal.execute("SELECT job, key FROM served") if job in jobs)


def created(data: Path) -> Counter[str]:
    """Jobs for each `overnight-job` label, from the journal on disk."""
    query = "SELECT json_extract(labels, '$.overnight-job') FROM creates"
    with contextlib.closing(sqlite3.connect(data / "journal.sqlite")) as journal:
        return Counter(label for (label,) in journal.execute(query))


def kill_embedded(home: Path) -> None:
    """`kill -9` of the local cloud that a run of the study in `home` has started (it is in no group of the run's)."""
    data = cloud_folder(home)
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(json.loads((data / "endpoint.json").read_text())["pid"], signal.SIGKILL)


def wait_until_free(home: Path) -> None:
    """No local cloud serves the study in `home` any more: one that was killed, or lost its run, has ended."""
    with FileLock(cloud_folder(home) / "lock", timeout=30):
        pass


def kill_group(pid: int) -> None:
    """`kill -9` of a process of ours and all its children; it was started with a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
