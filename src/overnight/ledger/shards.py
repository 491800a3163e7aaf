"""Shards and their jobs: intent before effect, fact after."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from overnight.core.states import JobStatus
from overnight.core.usage import Usd
from overnight.errors import LedgerError
from overnight.ledger.database import transaction
from overnight.ledger.health import reading
from overnight.requests.shards import SentRow

_COLUMNS: Final = (
    "id, realm, stage, recipe, model, max_output_tokens, state, label, place, intended, n_rows, size_bytes,"
    " reserved_usd, kept_usd, billed_usd, submitted, job_name, job, cancelled, collected, lines, breaker, adopted,"
    " repeats, row_usd"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a shard's job lives. Recovery reads this, never the study.

    bucket and the two names are Cloud Storage's; another backend gives them its own meaning.
    """

    backend: str
    project: str
    location: str
    bucket: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class ShardFact:
    """A shard as the ledger holds it. adopted: its job and its files were made by hand.

    repeats: attempts of it may be in another job too, where a create was given up as not made, and turned up after all.
    row: the worst case of its longest request, None where that is not known.
    """

    id: int
    realm: str
    stage: str
    recipe: str
    model: str
    max_output_tokens: int
    state: str
    label: str
    place: Place
    intended: str
    n_rows: int
    size_bytes: int
    reserved: Usd | None
    kept: Usd | None
    billed: Usd | None
    submitted: str
    job_name: str
    job: JobStatus | None
    cancelled: bool
    collected: str
    lines: int
    breaker: str
    adopted: bool
    repeats: bool
    row: Usd | None


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit on what shards numbered from `since` on may cost: 0 for the life of the study."""

    limit: Usd
    since: int = 0


class Shards:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def intend(
        self,
        *,
        realm: str,
        stage: str,
        recipe: str,
        model: str,
        max_output_tokens: int,
        label: str,
        place: Place,
        now: str,
        number: int | None = None,
    ) -> int:
        """Durable before anything is uploaded. Returns the shard's number: the next, where none is given."""
        with transaction(self._db):
            cursor = self._db.execute(
                "INSERT INTO shard (id, realm, stage, recipe, model, max_output_tokens, state, label, place, intended)"
                " VALUES (?, ?, ?, ?, ?, ?, 'intended', ?, ?, ?)",
                (number, realm, stage, recipe, model, max_output_tokens, label, json.dumps(asdict(place)), now),
            )
            return int(cursor.lastrowid or 0)

    def staged(self, shard: int, rows: Iterable[SentRow], size_bytes: int) -> None:
        """The input file is complete in its place. Its rows, in key order, and the fact: one transaction."""
        ordered = sorted((row.address, row.attempt, row.fingerprint) for row in rows)
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO sent (shard, address, attempt, fingerprint) VALUES (?, ?, ?, ?)",
                ((shard, *row) for row in ordered),
            )
            self._move(shard, "staged", from_states=("intended",), n_rows=len(ordered), size_bytes=size_bytes)

    def submitting(
        self, shard: int, reserve: Usd | None, caps: Iterable[Cap] = (), *, row: Usd | None = None
    ) -> Usd | None:
        """The intent to create a job, and its worst case reserved, in one transaction. row: of its longest request.

        Returns None when it was written. Returns what is left when the reservation would pass a cap: then nothing is.
        """
        with transaction(self._db):
            left = self.left(self.get(shard).realm, caps)
            if left is not None and reserve is not None and reserve > left:
                return left
            exact = None if reserve is None else reserve.exact()
            of_row = None if row is None else row.exact()
            self._move(shard, "submitting", from_states=("staged",), reserved_usd=exact, row_usd=of_row)
        return None

    def submitted(self, shard: int, job: JobStatus, now: str) -> None:
        with transaction(self._db):
            self._move(
                shard,
                "submitted",
                from_states=("submitting",),
                job_name=job.name,
                job=json.dumps(asdict(job)),
                submitted=now,
            )

    def adopt(
        self,
        *,
        realm: str,
        stage: str,
        recipe: str,
        model: str,
        max_output_tokens: int,
        label: str,
        place: Place,
        rows: Iterable[SentRow],
        size_bytes: int,
        reserve: Usd | None,
        row: Usd | None,
        job: JobStatus,
        now: str,
    ) -> int:
        """A job that is there already, with its rows, in one transaction. Its worst case is reserved, caps or not: it
        is under way, or paid. row: of its longest request. What was kept reserved for it, where we gave it up as not
        made, is free again. Returns the shard's number."""
        ordered = sorted((row.address, row.attempt, row.fingerprint) for row in rows)
        exact, of_row = (None if amount is None else amount.exact() for amount in (reserve, row))
        with transaction(self._db):
            cursor = self._db.execute(
                "INSERT INTO shard (realm, stage, recipe, model, max_output_tokens, state, label, place, intended,"
                " n_rows, size_bytes, reserved_usd, row_usd, submitted, job_name, job, adopted, repeats)"
                " VALUES (?, ?, ?, ?, ?, 'submitted', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1)",
                (realm, stage, recipe, model, max_output_tokens, label, json.dumps(asdict(place)), now, len(ordered),
                 size_bytes, exact, of_row, job.create_time or now, job.name, json.dumps(asdict(job))),
            )  # fmt: skip
            number = int(cursor.lastrowid or 0)
            self._db.executemany(
                "INSERT INTO sent (shard, address, attempt, fingerprint) VALUES (?, ?, ?, ?)",
                ((number, *row) for row in ordered),
            )
            given_up = "UPDATE shard SET kept_usd = NULL WHERE label = ? AND state = 'abandoned'"
            self._db.execute(given_up, (job.label,))
        return number

    def mark_repeats(self) -> None:
        """Of a rebuilt ledger: which shards hold an attempt that an earlier one holds too?"""
        with transaction(self._db):
            self._db.execute(
                "UPDATE shard SET repeats = 1 WHERE id IN"
                " (SELECT max(shard) FROM sent GROUP BY address, attempt HAVING count(*) > 1)"
            )

    def abandon(self, shard: int, *, may_bill: bool = False) -> None:
        """Nothing was created of it: its rows were never sent, its reservation is free again.

        may_bill: nobody knows that nothing was created, so the reservation is kept for the life of the study.
        """
        reserved = self.get(shard).reserved if may_bill else None
        with transaction(self._db):
            self._db.execute("DELETE FROM sent WHERE shard = ?", (shard,))
            self._move(
                shard,
                "abandoned",
                from_states=("intended", "staged", "submitting"),
                reserved_usd=None,
                kept_usd=None if reserved is None else reserved.exact(),
            )

    def seen(self, shard: int, job: JobStatus) -> None:
        with transaction(self._db):
            self._db.execute("UPDATE shard SET job = ? WHERE id = ?", (json.dumps(asdict(job)), shard))

    def cancelled(self, shard: int, asked: bool = True) -> None:
        """A person asked for the job to be cancelled: rows it leaves undone are given up, not sent again.

        asked: False takes it back, where the service refused.
        """
        with transaction(self._db):
            self._db.execute("UPDATE shard SET cancelled = ? WHERE id = ?", (asked, shard))

    def acknowledge_breakers(self, realm: str) -> int:
        with transaction(self._db):
            cursor = self._db.execute(
                "UPDATE shard SET breaker = 'acknowledged' WHERE breaker = 'tripped' AND realm = ?", (realm,)
            )
            return cursor.rowcount

    def get(self, shard: int) -> ShardFact:
        found = self._db.execute(f"SELECT {_COLUMNS} FROM shard WHERE id = ?", (shard,)).fetchone()  # noqa: S608  # our own constant
        if found is None:
            raise LedgerError(f"the ledger knows no shard {shard}")
        return _fact(found)

    def all(self, realm: str, *states: str) -> list[ShardFact]:
        """In order of their numbers; all states when none is named."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM shard WHERE realm = ? ORDER BY id", (realm,))  # noqa: S608  # our own constant
        return [fact for fact in map(_fact, rows) if not states or fact.state in states]

    def next_number(self) -> int:
        return int(self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM shard").fetchone()[0])

    def rows(self, shard: int) -> Iterator[tuple[bytes, int, bytes]]:
        """(address, attempt, fingerprint), in key order."""
        yield from self._db.execute("SELECT address, attempt, fingerprint FROM sent WHERE shard = ?", (shard,))

    def asked_by(self, realm: str, address: bytes) -> tuple[str, str, str] | None:
        """(stage, recipe, model) of a request that was sent; the last shard's. None for one that never was."""
        found = self._db.execute(
            "SELECT stage, recipe, model FROM shard WHERE realm = ? AND EXISTS"
            " (SELECT 1 FROM sent WHERE sent.shard = shard.id AND address = ?) ORDER BY id DESC LIMIT 1",
            (realm, address),
        ).fetchone()
        return None if found is None else (found[0], found[1], found[2])

    def committed(self, realm: str, *, since: int = 0) -> Usd:
        """Spent and reserved in a realm by shards numbered from `since` on, and by rows asked one by one before them
        (ledger/smokes.py): what may not pass a cap."""
        total = Usd()
        for amounts in self._db.execute(
            "SELECT reserved_usd, kept_usd, billed_usd FROM smoke WHERE realm = ? AND before_shard >= ?", (realm, since)
        ):
            total = sum((Usd(amount) for amount in amounts if amount is not None), total)
        for fact in self.all(realm):
            if fact.id < since:
                continue
            if fact.state in {"collected", "abandoned"}:
                total = total + (fact.billed or Usd()) + (fact.kept or Usd())
            else:
                total = total + (fact.reserved or Usd())
        return total

    def left(self, realm: str, caps: Iterable[Cap]) -> Usd | None:
        """What may still be reserved under every cap; None where there is none."""
        return min((cap.limit - self.committed(realm, since=cap.since) for cap in caps), default=None)

    def _move(self, shard: int, state: str, *, from_states: tuple[str, ...], **values: Any) -> None:
        """Part of the caller's transaction. States move to the right only."""
        names = "".join(f", {name} = ?" for name in values)
        marks = ", ".join("?" * len(from_states))
        cursor = self._db.execute(
            f"UPDATE shard SET state = ?{names} WHERE id = ? AND state IN ({marks})",  # noqa: S608  # our own names
            (state, *values.values(), shard, *from_states),
        )
        if cursor.rowcount != 1:
            raise LedgerError(f"shard {shard} cannot become {state}: it is {self.get(shard).state}")


