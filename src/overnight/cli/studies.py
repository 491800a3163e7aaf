"""init, check, plan: everything before a request is sent."""

import argparse
import contextlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from overnight.cli.arguments import add_command, add_json, add_study, add_unknown_model, whole
from overnight.cli.output import answer, say
from overnight.errors import StudyError, UsageError

if TYPE_CHECKING:
    from overnight.study.models import Study
    from overnight.wiring.looking import LookedAt
    from overnight.wiring.opening import Opened


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    init = add_command(commands, "init", "write a commented study.yaml; never overwrites", _init)
    init.add_argument("folder", type=Path, help="a new folder, named like the study")
    init.add_argument("--from", dest="tables", nargs="+", type=Path, default=[], metavar="FILE", help="your tables")
    init.add_argument("--ask", action="store_true", help="your own question and answer fields, instead of screening")

    check = add_command(commands, "check", "everything wrong with a study, at once; spends nothing", _check)
    add_study(check)
    add_unknown_model(check)
    check.add_argument("--cloud", action="store_true", help="look at the account too, read-only")
    check.add_argument("--print-setup", action="store_true", help="print the gcloud lines that set the account up")
    add_json(check)

    plan = add_command(commands, "plan", "what would be sent, why, and what it may cost; changes nothing", _plan)
    add_study(plan)
    plan.add_argument("--show", type=whole, default=0, metavar="N", help="also print N whole request lines")
    add_unknown_model(plan)
    plan.add_argument("--sources", action="store_true", help="print where each price comes from")
    plan.add_argument("--new-recipe", action="store_true", help="as if with this version's wording")
    plan.add_argument("--count-tokens", action="store_true", help="the service counts 30 of the requests, for free")
    add_json(plan)


def _init(arguments: argparse.Namespace) -> int:
    from overnight.cli.looking import table_lines
    from overnight.cli.words import counted, visible
    from overnight.core.atomic import replace_bytes
    from overnight.study.template import study_template
    from overnight.wiring.looking import id_column
    from overnight.wiring.looking import text_columns as seen_columns

    folder: Path = arguments.folder
    target = folder / "study.yaml"
    if target.exists():
        raise UsageError("there is a study.yaml already", where=str(target), hint="Choose another folder.")
    tables = _looked_at(arguments.tables)
    name = _study_name(folder)
    counts = Counter[Path]()
    for one in tables:
        counts[one.table.path] += one.survey.n_records
    files = [(_relative(path, folder), n) for path, n in counts.items()]
    id_, text_columns = (id_column(tables), seen_columns(tables)) if tables else ("auto", ())
    text = study_template(
        name,
        files,
        id_,
        text_columns,
        task="ask" if arguments.ask else "screen",
        left_out=_left_out(tables, (id_, *text_columns)),
    )
    replace_bytes(target, text.encode())
    found = f", with {counted(counts.total(), 'record')} from {counted(len(files), 'file')}" if files else ""
    answer(f"{target} is written{found}")
    for one in tables:
        for line in table_lines(one):
            answer(f"  {line}")
    if text_columns:
        answer(f"  The model is to see {', '.join(map(visible, text_columns))}, and no other column.")
    answer(f"\nOpen it, write your question and your {'answer fields' if arguments.ask else 'criteria'}, then:")
    for verb in ("check", "plan", "pilot", "run"):
        answer(f"  {_command_in(folder, verb)}")
    return 0


def _looked_at(paths: Sequence[Path]) -> Sequence["LookedAt"]:
    """Raises RecordsError with what is wrong in all files."""
    from overnight.wiring.looking import look_at

    looked = look_at(paths)
    if error := looked.error:
        raise error
    return looked.tables


def _left_out(tables: Sequence["LookedAt"], named: Sequence[str]) -> list[str]:
    """The columns that the study does not name, and does not read under a name of its own."""
    columns: dict[str, None] = {}
    for one in tables:
        roles = one.survey.roles
        read_as = {"title": roles.title, "abstract": roles.abstract}
        seen = {*named, *(read_as[name] for name in named if name in read_as and name not in one.table.columns)}
        columns |= dict.fromkeys(column for column in one.table.columns if column not in seen)
    return list(columns)


def _command_in(folder: Path, verb: str) -> str:
    from overnight.cli.words import command

    return command(verb, folder / "study.yaml")


def _study_name(folder: Path) -> str:
    import re

    name = re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_")
    return name[:63] or "my-study"


