"""What a first pass over all records finds out, in a few bytes a record."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from overnight.core.record import Record
from overnight.errors import Finding
from overnight.records.findings import shown
from overnight.records.hashes import hash63
from overnight.records.identifiers import IdentifierColumns, Identifiers


@dataclass(slots=True)
class Census:
    """Arrays are in the order of the records, 8 bytes each.

    names: `hash63` of each record's id. prints: `print_of` each record where ids are made of identifiers; else empty.
    per_table: how many records each table has.
    """

    names: "array[int]" = field(default_factory=lambda: array("q"))
    prints: "array[int]" = field(default_factory=lambda: array("q"))
    per_table: list[int] = field(default_factory=list)


def print_of(default: str, aliases: Sequence[str]) -> int:
    """Equal for a record that is exactly as it was: by its name in an empty study and all its aliases."""
    return hash63("\n".join((default, *aliases)))


@dataclass(slots=True)
class SourceCount:
    """Of one source: the person's name for where files came from, else a file's own."""

    name: str
    records: int = 0
    duplicates: int = 0


class SharedKeys:
    """Citation keys that two records with different texts have: `Smith2020` of two libraries is two papers."""

    def __init__(self) -> None:
        self._texts: dict[int, int] = {}
        self.shared: set[int] = set()

    def see(self, identifiers: Identifiers, by_text: str) -> None:
        """by_text: the record's `text_id`."""
        if identifiers.key:
            key = hash63(f"key:{identifiers.key}")
            text = int(by_text[1:], 16)
            if self._texts.setdefault(key, text) != text:
                self.shared.add(key)


def shared_keys_note(n: int) -> list[Finding]:
    if not n:
        return []
    keys = "1 citation key is" if n == 1 else f"{n:,} citation keys are"
    what = (
        f"{keys} used for records with different texts: where they have no PMID or DOI, their ids are made of the text"
    )
    return [Finding(what, path="records.id", level="warning")]


class IdNotes:
    """What was seen about ids that is no error, counted, with the first place."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}

    def see_id(self, record: Record, column: str) -> None:
        raw = record.values[column]
        if raw is not record.record_id and isinstance(raw, str) and raw != record.record_id:
            self._add("trimmed", record.source)

    def see_identifiers(self, record: Record, columns: IdentifierColumns, found: Identifiers) -> None:
        for word, cell in columns.faults(record.values, found):
            self._add(word, f"{record.source}: {shown(cell)}")

    def _add(self, what: str, place: str) -> None:
        self._counts[what] = self._counts.get(what, 0) + 1
        self._first.setdefault(what, place)

    def listed(self) -> list[Finding]:
        return [
            Finding(self._words(what, n), path="records.id", level="warning")
            for what, n in sorted(self._counts.items())
        ]

    def _words(self, what: str, n: int) -> str:
        if what == "trimmed":
            return f"white space around {n:,} id{'' if n == 1 else 's'} was removed, first at {self._first[what]}"
        cells = f"1 {what} is none" if n == 1 else f"{n:,} {what}s are none"
        return f"{cells} and {'was' if n == 1 else 'were'} not used, first at {self._first[what]}"
