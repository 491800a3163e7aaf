"""What the report says of how a study was done: each stage with its whole prompt, and what was sent with it."""

from collections.abc import Iterator
from typing import Final

import orjson

from overnight.core.recipe import Recipe
from overnight.planning.instructions import Whose, instructions, message_of
from overnight.planning.screening import ScreenTask
from overnight.report.data import Stage
from overnight.run.world import World
from overnight.study.models import DeepThinkSpec, ScreenSpec, Study
from overnight.study.screen_recipes import SCREEN


def stages_of(study: Study, world: World) -> Iterator[Stage]:
    """One a recipe: samples that ask with the same words are one."""
    task = world.task
    asked = task.asked_with if isinstance(task, ScreenTask) else {}
    told = {(one.stage, one.system): one.pieces for one in instructions(study, task.recipes)}
    for recipe in task.recipes:
        samples = [sample for (stage, sample), one in asked.items() if (stage, one) == (recipe.stage, recipe)]
        deep = task.deep if isinstance(task, ScreenTask) and recipe.stage == SCREEN else None
        yield Stage(
            name=recipe.stage,
            system=recipe.system,
            prompt=message_of(recipe),
            schema=orjson.dumps(recipe.schema, option=orjson.OPT_INDENT_2).decode(),
            recipe=recipe.digest,
            max_output_tokens=_rooms(world, recipe),
            asked=_asked(samples, deep),
            repeated=len(samples) > 1,
            texts=tuple(
                (f"{piece.name}{_WHOSE[piece.whose]}", piece.short) for piece in told[recipe.stage, recipe.system]
            ),
        )


_WHOSE: Final[dict[Whose, str]] = {
    "package": "",
    "study": " (the study's own)",
    "before": " (as the study began with it)",
}


def _asked(samples: list[int], deep: DeepThinkSpec | None) -> str:
    """`samples 1, 4 (for)`; empty where a stage has one sample."""
    if deep is None or deep.samples == 1 or not samples:
        return ""
    numbers = ", ".join(map(str, samples))
    framing = "" if deep.framing(samples[0]) == "neutral" else f", argued {deep.framing(samples[0])}"
    return f"{'samples' if len(samples) > 1 else 'sample'} {numbers}{framing}"


def _rooms(world: World, recipe: Recipe) -> str:
    """Each `maxOutputTokens` that was sent: less once the first answers were in, more after a truncated one."""
    shards = world.ledger.shards.all(world.realm, "submitted", "collected")
    sent = {shard.max_output_tokens for shard in shards if shard.recipe == recipe.digest and shard.max_output_tokens}
    return ", ".join(f"{room:,}" for room in sorted(sent or {world.room(0)}))


def settings_of(study: Study) -> Iterator[tuple[str, str]]:
    """How a screen's samples become a decision, in the study's own words."""
    if not isinstance(study.task, ScreenSpec):
        return
    deep = study.deep_think
    if deep is None:
        yield "samples", "one a record"
    else:
        adaptive = ", adaptive: the third and further ones only where the first two do not settle it" * deep.adaptive
        yield "samples", f"{deep.samples} a record{adaptive}"
        yield "adjudicated", deep.adjudicate
        yield "rule", f"{study.task.rule}, where samples differ and no adjudicator decides"
    yield "unclear", {"person": "a person decides", "include": "counts as include"}[study.task.unclear]
    for one in study.task.criteria:
        yield f"silence on {one.id}", f"counts as {one.if_silent.replace('_', ' ')}"


def version_of_overnight() -> str:
    from importlib.metadata import version

    return version("overnight")
