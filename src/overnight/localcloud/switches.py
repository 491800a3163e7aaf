"""What is not known about the service, and what is to go wrong, by name.

Values and strike counts are on disk: a server killed and started again goes on with them. Every switch names the
source of its default; docs/reference/local-cloud.md prints the table. `--switch NAME=VALUE` and POST
/control/switches set them.
"""

import threading
from collections.abc import Mapping
from typing import Final

from overnight.localcloud.catalogue import SWITCHES, Switch, SwitchValue
from overnight.localcloud.database import Database
from overnight.localcloud.values import JsonObject

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS switches (
  name TEXT PRIMARY KEY, value TEXT NOT NULL, strikes INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
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
    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._values: dict[str, SwitchValue] = {switch.name: switch.default for switch in SWITCHES.values()}
        self._strikes: dict[str, int] = dict.fromkeys(SWITCHES, 0)
        for row in database.rows("SELECT name, value, strikes FROM switches"):
            if row["name"] in SWITCHES:
                self._values[row["name"]] = parse(SWITCHES[row["name"]], row["value"])
                self._strikes[row["name"]] = row["strikes"]

    def set(self, values: Mapping[str, object], *, keep_strikes: bool = False) -> None:
        """All or none. A switch that is set starts counting strikes anew, unless keep_strikes and nothing changed."""
        parsed = {name: self._parse(name, value) for name, value in values.items()}
        changed = {
            name: value
            for name, value in parsed.items()
            if value != self._values[name] or (self._strikes[name] and not keep_strikes)
        }
        self._database.write_many(
            "INSERT INTO switches (name, value, strikes) VALUES (?, ?, 0)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value, strikes = 0",
            [(name, str(value)) for name, value in changed.items()],
        )
        with self._lock:
            self._values.update(changed)
            self._strikes.update(dict.fromkeys(changed, 0))

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

    def strike(self, name: str, times: int = 1) -> None:
        """Counts that a switch did what it is for."""
        if times <= 0:
            return
        with self._lock:
            self._strikes[name] += times
            total = self._strikes[name]
        self._database.write(
            "INSERT INTO switches (name, value, strikes) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET strikes = excluded.strikes",
            (name, str(self._values[name]), total),
        )

    def take(self, name: str) -> bool:
        """For a switch whose value is how often it strikes: strikes once more if there is one left."""
        if self._strikes[name] >= self.whole(name):
            return False
        self.strike(name)
        return True

    def describe(self) -> JsonObject:
        return {
            switch.name: {
                "value": self._values[switch.name],
                "default": switch.default,
                "strikes": self._strikes[switch.name],
                "choices": list(switch.choices),
                "about": switch.about,
                "source": switch.source,
            }
            for switch in SWITCHES.values()
        }
