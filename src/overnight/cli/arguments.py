"""Arguments that several commands share."""

import argparse
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path

from overnight.errors import UsageError


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    does: str,
    call: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """does: one line, for `overnight COMMAND --help`."""
    parser = commands.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
    parser.set_defaults(call=call)
    return parser


def add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "study", nargs="?", type=Path, default=Path("study.yaml"), help="study file or its folder (default: study.yaml)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="end with one JSON object on standard output")


def add_unknown_model(parser: argparse.ArgumentParser) -> None:
    does = "let a model through that no table knows; its price has to be in the study's own file"
    parser.add_argument("--allow-unknown-model", action="store_true", help=does)


def amount(text: str) -> Decimal:
    """An amount of dollars. Raises UsageError: argparse would hide what was wrong with it."""
    try:
        value = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise UsageError(f"{text!r} is no amount in US dollars", hint="Write digits, with a point for cents: 12.50")
    return value


def whole(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise UsageError(f"{text!r} is no whole number", hint="Write digits only: 3")
    return value
