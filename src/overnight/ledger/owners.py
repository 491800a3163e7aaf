"""By which notes in a bucket this ledger says that it is the one that sends. The note itself: run/owner.py."""

import sqlite3
from dataclasses import dataclass, replace
from typing import Final

from overnight.ledger.database import transaction

_WRITE: Final = (
    "INSERT INTO owner (place, nonce, generation) VALUES (?, ?, ?)"
    " ON CONFLICT (place) DO UPDATE SET nonce = excluded.nonce, generation = excluded.generation"
)


@dataclass(frozen=True, slots=True)
class Held:
    """A note as this ledger wrote it last. nonce: of the last that was meant to be written. generation: of the last
    that is known to be; 0 where there is none."""

    nonce: str
    generation: int = 0


class Owners:
    """place (gs://bucket/prefix/uid/owner.json) → the note as this ledger holds it.

    Read once, when the ledger is opened, before anything is planned. What another process writes into the same file
    later is not looked at: where the lock does not hold (a network folder) it would make this process believe that
    the plan it made is still the latest.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        rows = connection.execute("SELECT place, nonce, generation FROM owner ORDER BY place")
        self._held = {place: Held(nonce, generation or 0) for place, nonce, generation in rows}

    def places(self) -> list[str]:
        return list(self._held)

    def held(self, place: str) -> Held | None:
        return self._held.get(place)

    def intend(self, place: str, nonce: str) -> Held:
        """Durable before the note is written: after a crash, a note with this nonce is ours. Returns what is held."""
        held = replace(self._held.get(place, Held("")), nonce=nonce)
        self._write(place, held)
        return held

    def holds(self, place: str, nonce: str, generation: int) -> None:
        """The note is there with this generation; 0: there is none."""
        self._write(place, Held(nonce, generation))

    def _write(self, place: str, held: Held) -> None:
        with transaction(self._db):
            self._db.execute(_WRITE, (place, held.nonce, held.generation or None))
        self._held[place] = held
