"""One answer about one record, read: verdicts with their quotes looked for, the decision that follows, and what the
model itself made of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from overnight.answers.decisions import (
    CriterionResult,
    Decision,
    Place,
    QuoteFound,
    Verdict,
    Word,
    decide,
    decide_by,
    standing,
)
from overnight.study.models import IF_SILENT, IfSilent, ScreenSpec

Find = Callable[[str], tuple[QuoteFound, Place | None]]
"""Looks for a quote in the record."""
Silence = Mapping[str, IfSilent]
"""By criterion; one that is not named has the default of its kind."""
SILENCE_AS_TOLD: Final[Silence] = {}
"""As the prompt states the table: silence leaves an inclusion unclear, and an exclusion does not apply."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample, or the adjudicator. results: one a criterion, in the study's order; absent where the answer has none.

    decision: by the study's own table, before `unclear: include`. stood, believed: by the table with the silence that
    the study began with, and believed takes every quote as found. claimed: that too, by the table as the prompt states
    it. own: the model's own word, empty where it was not asked. mistakes: what the adjudicator says the reviewers got
    wrong.
    """

    results: tuple[CriterionResult, ...]
    decision: Decision
    stood: Word
    believed: Word
    claimed: Word
    own: str
    rationale: str
    mistakes: str = ""

    @property
    def rests_on_lost_quotes(self) -> bool:
        """Were its quotes there, it would say something else."""
        return self.stood != self.believed

    @property
    def contradicts_itself(self) -> bool:
        """The model's own decision does not follow from its verdicts."""
        return bool(self.own) and self.own != self.claimed

    def result(self, criterion_id: str) -> CriterionResult | None:
        return next((result for result in self.results if result.id == criterion_id), None)


def read_judged(screen: ScreenSpec, answer: Mapping[str, Any], find: Find, silence: Silence) -> Judged:
    """answer: the JSON object, validated when it was collected. silence: what the study began with."""
    results = tuple(_results(screen, answer, find))
    believed = tuple(map(_believed, results))
    return Judged(
        results=results,
        decision=decide(screen, results),
        stood=word_of(screen, results, silence),
        believed=word_of(screen, believed, silence),
        claimed=word_of(screen, believed, SILENCE_AS_TOLD),
        own=str(answer.get("decision") or ""),
        rationale=str(answer.get("rationale") or ""),
        mistakes=str(answer.get("mistakes") or ""),
    )


def word_of(screen: ScreenSpec, results: Iterable[CriterionResult], silence: Silence) -> Word:
    """The decision by the table, with that silence in place of the study's."""
    by_id = {result.id: result for result in results}
    return decide_by(
        [(one, standing(one, by_id.get(one.id), silence.get(one.id, IF_SILENT[one.kind]))) for one in screen.criteria]
    )


def _believed(result: CriterionResult) -> CriterionResult:
    return replace(result, quote_found="exact") if result.lost else result


def _results(screen: ScreenSpec, answer: Mapping[str, Any], find: Find) -> Iterable[CriterionResult]:
    for criterion in screen.criteria:
        judged = answer.get(f"c_{criterion.id}")
        if not isinstance(judged, dict):  # the schema forbids it, and it counts as unclear
            continue
        quote, reason = str(judged.get("quote") or ""), str(judged.get("reason") or "")
        found, place = find(quote) if quote.strip() else ("", None)
        yield CriterionResult(criterion.id, criterion.kind, Verdict(judged["verdict"]), quote, found, reason, place)
