"""A study's names for columns over files that name them differently: `title` over a RIS file and a Scopus CSV."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from overnight.errors import Finding
from overnight.records.findings import found, shown
from overnight.records.references import NAMES as BIBLIOGRAPHIC
from overnight.records.references.reference import COLUMNS
from overnight.records.roles import names_of, plain
from overnight.records.table import Entry, Row, Table

_SHOWN: Final = 40


def reconciled(table: Table, wanted: Sequence[tuple[str, str]]) -> tuple[Table, list[Finding]]:
    """(the table with its columns under the names wanted, errors: for a name with no column, or more than one).

    wanted: (key of the study file, name). A name is looked for as it stands; then without case, accents and spaces;
    then, where it is a name of COLUMNS with a role, by every name of that role. What is read under another name is
    noted. A bibliographic file none of whose records has a text has an empty column for it.
    """
    columns, notes, errors = list(table.columns), list[Finding](), list[Finding]()
    missing, renamed = list[str](), list[str]()
    for key, name in wanted:
        if name in columns or name in missing:
            continue
        found_ = [column for column in _like(name, table.columns) if column in columns]
        if len(found_) == 1:
            columns[columns.index(found_[0])] = name
            renamed.append(f"{shown(found_[0])}{' is read' if not renamed else ''} as {shown(name)}")
        elif found_:
            errors.append(_ambiguous(table, name, key, found_))
        elif key != "records.id" and name in COLUMNS and table.format in BIBLIOGRAPHIC:
            missing.append(name)
            notes.append(found(table.source, f"none of its records has {shown(name)}", level="warning"))
        else:
            errors.append(_no_column(table, name, key))
    if renamed:
        notes.insert(0, found(table.source, ", ".join(renamed), level="warning"))
    if not notes or errors:
        return table, errors
    entries = _widened(table.entries, (None,) * len(missing)) if missing else table.entries
    return replace(
        table,
        columns=(*columns, *missing),
        types=(*table.types, *("text" for _ in missing)),
        entries=entries,
        notes=(*table.notes, *notes),
    ), []


def _like(name: str, columns: Sequence[str]) -> list[str]:
    """The columns that may be meant: those of the best kind of likeness."""
    same = [column for column in columns if plain(column) == plain(name)]
    if same or name not in COLUMNS:
        return same
    return [column for column in columns if plain(column) in names_of(name)]


def _widened(entries: Callable[[], Iterator[Entry]], blank: Row) -> Callable[[], Iterator[Entry]]:
    def widened() -> Iterator[Entry]:
        for place, row, raw in entries():
            yield place, row if isinstance(row, Finding) else row + blank, raw

    return widened


def _ambiguous(table: Table, name: str, key: str, columns: Sequence[str]) -> Finding:
    listed = " and ".join(shown(column) for column in columns)
    what = f"{len(columns)} columns may be meant by {shown(name)}: {listed}"
    hint = f"Rename the one you mean to {name} in that file, or name it as it stands."
    return Finding(what, path=key, file=str(table.source), hint=hint)


def _no_column(table: Table, name: str, key: str) -> Finding:
    by_folded = {column.casefold(): column for column in table.columns}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    others = len(table.columns) - _SHOWN
    listed = ", ".join(table.columns[:_SHOWN]) + (f" and {others} more" if others > 0 else "")
    hint = (f"Did you mean {by_folded[near[0]]}? " if near else "") + f"The columns are: {listed}."
    return Finding(f"there is no column {shown(name)}", path=key, file=str(table.source), hint=hint)
