"""How often a call reached a local cloud: a fault plan that never strikes counts what it has seen."""

from tests.support.local_cloud import LocalCloud, Plans

_NEVER = 10**6


class Calls:
    """Counts calls of one kind (`generate`, `count`, …) from now on."""

    def __init__(self, cloud: LocalCloud, call: str) -> None:
        self._plans, self._name = Plans(cloud), f"seen-{call}"
        self._plans.add(self._name, "status", {"code": 503}, {"calls": [call]}, {"after": _NEVER})

    @property
    def seen(self) -> int:
        return int(self._plans.shown(self._name)["seen"])
