"""Models as dated data: what each one can, until when, and who says so (models.toml)."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal, NoReturn

from overnight.errors import Finding, StudyError

Batch = Literal["yes", "no", "unknown"]
KEY_PATH: Final = "model.name"
ENDS_SOON_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Model:
    """What one model can on Vertex AI. A value that no source gives is None or empty, never a guess.

    levels: values of thinkingLevel, least first, lower case; empty where the model takes a budget. budget: least and
    most thinking tokens. default: what the model does when nothing is sent (a level, "dynamic", "off", or empty: not
    known). closed: first day on which new projects are refused. retired: first day without an answer, which may lie
    ahead. locations: empty = not known. takes_seed: only True with a source. evidence: see models.toml.
    """

    id: str
    batch: Batch
    context_tokens: int
    max_output_tokens: int
    source: str
    evidence: str
    checked: date
    levels: tuple[str, ...] = ()
    budget: tuple[int, int] | None = None
    default: str = ""
    can_be_off: bool = False
    closed: date | None = None
    retired: date | None = None
    replaced_by: str = ""
    locations: tuple[str, ...] = ()
    takes_seed: bool = False
    note: str = ""

    def usable(self, today: date) -> bool:
        """Known to do batch, and open to a new project on that day."""
        return self.batch == "yes" and not _passed(self.closed, today) and not _passed(self.retired, today)


@dataclass(frozen=True, slots=True)
class Gone:
    """A name that does not answer any more, or never did; `gemini-1.5-*` stands for all that begin so."""

    name: str
    why: str
    replaced_by: str
    source: str
    evidence: str
    checked: date

    def covers(self, name: str) -> bool:
        return name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name


@dataclass(frozen=True)
class Catalogue:
    """Every model somebody tells of. A value: a study with a file of its own has another one.

    models: by id, in the file's order, retired ones included; the first are offered when a name is like none. gone:
    names that are refused with a reason of their own.
    """

    models: Mapping[str, Model]
    gone: tuple[Gone, ...] = ()

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models.values())

    def get(self, name: str) -> Model | None:
        return self.models.get(name)

    def find(self, name: str, today: date) -> Model:
        """The model of that id. Raises StudyError when it is unknown, retired, closed to new projects or does no batch.

        A model whose batch support could not be established is returned: see `cautions`.
        """
        if re.search(r"deep[\s_-]*think", name, re.IGNORECASE):
            self._refuse_deep_think(name, today)
        model = self.models.get(name)
        if model is None:
            for row in self.gone:
                if row.covers(name):
                    what = f"model {name} {row.why} (source: {row.source})"
                    _refuse(what, self._instead(row.replaced_by, today))
            self._refuse_unknown(name, today)
        checked = f"(source: {model.source}; checked {model.checked})"
        if _passed(model.retired, today):
            what = f"model {name} was retired on {model.retired} {checked}"
            _refuse(what, self._instead(model.replaced_by, today))
        if _passed(model.closed, today):
            what = f"model {name} is closed to new projects since {model.closed}; {model.note} {checked}"
            _refuse(what, self._instead(model.replaced_by, today))
        if model.batch == "no":
            _refuse(f"model {name} does no batch {checked}", self._instead(model.replaced_by, today))
        return model

    def cautions(self, model: Model, today: date) -> tuple[Finding, ...]:
        """What a person should know before using the model; nothing here stops a run."""
        found = []
        if model.batch == "unknown":
            what = f"whether {model.id} does batch on Vertex AI is not established: {model.note}"
            found.append((what, "Try a few records first: a refusal comes at once and costs nothing."))
        if model.retired is not None and today < model.retired <= today + timedelta(days=ENDS_SOON_DAYS):
            what = f"{model.id} is retired on {model.retired}: {model.note}"
            found.append((what, self._instead(model.replaced_by, today)))
        return tuple(Finding(what, path=KEY_PATH, hint=hint, level="warning") for what, hint in found)

    def nearest(self, name: str, today: date, n: int = 3) -> tuple[str, ...]:
        """Ids most like `name` among those that do batch on that day; the first of the table when none is like it."""
        import difflib

        usable = [model.id for model in self if model.usable(today)]
        slug = re.sub(r"[\s_]+", "-", name.strip().lower().rsplit("/", 1)[-1])
        return tuple(difflib.get_close_matches(slug, usable, n=n, cutoff=0.5) or usable[:n])

    def _instead(self, replaced_by: str, today: date) -> str:
        others = [replaced_by] if replaced_by else []
        others += [name for name in self.nearest(replaced_by, today) if name != replaced_by]
        return f"Use {others[0]}" + (f" (or {', '.join(others[1:])})." if others[1:] else ".")

    def _refuse_unknown(self, name: str, today: date) -> NoReturn:
        what = f"there is no model {name!r} that this version knows"
        if re.search(r"-0\d\d$", name):
            what += "; ids with a version number such as gemini-2.5-pro-002 never existed for these models"
        elif "/" in name:
            what += "; write the id alone, without publishers/… or models/"
        _refuse(what, f"The nearest that do batch: {', '.join(self.nearest(name, today))}.")

    def _refuse_deep_think(self, name: str, today: date) -> NoReturn:
        what = (
            f"model {name!r}: no API serves Deep Think, in batch or otherwise; it is a mode of the Gemini app, and ids "
            "with that name are not Google's"
        )
        strongest = self.models["gemini-3.1-pro-preview"]
        asked = strongest.id if strongest.usable(today) else self.nearest(strongest.id, today)[0]
        hint = (
            f"The nearest in this version is one sample that thinks as hard as it can: model: {{name: {asked}, "
            "thinking: max}. Several samples, compared (`deep_think`), are not in this version."
        )
        _refuse(what, hint)


def read_models(toml: str) -> Catalogue:
    """Rows of a models.toml, in the file's order. Raises TypeError or ValueError for a row of another shape."""
    import tomllib

    data = tomllib.loads(toml)
    found = {row["id"]: _model(row) for row in data.get("model", ())}
    return Catalogue(MappingProxyType(found), tuple(Gone(**row) for row in data.get("gone", ())))


@functools.cache
def packaged_models() -> Catalogue:
    """Every model this version knows."""
    from importlib.resources import files

    return read_models(files(__package__).joinpath("models.toml").read_text("utf-8"))


def _model(row: dict[str, Any]) -> Model:
    """Lists become tuples; a row that contradicts itself is refused, since a study is priced by it."""
    shaped: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    model = Model(**shaped)
    if model.batch not in ("yes", "no", "unknown"):
        raise ValueError(f"model {model.id}: batch is {model.batch!r}, not yes, no or unknown")
    if bool(model.levels) == (model.budget is not None):
        raise ValueError(f"model {model.id}: give levels or a budget, one of them")
    return model


def _passed(day: date | None, today: date) -> bool:
    return day is not None and day <= today


def _refuse(what: str, hint: str) -> NoReturn:
    raise StudyError([Finding(what, path=KEY_PATH, hint=hint)])
