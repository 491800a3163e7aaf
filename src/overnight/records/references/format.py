"""What a bibliographic format is to the rest of the house, and how a file in one becomes a table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from overnight.core.record import Cell
from overnight.errors import Finding, RecordsError
from overnight.records.encoding import Encoding, find_encoding
from overnight.records.findings import Findings, refuse
from overnight.records.references.reference import COLUMNS, Reference
from overnight.records.source import Source
from overnight.records.table import Entry, Table

Read = Callable[[Source, str], Iterator[Reference | Finding]]
"""(source, codec) → its references in order. A Finding of level error: a place that could not be read (reading goes on
where the next record begins, if it can); of level warning: a note, such as text between two records."""

Starts = Callable[[Source, str], Iterator[int]]
"""(source, codec) → the line of every place where a record begins, found in the bytes by another way than `Read`'s."""


@dataclass(frozen=True, slots=True)
class Format:
    """name: in tables and `--json` (`ris`). title: for people (`RIS`). suffixes: names that promise it (`.ris`).

    looks_like: given the first 64 KB as text without a byte-order mark. decoded: False for XML, which says its encoding
    itself: `read` and `starts` then get an empty codec.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    looks_like: Callable[[str], bool]
    read: Read
    starts: Starts
    decoded: bool = True


def open_references(source: Source, format_: Format) -> Table:
    """Reads the whole file twice at once: its references, and where they begin, which have to agree one by one.

    Raises RecordsError: every place that could not be read; the first place where the two differ; no record at all.
    """
    encoding = find_encoding(source) if format_.decoded else Encoding("")
    errors, notes = Findings(), Findings()
    present: set[str] = set()
    count = 0
    starts = format_.starts(source, encoding.codec)
    for piece in format_.read(source, encoding.codec):
        if isinstance(piece, Finding):
            (notes if piece.level == "warning" else errors).add(piece)
            continue
        count += 1
        present.update(piece.fields, ("other",) if piece.other else ())
        if not errors and (start := next(starts, 0)) != piece.line:
            raise _differ(source, format_, count, piece.line, start)
    errors.raise_if_any()
    if start := next(starts, 0):
        raise _differ(source, format_, count + 1, 0, start)
    if not count:
        raise refuse(source, f"an empty {format_.title} file: it holds no record", hint="Export it again.")
    columns = tuple(name for name in COLUMNS if name in present)
    return Table(
        source=source,
        format=format_.name,
        columns=columns,
        types=tuple("json" if name == "other" else "text" for name in columns),
        entries=lambda: _entries(source, format_, encoding.codec, columns),
        notes=encoding.notes + notes.listed,
        encoding=encoding.codec,
    )


def _entries(source: Source, format_: Format, codec: str, columns: tuple[str, ...]) -> Iterator[Entry]:
    import orjson

    for piece in format_.read(source, codec):
        if isinstance(piece, Finding):
            if piece.level == "error":  # the file was another one when it was opened
                yield piece.line, piece, ""
            continue
        row: list[Cell] = [piece.fields.get(name) for name in columns]
        if piece.other:
            row[-1] = orjson.dumps(piece.other).decode()
        yield piece.line, tuple(row), piece.raw


def _differ(source: Source, format_: Format, number: int, read: int, counted: int) -> RecordsError:
    """number: of the record at which they part. read, counted: its line by each of the two, 0 where it has none."""
    what = (
        f"record {number:,} begins on line {counted:,} by counting and on line {read:,} by reading"
        if read and counted
        else f"record {number:,}, on line {counted:,}, was counted and could not be read"
        if counted
        else f"record {number:,} was read where no record begins"
    )
    hint = f"Nothing was taken from the file, so that no record is lost in silence: mend the {format_.title} there."
    return refuse(source, what, line=min(read or counted, counted or read), hint=hint)
