"""What is walked: a command that is killed, what went before it, what goes wrong at the service, and what comes after.

Fault plans are put anew before each case, so their counts are of that case alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.small_screens import SmallScreen
from tests.support.studies import SmallStudy

Step = tuple[str, ...]
MENDED: Step = ("(the service is well again)",)
"""A step that is no command: all fault plans are removed."""


@dataclass(frozen=True)
class Scenario:
    """before, then: commands that are not killed. codes: exit codes that `before` may end with.

    budget: a part of the worst case; then realm google, where a create that is not listed needs a person's word.
    first_tries: as many requests fail at their first attempt, whatever job they are in. deep: the inside of
    `deep_think`; then the study is a screen.
    """

    name: str
    struck: Step = ("run",)
    plans: tuple[dict[str, Any], ...] = ()
    before: tuple[Step, ...] = ()
    then: tuple[Step, ...] = ()
    codes: tuple[int, ...] = (0,)
    budget: float = 0.0
    first_tries: int = 0
    deep: str = ""

    @property
    def google(self) -> bool:
        return bool(self.budget)

    def study(self, home: Path, records: int, more: str) -> SmallStudy:
        if self.deep:
            return SmallScreen.of(home, records, more=more, deep=self.deep)
        return SmallStudy.of(home, records, more=more)


def rows(kind: str, *numbers: int, **parameters: Any) -> dict[str, Any]:
    """A fault of these rows of the first job that has them."""
    when = {"times": len(numbers)}
    return {"kind": kind, "parameters": parameters, "scope": {"rows": list(numbers)}, "when": when}


def calls(kind: str, call: str, *, after: int = 0, **parameters: Any) -> dict[str, Any]:
    """A fault of one call, the first that is left after so many."""
    when = {"after": after, "times": 1}
    return {"kind": kind, "parameters": parameters, "scope": {"calls": [call]}, "when": when}


FAILED = rows("row_failed", 4, 8)
REFUSED = rows("row_failed", 3, 6, code=400)
GIVEN_UP = rows("row_failed", 12, 15, code=400)  # of a screen: samples 1 and 3 share a job of 18, the second's has 9

SCENARIOS = (
    Scenario("two rows fail and are sent again", plans=(FAILED,)),
    Scenario(
        "creates without a usable reply",
        plans=(FAILED, calls("status", "create"), calls("create_reply_lost", "create"),
               calls("status", "create", after=1, took_effect=True)),
    ),
    Scenario(
        "a create whose reply is lost, listed late",
        plans=(FAILED, calls("create_reply_lost", "create"), {"kind": "listed_late", "parameters": {"delay_s": 0.1}}),
    ),
    Scenario(
        "rows that need more room, are missing, twice, in several files",
        plans=(rows("max_tokens", 2, 5), rows("line_missing", 7), rows("line_repeated", 1, 3),
               rows("line_repeated_otherwise", 9), {"kind": "several_files"}),
    ),
    Scenario(
        "calls that fail once",
        plans=(FAILED, calls("status", "upload"), calls("reset_after", "upload", after=1), calls("cut", "download"),
               calls("wrong_checksum", "download", after=1), calls("reset_after", "get"),
               calls("status", "list_objects", code=429)),
    ),
    Scenario("parts within a budget at Google", plans=(calls("create_reply_lost", "create", after=1),), budget=0.7,
             first_tries=2),
    Scenario(
        "cancel",
        struck=("cancel",),
        plans=({"kind": "paused", "parameters": {"after_rows": 4}},),
        before=(("run",),),
        codes=(10,),
        then=(("run",), MENDED, ("retry",), ("run",)),
    ),
    Scenario("retry", struck=("retry",), plans=(REFUSED,), before=(("run",), MENDED), then=(("run",),)),
    Scenario("forget", struck=("forget", "--record", "r3", "--record", "r5"), before=(("run",),), then=(("run",),)),
    Scenario("fetch", struck=("fetch",), plans=(FAILED,), before=(("run", "--detach"),), then=(("run",),)),
    Scenario(
        "three samples, two given up, and an adjudicator whose row fails once",
        deep="samples: 3",
        plans=(GIVEN_UP, {"kind": "row_failed", "scope": {"rows": [2]}, "when": {"after": 2, "times": 1}}),
    ),
    Scenario("a third sample where two differ, and the adjudicator", deep="samples: 3, adaptive: true"),
    Scenario("retry of samples, and of the adjudicator where they say something else", struck=("retry",),
             deep="samples: 3", plans=(GIVEN_UP,), before=(("run",), MENDED), then=(("run",),)),
    Scenario("raw output read again", struck=("fetch", "--reparse"), plans=(REFUSED,), before=(("run",),),
             then=(("run",),)),
)  # fmt: skip
