"""A fault plan, as a client writes it:

{"name": "tired-downloads", "kind": "status", "parameters": {"code": 503},
 "scope": {"calls": ["download"]}, "when": {"times": 2}}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from overnight.localcloud.faults.catalogue import KINDS
from overnight.localcloud.faults.kind import Kind, PlanError, build
from overnight.localcloud.faults.reading import members
from overnight.localcloud.faults.scope import Scope
from overnight.localcloud.faults.when import When
from overnight.localcloud.values import JsonObject

_FIELDS: Final = ("name", "kind", "parameters", "scope", "when")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
SWITCH: Final = "switch:"
"""Names of plans that switches stand for begin so; no client can write such a name."""


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    fault: Kind
    scope: Scope
    when: When

    @classmethod
    def of(cls, value: object) -> "Plan":
        """A plan a client wrote. Raises PlanError."""
        given = members(value, "plan", _FIELDS)
        name = given.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise PlanError(f"plan: the name {name!r} is not 1 to 63 lowercase letters, digits, '_', '.', '-'")
        try:
            return cls.made(name, given)
        except PlanError as error:
            raise PlanError(f"plan {name}: {error}") from error

    @classmethod
    def made(cls, name: str, given: Mapping[str, object]) -> "Plan":
        """A plan of any name. Raises PlanError."""
        word = given.get("kind")
        if not isinstance(word, str) or word not in KINDS:
            raise PlanError(f"there is no kind {word!r}; there are {', '.join(KINDS)}")
        kind = KINDS[word]
        parameters = given.get("parameters")
        if parameters is not None and not isinstance(parameters, dict):
            raise PlanError(f"parameters: {parameters!r} is no JSON object")
        return cls(name, build(kind, parameters or {}), Scope.of(given.get("scope"), kind), When.of(given.get("when")))

    def describe(self) -> JsonObject:
        return {
            "name": self.name,
            "kind": self.fault.kind,
            "parameters": self.fault.values(),
            "scope": self.scope.describe(),
            "when": self.when.describe(),
        }


def read_plans(value: object) -> list[Plan]:
    """One plan or a list of them, each name once. Raises PlanError."""
    plans = [Plan.of(one) for one in (value if isinstance(value, list) else [value])]
    names = [plan.name for plan in plans]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise PlanError(f"plan {twice}: the name is there twice")
    return plans
