"""The columns of results: ours fixed and documented (docs/reference/results.md), the user's under their own names."""

from collections.abc import Sequence
from typing import Final

from overnight.core.realm import is_simulated
from overnight.core.record import Cell, Record
from overnight.core.task import Column, Settled, Settlements, Table, Task
from overnight.core.usage import total_of
from overnight.planning.wants import Account
from overnight.run.billing import RowPricing

FIRST: Final = (Column("record_id"), Column("outcome"), Column("problem"), Column("duplicate_of"))
LAST: Final = (
    Column("detail"),
    Column("prompt_tokens", "integer"),
    Column("cached_tokens", "integer"),
    Column("thinking_tokens", "integer"),
    Column("answer_tokens", "integer"),
    Column("cost_usd"),
    Column("cost_simulated", "boolean"),
    Column("served_model"),
    Column("attempts", "integer"),
    Column("identity"),
    Column("key"),
    Column("raw_line"),
    Column("answered_by"),
)
"""Tokens, cost and attempts are of all the record's requests together. cost_usd: exact, of the attempts that count."""


ANSWERS: Final = Table(
    "samples",
    (Column("answer", "json"),),
    lambda _, settled: ((*place, [_answer_of(one)]) for place, one in sorted(settled.items())),
    by_request=True,
)
"""Of a task that has no tables of its own: each answer as it came."""
_HEAD: Final = (Column("record_id"), Column("stage"), Column("sample", "integer"))
_ENDED: Final = (Column("outcome"), Column("problem"))


def long_tables(task: Task) -> Sequence[Table]:
    return task.tables or (ANSWERS,)


def table_columns(table: Table) -> list[Column]:
    return [*_HEAD, *_ENDED, *table.columns, *LAST] if table.by_request else [*_HEAD, *table.columns]


PAST_DEADLINE: Final = "not sent again: past the deadline (give_up_after_days)"
"""Stands in `detail` behind what the last attempt ended with."""


def answered_by(realm: str) -> str:
    return "LOCAL STAND-IN, not a model" if is_simulated(realm) and realm == "stand-in" else realm


def our_columns(task: Task) -> list[Column]:
    """Ours: first, the task's own, last. The user's columns stand before the last."""
    return [*FIRST, *task.columns, *LAST]


def detail_of(account: Account) -> str | None:
    """Why there is no answer, in the service's own words where it had any: each thing once."""
    details = [one.outcome.detail for one in account.settled.values()]
    return _joined([*details, PAST_DEADLINE * account.past_deadline])


def raw_line_of(account: Account) -> str | None:
    """Where the lines it ends with are kept, `<label>/<file>.gz:<line>` below the raw folder. None: no line came."""
    return _joined([one.outcome.source for one in account.settled.values()])


class RowMaker:
    """Record and account → one row: first, the task's, the user's, last."""

    def __init__(self, task: Task, realm: str, originals: Sequence[str], pricing: RowPricing) -> None:
        self._task, self._originals, self._pricing = task, tuple(originals), pricing
        self._by, self._simulated = answered_by(realm), is_simulated(realm)

    def row(self, record: Record, account: Account, task_cells: Sequence[Cell]) -> list[Cell]:
        values = record.values
        return [
            *self._first(record, account),
            *task_cells,
            *(values.get(name) for name in self._originals),
            *self._last(account),
        ]

    def long(self, table: Table, record: Record, settled: Settlements) -> list[list[Cell]]:
        """A record's rows, by `table_columns`."""
        rows: list[list[Cell]] = []
        for stage, sample, cells in table.rows(record, settled):
            if not table.by_request:
                rows.append([record.record_id, stage, sample, *cells])
                continue
            one = settled[stage, sample]
            kind = one.outcome.kind
            ended: tuple[Cell, ...] = ("answer", None) if kind is None else ("problem", kind.value)
            last = self._of([one], one.outcome.detail or None, one.outcome.source or None)
            rows.append([record.record_id, stage, sample, *ended, *cells, *last])
        return rows

    def _first(self, record: Record, account: Account) -> tuple[Cell, ...]:
        why = account.problem or account.not_sent
        return record.record_id, account.outcome, None if why is None else str(why), record.duplicate_of or None

    def _last(self, account: Account) -> tuple[Cell, ...]:
        settled = list(account.settled.values())
        if not settled:
            return (None,) * (len(LAST) - 1) + ((None if account.outcome == "not_sent" else self._by),)
        return self._of(settled, detail_of(account), raw_line_of(account))

    def _of(self, settled: Sequence[Settled], detail: str | None, raw_line: str | None) -> tuple[Cell, ...]:
        """By LAST."""
        outcomes = [one.outcome for one in settled]
        return (
            detail,
            _sum([outcome.usage.prompt for outcome in outcomes]),
            _sum([outcome.usage.cached for outcome in outcomes]),
            _sum([outcome.usage.thinking for outcome in outcomes]),
            _sum([outcome.usage.answer for outcome in outcomes]),
            amount := self._cost(settled),
            None if amount is None else self._simulated,
            _joined([outcome.model_version for outcome in outcomes]),
            sum(one.attempts for one in settled),
            _joined([outcome.identity or "" for outcome in outcomes]),
            _joined([f"k{outcome.address.hex()}-a{outcome.attempt}" for outcome in outcomes]),
            raw_line,
            self._by,
        )

    def _cost(self, settled: Sequence[Settled]) -> str | None:
        amount = total_of(self._pricing.cost_of(one) for one in settled)
        return None if amount is None else amount.exact()


def _answer_of(one: Settled) -> str | None:
    """The answer's JSON."""
    return one.outcome.answer.decode() if one.outcome.kind is None else None


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _joined(words: Sequence[str]) -> str | None:
    return "; ".join(dict.fromkeys(word for word in words if word)) or None
