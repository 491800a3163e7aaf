"""The long tables of a screen: what each sample said, and its verdict on each criterion."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from overnight.answers.decisions import CriterionResult, standing
from overnight.answers.judged import Judged
from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.study.models import Criterion

SAMPLE_COLUMNS: Final = (
    *(Column("framing"), Column("reviewer"), Column("decision"), Column("why"), Column("model_decision")),
    *(Column("contradicts_itself", "boolean"), Column("rests_on_lost_quotes", "boolean")),
    *(Column("rationale"), Column("mistakes")),
)
"""docs/reference/results.md says what each holds."""
VERDICT_COLUMNS: Final = (
    *(Column("criterion"), Column("verdict"), Column("counts_as"), Column("excludes", "boolean")),
    *(Column("quote"), Column("quote_found"), Column("quote_column")),
    *(Column("quote_start", "integer"), Column("quote_end", "integer"), Column("reason")),
)
_BLANK: Final = (None,) * len(SAMPLE_COLUMNS)

Heard = Iterable[tuple[str, int, tuple[str, str], Judged | None]]
"""(stage, sample, its framing and the letter that the adjudicator knows it by, what it said; None for a problem)"""


def sample_rows(heard: Heard) -> Iterator[tuple[str, int, Sequence[Cell]]]:
    for stage, sample, (framing, reviewer), judged in heard:
        yield stage, sample, _BLANK if judged is None else [framing or None, reviewer or None, *_sample_cells(judged)]


def _sample_cells(judged: Judged) -> list[Cell]:
    return [
        judged.decision.decision,
        judged.decision.why,
        judged.own or None,
        judged.contradicts_itself,
        judged.rests_on_lost_quotes,
        judged.rationale or None,
        judged.mistakes or None,
    ]


def verdict_rows(heard: Heard, criteria: Mapping[str, Criterion]) -> Iterator[tuple[str, int, Sequence[Cell]]]:
    """criteria: by id."""
    for stage, sample, _, judged in heard:
        for result in () if judged is None else judged.results:
            yield stage, sample, _verdict_cells(result, criteria[result.id])


def _verdict_cells(result: CriterionResult, criterion: Criterion) -> list[Cell]:
    stand, place = standing(criterion, result), result.place
    return [
        result.id,
        result.verdict.value,
        stand.counts_as,
        stand.excludes,
        result.quote or None,
        result.quote_found or None,
        *((None, None, None) if place is None else (place.column, place.start, place.end)),
        result.reason or None,
    ]
