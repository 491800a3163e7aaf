"""Rows of TOML tables, packaged or the user's own: unknown keys and wrong types are refused before they are read."""

import difflib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

Keys = Mapping[str, type]
"""Key → the type of its value."""
_NOUNS: Final[Mapping[type, str]] = {
    str: "a text, in quotes",
    int: "a whole number",
    bool: "true or false",
    date: "a day such as 2026-12-01, without quotes",
    list: "a list in brackets",
    dict: "a set of keys in braces",
}


def checked_row(row: object, keys: Keys, needed: tuple[str, ...] = ()) -> None:
    """Raises TypeError or ValueError, in words for whoever wrote the row."""
    if not isinstance(row, dict):
        raise TypeError(f"{row!r} is not a set of keys")
    for key, value in row.items():
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1, cutoff=0.6)
            raise ValueError(f"`{key}` is no key here" + (f"; did you mean `{near[0]}`?" if near else ""))
        if not _is(value, keys[key]):
            raise TypeError(f"`{key}` is {_NOUNS[keys[key]]}, not {value!r}")
    missing = [key for key in needed if key not in row]
    if missing:
        raise ValueError(f"`{missing[0]}` is missing")


def taken(row: Mapping[str, Any], key: str) -> str:
    """What the row says there, to be put behind a name; empty without."""
    return f": {row[key]}" if row.get(key) else ""


def _is(value: object, wanted: type) -> bool:
    if isinstance(value, datetime):
        return False
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, wanted)
