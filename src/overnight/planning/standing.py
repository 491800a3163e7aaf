"""How each request stands, as the ledger's facts fold up. One dict of 16-byte addresses to small integers.

A million requests are some 190 MB this way; objects would be three times that, a query per request far slower.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
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

    A job that was refused before any row ran is no try of its requests, though its words are their problem.

    row: the ledger's number of the outcome that counts, 0 for none yet. kind: of the problem that counts. first_sent_h:
    the hour since 1970 (UTC) in which the first attempt since last reopened was sent; 0 when that does not matter any
    more, or not yet. cut_at: the most `maxOutputTokens` that was too few, ever; 0: never cut off, or it is not known.
    """

    state: State
    attempts: int = 0
    tries: int = 0
    truncations: int = 0
    kind: ProblemKind | None = None
    row: int = 0
    first_sent_h: int = 0
    cut_at: int = 0


def hours(moment: datetime) -> int:
    """Whole hours since 1970, UTC."""
    return int(moment.timestamp()) // 3600


Sent = tuple[bytes, int, int]
"""(address, attempt, hour since 1970 in which it was sent, UTC)."""
Ended = tuple[bytes, int, ProblemKind | None, int]
"""(address, attempt, kind, row)."""

_UNKNOWN: Final = Standing(State.UNKNOWN)
_STATES: Final = tuple(State)

# state 3 bits | kind 5 | truncations 8 | tries 8 | attempts 16 | first_sent_h 24 | row
_KIND, _TRUNCATIONS, _TRIES, _ATTEMPTS, _SENT, _ROW = 3, 8, 16, 24, 40, 64


def _pack(standing: Standing) -> int:
    kind = 0 if standing.kind is None else KINDS.index(standing.kind) + 1
    return (
        standing.state
        | kind << _KIND
        | min(standing.truncations, 255) << _TRUNCATIONS
        | min(standing.tries, 255) << _TRIES
        | standing.attempts << _ATTEMPTS
        | standing.first_sent_h << _SENT
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
        code >> _SENT & 0xFFFFFF,
    )


class Standings:
    """Made by folding facts: every line sent, then every outcome.

    The order of outcomes makes no difference, but that of two answers of one request the first written counts.
    """

    def __init__(
        self,
        sent: Iterable[Sent] = (),
        outcomes: Iterable[Ended] = (),
        reopened: Iterable[tuple[bytes, int]] = (),
        untried: Iterable[tuple[bytes, int]] = (),
        cut: Iterable[tuple[bytes, int]] = (),
    ) -> None:
        """reopened: (address, after attempt). untried: (address, attempt) whose job was refused before any row ran.
        cut: (address, `maxOutputTokens`) of truncated attempts, a few of all: beside the packed codes, not in them."""
        self._codes: dict[bytes, int] = {}
        self._cut_at: dict[bytes, int] = {}
        for address, room in cut:
            self._cut_at[address] = max(room, self._cut_at.get(address, 0))
        floors = dict(reopened)
        self._sent(sent, floors)
        self._fold(outcomes, floors)
        self._take_back(untried, floors)

    def _sent(self, sent: Iterable[Sent], floors: dict[bytes, int]) -> None:
        codes, in_flight = self._codes, int(State.IN_FLIGHT)
        for address, attempt, hour in sent:
            if floors and attempt <= floors.get(address, 0):
                hour = 0  # the time counts from the reopening
            code = codes.get(address)
            if code is None:
                codes[address] = in_flight | attempt << _ATTEMPTS | hour << _SENT
            else:
                codes[address] = _sent_again(code, attempt, hour)

    def _fold(self, outcomes: Iterable[Ended], floors: dict[bytes, int]) -> None:
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

    def _take_back(self, untried: Iterable[tuple[bytes, int]], floors: dict[bytes, int]) -> None:
        for address, attempt in untried:
            before = self[address]
            if attempt > floors.get(address, 0) and before.tries:
                self._codes[address] = _pack(msgspec.structs.replace(before, tries=before.tries - 1))

    def __getitem__(self, address: bytes) -> Standing:
        code = self._codes.get(address)
        return _UNKNOWN if code is None else self._whole(address, code)

    def _whole(self, address: bytes, code: int) -> Standing:
        standing = _unpack(code)
        if standing.truncations and address in self._cut_at:
            return msgspec.structs.replace(standing, cut_at=self._cut_at[address])
        return standing

    def __len__(self) -> int:
        return len(self._codes)

    def items(self) -> Iterable[tuple[bytes, Standing]]:
        return ((address, self._whole(address, code)) for address, code in self._codes.items())

    def mark(self, address: bytes, state: State) -> None:
        """QUEUED by the plan, IN_FLIGHT when its line was written."""
        self._codes[address] = self._codes.get(address, 0) & ~7 | state


def _sent_again(code: int, attempt: int, hour: int) -> int:
    """The attempts of a request come in any order: the highest number and the earliest hour are kept."""
    hours = [one for one in (code >> _SENT & 0xFFFFFF, hour) if one]
    most = max(code >> _ATTEMPTS & 0xFFFF, attempt)
    return State.IN_FLIGHT | most << _ATTEMPTS | min(hours, default=0) << _SENT


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
    return _pack(Standing(State.PROBLEM, attempt, tries, truncations, kind, row, before.first_sent_h))


@dataclass(frozen=True, slots=True)
class Policy:
    """When a problem is final. room: maxOutputTokens after so many truncations, by the model; it never falls.

    deadline_h: the hour since 1970 (UTC) before which the first attempt of what is still sent again was not sent; 0
    for no deadline.
    """

    attempts: int
    room: Callable[[int], int]
    deadline_h: int = 0

    def given_up(self, standing: Standing) -> bool:
        if standing.state is not State.PROBLEM or standing.kind is None:
            return False
        return 0 < standing.first_sent_h < self.deadline_h or self._ends(standing, standing.kind)

    def past_deadline(self, standing: Standing) -> bool:
        """Given up for its age alone: before the deadline it would have been sent again."""
        if standing.kind is None or not self.given_up(standing):
            return False
        return not self._ends(standing, standing.kind)

    def _ends(self, standing: Standing, kind: ProblemKind) -> bool:
        """Final whenever it was sent."""
        following = AGAIN[kind]
        if following is Next.GIVE_UP or standing.tries >= self.attempts:
            return True
        if following is not Next.MORE_ROOM:
            return False
        had = standing.cut_at or self.room(standing.truncations - 1)
        return self.next_room(standing) <= had

    def next_room(self, standing: Standing) -> int:
        """What comes after so many truncations, and more than what was too few: a first attempt may have had less room
        than by the model (pricing/room.py), a job made by hand any."""
        step = standing.truncations
        while self.room(step) <= standing.cut_at and self.room(step) < self.room(step + 1):
            step += 1
        return self.room(step)

    def settled(self, standing: Standing) -> bool:
        return standing.state is State.ANSWERED or self.given_up(standing)
