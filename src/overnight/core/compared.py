"""Samples of one record held side by side, and what all records of a study come to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MUCH_PER_CENT: Final = 30
ENOUGH_RECORDS: Final = 20
"""More contested records than that, of at least so many, speak of the question and not of the records. Usual are 10 to
25 % (an estimate: no source states a rate)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One record of which all samples are settled, one of several at least with an answer.

    contested: they do not settle it. adjudicated: it has an adjudicator's answer. split: criteria on which samples that
    answered have different verdicts. differ: they decide differently, and no lost quote had part in it.
    """

    contested: bool
    adjudicated: bool = False
    split: tuple[str, ...] = ()
    differ: bool = False


@dataclass(slots=True)
class Comparison:
    """Of all records that can be compared. split: criterion → records in which samples differ on it. differ: how many
    of the contested are read differently, as `Compared` has it."""

    records: int = 0
    contested: int = 0
    adjudicated: int = 0
    split: Counter[str] = field(default_factory=Counter)
    differ: int = 0

    def see(self, one: Compared | None) -> None:
        if one is None:
            return
        self.records += 1
        self.contested += one.contested
        self.adjudicated += one.adjudicated
        self.differ += one.differ
        self.split.update(one.split)

    @property
    def agreed(self) -> int:
        return self.records - self.contested

    @property
    def is_much(self) -> bool:
        """So many are contested that the criteria should be looked at before more is paid for."""
        return self.records >= ENOUGH_RECORDS and 100 * self.contested > MUCH_PER_CENT * self.records

    def to_json(self) -> dict[str, Any]:
        """criteria_split: the one that splits most records first."""
        return {
            "records": self.records,
            "agreed": self.agreed,
            "contested": self.contested,
            "differ": self.differ,
            "adjudicated": self.adjudicated,
            "too_many_contested": self.is_much,
            "criteria_split": dict(sorted(self.split.items(), key=lambda pair: (-pair[1], pair[0]))),
        }


_NAMED: Final = 3


def contested_words(found: Mapping[str, Any]) -> str:
    """What too many contested records mean, in words; empty where there are not. found: of `Comparison.to_json`."""
    if not found or not found["too_many_contested"]:
        return ""
    n, of, differ = found["contested"], found["records"], found["differ"]
    head = f"{n:,} of {of:,} records ({100 * n / of:.0f} %) are contested"
    if 2 * differ < n:
        return (
            f"{head}, {n - differ:,} of them since a sample has no answer or hangs on a quote that is not in the"
            " record. Look at those before paying for more; the report lists them."
        )
    most = list(found["criteria_split"].items())[:_NAMED]
    named = f" ({', '.join(f'{criterion} in {records:,}' for criterion, records in most)})" if most else ""
    look = f"Look at the criteria that split most{named} before paying for more; the report lists them."
    return f"{head}: criteria leave room. {look}"
