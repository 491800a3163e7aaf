"""A study without its ledger: its file, its folder, and a way to the service. Its records are not looked at."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from overnight.core.events import Tell, silent
from overnight.ledger.ledger import Lock
from overnight.run.rebuild import Site
from overnight.run.world import Home
from overnight.study.load import load_study
from overnight.wiring import service
from overnight.wiring.models import tables_of
from overnight.wiring.opening import utc_now


@contextlib.contextmanager
def open_site(path: Path, *, tell: Tell = silent, now: Callable[[], datetime] = utc_now) -> Iterator[Site]:
    """Locked, as for any command that changes the study. Raises StudyError, LockedError."""
    study = load_study(path)
    home = Home(study.home, study.realm)
    with Lock(home.hidden, "recover"), service.connected(study, home, tell) as backend:
        yield Site(study.name, study.realm, home, backend, tables_of(study).prices, now, tell)
