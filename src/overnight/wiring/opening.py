"""A study opened: its records read and checked, its ledger, its task, and a way to the service if one is wanted."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from overnight.backends.backend import Backend
from overnight.backends.unconnected import Unconnected
from overnight.core.events import Tell, silent
from overnight.core.realm import GOOGLE
from overnight.core.record import Record, text_of
from overnight.core.task import Task
from overnight.errors import Finding, RecordsError, StudyError
from overnight.ledger.ledger import Ledger, Lock
from overnight.planning.fit import Draw
from overnight.planning.tasks import Pinned, ScreenTask, make_task
from overnight.planning.texts import TextCensus
from overnight.pricing.catalogue import Model
from overnight.pricing.refusals import NAME, Chosen, Refusal, barred, looked_at
from overnight.pricing.tables import Tables
from overnight.pricing.thinking import Thinking
from overnight.pricing.tokens import room_of
from overnight.records.duplicates import Marks
from overnight.records.opening import open_table
from overnight.records.reader import RecordSet, RecordsFile, read_records
from overnight.run.world import Home, Reporter, World
from overnight.study.blanks import BlankSlots, missing_abstracts
from overnight.study.load import load_study
from overnight.study.models import AskSpec, Study
from overnight.wiring import service
from overnight.wiring.identity import Duplicates, settle_duplicates, settle_names, vanished
from overnight.wiring.models import chosen, study_costs, tables_of
from overnight.wiring.notify import missing_program

_MOST_FINDINGS: Final = 20


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Opened:
    """A study with all that was worked out about it."""

    study: Study
    model: Model
    thinking: Thinking
    records: RecordSet
    n_records: int
    warnings: tuple[Finding, ...]
    world: World
    duplicates: Duplicates


@contextlib.contextmanager
def open_study(
    path: Path,
    *,
    tell: Tell = silent,
    command: str = "",
    connect: bool = False,
    new_recipe: bool = False,
    to_send: bool = True,
    allow_unknown_model: bool = False,
    now: Callable[[], datetime] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Opened]:
    """Everything read and checked, the ledger open. command: what will change the study, and then it is locked.

    connect: with a way to the service: the embedded local cloud is started and ends with this, or Google is asked for
    credentials. to_send: a model that cannot be used is refused; else it is taken as it is, since what it has answered
    is still to be collected and shown. A `run` whose ledger knows of jobs collects them too: then what would be sent is
    refused, `world.refusal`. Raises StudyError or RecordsError with all findings before anything else is
    touched.
    """
    now = now or utc_now
    study = load_study(path)
    today = now().date()
    tables = tables_of(study)
    found: Chosen | Refusal | None = chosen(study, tables, today, to_send=to_send, allow_unknown=allow_unknown_model)
    refused = None if to_send else barred(tables, study.model.name, today)
    if isinstance(found, Refusal):
        refused, found = found, _all_the_same(study, tables, found, now) if command else None
    if found is None:
        assert refused is not None, "else there is a model"
        raise _refused(study, tables, refused, now)
    model, thinking = found.model, found.thinking
    marks = Marks() if study.duplicates != "keep" else None
    records, n_records = read_study_records(study, marks)
    home = Home(study.home, study.realm)
    task = make_task(study, thinking.config, pinned=None if new_recipe else _pinned(study, home, now))
    noted = check_texts(study, records, task)
    with contextlib.ExitStack() as stack:
        if command:
            stack.enter_context(Lock(home.hidden, command))
        ledger = stack.enter_context(
            Ledger.open(home.ledger, study=study.name, now=now().strftime("%Y-%m-%dT%H:%M:%SZ"), only_look=not command)
        )
        noted += settle_names(records, ledger, keep=bool(command))
        duplicates = settle_duplicates(study, records, marks, ledger)
        pinned = None if new_recipe else ledger.recipes.pinned()
        task = make_task(study, thinking.config, pinned=pinned)
        backend = stack.enter_context(service.connected(study, home, tell)) if connect else Unconnected()
        world = _world(study, tables, model, thinking, records, home, ledger, backend, task, tell, now, sleep)
        world.cannot_send = "" if refused is None else refused.what
        world.refusal = _refusal(study, tables, refused, now)
        world.lost = _lost_memory(study, world)
        lost = (Finding(world.lost, level="warning"),) if world.lost else ()
        noted += [*map(study.placed, found.warnings), *lost, *missing_program(study)]
        warnings = (*study.warnings, *records.notes, *noted)
        world.vanished = partial(vanished, records, ledger, study.realm)
        opened = Opened(study, model, thinking, records, n_records, warnings, world, duplicates)
        world.reporter = lambda: _reporter(opened)
        yield opened


def _world(
    study: Study,
    tables: Tables,
    model: Model,
    thinking: Thinking,
    records: RecordSet,
    home: Home,
    ledger: Ledger,
    backend: Backend,
    task: Task,
    tell: Tell,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> World:
    schema_chars = _schema_chars(task)
    budget = study.budget if study.realm == GOOGLE else None

    return World(
        study=study.name,
        task_name=study.task_name,
        realm=study.realm,
        model=model,
        catalogue=tables.models,
        prices=tables.prices,
        schema_chars=schema_chars,
        thinking=thinking.explained,
        attempts=study.attempts,
        give_up_after_days=study.give_up_after_days,
        limit=budget.limit_usd if budget else None,
        draw=Draw(budget.seed) if budget and budget.when_over == "fit" else None,
        location=study.cloud.location if study.cloud else "global",
        home=home,
        ledger=ledger,
        backend=backend,
        records=records,
        columns=records.typed_columns,
        formats=records.formats,
        id_column=study.records.id,
        task=task,
        room=room_of(model, thinking.level, schema_chars),
        now=now,
        sleep=sleep,
        tell=tell,
    )


def _all_the_same(study: Study, tables: Tables, refused: Refusal, now: Callable[[], datetime]) -> Chosen | None:
    """The study's model as it is, where jobs were sent that are still to be collected and shown."""
    home = Home(study.home, study.realm)
    if refused.path != NAME or not home.ledger.exists():
        return None
    stamp = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with Ledger.open(home.ledger, study=study.name, now=stamp, only_look=True) as ledger:
        if not ledger.shards.all(study.realm, "submitting", "submitted", "collected"):
            return None
    found = chosen(study, tables, now().date(), to_send=False, allow_unknown=True)
    assert isinstance(found, Chosen), "only what sends is refused"
    return found


