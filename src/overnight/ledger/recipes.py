"""Recipes and pins: the exact words a study began with."""

import json
import sqlite3
from collections.abc import Iterable

from overnight.core.recipe import Part, Recipe
from overnight.errors import LedgerError
from overnight.ledger.health import RECOVER, reading


def recipe_to_json(recipe: Recipe) -> str:
    return json.dumps(
        {
            "stage": recipe.stage,
            "system": recipe.system,
            "prompt": [[part.kind, part.value] for part in recipe.prompt],
            "schema": recipe.schema,
            "thinking": recipe.thinking,
            "own": recipe.own,
            "renderer": recipe.renderer,
            "cleaning": recipe.cleaning,
            "silence": recipe.silence,
        },
        ensure_ascii=False,
    )


def recipe_from_json(body: str) -> Recipe:
    value = json.loads(body)
    value["prompt"] = tuple(Part(kind, text) for kind, text in value["prompt"])
    return Recipe(**value)


class Recipes:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def store(self, recipe: Recipe) -> None:
        """Part of the caller's transaction. What is not in the digest (`own`, `silence`) is as it was stored last."""
        self._db.execute(
            "INSERT INTO recipe VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET body = excluded.body"
            " WHERE body <> excluded.body",
            (recipe.digest, recipe_to_json(recipe)),
        )

    def load(self, digest: str) -> Recipe:
        recipe = self.find(digest)
        if recipe is None:
            raise LedgerError(f"the ledger does not hold recipe {digest[:12]}…")
        return recipe

    def find(self, digest: str) -> Recipe | None:
        """None where the ledger does not hold it."""
        found = self._db.execute("SELECT body FROM recipe WHERE digest = ?", (digest,)).fetchone()
        if found is None:
            return None
        with reading("a recipe"):
            recipe = recipe_from_json(found[0])
        if recipe.digest != digest:
            raise LedgerError(
                f"recipe {digest[:12]}… reads back as {recipe.digest[:12]}…: the ledger was changed by other hands",
                hint=RECOVER,
            )
        return recipe

    def pin(self, pins: Iterable[tuple[str, int, Recipe]], now: str) -> None:
        """Part of the caller's transaction."""
        for stage, sample, recipe in pins:
            self.store(recipe)
            self._db.execute(
                "INSERT INTO pin VALUES (?, ?, ?, ?) ON CONFLICT (stage, sample)"
                " DO UPDATE SET recipe = excluded.recipe, pinned = excluded.pinned WHERE recipe <> excluded.recipe",
                (stage, sample, recipe.digest, now),
            )

    def pinned(self) -> dict[tuple[str, int], Recipe]:
        rows = self._db.execute("SELECT stage, sample, recipe FROM pin").fetchall()
        return {(stage, sample): self.load(digest) for stage, sample, digest in rows}
