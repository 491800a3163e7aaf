"""Circumstances of the person's machine, by the names the page uses: each is so until its context is left."""

import contextlib
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from overnight.ledger.ledger import Lock
from tests.support.studies import SmallStudy

SMALL_DISK_BYTES: Final = 30_000


@contextlib.contextmanager
def _rewritten(path: Path, text: str) -> Iterator[None]:
    """Until it is left, the file is another."""
    before = path.read_bytes()
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(before)


def unknown_key(study: SmallStudy) -> AbstractContextManager[object]:
    return _rewritten(study.path, study.path.read_text(encoding="utf-8") + "temprature: 2\n")


def no_column(study: SmallStudy) -> AbstractContextManager[object]:
    return _rewritten(study.home / "records.csv", "id,words\nr0,In ward 0000\n")


def held(study: SmallStudy) -> AbstractContextManager[object]:
    study.ledger.parent.mkdir(exist_ok=True)
    return Lock(study.ledger.parent, "run")


@contextlib.contextmanager
def damaged_ledger(study: SmallStudy) -> Iterator[None]:
    """After a run that left a job under way: it is in the copy that is put back."""
    assert study.cli("run", "--detach").code == 0
    kept = study.home / "backup"
    shutil.copytree(study.ledger.parent, kept)
    study.ledger.write_text("not a database\n" * 100)
    yield
    shutil.rmtree(study.ledger.parent)
    kept.rename(study.ledger.parent)


@contextlib.contextmanager
def blocked_results(study: SmallStudy) -> Iterator[None]:
    """A folder in the place of results.csv: nothing can replace it, as on Windows a file that Excel has open."""
    target = study.home / "stand-in" / "results.csv"
    target.mkdir(parents=True)
    yield
    target.rmdir()


@contextlib.contextmanager
def full_disk(study: SmallStudy) -> Iterator[None]:
    """After a job was sent: no file of this process may grow any more, and writing to it fails as on a full disk."""
    assert study.cli("run", "--detach").code == 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_DISK_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


CIRCUMSTANCES: Final[dict[str, Callable[[SmallStudy], AbstractContextManager[object]]]] = {
    made.__name__: made for made in (unknown_key, no_column, held, damaged_ledger, blocked_results, full_disk)
}
