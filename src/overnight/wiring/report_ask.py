"""What the report says of an `ask`: distributions of the answer fields, and its first records."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from overnight.core.record import Cell, Record
from overnight.planning.wants import Account
from overnight.report.records import SampleRecord
from overnight.report.render import MOST_SAMPLES
from overnight.report.tally import AnswerTally
from overnight.run.world import World
from overnight.wiring.report_record import RecordPage


class AskPart:
    def __init__(self, world: World, page: RecordPage) -> None:
        self._page = page
        self._tally = AnswerTally(world.task.recipes[0].schema.get("properties", {}))
        self._names = [column.name.removeprefix("a_") for column in world.task.columns]
        self._samples: list[SampleRecord] = []

    def add(self, number: int, record: Record, account: Account, cells: Sequence[Cell]) -> None:
        for one in account.settled.values():
            if one.outcome.kind is None:
                self._tally.add(orjson.loads(one.outcome.answer))
        if len(self._samples) < MOST_SAMPLES:
            shown = tuple((name, str(cell)) for name, cell in zip(self._names, cells, strict=True) if cell is not None)
            base = self._page.of(record, account, cells, number)
            self._samples.append(replace(base, fields=shown, passages=self._page.passages(record)))

    def data(self, closing: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002  # the answers hold all of it
        """Its part of ReportData."""
        return {"fields": self._tally.summaries(), "samples": tuple(self._samples)}
