"""A program for `notify.command` that writes down what it is told, and a study that names it."""

import json
import shlex
import sys
from typing import Any

from tests.support.studies import SmallStudy

_PROGRAM = """\
import json, os, sys
names = ("OVERNIGHT_EVENT", "OVERNIGHT_STUDY", "OVERNIGHT_MESSAGE")
heard = {"argv": sys.argv[1:], "input": sys.stdin.read(), "cwd": os.getcwd()}
heard.update((name, os.environ[name]) for name in names)
with open("told.jsonl", "a", encoding="utf-8") as file:
    file.write(json.dumps(heard) + "\\n")
"""


def notify_with(study: SmallStudy, *arguments: str) -> None:
    """Adds the key to the study; the program lies in the study's folder and writes `told.jsonl` there."""
    study.write()
    (study.home / "tell.py").write_text(_PROGRAM, encoding="utf-8")
    command(study, shlex.join([sys.executable, "tell.py", *arguments]))


def command(study: SmallStudy, words: str) -> None:
    study.more += f"notify:\n  command: {json.dumps(words)}\n"
    study.write()


def told(study: SmallStudy) -> list[dict[str, Any]]:
    """What it was told, in order."""
    file = study.home / "told.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def events(study: SmallStudy) -> list[str]:
    return [one["OVERNIGHT_EVENT"] for one in told(study)]
