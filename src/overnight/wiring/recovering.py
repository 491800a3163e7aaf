"""A study without its ledger: its file, its folder, and a way to the service. Its records are not looked at."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from overnight.core.events import Note, Tell, silent
from overnight.core.record import text_of
from overnight.errors import RecordsError
from overnight.ledger.ledger import Lock
from overnight.ledger.names import Naming
from overnight.records.identifiers import identifier_columns
from overnight.records.ids import AUTO, text_id
from overnight.records.opening import open_table
from overnight.run.rebuild import Site
from overnight.run.world import Home
from overnight.study.load import load_study
from overnight.study.models import Study
from overnight.wiring import service
from overnight.wiring.models import tables_of
from overnight.wiring.opening import utc_now


@contextlib.contextmanager
def open_site(path: Path, *, tell: Tell = silent, now: Callable[[], datetime] = utc_now) -> Iterator[Site]:
    """Locked, as for any command that changes the study. Raises StudyError, LockedError."""
    study = load_study(path)
    home = Home(study.home, study.realm)
    with Lock(home.hidden, "recover"), service.connected(study, home, tell) as backend:
        names = partial(_names_in_results, study, home, tell)
        yield Site(study.name, study.realm, home, backend, tables_of(study).prices, now, tell, names)


def _names_in_results(study: Study, home: Home, tell: Tell) -> list[Naming]:
    """What records were called, and by what they were known, by the results that were written last. Names are in no
    bucket. None where the study names its own ids, or where no results are left."""
    # Parquet first: in CSV a text may have been defused for spreadsheets.
    left = [path for end in ("parquet", "csv") if (path := home.results / f"results.{end}").exists()]
    if study.records.id != AUTO or not left:
        return []
    try:
        return list(_names_in(left[0], study.text_columns))
    except RecordsError as cause:
        tell(Note(f"what records were called is not known: {left[0]} cannot be read: {cause.findings[0]}", "warning"))
        return []


def _names_in(results: Path, text_columns: tuple[str, ...]) -> Iterator[Naming]:
    table = open_table(results)
    identifiers = identifier_columns(table.columns)
    has_texts = set(text_columns) <= set(table.columns)
    for _, row in table.rows():
        values = dict(zip(table.columns, row, strict=True))
        by_text = (text_id(values[name] for name in text_columns),) if has_texts else ()
        if record_id := text_of(values.get("record_id")):
            yield Naming(record_id, (*identifiers.of(values).named, *by_text), seen=0, own=False)
