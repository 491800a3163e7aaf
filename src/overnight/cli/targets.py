"""A file that a command is to write where the person wants it."""

from collections.abc import Sequence
from pathlib import Path

from overnight.errors import UsageError


def checked_target(target: Path, formats: Sequence[str], *, force: bool) -> str:
    """The format that its name's ending says. Raises UsageError where it would have to guess, or write over a file."""
    format_ = target.suffix.lower().removeprefix(".")
    if format_ not in formats:
        raise UsageError(
            f"{target.name} is of no format that can be written",
            hint=f"End its name with one of .{', .'.join(formats)}.",
        )
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}", hint="Make it first, or name one that is there.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder", hint=f"Name a file in it, such as records.{formats[0]}.")
    if target.exists() and not force:
        raise UsageError(f"{target} is there already", hint="Choose another name, or say --force to write over it.")
    return format_
