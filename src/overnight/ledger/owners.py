"""By which notes in a bucket this ledger says that it is the one that sends. The note itself: run/owner.py."""

import sqlite3
from dataclasses import dataclass, replace
from typing import Final

from overnight.ledger.database import transaction

_WRITE: Final = (
    "INSERT INTO owner (place, nonce, generation, job) VALUES (?, ?, ?, ?) ON CONFLICT (place)"
    " DO UPDATE SET nonce = excluded.nonce, generation = excluded.generation, job = excluded.job"
)


@dataclass(frozen=True, slots=True)
class Held:
    """A note as this ledger wrote it last. nonce: of the last that was meant to be written. generation: of the last
    that is known to be; 0 where there is none. job: label of the shard it was written for, once it is known to be."""

    nonce: str
    generation: int = 0
    job: str = ""


class Owners:
    """place (gs://bucket/prefix/uid/owner.json) → the note as this ledger holds it.

    Read once, when the ledger is opened, before anything is planned. What another process writes into the same file
    later is not looked at: where the lock does not hold (a network folder) it would make this process believe that
    the plan it made is still the latest.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        rows = connection.execute("SELECT place, nonce, generation, job FROM owner ORDER BY place")
        self._held = {place: Held(nonce, generation or 0, job or "") for place, nonce, generation, job in rows}

    def places(self) -> list[str]:
        return list(self._held)

    def held(self, place: str) -> Held | None:
        return self._held.get(place)

    def intend(self, place: str, nonce: str) -> Held:
        """Durable before the note is written: after a crash, a note with this nonce is ours. Returns what is held."""
        held = replace(self._held.get(place, Held("")), nonce=nonce, job="")
        self._write(place, held)
        return held

    def holds(self, place: str, nonce: str, generation: int, *, job: str = "") -> None:
        """The note is there with this generation; 0: there is none. job: from now on its create may be sent."""
        self._write(place, Held(nonce, generation, job))

    def held_back(self, shard: int) -> bool:
        """True: the create of the shard of this number was never sent, since no note was known to be written for it.

        Notes are written for one shard after the other: of those before the last one that is named nothing is known.
        """
        jobs = [held.job for held in self._held.values()]
        marks = ", ".join("?" * len(jobs))
        last = f"SELECT coalesce(max(id), 0) FROM shard WHERE label IN ({marks})"  # noqa: S608  # our own marks
        return bool(jobs) and shard > int(self._db.execute(last, jobs).fetchone()[0])

    def _write(self, place: str, held: Held) -> None:
        with transaction(self._db):
            self._db.execute(_WRITE, (place, held.nonce, held.generation or None, held.job or None))
        self._held[place] = held
