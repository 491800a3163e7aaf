"""Fills the report: sees every record's account once, then asks the ledger for jobs, lines and money."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from overnight.core.outcome import NotSent, ProblemKind
from overnight.core.record import Cell, Record, text_of
from overnight.core.usage import NO_USAGE
from overnight.ledger.bills import SMOKE
from overnight.planning.wants import Account
from overnight.pricing.catalogue import Model
from overnight.pricing.thinking import Thinking
from overnight.records.roles import roles_of
from overnight.report.data import Counts, GivenUp, InputFile, Lines, Method, ReportData, SampleRecord
from overnight.report.render import MOST_GIVEN_UP, render_report
from overnight.requests.cleaning import clean
from overnight.run.bill import StudyBill
from overnight.run.billing import RowPricing
from overnight.run.results import detail_of, raw_line_of
from overnight.run.world import World
from overnight.study.models import AskSpec, ScreenSpec, Study
from overnight.wiring.report_ask import AskPart
from overnight.wiring.report_method import stage_of, version_of_overnight
from overnight.wiring.report_money import bill_of, jobs_of
from overnight.wiring.report_screen import ScreenPart

_SAMPLES: Final = 25


class StudyReporter:
    """Implements run.world.Reporter for `ask` and `screen`."""

    def __init__(self, study: Study, model: Model, thinking: Thinking, world: World) -> None:
        self._study, self._model, self._thinking, self._world = study, model, thinking, world
        self._pricing = RowPricing(world)
        self._columns = {column.name: place for place, column in enumerate(world.task.columns)}
        self._task: AskPart | ScreenPart = (
            AskPart(world)
            if isinstance(study.task, AskSpec)
            else ScreenPart(study.task, self._columns, world.task.recipes[0].cleaning)
        )
        self._title = roles_of(study.text_columns).title
        self._samples: list[SampleRecord] = []
        self._given_up: dict[ProblemKind, list[GivenUp]] = {}
        self._sources: Counter[str] = Counter()
        self._set_aside: Counter[str] = Counter()

    def add(self, record: Record, account: Account, cells: Sequence[Cell]) -> None:
        file = record.source.rsplit(":", 1)[0].rsplit(", row ", 1)[0]
        self._sources[file] += 1
        self._set_aside[file] += record.duplicate_of != ""
        self._task.add(account, cells)
        if account.problem is not None:
            self._give_up(record, account, account.problem)
        if len(self._samples) < _SAMPLES:
            self._samples.append(self._sample(record, account, cells))

    def finish(self, closing: Mapping[str, Any], bill: StudyBill) -> str:
        study = self._study
        question = study.task.question if isinstance(study.task, ScreenSpec) else study.task.prompt
        return render_report(
            ReportData(
                study=study.name,
                question=question,
                realm=self._world.realm,
                made=self._world.stamp().replace("T", " ").replace("Z", " UTC"),
                counts=_counts(closing),
                method=self._method(bill),
                bill=bill_of(self._world, bill, closing["sample"]),
                lines=_lines(self._world),
                decisions=self._task.decisions(),
                criteria=self._task.criteria(),
                fields=self._task.fields(),
                given_up=tuple(one for some in self._given_up.values() for one in some),
                raw=self._world.home.raw.relative_to(self._world.home.folder).as_posix(),
                samples=tuple(self._samples),
                jobs=tuple(jobs_of(self._world)),
            )
        )

    def _give_up(self, record: Record, account: Account, kind: ProblemKind) -> None:
        some = self._given_up.setdefault(kind, [])
        if len(some) < MOST_GIVEN_UP:
            some.append(GivenUp(record.record_id, kind, detail_of(account) or "", raw_line_of(account) or ""))

    def _sample(self, record: Record, account: Account, cells: Sequence[Cell]) -> SampleRecord:
        texts = {name: text_of(record.values.get(name)) for name in self._study.text_columns}
        title = clean(texts.get(self._title), self._world.task.recipes[0].cleaning)
        settled = list(account.settled.values())
        outcomes = [one.outcome for one in settled]
        kind = account.problem or account.not_sent
        return SampleRecord(
            record_id=record.record_id,
            state=account.outcome,  # type: ignore[arg-type]  # Account says so in words
            title=title,
            passages=self._task.passages({name: text for name, text in texts.items() if name != self._title}, cells),
            kind="" if kind is None else kind.value,
            detail="; ".join(outcome.detail for outcome in outcomes if outcome.detail),
            decision=self._cell(cells, "decision"),
            why=self._cell(cells, "why"),
            fields=self._task.shown(cells),
            verdicts=self._task.verdicts(cells),
            usage=outcomes[0].usage if len(outcomes) == 1 else NO_USAGE,
            cost=self._pricing.cost_of(settled[0]) if len(outcomes) == 1 else None,
            served="; ".join(dict.fromkeys(outcome.model_version for outcome in outcomes if outcome.model_version)),
        )

    def _cell(self, cells: Sequence[Cell], name: str) -> str:
        place = self._columns.get(name)
        value = None if place is None else cells[place]
        return "" if value is None else str(value)

    def _method(self, bill: StudyBill) -> Method:
        world = self._world
        served = Counter[str]()
        for row in bill.rows:
            if row.usage.known and row.kind != SMOKE:
                served[row.served] += row.n
        return Method(
            model=self._model.id,
            served=tuple(served.most_common()),
            thinking=self._thinking.explained,
            stages=tuple(stage_of(world, recipe) for recipe in world.task.recipes),
            files=tuple(InputFile(name, n, self._aside(name)) for name, n in self._sources.items()),
            software=f"overnight {version_of_overnight()}",
            ledger_uid=world.ledger.uid,
            location=world.location,
            settings=(("attempts", str(world.attempts)), ("duplicates", self._study.duplicates), *self._vanished()),
        )

    def _aside(self, file: str) -> str:
        n = self._set_aside[file]
        return f"{n:,} {'duplicate' if n == 1 else 'duplicates'} among them, not sent" if n else ""

    def _vanished(self) -> Iterator[tuple[str, str]]:
        gone = self._world.vanished()
        if gone.n:
            yield (
                "asked about, in no file any more",
                f"{gone.n:,}: {', '.join(gone.first)}" + " …" * (gone.n > len(gone.first)),
            )


def _counts(closing: Mapping[str, Any]) -> Counts:
    return Counts(
        closing["records"],
        closing["answers"],
        closing["open"],
        {ProblemKind(kind): n for kind, n in closing["problems"].items()},
        {NotSent(kind): n for kind, n in closing["not_sent"].items()},
    )


def _lines(world: World) -> Lines:
    counts = world.ledger.outcomes.counts(world.realm)
    differ = world.ledger.outcomes.strays_that_differ(world.realm)
    return Lines(counts.lines, counts.accepted, counts.identity, counts.strays, differ)
