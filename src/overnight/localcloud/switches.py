"""What is not known about the service, and what is to go wrong, by name.

Values are on disk: a server killed and started again goes on with them. A switch that is a fault is a plan by a short
name (faults/switched.py), and the plan counts its strikes. Every switch names the source of its default;
docs/reference/local-cloud.md prints the table. `--switch NAME=VALUE` and POST /control/switches set them.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from overnight.localcloud.catalogue import SWITCHES, Switch, SwitchValue
from overnight.localcloud.database import Database
from overnight.localcloud.faults.book import Faults
from overnight.localcloud.faults.kind import PlanError
from overnight.localcloud.faults.switched import FAULT_SWITCHES, name_of, plans_of
from overnight.localcloud.values import JsonObject

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS switches (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class SwitchError(ValueError):
    """An unknown name, or a value the switch does not take."""


def parse(switch: Switch, text: str) -> SwitchValue:
    """The value a text stands for. Raises SwitchError with what is taken instead."""
    if switch.choices:
        if text not in switch.choices:
            raise SwitchError(f"switch {switch.name}: {text!r} is none of {', '.join(switch.choices)}")
        return text
    if isinstance(switch.default, bool):
        known = {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }
        if text.lower() not in known:
            raise SwitchError(f"switch {switch.name}: {text!r} is neither true nor false")
        return known[text.lower()]
    if isinstance(switch.default, str):
        return text
    kind = type(switch.default)
    try:
        value: int | float = kind(text)
    except ValueError as error:
        raise SwitchError(f"switch {switch.name}: {text!r} is no {kind.__name__}") from error
    if not 0 <= value < float("inf"):
        raise SwitchError(f"switch {switch.name}: {text!r} is not zero or more")
    return value


class Switches:
    """Values by name. A switch that is a fault is kept as a plan of its own, which counts its strikes."""

    def __init__(self, database: Database, faults: Faults) -> None:
        self._database, self._faults = database, faults
        self._values: dict[str, SwitchValue] = {switch.name: switch.default for switch in SWITCHES.values()}
        for row in database.rows("SELECT name, value FROM switches"):
            if row["name"] in SWITCHES:
                self._values[row["name"]] = parse(SWITCHES[row["name"]], row["value"])
        self._plan(self._values, (), keep_strikes=True)

    def set(self, values: Mapping[str, object], *, keep_strikes: bool = False) -> None:
        """All or none. A switch that is set starts counting strikes anew, unless keep_strikes and nothing changed."""
        parsed = {name: self._parse(name, value) for name, value in values.items()}
        with self._database.transaction():
            self._plan({**self._values, **parsed}, parsed, keep_strikes=keep_strikes)
            self._database.write_many(
                "INSERT INTO switches (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [(name, str(value)) for name, value in parsed.items()],
            )
        self._values.update(parsed)

    def _plan(self, values: Mapping[str, SwitchValue], named: Iterable[str], *, keep_strikes: bool) -> None:
        """Brings the plans of all switches to what the values say. Raises SwitchError."""
        try:
            plans = plans_of(values)
        except PlanError as error:
            raise SwitchError(f"switch: {error}") from error
        anew = set() if keep_strikes else set(named)
        for switch in FAULT_SWITCHES:
            if switch not in plans:
                self._faults.discard(name_of(switch))
            else:
                self._faults.put([plans[switch]], keep=switch not in anew)

    def _parse(self, name: str, value: object) -> SwitchValue:
        if name not in SWITCHES:
            raise SwitchError(f"there is no switch {name!r}; there are {', '.join(SWITCHES)}")
        return parse(SWITCHES[name], str(value))

    def flag(self, name: str) -> bool:
        return bool(self._values[name])

    def whole(self, name: str) -> int:
        return int(self._values[name])

    def real(self, name: str) -> float:
        return float(self._values[name])

    def text(self, name: str) -> str:
        return str(self._values[name])

    def describe(self) -> JsonObject:
        """Strikes: of switches that are faults; 0 for those that say how things are."""
        return {
            switch.name: {
                "value": self._values[switch.name],
                "default": switch.default,
                "strikes": self._faults.strikes(name_of(switch.name)),
                "choices": list(switch.choices),
                "about": switch.about,
                "source": switch.source,
            }
            for switch in SWITCHES.values()
        }
