"""A job's rows, and output lines for them, for tests of the matcher."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from overnight.answers.match import Expected, Matcher, Taken
from overnight.answers.validate import validator
from overnight.core.identity import fingerprint, loose_text, wire_key
from overnight.core.outcome import Outcome, Stray, StrayKind
from tests.support.output_lines import candidate

FIELDS = {"for": {"type": "string"}, "note": {"type": "string"}}
CHECK = validator({"type": "object", "properties": FIELDS, "required": ["for"]})


@dataclass(frozen=True)
class Row:
    """A request that was sent. The prompt texts of two rows may be equal (two samples)."""

    number: int
    text: str
    attempt: int = 1

    @property
    def address(self) -> bytes:
        return self.number.to_bytes(16, "big")

    @property
    def key(self) -> str:
        return wire_key(self.address, self.attempt)


def expected(rows: Iterable[Row]) -> dict[bytes, Expected]:
    return {row.address: Expected(row.attempt, fingerprint(row.text)) for row in rows}


def loose(rows: Iterable[Row]) -> dict[bytes, bytes]:
    return {row.address: fingerprint(loose_text(row.text)) for row in rows}


def answer_for(text: str, note: str = "") -> str:
    """An answer that says what it was given for, so that a test can see it in wrong hands."""
    return orjson.dumps({"for": text, "note": note}).decode()


def output(text: str, **changed: Any) -> dict[str, Any]:
    """An output line of a request with this prompt text, answered. A value of `changed` None takes the field out."""
    line = {
        "status": "",
        "processed_time": "2026-11-01T00:00:00Z",
        "request": {"contents": [{"role": "user", "parts": [{"text": text}]}]},
        "response": {**candidate({"text": answer_for(text)}), "usageMetadata": {"promptTokenCount": 5}},
        **changed,
    }
    return {name: value for name, value in line.items() if value is not None}


def line_of(row: Row, **changed: Any) -> dict[str, Any]:
    return output(row.text, **{"key": row.key, **changed})


def answering(text: str, *, version: str = "gemini-3.8-flash") -> dict[str, Any]:
    """The `response` of a line whose answer's text is `text`."""
    return {**candidate({"text": text}), "modelVersion": version, "usageMetadata": {"promptTokenCount": 5}}


@dataclass
class Collected:
    """What the ledger would hold after a job: the outcome that counts by address, the strays, what is missing."""

    matcher: Matcher
    outcomes: dict[bytes, Outcome] = field(default_factory=dict)
    strays: list[Stray] = field(default_factory=list)

    def take(self, found: Taken | Stray | None) -> None:
        if isinstance(found, Taken):
            assert (found.instead_of is not None) == (found.outcome.address in self.outcomes), "one outcome a request"
            self.outcomes[found.outcome.address] = found.outcome
            if found.instead_of is not None:
                self.strays.append(found.instead_of)
        elif found is not None:
            self.strays.append(found)

    @property
    def missing(self) -> set[bytes]:
        return {address for address, _ in self.matcher.missing()}

    def kinds(self) -> dict[StrayKind, int]:
        return {kind: n for kind, n in self.matcher.tally.strays.items() if n}


def collect(
    rows: Iterable[Row],
    lines: Iterable[Mapping[str, Any] | bytes | tuple[Mapping[str, Any], bool]],
    *,
    realm: str = "google",
    answered: Iterable[Row] = (),
) -> Collected:
    """lines: values or bytes; (value, True) stands in a chunk file. Checks the sums of the job."""
    rows = list(rows)
    before = frozenset(row.address for row in answered)
    matcher = Matcher(realm, expected(rows), CHECK, answered=before, loose=lambda: loose(rows))
    collected = Collected(matcher)
    count = 0
    for count, entry in enumerate(lines, start=1):
        value, chunk = entry if isinstance(entry, tuple) else (entry, False)
        data = value if isinstance(value, bytes) else orjson.dumps(value)
        collected.take(matcher.line(data, f"raw:{count}", chunk=chunk))
    for found in matcher.rest():
        collected.take(found)
    check_sums(collected, len(rows), count)
    return collected


def check_sums(collected: Collected, n_rows: int, n_lines: int) -> None:
    """lines = accepted + strays; rows = accepted + missing + settled before; the tally counts what came out."""
    tally = collected.matcher.tally
    assert tally.lines == n_lines == tally.accepted + len(collected.strays)
    assert sum(tally.strays.values()) == len(collected.strays)
    assert tally.accepted == len(collected.outcomes)
    assert n_rows == tally.accepted + len(collected.missing) + collected.matcher.settled_before
    assert sum(tally.problems.values()) == sum(outcome.kind is not None for outcome in collected.outcomes.values())
