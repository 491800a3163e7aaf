"""Step 8: every record accounted for, the sums checked, results and report written. Safe to do at any time."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from overnight.core.atomic import replace_bytes, replacing
from overnight.core.compared import Comparison
from overnight.core.events import StepStarted
from overnight.core.outcome import NotSent, ProblemKind, StrayKind
from overnight.core.realm import is_simulated
from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.core.usage import Usd
from overnight.errors import AccountingError, UsageError
from overnight.ledger.outcomes import LedgerCounts
from overnight.planning.fit import ALL, NONE
from overnight.planning.pilot import Drawn
from overnight.planning.wants import Account
from overnight.records.census import SourceCount
from overnight.records.writer import results_columns, write_table
from overnight.records.writers.exchange import EXCHANGES
from overnight.records.writers.xlsx import MAX_ROWS, write_workbook
from overnight.run import long, references
from overnight.run.bill import StudyBill
from overnight.run.billing import RowPricing, study_bill
from overnight.run.cost_file import write_cost
from overnight.run.money import Budget, budget_json, budget_of
from overnight.run.results import FIRST, LAST, RowMaker, long_tables, our_columns
from overnight.run.settled import bill_json, check_bill
from overnight.run.sheets import about, sheets
from overnight.run.spool import Spool, room_for_rows, spooling
from overnight.run.world import Reporter, Vanished, World

if TYPE_CHECKING:
    from overnight.run.pilot import Piloted

FORMATS: Final = ("csv", "parquet", "jsonl", "xlsx")
EXPORTS: Final = (*FORMATS, "ris", "bib")
"""What `export` can write, by the ending of a name: results as a table, or records with the decision on each."""
TOOLS: Final = tuple(EXCHANGES)
"""For which tools `export` can write a CSV."""
XLSX_RECORDS: Final = 20_000
"""Above that a run leaves the spreadsheet out, since its sheets take longer to write (0.6 ms of CPU a record)
than all the rest (0.4, of which RIS 0.15): `overnight export --to x.xlsx` still writes one."""


@dataclass(slots=True)
class DrawnSample:
    """Of the records with something to ask, those that were sent, where `when_over: fit` draws by a seed.

    last, first_left: the largest number among those sent, the smallest among those not.
    """

    seed: int
    sent: int = 0
    of: int = 0
    last: int = NONE
    first_left: int = ALL

    @property
    def is_random(self) -> bool:
        """Seen, not supposed: nobody who was drawn early was passed over for one drawn late. False where records had
        been sent before the draw began, or by another seed."""
        return self.last < self.first_left

    def see(self, account: Account) -> None:
        if account.number is None:
            return
        self.of += 1
        if account.begun:
            self.sent += 1
            self.last = max(self.last, account.number)
        else:
            self.first_left = min(self.first_left, account.number)

    def to_json(self) -> dict[str, Any]:
        return {"seed": self.seed, "records_sent": self.sent, "of": self.of, "simple_random": self.is_random}


@dataclass(slots=True)
class Closing:
    """What a run ends with. Counts are of records but where it says otherwise.

    requests_sent, jobs_collected: of this invocation. requests_waiting: planned by it, and not sent for want of money
    that is still reserved. cannot_send: why what is open cannot be sent any more, empty where it can. jobs: names of
    all the study has in this realm. past_deadline: of the problems, those that are final for their age alone. smoke:
    the part of `cost` that rows asked at once, before a job, have cost. bill: where `cost` comes from. sources: how
    many records came from where. vanished: asked about, and in no file any more. copied: by record id, the task's cells
    of records that stand for others. compared: samples of records that have several. tally: the
    task's own counts, by what is counted. decides: the task ends in decisions. sample: where `when_over: fit` draws.
    pilot: what came of a pilot, once it was run to its end; in_pilot: the whole was not run since. folder,
    raw: where results are written and raw lines kept, None until it was looked.
    """

    study: str
    realm: str
    records: int = 0
    answers: int = 0
    problems: Counter[ProblemKind] = field(default_factory=Counter)
    past_deadline: int = 0
    not_sent: Counter[NotSent] = field(default_factory=Counter)
    open: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    compared: Comparison = field(default_factory=Comparison)
    tally: dict[str, Counter[str]] = field(default_factory=dict)
    decides: bool = False
    strays: Counter[StrayKind] = field(default_factory=Counter)
    lines: int = 0
    requests_sent: int = 0
    jobs_collected: int = 0
    jobs: tuple[str, ...] = ()
    in_flight: int = 0
    cost: Usd | None = None
    smoke: Usd | None = None
    bill: StudyBill | None = None
    budget: Budget | None = None
    requests_waiting: int = 0
    cannot_send: str = ""
    detached: bool = False
    sample: DrawnSample | None = None
    pilot: "Piloted | None" = None
    in_pilot: Drawn | None = None
    results: dict[str, Path] = field(default_factory=dict)
    sources: tuple[SourceCount, ...] = ()
    vanished: Vanished = Vanished()  # noqa: RUF009  # frozen
    copied: dict[str, list[Cell]] = field(default_factory=dict)
    folder: Path | None = None
    raw: Path | None = None

    def _pilot_json(self) -> dict[str, Any] | None:
        found = self.pilot or self.in_pilot
        return None if found is None else found.to_json()

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` ends with; amounts are exact texts, paths absolute."""
        return {
            "study": self.study,
            "realm": self.realm,
            "records": self.records,
            "answers": self.answers,
            "problems": {kind.value: n for kind, n in sorted(self.problems.items())},
            "past_deadline": self.past_deadline,
            "not_sent": {kind.value: n for kind, n in sorted(self.not_sent.items())},
            "open": self.open,
            "sources": sources_json(self.sources),
            **vanished_json(self.vanished),
            "decisions": dict(sorted(self.decisions.items())),
            "compared": self.compared.to_json() if self.compared.records else None,
            "tally": {what: dict(sorted(counts.items())) for what, counts in sorted(self.tally.items())},
            "strays": sum(self.strays.values()),
            "strays_by_kind": {kind.value: n for kind, n in sorted(self.strays.items())},
            "requests_sent": self.requests_sent,
            "requests_in_flight": self.in_flight,
            "jobs": list(self.jobs),
            "cost_usd": None if self.cost is None else self.cost.exact(),
            "smoke_usd": None if self.smoke is None else self.smoke.exact(),
            "bill": None if self.bill is None else bill_json(self.bill),
            "budget_usd": budget_json(self.budget),
            "sample": None if self.sample is None else self.sample.to_json(),
            "pilot": self._pilot_json(),
            "requests_waiting": self.requests_waiting,
            "cannot_send": self.cannot_send,
            "simulated": is_simulated(self.realm),
            "detached": self.detached,
            "results": {name: str(path) for name, path in self.results.items()},
            "raw": None if self.raw is None else str(self.raw),
        }


