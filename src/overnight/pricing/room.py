"""How much room does a first attempt get, once enough was answered? docs/decisions/0009 says why so."""

from dataclasses import dataclass
from typing import Final

ENOUGH_ANSWERS: Final = 50
"""Of fewer the largest says too little about the next thousand: of 50, one in fifty of those is larger still."""
SPARE: Final = (3, 2)
"""Room for what was not seen yet: half as much again as the most that was needed. As a fraction: no rounding errors."""
LEAST_ROOM: Final = 1_024
"""Answers of a few tokens leave room for one that is odd; so little costs next to nothing in reserve."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one recipe's requests have needed of one model in one realm. Each only grows while a study lives.

    n_answers: with token counts. largest: tokens of the longest answer, thinking included. cut_at: the largest
    `maxOutputTokens` at which one was cut off, of those below the room by model; 0 for none.
    """

    n_answers: int = 0
    largest: int = 0
    cut_at: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """`maxOutputTokens` of requests that were never cut off. by_model: what it is without answers to go by."""

    tokens: int
    by_model: int
    seen: Seen

    @property
    def from_answers(self) -> bool:
        return self.tokens < self.by_model


def first_room(by_model: int, seen: Seen) -> Room:
    """The most that was needed and half of it, up to the next power of two; never more than by_model.

    What was cut off needed more than it had. Monotone in `seen`, so that a study's room falls once and then only rises.
    """
    if seen.n_answers < ENOUGH_ANSWERS:
        return Room(by_model, by_model, seen)
    times, parts = SPARE
    needed = -(-max(seen.largest, seen.cut_at) * times // parts)
    step = 1 << (max(needed, LEAST_ROOM) - 1).bit_length()
    return Room(min(step, by_model), by_model, seen)
