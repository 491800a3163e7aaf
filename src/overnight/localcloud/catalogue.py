"""Every switch of the local cloud: its default, what it does, and where the default comes from.

Sources: `facts` is docs/reference/facts.md, its section and evidence mark in brackets ([D]
documented, [S] read in the SDK, [L] seen live by others, [U] reported, [?] not known). `ours` means a convenience of
the local cloud or a fault on demand. Faults are plans by a short name: faults/switched.py says which.
"""

from dataclasses import dataclass
from typing import Final

SwitchValue = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Switch:
    """default also says the type. choices: the only values taken, empty for any of the type."""

    name: str
    default: SwitchValue
    about: str
    source: str = "ours"
    choices: tuple[str, ...] = ()


_TIME: Final = (
    Switch("pending_s", 0.4, "how long a job is PENDING", "ours; the real one took 90 s to hours, facts 1.3 [L]"),
    Switch("running_s", 0.8, "how long a job is RUNNING at least", "ours; the real one took 2 min to days, facts 1.3"),
    Switch("rows_per_s", 0.0, "at most so many rows a second and job; 0 = no limit"),
    Switch("list_delay_s", 0.0, "a new job is listed only after so long", "facts 1.4 [?]"),
)
_UNKNOWN: Final = (
    Switch("extras_numeric", "coerced", "extra strings that look like numbers", "facts 2.2 [U]", ("coerced", "kept")),
    Switch(
        "extras_lists", "emptied", "extra fields that are lists", "facts 2.2, 2.3 [U], disputed", ("emptied", "kept")
    ),
    Switch(
        "echo_nulls",
        "few",
        "absent fields of the echo as null: fileData of parts; every known one; none",
        "facts 2.2 [U]",
        ("few", "all", "none"),
    ),
    Switch("echo_case", "as_sent", "names in the echoed request", "facts 2.2, 10 [U]", ("as_sent", "camel", "snake")),
    Switch("echo_on_failure", True, "failed rows echo the request and the extras", "facts 2.3, 3.2 [L]"),
    Switch(
        "failed_response",
        "empty",
        "`response` of a failed row",
        "facts 3.2 [D], copies differ",
        ("empty", "absent", "null"),
    ),
    Switch("case_clash", "refuse", "two names that differ in case only", "facts 2.2 [?]", ("refuse", "accept")),
    Switch(
        "nesting_counts",
        "fields",
        "the 15 levels: every name on the way down, or objects only",
        "facts 2.2 [L]; how it is counted [?]",
        ("fields", "records"),
    ),
    Switch(
        "unknown_request_fields",
        "ignore",
        "fields a request does not have, such as the SDK's `config`",
        "facts 2.1 [U] (silently wrong)",
        ("ignore", "refuse"),
    ),
    Switch("incremental", False, "chunk files beside the final file while the job goes on", "facts 3.1, 3.3 [U]"),
    Switch(
        "cancelled_rows",
        "missing",
        "rows not done when a job is cancelled or expires",
        "facts 3.3 [?]",
        ("missing", "status"),
    ),
    Switch("expired_output", "readable", "output of a job that expired", "facts 3.3 [?]", ("readable", "none")),
    Switch(
        "some_failed_state",
        "succeeded",
        "state when some rows failed",
        "facts 1.3 [?]",
        ("succeeded", "partially_succeeded"),
    ),
    Switch(
        "all_failed_state",
        "succeeded",
        "state when all rows failed",
        "facts 1.3 [L] for one row",
        ("succeeded", "failed"),
    ),
    Switch("completion_stats", "present", "counts of a finished job", "facts 1.2 [U]", ("present", "absent")),
    Switch(
        "bucket_region", "enforce", "a bucket in another region than the job", "facts 9.2 [U]", ("enforce", "ignore")
    ),
    Switch("gemini_4_batch", True, "Gemini 4 in Vertex batch", "facts 7.1 [T], [?]"),
    Switch("project_age", "new", "whether closed models (2.5) are refused", "facts 7.2", ("new", "old")),
    Switch(
        "total_missing_every", 60, "each n-th served row (by hash) has no totalTokenCount; 0 = none", "facts 3.2 [L]"
    ),
    Switch(
        "cached_tokens",
        0,
        "cachedContentTokenCount of each row, whatever it asks; 0 = as `cache_from_tokens` says",
        "facts 6 [L]: no hit was seen",
    ),
    Switch(
        "cache_from_tokens",
        4096,
        "from so many tokens before the record on, what stands there is read from a cache in about 7 rows of 10;"
        " 0 = never",
        "facts 8: a minimum of 4,096 tokens [T]; how often it strikes in a batch [?]",
    ),
    Switch("numeric_finish_reason", False, "finishReason as a number", "facts 9.4 [U]"),
    Switch("model_version_suffix", "@local-stand-in", "what modelVersion ends with", "ours; for tests of realm google"),
)
_FAULTS: Final = (
    Switch("shuffle", True, "lines in seeded random order", "facts 2.4 [L]"),
    Switch("duplicate_every", 0, "each n-th line twice", "facts 3.1 [U]"),
    Switch("drop_every", 0, "each n-th line missing though served", "facts 3.3 [?]"),
    Switch("fail_every", 0, "each n-th row fails with fail_code", "facts 9.3"),
    Switch("fail_code", 500, "HTTP code of rows failed by fail_every", "facts 9.3 [?]"),
    Switch("block_every", 0, "each n-th prompt blocked: no candidates", "facts 9.4 [D]"),
    Switch("prose_every", 0, "each n-th answer fenced as ```json with a sentence before", "facts 9.4"),
    Switch("malformed_every", 0, "each n-th line cut in half", "ours"),
    Switch(
        "swap_every",
        0,
        "each n-th line has the extras of its neighbour and the neighbour its",
        "googleapis/python-genai#1909 [U]",
    ),
    Switch(
        "swap_answers_every",
        0,
        "each n-th line has its neighbour's response and the neighbour its",
        "googleapis/python-genai#1909 [U]",
    ),
    Switch("key_as_number", False, "extra strings come back as numbers (their digits)", "facts 2.2 [U]"),
    Switch("no_key", False, "extras do not come back, on any line", "facts 2.3"),
    Switch("no_echo", False, "`request` does not come back", "facts 2.3 [?]"),
    Switch("wrong_model_every", 0, "each n-th row served by another model", "facts 7.2 [D]"),
    Switch("truncate_last_line", False, "the final file ends in the middle of a line", "ours"),
    Switch("create_reply_lost", 0, "so many creates take effect and get no reply", "facts 1.4"),
    Switch("create_503", 0, "so many creates are answered 503 and have no effect", "facts 9.1"),
    Switch("create_429", 0, "so many creates are answered 429 and have no effect", "facts 9.1 [U]"),
    Switch("fail_job", "", "jobs run, then fail with this text", "facts 9.2"),
    Switch("fail_job_code", 13, "code of fail_job", "facts 9.2 [L]"),
    Switch("output_unwritable", False, "jobs run, then fail with code 7; nothing is written", "facts 9.2 [L]"),
    Switch("stuck_pending", False, "jobs stay PENDING", "facts 13.1"),
    Switch("expire_pending", False, "PENDING jobs become EXPIRED", "facts 1.3 [D]"),
    Switch("expire_after_rows", 0, "jobs become EXPIRED after so many rows; 0 = never", "facts 3.3 [D]"),
    Switch("pause_after_rows", 0, "jobs become PAUSED after so many rows, until set to 0", "facts 1.3 [D]"),
    Switch("generate_429", 0, "so many generateContent calls are answered 429", "facts 9.1"),
)
GROUPS: Final = {"Time": _TIME, "What is not known": _UNKNOWN, "Faults on demand": _FAULTS}
SWITCHES: Final = {switch.name: switch for group in GROUPS.values() for switch in group}


def markdown() -> str:
    """The tables of docs/reference/local-cloud.md; a test compares them."""
    parts: list[str] = []
    for title, group in GROUPS.items():
        parts += [f"### {title}", "", "| switch | default | what it does | source |", "|---|---|---|---|"]
        for switch in group:
            choices = f" ({', '.join(switch.choices)})" if switch.choices else ""
            default = "nothing" if switch.default == "" else f"`{switch.default}`"
            parts.append(f"| `{switch.name}` | {default}{choices} | {switch.about} | {switch.source} |")
        parts.append("")
    return "\n".join(parts)
