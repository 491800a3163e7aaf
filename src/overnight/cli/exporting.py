"""export: results where and as the person wants them."""

import argparse
from pathlib import Path

from overnight.cli.arguments import add_command, add_study
from overnight.cli.output import answer
from overnight.errors import UsageError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = add_command(commands, "export", "results as a table or as references, where you want them", _export)
    add_study(export)
    export.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="x.csv, .xlsx, .parquet, .jsonl, .ris or .bib"
    )
    export.add_argument(
        "--as", dest="tool", choices=("asreview", "rayyan"), help="a CSV with the columns that this tool takes"
    )
    export.add_argument(
        "--table", metavar="TABLE", default="", help="in place of the records: samples, or verdicts of a screen"
    )
    export.add_argument("--force", action="store_true", help="write over a file that is there")


def _export(arguments: argparse.Namespace) -> int:
    from overnight.cli.show import banner
    from overnight.cli.words import counted
    from overnight.run.publish import Closing, export, format_of
    from overnight.wiring.opening import open_study

    target: Path = arguments.to
    format_ = format_of(target, arguments.tool or "")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}", hint="Make it first, or name one that is there.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder", hint="Name a file in it, such as results.csv.")
    if target.exists() and not arguments.force:
        raise UsageError(f"{target} is there already", hint="Choose another name, or say --force to write over it.")
    with open_study(arguments.study, to_send=False) as opened:
        closing = Closing(opened.world.study, opened.world.realm)
        n_rows = export(opened.world, closing, target, format_, arguments.table)
    rows = f"{counted(n_rows, 'row')} of {arguments.table}, of " if arguments.table else ""
    answer(
        f"{target}: {rows}{counted(closing.records, 'record')}, {counted(closing.answers, 'answer')},"
        f" {counted(closing.problems.total(), 'problem')}, {closing.not_sent.total():,} not sent, {closing.open:,} open"
    )
    if banner(closing.realm):
        answer(banner(closing.realm))
    return 0
