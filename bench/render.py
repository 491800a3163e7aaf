"""T1, T2, T9, T10: requests to bytes, in memory and from a Parquet file, against `orjson.dumps` of the same objects."""

from pathlib import Path

import orjson

from bench.figures import Figure
from bench.measure import Runner, Values, measured
from bench.sizes import Sizes
from bench.study import MODEL, make_study, opened
from bench.texts import texts
from overnight.core.identity import AddressMaker, wire_key
from overnight.core.recipe import Recipe
from overnight.requests.render import Renderer, request_body
from overnight.requests.shards import Peekable, Shape, Shard, ShardLimits, ToRender
from overnight.run.plan import make_plan

ROOM = 6_975


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    for n in (sizes.few, sizes.middle, sizes.many):
        make_study(work / f"study-{n}", n)
    small, far = str(work / f"study-{sizes.few}"), str(work / f"study-{sizes.many}")
    near = str(work / f"study-{sizes.middle}")
    found = runner.rounds_of(
        {
            "orjson.dumps": ("bench.render:dumps", {"folder": small, "n": sizes.render}),
            "render in memory": ("bench.render:in_memory", {"folder": small, "n": sizes.render}),
        }
    )
    grown = runner.rounds_of(
        {
            "orjson.dumps again": ("bench.render:dumps", {"folder": small, "n": sizes.render}),
            f"Parquet, {sizes.middle:,}": ("bench.render:from_parquet", {"folder": near}),
        }
    )
    many = runner.once("bench.render:from_parquet", folder=far)  # minutes: once
    dumps_s = found["orjson.dumps"]["cpu_s"] / sizes.render
    render_s = found["render in memory"]["cpu_s"] / sizes.render
    again_s = grown["orjson.dumps again"]["cpu_s"] / sizes.render
    middle = grown[f"Parquet, {sizes.middle:,}"]
    middle_s, many_s = middle["cpu_s"] / sizes.middle, many["cpu_s"] / sizes.many
    dumps_note, rows = f"orjson.dumps {dumps_s * 1e6:.2f} µs a row", f"{sizes.many:,} rows"
    return [
        Figure("T1", "render in memory with fingerprint and lint: speed over orjson.dumps", dumps_s / render_s, "x",
               1.0, 1.5, "higher", f"{render_s * 1e6:.2f} µs a row; {dumps_note}"),
        Figure("T2", f"Parquet to request bytes, {rows}: CPU over orjson.dumps", many_s / again_s, "x", 2.5, 1.5,
               note=f"{many_s * 1e6:.2f} µs a row: read, clean, address, look up, render; {middle_s / again_s:.2f} x at"
               f" {sizes.middle:,}"),
        Figure("T9", f"growth of µs a row, {sizes.middle:,} to {sizes.many:,}, rendering", many_s / middle_s, "x",
               1.2, 1.05),
        Figure("T10", f"minor faults a thousand rows, rendering, {rows}", many["faults"] * 1000 / sizes.many, "",
               100, 30),
        Figure("", f"opening and planning before that, {rows}: CPU over orjson.dumps",
               many["before_cpu_s"] / sizes.many / again_s, "x", note="three more readings of the table"),
    ]  # fmt: skip


def dumps(folder: str, n: int) -> Values:
    """The yardstick: prebuilt objects, result dropped."""
    recipe, renderer = _recipe(folder)
    objects = []
    for request in _requests(recipe, n):
        body = request_body(recipe, renderer.prompt_text(request.texts), ROOM)
        objects.append({"key": wire_key(request.address, request.attempt), "request": body})
    values: Values = {}
    encode = orjson.dumps
    with measured(values):
        for one in objects:
            encode(one)
    return values


def in_memory(folder: str, n: int) -> Values:
    recipe, renderer = _recipe(folder)
    requests = list(_requests(recipe, n))
    values: Values = {}
    with measured(values):
        shape = Shape(recipe.stage, recipe.digest, ROOM)
        shard = Shard(shape, Peekable(iter(requests)), renderer, ShardLimits(), lambda *_: True)
        for _ in shard.lines():
            pass
    assert len(shard.rows) == n
    return values


def from_parquet(folder: str) -> Values:
    """Every shard's lines, from the planned difference, dropped."""
    values: Values = {}
    with measured(values, "before_"), opened(folder, change=False) as world:
        planned = make_plan(world)
    with opened(folder, change=False) as world, measured(values):
        n = 0
        for group in planned.plan.groups.values():
            renderer = Renderer(group.recipe, group.shape.max_output_tokens)
            source = Peekable(planned.difference.requests(world.records, group.shape))
            while source.peek() is not None:
                shard = Shard(group.shape, source, renderer, ShardLimits(), lambda *_: True)
                for _ in shard.lines():
                    pass
                n += len(shard.rows)
    assert n == planned.plan.to_send
    return values


def _recipe(folder: str) -> tuple[Recipe, Renderer]:
    with opened(folder, change=False) as world:
        recipe = next(iter(world.task.recipes))
    return recipe, Renderer(recipe, ROOM)


def _requests(recipe: Recipe, n: int) -> list[ToRender]:
    address = AddressMaker("stand-in", MODEL, recipe.stage, 1, recipe.digest)
    return [ToRender(address([text]), 1, (text,)) for text in texts(n)]
