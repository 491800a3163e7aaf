"""What a person is told, before anything is sent, of records with blank texts: counted one by one, said once."""

from collections import Counter
from typing import Final

from overnight.core.record import Record, text_of
from overnight.errors import Finding
from overnight.study.models import AskSpec, Study

_FATES: Final = {
    "person": ("is not sent: a person decides", "are not sent: a person decides"),
    "title_only": ("is judged by its title", "are judged by their title"),
    "error": ("is refused", "are refused"),
}


class BlankSlots:
    """Of an `ask`: records where some of the prompt's columns are blank and others not. They are sent as they are.

    Where all are blank, nothing is sent (`no_text`) and results say so. A `screen` has `records.no_abstract` for it.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._columns: Final = study.text_columns if isinstance(study.task, AskSpec) else ()
        self._n = 0
        self._blank: Counter[str] = Counter()

    def see(self, record: Record) -> None:
        blank = [name for name in self._columns if not text_of(record.values.get(name)).strip()]
        if 0 < len(blank) < len(self._columns):
            self._n += 1
            self._blank.update(blank)

    def warnings(self) -> list[Finding]:
        """At most one, with the columns by how often they are blank."""
        if not self._n:
            return []
        columns = ", ".join(f"{name} ({n:,})" for name, n in self._blank.most_common())
        they = "1 record has" if self._n == 1 else f"{self._n:,} records have"
        what = f"{they} no text in a column that the prompt shows: {columns}. {'It is' if self._n == 1 else 'They are'}"
        hint = "Fill the cells in or take the records out, if the question needs what is missing."
        finding = Finding(f"{what} sent with nothing in its place", path="ask.prompt", hint=hint, level="warning")
        return [self._study.placed(finding)]


def missing_abstracts(study: Study, n: int) -> list[Finding]:
    """Of a `screen`: what becomes of the n records without an abstract; nothing when there are none."""
    if not n:
        return []
    one, several = _FATES[study.records.no_abstract]
    what = f"1 record has no abstract; it {one}" if n == 1 else f"{n:,} records have no abstract; they {several}"
    return [study.placed(Finding(what, path="records.no_abstract", level="warning"))]
