"""A pilot: the records that are asked first, so that criteria can be mended and the price of the whole is measured.

It is no other program: the loop is what it always is, and a plan leaves out what the pilot does not take. What was
asked under a pilot is the study's, and a run after it sends the rest.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from overnight.core.record import Record
from overnight.core.task import Task
from overnight.planning.fit import NONE, Draw

RECORDS: Final = 50
"""As many answers as tell `maxOutputTokens` (pricing/room.py), where each record is asked once."""
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Pilot:
    """takes: of a record, and the texts of its first request. words: how it was chosen. records: that it takes, of how
    many with something to ask; records of equal texts are taken together."""

    takes: Callable[[Record, Sequence[str]], bool]
    words: str
    records: int
    of: int


def drawn_pilot(task: Task, records: Iterable[Record], n: int, seed: int) -> Pilot:
    """The first n of the draw of this seed, those of equal texts counted once: `pilot` of 100 has the same 50 first.

    Reads all records once; some 5 µs each beside that.
    """
    draw, smallest, counts, of = Draw(seed), list[int](), dict[int, int](), 0
    for record in records:
        texts = first_texts(task, record)
        if texts is None:
            continue
        of += 1
        number = draw(texts)
        if number in counts:
            counts[number] += 1
        elif len(smallest) < n or number < smallest[-1]:
            counts[number] = 1
            insort(smallest, number)
            if len(smallest) > n:
                del counts[smallest.pop()]
    bound = smallest[-1] if smallest else NONE
    return Pilot(lambda _, texts: draw(texts) <= bound, f"drawn by seed {seed}", sum(counts.values()), of)


def first_texts(task: Task, record: Record) -> tuple[str, ...] | None:
    """What a record is drawn by: it is the same whatever was answered. None: nothing is asked of it."""
    if record.duplicate_of:
        return None
    first = next(iter(task.wants(record, {})), None)
    return None if first is None else first.texts
