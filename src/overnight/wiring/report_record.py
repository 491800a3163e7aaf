"""What the report shows of one record, whatever its task is."""

from collections.abc import Callable, Mapping, Sequence

from overnight.core.record import Cell, Record, text_of
from overnight.core.task import Settled, Task
from overnight.core.usage import NO_USAGE, Usd
from overnight.planning.wants import Account
from overnight.records.roles import roles_of
from overnight.report.records import Passage, Quote, SampleRecord
from overnight.requests.cleaning import clean
from overnight.study.models import Study


class RecordPage:
    """Makes a SampleRecord without what only its task knows. cost_of: None where the price is not known."""

    def __init__(self, study: Study, task: Task, cost_of: Callable[[Settled], Usd | None]) -> None:
        self._text_columns = study.text_columns
        self._title = roles_of(study.text_columns).title
        self._cleaning = task.recipes[0].cleaning
        self._cost_of = cost_of
        self._columns = {column.name: place for place, column in enumerate(task.columns)}

    def title(self, record: Record) -> str:
        return clean(record.values.get(self._title), self._cleaning)

    def cell(self, cells: Sequence[Cell], name: str) -> str:
        """Of the task's columns; empty where there is none of that name, or nothing in it."""
        place = self._columns.get(name)
        value = None if place is None else cells[place]
        return "" if value is None else str(value)

    def of(self, record: Record, account: Account, cells: Sequence[Cell], number: int) -> SampleRecord:
        settled = list(account.settled.values())
        outcomes = [one.outcome for one in settled]
        costs = [self._cost_of(one) for one in settled]
        known = [cost for cost in costs if cost is not None]
        kind = account.problem or account.not_sent
        return SampleRecord(
            record_id=record.record_id,
            state=account.outcome,  # type: ignore[arg-type]  # Account says so in words
            title=self.title(record),
            number=number,
            kind="" if kind is None else kind.value,
            detail="; ".join(dict.fromkeys(outcome.detail for outcome in outcomes if outcome.detail)),
            decision=self.cell(cells, "decision"),
            why=self.cell(cells, "why"),
            usage=outcomes[0].usage if len(outcomes) == 1 else NO_USAGE,
            cost=sum(known, Usd()) if known and len(known) == len(costs) else None,
            served="; ".join(dict.fromkeys(outcome.model_version for outcome in outcomes if outcome.model_version)),
        )

    def passages(self, record: Record, quotes: Mapping[str, Sequence[Quote]] | None = None) -> tuple[Passage, ...]:
        """Its texts with something in them; of the title only when something in it is quoted. quotes: by column."""
        quotes = quotes or {}
        texts = {name: text_of(record.values.get(name)) for name in self._text_columns}
        return tuple(
            Passage(name, text, tuple(quotes.get(name, ())))
            for name, text in texts.items()
            if text.strip() and (name != self._title or name in quotes)
        )
