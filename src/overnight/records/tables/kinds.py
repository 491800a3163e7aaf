"""What type a column has when all its values, or all its files, are looked at.

The words are core.task.Column's (`text`, `integer`, `number`, `boolean`, `json`, `auto`), and `date` and `datetime`.
"""

from typing import Final

SAFE_INTEGER: Final = 2**53
"""Whole numbers up to here are exact as a float too, so a column of both kinds stays exact as `number`."""

_OF: Final[dict[type, str]] = {str: "text", bool: "boolean", float: "number", list: "json", dict: "json"}


def kind_of(value: object) -> str:
    """The type of one JSON value; empty for null. A whole number beyond 2**53 is `text`: no digit may be lost."""
    if type(value) is int:
        return "integer" if -SAFE_INTEGER <= value <= SAFE_INTEGER else "text"
    return "" if value is None else _OF[type(value)]


def merged_in_file(one: str, other: str) -> str:
    """The type that holds the values of both, within one JSON Lines file. Commutative, associative; empty is neutral.

    `text, json` for a column that has lists or objects and other values too.
    """
    if one == other or not other:
        return one
    if not one:
        return other
    if {one, other} == {"integer", "number"}:
        return "number"
    return "text, json" if "json" in one or "json" in other else "text"


def merged(one: str, other: str) -> str:
    """The type of a column that several files have: theirs if they agree, else `text`."""
    return one if one == other else "text"
