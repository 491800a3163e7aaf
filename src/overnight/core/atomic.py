"""Replacing a file so that a reader sees the old one or the new one, never half of one.

A temporary file beside the target, flushed and fsynced, then renamed over it, then the folder fsynced (where the system
has that: not on Windows). A crash leaves the old file and at worst a `.<name>.<random>.tmp`, removed on the next write.
"""

import contextlib
import errno
import glob
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from overnight.errors import OutputError

_FULL: Final = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}  # the disk, a file's limit, a quota


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """A binary file to write; on leaving without an error it becomes `target`.

    Raises OutputError when the folder cannot be written, the disk is full, or the target is open elsewhere (Windows).
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left_over in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
            if left_over.name.count(".") == target.name.count(".") + 3:  # not one of `<name>.csv`, under way beside it
                left_over.unlink(missing_ok=True)
        temporary = target.parent / f".{target.name}.{secrets.token_hex(4)}.tmp"
        file = temporary.open("xb")  # with the rights of any new file: a results file is for others to read
    except OSError as cause:
        raise _cannot_write(target, cause) from cause
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as cause:
        raise _cannot_write(target, cause) from cause
    finally:
        temporary.unlink(missing_ok=True)


def replace_bytes(target: Path, data: bytes) -> None:
    with replacing(target) as file:
        file.write(data)


def sync_folder(folder: Path) -> None:
    """Best effort: the new file is in place; some file systems cannot sync a folder, some folders cannot be read."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _cannot_write(target: Path, cause: OSError) -> OutputError:
    reason = cause.strerror or str(cause)
    if isinstance(cause, PermissionError):
        hint = (
            "Close the file in the program that has it open, or give yourself the right to write there; then run again."
        )
    elif cause.errno in _FULL:
        hint = "Make room on the disk, then run again: what was fetched and paid for is in the ledger and is not lost."
    else:
        hint = "Mend that, then run again: nothing that was paid for is lost."
    return OutputError(f"cannot write {target.name}: {reason}", where=str(target), hint=hint)
