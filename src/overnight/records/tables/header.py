"""The rules for column names, the same in every format."""

from collections.abc import Iterable, Sequence

from overnight.errors import Finding
from overnight.records.findings import Findings, found, shown
from overnight.records.source import Source


def checked_header(
    source: Source, names: Sequence[str], *, line: int = 0
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """(names without white space around them, a warning if there was some).

    Raises RecordsError for every empty name and every name that is there twice.
    """
    columns = tuple(name.strip() for name in names)
    findings = Findings()
    for number in (i for i, name in enumerate(columns, 1) if not name):
        hint = "Give it a name or remove the column; a table written by pandas wants `index=False`."
        findings.add(found(source, f"column {number} of {len(columns)} has no name", line=line, hint=hint))
    for name, places in _repeated(columns):
        what = f"{len(places)} columns are named {shown(name)}: numbers {', '.join(map(str, places))}"
        findings.add(found(source, what, line=line, hint="Give each column a name of its own."))
    findings.raise_if_any()
    trimmed = [name for name, column in zip(names, columns, strict=True) if name != column]
    what = f"white space around column names was removed: {', '.join(shown(name) for name in trimmed)}"
    return columns, (found(source, what, line=line, level="warning"),) if trimmed else ()


def _repeated(columns: Iterable[str]) -> list[tuple[str, list[int]]]:
    places: dict[str, list[int]] = {}
    for number, name in enumerate(columns, 1):
        places.setdefault(name, []).append(number)
    return [(name, numbers) for name, numbers in places.items() if name and len(numbers) > 1]