def _relative(table: Path, folder: Path) -> str:
    import os

    try:
        return Path(os.path.relpath(table.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive, on Windows
        return table.resolve().as_posix()


def _check(arguments: argparse.Namespace) -> int:
    from overnight.cli.plan import budget_words
    from overnight.cli.texts import text_lines
    from overnight.cli.words import command, counted
    from overnight.core.realm import GOOGLE
    from overnight.run.money import budget_of
    from overnight.wiring.opening import open_study

    if arguments.print_setup:
        return _print_setup(arguments.study)
    with open_study(arguments.study, allow_unknown_model=arguments.allow_unknown_model, count_texts=True) as opened:
        study, world = opened.study, opened.world
        if arguments.cloud and study.cloud is None:
            raise _no_account(study)
        if arguments.json:
            return _check_json(arguments, opened)
        answer(f"{study.path.name}: study {study.name}, task {study.task_name}, {counted(opened.n_records, 'record')}")
        answer(f"  model      {opened.model.id}, thinking: {opened.thinking.explained}")
        who = f"Google, {world.location}" if world.realm == GOOGLE else "LOCAL STAND-IN (the study names no cloud)"
        answer(f"  answers    {who}")
        if budget := budget_of(world):
            answer(f"  budget     {budget_words(budget)}")
        _show_records(opened, arguments.study)
        for warning in opened.warnings:
            answer(f"warning: {warning}")
        if opened.texts is not None:
            for line in text_lines(opened.texts):
                answer(line)
        if arguments.cloud:
            return _check_cloud(arguments.study, opened)
    answer(f"Nothing is wrong. Nothing was sent or spent.\nNext: {command('plan', arguments.study)}")
    return 0


def _show_records(opened: "Opened", study: Path) -> None:
    from overnight.cli.sources import duplicate_lines, source_counts, vanished_line

    for line in source_counts(opened.world.records.sources()):
        answer(f"  records    {line}")
    for line in duplicate_lines(opened.duplicates, study):
        answer(f"  {line}" if line.startswith(" ") else f"  duplicates {line}")
    if line := vanished_line(opened.world.vanished()):
        answer(f"warning: {line}")


def _check_json(arguments: argparse.Namespace, opened: "Opened") -> int:
    """The study, its warnings and its texts as one object. `--cloud`: what the account lacks is an error, as ever."""
    ended = _check_cloud(arguments.study, opened, quiet=True) if arguments.cloud else 0
    found = {
        "study": opened.study.name,
        "task": opened.study.task_name,
        "records": opened.n_records,
        "model": opened.model.id,
        "realm": opened.world.realm,
        "warnings": [str(warning) for warning in opened.warnings],
        "texts": None if opened.texts is None else opened.texts.as_json(),
    }
    answer(json.dumps(found, ensure_ascii=False), whole=True)
    return ended


def _no_account(study: "Study") -> UsageError:
    return UsageError(
        "the study names no account, so there is nothing to look at",
        where=str(study.path),
        hint="Add this line, with your own names; docs/how-to/vertex-ai.md says how to get them:\n"
        "    cloud: {project: my-project, location: global, bucket: gs://my-bucket/overnight}",
    )


def _check_cloud(path: Path, opened: "Opened", *, quiet: bool = False) -> int:
    """quiet: on standard error, where standard output is for a machine."""
    from overnight.cli.words import command
    from overnight.core.events import silent
    from overnight.wiring.service import backend_of, google_service

    tell = say if quiet else answer
    with contextlib.closing(backend_of(google_service(opened.study), silent)) as backend:
        findings = backend.preflight(opened.model, lambda line: tell(f"  ok         {line}"))
    errors = [finding for finding in findings if finding.level == "error"]
    for finding in findings:
        if finding.level == "warning":
            tell(f"warning: {finding}")
    if errors:
        raise StudyError(errors)
    tell(f"The account is ready as far as one can see without spending.\nNext: {command('plan', path)}")
    return 0


def _print_setup(path: Path) -> int:
    from overnight.google.setup_script import setup_script
    from overnight.study.load import load_study

    study = load_study(path)
    if study.cloud is None:
        raise _no_account(study)
    cloud = study.cloud
    answer(setup_script(cloud.project, cloud.location, cloud.bucket, cloud.prefix, study=str(path)), whole=True)
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    from overnight.cli.plan import plan_json, plan_lines, request_lines
    from overnight.cli.prompts import instruction_lines
    from overnight.planning.instructions import instructions
    from overnight.run.plan import make_plan
    from overnight.wiring.opening import open_study

    count: bool = arguments.count_tokens
    with open_study(
        arguments.study,
        new_recipe=arguments.new_recipe,
        allow_unknown_model=arguments.allow_unknown_model,
        connect=count,
    ) as opened:
        for warning in opened.warnings:
            say(f"warning: {warning}")
        planned = make_plan(opened.world, keep=arguments.show, count=count)
        if arguments.json:
            answer(json.dumps(plan_json(opened, planned), ensure_ascii=False), whole=True)
            return 0
        for line in plan_lines(opened, planned, arguments.study, sources=arguments.sources):
            answer(line)
        if arguments.show:
            for line in instruction_lines(instructions(opened.study, opened.world.task.recipes)):
                answer(line, whole=True)
        for line in request_lines(planned, arguments.show):
            answer(line, whole=True)
    return 0
