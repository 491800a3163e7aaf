"""The records of a study, read, and what is said of their texts before any is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from overnight.core.record import Record, text_of
from overnight.core.task import Task
from overnight.errors import Finding, RecordsError
from overnight.planning.screening import ScreenTask
from overnight.planning.texts import TextCensus
from overnight.records.duplicates import Hashes
from overnight.records.reader import RecordSet, RecordsFile, read_records
from overnight.records.text_kinds import TextKind
from overnight.study.blanks import BlankSlots, missing_abstracts
from overnight.study.models import AskSpec, Study

_MOST_FINDINGS: Final = 20


def read_study_records(study: Study, hashes: Hashes | None = None) -> tuple[RecordSet, int]:
    """The records and how many there are. All of them are read once: ids, encoding, columns. Raises RecordsError.

    hashes: is shown each, to find duplicates.
    """
    files = [RecordsFile(file.path, file.source) for file in study.records.files]
    try:
        records = read_records(files, id=study.records.id, text=study.text_columns)
    except RecordsError as error:
        if not isinstance(study.task, AskSpec):
            raise
        # The columns of an ask are the ones its prompt names.
        paths = {"records.text": "ask.prompt"}
        renamed = [replace(one, path=paths.get(one.path, one.path)) for one in error.findings]
        raise RecordsError(renamed, error.left_out) from error
    return records, records.check(hashes)


def text_census(
    study: Study, records: RecordSet, task: Task, kinds: Mapping[str, frozenset[TextKind]]
) -> TextCensus | None:
    """Empty, for `check_texts` to fill: what kinds of texts a screen has. None for an `ask`.

    kinds: of a record that stands for others, what they say too.
    """
    if not isinstance(task, ScreenTask):
        return None
    return TextCensus(task, records.columns, study.records.no_abstract, kinds)


def check_texts(study: Study, records: RecordSet, task: Task, census: TextCensus | None = None) -> list[Finding]:
    """Texts too long to send are refused here, with every place; missing abstracts are refused or noted as asked.

    One pass over the files, by the names that the ledger has settled; of records that are sent, so without those that
    another one stands for. census: is shown each.
    """
    errors: list[Finding] = []
    n_errors, missing, columns, blanks = 0, 0, study.text_columns, BlankSlots(study)
    for record in records:
        if record.duplicate_of:
            continue
        found = _too_long(record, columns, study.records.max_text_chars)
        if isinstance(task, ScreenTask) and task.missing_abstract(record):
            missing += 1
            if study.records.no_abstract == "error":
                found.append(_no_abstract(record))
        blanks.see(record)
        if census is not None:
            census.see(record)
        n_errors += len(found)
        errors += found[: max(0, _MOST_FINDINGS - len(errors))]
    if errors:
        raise RecordsError(errors, n_errors - len(errors))
    return [*missing_abstracts(study, missing), *blanks.warnings()]


def _no_abstract(record: Record) -> Finding:
    return Finding(
        f"record {record.record_id!r} has no abstract",
        path="records.no_abstract",
        file=record.source,
        hint="Fill it in, take the record out, or write no_abstract: person (or title_only).",
    )


def _too_long(record: Record, columns: Sequence[str], limit: int) -> list[Finding]:
    sizes = [(column, len(text_of(record.values.get(column)))) for column in columns]
    return [
        Finding(
            f"record {record.record_id!r}: {column} has {size:,} characters, more than {limit:,}",
            path="records.max_text_chars",
            file=record.source,
            hint="Shorten it, take the record out, or raise records.max_text_chars if it is meant.",
        )
        for column, size in sizes
        if size > limit
    ]
