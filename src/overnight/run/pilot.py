"""`overnight pilot`: the run of a part, what came back of it, and what the whole will cost by what was measured.

The loop is the one of `run`; only the plan it closes is of fewer records (planning/pilot.py).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from overnight.core.compared import Comparison
from overnight.core.record import Record
from overnight.core.task import Settled, Settlements
from overnight.core.usage import Usage, Usd, total_of
from overnight.errors import UsageError
from overnight.planning.pilot import RECORDS, SEED, Drawn, Pilot, drawn_pilot, first_texts
from overnight.planning.wants import Account
from overnight.run import loop
from overnight.run.billing import RowPricing
from overnight.run.estimate import Times, times_of
from overnight.run.plan import Planned, make_plan
from overnight.run.publish import Closing
from overnight.run.world import Options, World

TOKENS: Final = ("prompt", "thinking", "answer")


@dataclass(frozen=True, slots=True)
class Spread:
    """Tokens of one kind a request: of an ordered row the one in the middle, and the one that 95 % do not pass."""

    median: int
    p95: int


@dataclass(frozen=True, slots=True)
class StageTokens:
    """Of a stage's answers whose lines carry token counts. tokens: by TOKENS, those that the service counted."""

    stage: str
    n_requests: int
    tokens: Mapping[str, Spread]


@dataclass(slots=True)
class Piloted:
    """What the pilot's records stand at, and the plan of the rest. Counts are of records.

    needs_person: whatever the decision. cost: of their answers, so what asking them anew wastes; None where a price is
    not known. agreement: `3 of 3` → how many. rest, times: None while the pilot's jobs are
    under way.
    """

    pilot: Drawn
    answers: int = 0
    problems: int = 0
    open: int = 0
    needs_person: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    agreement: Counter[str] = field(default_factory=Counter)
    compared: Comparison = field(default_factory=Comparison)
    measured: tuple[StageTokens, ...] = ()
    cost: Usd | None = None
    rest: Planned | None = None
    times: Times | None = None

    def to_json(self) -> dict[str, Any]:
        """`rest`, its amounts exact texts and with what may follow, None where the price is not known."""
        amounts = None if self.rest is None or self.rest.estimated is None else self.rest.estimated.together
        return {
            **self.pilot.to_json(),
            "answers": self.answers,
            "problems": self.problems,
            "open": self.open,
            "needs_person": self.needs_person,
            "decisions": dict(sorted(self.decisions.items())),
            "agreement": dict(sorted(self.agreement.items())),
            "compared": self.compared.to_json() if self.compared.records else None,
            "tokens": {one.stage: _tokens_json(one) for one in self.measured},
            "cost_usd": None if self.cost is None else self.cost.exact(),
            "rest": None
            if self.rest is None
            else {
                "requests": self.rest.plan.to_send,
                "cost_usd": None
                if amounts is None
                else {name: getattr(amounts, name).exact() for name in ("low", "expected", "high", "worst")},
            },
        }


def _tokens_json(one: StageTokens) -> dict[str, Any]:
    spreads = {name: {"median": spread.median, "p95": spread.p95} for name, spread in one.tokens.items()}
    return {"requests": one.n_requests, **spreads}


def choose(world: World, n: int | None = None, seed: int | None = None) -> Pilot:
    """The records that go first. None: as in the pilot that the study is in, else the usual. Raises UsageError."""
    if n is not None and n < 1:
        raise UsageError(f"a pilot of {n:,} records asks nothing", hint="Say at least --records 1.")
    own = None if world.draw is None else world.draw.seed
    if seed is not None and own is not None and seed != own:
        raise UsageError(
            f"the study draws by its own seed {own} (budget.when_over: fit), and --seed {seed} is another",
            hint="Leave --seed out: then the pilot's records are the first of that sample.",
        )
    before = world.ledger.pilots.current(world.realm) or Drawn(RECORDS, SEED, 0, 0)
    drawn_by = next(one for one in (seed, own, before.seed) if one is not None)
    return drawn_pilot(world.task, world.records, before.n if n is None else n, drawn_by)


def pilot(
    world: World, options: Options, closing: Closing, *, n: int | None = None, seed: int | None = None
) -> Closing:
    """Close the difference for the pilot's records; `closing.pilot` says what came of it. Raises as `run` does, then
    with `closing` filled, and without `closing.pilot`."""
    world.pilot = choose(world, n, seed)
    loop.run(world, options, closing)
    closing.pilot = look(world, world.pilot, under_way=bool(closing.in_flight))
    return closing


def look(world: World, chosen: Pilot, *, under_way: bool = False) -> Piloted:
    """What is settled of the pilot's records; and where nothing of them is under way, the plan of the others."""
    found, tokens = Piloted(chosen.drawn), TokenCounts()
    wants = world.wants(world.standings())
    places = {column.name: place for place, column in enumerate(world.task.columns)}
    for record in world.records:
        texts = first_texts(world.task, record)
        if texts is not None and chosen.takes(record, texts):
            account = wants.account(record)
            _count(found, account)
            _see_cells(found, world, record, account.settled, places)
            tokens.see(account.settled)
    found.measured, found.cost = tokens.spreads(world.task.stages), tokens.cost(RowPricing(world))
    if not under_way:
        whole = replace(world, pilot=None)
        found.rest = make_plan(whole)
        found.times = times_of(whole, found.rest.plan)
    return found


def _count(found: Piloted, account: Account) -> None:
    found.answers += account.outcome == "answer"
    found.problems += account.outcome == "problem"
    found.open += account.outcome == "open"


def _see_cells(found: Piloted, world: World, record: Record, settled: Settlements, places: Mapping[str, int]) -> None:
    """Of a task that decides: what was decided, and how the samples stand to each other."""
    if "decision" not in places:
        return
    cells = world.task.cells(record, settled)
    if decision := cells[places["decision"]]:
        found.decisions[str(decision)] += 1
    if agreement := cells[places["agreement"]]:
        found.agreement[str(agreement)] += 1
    found.needs_person += bool(cells[places["needs_person"]])
    found.compared.see(world.task.compared(record, settled))


class TokenCounts:
    """Token counts of answers, each request once however many records it answers for."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[bytes, Settled]] = {}

    def see(self, settled: Settlements) -> None:
        for (stage, _), one in settled.items():
            if one.outcome.kind is None and one.outcome.usage.known:
                self._seen.setdefault(stage, {})[one.outcome.address] = one

    def cost(self, pricing: RowPricing) -> Usd | None:
        return total_of(pricing.cost_of(one) for answers in self._seen.values() for one in answers.values())

    def spreads(self, stages: Sequence[str]) -> tuple[StageTokens, ...]:
        return tuple(
            self._of(stage, [one.outcome.usage for one in self._seen[stage].values()])
            for stage in stages
            if stage in self._seen
        )

    @staticmethod
    def _of(stage: str, usages: Sequence[Usage]) -> StageTokens:
        columns = {name: [getattr(usage, name) for usage in usages] for name in TOKENS}
        counted = {name: sorted(n for n in column if n is not None) for name, column in columns.items()}
        return StageTokens(stage, len(usages), {name: _spread(column) for name, column in counted.items() if column})


def _spread(ordered: Sequence[int]) -> Spread:
    n = len(ordered)
    return Spread(ordered[(n - 1) // 2], ordered[-(-95 * n // 100) - 1])
