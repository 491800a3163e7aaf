"""The fault plans that switches stand for: a switch is a short name for one common plan."""

from collections.abc import Callable, Mapping
from typing import Final

from overnight.localcloud.faults.plan import SWITCH, Plan
from overnight.localcloud.values import JsonObject

Values = Mapping[str, bool | int | float | str]
_Made = Callable[[Values], JsonObject]


def _each(kind: str, **parameters: object) -> _Made:
    """Rows n, 2n, 3n …: the switch's own value is put in by `plans_of`."""
    return lambda _: {"kind": kind, "parameters": parameters}


def _plain(kind: str, **parameters: object) -> _Made:
    return lambda _: {"kind": kind, "parameters": parameters}


def _from(kind: str, **names: str) -> _Made:
    """parameter=switch: each parameter has a switch's value."""
    return lambda values: {"kind": kind, "parameters": {name: values[switch] for name, switch in names.items()}}


def _calls(call: str, kind: str, **parameters: object) -> _Made:
    """So many calls: the switch's own value is put in by `plans_of`."""
    return lambda _: {"kind": kind, "parameters": parameters, "scope": {"calls": [call]}}


_EVERY: Final[dict[str, _Made]] = {
    "fail_every": _from("row_failed", code="fail_code"),
    "block_every": _each("prompt_blocked"),
    "prose_every": _each("fenced", prose=True),
    "wrong_model_every": _each("other_model"),
    "swap_answers_every": _each("answers_swapped"),
    "swap_every": _each("keys_swapped"),
    "drop_every": _each("line_missing"),
    "duplicate_every": _each("line_repeated"),
    "malformed_every": _each("half_line"),
}
_TIMES: Final[dict[str, _Made]] = {
    "create_503": _calls("create", "status", code=503),
    "create_429": _calls("create", "status", code=429),
    "create_reply_lost": _calls("create", "create_reply_lost"),
    "generate_429": _calls("generate", "status", code=429),
}
_ON: Final[dict[str, _Made]] = {
    "list_delay_s": _from("listed_late", delay_s="list_delay_s"),
    "completion_stats": _plain("no_counts"),
    "incremental": _plain("chunk_files"),
    "shuffle": _plain("shuffled"),
    "key_as_number": _plain("key_as_number"),
    "no_key": _plain("key_missing"),
    "no_echo": _plain("echo_missing"),
    "truncate_last_line": _plain("truncated_last_line"),
    "fail_job": _from("failed", message="fail_job", code="fail_job_code"),
    "output_unwritable": _plain("failed", code=7),
    "stuck_pending": _plain("stuck_in_queue"),
    "expire_pending": _plain("expired_in_queue"),
    "expire_after_rows": _from("expired_running", after_rows="expire_after_rows"),
    "pause_after_rows": _from("paused", after_rows="pause_after_rows"),
}
FAULT_SWITCHES: Final = (*_EVERY, *_TIMES, *_ON)


def name_of(switch: str) -> str:
    """The name of a switch's plan."""
    return SWITCH + switch


def plans_of(values: Values) -> dict[str, Plan]:
    """Switch → plan, of every switch that is not at rest. Raises PlanError for a value its kind does not take."""
    found: dict[str, Plan] = {}
    for switch in FAULT_SWITCHES:
        value = values[switch]
        if not value or value == "present":
            continue
        made = (_EVERY | _TIMES | _ON)[switch](values)
        if switch in _EVERY:
            made["scope"] = {"every": value}
        elif switch in _TIMES:
            made["when"] = {"times": value}
        found[switch] = Plan.made(name_of(switch), made)
    return found
