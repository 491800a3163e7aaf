"""What each sample said of a record, and the adjudicator, as the report shows it side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from overnight.answers.decisions import CriterionResult
from overnight.answers.judged import Judged
from overnight.answers.screened import Contest, CriterionVotes, Screened
from overnight.core.task import Settlements
from overnight.report.records import Quote, Verdict, Voice
from overnight.study.models import DeepThinkSpec
from overnight.study.screen_recipes import ADJUDICATE, SCREEN

ADJUDICATOR = "adjudicator"
_CONTESTED: Final[Mapping[Contest, str]] = {
    "differ": "samples decide differently",
    "no_answer": "a sample has no answer",
    "quotes": "a sample's decision hangs on a quote that is not in the record",
}


def votes_said(one: CriterionVotes) -> str:
    """`met 2, not stated 1`."""
    counted = sorted(one.votes.items(), key=lambda vote: (-vote[1], vote[0]))
    return ", ".join(f"{verdict.replace('_', ' ')} {n}" for verdict, n in counted)


def verdict_of(one: CriterionVotes, *, several: bool) -> Verdict:
    """What stands for it in the results, with its votes. several: samples were asked."""
    assert one.shown is not None, "the caller has looked"
    word = one.verdict.value if one.verdict else ""
    return Verdict(one.id, word, *_basis(one.shown), votes=votes_said(one) if several else "")


def _basis(result: CriterionResult) -> tuple[str, bool | None, str]:
    return result.quote, result.quote_found != "no" if result.quote else None, result.reason


def differing(found: Screened) -> tuple[str, ...]:
    """Criteria on which samples and adjudicator do not all say the same, or where a quote of one is not there."""
    voices = [one for one in (*found.samples, found.adjudicated) if one is not None]
    return tuple(one.id for one in found.criteria if _differ([voice.result(one.id) for voice in voices]))


def _differ(results: Sequence[CriterionResult | None]) -> bool:
    verdicts = {None if result is None else result.checked for result in results}
    return len(verdicts) > 1 or any(result is not None and result.lost for result in results)


def contest_of(found: Screened) -> str:
    """`samples decide differently; one has no answer`; empty where the samples settle it."""
    return "; ".join(_CONTESTED[mark] for mark in found.contested)


def voices_of(
    found: Screened, settled: Settlements, deep: DeepThinkSpec, letters: Mapping[int, str]
) -> Iterator[Voice]:
    """The samples by number, then the adjudicator where one was asked. letters: by sample."""
    for number, judged in enumerate(found.samples, start=1):
        framing, missing = deep.framing(number), _missing(settled, SCREEN, number)
        voice = _voice(_name(number), judged, missing, "" if framing == "neutral" else framing)
        yield replace(voice, reviewer=letters.get(number, ""))
    missing = _missing(settled, ADJUDICATE, 1)
    if found.adjudicated is not None or missing:
        yield _voice(ADJUDICATOR, found.adjudicated, missing)


def _name(number: int) -> str:
    return f"sample {number}"


def _missing(settled: Settlements, stage: str, sample: int) -> str:
    """The kind of the problem that it ended with; empty where it has an answer, or was not asked."""
    one = settled.get((stage, sample))
    return "" if one is None or one.outcome.kind is None else one.outcome.kind.value.replace("_", " ")


def _voice(name: str, judged: Judged | None, missing: str, framing: str = "") -> Voice:
    if judged is None:
        return Voice(name, framing, missing=missing)
    return Voice(
        name=name,
        framing=framing,
        decision=judged.decision.decision,
        own=judged.own if judged.contradicts_itself else "",
        verdicts=tuple(Verdict(one.id, one.verdict.value, *_basis(one)) for one in judged.results),
        rationale=judged.rationale,
        mistakes=judged.mistakes,
    )


def quotes_of(found: Screened) -> Mapping[str, list[Quote]]:
    """By column: every quote that is there, of every sample and of the adjudicator."""
    several = len(found.samples) > 1 or found.adjudicated is not None
    voices = [(_name(number), judged) for number, judged in enumerate(found.samples, start=1)]
    quotes: dict[str, list[Quote]] = {}
    for name, judged in (*voices, (ADJUDICATOR, found.adjudicated)):
        for one in () if judged is None else judged.results:
            if one.place is not None:
                by = (name,) if several else ()
                quotes.setdefault(one.place.column, []).append(Quote(one.place.start, one.place.end, one.id, by))
    return quotes
