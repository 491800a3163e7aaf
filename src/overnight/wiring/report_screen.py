"""What the report says of a `screen`: decisions, criteria and quotes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from overnight.answers.quotes import find_quote
from overnight.core.record import Cell
from overnight.planning.wants import Account
from overnight.report.data import Criterion, Decisions, FieldSummary, Passage, Quote, Verdict
from overnight.requests.cleaning import cleaned
from overnight.study.models import ScreenSpec


class ScreenPart:
    """Decisions, criteria and quotes, from the result columns."""

    def __init__(self, screen: ScreenSpec, columns: Mapping[str, int], cleaning: int) -> None:
        self._screen, self._columns, self._cleaning = screen, columns, cleaning
        self._decisions: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._by: Counter[str] = Counter()
        self._verdicts: dict[str, Counter[str]] = {criterion.id: Counter() for criterion in screen.criteria}
        self._quotes: dict[str, Counter[bool]] = {criterion.id: Counter() for criterion in screen.criteria}

    def add(self, account: Account, cells: Sequence[Cell]) -> None:
        """Decisions are of all records that have one, as in the results; verdicts of those with an answer."""
        if decision := self._cell(cells, "decision"):
            self._decisions[decision] += 1
            self._by[self._cell(cells, "decided_by").replace("_", " ")] += 1
        if account.outcome != "answer":
            return
        if reason := self._cell(cells, "exclusion_reason"):
            self._reasons[reason] += 1
        for id_ in self._verdicts:
            self._verdicts[id_][self._cell(cells, f"c_{id_}") or "unclear"] += 1
            if self._cell(cells, f"c_{id_}_quote"):
                self._quotes[id_][self._cell(cells, f"c_{id_}_quote_found") != "no"] += 1

    def decisions(self) -> Decisions | None:
        order = {word: self._decisions[word] for word in ("include", "exclude", "unclear")}
        return Decisions(order, tuple(self._reasons.most_common()), tuple(self._by.most_common()))

    def criteria(self) -> tuple[Criterion, ...]:
        return tuple(
            Criterion(
                one.id,
                one.ask,
                one.kind,
                self._verdicts[one.id],
                self._quotes[one.id].total(),
                self._quotes[one.id][True],
            )
            for one in self._screen.criteria
        )

    def fields(self) -> tuple[FieldSummary, ...]:
        return ()

    def passages(self, texts: Mapping[str, str], cells: Sequence[Cell]) -> tuple[Passage, ...]:
        quotes = [(id_, self._cell(cells, f"c_{id_}_quote")) for id_ in self._verdicts]
        return tuple(
            Passage(name, text, tuple(_found(quotes, text, self._cleaning)))
            for name, text in texts.items()
            if text.strip()
        )

    def shown(self, cells: Sequence[Cell]) -> tuple[tuple[str, str], ...]:  # noqa: ARG002  # verdicts say it
        return ()

    def verdicts(self, cells: Sequence[Cell]) -> tuple[Verdict, ...]:
        return tuple(
            Verdict(
                id_,
                self._cell(cells, f"c_{id_}"),
                quote := self._cell(cells, f"c_{id_}_quote"),
                self._cell(cells, f"c_{id_}_quote_found") != "no" if quote else None,
                self._cell(cells, f"c_{id_}_reason"),
            )
            for id_ in self._verdicts
            if self._cell(cells, f"c_{id_}")
        )

    def _cell(self, cells: Sequence[Cell], name: str) -> str:
        value = cells[self._columns[name]]
        return "" if value is None else str(value)


def _found(quotes: Sequence[tuple[str, str]], text: str, cleaning: int) -> Iterator[Quote]:
    """Looked for in what the model saw, shown where it stands in the record."""
    seen = cleaned(text, cleaning)
    for id_, quote in quotes:
        place = find_quote(quote, seen.text) if quote else None
        if place is not None:
            yield Quote(*seen.span(place.start, place.end), id_)
