"""retry, forget: what is settled is opened again."""

import argparse

from overnight.cli.arguments import add_study
from overnight.errors import UsageError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    retry = commands.add_parser("retry", help="open requests that were given up; the next run sends them")
    add_study(retry)
    retry.add_argument(
        "--kind", action="append", default=[], metavar="KIND", help="only this kind of problem; repeatable"
    )
    retry.set_defaults(call=_retry)

    forget = commands.add_parser("forget", help="open the answers of single records; the next run asks them anew")
    add_study(forget)
    forget.add_argument("--record", action="append", default=[], required=True, metavar="ID", help="repeatable")
    forget.set_defaults(call=_forget)


def _retry(arguments: argparse.Namespace) -> int:
    from overnight.core.outcome import ProblemKind
    from overnight.run.reopen import retry
    from overnight.wiring.opening import open_study

    known = {kind.value for kind in ProblemKind}
    unknown = [kind for kind in arguments.kind if kind not in known]
    if unknown:
        raise UsageError(
            f"there is no kind of problem called {unknown[0]!r}", hint=f"One of {', '.join(sorted(known))}."
        )
    with open_study(arguments.study, command="retry") as opened:
        found = retry(opened.world, [ProblemKind(kind) for kind in arguments.kind])
    if not found:
        print("There is no such problem. Nothing was opened.")
        return 0
    words = ", ".join(f"{n:,} {kind.value}" for kind, n in found.most_common())
    print(f"{found.total():,} requests are open again: {words}.\nNext: overnight run {arguments.study}")
    return 0


def _forget(arguments: argparse.Namespace) -> int:
    from overnight.run.reopen import forget
    from overnight.wiring.opening import open_study

    with open_study(arguments.study, command="forget") as opened:
        found = forget(opened.world, arguments.record)
    print(f"{len(arguments.record):,} records, {found.requests:,} requests are open again; the next run pays for them.")
    if found.also:
        shown = ", ".join(found.also[:5]) + (" …" if len(found.also) > 5 else "")
        print(f"  {len(found.also):,} more records have the same text and share the new answer: {shown}")
    print(f"Next: overnight run {arguments.study}")
    return 0
