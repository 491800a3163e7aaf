"""How many tokens? A bound that holds, and how much room an answer gets. What is likely: characters.py, output.py."""

from collections.abc import Callable
from functools import cache
from typing import Final

from overnight.pricing.catalogue import Model

FRAME_TOKENS: Final = 64
"""Room for what the service adds of its own: turn marks, the frame of a schema. Our choice, no source."""

THINKING_ROOM: Final = {
    "off": 0,
    "minimal": 1_024,
    "low": 4_096,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 32_768,
    "dynamic": 16_384,
    "default": 16_384,
}
"""Tokens kept free for thinking. Our choice: at "high" thinking runs into the thousands, and too small a
maxOutputTokens is eaten by thinking and billed all the same (facts 7.3, [U])."""

ANSWER_ROOM: Final = 2_048
"""For the answer itself, besides one token for each character of the schema. Our choice."""


def token_bound(size_bytes: int) -> int:
    """At least as many input tokens as a request can have whose prompt texts and schema have that many UTF-8 bytes.

    Every token of a byte-fallback vocabulary covers at least one byte. The whole request line's size is a safe
    argument: its JSON only adds.
    """
    return size_bytes + FRAME_TOKENS


def choose_max_output(model: Model, thinking_level: str, schema_chars: int, attempt: int = 1) -> int:
    """`maxOutputTokens` of an attempt: room for thinking and answer, doubled with each attempt, never over the model's.

    thinking_level: `Thinking.level` (a level, or a budget's digits). attempt: 1 for the first; later ones follow a
    truncated answer. Raises ValueError for a level that is none.
    """
    if thinking_level.isdecimal():
        thinking = int(thinking_level)
    elif thinking_level in THINKING_ROOM:
        thinking = THINKING_ROOM[thinking_level]
    else:
        raise ValueError(f"{thinking_level!r} is no thinking level")
    room = (thinking + ANSWER_ROOM + schema_chars) << (attempt - 1)
    return min(room, model.max_output_tokens)


def room_of(model: Model, thinking_level: str, schema_chars: int) -> Callable[[int], int]:
    """`maxOutputTokens` after so many truncations. Asked once for each request, so each number is worked out once."""
    return cache(lambda truncations: choose_max_output(model, thinking_level, schema_chars, truncations + 1))
