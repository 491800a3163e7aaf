"""What is in a table, counted in one pass over its rows: abstracts, identifiers, languages, types, years, columns."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from overnight.core.record import Cell, text_of
from overnight.records.duplicates import Hashes
from overnight.records.identifiers import IdentifierColumns, identifier_columns
from overnight.records.publications import telling_title, year_of
from overnight.records.references.reference import SEPARATOR
from overnight.records.roles import Roles, roles_of
from overnight.records.text_kinds import SHORT_CHARS, languages_of

_MOST_VALUES: Final = 1_000
"""Of a column of types or languages; one with more holds something else."""
_VALUE_CHARACTERS: Final = 80


@dataclass(slots=True)
class Survey:
    """Counts of records. filled: of each column, how many records have something in it.

    n_without_abstract: blank, or a database's remark that there is none; n_short: of the others, those below
    SHORT_CHARS. Both are 0 where no column is an abstract's. first_year: 0 where no record has a year.
    """

    columns: tuple[str, ...]
    roles: Roles
    identifiers: IdentifierColumns
    n_records: int = 0
    n_with_abstract: int = 0
    n_without_abstract: int = 0
    n_short: int = 0
    n_pmid: int = 0
    n_doi: int = 0
    n_key: int = 0
    n_unnamed: int = 0
    first_year: int = 0
    last_year: int = 0
    filled: list[int] = field(default_factory=list)
    languages: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)


class Surveyor:
    """Takes rows one at a time. says_none: whether an abstract only says that there is none."""

    def __init__(self, columns: Sequence[str], says_none: Callable[[str], bool], hashes: Hashes | None = None) -> None:
        self._says_none, self._hashes = says_none, hashes
        self.survey: Final = Survey(tuple(columns), roles_of(columns), identifier_columns(columns))
        self.survey.filled = [0] * len(self.survey.columns)

    def see(self, row: Sequence[Cell]) -> None:
        survey = self.survey
        survey.n_records += 1
        for place, cell in enumerate(row):
            if cell is not None and not (isinstance(cell, str) and not cell.strip()):
                survey.filled[place] += 1
        values = dict(zip(survey.columns, row, strict=True))
        roles = survey.roles
        self._see_identifiers(values)
        if roles.abstract:
            self._see_abstract(text_of(values[roles.abstract]).strip())
        if roles.year and (year := year_of(values[roles.year])):
            survey.first_year = min(survey.first_year or year, year)
            survey.last_year = max(survey.last_year, year)
        if roles.language:
            _tally(survey.languages, languages_of(text_of(values[roles.language])))
        if roles.type:
            _tally(survey.types, text_of(values[roles.type]).split(SEPARATOR))

    def _see_identifiers(self, values: dict[str, Cell]) -> None:
        survey = self.survey
        found = survey.identifiers.of(values)
        survey.n_pmid += bool(found.pmid)
        survey.n_doi += bool(found.doi)
        survey.n_key += bool(found.key)
        survey.n_unnamed += not found
        if self._hashes is not None:
            self._hashes.see(found, telling_title(values, survey.roles))

    def _see_abstract(self, abstract: str) -> None:
        survey = self.survey
        if not abstract or self._says_none(abstract):
            survey.n_without_abstract += 1
            return
        survey.n_with_abstract += 1
        survey.n_short += len(abstract) < SHORT_CHARS


def _tally(counts: Counter[str], values: Iterable[str]) -> None:
    for value in values:
        word = " ".join(value.split())[:_VALUE_CHARACTERS]
        if word and (word in counts or len(counts) < _MOST_VALUES):
            counts[word] += 1
