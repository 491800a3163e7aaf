"""A person at a shell: types commands in a folder, reads what comes, looks at what lies there afterwards."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Seen:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output holds one JSON object and nothing else."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Command(subprocess.Popen[str]):
    """A command under way. A test that fails does not wait for it."""

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, *rest)


@dataclass(frozen=True)
class Person:
    """A shell in `folder`, with a home of its own and nothing in the environment that leads to an account."""

    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        home = self.folder.parent / f"{self.folder.name}-home"
        home.mkdir(exist_ok=True)
        return {**kept, "HOME": str(home), "USERPROFILE": str(home), "COLUMNS": "100", **more}

    def start(self, *words: str | Path | int, env: Mapping[str, str] | None = None, **popen: Any) -> Command:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "overnight", *map(str, words)]
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return Command(
            command,
            cwd=self.folder,
            env=self.environment(**(env or {})),
            text=True,
            encoding="utf-8",
            **{**streams, **popen},
        )

    def types(self, *words: str | Path | int, env: Mapping[str, str] | None = None, **popen: Any) -> Seen:
        """`overnight WORDS` to its end; a minute is enough for anything here."""
        with self.start(*words, env=env, **popen) as process:
            out, err = process.communicate(timeout=120)
        return Seen(process.returncode, out or "", err or "")


def tree(folder: Path) -> dict[str, str]:
    """Every file and folder below, files with a digest: what was there before and after."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))