def sources_json(sources: Sequence[SourceCount]) -> list[dict[str, Any]]:
    return [{"source": one.name, "records": one.records, "duplicates": one.duplicates} for one in sources]


def vanished_json(vanished: Vanished) -> dict[str, Any]:
    """vanished: at most the first 20 of them."""
    return {"n_vanished": vanished.n, "vanished": list(vanished.first)}


def account(world: World, closing: Closing, spool: Spool | None = None, reporter: Reporter | None = None) -> None:
    """Read every record's account once: count it, keep its row in `spool` for the writers, show it to the reporter.

    May be asked while another process collects: standings and sums are of one moment, and the rows they name do not
    change. Raises AccountingError where records ≠ answers + problems + not sent + open, or the ledger's sums differ.
    """
    closing.folder, closing.raw = world.home.results.absolute(), world.home.raw.absolute()
    with world.ledger.snapshot():
        wants = world.wants(world.standings())
        counts = _ledger_side(world, closing)
    maker = RowMaker(world.task, world.realm, [column.name for column in _originals(world)], RowPricing(world))
    decision = _place_of(world.task.columns, "decision")
    closing.sample = None if world.draw is None else DrawnSample(world.draw.seed)
    closing.cannot_send, closing.decides = world.cannot_send, decision is not None
    closing.in_pilot = world.ledger.pilots.current(world.realm)
    closing.sources, closing.vanished = tuple(world.records.sources()), world.vanished()
    survivors, tables = world.records.survivors, {table.name: table for table in long_tables(world.task)}
    none = [None] * len(world.task.columns)
    for record in world.records:
        standing = wants.account(record)
        _count(closing, standing)
        if closing.sample is not None:
            closing.sample.see(standing)
        cells = none if record.duplicate_of else world.task.cells(record, standing.settled)
        if decision is not None and cells[decision]:
            closing.decisions[str(cells[decision])] += 1
        if not record.duplicate_of:
            closing.compared.see(world.task.compared(record, standing.settled))
            for what, which in world.task.tallied(record, standing.settled):
                closing.tally.setdefault(what, Counter())[which] += 1
        if reporter is not None:
            reporter.add(record, standing, cells)
        if record.record_id in survivors:
            closing.copied[record.record_id] = list(cells)
        if spool is not None:
            spool.add(maker.row(record, standing, cells))
            for name, kept in spool.kept.items():
                if kept.is_whole:
                    kept.add(maker.long(tables[name], record, standing.settled))
    _check(closing, counts)


