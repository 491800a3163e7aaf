"""What type a column has when all its values are looked at, one value or one file at a time.

The words are core.task.Column's (`text`, `integer`, `number`, `boolean`, `json`, `auto`), and `date` and `datetime`.
"""

from typing import Final

SAFE_INTEGER: Final = 2**53
"""Whole numbers up to here are exact as a float too, so a column of both kinds stays exact as `number`."""


def merged(one: str, other: str) -> str:
    """The type that holds the values of both: the same, `number` for integer and number, else `text`."""
    if one == other:
        return one
    if {one, other} == {"integer", "number"}:
        return "number"
    return "text"
