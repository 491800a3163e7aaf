"""What is known of models and prices, as one value: the packaged tables, with a study's own file on top."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from overnight.errors import Finding, StudyError
from overnight.pricing.catalogue import Catalogue, Model, model_row, packaged_models
from overnight.pricing.prices import Price, PriceList, overlap, packaged_prices, price_row

T = TypeVar("T")
_TABLES: Final = ("model", "price")
_HINTS: Final = {
    "model": 'A row looks so: [[model]] id = "gemini-9", context_tokens = 1_048_576, max_output_tokens = 65_536,'
    ' surfaces = { vertex_batch = "yes" }, levels = ["low", "high"], checked = 2026-11-22; one key a line.',
    "price": 'A row looks so: [[price]] model = "gemini-9", input = "0.75", output = "3.75", cached = "0.075",'
    " valid_from = 2026-11-22, checked = 2026-11-22; one key a line. docs/reference/models-and-prices.md has all keys.",
}


@dataclass(frozen=True)
class Tables:
    models: Catalogue
    prices: PriceList


@functools.cache
def packaged_tables() -> Tables:
    """What this version knows."""
    return Tables(packaged_models(), packaged_prices())


def with_own(tables: Tables, toml: str, file: str) -> Tables:
    """The user's own file on top. file: its name, for findings and for `source` of each row.

    A `[[model]]` row stands over the one of its id, key by key; a `[[price]]` row over those of its model, surface and
    mode, on its days. Raises StudyError with all findings, each with row and line.
    """
    own = _Own(toml, file)
    said_by = f"your own file {file}"
    models = own.rows("model", lambda row: model_row(row, tables.models.models.get(str(row.get("id"))), said_by))
    prices = own.rows("price", lambda row: price_row(row, said_by))
    own.check_ids(models)
    own.check_days(prices)
    if own.findings:
        raise StudyError(own.findings)
    return Tables(tables.models.with_own([model for _, model in models]), tables.prices.with_own(p for _, p in prices))


class _Own:
    """One file, being read. Rows come with their number, from 0."""

    def __init__(self, toml: str, file: str) -> None:
        self._file, self.findings, self._data = file, list[Finding](), dict[str, Any]()
        self._lines = {table: _headers(toml, table) for table in _TABLES}
        import tomllib

        try:
            self._data = tomllib.loads(toml)
        except tomllib.TOMLDecodeError as cause:
            line = re.search(r"line (\d+)", str(cause))
            self.findings.append(Finding(f"this is not TOML: {cause}", file=file, line=int(line[1]) if line else 0))
        for key in self._data:
            if key not in _TABLES:
                hint = "It holds [[model]] and [[price]] rows, and nothing else."
                self.findings.append(Finding(f"`{key}` is no table of this file", file=file, hint=hint))

    def rows(self, table: str, read: Callable[[Mapping[str, Any]], T]) -> list[tuple[int, T]]:
        written = self._data.get(table, [])
        if not isinstance(written, list):
            self._add(table, 0, f"`{table}` is a list of rows: write [[{table}]], in two pairs of brackets")
            return []
        found = []
        for n, row in enumerate(written):
            try:
                found.append((n, read(row if isinstance(row, dict) else {"row": row})))
            except (TypeError, ValueError) as fault:
                self._add(table, n, str(fault))
        return found

    def check_ids(self, models: list[tuple[int, Model]]) -> None:
        seen: dict[str, int] = {}
        for n, model in models:
            if model.id in seen:
                self._add("model", n, f"{model.id} has a row already, row {seen[model.id] + 1}")
            seen.setdefault(model.id, n)

    def check_days(self, prices: list[tuple[int, Price]]) -> None:
        for place, (n, row) in enumerate(prices):
            for before, other in prices[:place]:
                if _key(row) == _key(other) and overlap(row, other):
                    day = max(row.valid_from, other.valid_from)
                    what = f"two {row.mode} prices of {row.model} hold on {day}: this one and row {before + 1}"
                    self._add("price", n, what)

    def _add(self, table: str, n: int, what: str) -> None:
        lines = self._lines[table]
        line = lines[n] if n < len(lines) else 0
        self.findings.append(Finding(what, path=f"{table}[{n}]", file=self._file, line=line, hint=_HINTS[table]))


def _key(row: Price) -> tuple[str, str, str]:
    return row.model, row.surface, row.mode


def _headers(toml: str, table: str) -> list[int]:
    """Lines on which rows of a table begin. A row that is written in another way is named by its number alone."""
    header = re.compile(rf"\s*\[\[\s*{table}\s*\]\]")
    return [number for number, line in enumerate(toml.splitlines(), start=1) if header.match(line)]
