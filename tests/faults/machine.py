"""Circumstances of the person, their machine or their account, by the names the page uses: each is so until its
context is left. What it yields, where it yields something, is how commands are given meanwhile."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Final

from overnight.ledger.ledger import Lock
from tests.faults.small_disk import on_a_small_disk
from tests.support.local_cloud import LocalCloud
from tests.support.studies import Ended, SmallStudy, text_of

Give = Callable[[str, list[str]], Ended]
"""A command's verb and its options."""
NOBODY: Final = "nobody"
"""The circumstance in which no yes is given to a run on Google."""


@contextlib.contextmanager
def _rewritten(path: Path, text: str) -> Iterator[None]:
    """Until it is left, the file is another."""
    before = path.read_bytes()
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(before)


def _study_with(study: SmallStudy, more: str) -> AbstractContextManager[None]:
    return _rewritten(study.path, study.path.read_text(encoding="utf-8") + more)


def _run(study: SmallStudy, *options: str) -> None:
    ended = study.cli("run", "--yes", *options)
    assert ended.code == 0, ended.err


def as_it_is(study: SmallStudy, cloud: LocalCloud) -> AbstractContextManager[None]:
    """Nothing is wrong but the command."""
    return contextlib.nullcontext()


nobody = as_it_is


def unknown_key(study: SmallStudy, cloud: LocalCloud) -> AbstractContextManager[None]:
    return _study_with(study, "temprature: 2\n")


def unknown_model(study: SmallStudy, cloud: LocalCloud) -> AbstractContextManager[None]:
    return _rewritten(study.path, study.path.read_text(encoding="utf-8").replace(study.model, "gemini-3.5-flash-light"))


def no_column(study: SmallStudy, cloud: LocalCloud) -> AbstractContextManager[None]:
    return _rewritten(study.home / "records.csv", "id,words\nr0,In ward 0000\n")


def small_budget(study: SmallStudy, cloud: LocalCloud) -> AbstractContextManager[None]:
    return _study_with(study, "budget: {limit_usd: 0.000001}\n")


def no_bucket(study: SmallStudy, cloud: LocalCloud) -> AbstractContextManager[None]:
    return _rewritten(study.path, study.path.read_text(encoding="utf-8").replace("gs://my-bucket", "gs://my-buckte"))


@contextlib.contextmanager
def stand_in_answers(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    """What is in Google's place says that it is not Google."""
    cloud.switch(model_version_suffix="@local-stand-in")
    yield
    cloud.switch(model_version_suffix="")


@contextlib.contextmanager
def held(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    study.ledger.parent.mkdir(exist_ok=True)
    with Lock(study.ledger.parent, "run"):
        yield


@contextlib.contextmanager
def other_prompt(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    """After a run: another question, and it stays."""
    _run(study)
    study.question = "Tell me who was studied, and whether they napped."
    study.write()
    yield


@contextlib.contextmanager
def namesake(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    """Another study of this name has run from another folder, in this bucket."""
    _run(SmallStudy.of(study.home.parent / "namesake", len(study.texts), name=study.name, more=study.more))
    yield


@contextlib.contextmanager
def copy_has_sent(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    """After a run: the folder was copied, and the copy has sent a record that is new to both."""
    study.texts.popitem()
    study.write()
    _run(study)
    copy = replace(study, home=study.home.parent / "copy", texts=dict(study.texts))
    shutil.copytree(study.home, copy.home)
    for one in (copy, study):
        one.texts[f"r{len(one.texts)}"] = text_of(len(one.texts))
        one.write()
    _run(copy)
    yield


@contextlib.contextmanager
def ran(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    _run(study)
    yield


@contextlib.contextmanager
def lost_ledger(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    """After a run."""
    _run(study)
    shutil.rmtree(study.ledger.parent)
    yield


@contextlib.contextmanager
def damaged_ledger(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    """After a run that left a job under way."""
    _run(study, "--detach")
    study.ledger.write_text("not a database\n" * 100)
    yield


@contextlib.contextmanager
def wrong_sums(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    """After a run: as if a mistake of ours had counted a line too much."""
    _run(study)
    _count_lines(study, "+ 1")
    yield
    _count_lines(study, "- 1")


def _count_lines(study: SmallStudy, more: str) -> None:
    with contextlib.closing(sqlite3.connect(study.ledger)) as ledger, ledger:
        ledger.execute(f"UPDATE shard SET lines = lines {more}")


@contextlib.contextmanager
def blocked_results(study: SmallStudy, cloud: LocalCloud) -> Iterator[None]:
    """A folder in the place of results.csv: nothing can replace it, as on Windows a file that Excel has open."""
    target = study.home / "stand-in" / "results.csv"
    target.mkdir(parents=True)
    yield
    target.rmdir()


_LONG: Final = "The ward was quiet. " * 100


@contextlib.contextmanager
def full_disk(study: SmallStudy, cloud: LocalCloud) -> Iterator[Give]:
    """After a job of long texts was sent: writing fails as on a full disk, and its output is the first that does."""
    study.texts = {record: f"{text} {_LONG}" for record, text in study.texts.items()}
    study.write()
    _run(study, "--detach")
    yield lambda verb, options: on_a_small_disk(cloud.endpoint, verb, str(study.path), *options)


@contextlib.contextmanager
def disk_full_at_once(study: SmallStudy, cloud: LocalCloud) -> Iterator[Give]:
    """Before a first run."""
    yield lambda verb, options: on_a_small_disk(cloud.endpoint, verb, str(study.path), *options)


CIRCUMSTANCES: Final[dict[str, Callable[[SmallStudy, LocalCloud], AbstractContextManager[Give | None]]]] = {
    NOBODY: nobody,
    **{
        made.__name__: made
        for made in (
            as_it_is, unknown_key, unknown_model, no_column, small_budget, no_bucket, stand_in_answers, held,
            other_prompt, namesake, copy_has_sent, ran, lost_ledger, damaged_ledger, wrong_sums, blocked_results,
            full_disk, disk_full_at_once,
        )
    },
}  # fmt: skip
