"""Gathering what is wrong with a table, so that a person mends it in one go and not in twenty."""

from pathlib import Path
from typing import Final, Literal

from overnight.errors import Finding, RecordsError

SHOWN: Final = 20
"""More findings than this are counted, not listed."""


class Findings:
    """Keeps the first 20 findings and counts the rest."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._left_out = 0

    def add(self, finding: Finding) -> None:
        if len(self._kept) < SHOWN:
            self._kept.append(finding)
        else:
            self._left_out += 1

    def extend(self, error: RecordsError) -> None:
        for finding in error.findings:
            self.add(finding)

    def raise_if_any(self) -> None:
        """Raises RecordsError with all of them; the last line says how many more there are."""
        if not self._kept:
            return
        more = [Finding(f"and {self._left_out:,} more")] if self._left_out else []
        raise RecordsError([*self._kept, *more])


def refuse(path: Path, what: str, *, line: int = 0, hint: str = "") -> RecordsError:
    """The error for one finding in one file."""
    return RecordsError([found(path, what, line=line, hint=hint)])


def found(
    path: Path, what: str, *, line: int = 0, hint: str = "", level: Literal["error", "warning"] = "error"
) -> Finding:
    return Finding(what, file=str(path), line=line, hint=hint, level=level)


def shown(value: object, width: int = 60) -> str:
    """A value for a message: quoted, on one line, not longer than `width` characters or so."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= width else text[: width - 1] + "…")
