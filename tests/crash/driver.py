"""A run that is killed at its n-th point: before or after a ledger write, a call to the service, a file put in place.

`python -m tests.crash.driver --endpoint URL --template DIR --work DIR` walks n = 1, 2, 3 … Each case is a fresh copy of
the template, run in a forked child that kills itself with SIGKILL at its n-th point, then run again to its end by
another child. The walk is over when a run survives. One JSON line a case:
{"n": 17, "point": "before COMMIT", "home": "…", "exit": 0}.

The parent never runs a study: it holds the imports, so that a case costs no start of Python.
"""

import argparse
import contextlib
import importlib
import io
import itertools
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import overnight.ledger.database
import overnight.wiring.opening
import overnight.wiring.reporting
import overnight.wiring.service as service
from overnight.backends import vertex_storage
from overnight.backends.backend import Backend, Patience
from overnight.cli.main import main as overnight_main

_CALLS = ("stage", "unstage", "submit", "find", "poll", "cancel", "outputs", "fetch", "fetch_input")
_HELD = ("filelock", "jinja2", "msgspec", "openpyxl", "pyarrow.parquet", "google.cloud.storage", "overnight.run.loop")
_HELD += ("overnight.google.storage", "overnight.google.batch_jobs", "overnight.report.render", "tomllib")
"""Loaded once, by the parent, before any fork."""
_QUICK = Patience((0.02, 0.05), then_create=True, poll_s=(0.02, 0.05), unusual_s=60)


class Points:
    """Counts the points it passes and dies at the n-th. last: 0 never dies."""

    def __init__(self, last: int, note: Path) -> None:
        self._left, self._note = last, note

    def passing(self, name: str) -> None:
        self._left -= 1
        if self._left == 0:
            self._note.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.passing(f"before {name}")
            result = call(*arguments, **named)
            self.passing(f"after {name}")
            return result

        return counted


class CountedBackend:
    """Every call of a backend that leaves this process is a point."""

    def __init__(self, backend: Backend, points: Points) -> None:
        self._backend = backend
        for name in _CALLS:
            setattr(self, name, points.around(name, getattr(backend, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def instrument(points: Points, endpoint: str) -> None:
    """In a child only: it never goes back."""

    class CountedConnection(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            if sql != "COMMIT":
                return super().execute(sql, *rest)
            return points.around("COMMIT", super().execute)(sql)

    connect, backend_of = sqlite3.connect, service.backend_of
    overnight.ledger.database.sqlite3.connect = lambda *a, **k: connect(*a, **k, factory=CountedConnection)

    @contextlib.contextmanager
    def local_cloud(data: Path, tell: object) -> Iterator[str]:
        yield endpoint

    service.local_cloud = local_cloud
    service.backend_of = lambda given, tell: CountedBackend(backend_of(given, tell), points)
    vertex_storage.LOCAL_PATIENCE = _QUICK
    os.replace = points.around("replace", os.replace)


def child(study: Path, last: int, note: Path, endpoint: str) -> int:
    """Forks; returns the exit code, or minus the signal that ended it."""
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    code = 99
    try:
        instrument(Points(last, note), endpoint)
        log = (study.parent / "log.txt").open("a", encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(log):
            code = overnight_main(["run", str(study), "--json"])
    finally:
        os._exit(code)


def cases(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for n in itertools.count(1):
        home = arguments.work / f"case-{n:04d}"
        shutil.copytree(arguments.template, home)
        note = home / "point.txt"
        killed = child(home / "study.yaml", n, note, arguments.endpoint)
        survived = killed != -signal.SIGKILL
        code = killed if survived else child(home / "study.yaml", 0, note, arguments.endpoint)
        point = "" if survived else note.read_text()
        yield {"n": n, "point": point, "home": str(home), "exit": code}
        if survived:
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    for name in _HELD:
        importlib.import_module(name)
    for case in cases(arguments):
        print(json.dumps(case), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
