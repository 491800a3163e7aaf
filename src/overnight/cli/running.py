"""run, status, fetch, cancel."""

import argparse
import time
from typing import TYPE_CHECKING

from overnight.cli.arguments import add_command, add_json, add_study, add_unknown_model, amount
from overnight.cli.output import answer
from overnight.errors import OvernightError

if TYPE_CHECKING:
    from overnight.cli.show import Shown
    from overnight.wiring.opening import Opened


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = add_command(commands, "run", "send what is missing, wait, collect, write results", _run)
    add_study(run)
    run.add_argument("--detach", action="store_true", help="submit and leave; `run` again collects")
    run.add_argument("--yes", action="store_true", help="do not ask before spending")
    run.add_argument("--max-usd", type=amount, metavar="X", help="spend at most X dollars in this run, and do not ask")
    run.add_argument(
        "--pay-again", action="store_true", help="ask anew records that were answered under another prompt"
    )
    run.add_argument("--new-recipe", action="store_true", help="use this version's wording in place of the study's")
    add_unknown_model(run)
    run.add_argument("--resubmit", action="store_true", help="a job whose create had no reply is not there: send again")
    run.add_argument("--take-over", action="store_true", help="send from here although a copy of this study has sent")
    run.add_argument("--no-smoke", action="store_true", help="do not ask two rows at once before the first job")
    add_json(run)

    status = add_command(commands, "status", "how it stands", _status)
    add_study(status)
    status.add_argument("--follow", action="store_true", help="go on looking until no job is under way")
    add_json(status)

    fetch = add_command(commands, "fetch", "collect what has ended and write results; never sends", _fetch)
    add_study(fetch)
    fetch.add_argument("--reparse", action="store_true", help="read the kept raw output of every job again, for free")
    add_json(fetch)

    cancel = add_command(commands, "cancel", "cancel running jobs; what is done is kept", _cancel)
    add_study(cancel)


def _run(arguments: argparse.Namespace) -> int:
    from overnight.cli.ask import asker
    from overnight.cli.show import showing
    from overnight.cli.summary import print_closing
    from overnight.core.usage import Usd
    from overnight.run.loop import run
    from overnight.run.publish import Closing
    from overnight.run.world import Options
    from overnight.wiring.notify import notifying
    from overnight.wiring.opening import open_study

    started = time.monotonic()
    stopped: OvernightError | None = None
    with (
        showing() as shown,
        open_study(
            arguments.study,
            tell=shown.tell,
            command="run",
            connect=True,
            new_recipe=arguments.new_recipe,
            allow_unknown_model=arguments.allow_unknown_model,
        ) as opened,
    ):
        _introduce(opened, shown)
        options = Options(
            yes=arguments.yes,
            max_usd=None if arguments.max_usd is None else Usd(arguments.max_usd),
            pay_again=arguments.pay_again,
            resubmit=arguments.resubmit,
            take_over=arguments.take_over,
            detach=arguments.detach,
            smoke=not arguments.no_smoke,
            ask=asker(shown.quiet),
        )
        closing = Closing(opened.world.study, opened.world.realm)
        try:
            with notifying(opened, closing):
                run(opened.world, options, closing)
        except OvernightError as error:
            stopped = error
    seconds = time.monotonic() - started
    print_closing(closing, arguments.study, as_json=arguments.json, seconds=seconds, stopped=stopped is not None)
    if stopped is not None:
        raise stopped
    return 0


def _introduce(opened: "Opened", shown: "Shown") -> None:
    """Who answers, and what is worth knowing before anything is sent."""
    from overnight.cli.show import banner
    from overnight.core.events import Note

    if banner(opened.world.realm):
        shown.tell(Note(banner(opened.world.realm)))
    for warning in opened.warnings:
        shown.tell(Note(str(warning), "warning"))


def _fetch(arguments: argparse.Namespace) -> int:
    from overnight.cli.show import showing
    from overnight.cli.summary import print_closing
    from overnight.run.loop import fetch
    from overnight.run.publish import Closing
    from overnight.run.world import Options
    from overnight.wiring.notify import notifying
    from overnight.wiring.opening import open_study

    with (
        showing() as shown,
        open_study(arguments.study, tell=shown.tell, command="fetch", to_send=False, connect=True) as opened,
    ):
        _introduce(opened, shown)
        closing = Closing(opened.world.study, opened.world.realm)
        with notifying(opened, closing):
            fetch(opened.world, Options(), closing, again=arguments.reparse)
    print_closing(closing, arguments.study, as_json=arguments.json)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from overnight.cli.status import status

    return status(arguments.study, follow=arguments.follow, as_json=arguments.json)


def _cancel(arguments: argparse.Namespace) -> int:
    from overnight.cli.show import showing
    from overnight.cli.words import command, counted
    from overnight.run.loop import cancel
    from overnight.wiring.opening import open_study

    with (
        showing(live=False) as shown,
        open_study(arguments.study, tell=shown.tell, command="cancel", to_send=False, connect=True) as opened,
    ):
        n = cancel(opened.world)
    if not n:
        answer("No job is under way. Nothing to cancel.")
        return 0
    answer(f"{counted(n, 'job')} asked to stop. What is done is kept and billed.")
    answer(f"Next: {command('run', arguments.study)}    (collects what is done; cancelled requests stay given up)")
    return 0
