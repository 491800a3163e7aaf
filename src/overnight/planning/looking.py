"""Where a quote stands in a record's own cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from overnight.answers.decisions import Place, QuoteFound
from overnight.answers.quotes import find_quote
from overnight.core.record import Record
from overnight.planning.pinned import cleaned_texts
from overnight.requests.cleaning import Cleaned, cleaned
from overnight.study.screen_recipes import label_of


class Reading:
    """Where a record's texts stand in what quotes are looked for in."""

    def __init__(self, slots: Sequence[str], cleaning: int) -> None:
        self.slots, self.cleaning = tuple(slots), cleaning
        self.labels = tuple(label_of(column).lower() for column in slots)

    def of(self, record: Record) -> "Look":
        return Look(self, record)


@dataclass(slots=True)
class Look:
    """Looks for quotes in one record: in all its texts together, since a model quotes over the end of a title."""

    reading: Reading
    record: Record
    _text: str | None = None
    _cells: list[Cleaned] | None = None

    def __call__(self, quote: str) -> tuple[QuoteFound, Place | None]:
        if self._text is None:
            self._text = "\n".join(cleaned_texts(self.record, self.reading.slots, self.reading.cleaning))
        found = find_quote(quote, self._text)
        if found is None or found.how == "near":
            found = find_quote(self._without_label(quote), self._text) or found
        return ("no", None) if found is None else (found.how, self._place(found.start, found.end))

    def _without_label(self, quote: str) -> str:
        """The quote without a `Title: ` of ours that the model copied along."""
        label = next((label for label in self.reading.labels if quote.lower().startswith(label)), "")
        return quote[len(label) :] if label else ""

    def _place(self, start: int, end: int) -> Place | None:
        """In the cell as the table has it; of a passage over two cells the part in the first."""
        if self._cells is None:
            self._cells = [cleaned(self.record.values.get(slot), self.reading.cleaning) for slot in self.reading.slots]
        cells = self._cells
        starts = [0, *accumulate(len(cell.text) + 1 for cell in cells)]
        for slot, cell, first in zip(self.reading.slots, cells, starts, strict=False):
            if first <= start < first + len(cell.text):
                return Place(slot, *cell.span(start - first, min(end - first, len(cell.text))))
        return None
