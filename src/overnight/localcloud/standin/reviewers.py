"""What the reviewers of a record say, as an adjudicator is shown it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from overnight.localcloud.standin.prompt import Prompt

_REVIEWER: Final = re.compile(r"^Reviewer (\w+)$", re.MULTILINE)
_SAID: Final = re.compile(r'^- ([\w-]+): (\w+)\.(?: Quote: "(.*?)" Reason: .*| .*)?$', re.MULTILINE)
_AGAINST: Final = 0.05


@dataclass(frozen=True, slots=True)
class Said:
    """One verdict of one reviewer. quote: empty where none is shown."""

    reviewer: str
    criterion: str
    verdict: str
    quote: str


@lru_cache(maxsize=16)
def read_reviewers(text: str) -> tuple[Said, ...]:
    pieces = _REVIEWER.split(text)[1:]
    return tuple(
        Said(reviewer, *(part or "" for part in found.groups()))
        for reviewer, words in zip(pieces[::2], pieces[1::2], strict=True)
        for found in _SAID.finditer(words)
    )


def said_of(criterion: str, text: str) -> tuple[Said, ...]:
    return tuple(one for one in read_reviewers(text) if one.criterion == criterion)


def against_all(prompt: Prompt) -> bool:
    """Whether this adjudicator, by its luck, sees what none of the reviewers saw."""
    return prompt.chance("against all") < _AGAINST
