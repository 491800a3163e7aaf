"""How the service reads an input file: as a table (facts 2.2).

One type is inferred per key over the whole file; a line that breaks a rule fails the whole job with code 3 "Failed to
import data." before any row runs. The rules are enforced on a tree of columns: a name is checked when it is first
met, so a file of equal lines costs little more than a walk.
"""

import re
from pathlib import Path
from typing import Final

import orjson

MAX_ROWS: Final = 200_000  # facts 6 [D]
MAX_BYTES: Final = 1_000_000_000  # facts 6 [D]: "1 GB"
MAX_LEVELS: Final = 15
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")
_PREPARE: Final = "Please check 'Prepare input' in the documentation of batch inference."
_MANY: Final = "REPEATED"


class ImportRefusedError(Exception):
    """The text after "Failed to import data." """


class _Column:
    __slots__ = ("children", "folded", "kind", "nulls")

    def __init__(self) -> None:
        self.kind = ""  # STRING, NUMBER, BOOLEAN, STRUCT; with a prefix when repeated
        self.nulls = False
        self.children: dict[str, _Column] = {}
        self.folded: dict[str, str] = {}


class Table:
    """The columns of one input file. Feed it every line; it raises ImportRefusedError at the first broken rule."""

    def __init__(self, *, refuse_case_clash: bool, count_fields: bool) -> None:
        self._root = _Column()
        self._root.kind = "STRUCT"
        self._refuse_case_clash = refuse_case_clash
        self._count_fields = count_fields
        self.rows = 0

    def add(self, raw: bytes) -> None:
        """raw: one line without its end."""
        try:
            line = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise ImportRefusedError(
                f"Error while reading data: JSON parsing error in row {self.rows + 1}: {error}"
            ) from error
        if not isinstance(line, dict):
            raise ImportRefusedError(f"Error while reading data: row {self.rows + 1} is not a JSON object.")
        if "request" not in line:
            raise ImportRefusedError(f"Unrecognized name: request (row {self.rows + 1})")
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise ImportRefusedError(f"The input has more than {MAX_ROWS} requests.")
        self._struct(line, self._root, 0, ())

    def _struct(self, value: dict[str, object], column: _Column, level: int, path: tuple[str, ...]) -> None:
        if not value:
            raise ImportRefusedError(
                f"Unsupported empty struct type: Cannot store struct '{'.'.join(path)}' with no fields"
            )
        children = column.children
        for name, item in value.items():
            child = children.get(name)
            if child is None:
                child = self._new_column(name, column, level + 1)
            kind = type(item)
            if kind is str:
                self._settle(child, "STRING", name)
            elif kind is dict:
                self._settle(child, "STRUCT", name)
                self._struct(item, child, self._deeper(level), (*path, name))  # type: ignore[arg-type]  # kind is dict
            elif kind is list:
                self._list(item, child, level, (*path, name))  # type: ignore[arg-type]  # kind is list
            elif item is None:
                raise ImportRefusedError(f"Only optional fields can be set to NULL. Field: {name}; Value: NULL")
            else:
                self._settle(child, "BOOLEAN" if kind is bool else "NUMBER", name)

    def _deeper(self, level: int) -> int:
        if level + 1 > MAX_LEVELS:
            self._too_deep()
        return level + 1

    def _too_deep(self) -> None:
        raise ImportRefusedError(
            f"Schema nested too deeply, at least {MAX_LEVELS + 1} compared to the maximum allowed level of {MAX_LEVELS}"
        )

    def _new_column(self, name: str, parent: _Column, level: int) -> _Column:
        if not _NAME.fullmatch(name):
            rule = "letters, numbers and underscores, starting with a letter or underscore, at most 300 characters"
            raise ImportRefusedError(f'Invalid field name "{name}". Fields must contain only {rule}.')
        if self._count_fields and level > MAX_LEVELS:
            self._too_deep()
        folded = name.lower()
        other = parent.folded.setdefault(folded, name)
        if other != name and self._refuse_case_clash:
            raise ImportRefusedError(f'Duplicate field names that differ in case only: "{other}" and "{name}"')
        column = parent.children[name] = _Column()
        return column

    def _list(self, items: list[object], column: _Column, level: int, path: tuple[str, ...]) -> None:
        name = path[-1]
        if not items and not column.kind:
            column.kind = _MANY
        elif not column.kind.startswith(_MANY) and column.kind:
            self._settle(column, _MANY, name)
        for item in items:
            if isinstance(item, dict):
                self._settle(column, _MANY + " STRUCT", name)
                self._struct(item, column, self._deeper(level), path)
            elif isinstance(item, list):
                raise ImportRefusedError(f"Nested arrays are not supported. Field: {name}")
            elif item is None:
                raise ImportRefusedError(f"Only optional fields can be set to NULL. Field: {name}; Value: NULL")
            else:
                self._settle(column, f"{_MANY} {_scalar(item)}", name)

    def _settle(self, column: _Column, kind: str, name: str) -> None:
        known = column.kind
        if known == kind:
            return
        if not known or (known == _MANY and kind.startswith(_MANY)):
            column.kind = kind
            return
        if known.startswith(_MANY) != kind.startswith(_MANY):
            raise ImportRefusedError(f"Repeated field must be imported as a JSON array. Field: {name}.")
        raise ImportRefusedError(
            f"Could not convert value of field {name}: it is {known} in one place and {kind} in another."
        )


def _scalar(item: object) -> str:
    if isinstance(item, str):
        return "STRING"
    return "BOOLEAN" if isinstance(item, bool) else "NUMBER"


def import_file(path: Path, *, refuse_case_clash: bool, count_fields: bool) -> int:
    """Reads the whole file and returns its rows. Raises ImportRefusedError."""
    size_bytes = path.stat().st_size
    if size_bytes > MAX_BYTES:
        raise ImportRefusedError(f"The input has {size_bytes} bytes, more than {MAX_BYTES}. {_PREPARE}")
    table = Table(refuse_case_clash=refuse_case_clash, count_fields=count_fields)
    with path.open("rb") as file:
        for raw in file:
            if raw.strip():
                table.add(raw)
    if not table.rows:
        raise ImportRefusedError(f"The input has no rows. {_PREPARE}")
    return table.rows
