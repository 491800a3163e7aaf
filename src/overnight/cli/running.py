"""pilot, run, status, fetch, cancel."""

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from overnight.cli.arguments import add_command, add_json, add_study, add_unknown_model, amount, whole
from overnight.cli.output import answer
from overnight.errors import OvernightError

if TYPE_CHECKING:
    from overnight.cli.show import Shown
    from overnight.run.publish import Closing
    from overnight.run.world import Options, World
    from overnight.wiring.opening import Opened


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    does = "ask some records first; measure what the whole will cost"
    pilot = add_command(commands, "pilot", does, _pilot)
    add_study(pilot)
    pilot.add_argument("--records", type=whole, metavar="N", help="how many, drawn at random (default: 50)")
    pilot.add_argument("--seed", type=whole, metavar="S", help="of the draw (default: 1, or the study's own)")
    _add_sending(pilot)

    run = add_command(commands, "run", "send what is missing, wait, collect, write results", _run)
    add_study(run)
    _add_sending(run)

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


def _add_sending(parser: argparse.ArgumentParser) -> None:
    """What a command that sends can be told."""
    name = parser.prog.split()[-1]
    parser.add_argument("--detach", action="store_true", help=f"submit and leave; `{name}` again collects")
    parser.add_argument("--yes", action="store_true", help="do not ask before spending")
    does = f"spend at most X dollars in this {name}, and do not ask"
    parser.add_argument("--max-usd", type=amount, metavar="X", help=does)
    does = "ask anew records that were answered under another prompt"
    parser.add_argument("--pay-again", action="store_true", help=does)
    does = "use this version's wording in place of the study's"
    parser.add_argument("--new-recipe", action="store_true", help=does)
    add_unknown_model(parser)
    does = "a job whose create had no reply is not there: send again"
    parser.add_argument("--resubmit", action="store_true", help=does)
    does = "send from here although a copy of this study has sent"
    parser.add_argument("--take-over", action="store_true", help=does)
    does = "do not ask two rows at once before the first job"
    parser.add_argument("--no-smoke", action="store_true", help=does)
    add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    from overnight.run.loop import run

    return _sending(arguments, "run", run)


def _pilot(arguments: argparse.Namespace) -> int:
    from functools import partial

    from overnight.run.pilot import pilot

    return _sending(arguments, "pilot", partial(pilot, n=arguments.records, seed=arguments.seed))


def _sending(arguments: argparse.Namespace, command: str, send: "Callable[[World, Options, Closing], Closing]") -> int:
    from overnight.cli.ask import asker
    from overnight.cli.show import showing
    from overnight.cli.summary import print_closing
    from overnight.core.usage import Usd
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
            command=command,
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
                send(opened.world, options, closing)
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