def publish(world: World, closing: Closing, formats: Sequence[str] = FORMATS) -> None:
    """Write results and report into the realm's folder; each file is replaced whole or not at all."""
    world.tell(StepStarted("publish"))
    reporter = world.reporter() if world.reporter is not None else None
    with _accounted(world, closing, reporter, long.kept_of_run(world.task, XLSX_RECORDS)) as spool:
        assert closing.bill is not None, "the account has read it"
        check_bill(world, closing.bill)
        cost_file = world.home.results / "cost.csv"
        write_cost(world, closing.bill, cost_file)
        closing.results["cost"] = cost_file.absolute()
        if reporter is not None:
            report = world.home.results / "report.html"
            replace_bytes(report, reporter.finish(closing.to_json(), closing.bill).encode())
            closing.results["report"] = report.absolute()
        for format_ in formats:
            if format_ == "xlsx" and closing.records > XLSX_RECORDS:
                continue
            target = world.home.results / f"results.{format_}"
            write_results(world, closing, spool, target, format_)
            closing.results[format_] = target.absolute()
        closing.results |= long.write_files(world, spool)
        if references.are_wanted(world):
            references.write_ris_folder(world, spool)
            closing.results["ris"] = references.ris_folder(world).absolute()


def format_of(target: Path, tool: str = "") -> str:
    """What `export` writes into a file of this name, for this tool if one is named. Raises UsageError."""
    format_ = target.suffix.lower().removeprefix(".")
    if format_ not in EXPORTS:
        raise UsageError(
            f"{target.name} is of no format that can be written",
            hint=f"End its name with one of .{', .'.join(EXPORTS)}.",
        )
    if tool and tool not in TOOLS:
        raise UsageError(f"nothing is known of a tool called {tool!r}", hint=f"One of {', '.join(TOOLS)}.")
    if tool and format_ != "csv":
        raise UsageError(f"for {tool} a CSV is written, not {target.name}", hint="End its name with .csv.")
    return tool or format_


def export(world: World, closing: Closing, target: Path, format_: str, table: str = "") -> int:
    """One file of results where the person wants it; format_: of `format_of`. table: a long one in place of the
    records. Returns its rows. Raises UsageError for a file that these cannot be put in."""
    if table:
        long.check(world.task, table, format_)
    else:
        references.check(world, format_)
    kept = {one.name: MAX_ROWS for one in long_tables(world.task) if format_ == "xlsx"}
    with _accounted(world, closing, None, {table: sys.maxsize} if table else kept) as spool:
        if table:
            long.write(world, spool, target, table, format_)
        elif format_ in references.FORMATS:
            references.write_references(world, spool, target, format_)
        else:
            write_results(world, closing, spool, target, format_)
        closing.results[format_] = target.absolute()
        return spool.kept[table].n_rows if table else closing.records


