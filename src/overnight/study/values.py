"""Single values of a study file: what a name, an id, a number or an amount may be, and words where one is not."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from overnight.core.usage import Usd


def fault(what: str, hint: str = "") -> PydanticCustomError:
    """An error of ours: study/load.py makes a Finding of it."""
    # The message goes in as a value: as a template, a user's "{hint}" would be filled in.
    return PydanticCustomError("study", "{what}", {"what": what, "hint": hint})


def matching(pattern: str, what: str, hint: str = "") -> BeforeValidator:
    compiled = re.compile(pattern)

    def check(value: object) -> object:
        if isinstance(value, str) and not compiled.fullmatch(value):
            raise fault(f'"{value}" is {what}', hint)
        return value

    return BeforeValidator(check)


def _number(value: object) -> object:
    """Text of a plain number only: `1e400`, `nan` or `1_000` are more likely a slip than meant."""
    if isinstance(value, str) and not re.fullmatch(r"[+-]?\d{1,18}(\.\d{1,18})?", value):
        raise fault(f'"{value}" is no number', "Write digits, with a point for decimals.")
    return value


def usd(value: object) -> object:
    if isinstance(value, Usd):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,12}(\.\d{1,9})?", value):
        raise fault(f'"{value}" is no amount in US dollars', "Write digits only, with a point for cents: 20 or 12.50.")
    return Usd(Decimal(value))


def _words(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise fault("the text is empty")
    return value


Words = Annotated[str, BeforeValidator(_words)]
"""A text with something in it."""
Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[int | float, BeforeValidator(_number), Field(allow_inf_nan=False)]
StudyName = Annotated[
    str,
    matching(
        r"[a-z0-9][a-z0-9_-]{0,62}",
        "no name for a study",
        "Lower-case letters, digits, - and _, at most 63: it becomes part of job labels.",
    ),
]
Attempts = Annotated[Whole, Field(ge=1, le=10)]
Days = Annotated[Whole, Field(ge=1, le=365)]
FieldName = Annotated[
    str,
    matching(r"[a-z][a-z0-9_]{0,62}", "no name for an answer field", "Lower-case letters, digits and _: study_design."),
]
CriterionId = Annotated[
    str, matching(r"[a-z][a-z0-9_]{0,50}", "no id", "Lower-case letters, digits and _, a letter first: night_shift.")
]
