"""T3, T4: a job's output to settled rows in the ledger, against `orjson.loads` of the same lines and `wc -l`."""

import shutil
import tempfile
from pathlib import Path

import orjson

from bench.figures import Figure
from bench.measure import Runner, Values, command_cpu, measured
from bench.sizes import Sizes
from bench.study import make_study, opened
from overnight.run.collect import settle
from overnight.run.gate import Pass
from overnight.run.plan import make_plan
from overnight.run.raw import Keeper, RawFile
from overnight.run.send import send
from overnight.run.watch import Watch
from overnight.run.world import Options


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    folder = work / f"collect-{sizes.collect}"
    make_study(folder, sizes.collect)
    runner.once("bench.collect:answered", folder=str(folder))
    given = {"folder": str(folder)}
    found = runner.rounds_of(
        {
            "orjson.loads": ("bench.collect:loads", given),
            "wc -l": ("bench.collect:wc", given),
            "collect": ("bench.collect:collecting", {**given, "keep": False}),
            "collect, raw output kept": ("bench.collect:collecting", {**given, "keep": True}),
        }
    )
    loads, plain = found["orjson.loads"]["cpu_s"], found["collect"]["cpu_s"]
    kept, counted = found["collect, raw output kept"]["cpu_s"], found["wc -l"]["cpu_s"]
    lines = found["orjson.loads"]["lines"]
    walls = [found[name]["wall_s"] for name in ("collect, raw output kept", "collect")]
    return [
        Figure("T3", f"collect {lines:,.0f} lines: CPU over orjson.loads", plain / loads, "x", 2.0, 1.2,
               note=f"{plain / lines * 1e6:.2f} µs a line; orjson.loads {loads / lines * 1e6:.2f}"),
        Figure("T3", "the same, raw output kept compressed", kept / loads, "x",
               note=f"{kept / lines * 1e6:.2f} µs a line, on two cores: {walls[0]:.2f} s wall against {walls[1]:.2f}"),
        Figure("T4", "collect: CPU over wc -l", plain / counted, "x", 25, 15),
    ]  # fmt: skip


def answered(folder: str) -> Values:
    """Sends everything and sees the job end, so that there is a shard to collect. Done once."""
    with opened(folder, answering=True) as world:
        if not world.ledger.shards.all(world.realm):
            planned = make_plan(world)
            send(world, planned, Pass(), Options())
            Watch(world).look()
    return {}


def loads(folder: str) -> Values:
    values: Values = {}
    with measured(values), output_of(folder).open("rb", buffering=1 << 20) as lines:
        decode, n = orjson.loads, 0
        for line in lines:
            decode(line)
            n += 1
    values["lines"] = n
    return values


def wc(folder: str) -> Values:
    return command_cpu(["wc", "-l", str(output_of(folder))], 5)


def collecting(folder: str, *, keep: bool) -> Values:
    """On a copy of the ledger, so that it can be done again."""
    values: Values = {}
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "study"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("disk", "lock", "holder.json"))
        with opened(str(copy)) as world, measured(values):
            (shard,) = world.ledger.shards.all(world.realm, "submitted")
            assert shard.job is not None
            files = [RawFile(output_of(folder), f"{shard.label}/00-predictions.jsonl.gz", chunk=False)]
            if keep:
                world.home.raw.mkdir(parents=True, exist_ok=True)
                keeper = Keeper(files, world.home.raw)
                settle(world, shard, shard.job, files, before_commit=keeper.finish)
            else:
                settle(world, shard, shard.job, files, before_commit=lambda: None)
            assert world.ledger.shards.get(shard.id).state == "collected"
    return values


def output_of(folder: str) -> Path:
    (found,) = (Path(folder) / "disk").glob("*.out")
    return found
