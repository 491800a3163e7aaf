"""The task `screen`: samples, further ones where two are contested, an adjudicator for what stays contested.

A stage is wanted when what it depends on is settled, so no program beside the loop knows of any of this: `wants` is
asked again with what came back. What the adjudicator is shown is made of settled answers alone: the same answers give
the same words, so that it is asked again only when one of them changes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, Literal, cast

from overnight.answers.decisions import CriterionResult, Decision, Verdict, no_answer
from overnight.answers.judged import Judged, Silence, read_judged
from overnight.answers.screened import CriterionVotes, Screened, contests, screened
from overnight.core.compared import Compared
from overnight.core.outcome import NotSent
from overnight.core.recipe import Recipe
from overnight.core.record import Cell, Record
from overnight.core.task import Column, Later, Settled, Settlements, Table, Want
from overnight.planning.arguments import arguments, reviewers
from overnight.planning.looking import Look, Reading
from overnight.planning.pinned import Pinned, answer_of, cleaned_texts, in_force, setting_of
from overnight.planning.screen_tables import SAMPLE_COLUMNS, VERDICT_COLUMNS, Heard, sample_rows, verdict_rows
from overnight.planning.screen_tally import tally_of
from overnight.records.roles import roles_of
from overnight.requests.addressing import first_said
from overnight.requests.cleaning import clean
from overnight.study.checks import result_columns
from overnight.study.models import DeepThinkSpec, ScreenSpec, Study
from overnight.study.screen_recipes import (
    ADJUDICATE,
    SCREEN,
    adjudicate_recipe,
    own_before,
    screen_recipe,
    silence_of,
)

ADJUDICATOR: Final = 1
"""The one sample of the stage `adjudicate`."""
MOST_KEPT: Final = 50_000
"""Records of which it is remembered what they want."""
FIRST_ADAPTIVE: Final = 2
"""Samples that `adaptive` asks for before it knows whether more are wanted."""
ONE_SAMPLE: Final = DeepThinkSpec(samples=1, adjudicate="never")

# Databases write a sentence where an abstract is missing. Outer brackets, dots and case are taken off before.
_NO_ABSTRACT: Final = re.compile(
    r"(?:there is |with )?(?:no|without|missing) abstract(?: is| was)?(?: available| provided| given)?"
    r"|(?:the )?abstracts?(?: is| was)? (?:not available|unavailable|not provided|missing)"
    r"|not available|n/?a|none|null|nan|"
)


def _is_missing(abstract: str) -> bool:
    if len(abstract) > 60:
        return False
    words = abstract.strip("[]().-– \n\t").casefold().split()
    return _NO_ABSTRACT.fullmatch(" ".join(words)) is not None


def _abstract_of(columns: Sequence[str], cleaning: int) -> int:
    """The place of the abstract. Studies begun under version 1 knew the one name: what they have sent stays sent."""
    known = roles_of(columns).abstract if cleaning > 1 else ""
    named = [place for place, column in enumerate(columns) if column == known or column.lower() == "abstract"]
    return (named or [len(columns) - 1])[0]


class ScreenTask:
    """Criteria judged one by one, each with a quote that is looked for; then the rule of answers/."""

    def __init__(self, study: Study, thinking: Mapping[str, Any], *, pinned: Pinned | None = None) -> None:
        if not isinstance(study.task, ScreenSpec):
            raise TypeError("the study has no `screen`")
        self.screen: Final = study.task
        self.deep: Final = study.deep_think or ONE_SAMPLE
        self.needs_abstract: Final = study.records.no_abstract != "title_only"
        self.dependent: Final = self.deep.adaptive or self.deep.adjudicate != "never"
        self.stages: Final = (SCREEN,) if self.deep.adjudicate == "never" else (SCREEN, ADJUDICATE)
        text, setting = study.records.text, setting_of(study)
        before = own_before(study.task, text, thinking, setting)
        samples = tuple(
            in_force(
                screen_recipe(study.task, text, thinking, sample, setting, self.deep.framing(sample)),
                sample,
                pinned,
                before if self.deep.framing(sample) == "neutral" and not study.task.prompts.screen else "",
            )
            for sample in range(1, self.deep.samples + 1)
        )
        begun_with = next((recipe.silence for recipe in samples if recipe.silence), {})
        self._silence: Final = cast("Silence", {**silence_of(study.task), **begun_with})
        self._samples: Final = tuple(self._silent_alike(recipe) for recipe in samples)
        adjudicate = adjudicate_recipe(study.task, text, thinking, setting)
        self._adjudicate: Final = in_force(adjudicate, ADJUDICATOR, pinned)
        later = (self._adjudicate,) if ADJUDICATE in self.stages else ()
        self.recipes: Final = (*{one.digest: one for one in (*self._samples, *later)}.values(),)
        self.columns: Final = tuple(_screen_columns(self.screen))
        self.tables: Final = tuple(self._tables())
        self._reads: Final = Reading(self.recipe.slots, self.recipe.cleaning)
        self._abstract: Final = _abstract_of(self.recipe.slots, self.recipe.cleaning)
        self._cleaned: tuple[Record, tuple[str, ...]] | None = None
        self._known: Final[dict[bytes, _Known]] = {}
        # C_max is a concentration: a short id is no sign.
        self._names: Final = tuple(f"c_{one.id}" for one in study.task.criteria if len(one.id) > 4)
        self._last: tuple[tuple[Record | Settled | None, ...], _Heard] | None = None
        self._decided: tuple[_Heard, Settled | None, Screened | None] | None = None

    def _silent_alike(self, recipe: Recipe) -> Recipe:
        """With the silence the study began with, of a sample that is new too: samples whose criteria come in the same
        order are one recipe, and the ledger keeps one silence of it. A recipe from before that stays as it is."""
        return replace(recipe, silence=dict(self._silence)) if recipe.silence else recipe

    @property
    def recipe(self) -> Recipe:
        """Of the first sample."""
        return self._samples[0]

    @property
    def asked_with(self) -> Mapping[tuple[str, int], Recipe]:
        """(stage, sample) → its recipe: samples whose words are equal have equal ones."""
        samples = {(SCREEN, sample): recipe for sample, recipe in enumerate(self._samples, start=1)}
        return {**samples, (ADJUDICATE, ADJUDICATOR): self._adjudicate} if ADJUDICATE in self.stages else samples

    @property
    def abstract_column(self) -> str:
        return self.recipe.slots[self._abstract]

    def missing_abstract(self, record: Record) -> bool:
        """True when the abstract (by its column's name, else the last text column) is blank or says it is missing.

        With `no_abstract: error` the check before a run refuses such records; `person` does not send them.
        """
        return _is_missing(clean(record.values.get(self.abstract_column), self.recipe.cleaning))

    def said_to_the_model(self, record: Record) -> str:
        """What in the record's texts speaks to whoever judges it, cut; empty where nothing does."""
        return first_said(self._texts(record), self._names)

    def not_sent(self, record: Record) -> NotSent | None:
        """Without text, or without an abstract where the study wants one (`person`, and `error` for safety)."""
        return NotSent.NO_TEXT if self._lacks(self._texts(record)) else None

    def _texts(self, record: Record) -> tuple[str, ...]:
        """Of the record in hand they are kept: what is wanted, decided and counted of it is asked in a row."""
        if self._cleaned is None or self._cleaned[0] is not record:
            self._cleaned = record, cleaned_texts(record, self.recipe.slots, self.recipe.cleaning)
        return self._cleaned[1]

    def _lacks(self, texts: tuple[str, ...]) -> Literal["", "abstract", "text"]:
        """What is not there to judge by. A database's remark that there is no abstract is no text."""
        if not _is_missing(texts[self._abstract]):
            return ""
        if not any(text for place, text in enumerate(texts) if place != self._abstract):
            return "text"
        return "abstract" if self.needs_abstract else ""

    # --- what is wanted ----------------------------------------------------------------------------------------------

    def wants(self, record: Record, settled: Settlements) -> Iterator[Want]:
        texts = self._texts(record)
        if self._lacks(texts):
            return
        known = self._known_of(record, texts, settled)
        for sample in range(1, known.wanted + 1):
            yield Want(SCREEN, sample, self._samples[sample - 1], texts)
        if known.arguments:
            yield Want(ADJUDICATE, ADJUDICATOR, self._adjudicate, (known.arguments, *texts))

    def later(self, record: Record, settled: Settlements) -> Iterator[Later]:
        texts = self._texts(record)
        if self._lacks(texts):
            return
        known = self._known_of(record, texts, settled)
        more = self._samples[FIRST_ADAPTIVE:]
        if self.deep.adaptive and more:
            asked = known.wanted > FIRST_ADAPTIVE if _all_there(settled, FIRST_ADAPTIVE) else None
            yield Later(SCREEN, FIRST_ADAPTIVE + 1, more, texts, wanted=asked)
        if ADJUDICATE in self.stages:
            asked = bool(known.arguments) if known.is_whole else None
            every = self.deep.adjudicate == "all"
            yield Later(ADJUDICATE, ADJUDICATOR, (self._adjudicate,), ("", *texts), self._samples, asked, every)

    def _known_of(self, record: Record, texts: tuple[str, ...], settled: Settlements) -> "_Known":
        """A run asks it of every record for each plan and each job it makes, so that it is kept: by what is said, since
        that is all it depends on."""
        outcomes = [(n, one.outcome) for n in range(1, self.deep.samples + 1) if (one := settled.get((SCREEN, n)))]
        if not outcomes:
            return _known(self._hear(record, texts, settled))
        said = [b"%d %d" % (n, outcome.kind is None) + outcome.answer for n, outcome in outcomes]
        gist = sha256(b"\0".join([*(text.encode("utf-8", "surrogatepass") for text in texts), *said])).digest()
        found = self._known.get(gist)
        if found is None:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            found = self._known[gist] = _known(self._heard(record, texts, settled))
        return found

    def _heard(self, record: Record, texts: tuple[str, ...], settled: Settlements) -> "_Heard":
        """What follows from the samples there are. The last is kept: decision, counts and tables ask one after the
        other, and quotes are looked for once."""
        basis = (record, *(settled.get((SCREEN, sample)) for sample in range(1, self.deep.samples + 1)))
        if self._last is None or self._last[0] != basis:
            self._last = basis, self._hear(record, texts, settled)
        return self._last[1]

    def _hear(self, record: Record, texts: tuple[str, ...], settled: Settlements) -> "_Heard":
        """Nothing is read while it cannot change what is wanted."""
        wanted = self.deep.samples
        look = self._reads.of(record)
        first: tuple[Judged | None, ...] = ()
        if self.deep.adaptive:
            if not _all_there(settled, FIRST_ADAPTIVE):
                return _Heard(FIRST_ADAPTIVE)
            first = self._judged_all(settled, range(1, FIRST_ADAPTIVE + 1), look)
            wanted = wanted if contests(first) else FIRST_ADAPTIVE
        if not _all_there(settled, wanted):
            return _Heard(wanted)
        samples = (*first, *self._judged_all(settled, range(len(first) + 1, wanted + 1), look))
        asked = self.deep.adjudicate == "all" or (self.deep.adjudicate == "contested" and contests(samples))
        return _Heard(wanted, samples, arguments(texts, samples) if asked else "")

    # --- what came back ----------------------------------------------------------------------------------------------

    def _judged_all(self, settled: Settlements, samples: Iterable[int], look: Look) -> tuple[Judged | None, ...]:
        return tuple(self._judged(settled[SCREEN, sample], look) for sample in samples)

    def _judged(self, one: Settled, look: Look) -> Judged | None:
        answer = answer_of(one)
        return None if answer is None else read_judged(self.screen, answer, look, self._silence)

    def screened(self, record: Record, settled: Settlements) -> Screened | None:
        """None: nothing is answered, or something that is wanted is still open."""
        texts = self._texts(record)
        return None if self._lacks(texts) else self._screened(record, self._heard(record, texts, settled), settled)

    def _screened(self, record: Record, heard: "_Heard", settled: Settlements) -> Screened | None:
        ruled = settled.get((ADJUDICATE, ADJUDICATOR))
        if self._decided is None or self._decided[0] is not heard or self._decided[1] is not ruled:
            self._decided = heard, ruled, self._decide(record, heard, ruled)
        return self._decided[2]

    def _decide(self, record: Record, heard: "_Heard", ruled: Settled | None) -> Screened | None:
        """Kept by `_screened`: cells, tables and report ask for it one after the other."""
        if heard.samples is None:
            return None
        if heard.arguments and ruled is None:
            return None
        said = self.said_to_the_model(record)
        notes = (f'speaks to the model: "{said}"',) if said else ()
        if ruled is None or not heard.arguments:
            return screened(self.screen, heard.samples, notes=notes)
        kind = ruled.outcome.kind
        adjudicated = self._judged(ruled, self._reads.of(record))
        gone = "" if kind is None else kind.value
        return screened(self.screen, heard.samples, adjudicated, no_adjudication=gone, notes=notes)

    def compared(self, record: Record, settled: Settlements) -> Compared | None:
        texts = self._texts(record)
        known = None if self._lacks(texts) else self._known_of(record, texts, settled)
        if known is None or known.compared is None:
            return None
        ruled = settled.get((ADJUDICATE, ADJUDICATOR)) if known.arguments else None
        return replace(known.compared, adjudicated=ruled is not None and ruled.outcome.kind is None)

    def cells(self, record: Record, settled: Settlements) -> Sequence[Cell]:
        """Blank for an open record. A problem, and a record without text, is `unclear`: a person decides."""
        found = self._ended(record, settled)
        if isinstance(found, Screened):
            return [*_head_cells(found), *(cell for one in found.criteria for cell in _criterion_cells(one))]
        head = [] if found is None else [*_decision_cells(found), None, True, found.why]
        return [*head, *[None] * (len(self.columns) - len(head))]

    def _ended(self, record: Record, settled: Settlements) -> Screened | Decision | None:
        """With a decision there is nothing that could decide. None: open."""
        found = self._without_text(record)
        if found is not None:
            return found
        heard = self._heard(record, self._texts(record), settled)
        return self._screened(record, heard, settled) or self._without_answer(heard, settled)

    def tallied(self, record: Record, settled: Settlements) -> Iterator[tuple[str, str]]:
        found = self._ended(record, settled)
        return iter(()) if found is None else tally_of(found)

    def _tables(self) -> Iterator[Table]:
        criteria = {one.id: one for one in self.screen.criteria}
        said = self._said
        yield Table("samples", SAMPLE_COLUMNS, lambda *of: sample_rows(said(*of)), by_request=True)
        yield Table("verdicts", VERDICT_COLUMNS, lambda *of: verdict_rows(said(*of), criteria))

    def reviewers(self, record: Record, settled: Settlements) -> Mapping[int, str]:
        """Sample → the letter by which the adjudicator speaks of it; empty where none is asked."""
        texts = self._texts(record)
        heard = self._heard(record, texts, settled)
        return reviewers(texts, heard.samples or ()) if heard.arguments else {}

    def _said(self, record: Record, settled: Settlements) -> Heard:
        """Each settled request in the order of the stages."""
        samples = self._heard(record, self._texts(record), settled).samples or ()
        letters, look = self.reviewers(record, settled), self._reads.of(record)
        for stage in self.stages:
            for sample in sorted(number for of, number in settled if of == stage):
                if stage == SCREEN and sample <= len(samples):
                    judged = samples[sample - 1]
                else:
                    judged = self._judged(settled[stage, sample], look)
                asked = (self.deep.framing(sample), letters.get(sample, "")) if stage == SCREEN else ("", "")
                yield stage, sample, asked, judged

    def _without_text(self, record: Record) -> Decision | None:
        match self._lacks(self._texts(record)):
            case "abstract":
                return no_answer("no abstract", "no_abstract")
            case "text":
                return no_answer("no text", "no_text")
            case _:
                return None

    def _without_answer(self, heard: "_Heard", settled: Settlements) -> Decision | None:
        """None while something of it is open."""
        if heard.samples is None or any(heard.samples):
            return None
        kinds = (settled[SCREEN, sample].outcome.kind for sample in range(1, heard.wanted + 1))
        return no_answer(f"no answer: {', '.join(dict.fromkeys(kind.value for kind in kinds if kind))}", "no_answer")


@dataclass(frozen=True, slots=True)
class _Heard:
    """wanted: how many samples. samples: None while one of them is open. arguments: for the adjudicator, empty where
    none is asked."""

    wanted: int
    samples: tuple[Judged | None, ...] | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """Of what is heard, what a plan asks for: small enough to be kept of every record.

    is_whole: all samples are there. compared: as long as no adjudicator was heard; None where there are not several, or
    none has an answer.
    """

    wanted: int
    arguments: str
    is_whole: bool
    compared: Compared | None


def _known(heard: _Heard) -> _Known:
    samples = heard.samples or ()
    compared = _compared(samples) if len(samples) > 1 and any(samples) else None
    return _Known(heard.wanted, heard.arguments, heard.samples is not None, compared)


def _compared(samples: Sequence[Judged | None]) -> Compared:
    why = contests(samples)
    return Compared(bool(why), False, tuple(_split(samples)), "differ" in why and "quotes" not in why)


def _split(samples: Sequence[Judged | None]) -> Iterator[str]:
    """Criteria on which samples that answered have different verdicts, quotes that were not found taken for unclear."""
    verdicts: dict[str, set[Verdict]] = {}
    for result in (result for one in samples if one is not None for result in one.results):
        verdicts.setdefault(result.id, set()).add(result.checked)
    return (criterion for criterion, said in verdicts.items() if len(said) > 1)


def _all_there(settled: Settlements, samples: int) -> bool:
    return all((SCREEN, sample) in settled for sample in range(1, samples + 1))


# --- columns ---------------------------------------------------------------------------------------------------------


def _screen_columns(screen: ScreenSpec) -> Iterator[Column]:
    yield Column("decision", keyword="screening")
    yield from (Column("why"), Column("decided_by"), Column("exclusion_reason", keyword="reason"))
    yield Column("agreement")
    yield from (Column("needs_person", "boolean"), Column("needs_person_why"))
    yield from (Column("model_decision"), Column("rationale"))
    for criterion in screen.criteria:
        yield from map(Column, result_columns(criterion.id))


def _decision_cells(decision: Decision) -> list[Cell]:
    return [decision.decision, decision.why, decision.decided_by, decision.exclusion_reason or None]


def _head_cells(found: Screened) -> list[Cell]:
    return [
        *_decision_cells(found.decision),
        found.agreement or None,
        bool(found.doubts),
        "; ".join(found.doubts) or None,
        found.model_decision or None,
        found.rationale or None,
    ]


def _criterion_cells(one: CriterionVotes) -> list[Cell]:
    result: CriterionResult | None = one.shown
    counted = sorted(one.votes.items(), key=lambda vote: (-vote[1], vote[0]))
    votes = ", ".join(f"{verdict} {n}" for verdict, n in counted)
    if result is None:
        return [None, votes or None, None, None, None, None]
    place = result.place
    return [
        one.verdict.value if one.verdict else None,
        votes,
        result.quote or None,
        result.quote_found or None,
        f"{place.column}:{place.start}-{place.end}" if place else None,
        result.reason or None,
    ]
