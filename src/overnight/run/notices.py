"""What is worth telling a person who is not there, as values: wiring/notify.py runs the study's command with it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from overnight.core.events import JobStuck
from overnight.core.realm import GOOGLE, is_simulated
from overnight.errors import (
    AccountingError,
    BreakerError,
    BudgetError,
    CloudError,
    DoubtfulSubmitError,
    JobError,
    LedgerError,
    OvernightError,
)
from overnight.run.publish import Closing
from overnight.run.raw import harmless
from overnight.run.world import World

_CHARS_SHOWN: Final = 600
_WORD_WITH_A_NUMBER: Final = re.compile(r"\w*\d\w*")


class Occasion(StrEnum):
    DONE = "done"
    NEEDS_A_PERSON = "needs_a_person"
    STUCK = "stuck"
    OVER_BUDGET = "over_budget"


TROUBLE: Final = (Occasion.NEEDS_A_PERSON, Occasion.OVER_BUDGET)
_WORDS: Final = {
    Occasion.DONE: "done",
    Occasion.NEEDS_A_PERSON: "needs a person",
    Occasion.STUCK: "a job takes unusually long",
    Occasion.OVER_BUDGET: "the limit is reached",
}
_NEEDS_A_PERSON: Final = (LedgerError, CloudError, DoubtfulSubmitError, JobError, BreakerError, AccountingError)
"""Exit codes 7 to 12. The others are of the person at the keyboard: command line, study, tables, consent."""


@dataclass(frozen=True, slots=True)
class Notice:
    """about: what it is told once for. text: the whole message, its first line the subject; safe to print anywhere."""

    occasion: Occasion
    about: str
    text: str

    @property
    def subject(self) -> str:
        return self.text.split("\n", 1)[0]


def of_stuck(world: World, study: Path, event: JobStuck) -> Notice:
    return Notice(Occasion.STUCK, event.job, _text(world, study, Occasion.STUCK, [_line(event.message)]))


def of_end(world: World, study: Path, closing: Closing, error: OvernightError | None) -> Notice | None:
    """What a run or fetch that ended this way is worth. None: nothing.

    closing: filled as far as it got.
    """
    if error is not None:
        occasion = _occasion(error)
        return None if occasion is None else _of_error(world, study, closing, error, occasion)
    if not is_done(closing):
        return None
    collected = [shard.id for shard in world.ledger.shards.all(world.realm, "collected")]
    if not collected:
        return None
    lines = [*_counts(closing), *(f"Next: open {path}" for path in (closing.results.get("report"),) if path)]
    return Notice(Occasion.DONE, f"up to job {max(collected)}", _text(world, study, Occasion.DONE, lines))


def is_done(closing: Closing) -> bool:
    """Every record is settled, and nothing is under way or waits for money."""
    return bool(closing.records) and not (closing.open or closing.in_flight or closing.requests_waiting)


def _occasion(error: OvernightError) -> Occasion | None:
    if isinstance(error, BudgetError):
        return Occasion.OVER_BUDGET
    return Occasion.NEEDS_A_PERSON if isinstance(error, _NEEDS_A_PERSON) else None


def _of_error(world: World, study: Path, closing: Closing, error: OvernightError, occasion: Occasion) -> Notice:
    """Of what happened only the first line: what follows it may be raw lines of output, with a record's text."""
    what = _line(error.what)
    lines = [what]
    if error.where:
        lines.append(f"  at {_line(error.where)}")
    lines += [f"What to do: {_line(error.hint)}"] if error.hint else []
    lines += _counts(closing)
    return Notice(occasion, _about(world, error), _text(world, study, occasion, lines))


def _about(world: World, error: OvernightError) -> str:
    """The same for the same trouble met again: an attempt has other numbers, names and amounts each time.

    A job that is still there is itself what it is about; one that failed and is made anew is not.
    """
    kind = type(error).__name__
    staying = {shard.job_name for shard in world.ledger.shards.all(world.realm, "submitted")}
    if isinstance(error, DoubtfulSubmitError | BreakerError) or error.where in staying:
        return f"{kind} {error.where}"
    if isinstance(error, BudgetError):
        return f"{kind} {world.limit}"
    return f"{kind} {_WORD_WITH_A_NUMBER.sub('#', _line(error.what))}"


def _counts(closing: Closing) -> Iterator[str]:
    if not closing.records:  # it stopped before anything was counted
        return
    parts = [f"{closing.answers:,} answers"]
    if closing.problems:
        kinds = ", ".join(f"{n:,} {kind.value.replace('_', ' ')}" for kind, n in closing.problems.most_common())
        parts.append(f"{closing.problems.total():,} problems ({kinds})")
    if closing.not_sent:
        parts.append(f"{closing.not_sent.total():,} not sent")
    if closing.open:
        parts.append(f"{closing.open:,} open")
    yield f"{closing.records:,} records: {', '.join(parts)}."
    if closing.decides and closing.decisions:
        said = ", ".join(f"{n:,} {word}" for word, n in sorted(closing.decisions.items()))
        yield f"Decisions: {said}; for a person {closing.tally.get('for_a_person', Counter()).total():,}."
    cost = "unknown" if closing.cost is None else str(closing.cost)
    yield f"Cost so far: {cost}{' (simulated: nobody pays)' if is_simulated(closing.realm) else ''}"


def _text(world: World, study: Path, occasion: Occasion, lines: list[str]) -> str:
    who = "overnight" if world.realm == GOOGLE else "LOCAL STAND-IN, overnight"
    return (
        "\n".join([f"{who}: {world.study}: {_WORDS[occasion]}", "", *lines, "", f"Study: {_line(str(study))}"]) + "\n"
    )


def _line(text: str) -> str:
    """One line of bounded length without control characters: some of these words are the service's."""
    return harmless(text.split("\n", 1)[0], _CHARS_SHOWN)
