"""duplicates: pairs of records that may be one, as a table for a person's yes or no."""

import argparse
import json

from overnight.cli.arguments import add_command, add_json, add_study
from overnight.cli.output import answer, say


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    pairs = add_command(
        commands, "duplicates", "pairs of records that may be one, into duplicates.csv, for a yes or no", _duplicates
    )
    add_study(pairs)
    add_json(pairs)


def _duplicates(arguments: argparse.Namespace) -> int:
    """Writes nothing but duplicates.csv, and there only adds: what a person wrote stays."""
    from overnight.cli.sources import pair_line
    from overnight.cli.words import command, counted
    from overnight.core.atomic import replacing
    from overnight.errors import UsageError
    from overnight.records.decided import write_decided
    from overnight.wiring.identity import decisions_file
    from overnight.wiring.opening import open_study

    with open_study(arguments.study, to_send=False) as opened:
        found, target = opened.duplicates, decisions_file(opened.study)
        if not found.looked:
            raise UsageError(
                "the study keeps duplicates (`records.duplicates: keep`), so nothing is looked for",
                where=str(opened.study.path),
                hint="Write `duplicates: skip` under `records`, then again.",
            )
        for warning in opened.warnings:
            say(f"warning: {warning}")
        added = 0
        if found.likely:
            with replacing(target) as file:
                added = write_decided(file, found.rows, found.likely)
    if arguments.json:
        pairs = [[pair.a.record_id, pair.b.record_id, pair.why] for pair in found.likely]
        shown = {"duplicates": found.n, "undecided": pairs, "file": str(target.absolute()) if found.likely else None}
        answer(json.dumps(shown, ensure_ascii=False), whole=True)
        return 0
    answer(f"{counted(found.n, 'record')} set aside: another of the same publication stands for them")
    if not found.likely:
        answer("No pair is left to decide.")
        return 0
    answer(f"{counted(len(found.likely), 'pair')} to decide in {target}, {added:,} of them new:")
    for pair in found.likely:
        answer(f"  {pair_line(pair)}")
    answer(f"Write yes or no into the column `same`, save it, then: {command('plan', arguments.study)}")
    return 0
