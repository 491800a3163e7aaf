"""T8, T9: peak memory and time a row of plan, send, collect and publish, each in a process of its own, as they grow."""

import shutil
from pathlib import Path

from bench.figures import Figure
from bench.measure import Runner, Values, measured
from bench.sizes import Sizes
from bench.study import make_study, opened
from overnight.run.collect import collect as collect_job
from overnight.run.gate import Pass
from overnight.run.plan import make_plan
from overnight.run.publish import Closing
from overnight.run.publish import publish as publish_results
from overnight.run.send import send as send_all
from overnight.run.watch import Watch
from overnight.run.world import Options

STEPS = ("plan", "send", "collect", "publish")


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    found: dict[tuple[str, int], Values] = {}
    counts = (sizes.few, sizes.middle, sizes.many)
    for n in counts:
        folder = work / f"study-{n}"
        make_study(folder, n)
        for step in STEPS:
            found[step, n] = runner.once(f"bench.memory:{step}", folder=str(folder))
            runner.tell(f"  {step:<10} {n:>11,} rows: {found[step, n]['peak_mb']:.0f} MB")
        for left in ("disk", ".overnight", "stand-in"):
            shutil.rmtree(folder / left, ignore_errors=True)
    figures = []
    for step in STEPS:
        middle, many = found[step, sizes.middle], found[step, sizes.many]
        sizes_mb = ", ".join(f"{found[step, n]['peak_mb']:.0f} at {n:,}" for n in counts)
        figures.append(Figure("T8", f"peak memory, {step}, {counts[-1]:,} rows", many["peak_mb"], "MB", 300, 130,
                              note=sizes_mb))  # fmt: skip
        growth = (many["cpu_s"] / counts[2]) / (middle["cpu_s"] / counts[1])
        figures.append(Figure("T9", f"growth of µs a row, {counts[1]:,} to {counts[2]:,}, {step}", growth, "x", 1.2,
                              1.05, note=f"{many['cpu_s'] / counts[2] * 1e6:.1f} µs a row"))  # fmt: skip
    return figures


def plan(folder: str) -> Values:
    values: Values = {}
    with measured(values), opened(folder, change=False) as world:
        make_plan(world)
    return values


def send(folder: str) -> Values:
    """Planned, bound, rendered, linted, written to the ledger; output files are made beside it, and are in the time."""
    values: Values = {}
    with measured(values), opened(folder, answering=True) as world:
        planned = make_plan(world)
        send_all(world, planned, Pass(), Options())
    return values


def collect(folder: str) -> Values:
    """Copied from the folder that stands for the bucket, compressed, settled; one job after the other."""
    values: Values = {}
    with measured(values), opened(folder) as world:
        for shard in Watch(world).look():
            collect_job(world, shard)
    return values


def publish(folder: str) -> Values:
    values: Values = {}
    with measured(values), opened(folder) as world:
        publish_results(world, Closing(world.study, world.realm))
    return values
