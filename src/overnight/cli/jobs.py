"""adopt, clean: jobs and files in the account that no run deals with by itself."""

import argparse
from typing import TYPE_CHECKING

from overnight.cli.arguments import add_command, add_study
from overnight.cli.output import answer

if TYPE_CHECKING:
    from overnight.run.clean import Leftover


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    adopt = add_command(commands, "adopt", "a job made by hand becomes one of the study's", _adopt)
    add_study(adopt)
    adopt.add_argument("--job", required=True, metavar="NAME", help="its full name, or its number")

    clean = add_command(commands, "clean", "remove the study's files from the bucket, and its ended jobs", _clean)
    add_study(clean)
    clean.add_argument("--yes", action="store_true", help="does not ask after showing the list")


def _adopt(arguments: argparse.Namespace) -> int:
    from overnight.cli.show import showing
    from overnight.cli.words import command, counted
    from overnight.run.adopt import adopt
    from overnight.wiring.opening import open_study

    with (
        showing(live=False) as shown,
        open_study(arguments.study, tell=shown.tell, command="adopt", to_send=False, connect=True) as opened,
    ):
        found = adopt(opened.world, arguments.job)
    answer(f"job {found.shard}: {counted(found.requests, 'request')} of this study, {found.job}")
    if found.others:
        answer(f"  {counted(found.others, 'line')} asked something else: billed by Google, no answer of this study's")
    if found.answered:
        answer(f"  {counted(found.answered, 'request')} answered before: those answers stay, these will be surplus")
    answer(f"Next: {command('run', arguments.study)}    (collects it when it has ended)")
    return 0


def _clean(arguments: argparse.Namespace) -> int:
    from overnight.cli.ask import asker
    from overnight.cli.show import showing
    from overnight.cli.words import counted, size
    from overnight.errors import ConsentError
    from overnight.run.clean import leftovers, remove
    from overnight.wiring.opening import open_study

    with (
        showing(live=False) as shown,
        open_study(arguments.study, tell=shown.tell, command="clean", to_send=False, connect=True) as opened,
    ):
        found = list(leftovers(opened.world))
        if not found:
            answer("Nothing of this study is left in the cloud that could go.")
            return 0
        _show(found)
        files, jobs = sum(len(one.objects) for one in found), sum(bool(one.job) for one in found)
        total = (
            f"{counted(files, 'file')} ({size(sum(one.size_bytes for one in found))}) and {counted(jobs, 'ended job')}"
        )
        ask = asker(shown.quiet)
        if not (arguments.yes or (ask is not None and ask(f"Remove {total}?"))):
            raise ConsentError(
                f"nothing was removed: {total}", hint="`overnight clean --yes` removes what the list shows."
            )
        for leftover in found:
            remove(opened.world, leftover)
    answer(f"Removed {total}. Answers and raw output are on this disk, in {opened.world.home.hidden}:")
    answer("  keep that folder: from the cloud they cannot be had again.")
    return 0


def _show(found: "list[Leftover]") -> None:
    from overnight.cli.words import counted, size
    from overnight.run.clean import folder_of

    for one in found:
        answer(f"{folder_of(one.shard)}    {counted(len(one.objects), 'file')}, {size(one.size_bytes)}")
        for item in one.objects:
            answer(f"  {item.name.rsplit('/', 1)[-1]}    {size(item.size_bytes)}")
        if one.job:
            answer(f"  job {one.job}")
