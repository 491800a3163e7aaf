"""`python -m bench [NAME …] [--quick] [--json]`."""

import argparse
import importlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.figures import Figure, as_json, as_table
from bench.measure import Runner
from bench.sizes import FULL, QUICK, Sizes

NAMES = ("render", "collect", "ledger", "plan", "memory", "startup", "identity", "transfer", "references")
_PACKAGES = ("orjson", "msgspec", "pyarrow", "xxhash", "google-cloud-storage", "rispy", "bibtexparser", "pandas")


def main(argv: Sequence[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="python -m bench", description="Ratios to a yardstick in the same run.")
    made.add_argument("names", nargs="*", metavar="NAME", help=f"all of them, or some of: {', '.join(NAMES)}")
    made.add_argument("--quick", action="store_true", help="a twentieth of the rows: a minute or two, not for quoting")
    made.add_argument("--json", action="store_true", help="one JSON object on standard output")
    made.add_argument("--rounds", type=int, default=3, help="how often each variant runs (3)")
    made.add_argument("--work", type=Path, help="folder for made-up tables and files, kept; needs some 12 GB")
    arguments = made.parse_args(argv)
    unknown = sorted(set(arguments.names) - set(NAMES))
    if unknown:
        made.error(f"there is no benchmark {unknown[0]}: choose from {', '.join(NAMES)}")
    runner = Runner(arguments.rounds, tell=lambda line: print(line, file=sys.stderr, flush=True))
    sizes = QUICK if arguments.quick else FULL
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="overnight-bench-") as scratch:
        work = arguments.work or Path(scratch)
        figures = run([name for name in NAMES if name in (arguments.names or NAMES)], runner, sizes, work)
    about = machine()
    if arguments.json:
        print(json.dumps({**about, "quick": arguments.quick, "figures": as_json(figures)}, ensure_ascii=False))
    else:
        print("\n".join(f"{name}: {value}" for name, value in about.items()) + f"\n\n{as_table(figures)}")
    print(f"took {time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


def run(names: Sequence[str], runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        runner.tell(name)
        figures += importlib.import_module(f"bench.{name}").run(runner, sizes, work)
    return figures


def machine() -> dict[str, str]:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} CPUs, {_cpu_name()}, {platform.system()}{load}",
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    sys.exit(main())
