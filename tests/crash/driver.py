"""Commands of a study in forked children that kill themselves with SIGKILL where they are told to.

`python -m tests.crash.driver` reads one command a line from standard input and answers with one line (`Struck`):

    {"argv": ["run", "…/study.yaml", "--json"], "endpoint": "http://127.0.0.1:…", "log": "…", "at": ["after COMMIT", 3]}

It holds the imports and never runs a study itself, so that a command costs no start of Python. `Driver` is the other
end. Waiting is twenty times as fast here: pauses are of a client's patience, and no order of events depends on them.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.crash.points import Points, counted_backend, instrument

SPEED = 20
LOOK_AGAIN_S = (0.4, 0.8, 1.6)
POLL_S = (0.4, 0.4)
EMPTY_LOOKS_S = (1.0, 2.0, 4.0)
DEADLINE_S = 180
"""A command that has not ended by then never will: the longest take seconds."""
_HELD = ("filelock", "jinja2", "msgspec", "openpyxl", "pyarrow.parquet", "google.cloud.storage", "rich.console")
_HELD += ("tests.support.google_cli",)
"""Loaded once, by the parent, before any fork; so are all our own modules."""


@dataclass(frozen=True)
class Struck:
    """How a command ended. code: its exit code, -9 when it was killed. points: all it passed, in order."""

    code: int
    out: str
    err: str
    points: tuple[str, ...]

    @property
    def killed(self) -> bool:
        return self.code < 0

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found


class Driver:
    """The process that forks. Use as a context manager. folder: for logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.driver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    def command(self, argv: list[str], endpoint: str, at: tuple[str, int] | None = None) -> Struck:
        """at: where to kill it (points.Points); None lets it end."""
        log = self._folder / "points.log"
        log.unlink(missing_ok=True)
        asked = {"argv": argv, "endpoint": endpoint, "log": str(log), "at": at}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the driver has ended"
        struck = Struck(**json.loads(line), points=tuple(log.read_text(encoding="utf-8").splitlines()))
        assert struck.code != -signal.SIGALRM, f"{argv} did not end in {DEADLINE_S} s: {struck.err[-300:]}"
        return struck


@contextlib.contextmanager
def _in_its_place(points: Points, endpoint: str) -> Iterator[None]:
    """Studies reach the local cloud at `endpoint`, whether they name a `cloud:` or not. In a child only."""
    from overnight.backends import vertex_storage
    from overnight.backends.backend import Patience
    from overnight.run import collect
    from overnight.wiring import service
    from tests.support.google_cli import in_place_of_google

    @contextlib.contextmanager
    def local_cloud(data: Path, tell: object) -> Iterator[str]:
        yield endpoint

    backend_of: Any = service.backend_of
    service.local_cloud = local_cloud
    collect._EMPTY_LOOKS_S = EMPTY_LOOKS_S
    service.backend_of = lambda *given: counted_backend(points, backend_of(*given))
    vertex_storage.LOCAL_PATIENCE = Patience(LOOK_AGAIN_S, then_create=True, poll_s=POLL_S, unusual_s=3600)
    with in_place_of_google(endpoint, Patience(LOOK_AGAIN_S, then_create=False, poll_s=POLL_S, unusual_s=3600)):
        yield


def _child(asked: dict[str, Any], out: Path, err: Path) -> int:
    """Forks; returns the exit code, or minus the signal that ended it."""
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    code = 99
    signal.alarm(DEADLINE_S)
    try:
        from overnight.cli.main import main as overnight

        with (
            out.open("w", encoding="utf-8") as told,
            err.open("w", encoding="utf-8") as said,
            contextlib.redirect_stdout(told),
            contextlib.redirect_stderr(said),
        ):
            try:
                points = Points(Path(asked["log"]), tuple(asked["at"]) if asked["at"] else None)
                instrument(points)
                with _in_its_place(points, asked["endpoint"]):
                    code = overnight(asked["argv"])
            except Exception:
                traceback.print_exc()
                raise
    finally:
        os._exit(code)


def _ours() -> Iterator[str]:
    import overnight

    for found in pkgutil.walk_packages(overnight.__path__, "overnight."):
        if not found.name.startswith(("overnight.localcloud", "overnight.__main__")):
            yield found.name


def main() -> int:
    really_sleep = time.sleep
    time.sleep = lambda seconds: really_sleep(seconds / SPEED)  # before ours are imported: some keep it as a default
    for name in (*_HELD, *_ours()):
        importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        log = Path(asked["log"])
        out, err = log.with_suffix(".out"), log.with_suffix(".err")
        code = _child(asked, out, err)
        struck = {"code": code, "out": out.read_text(encoding="utf-8"), "err": err.read_text(encoding="utf-8")}
        print(json.dumps(struck), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
