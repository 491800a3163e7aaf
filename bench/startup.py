"""T12, T13: `overnight --help`, and a whole process for a person's 1,100 rows, against a bare Python."""

import json
import sys
from pathlib import Path

from bench.figures import Figure
from bench.measure import Runner, Values, command_cpu, measured
from bench.sizes import Sizes
from bench.study import make_study


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    folder = work / f"person-{sizes.person}"
    make_study(folder, sizes.person, "records.csv")
    given = json.dumps({"folder": str(folder)})
    python, times = sys.executable, sizes.startup_times
    variants: dict[str, list[str]] = {
        "bare python": [python, "-c", "pass"],
        "--help": [python, "-m", "overnight", "--help"],
        "plan": [python, "-m", "overnight", "plan", str(folder)],
        "send": [python, "-m", "bench.child", "bench.memory:send", given],
        "collect": [python, "-m", "bench.child", "bench.memory:collect", given],
    }
    found: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(times):
        _fresh(folder)
        for name, command in variants.items():
            found[name].append(command_cpu(command)["cpu_s"])
        runner.tell(f"  start-up, round {number + 1}")
    mid = {name: sorted(values)[len(values) // 2] for name, values in found.items()}
    bare = mid["bare python"]

    def ms(name: str) -> str:
        return f"{mid[name] * 1000:.0f} ms CPU; bare {bare * 1000:.0f}"

    rows = f"{sizes.person:,} rows from CSV, whole process"
    return [
        Figure("T12", "overnight --help over bare Python", mid["--help"] / bare, "x", 6, 2.5, note=ms("--help")),
        Figure("T13", f"{rows}: check, plan, render, write the ledger", mid["send"] / bare, "x", 10, 5,
               note=ms("send")),
        Figure("T13", f"{rows}: check, collect, write the ledger", mid["collect"] / bare, "x", 12, 7,
               note=ms("collect")),
        Figure("", f"overnight plan, {sizes.person:,} rows", mid["plan"] / bare, "x", note=ms("plan")),
    ]  # fmt: skip


def _fresh(folder: Path) -> None:
    import shutil

    for left in ("disk", ".overnight", "stand-in"):
        shutil.rmtree(folder / left, ignore_errors=True)


def imports(module: str) -> Values:
    """For looking around by hand: what importing a module costs."""
    import importlib

    values: Values = {}
    with measured(values):
        importlib.import_module(module)
    return values
