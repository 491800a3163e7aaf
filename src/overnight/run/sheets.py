"""The workbook of results: Records, Criteria, Samples, Costs, Read me."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Final

from overnight.core.realm import is_simulated
from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.records.writers.xlsx import MAX_ROWS, Sheet
from overnight.run import cost_file
from overnight.run.bill import StudyBill
from overnight.run.marks import criteria_of
from overnight.run.results import FIRST, LAST, SAMPLE_COLUMNS, answered_by
from overnight.run.spool import Spool
from overnight.run.world import World

CRITERIA_COLUMNS: Final = tuple(
    map(Column, ("record_id", "criterion", "verdict", "quote", "quote_found", "reason", "decision"))
)


def sheets(world: World, spool: Spool, n_records: int, columns: Sequence[Column], bill: StudyBill) -> Iterator[Sheet]:
    """One after the other: each reads the kept rows anew. columns: of the results.

    There is no Criteria where a sheet has no room for a row for each record and criterion.
    """
    criteria = criteria_of(world.task.columns)
    if n_records * len(criteria) > MAX_ROWS:
        criteria = []
    yield Sheet("Records", columns, spool.rows())
    if criteria:
        yield Sheet("Criteria", CRITERIA_COLUMNS, _criteria(spool, columns, criteria))
    yield Sheet("Samples", SAMPLE_COLUMNS, spool.samples())
    yield Sheet("Costs", cost_file.COLUMNS, cost_file.cost_rows(world, bill))
    yield Sheet("Read me", (Column("what"), Column("is")), read_me(world, columns, has_criteria=bool(criteria)))


def about(world: World) -> dict[str, str]:
    """What a file of results is of; in Parquet's own metadata, and in the workbook's Read me."""
    return {
        "study": world.study,
        "realm": world.realm,
        "model": world.model.id,
        "answered_by": answered_by(world.realm),
        "simulated": "true" if is_simulated(world.realm) else "false",
        "made": world.stamp(),
        "overnight": version("overnight"),
    }


def _criteria(spool: Spool, columns: Sequence[Column], criteria: Sequence[str]) -> Iterator[list[Cell]]:
    """A row for each record and criterion with a verdict."""
    place = {column.name: i for i, column in enumerate(columns)}
    parts = [
        (name.removeprefix("c_"), [place[name + end] for end in ("", "_quote", "_quote_found", "_reason")])
        for name in criteria
    ]
    for row in spool.rows():
        for criterion, places in parts:
            if row[places[0]]:
                yield [row[0], criterion, *(row[i] for i in places), row[place["decision"]]]


def read_me(world: World, columns: Sequence[Column], *, has_criteria: bool) -> Iterator[list[Cell]]:
    """Rows of (what, is). columns: of the results. KeyError for a column of ours that nobody has described."""
    if is_simulated(world.realm):
        yield ["LOCAL STAND-IN", "No model answered: every answer here is made up, and nothing was paid."]
    for name, text in about(world).items():
        yield [name, text]
    yield ["sheet Records", "One row a record, in the order of your tables; every record is there."]
    yield [
        "one row a publication",
        "Filter Records for an empty duplicate_of: a duplicate shows its survivor's decision.",
    ]
    if has_criteria:
        yield ["sheet Criteria", "One row for each record and criterion: the verdict and the words that it rests on."]
    yield ["sheet Samples", "One row for each time a record was asked, with the answer as it came (JSON)."]
    yield ["sheet Costs", "The bill, line by line: cost_usd adds up to what the study cost."]
    ours = {column.name for column in (*FIRST, *world.task.columns, *LAST)}
    for column in columns:
        yield [f"Records: {column.name}", words_for(column.name) if column.name in ours else "your own column"]


_WORDS: Final = {
    "record_id": "the record's id, always text",
    "outcome": "answer, problem, not_sent or open (not settled yet)",
    "problem": "the kind of problem, or why it was not sent",
    "duplicate_of": "the record that stands for this one, and whose decision or answer this row shows; empty for most",
    "decision": "include, exclude or unclear: unclear ones are for a person; of a duplicate, its survivor's",
    "why": "the decision in words",
    "decided_by": "who or what decided",
    "exclusion_reason": "the reason of the first criterion that excludes",
    "agreement": "how many samples decide as most do, of how many: 2/3",
    "needs_person": "true where a person has to look, whatever the decision",
    "needs_person_why": "why",
    "model_decision": "the model's own word; the decision is made by the rule, from verdicts",
    "rationale": "the model's reasons for the record as a whole",
    "detail": "the service's own words about a problem",
    "prompt_tokens": "tokens of the request, cached ones included",
    "cached_tokens": "of these, read from a cache",
    "thinking_tokens": "thought before answering; billed as output",
    "answer_tokens": "of the answer itself",
    "cost_usd": "US dollars for this record's requests; blank where that is not known",
    "cost_simulated": "true where nobody pays it: on the local cloud",
    "served_model": "the model that answered, as it calls itself",
    "attempts": "how often it was sent",
    "identity": "by what the answer was attached to the record",
    "key": "the key of its line in the raw output",
    "raw_line": "where that line is kept, below .overnight/raw/",
    "answered_by": "google, or LOCAL STAND-IN, which is no model",
}


def words_for(name: str) -> str:
    """What a column of ours holds, in a person's words. KeyError for one that nobody has described."""
    if name.startswith("a_"):
        return "an answer field of your question"
    if name.startswith("c_"):
        for end, words in _CRITERION_WORDS.items():
            if name.endswith(end):
                return words
    return _WORDS[name]


_CRITERION_WORDS: Final = {
    "_quote_found": "exact, near or no: whether these words were found in the record",
    "_quote_at": "where they stand in your table: column:from-to, in characters",
    "_votes": "how many samples say what of this criterion",
    "_quote": "the words that the verdict rests on",
    "_reason": "the model's reason, in one sentence",
    "": "the verdict on this criterion: met, not_met, not_stated or unclear",
}
