"""What every kind of fault has: a name, parameters with types and bounds, a family, a source.

A kind is a frozen dataclass; its fields are its parameters, each made with `param`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeVar

Family = Literal["call", "job", "row"]
"""What a kind strikes, and so what its scope can say: a call; a job; rows of a job."""

Parameter = bool | int | float | str
P = TypeVar("P", bool, int, float, str)


class PlanError(ValueError):
    """A plan that cannot be: an unknown kind, parameter or scope, or a value nobody takes."""


@dataclass(frozen=True)
class Kind:
    """source: where the behaviour is known from. calls: which calls it can strike, empty outside the family `call`."""

    kind: ClassVar[str]
    family: ClassVar[Family]
    source: ClassVar[str]
    calls: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def about(cls) -> str:
        """The first sentence of the class."""
        return (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ").rstrip(".")

    def values(self) -> dict[str, Parameter]:
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class _Bounds:
    about: str
    choices: tuple[Parameter, ...]
    low: float
    high: float


_FREE: Final = 1e12


def param(default: P, about: str, *, choices: tuple[P, ...] = (), low: float = 0, high: float = _FREE) -> P:
    """A parameter of a kind. low and high bound numbers; choices bound any."""
    made: P = dataclasses.field(default=default, metadata={"bounds": _Bounds(about, choices, low, high)})
    return made


def bounds_of(field: "dataclasses.Field[object]") -> _Bounds:
    bounds = field.metadata["bounds"]
    assert isinstance(bounds, _Bounds)
    return bounds


def build(kind: type[Kind], given: Mapping[str, object]) -> Kind:
    """The fault these parameters ask for. Raises PlanError."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(given.keys() - fields)
    if unknown:
        known = ", ".join(fields) or "none"
        raise PlanError(f"kind {kind.kind} has no parameter {unknown[0]!r}; it has {known}")
    made = {name: _parameter(kind.kind, fields[name], value) for name, value in given.items()}
    return kind(**made)


def _parameter(kind: str, field: "dataclasses.Field[object]", value: object) -> Parameter:
    where, bounds, default = f"kind {kind}: {field.name}", bounds_of(field), field.default
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default) or not isinstance(value, bool | int | float | str):
        raise PlanError(f"{where}: {value!r} is no {type(default).__name__}")
    if bounds.choices and value not in bounds.choices:
        raise PlanError(f"{where}: {value!r} is none of {', '.join(map(str, bounds.choices))}")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and not bounds.low <= float(value) <= bounds.high:
        raise PlanError(f"{where}: {value!r} is not between {bounds.low:g} and {bounds.high:g}")
    return value
