"""What the reviewers of a record say, as an adjudicator is shown it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from overnight.localcloud.standin.prompt import Prompt

_REVIEWER: Final = re.compile(r"^Reviewer (\w+)$", re.MULTILINE)
_SAID: Final = re.compile(
    r'^- ([\w-]+): (met|not_met|not_stated|unclear)\.(?: Quote: "(.*?)" Reason: .*| .*)?$', re.MULTILINE
)
_AGAINST: Final = 0.03


@dataclass(frozen=True, slots=True)
class Said:
    """One verdict of one reviewer. quote: empty where none is shown."""

    reviewer: str
    criterion: str
    verdict: str
    quote: str


@lru_cache(maxsize=16)
def read_reviewers(text: str) -> tuple[Said, ...]:
    """Lines of any other form, and verdicts that are none of the four, are passed over."""
    pieces = _REVIEWER.split(text)[1:]
    return tuple(
        Said(reviewer, *(part or "" for part in found.groups()))
        for reviewer, words in zip(pieces[::2], pieces[1::2], strict=True)
        for found in _SAID.finditer(words)
    )


def said_of(criterion: str, text: str) -> tuple[Said, ...]:
    return tuple(one for one in read_reviewers(text) if one.criterion == criterion)


def against_all(criterion: str, prompt: Prompt) -> bool:
    """Whether this adjudicator, by its luck, sees what none of the reviewers saw."""
    return prompt.chance(f"{criterion} against all") < _AGAINST
