"""The ledger: its parts under one roof, and its lock."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from overnight.errors import LedgerError, LockedError
from overnight.ledger.bills import Bills
from overnight.ledger.bindings import Bindings
from overnight.ledger.database import open_database, transaction
from overnight.ledger.fits import Fits
from overnight.ledger.health import RECOVER, unusable
from overnight.ledger.names import Names
from overnight.ledger.notices import Notices
from overnight.ledger.outcomes import Outcomes
from overnight.ledger.owners import Owners
from overnight.ledger.pilots import Pilots
from overnight.ledger.recipes import Recipes
from overnight.ledger.shards import Shards
from overnight.ledger.smokes import Smokes
from overnight.ledger.who import this_host, this_user


class Ledger:
    """Use as a context manager: it closes the file, and says in our words when the file turns out to be damaged."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = connection, path
        self.shards = Shards(connection)
        self.outcomes = Outcomes(connection)
        self.recipes = Recipes(connection)
        self.bindings = Bindings(connection)
        self.bills = Bills(connection)
        self.fits = Fits(connection)
        self.pilots = Pilots(connection)
        self.owners = Owners(connection)
        self.smokes = Smokes(connection)
        self.notices = Notices(connection)
        self.names = Names(connection)

    @classmethod
    def open(cls, path: Path, *, study: str, now: str, only_look: bool = False) -> Self:
        """Raises LedgerError for a file that is no ledger of ours, is newer than this version, or cannot be used.

        only_look: nothing can be written, and nothing is made where nothing is.
        """
        connection = open_database(path, study=study, now=now, only_look=only_look)
        try:
            return cls(connection, path)
        except sqlite3.DatabaseError as cause:
            connection.close()
            raise unusable(path, cause) from cause

    @property
    def uid(self) -> str:
        """Born with the ledger, in every label and object prefix."""
        return str(self._db.execute("SELECT uid FROM study").fetchone()[0])

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._db)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is of one moment, whatever another process writes meanwhile.

        A writer waits with its commit until this is left: keep it short, and read no table of the user's inside.
        """
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")  # nothing was written

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, LedgerError) and not error.hint:  # the ledger contradicts itself
            error.where, error.hint = error.where or str(self._path), RECOVER
        # Not their subclasses: those are mistakes of ours.
        if error is not None and type(error) in (sqlite3.DatabaseError, sqlite3.OperationalError):
            raise unusable(self._path, error) from error


class Lock:
    """One process at a time changes a study. The system lets go of it when the holder dies, on every platform."""

    def __init__(self, folder: Path, command: str) -> None:
        from filelock import FileLock

        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "lock")
        self._holder = folder / "holder.json"
        self._command = command

    def __enter__(self) -> Self:
        from filelock import Timeout

        try:
            self._lock.acquire(timeout=0)
        except Timeout as cause:
            raise LockedError(
                f"another overnight works on this study: {self._who()}",
                where=str(self._holder.parent),
                hint="Wait for it, watch it with `overnight status --follow`, or stop it with Ctrl-C where it runs.",
            ) from cause
        except NotImplementedError as cause:  # filelock's word for ENOSYS
            raise LedgerError(
                "the file system of the study's folder has no locks, so two runs at once could not be kept apart",
                where=str(self._holder.parent),
                hint="Put the study on a disk of this machine.",
            ) from cause
        holder = {"pid": os.getpid(), "host": this_host(), "user": this_user(), "command": self._command}
        self._holder.write_text(json.dumps(holder), encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.unlink(missing_ok=True)
        self._lock.release()

    def _who(self) -> str:
        try:
            holder = json.loads(self._holder.read_text(encoding="utf-8"))
            return f"{holder['user']} on {holder['host']}, process {holder['pid']} (`overnight {holder['command']}`)"
        except (OSError, ValueError, KeyError, TypeError):  # not written yet, half written, or not by us
            return "a process that has not said its name yet"
