"""Everything a run works on, handed in: so that a test hands in what it likes and no step reaches for a global."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from overnight.backends.backend import Backend
from overnight.core.events import Tell, silent
from overnight.core.realm import GOOGLE
from overnight.core.record import Cell, Record
from overnight.core.task import Column, Settled, Task
from overnight.core.usage import Usd
from overnight.errors import StudyError
from overnight.ledger.ledger import Ledger
from overnight.planning.fit import ALL, Draw
from overnight.planning.pilot import Pilot
from overnight.planning.standing import Policy, Standings, hours
from overnight.planning.wants import Account, Wants
from overnight.pricing.catalogue import Catalogue, Model
from overnight.pricing.prices import BATCH, Mode, Price, PriceList, pays_surcharge
from overnight.pricing.room import Room, Seen, first_room
from overnight.records.reader import RecordSet
from overnight.study.models import GIVE_UP_AFTER_DAYS

if TYPE_CHECKING:
    from overnight.run.bill import StudyBill


@dataclass(frozen=True, slots=True)
class Home:
    """Where a study keeps things: beside study.yaml."""

    folder: Path
    realm: str

    @property
    def hidden(self) -> Path:
        return self.folder / ".overnight"

    @property
    def ledger(self) -> Path:
        return self.hidden / "ledger.sqlite"

    @property
    def raw(self) -> Path:
        return self.hidden / "raw"

    @property
    def results(self) -> Path:
        """Results of the stand-in never lie where a model's do."""
        return self.folder / ("results" if self.realm == GOOGLE else "stand-in")


@dataclass(frozen=True, slots=True)
class Options:
    """What the person said on the command line, and how to ask them. ask: None where nobody can answer.

    smoke: two rows are asked at once before a study's first job on Google (run/smoke.py).
    """

    yes: bool = False
    max_usd: Usd | None = None
    pay_again: bool = False
    resubmit: bool = False
    take_over: bool = False
    detach: bool = False
    smoke: bool = True
    ask: Callable[[str], bool] | None = None


class Reporter(Protocol):
    """Sees every record's account once, in order, then draws the page. Given by wiring: run/ knows no report."""

    def add(self, record: Record, account: Account, cells: Sequence[Cell]) -> None: ...

    def finish(self, closing: Mapping[str, object], bill: "StudyBill") -> str: ...


@dataclass(frozen=True, slots=True)
class Vanished:
    """Records that were asked about and are in no file any more. first: some of their ids."""

    n: int = 0
    first: tuple[str, ...] = ()


@dataclass(slots=True)
class World:
    """One study in one realm, opened.

    catalogue, prices: the packaged tables with the study's own file on top. records: re-iterable, always in the same
    order. schema_chars: of the longest
    answer schema. room: maxOutputTokens after so many truncations, by the model alone. limit: for the life
    of the study in realm google, None without a budget.
    reporter: makes what draws report.html, None for no report. lost: why this ledger may not be
    the one that knows what was paid for; empty when nothing speaks for that. cannot_send, refusal: where the model
    cannot be used any more, and what it has answered is still collected: why, and the error that stops so many requests
    from being sent. give_up_after_days: a problem of a request first sent longer ago is final. vanished: reads all
    bindings of the realm. draw: of `when_over: fit`, None where more than the limit is refused. formats: of the files
    that the records come from. pilot: the records that are asked first, None where all are.
    """

    study: str
    task_name: str
    realm: str
    model: Model
    catalogue: Catalogue
    prices: PriceList
    thinking: str
    attempts: int
    limit: Usd | None
    location: str
    home: Home
    ledger: Ledger
    backend: Backend
    records: RecordSet
    columns: tuple[Column, ...]
    id_column: str
    task: Task
    schema_chars: int
    room: Callable[[int], int]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    tell: Tell = silent
    reporter: "Callable[[], Reporter] | None" = None
    lost: str = ""
    cannot_send: str = ""
    refusal: Callable[[int], StudyError] | None = None
    give_up_after_days: int = GIVE_UP_AFTER_DAYS
    draw: Draw | None = None
    vanished: Callable[[], Vanished] = Vanished
    formats: frozenset[str] = frozenset()
    pilot: Pilot | None = None

    @property
    def today(self) -> date:
        return self.now().date()

    def stamp(self) -> str:
        """Now, as RFC 3339 UTC to the second."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def price_now(self) -> Price | None:
        return self.prices.price(self.model.id, self.today)

    def dearest(self, mode: Mode = BATCH) -> Price | None:
        return self.prices.dearest(self.model.id, self.today, mode=mode)

    @property
    def surcharge(self) -> bool:
        return pays_surcharge(self.location)

    def policy(self) -> Policy:
        return Policy(self.attempts, self.room, hours(self.now() - timedelta(days=self.give_up_after_days)))

    def standings(self) -> Standings:
        """Folded from the ledger's facts: reads them all, some 2 µs an attempt."""
        outcomes = self.ledger.outcomes
        sent, ended = outcomes.sent(self.realm), outcomes.ended(self.realm)
        return Standings(sent, ended, outcomes.reopened(), outcomes.untried(self.realm), outcomes.cut(self.realm))

    def rooms(self) -> dict[str, Room]:
        """Of requests that were never cut off, by recipe, as what is settled has it."""
        by_model = self.room(0)
        seen = self.ledger.outcomes.seen(self.realm, self.model.id, below=by_model)
        return {recipe.digest: first_room(by_model, seen.get(recipe.digest, Seen())) for recipe in self.task.recipes}

    def wants(self, standings: Standings) -> Wants:
        bound = ALL if self.draw is None else self.ledger.fits.bound(self.realm, self.draw.seed)
        return Wants(self.task, self.realm, self.model.id, standings, self.policy(), self.settled, self.draw, bound)

    def settled(self, row: int) -> Settled:
        return self.ledger.outcomes.settled(row)