def _refusal(
    study: Study, tables: Tables, refused: Refusal | None, now: Callable[[], datetime]
) -> Callable[[int], StudyError] | None:
    if refused is None:
        return None

    def of(n_requests: int) -> StudyError:
        left = f"{n_requests:,} requests are left, and none can be sent: {refused.what}"
        return _refused(study, tables, replace(refused, what=left), now)

    return of


def _refused(study: Study, tables: Tables, refused: Refusal, now: Callable[[], datetime]) -> StudyError:
    """With its line in the study. The hint stays whole: a row to be pasted has lines."""
    finding = refused.finding(_costs(study, tables, refused, now) if refused.alternatives else {})
    return StudyError([replace(study.placed(finding), hint=finding.hint)])


def _costs(study: Study, tables: Tables, refused: Refusal, now: Callable[[], datetime]) -> dict[str, str]:
    """What each alternative would cost for this study, where its records can be read."""
    try:
        records, _ = read_study_records(study)
    except RecordsError:  # said, whole, as soon as the study names a model
        return {}
    other = looked_at(tables, refused.alternatives[0], None)
    home, task = Home(study.home, study.realm), make_task(study, other.thinking.config)
    stamp = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with Ledger.open(home.ledger, study=study.name, now=stamp, only_look=True) as ledger:
        asked = study, tables, other.model, other.thinking, records
        world = _world(*asked, home, ledger, Unconnected(), task, silent, now, time.sleep)
        costs = study_costs(world, refused.thinking or study.model.thinking, refused.alternatives)
    return {id_: f"about {amount} for this study, thinking {set_.level}" for id_, (amount, set_) in costs.items()}


def read_study_records(study: Study, marks: Marks | None = None) -> tuple[RecordSet, int]:
    """The records and how many there are. All of them are read once: ids, encoding, columns. Raises RecordsError.

    marks: is shown each, to find duplicates.
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
    return records, records.check(marks)


def _pinned(study: Study, home: Home, now: Callable[[], datetime]) -> Pinned:
    """The recipes the study began with, before anything of it is opened to be changed: texts are checked by them."""
    if not home.ledger.exists():
        return {}
    stamp = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with Ledger.open(home.ledger, study=study.name, now=stamp, only_look=True) as ledger:
        return ledger.recipes.pinned()


def text_census(opened: Opened) -> TextCensus | None:
    """What kinds of texts a screen has, read once more: by the names that the ledger has settled. None for an `ask`."""
    task = opened.world.task
    if not isinstance(task, ScreenTask):
        return None
    census = TextCensus(task, opened.records.columns, opened.study.records.no_abstract)
    for record in opened.records:
        census.see(record)
    return census


def check_texts(study: Study, records: RecordSet, task: Task) -> list[Finding]:
    """Texts too long to send are refused here, with every place; missing abstracts are refused or noted as asked."""
    errors: list[Finding] = []
    n_errors, missing, columns, blanks = 0, 0, study.text_columns, BlankSlots(study)
    for record in records:
        found = _too_long(record, columns, study.records.max_text_chars)
        if isinstance(task, ScreenTask) and task.missing_abstract(record):
            missing += 1
            if study.records.no_abstract == "error":
                found.append(_no_abstract(record))
        blanks.see(record)
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


def _lost_memory(study: Study, world: World) -> str:
    """Signs that what this study was answered and paid for is in another ledger than the one at hand."""
    if world.ledger.shards.all(world.realm):
        return ""
    results = world.home.results / "results.csv"
    if results.exists() and _holds_answers(results):
        return (
            f"{results} holds answers, but the ledger beside them knows of no request: it was left behind, or removed."
            f" Put the folder .overnight back into {world.home.folder}, or make the ledger again from the bucket with"
            " `overnight recover`; else everything is asked anew."
        )
    beside = study.folder / ".overnight"
    if study.home != study.folder and beside.exists() and not (study.folder / "study.yaml").exists():
        return (
            f"{beside} is the memory of a study.yaml that is not there any more. If {study.path.name} is that study,"
            f" move .overnight to {study.home}, or everything is asked anew. Is it lost: `overnight recover`."
        )
    return ""


def _holds_answers(results: Path) -> bool:
    """False for results of before any answer. A file that is not as we wrote it is taken to hold some."""
    try:
        table = open_table(results)
        at = table.columns.index("outcome")
        return any(row[at] in {"answer", "problem"} for _, row in table.rows())
    except (RecordsError, ValueError, OSError):
        return True


def _schema_chars(task: Task) -> int:
    return max((len(json.dumps(recipe.schema)) for recipe in task.recipes), default=0)


def _reporter(opened: Opened) -> Reporter:
    from overnight.wiring.reporting import StudyReporter

    return StudyReporter(opened.study, opened.model, opened.thinking, opened.world)
