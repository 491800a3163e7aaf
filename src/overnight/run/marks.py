"""What a row of results becomes on a record in a reference manager: keywords and one note."""

from collections.abc import Iterator, Sequence
from typing import Final

from overnight.core.realm import is_simulated
from overnight.core.record import Cell
from overnight.core.task import Column, Task
from overnight.records.writers.cells import plain_text
from overnight.records.writers.marks import Marks, joined, shortened
from overnight.run.results import FIRST, LAST, answered_by

DECISIONS: Final = ("include", "exclude", "unclear")
DUPLICATE: Final = "overnight:duplicate"
NEEDS_PERSON: Final = "overnight:needs-person"
STAND_IN: Final = "overnight:LOCAL STAND-IN"

_NAMED: Final = ("outcome", "problem", "duplicate_of")
_OUTCOME, _PROBLEM, _DUPLICATE_OF = ([column.name for column in FIRST].index(n) for n in _NAMED)
_DECIDERS: Final = ("samples", "adjudicator")
_KEYWORD_CHARS: Final = 100
_QUOTE_CHARS: Final = 200
_TEXT_CHARS: Final = 300


def criteria_of(columns: Sequence[Column]) -> list[str]:
    """The columns with verdicts: those that have a quote, where it was found and a reason beside them."""
    names = {column.name for column in columns}
    beside = ("_quote", "_quote_found", "_reason")
    return [column.name for column in columns if all(column.name + end in names for end in beside)]


class MarkMaker:
    """Rows as run/results.py makes them."""

    def __init__(self, task: Task, realm: str) -> None:
        self._columns = tuple(task.columns)
        self._by = answered_by(realm) if is_simulated(realm) else ""
        self._criteria = criteria_of(self._columns)
        self.decides = any(column.name == "decision" for column in self._columns)

    def decision(self, row: Sequence[Cell]) -> str:
        """Which of DECISIONS' files it belongs to. What is not decided needs a look, as what is unclear does.

        None of them (empty) for a record that another one stands for: that one is there.
        """
        if row[_OUTCOME : _PROBLEM + 1] == ["not_sent", "duplicate"]:
            return ""
        said = str(self._cells(row).get("decision") or "")
        return said if said in DECISIONS else DECISIONS[-1]

    def of(self, row: Sequence[Cell]) -> Marks:
        cells = self._cells(row)
        keywords = [
            f"{column.keyword}:{shortened(plain_text(cells[column.name]), _KEYWORD_CHARS)}"
            for column in self._columns
            if column.keyword and cells[column.name] not in (None, "")
        ]
        if self.decides and not cells["decision"]:
            keywords.insert(0, "screening:open")
        if cells.get("needs_person") is True and self.decides:
            keywords.append(NEEDS_PERSON)
        if row[_PROBLEM] == "duplicate":
            keywords.append(DUPLICATE)
        if self._by:
            keywords.append(STAND_IN)
        said = self._screened(cells) if self.decides else self._answered(cells)
        return Marks.of(keywords, joined([self._by, *said, *self._without_answer(row)]))

    def _cells(self, row: Sequence[Cell]) -> dict[str, Cell]:
        names = (column.name for column in self._columns)
        return dict(zip(names, row[len(FIRST) : len(FIRST) + len(self._columns)], strict=True))

    def _screened(self, cells: dict[str, Cell]) -> Iterator[str]:
        if not cells["decision"]:
            return
        reason = f" ({cells['exclusion_reason']})" if cells["exclusion_reason"] else ""
        yield f"{cells['decision']}{reason}"
        yield plain_text(cells["why"])
        yield from self._by_whom(cells)
        for name in self._criteria:
            if cells[name]:
                yield self._judged(name, cells)

    def _by_whom(self, cells: dict[str, Cell]) -> Iterator[str]:
        """How far samples agree, who decided where not one sample did, and why a person has to look where `why` does
        not say it."""
        if cells["decided_by"] in _DECIDERS and cells["agreement"]:
            yield f"decided by the {cells['decided_by']}, {cells['agreement']} agree"
        if cells["needs_person"] and cells["needs_person_why"] != cells["why"]:
            yield f"a person has to look: {plain_text(cells['needs_person_why'])}"

    def _judged(self, name: str, cells: dict[str, Cell]) -> str:
        said = f"{name.removeprefix('c_')} {plain_text(cells[name]).replace('_', ' ')}"
        quote = shortened(plain_text(cells[f"{name}_quote"]), _QUOTE_CHARS)
        if not quote:
            return said
        return f'{said} "{quote}"' + (" (not found in the text)" if cells[f"{name}_quote_found"] == "no" else "")

    def _answered(self, cells: dict[str, Cell]) -> Iterator[str]:
        for name, cell in cells.items():
            if text := shortened(plain_text(cell), _TEXT_CHARS):
                yield f"{name.removeprefix('a_')}: {text}"

    def _without_answer(self, row: Sequence[Cell]) -> Iterator[str]:
        """Why there is none: the outcome, its kind, and the service's own words."""
        if row[_OUTCOME] != "answer":
            words = (plain_text(cell).replace("_", " ") for cell in (row[_OUTCOME], row[_PROBLEM]) if cell)
            yield ": ".join(words) + (f" of {row[_DUPLICATE_OF]}" if row[_DUPLICATE_OF] else "")
            yield shortened(plain_text(row[-len(LAST)]), _TEXT_CHARS)
