"""What the report says of how a study was done: each stage with its whole prompt, and what was sent with it."""

from collections.abc import Iterator, Mapping

import orjson

from overnight.core.identity import text_digest
from overnight.core.recipe import Recipe
from overnight.planning.screening import ScreenTask
from overnight.report.data import Stage
from overnight.run.world import World
from overnight.study.models import DeepThinkSpec, ScreenSpec, Study
from overnight.study.screen_recipes import SCREEN
from overnight.study.wording import NAMES, wording


def stages_of(world: World) -> Iterator[Stage]:
    """One a recipe: samples that ask with the same words are one."""
    task = world.task
    asked = task.asked_with if isinstance(task, ScreenTask) else {}
    for recipe in task.recipes:
        samples = [sample for (stage, sample), one in asked.items() if (stage, one) == (recipe.stage, recipe)]
        deep = task.deep if isinstance(task, ScreenTask) and recipe.stage == SCREEN else None
        own = task.screen.prompts if isinstance(task, ScreenTask) else None
        yield Stage(
            name=recipe.stage,
            system=recipe.system,
            prompt="".join(part.value if part.kind == "text" else f"{{{part.value}}}" for part in recipe.prompt),
            schema=orjson.dumps(recipe.schema, option=orjson.OPT_INDENT_2).decode(),
            recipe=recipe.digest,
            samples=len(samples) or 1,
            max_output_tokens=_rooms(world, recipe),
            asked=_asked(samples, deep),
            repeated=len(samples) > 1,
            files=tuple(_files(recipe, {} if own is None else own.model_dump())),
        )


def _asked(samples: list[int], deep: DeepThinkSpec | None) -> str:
    """`samples 1, 4 (framing: for)`; empty where a stage has one sample."""
    if deep is None or deep.samples == 1:
        return ""
    numbers = ", ".join(map(str, samples))
    return f"{'samples' if len(samples) > 1 else 'sample'} {numbers}, framing: {deep.framing(samples[0])}"


def _files(recipe: Recipe, own: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What its system instruction is made of, with the digest of each text. Words of another version of the package,
    which the study began with, are named by the recipe's digest alone."""
    if words := own.get(recipe.stage, "").strip():
        yield "the study's own prompt", text_digest(words)
    for name in NAMES:
        if wording(name).text in recipe.system:
            yield f"{name}.txt", wording(name).digest


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
