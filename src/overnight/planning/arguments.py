"""What the adjudicator is shown of the samples: their arguments, as of reviewers who do not know of each other."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from overnight.answers.decisions import CriterionResult, Verdict
from overnight.answers.judged import Judged
from overnight.core.identity import text_digest

_LETTERS: Final = "ABCDEFGHI"
_OURS: Final = re.compile(r"<(?=\s*/?\s*(?:record|reviewers)\b)", re.IGNORECASE)


def arguments(texts: Sequence[str], samples: Sequence[Judged | None]) -> str:
    """Verdicts, quotes that hold and reasons of each sample that answered, as reviewers A, B, … in an order of the
    record's own. Empty where none answered.

    It goes into the address of a request: another wording here asks, and charges, every adjudication anew.
    """
    return "\n\n".join(
        "\n".join([f"Reviewer {letter}", *map(_argument, one.results), f"In short: {_plain(one.rationale)}"])
        for number, letter in reviewers(texts, samples).items()
        if (one := samples[number - 1]) is not None
    )


def reviewers(texts: Sequence[str], samples: Sequence[Judged | None]) -> dict[int, str]:
    """Sample → the letter that the adjudicator knows it by, in their order; a sample without an answer has none."""
    seed = "\n".join(map(text_digest, texts))
    answered = [number for number, one in enumerate(samples, start=1) if one is not None]
    ordered = sorted(answered, key=lambda number: sha256(f"{seed}\n{number}".encode()).digest())
    return dict(zip(ordered, _LETTERS, strict=False))


def _argument(result: CriterionResult) -> str:
    words = f"- c_{result.id}: {result.checked.value}."
    if result.lost:
        gone = "The quote given for it is not in the record" if result.quote.strip() else "No quote was given for it"
        return f"{words} ({gone}.)"
    holds = result.quote_found in ("exact", "near") and result.verdict is not Verdict.NOT_STATED
    quote = f' Quote: "{_plain(result.quote)}"' if holds else ""
    return f"{words}{quote} Reason: {_plain(result.reason)}"


def _plain(text: str) -> str:
    """On one line, and without what would read as an end of what we delimit."""
    return _OURS.sub("‹", " ".join(text.split()))
