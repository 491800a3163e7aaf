"""Models as dated data: what each one can, where, until when, and who says so (models.toml)."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal

from overnight.pricing.toml_rows import Keys, checked_row, taken

Has = Literal["yes", "no", "unknown"]
VERTEX_BATCH: Final = "vertex_batch"
DEVELOPER_BATCH: Final = "developer_batch"
WAYS: Final = (VERTEX_BATCH, DEVELOPER_BATCH, "synchronous", "flex")
"""Ways to ask a model: in a job of Vertex AI or of the Developer API, at once, or at once when there is room."""
MARKS: Final = frozenset({"D", "S", "L", "U", "T", "?", "own"})
"""Evidence marks (models.toml); own: the user's own file."""
OLD_DAYS: Final = 60
"""A row that was checked longer ago is said to be old: prices of new models change every few months (facts 8)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Whether a model is offered in one of WAYS, and the mark of who says so."""

    has: Has
    evidence: str


@dataclass(frozen=True, slots=True)
class Lifetime:
    """On one surface. closed: first day on which new projects are refused. retired: first day without an answer, which
    may lie ahead. kept_until: promised at least. served_by: what answers in its place from served_by_from on."""

    closed: date | None = None
    retired: date | None = None
    kept_until: date | None = None
    served_by: str = ""
    served_by_from: date | None = None
    evidence: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """What one model can. A value that no source gives is None or empty, never a guess.

    surfaces: by a name of WAYS. levels: values of thinkingLevel, least first, lower case; empty where the model takes a
    budget. budget: least and most thinking tokens. Both missing: not known, the setting is passed on as it is asked
    for. default: what the model does when nothing is sent (a level, "dynamic", "off", or empty: not known). ignores,
    deprecates: request parameters. locations: empty = not known. takes_seed: only True with a source. used_before: the
    person's own word that their project may go on with a closed model. evidence: see models.toml. own: said by the
    user's file; new: by nobody else. known: False for a name in no table. vertex, developer: lifetimes.
    """

    id: str
    surfaces: Mapping[str, Offer]
    context_tokens: int
    max_output_tokens: int
    source: str
    evidence: str
    checked: date
    family: str = ""
    aliases: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    budget: tuple[int, int] | None = None
    default: str = ""
    can_be_off: bool = False
    ignores: tuple[str, ...] = ()
    deprecates: tuple[str, ...] = ()
    replaced_by: str = ""
    locations: tuple[str, ...] = ()
    takes_seed: bool = False
    used_before: bool = False
    note: str = ""
    vertex: Lifetime = field(default_factory=Lifetime)
    developer: Lifetime = field(default_factory=Lifetime)
    own: bool = False
    new: bool = False
    known: bool = True

    @property
    def batch(self) -> Has:
        return self.offer(VERTEX_BATCH).has

    def offer(self, way: str) -> Offer:
        return self.surfaces.get(way, Offer("unknown", "?"))

    def closed_on(self, day: date) -> bool:
        return passed(self.vertex.closed, day) and not self.used_before

    def usable(self, today: date) -> bool:
        """Known to do batch on Vertex AI, and open to this project on that day."""
        gone = passed(self.vertex.retired, today) or passed(self.vertex.served_by_from, today)
        return self.batch == "yes" and not gone and not self.closed_on(today)


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
        """By id, or by an alias."""
        return self.models.get(name) or next((model for model in self if name in model.aliases), None)

    def nearest(self, name: str, today: date, n: int = 3) -> tuple[str, ...]:
        """Ids most like `name` among those that do batch on that day; the first of the table when none is like it."""
        import difflib

        usable = [model.id for model in self if model.usable(today)]
        slug = re.sub(r"[\s_]+", "-", name.strip().lower().rsplit("/", 1)[-1])
        return tuple(difflib.get_close_matches(slug, usable, n=n, cutoff=0.5) or usable[:n])

    def stranger(self, name: str) -> Model:
        """A model nobody tells of, with the least limits of all that are known: too low cuts an answer, which is asked
        again with more room; too high is refused by the service, row by row."""
        return Model(
            id=name,
            surfaces={},
            context_tokens=min((model.context_tokens for model in self), default=_LEAST_CONTEXT),
            max_output_tokens=min((model.max_output_tokens for model in self), default=_LEAST_OUTPUT),
            source="no source: the limits are the least of all models in the table",
            evidence="?",
            checked=date.min,
            known=False,
        )

    def with_own(self, own: Iterable[Model]) -> "Catalogue":
        """These rows in place of those with the same id."""
        return Catalogue(MappingProxyType({**self.models, **{model.id: model for model in own}}), self.gone)


_LEAST_CONTEXT: Final = 1_048_576
_LEAST_OUTPUT: Final = 32_768


def read_models(toml: str) -> Catalogue:
    """Rows of a models.toml, in the file's order. Raises TypeError or ValueError for a row of another shape."""
    import tomllib

    data = tomllib.loads(toml)
    models = [model_row(row) for row in data.get("model", ())]
    found = MappingProxyType({model.id: model for model in models})
    return Catalogue(found, tuple(Gone(**row) for row in data.get("gone", ())))


