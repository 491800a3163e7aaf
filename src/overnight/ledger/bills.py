"""Lines as they are billed, added up where all that decides their price is the same; and what was said before a run.

The one place in which tokens of the ledger become sums: costs, budget, result files and report are made of these.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from overnight.core.outcome import COPY
from overnight.core.usage import NO_USAGE, Usage, Usd
from overnight.ledger.database import transaction
from overnight.ledger.health import reading

DAY: Final = (
    "CASE WHEN processed_time GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*'"
    " THEN coalesce(date(processed_time), '') ELSE '' END"
)
"""SQL: the day, in UTC, on which a line was served. Empty where it does not say."""

_TOKENS: Final = (
    "prompt_tokens AS prompt, min(coalesce(cached_tokens, 0), prompt_tokens) AS cached,"
    " CASE WHEN prompt_tokens IS NOT NULL THEN coalesce(thinking_tokens, 0) END AS thinking,"
    " CASE WHEN prompt_tokens IS NOT NULL THEN coalesce(answer_tokens, 0) END AS answer"
)
_SUMS: Final = "count(*), sum(prompt), sum(cached), sum(thinking), sum(answer)"
_OF_SHARD: Final = f"""
SELECT kind, model_version, day, prompt > :long, has_line, copy, {_SUMS} FROM (
 SELECT coalesce(kind, 'answer') AS kind, model_version, {DAY} AS day, source <> '' AS has_line, 0 AS copy, {_TOKENS}
 FROM outcome WHERE shard = :shard
 UNION ALL
 SELECT kind, model_version, {DAY}, 1, detail = :copy, {_TOKENS} FROM stray WHERE shard = :shard
) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608  # our own constants
_SHARED: Final = f"""
WITH shared AS (
 SELECT address, count(DISTINCT record_id) - 1 AS more FROM binding WHERE realm = :realm GROUP BY address
 HAVING more > 0
), answered AS (
 SELECT min(row) AS row, more FROM shared JOIN outcome USING (address) WHERE kind IS NULL GROUP BY outcome.address
)
SELECT shard, model_version, day, prompt > :long, more, {_SUMS} FROM (
 SELECT shard, model_version, {DAY} AS day, more, {_TOKENS} FROM answered JOIN outcome USING (row)
) GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608  # our own constants
_OF_ANSWERS: Final = f"""
SELECT shard, model_version, day, prompt > :long, 1, {_SUMS} FROM (
 SELECT shard, model_version, {DAY} AS day, {_TOKENS} FROM json_each(:rows) JOIN outcome ON outcome.row = value
) GROUP BY 1, 2, 3, 4
"""  # noqa: S608  # our own constants
SMOKE: Final = "smoke"
"""What rows asked at once, before a job, are called where lines have a kind."""


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Lines of one job that are alike: so many of one kind, model, day and price tier, with their tokens added up.

    kind: `answer`, a kind of problem or of stray. day: ISO, empty where the lines do not say. long: over the tier's
    bound, each of them. usage: NO_USAGE where they carry no counts. has_line: False for requests that the output says
    nothing of. copy: of a line that is counted already.
    """

    kind: str
    served: str
    day: str
    long: bool
    has_line: bool
    copy: bool
    n: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """Answers of one job that are alike, tokens added up: of one model, day and price tier. times: how often each
    counts. usage: NO_USAGE where they carry no counts."""

    shard: int
    served: str
    day: str
    long: bool
    times: int
    n: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class SmokeLine:
    """A row asked at once, as the ledger has it. day: of its end, ISO. before_shard: see ledger/smokes.py."""

    id: int
    place: str
    asked: str
    served: str
    recipe: str
    day: str
    kind: str
    usage: Usage
    before_shard: int
    billed: Usd | None
    kept: Usd | None


@dataclass(frozen=True, slots=True)
class Said:
    """What was said a run would cost, before it sent. began: RFC 3339. n_requests 0, amounts None: it only sent again
    what is in an earlier estimate, or its price was not known."""

    first_shard: int
    began: str
    n_requests: int
    low: Usd | None
    expected: Usd | None
    high: Usd | None
    worst: Usd | None


