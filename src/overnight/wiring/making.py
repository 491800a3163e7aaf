"""The world a run works on, made of a study and what was opened for it."""

import json
from collections.abc import Callable
from datetime import datetime

from overnight.backends.backend import Backend
from overnight.core.events import Tell
from overnight.core.realm import GOOGLE
from overnight.core.task import Task
from overnight.ledger.ledger import Ledger
from overnight.planning.fit import Draw
from overnight.pricing.catalogue import Model
from overnight.pricing.tables import Tables
from overnight.pricing.thinking import Thinking
from overnight.pricing.tokens import room_of
from overnight.records.reader import RecordSet
from overnight.run.world import Home, World
from overnight.study.models import Study


def make_world(
    study: Study,
    tables: Tables,
    model: Model,
    thinking: Thinking,
    records: RecordSet,
    home: Home,
    ledger: Ledger,
    backend: Backend,
    task: Task,
    tell: Tell,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> World:
    schema_chars = _schema_chars(task)
    budget = study.budget if study.realm == GOOGLE else None

    return World(
        study=study.name,
        task_name=study.task_name,
        realm=study.realm,
        model=model,
        catalogue=tables.models,
        prices=tables.prices,
        schema_chars=schema_chars,
        thinking=thinking.explained,
        attempts=study.attempts,
        give_up_after_days=study.give_up_after_days,
        limit=budget.limit_usd if budget else None,
        draw=Draw(budget.seed) if budget and budget.when_over == "fit" else None,
        location=study.cloud.location if study.cloud else "global",
        home=home,
        ledger=ledger,
        backend=backend,
        records=records,
        columns=records.typed_columns,
        formats=records.formats,
        id_column=study.records.id,
        task=task,
        room=room_of(model, thinking.level, schema_chars),
        now=now,
        sleep=sleep,
        tell=tell,
    )


def _schema_chars(task: Task) -> int:
    return max((len(json.dumps(recipe.schema)) for recipe in task.recipes), default=0)
