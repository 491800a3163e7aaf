"""One file through the readers: what became of it, and whether anything in it was lost without a word.

The word that ends each title (tests/support/zoo.py) is looked for in the bytes, by code that knows no format: each time
it stands there it has to be in a record; or a warning has to say that something was left out; or the file is refused.
"""

import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from overnight.errors import Finding, RecordsError
from overnight.records import RecordsFile, Table, open_tables, read_records
from overnight.records.references import FORMATS

LIMIT_S: Final = 5.0
_MARK: Final = re.compile(r"zq\d{4}x")
_LEFT_OUT: Final = re.compile(r"left out|without a tag|outside all|above the header|commented out|and [\d,]+ more")
"""What warnings say of a part of the file that became no record."""
_NO_RECORD: Final = {
    "pubmed_xml": re.compile(r"<!DOCTYPE.*?>|<!--.*?-->|<\?.*?\?>", re.DOTALL),
    "endnote_xml": re.compile(r"<!DOCTYPE.*?>|<!--.*?-->|<\?.*?\?>", re.DOTALL),
    "wos": re.compile(r"(?:\A|(?<=[\r\n]))\ufeff?(?:FN|VR) .{0,100}"),
    "bibtex": re.compile(r"@comment\{[^{}]*\}", re.IGNORECASE),
}
"""What in a file is the format's own and never a record's."""
_LEAF: Final = re.compile(r"<(\w+)[^<>]*>[^<]*(zq\d{4}x)[^<]*</\1>")
_REFERENCES: Final = frozenset(format_.name for format_ in FORMATS)


class HungError(Exception):
    """A reader took longer than LIMIT_S."""


@dataclass(slots=True)
class Tally:
    """By format: how many inputs were read, or (format unknown then) refused. wrong: what must not be."""

    inputs: int = 0
    records: int = 0
    read: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    noted: int = 0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def limited(seconds: float = LIMIT_S) -> Iterator[None]:
    """Raises HungError in the middle of whatever runs. Main thread only; not on Windows."""

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        raise HungError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def judge(path: Path, plain: bytes, tally: Tally) -> str:
    """Reads the file as the program does and returns what is wrong with that, or nothing.

    plain: the bytes that a table is in, unpacked. What is no RecordsError comes out as it is.
    """
    tally.inputs += 1
    try:
        tables = open_tables(path)
        seen = [list(table.entries()) for table in tables]
    except RecordsError as error:
        tally.refused += 1
        return _words(error, path)
    findings = [row for entries in seen for _, row, _ in entries if isinstance(row, Finding)]
    if findings:
        tally.refused += 1
        return "" if all(one.what and one.file for one in findings) else f"a finding without words: {findings}"
    n = sum(map(len, seen))
    tally.records += n
    tally.read[tables[0].format] += 1
    tally.noted += any(table.notes for table in tables)
    if not n:
        return "accepted without a record"
    if wrong := _again(path, tables, n):
        return wrong
    return _lost(tables[0], plain, seen[0]) if len(tables) == 1 else ""


def _words(error: RecordsError, path: Path) -> str:
    str(error).encode()  # it can be printed, whatever the file holds
    bad = [one for one in error.findings if not (one.what and one.file.startswith(str(path)))]
    return f"a finding without words or place: {bad}" if bad or not error.findings else ""


def _again(path: Path, tables: list[Table], n: int) -> str:
    """As a study reads it: the same number of records, each with an id of its own."""
    columns = set(tables[0].columns).intersection(*(table.columns for table in tables))
    text = sorted(columns & {"title", "abstract"}) or sorted(columns)[:1]
    if not text:
        return ""
    records = read_records([RecordsFile(path)], id="auto", text=text)
    count = records.check()
    ids = {record.record_id for record in records}
    return "" if count == n == len(ids) else f"{n} rows, {count} records, {len(ids)} ids"


def _lost(table: Table, plain: bytes, entries: list[tuple[int, object, str]]) -> str:
    """Words that stand in the file more often than in what was read of it, unless a warning says what was left out."""
    if table.format in {"xlsx", "parquet", "jsonl"} or any(_LEFT_OUT.search(note.what) for note in table.notes):
        return ""  # packed; or, in JSON, a name that is there twice, of which tables.md says that the last one counts
    text = plain.decode(table.encoding or "utf-8", "replace")
    there = Counter(_MARK.findall(own.sub("", text) if (own := _NO_RECORD.get(table.format)) else text))
    if table.format in _REFERENCES:
        kept = Counter(word for _, _, raw in entries for word in _MARK.findall(raw))
        rows = {word for _, row, _ in entries for word in _MARK.findall(str(row))}
        absent = set(kept) - rows
        if table.format.endswith("_xml"):  # between two elements there is no place for words; `raw` has them
            absent &= {match[2] for _, _, raw in entries for match in _LEAF.finditer(raw)}
        if absent:
            return f"in a record's text and in none of its columns: {sorted(absent)}"
    else:
        kept = Counter(_MARK.findall(str(table.columns) + "".join(str(row) for _, row, _ in entries)))
    lost = there - kept
    return f"lost without a word: {dict(lost)}" if lost else ""
