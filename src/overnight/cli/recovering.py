"""recover: a lost or damaged ledger, made again."""

import argparse
import json
from typing import TYPE_CHECKING

from overnight.cli.arguments import add_command, add_json, add_study
from overnight.cli.output import answer

if TYPE_CHECKING:
    from overnight.run.rebuild import Rebuilt

_NOT_BACK = """\
What no bucket knows did not come back: `retry`, `forget` and `cancel` that no job was sent after, the cost of rows
asked before a job, adopted jobs, money kept back for a job that was given up as not made."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    recover = add_command(
        commands, "recover", "make a lost or damaged ledger again, from the bucket; sends nothing", _recover
    )
    add_study(recover)
    recover.add_argument("--uid", default="", metavar="U", help="which study, where several have this one's name")
    add_json(recover)


def _recover(arguments: argparse.Namespace) -> int:
    from overnight.cli.show import showing
    from overnight.run.rebuild import rebuild
    from overnight.wiring.recovering import open_site

    with showing() as shown, open_site(arguments.study, tell=shown.tell) as site:
        done = rebuild(site, arguments.uid)
    if arguments.json:
        answer(json.dumps(_as_json(done)), whole=True)
    else:
        _print(done, arguments)
    return 0


def _print(done: "Rebuilt", arguments: argparse.Namespace) -> None:
    from overnight.cli.words import command, counted

    if done.kept is not None:
        answer(f"The ledger as it was: {done.kept}")
    if done.mended:
        answer("Only an index was hurt, and is made anew: nothing of the ledger is lost.")
        answer(f"Next: {command('run', arguments.study)}")
        return
    answer(f"The ledger knows {counted(done.shards, 'job')} of the study again, {counted(done.rows, 'request')}.")
    if done.names:
        answer(f"Names of {counted(done.names, 'record')} were taken from the results that are there.")
    for labels, words in (
        (done.unlisted, "listed no more; what its output holds is collected, and the rest counts as missing"),
        (done.doubtful, "not listed, and without output: `run` looks again, and says what to do"),
        (done.gone, "nothing says any more what it asked: that may be asked, and paid for, again"),
    ):
        for label in labels:
            answer(f"  {label}: {words}")
    for name in done.strangers:
        answer(f"  {name}: has the study's label, and no manifest: left alone (`overnight adopt` takes a job in)")
    if done.strangers:
        answer("What these asked is not known: on Google, `run` sends nothing before `--take-over` says that it may.")
    answer(_NOT_BACK)
    answer(f"Next: {command('fetch', arguments.study)}    (reads every job's output again, for nothing)")


def _as_json(done: "Rebuilt") -> dict[str, object]:
    return {
        "uid": done.uid,
        "mended": done.mended,
        "jobs": done.shards,
        "requests": done.rows,
        "names": done.names,
        "jobs_not_listed": done.unlisted,
        "jobs_doubtful": done.doubtful,
        "jobs_gone": done.gone,
        "jobs_without_manifest": done.strangers,
        "kept": None if done.kept is None else str(done.kept),
    }
