"""Asking a person, where there is one."""

import sys
from collections.abc import Callable


def asker() -> Callable[[str], bool] | None:
    """A function that asks a yes-or-no question, or None where nobody can answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return _ask


def _ask(question: str) -> bool:
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
