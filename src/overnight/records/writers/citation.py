"""A record as a citation: its columns by what they hold, whatever the file named them. Nothing of it is left out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from overnight.core.record import Cell, Record
from overnight.records.ids import id_text
from overnight.records.references.reference import COLUMNS
from overnight.records.roles import names_of, plain
from overnight.records.writers.cells import plain_text
from overnight.records.writers.marks import one_line

_MORE_NAMES: Final = {
    "volume": ("volume", "vl"),
    "issue": ("issue", "number"),
    "pages": ("pages", "pagerange"),
    "pmcid": ("pmcid",),
    "accession_number": ("accessionnumber", "accession"),
    "keywords": ("keywords", "authorkeywords", "manualtags"),
    "issn": ("issn",),
    "url": ("url", "link"),
    "database": ("database",),
}
_SEVERAL: Final = frozenset({"authors", "keywords", "issn", "url", "type", "language", "database"})


@dataclass(frozen=True, slots=True)
class Citation:
    """fields: by the names of references/reference.py's COLUMNS, each a list of one line texts, never empty.

    own_id: record_id where a column of the record holds it; empty where it is a name that was made (`doi:10.1/x`,
    `t8faa…`), which read again as a citation key would name the record anew. rest: (column or tag, text) of what has no
    name in `fields`.
    """

    record_id: str
    fields: Mapping[str, Sequence[str]]
    rest: Sequence[tuple[str, str]]
    own_id: str = ""

    def first(self, name: str) -> str:
        return self.fields[name][0] if name in self.fields else ""

    def all(self, name: str) -> Sequence[str]:
        return self.fields.get(name, ())

    @property
    def notes(self) -> str:
        """The rest, on one line."""
        return "; ".join(f"{name}: {text}" for name, text in self.rest)


class Citations:
    """Makes citations of records with these columns. Files may name one thing differently: each record is looked at
    for itself."""

    def __init__(self, columns: Sequence[str]) -> None:
        by_plain: dict[str, list[str]] = {}
        for column in columns:
            by_plain.setdefault(plain(column), []).append(column)
        self._of: dict[str, tuple[str, ...]] = {}
        for name in COLUMNS[:-1]:
            names = names_of(name) or _MORE_NAMES[name]
            self._of[name] = tuple(column for one in names for column in by_plain.get(one, ()))

    @property
    def known(self) -> bool:
        """Whether a column holds titles: without one there is no citation to make."""
        return bool(self._of["title"])

    def of(self, record: Record) -> Citation:
        texts = {name: text for name, cell in record.values.items() if (text := plain_text(cell)).strip()}
        fields: dict[str, list[str]] = {}
        for name, columns in self._of.items():
            column = next((column for column in columns if column in texts), None)
            if column is not None:
                fields[name] = _values(name, texts.pop(column))
        rest = [(name, line) for column, text in texts.items() for name, line in _rest(column, text)]
        return Citation(
            one_line(record.record_id),
            {name: values for name, values in fields.items() if values},
            [(one_line(name), line) for name, line in rest if line and line != record.record_id],
            one_line(record.record_id) if _is_from_a_column(record) else "",
        )


def _is_from_a_column(record: Record) -> bool:
    return any(cell is not None and _id_of(cell) == record.record_id for cell in record.values.values())


def _id_of(cell: Cell) -> str:
    try:
        return id_text(cell)
    except ValueError:  # a float that lost its last digits is no id
        return ""


def _values(name: str, text: str) -> list[str]:
    if name not in _SEVERAL:
        return [line] if (line := one_line(text)) else []
    if name == "authors" and ";" not in text and _initials_behind(text):
        text = text.rstrip(". ").replace(",", ";")
    parts = _ADDRESSES.split(text) if name == "url" else _PARTS.findall(text)
    return [line for part in parts if (line := one_line(part))]


_PARTS: Final = re.compile(
    r"(?:&(?:#\d{1,7}|#x[\da-f]{1,6}|amp|lt|gt|quot|apos|nbsp|[a-z](?:uml|acute|grave));|[^;])+", re.IGNORECASE
)
"""Between semicolons, but for those that end an entity: `R&amp;D`."""
_ADDRESSES: Final = re.compile(r";?\s+")
"""An address may hold a semicolon."""


def _initials_behind(text: str) -> bool:
    """`Smith J, Doe KL` as PubMed's CSV has it: between commas stands a name and its initials."""
    people = [person.split() for person in text.rstrip(". ").split(",")]
    return all(len(words) > 1 and len(words[-1]) <= 4 and words[-1].isupper() for words in people)


def _rest(column: str, text: str) -> list[tuple[str, str]]:
    """Of `other`, each tag in it."""
    if column == COLUMNS[-1] and text.startswith("{"):
        import orjson

        try:
            tags: Any = orjson.loads(text)
        except orjson.JSONDecodeError:
            tags = None
        if isinstance(tags, dict) and all(isinstance(values, list) for values in tags.values()):
            return [(tag, one_line(str(value))) for tag, values in tags.items() for value in values]
    return [(column, one_line(text))]
