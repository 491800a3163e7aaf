"""How each request stands, as the ledger's facts fold up. One dict of 16-byte addresses to small integers.

A million requests are some 190 MB this way; objects would be three times that, a query per request far slower.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import msgspec

from overnight.core.outcome import AGAIN, Next, ProblemKind

KINDS: Final = tuple(ProblemKind)
"""Order is for packing in memory only; the ledger stores names."""


class State(IntEnum):
    UNKNOWN = 0  # never sent
    IN_FLIGHT = 1
    ANSWERED = 2
    PROBLEM = 3
    REOPENED = 4  # settled or tried before, opened again by a person
    QUEUED = 5  # to be sent by the plan at hand


class Standing(msgspec.Struct, frozen=True, gc=False):
    """attempts: sent ever. tries: ended with a problem since last reopened. truncations: by the token limit, ever.

    row: the ledger's number of the outcome that counts, 0 for none yet. kind: of the problem that counts.
    """

    state: State
    attempts: int = 0
    tries: int = 0
    truncations: int = 0
    kind: ProblemKind | None = None
    row: int = 0


_UNKNOWN: Final = Standing(State.UNKNOWN)
_STATES: Final = tuple(State)

# state 3 bits | kind 5 | truncations 8 | tries 8 | attempts 16 | row 40
_KIND, _TRUNCATIONS, _TRIES, _ATTEMPTS, _ROW = 3, 8, 16, 24, 40


def _pack(standing: Standing) -> int:
    kind = 0 if standing.kind is None else KINDS.index(standing.kind) + 1
    return (
        standing.state
        | kind << _KIND
        | min(standing.truncations, 255) << _TRUNCATIONS
        | min(standing.tries, 255) << _TRIES
        | standing.attempts << _ATTEMPTS
        | standing.row << _ROW
    )


def _unpack(code: int) -> Standing:
    kind = code >> _KIND & 31
    return Standing(
        _STATES[code & 7],
        code >> _ATTEMPTS & 0xFFFF,
        code >> _TRIES & 0xFF,
        code >> _TRUNCATIONS & 0xFF,
        KINDS[kind - 1] if kind else None,
        code >> _ROW,
    )


class Standings:
    """Made by folding facts: every line sent, then every outcome.

    The order of outcomes makes no difference, but that of two answers of one request the first written counts.
    """

    def __init__(
        self,
        sent: Iterable[tuple[bytes, int]] = (),
        outcomes: Iterable[tuple[bytes, int, ProblemKind | None, int]] = (),
        reopened: Iterable[tuple[bytes, int]] = (),
    ) -> None:
        """sent: (address, attempt). outcomes: (address, attempt, kind, row). reopened: (address, after attempt)."""
        self._codes: dict[bytes, int] = {}
        self._sent(sent)
        self._fold(outcomes, dict(reopened))

    def _sent(self, sent: Iterable[tuple[bytes, int]]) -> None:
        codes, in_flight = self._codes, int(State.IN_FLIGHT)
        for address, attempt in sent:
            code = codes.get(address, 0)
            if attempt > code >> _ATTEMPTS:
                codes[address] = in_flight | attempt << _ATTEMPTS

    def _fold(self, outcomes: Iterable[tuple[bytes, int, ProblemKind | None, int]], floors: dict[bytes, int]) -> None:
        codes, answered = self._codes, int(State.ANSWERED)
        for address, attempt, kind, row in outcomes:
            code = codes.get(address, 0)
            attempts = code >> _ATTEMPTS & 0xFFFF
            if code & 7 == State.ANSWERED:
                continue  # an answer is never replaced
            if attempt <= floors.get(address, 0):
                codes[address] = _reopened(code, attempt, kind)
            elif kind is None:
                codes[address] = answered | max(attempts, attempt) << _ATTEMPTS | row << _ROW
            else:
                codes[address] = _after_problem(code, attempt, kind, row)

    def __getitem__(self, address: bytes) -> Standing:
        code = self._codes.get(address)
        return _UNKNOWN if code is None else _unpack(code)

    def __len__(self) -> int:
        return len(self._codes)

    def items(self) -> Iterable[tuple[bytes, Standing]]:
        return ((address, _unpack(code)) for address, code in self._codes.items())

    def mark(self, address: bytes, state: State) -> None:
        """QUEUED by the plan, IN_FLIGHT when its line was written."""
        self._codes[address] = self._codes.get(address, 0) & ~7 | state


def _reopened(code: int, attempt: int, kind: ProblemKind | None) -> int:
    """An attempt that no longer settles. What it says of the room an answer needs stays true."""
    before = _unpack(code)
    state = State.REOPENED if attempt == before.attempts else before.state
    truncations = before.truncations + (kind is ProblemKind.TRUNCATED)
    return _pack(msgspec.structs.replace(before, state=state, truncations=truncations))


def _after_problem(code: int, attempt: int, kind: ProblemKind, row: int) -> int:
    """One more try. What it ended as decides only when no later attempt was sent: reading kept output again writes
    outcomes of early attempts after those of late ones."""
    before = _unpack(code)
    tries, truncations = before.tries + 1, before.truncations + (kind is ProblemKind.TRUNCATED)
    if attempt < before.attempts:
        return _pack(msgspec.structs.replace(before, tries=tries, truncations=truncations))
    return _pack(Standing(State.PROBLEM, attempt, tries, truncations, kind, row))


@dataclass(frozen=True, slots=True)
class Policy:
    """When a problem is final. room: maxOutputTokens after so many truncations."""

    attempts: int
    room: Callable[[int], int]

    def given_up(self, standing: Standing) -> bool:
        if standing.state is not State.PROBLEM or standing.kind is None:
            return False
        following = AGAIN[standing.kind]
        if following is Next.GIVE_UP or standing.tries >= self.attempts:
            return True
        return following is Next.MORE_ROOM and self.room(standing.truncations) == self.room(standing.truncations - 1)

    def settled(self, standing: Standing) -> bool:
        return standing.state is State.ANSWERED or self.given_up(standing)
