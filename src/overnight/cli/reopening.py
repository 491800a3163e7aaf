"""retry, forget: what is settled is opened again."""

import argparse

from overnight.cli.arguments import add_command, add_study
from overnight.cli.output import answer
from overnight.errors import UsageError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    retry = add_command(commands, "retry", "open requests that were given up; the next run sends them", _retry)
    add_study(retry)
    retry.add_argument(
        "--kind", action="append", default=[], metavar="KIND", help="only this kind of problem; repeatable"
    )

    forget = add_command(commands, "forget", "open the answers of single records; the next run asks them anew", _forget)
    add_study(forget)
    forget.add_argument(
        "--record", action="append", default=[], required=True, metavar="ID", help="a record_id; repeatable"
    )


def _retry(arguments: argparse.Namespace) -> int:
    from overnight.cli.words import command, counted
    from overnight.core.outcome import ProblemKind
    from overnight.run.reopen import retry
    from overnight.wiring.opening import open_study

    known = {kind.value for kind in ProblemKind}
    unknown = [kind for kind in arguments.kind if kind not in known]
    if unknown:
        raise UsageError(
            f"there is no kind of problem called {unknown[0]!r}", hint=f"One of {', '.join(sorted(known))}."
        )
    tell = lambda event: answer(event.text)  # noqa: E731
    with open_study(arguments.study, command="retry", to_send=False, tell=tell) as opened:
        found = retry(opened.world, [ProblemKind(kind) for kind in arguments.kind])
    if not found:
        answer("There is no such problem. Nothing was opened.")
        return 0
    words = ", ".join(f"{n:,} {kind.value.replace('_', ' ')}" for kind, n in found.most_common())
    answer(f"{counted(found.total(), 'request')} open again: {words}.\nNext: {command('run', arguments.study)}")
    return 0


def _forget(arguments: argparse.Namespace) -> int:
    from overnight.cli.words import command, counted, visible
    from overnight.run.reopen import forget
    from overnight.wiring.opening import open_study

    with open_study(arguments.study, command="forget", to_send=False) as opened:
        found = forget(opened.world, arguments.record)
    records = counted(len(set(arguments.record)), "record")
    if not found.requests:
        answer(f"{records}: nothing was answered yet, so nothing was opened.")
        return 0
    answer(f"{records}: {counted(found.requests, 'request')} open again; the next run pays for a new answer.")
    if found.also:
        shown = ", ".join(map(visible, found.also[:5])) + (" …" if len(found.also) > 5 else "")
        answer(f"  {counted(len(found.also), 'more record')} with the same text get the new answer too: {shown}")
    answer(f"Next: {command('run', arguments.study)}")
    return 0
