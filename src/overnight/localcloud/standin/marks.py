"""Words in a record at which the stand-in fails on purpose: as the card numbers with which one tries out a shop.

They are for whoever wants to see what becomes of a record that is blocked, cut off or refused. A model knows none of
them. docs/reference/local-cloud.md lists them.
"""

import re
from typing import Final, Literal, cast

from overnight.localcloud.standin.prompt import Prompt

Failure = Literal["BLOCKED", "SAFETY", "LONG", "CUT", "REFUSED"]

FAILURES: Final[dict[Failure, str]] = {
    "BLOCKED": "the prompt is blocked: no candidates",
    "SAFETY": "the answer is stopped for safety: no text",
    "LONG": "thinks 24,000 tokens long: what has less room is cut off",
    "CUT": "stops in the middle of its JSON, each time",
    "REFUSED": "the row is refused with 400",
}
LONG_THOUGHT: Final = 24_000  # tokens; more than the room that a first attempt is given for thinking high
_BEGINS: Final = "STANDIN-"
_NUMBERED: Final = re.compile(r"^\d+\. ([\w-]+) \(to (?:include|exclude)\)", re.MULTILINE)
_MARK: Final = re.compile(rf"\b{_BEGINS}({'|'.join(FAILURES)})(-SOMETIMES)?\b")


def failure_of(prompt: Prompt) -> Failure | None:
    """What the record's first mark asks for. `-SOMETIMES`: only where the list of criteria begins with the one that is
    first in the alphabet, which is so in one of several samples; never as an adjudicator."""
    if _BEGINS not in prompt.record:
        return None
    found = _MARK.search(prompt.record)
    if found is None or (found[2] and not _is_turn(prompt)):
        return None
    return cast("Failure", found[1])


def _is_turn(prompt: Prompt) -> bool:
    names = _NUMBERED.findall(prompt.frame)
    return not prompt.reviewers and bool(names) and names[0] == min(names)
