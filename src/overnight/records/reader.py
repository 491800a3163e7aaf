"""All tables of a study as one set of records, each with an id."""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from overnight.core.record import Cell, Record
from overnight.core.task import Column
from overnight.errors import Finding, RecordsError
from overnight.records.census import Census, IdNotes, SharedKeys, SourceCount, print_of, shared_keys_note
from overnight.records.columns import reconciled
from overnight.records.duplicates import Hashes
from overnight.records.findings import Findings, found, refuse, shown
from overnight.records.hashes import hash63
from overnight.records.identifiers import NO_IDENTIFIERS, Identifiers, identifier_columns
from overnight.records.ids import AUTO, id_text, text_id
from overnight.records.names import Names, sure_names
from overnight.records.opening import open_tables
from overnight.records.publications import Publication, publication_of, telling_title
from overnight.records.roles import roles_of
from overnight.records.table import Entry, Table
from overnight.records.tables.kinds import merged


@dataclass(frozen=True, slots=True)
class RecordsFile:
    """One file of `records.files`. source: the person's name for where it came from, such as Scopus; may be empty."""

    path: Path
    source: str = ""


def read_records(files: Sequence[RecordsFile], *, id: str, text: Sequence[str]) -> "RecordSet":  # noqa: A002 - the study's word
    """Opens every file and looks for the columns named. Rows are read when the set is iterated or checked.

    id: a column, or `auto`. text: the columns the model sees. Raises RecordsError with what is wrong in all files.
    """
    findings = Findings()
    if not files:
        findings.add(Finding("no files", path="records.files", hint="Name at least one table."))
    tables: list[Table] = []
    sources: list[str] = []
    wanted = [("records.id", id)] if id != AUTO else []
    wanted += [("records.text", name) for name in text]
    for opened, said in _opened(files, findings):
        table, errors = reconciled(opened, wanted)
        tables.append(table)
        sources.append(said)
        for error in errors:
            findings.add(error)
    if id == AUTO and not text:
        hint = "Name the columns the model sees, or name an id column."
        findings.add(Finding("`id: auto` needs text columns", path="records.text", hint=hint))
    findings.raise_if_any()
    return RecordSet(tables, sources, id, tuple(text))


def _opened(files: Sequence[RecordsFile], findings: Findings) -> Iterator[tuple[Table, str]]:
    """Every table with the person's name for where it came from. What cannot be opened is added to `findings`."""
    for file in files:
        try:
            opened_as = _version(file.path)
            opened = open_tables(file.path)
        except RecordsError as error:
            findings.extend(error)
            continue
        for table in opened:
            yield replace(table, entries=partial(_unchanged, table, opened_as)), file.source


