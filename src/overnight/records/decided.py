"""`duplicates.csv`: pairs of records that may be one, for a person's yes or no."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Final

from overnight.core.record import text_of
from overnight.core.task import Column
from overnight.errors import Finding, RecordsError
from overnight.records.duplicates import Pair
from overnight.records.findings import shown
from overnight.records.opening import open_table
from overnight.records.writer import write_table

COLUMNS: Final = ("same", "record_a", "title_a", "record_b", "title_b", "why")
_WORDS: Final[Mapping[str, bool | None]] = {"yes": True, "y": True, "no": False, "n": False, "": None}
Row = tuple[str, ...]
Told = tuple[list[Row], dict[frozenset[str], bool]]
"""The rows of the file, in the order of COLUMNS; the pairs that a person has decided."""


def read_decided(path: Path) -> Told:
    """Both empty where there is no such file.

    Raises RecordsError: no table with these columns; a word that is neither yes nor no, with its line; a pair that is
    there twice with different words.
    """
    if not path.exists():
        return [], {}
    table = open_table(path)
    missing = [name for name in ("same", "record_a", "record_b") if name not in table.columns]
    if missing:
        hint = f"Its columns are {', '.join(COLUMNS)}. Mend it, or move it away for a new one."
        raise RecordsError([Finding(f"there is no column {missing[0]}", file=str(path), hint=hint)])
    rows: list[Row] = []
    decided: dict[frozenset[str], bool] = {}
    errors: list[Finding] = []
    for line, cells in table.rows():
        values = dict(zip(table.columns, (text_of(cell).strip() for cell in cells), strict=True))
        rows.append(tuple(values.get(name, "") for name in COLUMNS))
        word, pair = values["same"].casefold(), frozenset((values["record_a"], values["record_b"]))
        said = _WORDS.get(word)
        if word not in _WORDS:
            what = f"`same` is {shown(values['same'])}"
            errors.append(Finding(what, file=str(path), line=line, hint="Write yes or no, or leave it empty."))
        elif said is not None and decided.setdefault(pair, said) != said:
            what = f"the pair {' and '.join(sorted(pair))} is there twice, once with yes and once with no"
            errors.append(Finding(what, file=str(path), line=line, hint="Keep one of the two."))
    if errors:
        raise RecordsError(errors)
    return rows, decided


def write_decided(file: IO[bytes], rows: Iterable[Row], pairs: Iterable[Pair]) -> int:
    """The rows as they were, then the pairs that are not among them. Returns how many those are."""
    kept = list(rows)
    there = {frozenset((row[1], row[3])) for row in kept}
    new = [
        ("", pair.a.record_id, pair.a.shown, pair.b.record_id, pair.b.shown, pair.why)
        for pair in pairs
        if pair.ids not in there
    ]
    write_table(file, "csv", [Column(name) for name in COLUMNS], (list(row) for row in (*kept, *new)))
    return len(new)
