"""What a record of a screen ends with: samples compared, the adjudicator heard, one decision, and who has to look.

docs/explanation/decision-rule.md holds the rule in words. Three things are kept apart: *contested* (are the samples
asked again, or adjudicated?), which goes by the silence that the study began with, so that changing `if_silent`, `rule`
or `reason` sends nothing; the *decision*, which goes by what they are now; and the *doubts* for which a person has to
look, whatever the decision is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from overnight.answers.decisions import CriterionResult, Decision, Verdict, Word, unclear_as_asked
from overnight.answers.judged import Judged
from overnight.study.models import Rule, ScreenSpec

NO_ANSWER: Final = "no_answer"
WORDS: Final[tuple[Word, ...]] = ("include", "exclude", "unclear")

Contest = Literal["differ", "no_answer", "quotes"]
"""differ: samples come to different decisions. no_answer: one of several has none. quotes: one rests on a quote that is
not in the record."""


@dataclass(frozen=True, slots=True)
class CriterionVotes:
    """One criterion over all samples. votes: checked verdict, or NO_ANSWER → samples; only those there are.

    verdict: the adjudicator's where there is one, else the one with most votes, `unclear` where two have as many; None
    where nobody gave one. shown: whose quote and reason stand for it.
    """

    id: str
    votes: Mapping[str, int]
    verdict: Verdict | None
    shown: CriterionResult | None

    @property
    def is_split(self) -> bool:
        """Samples that answered have different verdicts on it."""
        return sum(verdict != NO_ANSWER for verdict in self.votes) > 1


@dataclass(frozen=True, slots=True)
class Screened:
    """samples: by number from 1, None for one that was given up. adjudicated: None where it was not, or has no answer.

    speaker: whose words stand for the record: the adjudicator's, else of the first sample that decides as the record is
    decided, the first that answered where none does. agreed, asked: how many samples decide as most do, of how many.
    doubts: why a person has to look; empty: nobody has to. notes: of these, what lies in the record itself.
    """

    decision: Decision
    criteria: tuple[CriterionVotes, ...]
    samples: tuple[Judged | None, ...]
    adjudicated: Judged | None
    speaker: Judged
    contested: tuple[Contest, ...]
    agreed: int
    asked: int
    doubts: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def agreement(self) -> str:
        """`2 of 3`, which no spreadsheet takes for a date; empty where nobody answered."""
        return f"{self.agreed} of {self.asked}" if self.agreed else ""

    @property
    def rationale(self) -> str:
        return self.speaker.rationale

    @property
    def model_decision(self) -> str:
        """The model's own word, empty where it was not asked for one."""
        return self.speaker.own


def contests(samples: Sequence[Judged | None]) -> tuple[Contest, ...]:
    """Why these samples do not settle the record; empty where they do, and where none has an answer."""
    answered = [sample for sample in samples if sample is not None]
    if not answered:
        return ()
    found: list[Contest] = []
    if len({sample.stood for sample in answered}) > 1:
        found.append("differ")
    if len(answered) < len(samples):
        found.append("no_answer")
    if any(sample.rests_on_lost_quotes for sample in answered):
        found.append("quotes")
    return tuple(found)


def screened(
    screen: ScreenSpec,
    samples: Sequence[Judged | None],
    adjudicated: Judged | None = None,
    *,
    no_adjudication: str = "",
    notes: Sequence[str] = (),
) -> Screened | None:
    """None where no sample has an answer: then there is nothing to decide by.

    no_adjudication: why the adjudicator, who was asked, has no answer. notes: what else a person has to look at.
    """
    answered = [sample for sample in samples if sample is not None]
    if not answered:
        return None
    words = Counter(sample.decision.decision for sample in answered)
    ruled = _by_samples(screen, samples, words) if adjudicated is None else _by_adjudicator(adjudicated, words)
    decision = unclear_as_asked(screen, ruled)
    same = [sample for sample in answered if sample.decision.decision == ruled.decision]
    doubts = _doubts(answered, len(samples), words) if adjudicated is None else _own_doubts(_ADJUDICATOR, [adjudicated])
    if no_adjudication:
        doubts.insert(0, f"{_ADJUDICATOR} has no answer: {no_adjudication}")
    if decision.decision == "unclear" or _against_all(adjudicated, words):
        doubts.insert(0, ruled.why)
    return Screened(
        decision=decision,
        criteria=tuple(_votes(one.id, samples, adjudicated) for one in screen.criteria),
        samples=tuple(samples),
        adjudicated=adjudicated,
        speaker=adjudicated or (same or answered)[0],
        contested=contests(samples),
        agreed=max(words.values()),
        asked=len(samples),
        doubts=tuple(dict.fromkeys([*doubts, *notes])),
        notes=tuple(notes),
    )


