"""What a record of a screen ends with: samples compared, the adjudicator heard, one decision, and who has to look.

docs/explanation/decision-rule.md holds the rule in words. Three things are kept apart: *contested* (are the samples
asked again, or adjudicated?), which goes by the silence that the study began with, so that changing `if_silent`, `rule`
or `reason` sends nothing; the *decision*, which goes by what they are now; and the *doubts* for which a person has to
look, whatever the decision is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    where nobody answered. shown: whose quote and reason stand for it.
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

    agreed, asked: how many samples decide as most do, of how many. doubts: why a person has to look; empty: nobody has
    to.
    """

    decision: Decision
    criteria: tuple[CriterionVotes, ...]
    samples: tuple[Judged | None, ...]
    adjudicated: Judged | None
    contested: tuple[Contest, ...]
    agreed: int
    asked: int
    doubts: tuple[str, ...]

    @property
    def agreement(self) -> str:
        """`2/3`; empty where nobody answered."""
        return f"{self.agreed}/{self.asked}" if self.agreed else ""

    @property
    def rationale(self) -> str:
        """Of who decided: the adjudicator, else the first sample that decided as the record was decided."""
        return self._speaker.rationale if self._speaker else ""

    @property
    def model_decision(self) -> str:
        """The model's own word, of whoever speaks for the record."""
        return self._speaker.own if self._speaker else ""

    @property
    def _speaker(self) -> Judged | None:
        if self.adjudicated is not None:
            return self.adjudicated
        answered = [sample for sample in self.samples if sample is not None]
        same = [sample for sample in answered if sample.decision.decision == self.decision.decision]
        return next(iter(same or answered), None)


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
    against_all = adjudicated is not None and adjudicated.decision.decision not in words
    decision = _by_samples(screen, samples, words)
    if adjudicated is not None:
        decision = _by_adjudicator(screen, adjudicated, against_all=against_all)
    contested = contests(samples)
    doubts = [*_doubts(decision, words, samples, contested, adjudicated, no_adjudication, against_all), *notes]
    return Screened(
        decision=decision,
        criteria=tuple(_votes(one.id, samples, adjudicated) for one in screen.criteria),
        samples=tuple(samples),
        adjudicated=adjudicated,
        contested=contested,
        agreed=max(words.values()),
        asked=len(samples),
        doubts=tuple(dict.fromkeys(doubts)),
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
        return unclear_as_asked(screen, Decision("unclear", "samples", "", said(words, len(samples))))
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


def _by_adjudicator(screen: ScreenSpec, adjudicated: Judged, *, against_all: bool) -> Decision:
    ruled = adjudicated.decision
    if against_all and ruled.decision != "unclear":
        why = f"the adjudicator decides {ruled.decision}, and no sample does ({ruled.why})"
        return unclear_as_asked(screen, Decision("unclear", "adjudicator", "", why))
    return Decision(ruled.decision, "adjudicator", ruled.exclusion_reason, ruled.why)


def said(words: Mapping[Word, int], asked: int) -> str:
    """`samples differ: include 2, exclude 1`."""
    counts = [f"{word} {words[word]}" for word in WORDS if words.get(word)]
    silent = asked - sum(words.values())
    if silent:
        counts.append(f"no answer {silent}")
    return f"samples differ: {', '.join(counts)}"


def _doubts(
    decision: Decision,
    words: Mapping[Word, int],
    samples: Sequence[Judged | None],
    contested: Sequence[Contest],
    adjudicated: Judged | None,
    no_adjudication: str,
    against_all: bool,
) -> list[str]:
    doubts = []
    if decision.decision == "unclear":
        doubts.append(decision.why)
    if no_adjudication:
        doubts.append(f"the adjudicator has no answer: {no_adjudication}")
    if adjudicated is not None:
        if against_all:
            doubts.append("the adjudicator is against all samples")
        doubts += _own_doubts("the adjudicator", [adjudicated])
        return doubts
    if {"differ", "no_answer"} & set(contested) or len(words) > 1:
        doubts.append(said(words, len(samples)))
    doubts += _own_doubts("a sample" if len(samples) > 1 else "the model", [one for one in samples if one is not None])
    return doubts


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
    ruled = None if adjudicated is None else adjudicated.result(criterion_id)
    if ruled is not None:
        return CriterionVotes(criterion_id, votes, ruled.checked, ruled)
    given = [result for result in found if result is not None]
    counts = Counter(result.checked for result in given)
    if not counts:
        return CriterionVotes(criterion_id, votes, None, None)
    most = [verdict for verdict, n in counts.items() if n == max(counts.values())]
    verdict = most[0] if len(most) == 1 else Verdict.UNCLEAR
    shown = next((result for result in given if result.checked is verdict), given[0])
    return CriterionVotes(criterion_id, votes, verdict, shown)