def _version(path: Path) -> tuple[int, int] | None:
    """Size and time of the last change; None where there is no such file, which opening it says better."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _unchanged(table: Table, opened_as: tuple[int, int] | None) -> Iterator[Entry]:
    """The rows, of the file that was opened: each pass over the records has to see the same ones.

    Raises RecordsError when it is another one before or after they were read.
    """
    for rows in (table.entries(), iter(())):
        now = _version(table.path)
        if now is not None and now != opened_as:  # None: it is gone, which reading it says better
            raise refuse(table.source, "the file changed while it was read", hint="Run again.")
        yield from rows


class RecordSet:
    """The records of a study, in the order of its files and their rows. Iterating reads the files anew, streamed.

    Iterating raises RecordsError at the first bad row or blank id; uniqueness of ids is `check`'s to say.
    """

    def __init__(self, tables: Sequence[Table], sources: Sequence[str], id_column: str, text: tuple[str, ...]) -> None:
        self._tables, self._sources = tuple(tables), tuple(sources)
        self._id, self._text = id_column, text
        self._notes = tuple(note for table in tables for note in table.notes)
        self._found: tuple[Finding, ...] = ()
        self._census = Census()
        self._identifiers = tuple(identifier_columns(table.columns) for table in tables)
        self._roles = tuple(roles_of(table.columns) for table in tables)
        self._look = id_column == AUTO
        self._shared_keys: frozenset[int] = frozenset()
        self._names: Mapping[int, str] = {}
        self._own_hashes: dict[int, int] = {}
        self._duplicates: Mapping[int, str] = {}
        types: dict[str, str] = {}
        for table in tables:
            for name, kind in zip(table.columns, table.types, strict=True):
                types[name] = merged(types.get(name, kind), kind)
        self._types = types
        names = Counter(table.source.label for table in tables)
        self._files = tuple(
            table.source.label if names[table.source.label] == 1 else str(table.source) for table in tables
        )
        self._labels = tuple(
            (f"{source}, " if source else "") + file + (":" if table.by_line else ", row ")
            for table, source, file in zip(tables, sources, self._files, strict=True)
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The union over all files, first seen first. Every record has all of them; None where its file has not."""
        return tuple(self._types)

    @property
    def typed_columns(self) -> tuple[Column, ...]:
        """`columns` with the type their values have in every file (`text` where files differ), for `write_table`."""
        return tuple(Column(name, kind) for name, kind in self._types.items())

    @property
    def formats(self) -> frozenset[str]:
        """Of its files: `csv`, `ris` and the like."""
        return frozenset(table.format for table in self._tables)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """Warnings: those of the files, and after `check` those about ids."""
        return self._notes + self._found

    @property
    def census(self) -> Census:
        """Of the last `check`, with the names that were settled since."""
        return self._census

    @property
    def by_identifiers(self) -> bool:
        """Are ids made here, and does a table have identifiers to make them of?"""
        return self._id == AUTO and any(self._identifiers)

    def __iter__(self) -> Iterator[Record]:
        for row in self._read(_raise):
            yield row.record

    @property
    def made_ids(self) -> bool:
        """Are ids made here, and not taken from a column?"""
        return self._id == AUTO

    def prints(self) -> "array[int]":
        """`print_of` each record. Those of a study without identifiers are not taken by `check`, but here, once."""
        if not self._census.prints:
            self._census.prints.extend(print_of(record.record_id, aliases) for record, _, aliases in self.identified())
        return self._census.prints

    def identified(self) -> Iterator[tuple[Record, Identifiers, tuple[str, ...]]]:
        """(record, what it is known by elsewhere, its aliases: the best first, the hash of its text last)."""
        for row in self._read(_raise):
            yield row.record, row.identifiers, self._aliases(row)

    def publications(self, wanted: Callable[[Record], bool]) -> Iterator[Publication]:
        """What the records wanted say of the publications they are of."""
        for row in self._read(_raise):
            if wanted(row.record):
                yield publication_of(row.record, row.identifiers, self._roles[row.number])

    def rename(self, names: Mapping[int, str]) -> None:
        """position → the name a record had before, in place of the one it would have in an empty study.

        Takes the place of what was said before.
        """
        for position, before in self._own_hashes.items():
            self._census.names[position] = before
        self._own_hashes = {position: self._census.names[position] for position in names}
        self._names = names
        for position, name in names.items():
            self._census.names[position] = hash63(name)

    def set_aside(self, duplicates: Mapping[int, str]) -> None:
        """position → the id of the record that stands for it."""
        self._duplicates = duplicates

    @property
    def aside(self) -> Mapping[int, str]:
        """What was set aside last."""
        return self._duplicates

    @property
    def survivors(self) -> frozenset[str]:
        """Ids of the records that stand for others."""
        return frozenset(self._duplicates.values())

    def sources(self) -> list[SourceCount]:
        """How many records, and how many of them set aside, came from each source, in the order of the files."""
        counts: dict[str, SourceCount] = {}
        starts, position = [], 0
        names = [said or file for said, file in zip(self._sources, self._files, strict=True)]
        for name, n in zip(names, self._census.per_table, strict=True):
            counts.setdefault(name, SourceCount(name)).records += n
            starts.append(position)
            position += n
        for position in self._duplicates:
            counts[names[bisect_right(starts, position) - 1]].duplicates += 1
        return list(counts.values())

    def check(self, hashes: Hashes | None = None) -> int:
        """Reads everything once and returns the number of records. hashes: is shown each of them, to find duplicates.

        Raises RecordsError with all findings: rows that cannot be read, blank ids, ids that are there twice (both
        places named; for those the files are read once more). Keeps a hash of each id: about 80 MB for a million.
        """
        self._look = self._id == AUTO or hashes is not None
        findings, notes = Findings(), IdNotes()
        keys = SharedKeys()
        self._census = census = Census(per_table=[0] * len(self._tables))
        seen: set[int] = set()
        again: set[int] = set()
        for row in self._read(findings.add):
            number = hash63(row.record.record_id)
            census.names.append(number)
            census.per_table[row.number] += 1
            if hashes is not None:
                hashes.see(row.identifiers, telling_title(row.record.values, self._roles[row.number]))
            if self._id != AUTO:
                notes.see_id(row.record, self._id)
                (again if number in seen else seen).add(number)
            elif self.by_identifiers:
                aliases = self._aliases(row)
                census.prints.append(print_of(row.record.record_id, aliases))
                keys.see(row.identifiers, aliases[-1])
                notes.see_identifiers(row.record, self._identifiers[row.number], row.identifiers)
        if again:
            self._find_twins(again, findings)
        findings.raise_if_any()
        if keys.shared - self._shared_keys:  # known only now: names are made once more, without them
            self._shared_keys |= keys.shared
            return self.check(None if hashes is None else hashes.again())
        self._found = (*notes.listed(), *shared_keys_note(len(self._shared_keys)))
        return len(census.names)

    def _find_twins(self, hashes: set[int], findings: Findings) -> None:
        first: dict[str, str] = {}
        for row in self._read(lambda _: None):
            record = row.record
            if hash63(record.record_id) not in hashes:
                continue
            before = first.setdefault(record.record_id, record.source)
            if before != record.source:
                what = f"the id {shown(record.record_id)} is there twice: at {before} and at {record.source}"
                hint = "Ids are unique over all files: remove one row, name another column, or write `id: auto`."
                findings.add(_at(row.table, row.place, what, hint))

    def _read(self, report: Callable[[Finding], None]) -> Iterator["_Row"]:
        blank = dict.fromkeys(self._types)
        names = Names(self._shared_keys)
        position = 0
        for number, (table, label) in enumerate(zip(self._tables, self._labels, strict=True)):
            columns, whole, known = table.columns, table.columns == self.columns, self._identifiers[number]
            for place, row, raw in table.entries():
                if isinstance(row, Finding):
                    report(row)
                    continue
                values = dict(zip(columns, row, strict=True))
                identifiers = known.of(values) if known and self._look else NO_IDENTIFIERS
                if not whole:
                    values = blank | values
                if self._id == AUTO:
                    record_id = names(identifiers, (values[name] for name in self._text))
                elif (record_id := self._column_id(table, place, values[self._id], report)) == "":
                    continue
                record_id = self._names.get(position, record_id)
                of = self._duplicates.get(position, "")
                record = Record(record_id, position, values, f"{label}{place}", table.format, raw, of)
                yield _Row(number, table, place, record, identifiers)
                position += 1

    def _column_id(self, table: Table, place: int, cell: Cell, report: Callable[[Finding], None]) -> str:
        """Empty where there is none, which is reported."""
        try:
            record_id = id_text(cell)
        except ValueError as error:
            report(_at(table, place, str(error), "Write the ids as text where the table is made."))
            return ""
        if not record_id:
            hint = "Give the row an id, remove it, or write `id: auto`."
            report(_at(table, place, f"no id: {shown(self._id)} is blank", hint))
        return record_id

    def _aliases(self, row: "_Row") -> tuple[str, ...]:
        by_text = text_id(row.record.values[name] for name in self._text)
        return (*sure_names(row.identifiers, self._shared_keys), by_text)


@dataclass(frozen=True, slots=True)
class _Row:
    """number: of the table in the study."""

    number: int
    table: Table
    place: int
    record: Record
    identifiers: Identifiers


def _raise(finding: Finding) -> None:
    raise RecordsError([finding])


def _at(table: Table, place: int, what: str, hint: str) -> Finding:
    if table.by_line:
        return found(table.source, what, line=place, hint=hint)
    return found(table.source, f"row {place:,}: {what}", hint=hint)
