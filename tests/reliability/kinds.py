"""Every kind of fault the local cloud knows, on every call it can strike: one plan, one small study, run to its end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from overnight.localcloud.faults.catalogue import KINDS
from overnight.localcloud.faults.scope import OBJECT_CALLS
from tests.crash.driver import Driver, Struck
from tests.crash.walk import Case, is_its_own, last_entries, since
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import SmallStudy

RECORDS: Final = 12
ROUNDS: Final = 5
CALLS: Final = (*OBJECT_CALLS, "list_objects", "bucket", "create", "get", "list", "cancel")
"""Those a run makes; `generate`, `count` and `delete` (of jobs) are none of them."""
UNKNOWABLE: Final = {
    "answers_swapped": "the service gives two rows each other's answer under the right key and echo",
    "made_twice": "the service makes two jobs of one create",
}
"""Of these no client can know: they are not tried here. docs/explanation/reliability.md says so."""
_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "stalled": {"for_s": 0.3},
    "slow": {"bytes_per_s": 20_000},
    "listed_late": {"delay_s": 0.1},
    "stuck_in_queue": {"for_s": 0.3},
    "output_late": {"delay_s": 0.05},
}
"""Where the default would only make one wait."""
_DOUBTFUL: Final = {"kind": "status", "scope": {"calls": ["create"]}, "when": {"times": 1}}
_PAUSED: Final = {"kind": "paused", "parameters": {"after_rows": 3}, "when": {"times": 1}}
_NEEDED: Final = {"list": _DOUBTFUL, "delete_object": _DOUBTFUL, "cancel": _PAUSED}
"""What brings a run to make such a call."""
_MADE: Final = ("cancelling_ends",)
"""Kinds that strike a job only when it is cancelled."""


@dataclass(frozen=True)
class Tried:
    """One fault plan. helped: another plan, without which nothing could be struck. words: the commands given."""

    name: str
    plan: dict[str, Any]
    helped: dict[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ("run",)


def every_kind() -> Iterator[Tried]:
    for name, kind in KINDS.items():
        parameters = _PARAMETERS.get(name, {})
        if name in UNKNOWABLE:
            continue
        if kind.family == "call":
            for call in CALLS:
                if call in kind.calls:
                    plan = {"parameters": parameters, "scope": {"calls": [call]}, "when": {"times": 1}}
                    words = ("run", "cancel", "run") if call == "cancel" else ("run",)
                    yield Tried(f"{name} of {call}", {"kind": name, **plan}, _NEEDED.get(call, {}), words)
        elif kind.family == "row":
            yield Tried(name, {"kind": name, "parameters": parameters, "scope": {"every": 3}, "when": {"times": 4}})
        elif name in _MADE:
            yield Tried(name, {"kind": name, "parameters": parameters}, _PAUSED, ("run", "cancel", "run"))
        else:
            helped = {"kind": "create_reply_lost", "when": {"times": 1}} if name == "listed_late" else {}
            yield Tried(name, {"kind": name, "parameters": parameters, "when": {"times": 1}}, helped)


def tried(cloud: LocalCloud, driver: Driver, home: Path, one: Tried) -> tuple[Case, int]:
    """The case, and how often the plan struck."""
    study = SmallStudy.of(home, RECORDS)
    case = Case(one.name, None, home)
    creates, served = last_entries(cloud)
    with Plans(cloud) as plans:
        if one.helped:
            plans.add("helped", **one.helped)
        plans.add("tried", **one.plan)
        for command in one.words:
            _said(case, driver.command(_words(study, command), cloud.endpoint))
        strikes = plans.strikes("tried")
    _to_its_end(case, study, cloud, driver)
    labels, keys = since(cloud, creates, served)
    case.judge_paid(labels, keys)
    rows = study.results() if (home / "stand-in" / "results.csv").exists() else []
    case.judge_rows(RECORDS - sum(row["outcome"] == "answer" for row in rows), [
        row["record_id"] for row in rows if row["outcome"] == "answer" and not is_its_own(row)
    ])  # fmt: skip
    if not strikes:
        case.is_wrong("the plan never struck: this shows nothing")
    return case, strikes


def _to_its_end(case: Case, study: SmallStudy, cloud: LocalCloud, driver: Driver) -> None:
    """The fault is gone; what was given up is opened again: each record must have its answer."""
    for _ in range(ROUNDS):
        _said(case, driver.command(_words(study, "retry"), cloud.endpoint))
        ended = _said(case, driver.command(_words(study, "run"), cloud.endpoint))
        if ended.code == 0 and ended.json["answers"] == RECORDS:
            return
    case.is_wrong(f"not at its end after {ROUNDS} runs: {ended.code} {ended.err[-300:]}")


def _words(study: SmallStudy, command: str) -> list[str]:
    return [command, str(study.path), *(["--json"] if command == "run" else [])]


def _said(case: Case, ended: Struck) -> Struck:
    case.judge_said(ended)
    return ended
