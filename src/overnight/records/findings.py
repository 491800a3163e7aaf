"""Gathering what is wrong with a table, so that a person mends it in one go and not in twenty."""

from typing import Final, Literal

from overnight.errors import Finding, RecordsError
from overnight.records.source import Source

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
        self._left_out += error.left_out

    def __bool__(self) -> bool:
        return bool(self._kept)

    @property
    def kept(self) -> tuple[Finding, ...]:
        return tuple(self._kept)

    @property
    def left_out(self) -> int:
        """How many more there were."""
        return self._left_out

    @property
    def listed(self) -> tuple[Finding, ...]:
        """Those kept; where there are more, one at the end that says how many."""
        if not self._left_out:
            return tuple(self._kept)
        return (*self._kept, Finding(f"and {self._left_out:,} more", level=self._kept[0].level))

    def raise_if_any(self) -> None:
        """Raises RecordsError with all of them, those left out counted."""
        if self._kept:
            raise RecordsError(self._kept, self._left_out)


def refuse(source: Source, what: str, *, line: int = 0, hint: str = "") -> RecordsError:
    """The error for one finding in one file."""
    return RecordsError([found(source, what, line=line, hint=hint)])


def found(
    source: Source, what: str, *, line: int = 0, hint: str = "", level: Literal["error", "warning"] = "error"
) -> Finding:
    return Finding(what, file=str(source), line=line, hint=hint, level=level)


def shown(value: object, width: int = 60) -> str:
    """A value for a message: quoted, on one line, not longer than `width` characters or so."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= width else text[: width - 1] + "…")
