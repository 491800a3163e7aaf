"""Asking a person, where there is one."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager


def asker(quiet: Callable[[], AbstractContextManager[None]]) -> Callable[[str], bool] | None:
    """A function that asks a yes-or-no question, or None where nobody can answer.

    quiet: holds the live display still, which would draw over the question and the answer.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> bool:
        with quiet():
            print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
            return sys.stdin.readline().strip().lower() in {"y", "yes"}

    return ask
