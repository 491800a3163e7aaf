"""models: every model that is known, what it can and costs, and what this study would cost with it."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from overnight.cli.arguments import add_command, add_json
from overnight.cli.output import answer

_SURFACES: Final = ("vertex", "developer")
_MODES: Final = ("batch", "standard", "flex")
_ORDERS: Final = ("price", "name", "context")
"""As in pricing/prices.py and models_table.py, which are not loaded before the command is called."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    models = add_command(commands, "models", "what each model can, costs, and until when", _models)
    models.add_argument("study", nargs="?", type=Path, help="a study: with its own file, and its cost with each model")
    models.add_argument("--surface", choices=_SURFACES, default="vertex", help="whose prices (default: vertex)")
    models.add_argument("--mode", choices=_MODES, default="batch", help="batch, standard or flex (default: batch)")
    models.add_argument("--batch", choices=("yes", "no", "unknown"), default="", help="only models with that batch")
    models.add_argument("--sort", choices=_ORDERS, default="price", help="default: price")
    models.add_argument("--all", action="store_true", help="retired ones too")
    models.add_argument("--sources", action="store_true", help="who says each figure, and when it was checked")
    add_json(models)


def _models(arguments: argparse.Namespace) -> int:
    from overnight.cli.models_table import Asked, lines, models_json, shown
    from overnight.core.usage import Usd
    from overnight.pricing.tables import Tables, packaged_tables
    from overnight.pricing.thinking import Thinking
    from overnight.wiring.models import study_costs
    from overnight.wiring.opening import open_study, utc_now

    asked = Asked(arguments.surface, arguments.mode, arguments.batch, arguments.sort, arguments.all, arguments.sources)
    tables, today = packaged_tables(), utc_now().date()
    costs: Mapping[str, tuple[Usd, Thinking]] = {}
    if arguments.study is not None:
        with open_study(arguments.study, to_send=False) as opened:
            world = opened.world
            tables, today = Tables(world.catalogue, world.prices), world.today
            costs = study_costs(world, opened.study.model.thinking, world.catalogue.models)
    rows = shown(tables, asked, costs, today)
    if arguments.json:
        answer(json.dumps(models_json(tables, asked, rows, today), ensure_ascii=False), whole=True)
        return 0
    for line in lines(tables, asked, rows, today, arguments.study):
        answer(line)
    return 0
