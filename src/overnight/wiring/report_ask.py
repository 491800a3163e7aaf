"""What the report says of an `ask`: distributions of the answer fields."""

from collections.abc import Mapping, Sequence

import orjson

from overnight.core.record import Cell
from overnight.planning.wants import Account
from overnight.report.data import Criterion, Decisions, FieldSummary, Passage, Verdict
from overnight.report.tally import AnswerTally
from overnight.run.world import World


class AskPart:
    def __init__(self, world: World) -> None:
        self._tally = AnswerTally(world.task.recipes[0].schema.get("properties", {}))
        self._names = [column.name.removeprefix("a_") for column in world.task.columns]

    def add(self, account: Account, cells: Sequence[Cell]) -> None:  # noqa: ARG002  # the answers hold all of it
        for one in account.settled.values():
            if one.outcome.kind is None:
                self._tally.add(orjson.loads(one.outcome.answer))

    def decisions(self) -> Decisions | None:
        return None

    def criteria(self) -> tuple[Criterion, ...]:
        return ()

    def fields(self) -> tuple[FieldSummary, ...]:
        return self._tally.summaries()

    def passages(self, texts: Mapping[str, str], cells: Sequence[Cell]) -> tuple[Passage, ...]:  # noqa: ARG002  # no quotes
        return tuple(Passage(name, text) for name, text in texts.items() if text.strip())

    def shown(self, cells: Sequence[Cell]) -> tuple[tuple[str, str], ...]:
        return tuple((name, str(cell)) for name, cell in zip(self._names, cells, strict=True) if cell is not None)

    def verdicts(self, cells: Sequence[Cell]) -> tuple[Verdict, ...]:  # noqa: ARG002  # none in an ask
        return ()