class Bills:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def of_shard(self, shard: int, long_prompt_tokens: int) -> list[LineGroup]:
        """Also inside the transaction that collects it: what was written so far. Some 2 µs a line."""
        rows = self._db.execute(_OF_SHARD, {"shard": shard, "long": long_prompt_tokens, "copy": COPY})
        return [
            LineGroup(kind, served, day, bool(long), bool(has_line), bool(copy), n, _usage(tokens))
            for kind, served, day, long, has_line, copy, n, *tokens in rows
        ]

    def shared(self, realm: str, long_prompt_tokens: int) -> list[AnswerGroup]:
        """Answers to requests with more than one record of this realm bound to them, once for each of the others."""
        return self._answers(_SHARED, {"realm": realm, "long": long_prompt_tokens})

    def of_answers(self, rows: Sequence[int], long_prompt_tokens: int) -> list[AnswerGroup]:
        """rows: the ledger's numbers of the answers. Some 2 µs each."""
        return self._answers(_OF_ANSWERS, {"rows": json.dumps(rows), "long": long_prompt_tokens})

    def _answers(self, query: str, values: Mapping[str, object]) -> list[AnswerGroup]:
        return [
            AnswerGroup(shard, served, day, bool(long), times, n, _usage(tokens))
            for shard, served, day, long, times, n, *tokens in self._db.execute(query, values)
        ]

    def smokes(self, realm: str) -> list[SmokeLine]:
        """Those that have ended, in the order in which they were asked."""
        rows = self._db.execute(
            "SELECT id, place, model, model_version, recipe, substr(ended, 1, 10), kind, before_shard, billed_usd,"  # noqa: S608  # our own constant
            f" kept_usd, {_TOKENS} FROM smoke WHERE realm = ? AND ended IS NOT NULL ORDER BY id",
            (realm,),
        )
        with reading("an amount"):
            return [
                SmokeLine(id_, place, asked, served, recipe, day, kind or "", _usage(tokens), before, _usd(b), _usd(k))
                for id_, place, asked, served, recipe, day, kind, before, b, k, *tokens in rows
            ]

    def spent(self, realm: str) -> Usd:
        """What jobs, and rows asked before them, were settled at."""
        rows = self._db.execute(
            "SELECT billed_usd FROM shard WHERE realm = ? AND state = 'collected' AND billed_usd IS NOT NULL"
            " UNION ALL SELECT billed_usd FROM smoke WHERE realm = ? AND billed_usd IS NOT NULL",
            (realm, realm),
        )
        with reading("an amount"):
            return sum((Usd(amount) for (amount,) in rows), Usd())

    def settle_anew(self, amounts: Iterable[tuple[int, Usd, Usd | None]]) -> None:
        """(shard, billed, kept) of collected shards whose lines have other prices now than when they were settled."""
        with transaction(self._db):
            self._db.executemany(
                "UPDATE shard SET billed_usd = ?, kept_usd = ? WHERE id = ? AND state = 'collected'",
                ((billed.exact(), _exact(kept), shard) for shard, billed, kept in amounts),
            )

    def settle_smokes_anew(self, amounts: Iterable[tuple[int, Usd]]) -> None:
        """(row, billed) of rows that have another price now, or were kept for want of one."""
        with transaction(self._db):
            self._db.executemany(
                "UPDATE smoke SET billed_usd = ?, kept_usd = NULL WHERE id = ?",
                ((billed.exact(), row) for row, billed in amounts),
            )

    def say(self, realm: str, said: Said) -> None:
        """Before a run's first send. A run that sent nothing leaves its number to the next, which replaces it."""
        amounts = map(_exact, (said.low, said.expected, said.high, said.worst))
        with transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO estimate VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (realm, said.first_shard, said.began, said.n_requests, *amounts),
            )

    def said(self, realm: str) -> list[Said]:
        """In the order of the runs."""
        rows = self._db.execute(
            "SELECT first_shard, began, n_requests, low_usd, expected_usd, high_usd, worst_usd FROM estimate"
            " WHERE realm = ? ORDER BY first_shard",
            (realm,),
        )
        with reading("an amount"):
            return [Said(first, began, n, *map(_usd, amounts)) for first, began, n, *amounts in rows]


def _usage(tokens: list[Any]) -> Usage:
    return NO_USAGE if tokens[0] is None else Usage(*tokens)


def _exact(amount: Usd | None) -> str | None:
    return None if amount is None else amount.exact()


def _usd(text: str | None) -> Usd | None:
    return None if text is None else Usd(text)
