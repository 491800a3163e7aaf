"""The CLI on a disk that is full: no file of this process may grow beyond a limit. It is a process of its own, so that
nothing else meets the limit, and is started with `-B`, so that no byte code is cut off.

    python -B -m tests.faults.small_disk ENDPOINT BYTES run study.yaml
"""

import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from overnight.cli.main import main
from tests.support.cloud import instead_of_a_child
from tests.support.studies import Ended

ROOT: Final = Path(__file__).parents[2]
SMALL_DISK_BYTES: Final = 45_000
"""More than the ledger's log and its index (32 kB) take at once; the output of a job of long texts is larger."""


def on_a_small_disk(endpoint: str, *words: str) -> Ended:
    """The command to its end, at the local cloud that is there."""
    command = [sys.executable, "-B", "-m", "tests.faults.small_disk", endpoint, str(SMALL_DISK_BYTES), *words]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return Ended(done.returncode, done.stdout, done.stderr)


if __name__ == "__main__":
    endpoint, limit, *words = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    with instead_of_a_child(SimpleNamespace(endpoint=endpoint)):
        sys.exit(main(words))
