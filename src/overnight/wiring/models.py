"""Which tables a study is priced by, which model it gets, and what it would cost with another one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from overnight.core.usage import Usd
from overnight.errors import Finding, StudyError
from overnight.planning.ahead import Ahead
from overnight.planning.difference import Plan
from overnight.pricing.refusals import Chosen, Refusal, choose, looked_at
from overnight.pricing.tables import Tables, packaged_tables, with_own
from overnight.pricing.thinking import Thinking, thinking_config
from overnight.pricing.tokens import room_of
from overnight.run.estimate import estimate_plan
from overnight.run.plan import make_plan
from overnight.run.world import World
from overnight.study.models import Study


def tables_of(study: Study) -> Tables:
    """The packaged tables, with the study's own file on top. Raises StudyError with each finding's row and line."""
    packaged = packaged_tables()
    if study.models is None:
        return packaged
    try:
        text = study.models.read_text("utf-8")
    except OSError as cause:
        finding = Finding(f"{study.models} cannot be read: {cause.strerror or cause}", path="models")
        raise StudyError([study.placed(finding)]) from cause
    except UnicodeDecodeError as cause:
        finding = Finding(f"{study.models} is not UTF-8: {cause.reason} at byte {cause.start}", path="models")
        raise StudyError([study.placed(finding)]) from cause
    return with_own(packaged, text, study.models.name)


def chosen(study: Study, tables: Tables, today: date, *, to_send: bool, allow_unknown: bool) -> Chosen | Refusal:
    """to_send: else a model that cannot be used (any more) is taken as it is. Raises StudyError for its thinking."""
    spec = study.model
    if to_send:
        return choose(tables, spec.name, spec.thinking, today, allow_unknown=allow_unknown)
    try:
        return looked_at(tables, spec.name, spec.thinking)
    except StudyError as error:
        raise StudyError([study.placed(finding) for finding in error.findings]) from error


def study_costs(world: World, thinking: str | int | None, ids: Iterable[str]) -> Mapping[str, tuple[Usd, Thinking]]:
    """id → what is left to send, and what may follow on it, would cost with that model, and its thinking; a model
    without a price is left out.

    thinking: as a study says it; a model that does not take it is reckoned with its own default. Reads the records
    once for each model that was used before, and once for all others: with one that never was, all is left to send.
    """
    used = {shard.model for shard in world.ledger.shards.all(world.realm)}
    plans: dict[str, Plan] = {}
    found = {}
    for id_ in ids:
        other, setting = _with_model(world, thinking, id_)
        key = id_ if id_ in used else ""
        if key not in plans:
            plans[key] = make_plan(other).plan
        estimated = estimate_plan(other, _asking(plans[key], setting) if not key else plans[key])
        if estimated is not None:
            found[id_] = estimated.together.expected, setting
    return found


def _with_model(world: World, asked: str | int | None, id_: str) -> tuple[World, Thinking]:
    model = world.catalogue.get(id_) or world.model
    try:
        thinking = thinking_config(model, asked)
    except StudyError:
        thinking = thinking_config(model, None)
    room = room_of(model, thinking.level, world.schema_chars)
    return replace(world, model=model, thinking=thinking.explained, room=room), thinking


def _asking(plan: Plan, thinking: Thinking) -> Plan:
    """The same requests with another thinking setting, as another model would be asked."""
    recipes = {
        id(group.recipe): replace(group.recipe, thinking=dict(thinking.config)) for group in plan.groups.values()
    }
    groups = {shape: replace(group, recipe=recipes[id(group.recipe)]) for shape, group in plan.groups.items()}
    ahead = {place: _ahead_asking(one, thinking) for place, one in plan.ahead.items()}
    return replace(plan, groups=groups, ahead=ahead)


def _ahead_asking(ahead: Ahead, thinking: Thinking) -> Ahead:
    recipes = tuple(replace(recipe, thinking=dict(thinking.config)) for recipe in ahead.first.recipes)
    return replace(ahead, first=replace(ahead.first, recipes=recipes))
