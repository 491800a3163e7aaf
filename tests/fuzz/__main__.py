"""`python -m tests.fuzz --inputs 100000`: prints what became of them; ends with 1 where anything was wrong.

What was wrong is kept as a file, with the seed that makes it again: `--from SEED --inputs 1`.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.judge import Tally
from tests.fuzz.one import FuzzError, try_one

_TELL_EVERY = 5_000
_MOST_WRONG = 50


def main(argv: list[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Damaged files through every reader.")
    made.add_argument("--inputs", type=int, default=100_000, help="how many (100,000)")
    made.add_argument("--from", dest="first", type=int, default=0, metavar="SEED", help="the first seed (0)")
    made.add_argument("--keep", type=Path, help="a folder for the inputs that went wrong")
    arguments = made.parse_args(argv)
    tally, started = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="overnight-fuzz-") as scratch:
        for seed in range(arguments.first, arguments.first + arguments.inputs):
            try:
                try_one(seed, Path(scratch), tally, arguments.keep)
            except FuzzError as error:
                tally.wrong.append(str(error))
                print(error, file=sys.stderr, flush=True)
            if len(tally.wrong) >= _MOST_WRONG:
                break
            if tally.inputs % _TELL_EVERY == 0:
                print(f"  {tally.inputs:,} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(_summary(tally, time.monotonic() - started))
    return 1 if tally.wrong else 0


def _summary(tally: Tally, seconds: float) -> str:
    read = ", ".join(f"{name} {n:,}" for name, n in tally.read.most_common())
    return "\n".join(
        [
            f"inputs: {tally.inputs:,} in {seconds:,.0f} s",
            f"read whole: {tally.read.total():,} ({read}), {tally.noted:,} of them with a warning",
            f"records: {tally.records:,}",
            f"refused with words: {tally.refused:,}",
            f"wrong (traceback, hang, silent loss): {len(tally.wrong):,}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
