"""What is in files, without a study: every table described, the files that cannot be read whole named, duplicates."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from overnight.core.record import Record
from overnight.errors import RecordsError
from overnight.records.describe import Description, describe_table
from overnight.records.detect import title_of
from overnight.records.duplicates import Found, Hashes, find_duplicates
from overnight.records.findings import Findings
from overnight.records.ids import AUTO
from overnight.records.opening import open_tables
from overnight.records.publications import Publication, publication_of
from overnight.records.references import NAMES as BIBLIOGRAPHIC
from overnight.records.survey import Survey, Surveyor
from overnight.records.table import Table
from overnight.requests.remarks import says_no_abstract


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One table that was read whole. first: the place of its first record among all records that were looked at."""

    table: Table
    description: Description
    survey: Survey
    first: int

    @property
    def title(self) -> str:
        """Its format's name for people."""
        return self.table.format.upper() if self.table.separator else title_of(self.table.format)

    @property
    def is_references(self) -> bool:
        """A bibliographic format, or a table with titles, abstracts and what a database says of a publication."""
        roles, known = self.survey.roles, self.survey.identifiers
        listed = roles.authors or roles.journal or known.pmid or known.doi
        return self.table.format in BIBLIOGRAPHIC or bool(roles.title and roles.abstract and listed)


@dataclass(frozen=True, slots=True)
class Refused:
    """A file of which nothing was taken."""

    path: Path
    error: RecordsError

    @property
    def reason(self) -> str:
        """The first thing that is wrong, with its place, on one line; and how many more there are."""
        first = self.error.findings[0]
        more = len(self.error.findings) - 1 + self.error.left_out
        return str(replace(first, hint="")) + (f"; and {more:,} more" if more else "")

    @property
    def reasons(self) -> list[str]:
        """Everything that is wrong, each with its place and what to do; at the end how many more there are."""
        left_out = self.error.left_out
        return [*map(str, self.error.findings), *([f"and {left_out:,} more"] if left_out else [])]


@dataclass(frozen=True, slots=True)
class Looked:
    """tables: in the order of the files; an archive has several. within, across: records that another record of the
    same file, or of a file before, is surely the same as; a member of an archive is a file. likely: pairs that a person
    may say yes or no to.
    """

    tables: tuple[LookedAt, ...]
    refused: tuple[Refused, ...]
    within: int
    across: int
    likely: int

    @property
    def n_records(self) -> int:
        return sum(one.survey.n_records for one in self.tables)

    @property
    def error(self) -> RecordsError | None:
        """Everything that is wrong in all files."""
        findings = Findings()
        for one in self.refused:
            findings.extend(one.error)
        return RecordsError(findings.kept, findings.left_out) if findings else None


def look_at(paths: Sequence[Path]) -> Looked:
    """Reads every file twice, once to open it and once to count, and what may be duplicates once more.

    A file in which something is wrong is `refused`, whole; the others are looked at all the same.
    """
    hashes = Hashes()
    tables: list[LookedAt] = []
    refused: list[Refused] = []
    first = 0
    for path in dict.fromkeys(paths):
        found: list[LookedAt] = []
        try:
            for table in open_tables(path):
                surveyor = Surveyor(table.columns, says_no_abstract, hashes)
                try:
                    described = describe_table(table, surveyor.see)
                    found.append(LookedAt(table, described, surveyor.survey, first))
                finally:  # rows of a file that is refused have their hashes too
                    first += surveyor.survey.n_records
        except RecordsError as error:
            refused.append(Refused(path, error))
        else:
            tables += found
    within, across, likely = _duplicates(tables, hashes)
    return Looked(tuple(tables), tuple(refused), within, across, likely)


def _duplicates(tables: Sequence[LookedAt], hashes: Hashes) -> tuple[int, int, int]:
    repeated = hashes.repeated()
    if not any(repeated):
        return 0, 0, 0
    found: Found = find_duplicates(list(_publications(tables, repeated)), {})
    starts = [one.first for one in tables]
    within = across = 0
    for group in found.groups:
        files = [bisect_right(starts, one.position) for one in group]
        across += len(set(files)) - 1
        within += len(files) - len(set(files))
    return within, across, len(found.likely)


def _publications(tables: Sequence[LookedAt], repeated: bytearray) -> Iterator[Publication]:
    for one in tables:
        columns, survey = one.table.columns, one.survey
        for position, (_, row) in enumerate(one.table.rows(), one.first):
            if position < len(repeated) and repeated[position]:
                values = dict(zip(columns, row, strict=True))
                record = Record(str(position), position, values, one.table.source.label)
                yield publication_of(record, survey.identifiers.of(values), survey.roles)


def text_columns(tables: Sequence[LookedAt]) -> tuple[str, ...]:
    """What the model is to see, under one name for all files: as the files have it, where they agree, else the names
    that every bibliography is read under. Of files with nothing in common, as the first has it."""
    own = {one.description.text_columns for one in tables}
    if not any(one.table.format in BIBLIOGRAPHIC for one in tables) and len(own) == 1:
        return own.pop()
    if all(one.is_references or (one.survey.roles.title and one.survey.roles.abstract) for one in tables):
        return ("title", "abstract")
    return tables[0].description.text_columns


def id_column(tables: Sequence[LookedAt]) -> str:
    """A column with an id for each record that all files have, or `auto`, which is best for a bibliography."""
    own = {one.description.id_column for one in tables}
    if len(own) == 1 and not any(one.is_references for one in tables):
        return own.pop() or AUTO
    return AUTO
