"""What goes wrong at the service in the state machine, by what it hurts: fault plans of the local cloud.

Not there: `answers_swapped` and `made_twice`, of which no client can know (docs/explanation/reliability.md).
"""

from typing import Any, Final

Mishap = dict[str, Any]


def _call(kind: str, *names: str, times: int = 1, **parameters: Any) -> Mishap:
    return {"kind": kind, "parameters": parameters, "scope": {"calls": list(names)}, "when": {"times": times}}


def _job(kind: str, **parameters: Any) -> Mishap:
    return {"kind": kind, "parameters": parameters, "when": {"times": 1}}


def _rows(kind: str, every: int = 3, **parameters: Any) -> Mishap:
    return {"kind": kind, "parameters": parameters, "scope": {"every": every}, "when": {"times": 4}}


REPLY_LOST: Final = (
    _call("create_reply_lost", "create"),
    _call("status", "create", took_effect=True),
    _call("reset_after", "create"),
)
"""The job is made, and nobody is told its name."""
NOT_MADE: Final = (
    _call("status", "create"), _call("status", "create", code=429), _call("status", "create", code=403),
    _call("reset_before", "create"),
)  # fmt: skip
LISTED_LATE: Final = _job("listed_late", delay_s=0.1)
"""Within our patience."""
NOT_LISTED: Final = _job("listed_late", delay_s=3600)
"""Beyond any."""
CALLS: Final = (
    _call("status", "get", code=500), _call("reset_after", "get"), _call("status", "list"),
    _call("status", "upload"), _call("reset_after", "upload"), _call("cut", "upload"), _call("cut", "download"),
    _call("wrong_checksum", "download"), _call("status", "download", code=404), _call("status", "list_objects"),
)  # fmt: skip
AT_CANCEL: Final = (_call("status", "cancel"), _call("reset_after", "cancel"), _job("cancelling_ends"))
AT_CLEAN: Final = (_call("status", "delete_object", code=403), _call("status", "list_objects"))
JOBS: Final = (
    _job("stuck_in_queue", for_s=0.1), _job("stuck_in_queue", state="QUEUED", for_s=0.1), _job("expired_in_queue"),
    _job("import_failed"), _job("failed"), _job("failed", code=7, at="queue"), _job("expired_running", after_rows=2),
    _job("cancelled_by_other", after_rows=2), _job("updating", for_s=0.1), _job("partially_succeeded"),
    _job("no_counts"),
)  # fmt: skip
HELD: Final = (_job("paused", after_rows=1), _job("stuck_in_queue"), _job("unknown_state"))
"""Until a person, or the end of the plan."""
FILES: Final = (_job("chunk_files"), _job("several_files"), _job("truncated_last_line"), _job("shuffled"))
LATE: Final = (_job("output_late", delay_s=0.05), _job("output_late", delay_s=0.15))
"""Within our patience."""
TOO_LATE: Final = (_job("no_counts"), _job("output_late", delay_s=0.7))
"""Beyond it, of a job that does not say how many rows it did: nothing tells that output is to be expected."""
ROWS: Final = (
    _rows("row_failed"), _rows("row_failed", code=400), _rows("prompt_blocked"), _rows("max_tokens"),
    _rows("max_tokens", text="none"), _rows("json_cut"), _rows("breaks_schema"), _rows("fenced"), _rows("other_model"),
    _rows("keys_swapped"), _rows("line_missing"), _rows("line_repeated", 2), _rows("line_repeated_otherwise"),
    _rows("key_as_number", 2), _rows("key_missing", 2), _rows("echo_missing"), _rows("echo_normalised", 1),
    _rows("half_line"), _rows("invalid_utf8"), _rows("not_json"), _rows("empty_parts"), _rows("continuation"),
)  # fmt: skip
