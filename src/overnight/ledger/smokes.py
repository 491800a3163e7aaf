"""Rows asked one by one before a job: the worst case reserved before each call, what it came to after it.

Their answers settle nothing, so none is kept. A row that was reserved and never ended (killed, stopped by Ctrl-C) keeps
its reservation for the life of the study: it may have been answered and billed.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from overnight.core.outcome import ProblemKind
from overnight.core.recipe import Recipe
from overnight.core.usage import NO_USAGE, Usage, Usd
from overnight.ledger.database import transaction
from overnight.ledger.recipes import Recipes
from overnight.ledger.shards import Cap, Shards


@dataclass(frozen=True, slots=True)
class Tried:
    """What one smoke test is of. place: project/location."""

    realm: str
    place: str
    model: str
    recipe: Recipe


class Smokes:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def reserve(self, tried: Tried, address: bytes, worst: Usd, caps: Iterable[Cap], now: str) -> int | None:
        """The intent to ask one row, and its worst case reserved, in one transaction. Returns the row's number.

        None when the reservation would pass a cap: then nothing was written and nothing may be asked. before_shard is
        the number of the next shard, so a cap on "this run" counts rows of an earlier run that sent no shard too.
        """
        shards = Shards(self._db)
        with transaction(self._db):
            left = shards.left(tried.realm, caps)
            if left is not None and worst > left:
                return None
            Recipes(self._db).store(tried.recipe)
            cursor = self._db.execute(
                "INSERT INTO smoke (realm, place, model, recipe, address, before_shard, asked, reserved_usd)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    tried.realm,
                    tried.place,
                    tried.model,
                    tried.recipe.digest,
                    address,
                    shards.next_number(),
                    now,
                    worst.exact(),
                ),
            )
            return int(cursor.lastrowid or 0)

    def end(
        self,
        row: int,
        *,
        now: str,
        passed: bool,
        kind: ProblemKind | None,
        detail: str,
        usage: Usage = NO_USAGE,
        model_version: str = "",
        billed: Usd | None = None,
        keep: bool = False,
    ) -> None:
        """How a row ended. keep: what it cost is not known, so its whole reservation stays."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE smoke SET ended = ?, passed = ?, kind = ?, detail = ?, prompt_tokens = ?, cached_tokens = ?,"
                " thinking_tokens = ?, answer_tokens = ?, model_version = ?, billed_usd = ?,"
                " kept_usd = CASE WHEN ? THEN reserved_usd END, reserved_usd = NULL WHERE id = ?",
                (
                    now,
                    passed,
                    None if kind is None else kind.value,
                    detail,
                    usage.prompt,
                    usage.cached,
                    usage.thinking,
                    usage.answer,
                    model_version,
                    None if billed is None else billed.exact(),
                    keep,
                    row,
                ),
            )

    def passed(self, tried: Tried) -> bool:
        """Has a row of the same been answered as asked for, at any time?"""
        return bool(
            self._db.execute(
                "SELECT EXISTS (SELECT 1 FROM smoke WHERE realm = ? AND place = ? AND model = ? AND recipe = ?"
                " AND passed = 1)",
                (tried.realm, tried.place, tried.model, tried.recipe.digest),
            ).fetchone()[0]
        )

    def unended(self, tried: Tried) -> list[Usd]:
        """Reservations of rows of the same that were asked and never heard of again."""
        found = self._db.execute(
            "SELECT reserved_usd FROM smoke WHERE realm = ? AND place = ? AND model = ? AND recipe = ?"
            " AND ended IS NULL ORDER BY id",
            (tried.realm, tried.place, tried.model, tried.recipe.digest),
        )
        return [Usd(amount) for (amount,) in found]

    def usages(self, realm: str, model: str) -> list[tuple[str, bytes, Usage]]:
        """(digest of the recipe, address, tokens) of rows that were answered as asked for."""
        rows = self._db.execute(
            "SELECT recipe, address, prompt_tokens, cached_tokens, thinking_tokens, answer_tokens FROM smoke"
            " WHERE realm = ? AND model = ? AND passed = 1 AND prompt_tokens IS NOT NULL ORDER BY id",
            (realm, model),
        )
        return [(recipe, address, Usage(*counts)) for recipe, address, *counts in rows]
