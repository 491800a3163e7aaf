"""records: what is in files, without a study; and the same records in another format."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from overnight.cli.arguments import add_command, add_json
from overnight.cli.output import answer, say

if TYPE_CHECKING:
    from overnight.records.survey import Survey
    from overnight.wiring.looking import Looked, LookedAt

_MOST_SHOWN: Final = 6
_IN_JSON: Final = 100


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    records = add_command(
        commands, "records", "what is in files of records, without a study; or convert them", _records
    )
    records.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="tables, reference files, archives of them"
    )
    records.add_argument("--to", type=Path, metavar="FILE", help="also write all their records into one file")
    records.add_argument("--force", action="store_true", help="write over a file that is there")
    add_json(records)


def _records(arguments: argparse.Namespace) -> int:
    """What can be read is shown; then what cannot ends the command with exit code 4, and nothing is converted."""
    from overnight.wiring.looking import look_at

    target: Path | None = arguments.to
    if target is not None:
        from overnight.cli.targets import checked_target
        from overnight.wiring.converting import CONVERTED

        format_ = checked_target(target, CONVERTED, force=arguments.force)
    looked = look_at(arguments.files)
    if not arguments.json:
        for line in looked_lines(looked):
            answer(line)
    error, written = looked.error, None
    if target is not None and error is None:
        from overnight.wiring.converting import convert

        written = convert(looked.tables, target, format_)
    if arguments.json:
        shown = looked_json(looked) | ({} if target is None else {"to": str(target), "written": written})
        answer(json.dumps(shown, ensure_ascii=False), whole=True)
    if error is not None:
        if target is not None:
            say(f"{target} was not written: not every file could be read")
        raise error
    if not arguments.json:
        for line in _last_lines(looked, target, written):
            answer(line)
    return 0


def _last_lines(looked: "Looked", target: Path | None, written: int | None) -> Iterator[str]:
    import shlex

    from overnight.cli.words import counted

    if written is not None:
        yield f"{target}: {counted(written, 'record')} written"
    files = " ".join(shlex.quote(str(path)) for path in dict.fromkeys(one.table.path for one in looked.tables))
    yield f"Next: overnight init my-study --from {files}"


# --- for people -----------------------------------------------------------------------------------------------------


def looked_lines(looked: "Looked") -> Iterator[str]:
    """One paragraph a table, then what they come to."""
    for one in looked.tables:
        yield from table_lines(one)
    yield from whole_lines(looked)


def table_lines(one: "LookedAt") -> Iterator[str]:
    from overnight.cli.words import counted, visible
    from overnight.records.text_kinds import SHORT_CHARS

    survey = one.survey
    held = f", {survey.n_with_abstract:,} with an abstract" if survey.roles.abstract else ""
    yield f"{visible(str(one.table.source))}: {_format(one)}, {counted(survey.n_records, 'record')}{held}"
    if survey.identifiers:
        yield f"  identifiers  {_identifiers(survey)}"
    if survey.roles.abstract and (survey.n_without_abstract or survey.n_short):
        missing = f"{survey.n_without_abstract:,} missing" if survey.n_without_abstract else ""
        short = f"{survey.n_short:,} shorter than {SHORT_CHARS} characters" if survey.n_short else ""
        yield f"  abstracts    {', '.join(filter(None, (missing, short)))}"
    if survey.first_year:
        last = f" to {survey.last_year}" if survey.last_year > survey.first_year else ""
        yield f"  years        {survey.first_year}{last}"
    for word, counts in (("languages", survey.languages), ("types", survey.types)):
        if counts:
            yield f"  {word:<11}  {_most(counts)}"
    filled = sorted(zip(survey.columns, survey.filled, strict=True), key=lambda pair: -pair[1])
    held_by = [f"{visible(name)} {n:,}" for name, n in filled if n]
    empty = [f"{len(filled) - len(held_by):,} empty"] if len(held_by) < len(filled) else []
    yield f"  columns      {', '.join(held_by + empty)}"
    for note in one.table.notes:
        yield f"  note         {visible(note.what) if note.line == 0 else f'line {note.line:,}: {visible(note.what)}'}"


def _format(one: "LookedAt") -> str:
    from overnight.records.tables.csv import SEPARATORS

    table = one.table
    names = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-32": "UTF-32", "cp1252": "Windows-1252"}
    separator = "" if table.format == "tsv" else SEPARATORS.get(table.separator, table.separator)
    words = (one.title, names.get(table.encoding, table.encoding), separator and f"separator {separator}")
    return ", ".join(word for word in words if word)


def _identifiers(survey: "Survey") -> str:
    known = survey.identifiers
    words = (("PMID", known.pmid, survey.n_pmid), ("DOI", known.doi, survey.n_doi), ("key", known.key, survey.n_key))
    parts = [f"{n:,} with a {word}" for word, column, n in words if column]
    return ", ".join([*parts, f"{survey.n_unnamed:,} with none"] if survey.n_unnamed else parts)


def _most(counts: Counter[str]) -> str:
    from overnight.cli.words import visible

    shown = [f"{visible(word)} {n:,}" for word, n in counts.most_common(_MOST_SHOWN)]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def whole_lines(looked: "Looked") -> Iterator[str]:
    """What all files come to, and what in them is there more than once."""
    from overnight.cli.words import counted

    if len(looked.tables) > 1:
        held = sum(one.survey.n_with_abstract for one in looked.tables)
        files = counted(len(looked.tables), "table")
        yield f"In all: {files}, {counted(looked.n_records, 'record')}, {held:,} with an abstract"
    again = [f"{n:,} {where}" for n, where in ((looked.within, "within a file"), (looked.across, "across files")) if n]
    if again:
        yield f"Duplicates: {' and '.join(again)}; a study that screens sends one of each"
    if looked.likely:
        yield f"Likely duplicates: {counted(looked.likely, 'pair')}; with a study, `overnight duplicates` lists them"


# --- for machines ---------------------------------------------------------------------------------------------------


def looked_json(looked: "Looked") -> dict[str, Any]:
    """files: one object a table that was read whole. refused: the files of which nothing was taken, with the
    first reason in a line, and all of them."""
    return {
        "files": [_table_json(one) for one in looked.tables],
        "records": looked.n_records,
        "duplicates": {"within": looked.within, "across": looked.across, "likely": looked.likely},
        "refused": [{"path": str(one.path), "reason": one.reason, "reasons": one.reasons} for one in looked.refused],
    }


def _table_json(one: "LookedAt") -> dict[str, Any]:
    table, survey = one.table, one.survey
    return {
        "path": str(table.path),
        "format": table.format,
        "records": survey.n_records,
        "with_abstract": survey.n_with_abstract,
        "notes": [str(note) for note in table.notes],
        "member": table.source.member,
        "encoding": table.encoding,
        "separator": table.separator,
        "columns": dict(zip(survey.columns, survey.filled, strict=True)),
        "short_abstracts": survey.n_short,
        "identifiers": {"pmid": survey.n_pmid, "doi": survey.n_doi, "key": survey.n_key, "none": survey.n_unnamed},
        "years": [survey.first_year, survey.last_year] if survey.first_year else None,
        "languages": dict(survey.languages.most_common(_IN_JSON)),
        "types": dict(survey.types.most_common(_IN_JSON)),
        "id_column": one.description.id_column or None,
        "text_columns": list(one.description.text_columns),
    }
