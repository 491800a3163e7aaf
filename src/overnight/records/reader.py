"""All tables of a study as one set of records, each with an id."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from overnight.core.record import Record
from overnight.core.task import Column
from overnight.errors import Finding, RecordsError
from overnight.records.columns import reconciled
from overnight.records.findings import Findings, found, refuse, shown
from overnight.records.ids import AUTO, AutoIds, id_text
from overnight.records.opening import open_tables
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
        self._tables = tuple(tables)
        self._id, self._text = id_column, text
        self._notes = tuple(note for table in tables for note in table.notes)
        self._trimmed: tuple[Finding, ...] = ()
        types: dict[str, str] = {}
        for table in tables:
            for name, kind in zip(table.columns, table.types, strict=True):
                types[name] = merged(types.get(name, kind), kind)
        self._types = types
        names = [table.source.label for table in tables]
        self._labels = tuple(
            (f"{source}, " if source else "")
            + (table.source.label if names.count(table.source.label) == 1 else str(table.source))
            + (":" if table.by_line else ", row ")
            for table, source in zip(tables, sources, strict=True)
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
    def notes(self) -> tuple[Finding, ...]:
        """Warnings: those of the files, and after `check` those about ids."""
        return self._notes + self._trimmed

    def __iter__(self) -> Iterator[Record]:
        for _, _, record in self._read(_raise):
            yield record

    def check(self) -> int:
        """Reads everything once and returns the number of records.

        Raises RecordsError with all findings: rows that cannot be read, blank ids, ids that are there twice (both
        places named; for those the files are read once more). Keeps a hash of each id: about 80 MB for a million.
        """
        findings = Findings()
        count = n_trimmed = 0
        first_trimmed = ""
        seen: set[int] = set()
        again: set[int] = set()
        for _, _, record in self._read(findings.add):
            count += 1
            if self._id == AUTO:
                continue
            raw = record.values[self._id]
            if raw is not record.record_id and isinstance(raw, str) and raw != record.record_id:
                n_trimmed += 1
                first_trimmed = first_trimmed or record.source
            mark = hash(record.record_id)
            (again if mark in seen else seen).add(mark)
        if again:
            self._find_twins(again, findings)
        findings.raise_if_any()
        self._trimmed = self._trim_note(n_trimmed, first_trimmed)
        return count

    def _trim_note(self, n_trimmed: int, first: str) -> tuple[Finding, ...]:
        if not n_trimmed:
            return ()
        what = f"white space around {n_trimmed:,} id{'' if n_trimmed == 1 else 's'} was removed, first at {first}"
        return (Finding(what, path="records.id", level="warning"),)

    def _find_twins(self, hashes: set[int], findings: Findings) -> None:
        first: dict[str, str] = {}
        for table, place, record in self._read(lambda _: None):
            if hash(record.record_id) not in hashes:
                continue
            before = first.setdefault(record.record_id, record.source)
            if before != record.source:
                what = f"the id {shown(record.record_id)} is there twice: at {before} and at {record.source}"
                hint = "Ids are unique over all files: remove one row, name another column, or write `id: auto`."
                findings.add(_at(table, place, what, hint))

    def _read(self, report: Callable[[Finding], None]) -> Iterator[tuple[Table, int, Record]]:
        blank = dict.fromkeys(self._types)
        auto = AutoIds() if self._id == AUTO else None
        position = 0
        for table, label in zip(self._tables, self._labels, strict=True):
            columns, whole = table.columns, table.columns == self.columns
            for place, row, raw in table.entries():
                if isinstance(row, Finding):
                    report(row)
                    continue
                values = dict(zip(columns, row, strict=True))
                if not whole:
                    values = blank | values
                if auto:
                    record_id = auto(values[name] for name in self._text)
                else:
                    try:
                        record_id = id_text(values[self._id])
                    except ValueError as error:
                        report(_at(table, place, str(error), "Write the ids as text where the table is made."))
                        continue
                    if not record_id:
                        hint = "Give the row an id, remove it, or write `id: auto`."
                        report(_at(table, place, f"no id: {shown(self._id)} is blank", hint))
                        continue
                yield table, place, Record(record_id, position, values, f"{label}{place}", table.format, raw)
                position += 1


def _raise(finding: Finding) -> None:
    raise RecordsError([finding])


def _at(table: Table, place: int, what: str, hint: str) -> Finding:
    if table.by_line:
        return found(table.source, what, line=place, hint=hint)
    return found(table.source, f"row {place:,}: {what}", hint=hint)
