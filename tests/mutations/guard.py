"""A guard as a row: what is taken out of the source, and the test that must notice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """changes: (old text, new text). why: what the guard is there for."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    test: str
    why: str

    def __str__(self) -> str:
        return self.name


def guard(name: str, file: str, old: str, new: str, test: str, why: str) -> Guard:
    """With one change, as nearly all."""
    return Guard(name, file, ((old, new),), test, why)