def voted(rule: Rule, words: Mapping[Word, int], asked: int) -> Word:
    """One decision of several. asked: samples, those without an answer too: they agree with nobody."""
    if rule == "any_include" and words.get("include"):
        return "include"
    for word in WORDS:
        n = words.get(word, 0)
        if n == asked or (rule == "majority" and 2 * n > asked):
            return word
    return "unclear"


def _by_samples(screen: ScreenSpec, samples: Sequence[Judged | None], words: Mapping[Word, int]) -> Decision:
    answered = [sample for sample in samples if sample is not None]
    if len(samples) == 1:
        return answered[0].decision
    word = voted(screen.rule, words, len(samples))
    same = [sample.decision for sample in answered if sample.decision.decision == word]
    if not same or (word == "unclear" and len(same) < len(samples)):
        return Decision("unclear", "samples", "", said(words, len(samples)))
    shown = same[0]
    if word == "exclude":
        shown = _commonest_ground(screen, same)
    counted = "" if len(same) == len(samples) else f"{said(words, len(samples))}: "
    return Decision(word, "samples", shown.exclusion_reason, f"{counted}{shown.why}")


def _commonest_ground(screen: ScreenSpec, decisions: Sequence[Decision]) -> Decision:
    """Of exclusions: the reason most of them give; of equals the one that stands first in the study."""
    order = [criterion.reason or criterion.id for criterion in screen.criteria]
    counts = Counter(decision.exclusion_reason for decision in decisions)
    reason = min(counts, key=lambda one: (-counts[one], order.index(one)))
    return next(decision for decision in decisions if decision.exclusion_reason == reason)


_ADJUDICATOR: Final = "the adjudicator"


def _against_all(adjudicated: Judged | None, words: Mapping[Word, int]) -> bool:
    """It includes or excludes, and no sample does. One that finds the record unclear is against nobody."""
    return adjudicated is not None and adjudicated.decision.decision not in (*words, "unclear")


def _by_adjudicator(adjudicated: Judged, words: Mapping[Word, int]) -> Decision:
    ruled = replace(adjudicated.decision, decided_by="adjudicator")
    if not _against_all(adjudicated, words):
        return ruled
    why = f"{_ADJUDICATOR} decides {ruled.decision}, and no sample does ({ruled.why})"
    return Decision("unclear", "adjudicator", "", why)


def said(words: Mapping[Word, int], asked: int) -> str:
    """`samples differ: include 2, exclude 1`."""
    counts = [f"{word} {words[word]}" for word in WORDS if words.get(word)]
    silent = asked - sum(words.values())
    if silent:
        counts.append(f"no answer {silent}")
    return f"samples differ: {', '.join(counts)}"


def _doubts(answered: Sequence[Judged], asked: int, words: Mapping[Word, int]) -> list[str]:
    """Of samples without an adjudicator, by what they decide now: the silence the study began with says only who is
    adjudicated."""
    differ = len(words) > 1 or len(answered) < asked
    return [*([said(words, asked)] if differ else []), *_own_doubts("a sample" if asked > 1 else "the model", answered)]


def _own_doubts(who: str, judged: Sequence[Judged]) -> list[str]:
    doubts = []
    lost = [result.id for one in judged if one.rests_on_lost_quotes for result in one.results if result.lost]
    if lost:
        doubts.append(f"quote not found: {', '.join(dict.fromkeys(lost))}")
    against = [one for one in judged if one.contradicts_itself]
    if against:
        first = against[0]
        doubts.append(f"{who} itself says {first.own}, and its verdicts come to {first.claimed}")
    return doubts


def _votes(criterion_id: str, samples: Sequence[Judged | None], adjudicated: Judged | None) -> CriterionVotes:
    found = [None if sample is None else sample.result(criterion_id) for sample in samples]
    votes = Counter(NO_ANSWER if result is None else result.checked.value for result in found)
    if adjudicated is not None:
        ruled = adjudicated.result(criterion_id)
        return CriterionVotes(criterion_id, votes, ruled.checked if ruled else None, ruled)
    given = [result for result in found if result is not None]
    counts = Counter(result.checked for result in given)
    if not counts:
        return CriterionVotes(criterion_id, votes, None, None)
    most = [verdict for verdict, n in counts.items() if n == max(counts.values())]
    verdict = most[0] if len(most) == 1 else Verdict.UNCLEAR
    shown = next((result for result in given if result.checked is verdict), given[0])
    return CriterionVotes(criterion_id, votes, verdict, shown)
