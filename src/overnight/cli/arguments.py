"""Arguments that several commands share."""

import argparse
from decimal import Decimal, InvalidOperation
from pathlib import Path

from overnight.errors import UsageError


def add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", nargs="?", type=Path, default=Path("study.yaml"), help="study file or its folder")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="end with one JSON object on standard output")


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
        raise UsageError(f"{text!r} is no whole number")
    return value