def status_from_json(body: str) -> JobStatus:
    with reading("a job's status"):
        value = json.loads(body)
        value["error"] = tuple(value["error"]) if value["error"] else None
        value["partial_failures"] = tuple(value["partial_failures"])
        return JobStatus(**value)


def _fact(row: tuple[Any, ...]) -> ShardFact:
    (id_, realm, stage, recipe, model, room, state, label, place, intended, n_rows, size_bytes, *rest) = row
    reserved, kept, billed, submitted, job_name, job, cancelled, collected, lines, breaker, adopted, *last = rest
    repeats, row_usd = last
    return ShardFact(
        id_,
        realm,
        stage,
        recipe,
        model,
        room,
        state,
        label,
        _place(place),
        intended,
        n_rows,
        size_bytes,
        _usd(reserved),
        _usd(kept),
        _usd(billed),
        submitted or "",
        job_name or "",
        status_from_json(job) if job else None,
        bool(cancelled),
        collected or "",
        lines,
        breaker or "",
        bool(adopted),
        bool(repeats),
        _usd(row_usd),
    )


def _place(body: str) -> Place:
    with reading("a shard's place"):
        return Place(**json.loads(body))


def _usd(text: str | None) -> Usd | None:
    with reading("an amount"):
        return None if text is None else Usd(text)
