"""The workbook of results: Records, Criteria, the long tables, Costs, Read me."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Final

from overnight.core.realm import is_simulated
from overnight.core.record import Cell
from overnight.core.task import Column, Table
from overnight.records.writers.xlsx import MAX_ROWS, Sheet
from overnight.run import cost_file
from overnight.run.bill import StudyBill
from overnight.run.marks import criteria_of
from overnight.run.results import FIRST, LAST, answered_by, long_tables, table_columns
from overnight.run.spool import Spool
from overnight.run.world import World

_BESIDE: Final = ("votes", "quote", "quote_found", "quote_at", "reason")
CRITERIA_COLUMNS: Final = tuple(map(Column, ("record_id", "criterion", "verdict", *_BESIDE, "decision")))
SHEET_ROWS: Final = 100_000
"""Of a long table; a row takes 0.1 ms. Longer ones are left to their CSV."""


def sheets(world: World, spool: Spool, n_records: int, columns: Sequence[Column], bill: StudyBill) -> Iterator[Sheet]:
    """One after the other: each reads the kept rows anew. columns: of the results.

    There is no Criteria where a sheet has no room for a row for each record and criterion, and no long table where that
    would take long.
    """
    criteria = criteria_of(world.task.columns)
    if n_records * len(criteria) > MAX_ROWS:
        criteria = []
    shown = [table for table in long_tables(world.task) if spool.holds(table.name, SHEET_ROWS)]
    yield Sheet("Records", columns, spool.rows())
    if criteria:
        yield Sheet("Criteria", CRITERIA_COLUMNS, _criteria(spool, columns, criteria))
    for table in shown:
        yield Sheet(table.name.capitalize(), table_columns(table), spool.kept[table.name].rows())
    yield Sheet("Costs", cost_file.COLUMNS, cost_file.cost_rows(world, bill))
    rows = read_me(world, columns, has_criteria=bool(criteria), tables=shown)
    yield Sheet("Read me", (Column("what"), Column("is")), rows)


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
        (name.removeprefix("c_"), [place[name], *(place[f"{name}_{end}"] for end in _BESIDE)]) for name in criteria
    ]
    for row in spool.rows():
        for criterion, places in parts:
            if row[places[0]]:
                yield [row[0], criterion, *(row[i] for i in places), row[place["decision"]]]


def read_me(
    world: World, columns: Sequence[Column], *, has_criteria: bool, tables: Sequence[Table]
) -> Iterator[list[Cell]]:
    """Rows of (what, is). columns: of the results. tables: those with a sheet. KeyError for a column of ours that
    nobody has described."""
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
    for table in tables:
        yield [f"sheet {table.name.capitalize()}", _TABLES[table.name]]
    yield ["sheet Costs", "The bill, line by line: cost_usd adds up to what the study cost."]
    ours = {column.name for column in (*FIRST, *world.task.columns, *LAST)}
    for column in columns:
        yield [f"Records: {column.name}", words_for(column.name) if column.name in ours else "your own column"]
    for table in tables:
        for column in table_columns(table):
            if column.name not in ours:
                yield [f"{table.name.capitalize()}: {column.name}", words_for(column.name)]


_TABLES: Final = {
    "samples": "One row for each time a record was asked, and what came back.",
    "verdicts": "One row for each time a record was asked, and criterion: the verdict as the model gave it.",
}


_WORDS: Final = {
    "record_id": "the record's id, always text",
    "outcome": "answer, problem, not_sent or open (not settled yet)",
    "problem": "the kind of problem, or why it was not sent",
    "duplicate_of": "the record that stands for this one, and whose decision or answer this row shows; empty for most",
    "decision": "include, exclude or unclear: unclear ones are for a person; of a duplicate, its survivor's",
    "why": "the decision in words",
    "decided_by": "who or what decided",
    "exclusion_reason": "the reason of the first criterion that excludes",
    "agreement": "how many samples decide as most do, of how many: 2 of 3",
    "needs_person": "true where a person has to look, whatever the decision",
    "needs_person_why": "why",
    "model_decision": "the model's own word; the decision is made by the rule, from verdicts",
    "rationale": "the model's reasons for the record as a whole",
    "stage": "which question: the first one, or one that follows from its answers",
    "sample": "the how manieth independent answer to the same question",
    "answer": "the answer as it came, as JSON",
    "framing": "what the sample was told to look for: neutral, for, against",
    "contradicts_itself": "true where the model's own decision does not follow from its verdicts",
    "reviewer": "the letter by which the adjudicator speaks of this sample; blank where none was asked",
    "rests_on_lost_quotes": "true where it would decide otherwise, were its quotes in the record",
    "mistakes": "what the adjudicator says the reviewers got wrong",
    "criterion": "its id",
    "verdict": "as the model gave it: met, not_met, not_stated or unclear",
    "counts_as": "what it counts as, once its quote was looked for and silence was mapped",
    "excludes": "true where it is a ground to exclude the record",
    "quote": "the words that the verdict rests on",
    "quote_found": "exact, near or no: whether these words were found in the record",
    "quote_column": "in which column of your table they stand",
    "quote_start": "from which character on, the first being 0",
    "quote_end": "up to which character, that one not with them",
    "reason": "the model's reason, in one sentence",
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
