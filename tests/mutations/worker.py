"""A process that runs named tests against a copy of `overnight`, each call in a fork of its own.

    python -m tests.mutations.worker FOLDER      (from the repository's root, the copy first on PYTHONPATH)

It imports what every test needs and nothing of `overnight`, then reads lines of JSON from standard input, each a list
of test ids, and answers each with one line: what became of them. A fork costs a fifth of a new interpreter.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from _pytest.config import default_plugins

WARM = (
    "hypothesis",
    "msgspec",
    "orjson",
    "xxhash",
    "requests",
    "google.auth",
    "google.cloud.storage",
    "jinja2",
    "yaml",
)
"""Imported before the forks. None of these imports `overnight`."""
PLUGINS = ("_hypothesis_pytestplugin", "pytest_timeout")
"""All of pytest's plugins that a test here may need; the worker's environment says that no others are looked for."""


class Watcher:
    """Keeps how each test ended, and the exception it ended with."""

    def __init__(self) -> None:
        self.ended: list[dict[str, Any]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: "pytest.CallInfo[None]") -> Any:
        report = yield
        if call.excinfo is not None and report.failed:
            kinds = [kind.__name__ for kind in call.excinfo.type.__mro__]
            words = str(call.excinfo.value)[:300]
            self.ended.append({"test": item.nodeid, "when": call.when, "kinds": kinds, "words": words})
        elif report.when == "call":
            kinds = [] if report.passed else ["skipped"]
            self.ended.append({"test": item.nodeid, "when": "call", "kinds": kinds, "words": ""})
        return report


def run(tests: list[str], folder: Path) -> dict[str, Any]:
    """Of a fork: nothing of `overnight` was imported before."""
    early = [name for name in sys.modules if name.partition(".")[0] == "overnight"]
    watcher = Watcher()
    options = ["-q", "-x", "-p", "no:cacheprovider", "-o", "timeout=60", "--basetemp", str(folder / "tmp")]
    options += [word for name in PLUGINS for word in ("-p", name)]
    code = pytest.main([*tests, *options], plugins=[watcher])
    imported = str(importlib.import_module("overnight").__file__)  # some tests only start it, as a process
    return {"code": int(code), "early": early, "imported": imported, "ended": watcher.ended}


def forked(tests: list[str], folder: Path) -> str:
    """The JSON that the fork wrote; empty where it died."""
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            answer.write_text(json.dumps(run(tests, folder)))
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.waitpid(child, 0)
    return answer.read_text() if answer.exists() else ""


def main() -> None:
    folder = Path(sys.argv[1])
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what pytest prints goes where errors go: standard output is for the replies
    for name in (*WARM, *PLUGINS, *(f"_pytest.{plugin}" for plugin in default_plugins)):
        importlib.import_module(name)
    for line in sys.stdin:
        replies.write((forked(json.loads(line), folder) or "{}") + "\n")


if __name__ == "__main__":
    main()
