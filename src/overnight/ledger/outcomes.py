"""Outcomes, strays, bindings, reopenings: what became of what was sent, and whose it is."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from overnight.core.identity import wire_key
from overnight.core.outcome import COPY, SUSPICIOUS, Identity, Outcome, ProblemKind, Stray, StrayKind
from overnight.core.task import Settled
from overnight.core.usage import Usage, Usd
from overnight.errors import LedgerError
from overnight.ledger.bills import DAY
from overnight.ledger.database import transaction
from overnight.ledger.health import UNREADABLE, reading, unreadable
from overnight.ledger.recipes import recipe_from_json
from overnight.ledger.shards import status_from_json
from overnight.pricing.room import Seen

_BATCH: Final = 2_000
_INSERT: Final = "INSERT INTO outcome VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_STRAY: Final = "INSERT INTO stray VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_MAKE_COPY: Final = (
    "UPDATE stray SET detail = ?, prompt_tokens = NULL, cached_tokens = NULL, thinking_tokens = NULL,"
    " answer_tokens = NULL WHERE rowid = (SELECT min(rowid) FROM stray WHERE detail <> ? AND shard = ? AND key = ?"
    " AND processed_time = ? AND model_version = ? AND prompt_tokens IS ? AND cached_tokens IS ?"
    " AND thinking_tokens IS ? AND answer_tokens IS ?)"
)


@dataclass(slots=True)
class Collected:
    """What collecting a job adds to the ledger, as one fact. Made by `Outcomes.collecting`."""

    lines: int = 0
    billed: Usd | None = None
    kept: Usd | None = None
    breaker: bool = False


class JobWriter:
    """Writes a job's outcomes while they stream by, inside the one transaction that makes them a fact."""

    def __init__(self, db: sqlite3.Connection, shard: int) -> None:
        self._db, self._shard = db, shard
        self._waiting: list[tuple[Any, ...]] = []
        self._strays: list[tuple[Any, ...]] = []

    def outcome(self, outcome: Outcome) -> None:
        self._waiting.append(_row(self._shard, outcome))
        if len(self._waiting) >= _BATCH:
            self.flush()

    def replace(self, outcome: Outcome) -> None:
        """A better line for a request that this job has had a line for already."""
        self.flush()
        self._db.execute("DELETE FROM outcome WHERE shard = ? AND address = ?", (self._shard, outcome.address))
        self.outcome(outcome)

    def stray(self, stray: Stray) -> None:
        self._strays.append((self._shard, stray.kind, stray.key, stray.detail, stray.differs, *_tokens(stray.usage),
                             stray.model_version, stray.source, stray.processed_time))  # fmt: skip

    def as_copy(self, outcome: Outcome) -> None:
        """Its serving's tokens are on a stray: they go with the outcome from now on, and the stray is a copy of it."""
        self.flush()
        which = self._shard, wire_key(outcome.address, outcome.attempt), outcome.processed_time, outcome.model_version
        self._db.execute(_MAKE_COPY, (COPY, COPY, *which, *_tokens(outcome.usage)))

    def flush(self) -> None:
        self._db.executemany(_INSERT, self._waiting)
        self._db.executemany(_INSERT_STRAY, self._strays)
        self._waiting.clear()
        self._strays.clear()


@dataclass(slots=True)
class Collecting:
    """The open transaction of one job. `fact` is filled before it is left."""

    write: JobWriter
    fact: Collected = field(default_factory=Collected)


