"""What the report says of a `screen`: decisions, criteria, and the records that a person has to look at."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from overnight.answers.screened import CriterionVotes, Screened
from overnight.core.compared import contested_words
from overnight.core.record import Cell, Record
from overnight.planning.screening import ScreenTask
from overnight.planning.wants import Account
from overnight.report.least import Least
from overnight.report.records import SampleRecord
from overnight.report.render import MOST_PERSON, MOST_SPLIT, SETTLED_SHOWN
from overnight.report.screening import Compared, Concern, Criterion, Decisions, Listed, Screening, Split
from overnight.wiring.report_record import RecordPage
from overnight.wiring.report_voices import contest_of, differing, quotes_of, verdict_of, voices_of, votes_said

_BY_CONCERN: Final = {concern: place for place, concern in enumerate(Concern)}


class ScreenPart:
    """Sees each record once; keeps counts, and of records only those that the page will show."""

    def __init__(self, task: ScreenTask, page: RecordPage) -> None:
        self._task, self._page = task, page
        self._decisions: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._by: Counter[str] = Counter()
        self._verdicts: dict[str, Counter[str]] = {one.id: Counter() for one in task.screen.criteria}
        self._quotes: dict[str, Counter[bool]] = {one.id: Counter() for one in task.screen.criteria}
        self._split: Counter[str] = Counter()
        self._concerns: Counter[Concern] = Counter()
        self._settled = 0
        self._person = Least[tuple[Concern, SampleRecord]](MOST_PERSON)
        self._no_person = Least[SampleRecord](SETTLED_SHOWN)
        self._splits = Least[Split](MOST_SPLIT)

    def add(self, number: int, record: Record, account: Account, cells: Sequence[Cell]) -> None:
        """Decisions are of all records that have one, as in the results; verdicts of those with an answer."""
        decision = self._page.cell(cells, "decision")
        if not decision:
            return
        self._decisions[decision] += 1
        self._by[self._page.cell(cells, "decided_by").replace("_", " ")] += 1
        if reason := self._page.cell(cells, "exclusion_reason"):
            self._reasons[reason] += 1
        found = self._task.screened(record, account.settled)
        if found is not None:
            self._count(number, record, found)
        self._list(number, record, account, cells, found)

    def _count(self, number: int, record: Record, found: Screened) -> None:
        for one in found.criteria:
            self._verdicts[one.id][one.verdict or "unclear"] += 1
            if one.shown is not None and one.shown.quote:
                self._quotes[one.id][one.shown.quote_found != "no"] += 1
        split = [one for one in found.criteria if one.is_split]
        self._split.update(one.id for one in split)
        if split:
            key = (-len(split), -sum(map(_unevenness, split)), number)
            self._splits.offer(key, lambda: self._split_of(number, record, split))

    def _split_of(self, number: int, record: Record, split: Sequence[CriterionVotes]) -> Split:
        votes = tuple((one.id, votes_said(one)) for one in split)
        return Split(number, record.record_id, self._page.title(record), votes)

    def _list(
        self, number: int, record: Record, account: Account, cells: Sequence[Cell], found: Screened | None
    ) -> None:
        if self._page.cell(cells, "needs_person") != "True":
            self._settled += 1
            self._no_person.offer((number,), lambda: self._shown(number, record, account, cells, found))
            return
        concern = concern_of(account, found)
        self._concerns[concern] += 1
        split = 0 if found is None else sum(one.is_split for one in found.criteria)
        key = (_BY_CONCERN[concern], -split, number)
        self._person.offer(key, lambda: (concern, self._shown(number, record, account, cells, found)))

    def _shown(
        self, number: int, record: Record, account: Account, cells: Sequence[Cell], found: Screened | None
    ) -> SampleRecord:
        base = self._page.of(record, account, cells, number)
        if found is None:
            doubts = tuple(filter(None, [self._page.cell(cells, "needs_person_why")]))
            return replace(base, passages=self._page.passages(record), doubts=doubts)
        several = len(found.samples) > 1 or found.adjudicated is not None
        differ = differing(found) if several else ()
        letters = self._task.reviewers(record, account.settled)
        voices = tuple(voices_of(found, account.settled, self._task.deep, letters)) if several else ()
        return replace(
            base,
            passages=self._page.passages(record, quotes_of(found)),
            verdicts=tuple(verdict_of(one, several=several) for one in found.criteria if one.shown is not None),
            doubts=found.doubts,
            agreement=found.agreement if several else "",
            contested=contest_of(found),
            rationale=found.rationale,
            voices=voices if differ or found.contested or found.adjudicated is not None else (),
            differ=differ,
        )

    def data(self, closing: Mapping[str, Any]) -> dict[str, Any]:
        """Its part of ReportData. closing: of Closing.to_json."""
        listed = self._person.items()
        return {
            "decisions": self._decided(),
            "criteria": tuple(self._criteria()),
            "samples": tuple(self._no_person.items()),
            "screening": Screening(
                listed=tuple(
                    Listed(concern, self._concerns[concern], tuple(one for of, one in listed if of is concern))
                    for concern in Concern
                    if self._concerns[concern]
                ),
                no_person=self._settled,
                compared=_compared(closing["compared"]),
                splits=tuple(self._splits.items()),
            ),
        }

    def _decided(self) -> Decisions:
        order = {word: self._decisions[word] for word in ("include", "exclude", "unclear")}
        return Decisions(order, tuple(self._reasons.most_common()), tuple(self._by.most_common()))

    def _criteria(self) -> Iterator[Criterion]:
        for one in self._task.screen.criteria:
            quotes = self._quotes[one.id]
            yield Criterion(
                id=one.id,
                ask=one.ask,
                kind=one.kind,
                verdicts=self._verdicts[one.id],
                quotes=quotes.total(),
                quotes_found=quotes[True],
                split=self._split[one.id],
                if_silent=one.if_silent,
                reason=one.reason,
            )


def concern_of(account: Account, found: Screened | None) -> Concern:
    """The gravest of why a person has to look at this record."""
    if found is None:
        return Concern.NO_ABSTRACT if account.not_sent is not None else Concern.NO_ANSWER
    compared = len(found.samples) > 1 or found.adjudicated is not None
    unclear = found.decision.decision == "unclear"
    if compared and found.contested and (found.adjudicated is None or unclear):
        return Concern.UNSETTLED
    if unclear:
        return Concern.UNCLEAR
    return Concern.DOUBTFUL if found.adjudicated is None else Concern.ADJUDICATED


def _unevenness(one: CriterionVotes) -> float:
    """0 where all samples say one thing, towards 1 the more they are divided."""
    return 1 - max(one.votes.values()) / sum(one.votes.values())


def _compared(found: Mapping[str, Any] | None) -> Compared | None:
    if not found:
        return None
    return Compared(
        found["records"], found["agreed"], found["contested"], found["adjudicated"], too_many=contested_words(found)
    )
