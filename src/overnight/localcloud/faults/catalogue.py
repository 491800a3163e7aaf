"""Every kind of fault, in the order in which plans act on one job or line; and the page's tables.

Order matters where several plans strike one line: answers first, then whose they are, then how often a line is there,
then its key and echo, and its bytes last.
"""

import dataclasses
from typing import Final

from overnight.localcloud.faults import create, http, jobs, output, rows
from overnight.localcloud.faults.kind import Kind, bounds_of
from overnight.localcloud.faults.scope import ALL_CALLS

GROUPS: Final[dict[str, tuple[type[Kind], ...]]] = {
    "Calls": (
        http.Status, http.ResetBefore, http.ResetAfter, http.Refused, http.Stalled, http.Slow, http.Cut,
        http.WrongChecksum,
    ),
    "Making jobs": (create.ReplyLost, create.MadeTwice, create.ListedLate),
    "Jobs": (
        jobs.StuckInQueue, jobs.ExpiredInQueue, jobs.ImportFailed, jobs.Failed, jobs.ExpiredRunning,
        jobs.CancelledByOther, jobs.Paused, jobs.Updating, jobs.UnknownState, jobs.CancellingEnds,
        jobs.PartiallySucceeded, jobs.NoCounts, jobs.OutputLate,
    ),
    "Rows": (
        rows.RowFailed, rows.PromptBlocked, rows.Safety, rows.Recitation, rows.MaxTokens, rows.Continuation,
        rows.JsonCut, rows.BreaksSchema, rows.Fenced, rows.EmptyParts, rows.ThoughtsFirst, rows.OtherModel,
    ),
    "Lines": (
        output.AnswersSwapped, output.KeysSwapped, output.LineMissing, output.LineRepeated, output.RepeatedOtherwise,
        output.KeyAsNumber, output.KeyMissing, output.EchoNormalised, output.EchoMissing, output.UnknownFields,
        output.HalfLine, output.InvalidUtf8, output.NotJson,
    ),
    "Files": (output.ChunkFiles, output.Shuffled, output.SeveralFiles, output.TruncatedLastLine),
}  # fmt: skip
KINDS: Final = {kind.kind: kind for group in GROUPS.values() for kind in group}
_ORDER: Final = {kind: place for place, kind in enumerate(KINDS.values())}


def order_of(kind: type[Kind]) -> int:
    return _ORDER[kind]


def markdown() -> str:
    """The tables of docs/reference/faults.md; a test compares them."""
    parts: list[str] = []
    for title, group in GROUPS.items():
        parts += [f"### {title}", "", "| kind | what it does | parameters | source |", "|---|---|---|---|"]
        parts += [
            f"| `{kind.kind}` | {kind.about()}{_only(kind)} | {_parameters(kind)} | {kind.source} |" for kind in group
        ]
        parts.append("")
    return "\n".join(parts)


def _only(kind: type[Kind]) -> str:
    """Which calls, where a kind does not strike all."""
    return "" if kind.calls in {(), ALL_CALLS} else f" (calls: {', '.join(kind.calls)})"


def _parameters(kind: type[Kind]) -> str:
    return "<br>".join(_parameter(field) for field in dataclasses.fields(kind)) or "–"


def _parameter(field: "dataclasses.Field[object]") -> str:
    bounds = bounds_of(field)
    choices = f" ({', '.join(map(str, bounds.choices))})" if bounds.choices else ""
    default = "nothing" if field.default == "" else f"`{str(field.default).lower()}`"
    default = default if not isinstance(field.default, str) or not field.default else f"`{field.default}`"
    return f"`{field.name}` {default}{choices}: {bounds.about}"
