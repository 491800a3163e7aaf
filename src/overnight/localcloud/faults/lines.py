"""The seam of faults that strike lines of output.

A fault gets the lines of one chunk in input order and returns lines. Whom it strikes is said by its aim: it asks about
every line that it could strike, once, and a line asked about with success counts as a strike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from overnight.localcloud.faults.kind import Family, Kind
from overnight.localcloud.vertex.output.line import Line

Hits = Callable[[Line], bool]


class LineFault(Kind):
    family: ClassVar[Family] = "row"

    def apply(self, lines: list[Line], hits: Hits) -> list[Line]:
        """The lines to go on with."""
        raise NotImplementedError


@dataclass(frozen=True)
class LineChange(LineFault):
    """Changes struck lines in place. served_only: failed rows are not asked about."""

    served_only: ClassVar[bool] = True

    def apply(self, lines: list[Line], hits: Hits) -> list[Line]:
        for line in lines:
            if (line.served or not self.served_only) and hits(line):
                self.change(line)
        return lines

    def change(self, line: Line) -> None:
        raise NotImplementedError
