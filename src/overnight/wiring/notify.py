"""`notify.command` tells a person who is not there; run/notices.py says what. Never a reason for a run to fail."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from overnight.core.events import Event, JobStuck, Note, Tell
from overnight.errors import Finding, LedgerError, OvernightError
from overnight.run.notices import TROUBLE, Notice, of_end, of_stuck
from overnight.run.publish import Closing
from overnight.run.raw import harmless
from overnight.run.world import World
from overnight.study.models import Study

if TYPE_CHECKING:
    from overnight.wiring.opening import Opened

TIMEOUT_S: Final = 60.0
_CHARS_SHOWN: Final = 200


@contextlib.contextmanager
def notifying(opened: "Opened", closing: Closing) -> Iterator[None]:
    """Around a `run` or `fetch`: tells of stuck jobs when they are seen, and at the end of how it ended.

    closing: the one that the run fills. Without `notify` in the study nothing is done, nor written.
    """
    notify, world = opened.study.notify, opened.world
    if notify is None:
        yield
        return
    teller = _Teller(world, opened.study, notify.words, world.tell)
    world.tell = teller.hear
    try:
        yield
    except OvernightError as error:
        teller.ended(closing, error)
        raise
    else:
        teller.ended(closing, None)
    finally:
        world.tell = teller.pass_on


@dataclass(frozen=True, slots=True)
class _Teller:
    world: World
    study: Study
    words: Sequence[str]
    pass_on: Tell

    def hear(self, event: Event) -> None:
        self.pass_on(event)
        if isinstance(event, JobStuck):
            self._tell_once(of_stuck(self.world, self.study.path, event))

    def ended(self, closing: Closing, error: OvernightError | None) -> None:
        if error is None and closing.jobs_collected:
            with self._ledger_may_fail():  # the way is free: the same trouble would be new
                self.world.ledger.notices.over(self.world.realm, TROUBLE)
        notice = of_end(self.world, self.study.path, closing, error)
        if notice is not None:
            self._tell_once(notice)

    def _tell_once(self, notice: Notice) -> None:
        """Noted after it was told: a crash in between tells it twice rather than never."""
        notices, realm = self.world.ledger.notices, self.world.realm
        told = False
        with self._ledger_may_fail():
            told = notices.was_told(realm, notice.occasion, notice.about)
        if told:
            return
        failed = run_command(self.words, notice, self.study)
        if failed:
            self.pass_on(Note(f"nobody was told ({notice.occasion}): {failed}", "warning"))
            return
        self.pass_on(Note(f"told by {self.words[0]}: {notice.occasion}"))
        with self._ledger_may_fail():
            notices.told(realm, notice.occasion, notice.about, self.world.stamp())

    @contextlib.contextmanager
    def _ledger_may_fail(self) -> Iterator[None]:
        """A run that has ended well, or for a reason of its own, does not end otherwise for a notice."""
        try:
            yield
        except (LedgerError, sqlite3.Error) as cause:
            self.pass_on(Note(f"whether this was told before is not known ({cause}): it may be told again", "warning"))


def run_command(words: Sequence[str], notice: Notice, study: Study) -> str:
    """Empty when it ended with 0, else why not. It is run without a shell, and stopped after a minute."""
    program = _program(words[0], study)
    if program is None:
        return f"there is no program {words[0]}"
    with tempfile.TemporaryFile() as said:  # not a pipe: what it leaves in the background may hold that open
        try:
            ended = subprocess.run(
                [program, *words[1:]],
                input=notice.text.encode(),
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **_variables(notice, study)},
                cwd=study.folder,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{words[0]} had not ended after {TIMEOUT_S:.0f} s"
        except OSError as cause:
            return f"{words[0]} could not be started: {cause.strerror or cause}"
        said.seek(0)
        last = said.read(100_000).decode(errors="replace").strip().rpartition("\n")[2]
    if not ended.returncode:
        return ""
    return f"{words[0]} ended with {ended.returncode}{f': {harmless(last, _CHARS_SHOWN)}' if last else ''}"


def _variables(notice: Notice, study: Study) -> Mapping[str, str]:
    return {
        "OVERNIGHT_EVENT": notice.occasion.value,
        "OVERNIGHT_STUDY": str(study.path),
        "OVERNIGHT_MESSAGE": notice.text,
    }


def missing_program(study: Study) -> list[Finding]:
    """A warning when the study's `notify.command` names a program that is not there."""
    if study.notify is None or _program(study.notify.words[0], study) is not None:
        return []
    what = f"there is no program {study.notify.words[0]}: nobody would be told"
    hint = "Install it, or name another. It is run without a shell, in the study file's folder."
    return [study.placed(Finding(what, path="notify.command", hint=hint, level="warning"))]


def _program(word: str, study: Study) -> str | None:
    """As it will be run: looked for on the PATH, or from the study file's folder where it is written with a slash."""
    if Path(word).name != word:
        return shutil.which(study.folder / word)
    return shutil.which(word)
