"""run, status, fetch, cancel."""

import argparse
import sys
import time

from overnight.cli.arguments import add_json, add_study, amount
from overnight.errors import OvernightError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="send what is missing, wait, collect, write results")
    add_study(run)
    run.add_argument("--detach", action="store_true", help="submit and leave; `run` again collects")
    run.add_argument("--yes", action="store_true", help="do not ask before spending")
    run.add_argument("--max-usd", type=amount, metavar="X", help="spend at most X dollars in this run, and do not ask")
    run.add_argument(
        "--pay-again", action="store_true", help="ask anew records that were answered under another prompt"
    )
    run.add_argument("--new-recipe", action="store_true", help="use this version's wording in place of the study's")
    run.add_argument("--resubmit", action="store_true", help="a job whose create had no reply is not there: send again")
    add_json(run)
    run.set_defaults(call=_run)

    status = commands.add_parser("status", help="how it stands")
    add_study(status)
    status.add_argument("--follow", action="store_true", help="go on looking until no job is under way")
    add_json(status)
    status.set_defaults(call=_status)

    fetch = commands.add_parser("fetch", help="collect what has ended and write results; never sends")
    add_study(fetch)
    fetch.add_argument("--reparse", action="store_true", help="read the kept raw output of every job again, for free")
    add_json(fetch)
    fetch.set_defaults(call=_fetch)

    cancel = commands.add_parser("cancel", help="cancel running jobs; what is done is kept")
    add_study(cancel)
    cancel.set_defaults(call=_cancel)


def _run(arguments: argparse.Namespace) -> int:
    from overnight.cli.ask import asker
    from overnight.cli.show import banner, listener
    from overnight.cli.summary import print_closing
    from overnight.core.usage import Usd
    from overnight.run.loop import run
    from overnight.run.publish import Closing
    from overnight.run.world import Options
    from overnight.wiring.opening import open_study

    started = time.monotonic()
    closing: Closing | None = None
    with (
        listener(live=not arguments.json) as tell,
        open_study(arguments.study, tell=tell, command="run", connect=True, new_recipe=arguments.new_recipe) as opened,
    ):
        world = opened.world
        if banner(world.realm):
            print(banner(world.realm), file=sys.stderr)
        for warning in opened.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        options = Options(
            yes=arguments.yes,
            max_usd=None if arguments.max_usd is None else Usd(arguments.max_usd),
            pay_again=arguments.pay_again,
            new_recipe=arguments.new_recipe,
            resubmit=arguments.resubmit,
            detach=arguments.detach,
            ask=asker(),
        )
        closing = Closing(world.study, world.realm)
        try:
            run(world, options, closing)
        except OvernightError:
            print_closing(closing, arguments.study, as_json=arguments.json, seconds=time.monotonic() - started)
            raise
    print_closing(closing, arguments.study, as_json=arguments.json, seconds=time.monotonic() - started)
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    from overnight.cli.show import listener
    from overnight.cli.summary import print_closing
    from overnight.run.loop import fetch
    from overnight.run.world import Options
    from overnight.wiring.opening import open_study

    started = time.monotonic()
    with (
        listener(live=not arguments.json) as tell,
        open_study(arguments.study, tell=tell, command="fetch", connect=True) as opened,
    ):
        closing = fetch(opened.world, Options(), again=arguments.reparse)
    print_closing(closing, arguments.study, as_json=arguments.json, seconds=time.monotonic() - started)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from overnight.cli.status import status

    return status(arguments.study, follow=arguments.follow, as_json=arguments.json)


def _cancel(arguments: argparse.Namespace) -> int:
    from overnight.cli.show import listener
    from overnight.run.loop import cancel
    from overnight.wiring.opening import open_study

    with listener(live=False) as tell, open_study(arguments.study, tell=tell, command="cancel", connect=True) as opened:
        n = cancel(opened.world)
    if not n:
        print("No job is under way. Nothing to cancel.")
        return 0
    print(f"{n} job{'s' if n != 1 else ''} asked to stop. What they have done is kept and billed.")
    print(f"Next: overnight run {arguments.study}    (collects what is done; cancelled requests stay given up)")
    return 0
