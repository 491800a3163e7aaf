"""From verdicts to a decision. docs/reference/screening.md holds the whole table.

A model judges criteria; what follows is a rule anybody can check by hand. A record is excluded only on a positive
ground, included only when nothing speaks against it, and everything else goes to a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from overnight.study.models import Criterion, IfSilent, Kind, ScreenSpec

QuoteFound = Literal["exact", "near", "no", ""]
"""`no`: looked for and not found. Empty: there was no quote to look for."""
Word = Literal["include", "exclude", "unclear"]
DecidedBy = Literal["rule", "samples", "adjudicator", "no_abstract", "no_text", "no_answer"]
"""rule: of one sample's verdicts. samples: of several. The rest: why there is nothing to decide by."""


class Verdict(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    NOT_STATED = "not_stated"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Place:
    """record.values[column][start:end] is the passage, in the record's own text."""

    column: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """One criterion of one record, as the model judged it and code checked it. verdict: the model's word.

    place: of the quote in the record as its table has it; None where it was not found.
    """

    id: str
    kind: Kind
    verdict: Verdict
    quote: str
    quote_found: QuoteFound
    reason: str
    place: Place | None = None

    @property
    def lost(self) -> bool:
        """A verdict that needs a quote, and whose quote is not in the record (or is none)."""
        return self.verdict in (Verdict.MET, Verdict.NOT_MET) and self.quote_found not in ("exact", "near")

    @property
    def checked(self) -> Verdict:
        """What the verdict counts for: `unclear` where it is lost."""
        return Verdict.UNCLEAR if self.lost else self.verdict


@dataclass(frozen=True, slots=True)
class Standing:
    """What a verdict counts as. excludes: it is a ground to exclude. why: what changed it, empty for nothing."""

    counts_as: Literal["met", "not_met", "unclear"]
    excludes: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """exclusion_reason: the reason of the first criterion that excludes, in the study's order; empty otherwise."""

    decision: Word
    decided_by: DecidedBy
    exclusion_reason: str
    why: str


_AGAINST: Final[dict[Kind, Literal["met", "not_met"]]] = {"include": "not_met", "exclude": "met"}


def standing(criterion: Criterion, result: CriterionResult | None, if_silent: IfSilent | None = None) -> Standing:
    """What the verdict counts as after its quote was checked and silence was mapped. if_silent: in place of the
    criterion's own."""
    if result is None:
        return Standing("unclear", why="no verdict")
    if result.verdict is Verdict.UNCLEAR:
        return Standing("unclear")
    against = _AGAINST[criterion.kind]
    if result.verdict is Verdict.NOT_STATED:
        silent = criterion.if_silent if if_silent is None else if_silent
        # Silence never shows that an exclusion applies: there `if_silent: met` asks a person.
        if silent == against == "met":
            return Standing("unclear", why="not stated")
        return Standing(silent, silent == against, "not stated")
    if not result.lost:
        counts_as: Literal["met", "not_met"] = "met" if result.verdict is Verdict.MET else "not_met"
        return Standing(counts_as, counts_as == against)
    return Standing("unclear", why="quote not found" if result.quote.strip() else "no quote")


Standings = Sequence[tuple[Criterion, Standing]]


def decide_by(standings: Standings) -> Word:
    """Excluded where one excludes; included where none is unclear; else unclear."""
    if any(stand.excludes for _, stand in standings):
        return "exclude"
    return "unclear" if any(stand.counts_as == "unclear" for _, stand in standings) else "include"


def decide(screen: ScreenSpec, results: Iterable[CriterionResult]) -> Decision:
    """The decision of one answer, before `unclear: include`.

    A criterion without a result is unclear; results of unknown criteria do not count.
    """
    by_id = {result.id: result for result in results}
    standings = [(criterion, standing(criterion, by_id.get(criterion.id))) for criterion in screen.criteria]
    match decide_by(standings):
        case "exclude":
            against = [(criterion, stand) for criterion, stand in standings if stand.excludes]
            first = against[0][0]
            return Decision("exclude", "rule", first.reason or first.id, _said(against))
        case "include":
            return Decision("include", "rule", "", _all_clear(screen))
        case _:
            unclear = [(criterion, stand) for criterion, stand in standings if stand.counts_as == "unclear"]
            return Decision("unclear", "rule", "", _said(unclear))


def unclear_as_asked(screen: ScreenSpec, decision: Decision) -> Decision:
    """What is unclear goes to a person, or counts as include where the study says so: never a record without answer.

    Last of all, when samples are compared and the adjudicator is heard: `unclear` agrees with `unclear` only.
    """
    if decision.decision != "unclear" or screen.unclear != "include":
        return decision
    return replace(decision, decision="include", why=f"{decision.why} (unclear counts as include)")


def _said(standings: Standings) -> str:
    """`night_shift not met; no_own_data unclear (quote not found)`."""
    return "; ".join(
        f"{criterion.id} {stand.counts_as.replace('_', ' ')}" + (f" ({stand.why})" if stand.why else "")
        for criterion, stand in standings
    )


def _all_clear(screen: ScreenSpec) -> str:
    n = len(screen.include)
    several = "both" if n == 2 else f"all {n}"
    met = "the inclusion criterion is met" if n == 1 else f"{several} inclusion criteria are met"
    return f"{met}, no exclusion applies" if screen.exclude else met


def no_answer(why: str, decided_by: DecidedBy) -> Decision:
    """No answer is never a ground to exclude (a study lost is worse than one read): a person decides, always."""
    return Decision("unclear", decided_by, "", why)
