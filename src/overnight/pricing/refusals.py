"""A model and a thinking setting, chosen or refused: why, since when, who says so, and what can be used instead."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from overnight.errors import Finding, StudyError
from overnight.pricing.catalogue import Model, is_old, passed
from overnight.pricing.prices import BATCH, Price
from overnight.pricing.tables import Tables
from overnight.pricing.thinking import KEY_PATH as THINKING
from overnight.pricing.thinking import Thinking, thinking_config

NAME: Final = "model.name"
ENDS_SOON_DAYS: Final = 90
MOST_ALTERNATIVES: Final = 3
GOOGLES_PRICES: Final = "https://cloud.google.com/vertex-ai/generative-ai/pricing"
_DEEP_THINK = re.compile(r"deep[\s_-]*think", re.IGNORECASE)
_STRONGEST: Final = ("gemini-3.1-pro-preview", "gemini-3.8-flash", "gemini-3.5-flash")
"""In place of Deep Think: documented in batch, strongest first (facts 7.1)."""


@dataclass(frozen=True)
class Refusal:
    """path: the key to be changed. alternatives: ids to be used instead, the nearest first. hint: what else to do.
    thinking: what the alternatives are to be asked with, empty for what the study says."""

    what: str
    path: str
    alternatives: tuple[str, ...] = ()
    hint: str = ""
    thinking: str = ""

    def finding(self, costs: Mapping[str, str]) -> Finding:
        """costs: what each alternative would cost for this study, in words; one without is named without."""
        named = [f"{id_} ({costs[id_]})" if id_ in costs else id_ for id_ in self.alternatives]
        either = " or ".join(part for part in (", ".join(named[:-1]), named[-1]) if part) if named else ""
        use = f"Use {either}." if named else ""
        return Finding(self.what, path=self.path, hint=" ".join(part for part in (use, self.hint) if part))


@dataclass(frozen=True)
class Chosen:
    """warnings: what a person should know before using it; nothing in them stops a run."""

    model: Model
    thinking: Thinking
    warnings: tuple[Finding, ...] = ()


def choose(
    tables: Tables, name: str, thinking: str | int | None, today: date, *, allow_unknown: bool = False
) -> Chosen | Refusal:
    """What a study asks for, on that day.

    A model whose batch support could not be established is chosen, with a warning. A name that is in no table is only
    chosen with allow_unknown, and only with a price in the user's own file.
    """
    refused = _refused(tables, name, today, allow_unknown)
    if refused is not None:
        return refused
    model = tables.models.get(name) or tables.models.stranger(name)
    price = tables.prices.price(model.id, today)
    if price is None and (model.new or not model.known):
        return _no_price(model, today)
    try:
        setting = thinking_config(model, thinking)
    except StudyError as error:
        takes = _taking(tables, thinking, today, model)
        return Refusal(error.findings[0].what, THINKING, takes, error.findings[0].hint)
    cautions = [*_cautions(tables, name, model, today), *old_rows(model, price, today)]
    if price is None:
        what = f"no source states what {model.id} costs in a job, and what cannot be priced is not sent to Google"
        cautions.append(Finding(what, path=NAME, hint=_OWN_PRICE, level="warning"))
    return Chosen(model, setting, tuple(cautions))


def looked_at(tables: Tables, name: str, thinking: str | int | None) -> Chosen:
    """For what sends nothing: a model that has been retired since still has answers to be collected and shown.

    Raises StudyError for a thinking setting that the model does not take.
    """
    model = tables.models.get(name) or tables.models.stranger(name)
    return Chosen(model, thinking_config(model, thinking))


def barred(tables: Tables, name: str, today: date) -> Refusal | None:
    """Why nothing is sent to a model any more that the tables know; None for any other."""
    return None if tables.models.get(name) is None else _refused(tables, name, today, allow_unknown=True)


def old_rows(model: Model, price: Price | None, today: date) -> tuple[Finding, ...]:
    """A warning for each row in use that nobody has compared with its source for long."""
    old = [(f"what is known of {model.id}", model.checked)] if model.known and is_old(model.checked, today) else []
    if price is not None and is_old(price.checked, today):
        old.append((f"the price of {model.id}", price.checked))
    return tuple(
        Finding(
            f"{what} was last checked on {day}, {(today - day).days} days ago",
            path=NAME,
            hint=f"Compare it with {GOOGLES_PRICES}; what differs goes into a file of your own (`models:`).",
            level="warning",
        )
        for what, day in old
    )


def _refused(tables: Tables, name: str, today: date, allow_unknown: bool) -> Refusal | None:
    models = tables.models
    model = models.get(name)
    if model is None:
        if _DEEP_THINK.search(name):
            return _deep_think(tables, name, today)
        return next(
            (
                _gone(tables, row.why, row.source, row.checked, name, row.replaced_by, today)
                for row in models.gone
                if row.covers(name)
            ),
            None,
        ) or (None if allow_unknown else _unknown(tables, name, today))
    life, id_ = model.vertex, model.id
    lived = f"(source: {life.source or model.source}{_mark(life.evidence or model.evidence)}; checked {model.checked})"
    others = alternatives(tables, model.replaced_by or model.id, today, family=model.family)
    if passed(life.retired, today):
        return Refusal(f"model {id_} was retired on {life.retired} {lived}", NAME, others)
    if passed(life.served_by_from, today):
        what = f"model {id_} is answered by {life.served_by} since {life.served_by_from}, at that model's price {lived}"
        return Refusal(what, NAME, alternatives(tables, life.served_by, today, family=model.family))
    if model.closed_on(today):
        note = f"; {model.note}" if model.note else ""
        what = f"model {id_} is closed to new projects since {life.closed}{note} {lived}"
        return Refusal(what, NAME, others, _USED_BEFORE.format(id=id_))
    if model.batch == "no":
        offer = model.offer("vertex_batch")
        what = f"model {id_} does no batch on Vertex AI (source: {model.source}{_mark(offer.evidence)}; checked"
        return Refusal(f"{what} {model.checked})", NAME, others)
    return None


_USED_BEFORE: Final = (
    "Only you can know whether your project used it before and may go on: then write a file with [[model]],"
    ' id = "{id}", used_before = true, and name it in the study: models: my-models.toml.'
)


def _gone(tables: Tables, why: str, source: str, checked: date, name: str, replaced_by: str, today: date) -> Refusal:
    what = f"model {name} {why} (source: {source}; checked {checked})"
    return Refusal(what, NAME, alternatives(tables, replaced_by, today))


def _unknown(tables: Tables, name: str, today: date) -> Refusal:
    what = f"there is no model {name!r} that this version knows"
    if re.search(r"-0\d\d$", name):
        what += "; ids with a version number such as gemini-2.5-pro-002 never existed for these models"
    elif "/" in name:
        what += "; write the id alone, without publishers/… or models/"
    elif not name.lower().startswith("gemini"):
        what += "; Gemini models are the only ones it asks"
    checked = max((model.checked for model in tables.models), default=today)
    what += f" (its table was checked on {checked})"
    hint = "If it is newer than that: --allow-unknown-model, with a price in a file of your own (`models:`)."
    return Refusal(what, NAME, alternatives(tables, name, today), hint)


def _no_price(model: Model, today: date) -> Refusal:
    """With a row that can be pasted: what it costs is nobody's to guess."""
    row = f"""
      [[price]]
      model = "{model.id}"
      mode = "batch"
      input = "…"        # US dollars per million tokens, from {GOOGLES_PRICES}
      output = "…"       # thinking is billed as output
      valid_from = {today}
      checked = {today}"""
    what = f"model {model.id} has no price, and one that is unknown is not guessed"
    hint = f"Name a file in the study, `models: my-models.toml`, and put into it:{row}"
    return Refusal(what, NAME, (), hint)


