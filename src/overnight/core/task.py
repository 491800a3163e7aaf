"""The seam between *what is asked* and *how it is run*. `ask` and `screen` implement it; `run/` knows only this."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from overnight.core.compared import Compared
from overnight.core.outcome import NotSent, Outcome
from overnight.core.recipe import Recipe
from overnight.core.record import Cell, Record


@dataclass(frozen=True, slots=True)
class Column:
    """A column of results. type: how files that have types write it.

    keyword: where its values are few and short, what stands before them as a keyword in a reference manager.
    """

    name: str
    type: str = "text"  # text | integer | number | boolean | date | datetime | json | auto
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Want:
    """One request that a record needs. texts: cleaned, in the order of `recipe.slots`."""

    stage: str
    sample: int
    recipe: Recipe
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Later:
    """Requests that a record may need, as the answers before them have it: `stage`, samples from `sample` on.

    recipes: one for each of these samples. texts: of the first of them; empty where answers will stand. said: recipes
    of the answers whose words will stand there. wanted: whether the record needs them, None while nobody can know.
    sure: then it will need them whatever the answers say.
    """

    stage: str
    sample: int
    recipes: tuple[Recipe, ...]
    texts: tuple[str, ...]
    said: tuple[Recipe, ...] = ()
    wanted: bool | None = None
    sure: bool = False

    @property
    def places(self) -> Sequence[tuple[str, int]]:
        return [(self.stage, self.sample + number) for number in range(len(self.recipes))]


@dataclass(frozen=True, slots=True)
class Settled:
    """A settled request as a later stage and the decision see it: the outcome that counts, and how many tries.

    shard: of whose job it came; 0 where nothing was sent. day: on which it was served, ISO; empty where its line does
    not say.
    """

    outcome: Outcome
    attempts: int
    shard: int = 0
    day: str = ""


Settlements = Mapping[tuple[str, int], Settled]
"""(stage, sample) → what is settled of one record. Absent: still open."""


@dataclass(frozen=True, slots=True)
class Table:
    """A further table of results, each row about one request of a record.

    name: of its file. columns: the task's own; `record_id`, `stage` and `sample` stand before them. by_request: it has
    a row for each settled request, problems too, and then how that ended and what it took stand there as well. rows:
    of one record, (stage, sample, one cell for each of `columns`).
    """

    name: str
    columns: Sequence[Column]
    rows: Callable[[Record, Settlements], Iterable[tuple[str, int, Sequence[Cell]]]]
    by_request: bool = False


class Task(Protocol):
    """What is asked of a record. Pure: the same record and settlements give the same wants."""

    @property
    def stages(self) -> Sequence[str]:
        """In order; a later one may depend on outcomes of the ones before it."""

    @property
    def recipes(self) -> Sequence[Recipe]:
        """Every recipe it may ask with."""

    @property
    def dependent(self) -> bool:
        """True when `wants` looks at settlements, so that the planner has to fetch them."""

    def not_sent(self, record: Record) -> NotSent | None:
        """Why nothing is asked about this record, or None."""

    def wants(self, record: Record, settled: Settlements) -> Iterable[Want]:
        """Every request this record needs as far as one can know now, those already settled included.

        Nothing for a record of which `not_sent` says why, and only then.
        """

    def later(self, record: Record, settled: Settlements) -> Iterable[Later]:
        """What depends on answers, known already or not: the same places for every record that is sent."""

    @property
    def columns(self) -> Sequence[Column]:
        """The task's own result columns (decision, `a_<field>`, `c_<id>` …)."""

    def cells(self, record: Record, settled: Settlements) -> Sequence[Cell]:
        """One value for each of `columns`."""

    def compared(self, record: Record, settled: Settlements) -> Compared | None:
        """Its samples side by side. None where there are not several, one is open, or none has an answer."""

    @property
    def tables(self) -> Sequence[Table]:
        """What one row a record has no room for."""

    def tallied(self, record: Record, settled: Settlements) -> Iterable[tuple[str, str]]:
        """What is counted of it over all records, as (what, which); nothing of an open record."""