class Outcomes:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @contextmanager
    def collecting(self, shard: int, now: str, *, again: bool = False) -> Iterator[Collecting]:
        """One transaction: the job's outcomes, its strays, and the shard collected.

        again: raw output is read anew; answers stay, problems may become answers. What a person has looked at
        (`retry`) does not stop the run a second time.
        """
        with transaction(self._db):
            if again:
                self._db.execute("DELETE FROM outcome WHERE shard = ? AND kind IS NOT NULL", (shard,))
                self._db.execute("DELETE FROM stray WHERE shard = ?", (shard,))
            collecting = Collecting(JobWriter(self._db, shard))
            yield collecting
            collecting.write.flush()
            fact = collecting.fact
            self._db.execute(
                "UPDATE shard SET state = 'collected', collected = ?, lines = ?, billed_usd = ?, kept_usd = ?,"
                " breaker = CASE WHEN NOT ? THEN NULL WHEN breaker = 'acknowledged' THEN breaker ELSE 'tripped' END"
                " WHERE id = ? AND state IN ('submitted', 'collected')",
                (now, fact.lines, _exact(fact.billed), _exact(fact.kept), fact.breaker, shard),
            )

    def sent(self, realm: str) -> Iterator[tuple[bytes, int, int]]:
        """(address, attempt, hour since 1970) of every line that was or may have been sent, by shard."""
        shards = self._db.execute(
            "SELECT id, coalesce(strftime('%s', coalesce(submitted, intended)) / 3600, 0) FROM shard"
            " WHERE realm = ? AND state IN ('submitting', 'submitted', 'collected') ORDER BY id",
            (realm,),
        ).fetchall()
        for shard, hour in shards:
            yield from self._db.execute("SELECT address, attempt, ? FROM sent WHERE shard = ?", (hour, shard))

    def ended(self, realm: str) -> Iterator[tuple[bytes, int, ProblemKind | None, int]]:
        """(address, attempt, kind, row) in the order in which they were written."""
        kinds: dict[str | None, ProblemKind | None] = {None: None, **{kind.value: kind for kind in ProblemKind}}
        rows = self._db.execute(
            "SELECT address, attempt, kind, row FROM outcome JOIN shard ON shard.id = outcome.shard"
            " WHERE realm = ? ORDER BY row",
            (realm,),
        )
        with reading("a kind of problem"):
            for address, attempt, kind, row in rows:
                yield address, attempt, kinds[kind], row

    def untried(self, realm: str) -> Iterator[tuple[bytes, int]]:
        """(address, attempt) that ended with a job which was refused before any row ran."""
        shards = self._db.execute(
            "SELECT id, job FROM shard WHERE realm = ? AND state = 'collected' AND lines = 0 AND job IS NOT NULL",
            (realm,),
        ).fetchall()
        for shard, job in shards:
            if status_from_json(job).never_ran:
                yield from self._db.execute("SELECT address, attempt FROM outcome WHERE shard = ?", (shard,))

    def cut(self, realm: str) -> list[tuple[bytes, int]]:
        """(address, `maxOutputTokens`) of every truncated attempt; 0 where a job made by hand did not say."""
        return self._db.execute(
            "SELECT address, max_output_tokens FROM outcome JOIN shard ON shard.id = outcome.shard"
            " WHERE kind = ? AND realm = ?",
            (ProblemKind.TRUNCATED.value, realm),
        ).fetchall()

    def seen(self, realm: str, model: str, below: int) -> dict[str, Seen]:
        """By recipe: what answers of this model took. below: where a larger room was too little, that says nothing."""
        rows = self._db.execute(
            "SELECT recipe, sum(kind IS NULL),"
            " max(CASE WHEN kind IS NULL THEN coalesce(thinking_tokens, 0) + coalesce(answer_tokens, 0) ELSE 0 END),"
            " max(CASE WHEN kind IS NOT NULL AND max_output_tokens < ? THEN max_output_tokens ELSE 0 END)"
            " FROM outcome JOIN shard ON shard.id = outcome.shard"
            " WHERE realm = ? AND model = ?"
            " AND (kind = ? OR (kind IS NULL AND prompt_tokens IS NOT NULL)) GROUP BY recipe",
            (below, realm, model, ProblemKind.TRUNCATED.value),
        )
        return {recipe: Seen(*found) for recipe, *found in rows}

    def reopened(self) -> list[tuple[bytes, int]]:
        return self._db.execute("SELECT address, after_attempt FROM reopened").fetchall()

    def opened_by(self) -> dict[bytes, str]:
        """Address → the command that opened it again last: `retry` or `forget`."""
        return dict(self._db.execute("SELECT address, why FROM reopened").fetchall())

    def reopen(self, addresses: Iterable[tuple[bytes, int]], why: str, now: str) -> None:
        """addresses: (address, attempts so far). Those attempts no longer settle the request."""
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO reopened VALUES (?, ?, ?, ?) ON CONFLICT (address)"
                " DO UPDATE SET after_attempt = excluded.after_attempt, why = excluded.why, at = excluded.at",
                ((address, attempts, why, now) for address, attempts in addresses),
            )

    def settled(self, row: int) -> Settled:
        found = self._db.execute(f"SELECT *, {DAY} FROM outcome WHERE row = ?", (row,)).fetchone()  # noqa: S608  # our own constant
        if found is None:
            raise LedgerError(f"the ledger holds no outcome {row}")
        try:  # asked for every record, and `reading` would cost an eighth more
            outcome = _outcome(found[:-1])
        except UNREADABLE as cause:
            raise unreadable(f"outcome {row}", cause) from cause
        return Settled(outcome, outcome.attempt, found[1], found[-1])

    def usages(self, rows: Iterable[int]) -> dict[int, Usage]:
        """Row → tokens, of those rows whose line had token counts: some 5 µs a row."""
        query = "SELECT prompt_tokens, cached_tokens, thinking_tokens, answer_tokens FROM outcome WHERE row = ?"
        found = ((row, self._db.execute(query, (row,)).fetchone()) for row in rows)
        return {row: Usage(*counts) for row, counts in found if counts is not None and counts[0] is not None}

    def like(self, rows: Iterable[int], model: str, stage: str, thinking: Mapping[str, object]) -> dict[int, Usage]:
        """`usages` of those rows that the same model answered, in the same stage, with the same thinking setting."""
        kin = {
            shard
            for shard, body in self._db.execute(
                "SELECT shard.id, recipe.body FROM shard JOIN recipe ON recipe.digest = shard.recipe"
                " WHERE shard.model = ? AND shard.stage = ?",
                (model, stage),
            )
            if recipe_from_json(body).thinking == thinking
        }
        shard_of = "SELECT shard FROM outcome WHERE row = ?"
        found = ((row, self._db.execute(shard_of, (row,)).fetchone()) for row in rows)
        return self.usages(row for row, shard in found if shard is not None and shard[0] in kin)

    def answers_of(self, shard: int) -> Iterator[Outcome]:
        """The answers that a job's output was read as."""
        rows = self._db.execute("SELECT * FROM outcome WHERE shard = ? AND kind IS NULL", (shard,))
        with reading("an answer"):
            for row in rows:
                yield _outcome(row)

    def counts(self, realm: str) -> "LedgerCounts":
        """For the equations and the report."""
        of_realm = "JOIN shard ON shard.id = {0}.shard WHERE realm = ?"
        query = self._db.execute
        problems = query(f"SELECT kind, count(*) FROM outcome {of_realm.format('outcome')} GROUP BY kind", (realm,))  # noqa: S608  # our own constant
        kinds = dict(problems.fetchall())
        answers = kinds.pop(None, 0)
        strays = query(f"SELECT kind, count(*) FROM stray {of_realm.format('stray')} GROUP BY kind", (realm,))  # noqa: S608  # our own constant
        found = dict(strays.fetchall())
        identity = query(
            f"SELECT identity, count(*) FROM outcome {of_realm.format('outcome')} AND identity IS NOT NULL GROUP BY 1",  # noqa: S608  # our own constant
            (realm,),
        )
        in_flight = query(
            "SELECT count(*) FROM shard JOIN sent ON sent.shard = shard.id"
            " WHERE realm = ? AND state IN ('submitting', 'submitted')",
            (realm,),
        )
        sent = query(
            "SELECT coalesce(sum(n_rows), 0), coalesce(sum(lines), 0) FROM shard"
            " WHERE realm = ? AND state IN ('submitting', 'submitted', 'collected')",
            (realm,),
        ).fetchone()
        accepted = query(
            "SELECT count(*) FROM outcome JOIN shard ON shard.id = outcome.shard WHERE realm = ? AND source <> ''",
            (realm,),
        )
        with reading("a kind of line"):
            return LedgerCounts(
                sent=sent[0],
                lines=sent[1],
                answers=answers,
                problems=Counter({ProblemKind(kind): n for kind, n in kinds.items()}),
                strays=Counter({StrayKind(kind): n for kind, n in found.items()}),
                identity=Counter({Identity(kind): n for kind, n in identity.fetchall()}),
                accepted=accepted.fetchone()[0],
                in_flight=in_flight.fetchone()[0],
            )

    def suspicious(self, shard: int, most: int) -> list[tuple[str, str, str]]:
        """(kind, detail, source) of the first rows and lines that count for the breaker and have a raw line."""
        kinds = {*SUSPICIOUS, StrayKind.UNIDENTIFIED, StrayKind.FOREIGN}
        rows = self._db.execute(
            "SELECT kind, detail, source FROM outcome WHERE shard = ? AND kind IS NOT NULL AND source <> ''"
            " UNION ALL SELECT kind, detail, source FROM stray WHERE shard = ?",
            (shard, shard),
        )
        return list(islice((row for row in rows if row[0] in kinds), most))

    def strays_that_differ(self, realm: str) -> int:
        """Duplicates and surplus lines whose answer is not the one that was taken."""
        found = self._db.execute(
            "SELECT count(*) FROM stray JOIN shard ON shard.id = stray.shard WHERE realm = ? AND differs = 1", (realm,)
        )
        return int(found.fetchone()[0])


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    """Of one realm, over the life of the study. sent, answers, problems, in_flight: attempts. accepted: lines."""

    sent: int
    lines: int
    answers: int
    problems: Counter[ProblemKind]
    strays: Counter[StrayKind]
    identity: Counter[Identity]
    accepted: int
    in_flight: int


def _exact(amount: Usd | None) -> str | None:
    return None if amount is None else amount.exact()


def _tokens(usage: Usage) -> tuple[int | None, ...]:
    return usage.prompt, usage.cached, usage.thinking, usage.answer


def _row(shard: int, outcome: Outcome) -> tuple[Any, ...]:
    return (
        shard,
        outcome.address,
        outcome.attempt,
        outcome.kind,
        outcome.answer or None,
        outcome.detail,
        *_tokens(outcome.usage),
        outcome.model_version,
        outcome.finish_reason,
        outcome.identity,
        outcome.processed_time,
        outcome.source,
    )


def _outcome(row: tuple[Any, ...]) -> Outcome:
    (_, _, address, attempt, kind, answer, detail, p, c, t, a, version, finish, identity, time, source) = row
    return Outcome(
        address,
        attempt,
        None if kind is None else ProblemKind(kind),
        answer or b"",
        detail,
        Usage(p, c, t, a),
        version,
        finish,
        None if identity is None else Identity(identity),
        time,
        source,
    )
