"""What the report says of how a study was done: each stage with its whole prompt, and what was sent with it."""

import orjson

from overnight.core.recipe import Recipe
from overnight.report.data import Stage
from overnight.run.world import World


def stage_of(world: World, recipe: Recipe) -> Stage:
    return Stage(
        name=recipe.stage,
        system=recipe.system,
        prompt="".join(part.value if part.kind == "text" else f"{{{part.value}}}" for part in recipe.prompt),
        schema=orjson.dumps(recipe.schema, option=orjson.OPT_INDENT_2).decode(),
        recipe=recipe.digest,
        max_output_tokens=_rooms(world, recipe),
    )


def _rooms(world: World, recipe: Recipe) -> str:
    """Each `maxOutputTokens` that was sent: less once the first answers were in, more after a truncated one."""
    shards = world.ledger.shards.all(world.realm, "submitted", "collected")
    sent = {shard.max_output_tokens for shard in shards if shard.recipe == recipe.digest and shard.max_output_tokens}
    return ", ".join(f"{room:,}" for room in sorted(sent or {world.room(0)}))


def version_of_overnight() -> str:
    from importlib.metadata import version

    return version("overnight")