@contextmanager
def _accounted(
    world: World, closing: Closing, reporter: Reporter | None, most_rows: Mapping[str, int]
) -> Iterator[Spool]:
    """Every record counted, its row kept, and those of long tables by name. Raises OutputError when there is no room
    for them."""
    with spooling(most_rows) as spool:
        with room_for_rows():
            account(world, closing, spool, reporter)
            spool.flush()
        spool.seen = partial(_whole, world, closing)
        yield spool


def write_results(world: World, closing: Closing, spool: Spool, target: Path, format_: str) -> None:
    columns = result_columns(world)
    with replacing(target) as file:
        if format_ == "xlsx":
            assert closing.bill is not None, "the account has read it"
            write_workbook(file, sheets(world, spool, closing.records, columns, closing.bill))
        else:
            write_table(file, format_, columns, spool.rows(), about(world))


def result_columns(world: World) -> list[Column]:
    """First, the task's, the user's (renamed where one has a name of ours), last."""
    ours = our_columns(world.task)
    originals = results_columns(_originals(world), ours)
    own = [*FIRST, *world.task.columns]
    return [*own, *originals, *LAST]


def _originals(world: World) -> list[Column]:
    """The user's columns. A column called record_id is ours too when it is the id: it is not shown twice."""
    return [column for column in world.columns if not (column.name == "record_id" == world.id_column)]


def _whole(world: World, closing: Closing, rows: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
    """A record that another stands for shows that one's answer, which may stand further down."""
    of, first = _place_of(FIRST, "duplicate_of"), len(FIRST)
    assert of is not None, "it is one of them"
    for row in rows:
        if copied := closing.copied.get(str(row[of])) if row[of] else None:
            row[first : first + len(world.task.columns)] = copied
        yield row


def _count(closing: Closing, account: Account) -> None:
    closing.records += 1
    if account.outcome == "answer":
        closing.answers += 1
    elif account.problem is not None:
        closing.problems[account.problem] += 1
        closing.past_deadline += account.past_deadline
    elif account.not_sent is not None:
        closing.not_sent[account.not_sent] += 1
    else:
        closing.open += 1


def _ledger_side(world: World, closing: Closing) -> LedgerCounts:
    counts = world.ledger.outcomes.counts(world.realm)
    closing.strays, closing.lines, closing.in_flight = counts.strays, counts.lines, counts.in_flight
    closing.jobs = tuple(shard.job_name for shard in world.ledger.shards.all(world.realm) if shard.job_name)
    closing.bill, closing.budget = study_bill(world), budget_of(world)
    closing.cost, closing.smoke = closing.bill.total, closing.bill.smoke
    return counts


def _check(closing: Closing, counts: LedgerCounts) -> None:
    ended = closing.answers + closing.problems.total() + closing.not_sent.total() + closing.open
    surplus = counts.strays.get(StrayKind.SURPLUS, 0)
    sums = (
        (closing.records, ended, "records = answers + problems + not sent + open"),
        (counts.lines, counts.accepted + counts.strays.total(), "lines = accepted + strays"),
    )
    for whole, parts, name in sums:
        if whole != parts:
            raise _wrong(f"{name}: {whole:,} is not {parts:,}")
    known = counts.answers + counts.problems.total() + counts.in_flight
    if not known <= counts.sent <= known + surplus:
        raise _wrong(f"attempts sent = answers + problems + in flight: {counts.sent:,} is not {known:,}")


def _wrong(what: str) -> AccountingError:
    return AccountingError(
        f"the sums do not add up: {what}", hint="Nothing was published. Keep the folder as it is and report this."
    )


def _place_of(columns: Sequence[Column], name: str) -> int | None:
    return next((place for place, column in enumerate(columns) if column.name == name), None)