@functools.cache
def packaged_models() -> Catalogue:
    """Every model this version knows."""
    from importlib.resources import files

    return read_models(files(__package__).joinpath("models.toml").read_text("utf-8"))


_NEEDED: Final = ("context_tokens", "max_output_tokens", "checked")
_KEYS: Final[Keys] = {
    "id": str,
    "family": str,
    "aliases": list,
    "surfaces": dict,
    "context_tokens": int,
    "max_output_tokens": int,
    "levels": list,
    "budget": list,
    "default": str,
    "can_be_off": bool,
    "ignores": list,
    "deprecates": list,
    "replaced_by": str,
    "locations": list,
    "takes_seed": bool,
    "used_before": bool,
    "note": str,
    "vertex": dict,
    "developer": dict,
    "source": str,
    "evidence": str,
    "checked": date,
}
_LIFETIME_KEYS: Final[Keys] = {
    "closed": date,
    "retired": date,
    "kept_until": date,
    "served_by": str,
    "served_by_from": date,
    "evidence": str,
    "source": str,
}


def model_row(row: Mapping[str, Any], before: Model | None = None, said_by: str = "") -> Model:
    """A row of models.toml; of the user's file where said_by names that, on top of the packaged row, if there is one.

    A row that contradicts itself is refused, since a study is priced by it. Raises TypeError or ValueError.
    """
    needed = () if before is not None else _NEEDED if said_by else (*_NEEDED, "surfaces", "source", "evidence")
    checked_row(row, _KEYS, needed=("id", *needed))
    given: dict[str, Any] = {
        key: _tuple(key, value) if isinstance(value, list) else value for key, value in row.items()
    }
    if "surfaces" in given:
        known = before.surfaces if before is not None else {}
        given["surfaces"] = MappingProxyType({**known, **_offers(given["surfaces"], said_by)})
    for surface in ("vertex", "developer"):
        if surface in given:
            checked_row(given[surface], _LIFETIME_KEYS)
            mine: dict[str, Any] = {"evidence": "own", "source": said_by} if said_by else {}
            given[surface] = Lifetime(**{**mine, **given[surface]})
    if said_by:
        rest = f"; the rest: {before.source}" if before is not None else ""
        given |= {"source": said_by + taken(row, "source") + rest, "own": True, "new": before is None}
        given["evidence"] = row.get("evidence", "own")
    if before is not None:
        if "levels" in given and "budget" not in given:
            given["budget"] = None
        if "budget" in given and "levels" not in given:
            given["levels"] = ()
        model = replace(before, **given)
    else:
        model = Model(**{"surfaces": {}, **given})
    _check(model, own=bool(said_by))
    return model


def _offers(written: Mapping[str, object], said_by: str) -> dict[str, Offer]:
    """`vertex_batch = "yes [D]"`; in the user's file the mark may be left out."""
    offers = {}
    for way, words in written.items():
        found = re.fullmatch(r"(yes|no|unknown)(?: \[(.)\])?", words) if isinstance(words, str) else None
        if way not in WAYS or found is None or not (found[2] or said_by):
            raise ValueError(
                f'surfaces: {way} = {words!r}; write one of {", ".join(WAYS)} = "yes [D]" (or no, unknown)'
            )
        has: Has = found[1]  # type: ignore[assignment]  # the pattern says so
        offers[way] = Offer(has, found[2] or "own")
    return offers


def _check(model: Model, *, own: bool) -> None:
    if (model.levels and model.budget is not None) or not (own or model.levels or model.budget is not None):
        raise ValueError(f"model {model.id}: give levels or a budget, one of them")
    if model.context_tokens < 1 or model.max_output_tokens < 1:
        raise ValueError(f"model {model.id}: context_tokens and max_output_tokens are above zero")
    if any(level != level.lower() for level in model.levels):
        raise ValueError(f"model {model.id}: levels are words in lower case, least first")
    for life in (model.vertex, model.developer):
        if bool(life.served_by) != (life.served_by_from is not None):
            raise ValueError(f"model {model.id}: served_by and served_by_from go together")
    if model.evidence not in MARKS:
        raise ValueError(f"model {model.id}: evidence {model.evidence!r} is none of {', '.join(sorted(MARKS))}")


def _tuple(key: str, value: list[object]) -> tuple[object, ...]:
    """A budget is of two whole numbers, every other list of texts."""
    if key != "budget":
        if not all(isinstance(item, str) and item for item in value):
            raise TypeError(f"`{key}` is a list of texts, not {value}")
    elif not (len(value) == 2 and all(type(n) is int for n in value) and 0 <= value[0] <= value[1]):  # type: ignore[operator]  # of whole numbers
        raise TypeError(f"`budget` is [least, most] in tokens, not {value}")
    return tuple(value)


def passed(day: date | None, today: date) -> bool:
    return day is not None and day <= today


def is_old(checked: date, today: date) -> bool:
    return today - checked > timedelta(days=OLD_DAYS)
