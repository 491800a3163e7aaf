"""Where records come from, which are one, and which have gone: for check, plan and the closing summary."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from overnight.cli.words import command, counted

if TYPE_CHECKING:
    from overnight.records.census import SourceCount
    from overnight.records.duplicates import Pair
    from overnight.run.world import Vanished
    from overnight.wiring.identity import Duplicates

SHOWN: Final = 20


def source_counts(sources: "Sequence[SourceCount]") -> Iterator[str]:
    """One a source, where there are several or something was set aside."""
    if len(sources) > 1 or any(source.duplicates for source in sources):
        for source in sources:
            aside = f", {counted(source.duplicates, 'duplicate')} among them" if source.duplicates else ""
            yield f"{source.name}: {counted(source.records, 'record')}{aside}"


def duplicate_lines(found: "Duplicates", study: Path) -> Iterator[str]:
    """What is surely one, in a line; what may be, pair by pair."""
    if found.n:
        are, them = ("1 record is", "it") if found.n == 1 else (f"{found.n:,} records are", "them")
        yield f"{are} not sent: another of the same publication stands for {them} (duplicates: skip)"
    if found.likely:
        pairs = "1 pair of records" if len(found.likely) == 1 else f"{len(found.likely):,} pairs of records"
        yield f"{pairs} may be of one publication; both are sent until a person says yes or no:"
        for pair in found.likely[:SHOWN]:
            yield f"  {pair_line(pair)}"
        if len(found.likely) > SHOWN:
            yield f"  and {len(found.likely) - SHOWN:,} more"
        yield f"  `{command('duplicates', study)}` writes them into a table for that"


def pair_line(pair: "Pair") -> str:
    return f"{_shown(pair.a.record_id, pair.a.source)} and {_shown(pair.b.record_id, pair.b.source)}: {pair.why}"


def _shown(record_id: str, source: str) -> str:
    return f"{record_id} ({source})"


def vanished_line(vanished: "Vanished") -> str:
    """Empty where none has gone."""
    if not vanished.n:
        return ""
    names = ", ".join(vanished.first[:5]) + (f" and {vanished.n - 5:,} more" if vanished.n > 5 else "")
    if vanished.n == 1:
        they, kept = "1 record that was asked about is", "Its answers are kept; if it comes back"
    else:
        they, kept = f"{vanished.n:,} records that were asked about are", "Their answers are kept; if they come back"
    return f"{they} in no file any more: {names}. {kept}, nothing is paid."
