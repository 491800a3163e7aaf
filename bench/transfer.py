"""T5, T6: what upload and download add to rendering and collecting: our storage client against the real local cloud.

CPU of our process alone; the local cloud is another one. Loopback, plain HTTP, no TLS: not a network.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.collect import output_of
from bench.figures import Figure
from bench.measure import Runner, Values, measured
from bench.sizes import Sizes
from bench.study import make_study, opened
from overnight.google.auth import local_access
from overnight.google.endpoints import local_endpoints
from overnight.google.storage import Storage
from overnight.requests.render import Renderer
from overnight.requests.shards import Peekable, Shard, ShardLimits
from overnight.run.plan import make_plan

_BUCKET, _OUTPUT = "bench", "output.jsonl"


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    folder = work / f"collect-{sizes.transfer}"
    make_study(folder, sizes.transfer)
    runner.once("bench.collect:answered", folder=str(folder))
    with _local_cloud(work / "cloud") as endpoint:
        _storage(endpoint).create_bucket(_BUCKET, "us-central1")
        _upload_output(endpoint, output_of(str(folder)))
        given = {"folder": str(folder), "endpoint": endpoint}
        found = runner.rounds_of(
            {
                "render": ("bench.transfer:rendering", {**given, "upload": False}),
                "render and upload": ("bench.transfer:rendering", {**given, "upload": True}),
                "collect": ("bench.collect:collecting", {"folder": str(folder), "keep": False}),
                "download": ("bench.transfer:downloading", given),
            }
        )
    up, render = found["render and upload"], found["render"]
    down, collect = found["download"]["cpu_s"], found["collect"]["cpu_s"]
    n, size_gb = sizes.transfer, found["download"]["bytes"] / 1e9
    return [
        Figure("T5", f"upload added to rendering {n:,} rows from Parquet: CPU", up["cpu_s"] / render["cpu_s"], "x",
               1.3, 1.1, note=f"{(up['cpu_s'] - render['cpu_s']) / up['bytes'] * 1e9:.2f} CPU s per GB"),
        Figure("T6", f"download added to collecting {n:,} lines: CPU", (collect + down) / collect, "x", 1.2, 1.1,
               note=f"{down / size_gb:.2f} CPU s per GB"),
    ]  # fmt: skip


def rendering(folder: str, endpoint: str, *, upload: bool) -> Values:
    """The first shard's lines, from Parquet, dropped or uploaded. The ledger is not touched."""
    values: Values = {}
    with opened(folder, change=False) as world:
        world.realm = "bench"  # where nothing was sent: the ledger at hand has all of it in flight
        planned = make_plan(world)
        (group,) = planned.plan.groups.values()
        storage = _storage(endpoint) if upload else None
        with measured(values):
            renderer = Renderer(group.recipe, group.shape.max_output_tokens)
            source = Peekable(planned.difference.requests(world.records, group.shape))
            shard = Shard(group.shape, source, renderer, ShardLimits(), lambda *_: True)
            if storage is not None:
                storage.upload(_BUCKET, "input.jsonl", shard.lines())
            else:
                for _ in shard.lines():
                    pass
        if storage is not None:
            storage.delete(_BUCKET, "input.jsonl")
            storage.close()
    values["bytes"] = shard.size_bytes
    return values


def downloading(folder: str, endpoint: str) -> Values:
    """The output file as collecting takes it: to a file, checked."""
    values: Values = {}
    storage = _storage(endpoint)
    there = storage.stat(_BUCKET, _OUTPUT)
    with tempfile.TemporaryFile(dir=folder) as file, measured(values):
        storage.download(_BUCKET, _OUTPUT, file, there.generation)
    storage.close()
    values["bytes"] = there.size_bytes
    return values


def _upload_output(endpoint: str, path: Path) -> None:
    storage = _storage(endpoint)
    with path.open("rb") as lines:
        storage.upload(_BUCKET, _OUTPUT, lines)
    storage.close()


def _storage(endpoint: str) -> Storage:
    return Storage(local_endpoints(endpoint), local_access(), "local-project")


@contextlib.contextmanager
def _local_cloud(data: Path) -> Iterator[str]:
    """A process of its own that ends with us."""
    command = [sys.executable, "-m", "overnight.localcloud", "--port", "0", "--data", str(data), "--with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield child.stdout.readline().split(" at ")[1].split(",")[0]
        finally:
            child.stdin.close()
