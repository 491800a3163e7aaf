"""A first look at a table for `overnight init --from`: what it is, how many records, and which columns to name."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from overnight.core.record import Cell, text_of
from overnight.errors import Finding
from overnight.records.findings import Findings
from overnight.records.ids import id_text
from overnight.records.opening import open_table
from overnight.records.roles import ABSTRACT, TITLE, plain
from overnight.records.table import Row, Table

_ID_NAMES: Final = ("recordid", "id", "pmid", "pubmedid", "uid", "key", "covidence#", "eid", "rowid", "doi", "di")
_ID_NAMES_ELSEWHERE: Final = ("kennung", "datensatzid", "identifiant", "identificador", "identificativo")
_BODY_NAMES: Final = (
    *("text", "fulltext", "body"),
    *("review", "reviewtext", "content", "comment", "message", "description", "question"),
    *("volltext", "texte", "texteintegral", "texto", "textocompleto", "testo", "tekst", "inhalt", "contenu"),
    *("contenido", "bewertung", "rezension", "kommentar", "nachricht", "beschreibung", "frage", "avis", "commentaire"),
    *("resena", "comentario", "mensaje", "descripcion", "pregunta"),
)

_UNWRITABLE: Final = re.compile("[{}\x00-\x1f\x7f-\x9f\ufffe\uffff]")
"""In a column's name: a study cannot name the column."""

_ID_CHARACTERS: Final = 64
"""A longer value is no id, however unique."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a table looks like. id_column: empty when no column is fit, so `id: auto`. text_columns: in prompt order.

    encoding and separator: empty for formats that have none. notes: the warnings of opening it.
    """

    path: Path
    format: str
    encoding: str
    separator: str
    columns: tuple[str, ...]
    n_records: int
    id_column: str
    text_columns: tuple[str, ...]
    notes: tuple[Finding, ...]


def describe(path: Path) -> Description:
    """Reads the whole table once. Raises RecordsError when it cannot be opened or a row cannot be read.

    Keeps a hash of each value of the columns that may be ids, until one is blank, long or there twice.
    """
    return describe_table(open_table(path))


def describe_table(table: Table, see: Callable[[Row], None] | None = None) -> Description:
    """As `describe`, of a table that is open. see: is shown every row. Raises RecordsError with all bad rows."""
    columns = [_Column(name) for name in table.columns]
    findings, n_records = Findings(), 0
    for _, row, _ in table.entries():
        if isinstance(row, Finding):
            findings.add(row)
            continue
        n_records += 1
        for column, cell in zip(columns, row, strict=True):
            column.see(cell)
        if see:
            see(row)
    findings.raise_if_any()
    fit = [column for column in columns if not _UNWRITABLE.search(column.name)]
    id_column = _id_column(fit)
    return Description(
        path=table.path,
        format=table.format,
        encoding=table.encoding,
        separator=table.separator,
        columns=table.columns,
        n_records=n_records,
        id_column=id_column,
        text_columns=_text_columns([column for column in fit if column.name != id_column]),
        notes=table.notes,
    )


@dataclass(slots=True)
class _Column:
    name: str
    n_characters: int = 0
    unique: bool = True
    _seen: set[int] = field(default_factory=set)

    @property
    def plain(self) -> str:
        return plain(self.name)

    def see(self, cell: Cell) -> None:
        if isinstance(cell, str):
            self.n_characters += len(cell)
        if self.unique and not self._is_new(cell):
            self.unique = False
            self._seen.clear()

    def _is_new(self, cell: Cell) -> bool:
        """Whether the cell could be the id of one more record."""
        text = text_of(cell) if isinstance(cell, bool) else _id_or_blank(cell)
        mark = hash(text)
        if not text or len(text) > _ID_CHARACTERS or "\n" in text or mark in self._seen:
            return False
        self._seen.add(mark)
        return True


def _id_or_blank(cell: Cell) -> str:
    try:
        return id_text(cell)
    except ValueError:
        return ""


def _id_column(columns: Sequence[_Column]) -> str:
    """A unique column with an id's name, best name first; else one whose name ends in id; else none."""
    fit = [column for column in columns if column.unique]
    for name in _ID_NAMES + _ID_NAMES_ELSEWHERE:
        for column in fit:
            if column.plain == name:
                return column.name
    return next((column.name for column in fit if column.plain.endswith("id")), "")


def _text_columns(columns: Sequence[_Column]) -> tuple[str, ...]:
    """The title and the body by their names; where no body has a known name, the column longest on average."""
    title = _named(columns, TITLE)
    body = _named(columns, ABSTRACT + _BODY_NAMES)
    if body is None:
        longest = max(columns, key=lambda column: column.n_characters, default=None)
        body = longest if longest is not None and longest.n_characters else None
    chosen = [title, body] if title is not body else [body]
    return tuple(column.name for column in chosen if column is not None)


def _named(columns: Sequence[_Column], names: Sequence[str]) -> _Column | None:
    return next((c for name in names for c in columns if c.plain == name and c.n_characters), None)