_OWN_PRICE: Final = "Give it a price in a file of your own: `models:` (docs/reference/models-and-prices.md)."


def _deep_think(tables: Tables, name: str, today: date) -> Refusal:
    what = f"model {name!r}: no API serves Deep Think, in batch or otherwise; it is a mode of the Gemini app"
    usable = [id_ for id_ in _STRONGEST if (model := tables.models.get(id_)) is not None and model.usable(today)]
    others = tuple(usable) or tables.models.nearest(_STRONGEST[0], today)
    best = others[0] if others else _STRONGEST[0]
    hint = (
        f"A recipe stands for it: model: {{name: {best}, thinking: max}}, and in a `screen` deep_think: {{samples: 3}}:"
        " several samples, compared, and an adjudicator where they differ."
    )
    return Refusal(what, NAME, others, hint, "max")


def alternatives(
    tables: Tables, like: str, today: date, *, family: str = "", fits: Callable[[Model], bool] = lambda _: True
) -> tuple[str, ...]:
    """At most three ids that do batch on that day: the one named, those most like it, those of its family."""
    models = tables.models
    kin = [model.id for model in models if family and model.family == family]
    near = [like, *models.nearest(like, today), *kin, *models.models]
    found = [id_ for id_ in dict.fromkeys(near) if (one := models.get(id_)) and one.usable(today) and fits(one)]
    priced = [id_ for id_ in found if tables.prices.price(id_, today, BATCH) is not None]
    lasting = [id_ for id_ in priced if not _ends_soon(models.models[id_], today)]
    return tuple((lasting or priced or found)[:MOST_ALTERNATIVES])


def _taking(tables: Tables, thinking: str | int | None, today: date, model: Model) -> tuple[str, ...]:
    """Models that take the setting, those of the same family first."""

    def takes(other: Model) -> bool:
        try:
            thinking_config(other, thinking)
        except StudyError:
            return False
        return True

    return alternatives(tables, model.id, today, family=model.family, fits=takes)


def _cautions(tables: Tables, name: str, model: Model, today: date) -> tuple[Finding, ...]:
    found = []
    if not model.known:
        what = (
            f"no table of this version knows {model.id}, which goes through as you asked: its thinking setting is sent "
            f"as it is, an answer gets at most {model.max_output_tokens:,} tokens and the context is taken as "
            f"{model.context_tokens:,}, the least of all models that are known"
        )
        found.append((what, "A [[model]] row in your own file says what it can."))
    elif name != model.id:
        found.append((f"{name} is another name of {model.id}, which is what is asked", ""))
    if model.known and model.batch == "unknown":
        note = f": {model.note}" if model.note else ""
        what = f"whether {model.id} does batch on Vertex AI is not established{note}"
        found.append((what, "Try a few records first: a refusal comes at once and costs nothing."))
    if _ends_soon(model, today):
        note = f": {model.note}" if model.note else ""
        mark = _mark(model.vertex.evidence)
        others = ", ".join(alternatives(tables, model.replaced_by or model.id, today, family=model.family))
        found.append((f"{model.id} is retired on {model.vertex.retired}{mark}{note}", f"In its place: {others}."))
    return tuple(Finding(what, path=NAME, hint=hint, level="warning") for what, hint in found)


def _ends_soon(model: Model, today: date) -> bool:
    retired = model.vertex.retired
    return retired is not None and today < retired <= today + timedelta(days=ENDS_SOON_DAYS)


def _mark(evidence: str) -> str:
    return f" [{evidence}]" if evidence else ""
