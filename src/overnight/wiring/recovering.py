"""A study without its ledger: its file, its folder, and a way to the service. Its records are not looked at."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from overnight.core.events import Note, Tell, silent
from overnight.core.identity import parse_wire_key
from overnight.core.record import text_of
from overnight.errors import RecordsError
from overnight.ledger.ledger import Lock
from overnight.records.identifiers import identifier_columns
from overnight.records.ids import AUTO, text_id
from overnight.records.opening import open_table
from overnight.run.rebuild import Remembered, Site
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
        remembered = partial(_in_results, study, home, tell)
        yield Site(study.name, study.realm, home, backend, tables_of(study).prices, now, tell, remembered)


def _in_results(study: Study, home: Home, tell: Tell) -> list[Remembered]:
    """Records as the results have them that were written last, some 500 bytes each. None where no results are left, or
    cannot be read."""
    # Parquet first: in CSV a text may have been defused for spreadsheets.
    left = [path for end in ("parquet", "csv") if (path := home.results / f"results.{end}").exists()]
    if not left:
        return []
    try:
        return list(_remembered(left[0], study))
    except RecordsError as cause:
        tell(Note(f"what records were called is not known: {left[0]} cannot be read: {cause.findings[0]}", "warning"))
        return []


def _remembered(results: Path, study: Study) -> Iterator[Remembered]:
    table = open_table(results)
    identifiers = identifier_columns(table.columns)
    texts = study.text_columns if set(study.text_columns) <= set(table.columns) else ()
    for _, row in table.rows():
        values = dict(zip(table.columns, row, strict=True))
        if not (record_id := text_of(values.get("record_id"))):
            continue
        by_text = (text_id(values[name] for name in texts),) if texts else ()
        aliases = (*identifiers.of(values).named, *by_text) if study.records.id == AUTO else ()
        keys = map(parse_wire_key, text_of(values.get("key")).split("; "))
        yield Remembered(record_id, aliases, tuple(key[0] for key in keys if key is not None))
