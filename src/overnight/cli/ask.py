"""Asking a person, where there is one."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from overnight.cli.output import say


def asker(quiet: Callable[[], AbstractContextManager[None]]) -> Callable[[str], bool] | None:
    """A function that asks a yes-or-no question, or None where nobody can answer.

    quiet: holds the live display still, which would draw over the question and the answer.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> bool:
        with quiet():
            say(f"{question} [y/N]", end=" ")
            return sys.stdin.readline().strip().lower() in {"y", "yes"}

    return ask
