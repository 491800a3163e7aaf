"""What `check` says of a screen's texts: how many of which kind, what becomes of them, and the first of each."""

from collections.abc import Iterator

from overnight.cli.words import counted, visible
from overnight.planning.texts import MOST_LISTED, TextCensus

_INDENT = " " * 13


def text_lines(census: TextCensus) -> Iterator[str]:
    """Lines for a person; the languages only where records say one."""
    found = census.found()
    if not found:
        yield "  texts      every record has an abstract; no retraction, correction, comment by title or type"
    for number, one in enumerate(found):
        head = "  texts      " if number == 0 else _INDENT
        yield f"{head}{counted(one.records, 'record')}: {one.words}; {one.becomes}"
        for record in one.first[:MOST_LISTED]:
            detail = f" [{record.detail}]" if record.detail else ""
            yield f"{_INDENT}  {visible(record.record_id)}, {record.source}{detail}: {visible(record.title)}"
        if one.records > MOST_LISTED:
            yield f"{_INDENT}  … and {one.records - MOST_LISTED:,} more; --json lists a hundred"
    if census.says_language:
        named = [f"{name or 'not known'} {n:,}" for name, n in census.languages.most_common()]
        yield f"  languages  {visible(', '.join(named))}"
    elif found:
        yield "  languages  not known: no record says its own"
