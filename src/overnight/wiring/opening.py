"""A study opened: its records read and checked, its ledger, its task, and a way to the service if one is wanted."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from overnight.backends.unconnected import Unconnected
from overnight.core.events import Tell, silent
from overnight.errors import Finding
from overnight.ledger.ledger import Ledger, Lock
from overnight.planning.tasks import make_task
from overnight.planning.texts import TextCensus
from overnight.pricing.catalogue import Model
from overnight.pricing.thinking import Thinking
from overnight.records.duplicates import Hashes
from overnight.records.reader import RecordSet
from overnight.run.world import Home, Reporter, World
from overnight.study.load import load_study
from overnight.study.models import Study
from overnight.wiring import service
from overnight.wiring.barred import model_of, refusal_to_send
from overnight.wiring.identity import Duplicates, identify, vanished
from overnight.wiring.lost_memory import lost_memory
from overnight.wiring.making import make_world
from overnight.wiring.models import tables_of
from overnight.wiring.notify import missing_program
from overnight.wiring.study_records import check_texts, read_study_records, text_census


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Opened:
    """A study with all that was worked out about it. texts: where they were asked for, and the study screens."""

    study: Study
    model: Model
    thinking: Thinking
    records: RecordSet
    n_records: int
    warnings: tuple[Finding, ...]
    world: World
    duplicates: Duplicates
    texts: TextCensus | None


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
    count_texts: bool = False,
    now: Callable[[], datetime] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Opened]:
    """Everything read and checked, the ledger open. command: what will change the study, and then it is locked.

    connect: with a way to the service: the embedded local cloud is started and ends with this, or Google is asked for
    credentials. to_send: a model that cannot be used is refused; else it is taken as it is, since what it has answered
    is still to be collected and shown. A `run` whose ledger knows of jobs collects them too: then what would be sent is
    refused, `world.refusal`. count_texts: by kind, which takes some 20 µs a record. Raises StudyError or RecordsError
    with all findings before anything else is touched.
    """
    now = now or utc_now
    study = load_study(path)
    tables = tables_of(study)
    found, refused = model_of(
        study, tables, now, to_send=to_send, allow_unknown=allow_unknown_model, collects=bool(command)
    )
    model, thinking = found.model, found.thinking
    hashes = Hashes() if study.duplicates != "keep" else None
    records, n_records = read_study_records(study, hashes)
    home = Home(study.home, study.realm)
    stamp = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(home.ledger, study=study.name, now=stamp, only_look=True))
        identified = identify(study, records, hashes, ledger)
        task = make_task(study, thinking.config, pinned=None if new_recipe else ledger.recipes.pinned())
        texts = text_census(study, records, task, identified.duplicates.kinds()) if count_texts else None
        checked = check_texts(study, records, task, texts)
        if command:  # all that can be wrong was said: only now is something made, and looked at again under the lock
            stack.close()
            stack.enter_context(Lock(home.hidden, command))
            ledger = stack.enter_context(Ledger.open(home.ledger, study=study.name, now=stamp))
            identified = identify(study, records, hashes, ledger, before=identified)
            task = make_task(study, thinking.config, pinned=None if new_recipe else ledger.recipes.pinned())
        noted = [*identified.notes, *checked]
        backend = stack.enter_context(service.connected(study, home, tell)) if connect else Unconnected()
        world = make_world(study, tables, model, thinking, records, home, ledger, backend, task, tell, now, sleep)
        world.cannot_send = "" if refused is None else refused.what
        world.refusal = refusal_to_send(study, tables, refused, now)
        world.lost = lost_memory(study, world)
        world.vanished = partial(vanished, records, ledger, study.realm, identified.parted)
        lost = (Finding(world.lost, level="warning"),) if world.lost else ()
        noted += [*map(study.placed, found.warnings), *lost, *missing_program(study)]
        warnings = (*study.warnings, *records.notes, *noted)
        opened = Opened(study, model, thinking, records, n_records, warnings, world, identified.duplicates, texts)
        world.reporter = lambda: _reporter(opened)
        yield opened


def _reporter(opened: Opened) -> Reporter:
    from overnight.wiring.reporting import StudyReporter

    return StudyReporter(opened.study, opened.model, opened.thinking, opened.world)
