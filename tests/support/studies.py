"""Small studies for tests of the run: made in a folder, run through the real CLI, their results read back."""

import contextlib
import csv
import io
import json
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from overnight.cli.main import main

ASK = """\
study: {name}
records: {{files: [records.csv], id: id}}
ask:
  prompt: |
    {question}
    <abstract>{{text}}</abstract>
  answer:
    who: {{type: string, description: The sentence that says who was studied.}}
    naps: {{type: string, enum: [planned, unplanned, none]}}
    people: {{type: integer, minimum: 0, maximum: 100000}}
model: {{name: {model}, thinking: low}}
attempts: {attempts}
"""
CLOUD = "cloud: {project: my-project, location: global, bucket: gs://my-bucket/overnight}\n"
QUESTION = "Who was studied, and did they nap?"
_WHO = ("nurses", "drivers", "guards", "pilots", "porters", "medics", "bakers", "welders")
_DID = ("took planned naps", "napped when they could", "did not nap", "rested in a chair")


def text_of(number: int) -> str:
    """Different for every number, and so is the stand-in's answer to it."""
    who, did = _WHO[number % len(_WHO)], _DID[number // 3 % len(_DID)]
    return f"In ward {number:04d} we studied {number + 20} {who} of shift {number:04d}. On the night shift they {did}."


@dataclass(frozen=True)
class Ended:
    """What a command left behind: exit code, what was printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object that standard output ends with."""
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found


@dataclass
class SmallStudy:
    """A study folder. Change `texts`, `question` and the like, then `write()` again."""

    home: Path
    name: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    question: str = QUESTION
    model: str = "gemini-3.5-flash-lite"
    attempts: int = 3
    more: str = ""

    def __post_init__(self) -> None:
        """A name of its own: studies of one name in one bucket are asked about before their first send."""
        self.name = self.name or f"small-{zlib.crc32(str(self.home).encode()):08x}"

    @classmethod
    def of(cls, home: Path, n: int, **changes: Any) -> "SmallStudy":
        study = cls(home, texts={f"r{number}": text_of(number) for number in range(n)}, **changes)
        study.write()
        return study

    @property
    def path(self) -> Path:
        return self.home / "study.yaml"

    @property
    def ledger(self) -> Path:
        return self.home / ".overnight" / "ledger.sqlite"

    @property
    def uid(self) -> str:
        return str(self.query("SELECT uid FROM study")[0][0])

    def write(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "records.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "text"])
            writer.writerows(self.texts.items())
        head = ASK.format(name=self.name, question=self.question, model=self.model, attempts=self.attempts)
        self.path.write_text(head + self.more, encoding="utf-8")

    def cli(self, command: str, *options: str) -> Ended:
        """The CLI in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([command, str(self.path), *options])
        return Ended(code, out.getvalue(), err.getvalue())

    def process(self, command: str, *options: str, **popen: Any) -> "subprocess.Popen[str]":
        """The CLI in a process of its own; standard input closed, so that nobody can be asked."""
        words = [sys.executable, "-m", "overnight", command, str(self.path), *options]
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, text=True, **{**streams, **popen})

    def ended(self, command: str, *options: str) -> Ended:
        """The CLI in a process of its own, to its end."""
        process = self.process(command, *options)
        out, err = process.communicate(timeout=60)
        return Ended(process.returncode, out, err)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.ledger)) as ledger:
            return ledger.execute(sql).fetchall()

    def results(self, folder: str = "stand-in") -> list[dict[str, str]]:
        with (self.home / folder / "results.csv").open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    def answers(self, folder: str = "stand-in") -> dict[str, tuple[str, ...]]:
        """record_id → the answer's fields, of records that have an answer."""
        return {row["record_id"]: fields(row) for row in self.results(folder) if row["outcome"] == "answer"}


def fields(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(value for name, value in row.items() if name.startswith("a_"))


def outcomes(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """record_id → `answer`, `open`, or the kind of problem or reason."""
    return {row["record_id"]: row["problem"] or row["outcome"] for row in rows}
