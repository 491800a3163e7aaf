"""Reading the parts of a plan a client wrote: known names only, the right types, and what is taken instead."""

from collections.abc import Iterable

from overnight.localcloud.faults.kind import PlanError
from overnight.localcloud.values import JsonObject


def members(value: object, where: str, known: Iterable[str]) -> JsonObject:
    """An object with no other names than these. Raises PlanError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise PlanError(f"{where}: {value!r} is no JSON object")
    unknown = sorted(value.keys() - set(known))
    if unknown:
        raise PlanError(f"{where}: there is no {unknown[0]!r}; there are {', '.join(known)}")
    return value


def text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise PlanError(f"{where}: {value!r} is no text")
    return value


def whole(value: object, where: str, *, low: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise PlanError(f"{where}: {value!r} is no whole number of {low} or more")
    return value


def texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise PlanError(f"{where}: {value!r} is no list with something in it")
    return tuple(text(item, where) for item in value)


def wholes(value: object, where: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise PlanError(f"{where}: {value!r} is no list with something in it")
    return tuple(whole(item, where, low=1) for item in value)
