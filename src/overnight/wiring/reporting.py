"""Fills the report: sees every record's account once, then asks the ledger for jobs, lines and money."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from overnight.core.outcome import NotSent, ProblemKind
from overnight.core.record import Cell, Record
from overnight.ledger.bills import SMOKE
from overnight.planning.screening import ScreenTask
from overnight.planning.wants import Account
from overnight.pricing.catalogue import Model
from overnight.pricing.thinking import Thinking
from overnight.report.data import Counts, GivenUp, InputFile, Lines, Method, ReportData
from overnight.report.render import MOST_GIVEN_UP, render_report
from overnight.report.words import pilot_words
from overnight.run.bill import StudyBill
from overnight.run.billing import RowPricing
from overnight.run.results import detail_of, raw_line_of
from overnight.run.world import World
from overnight.study.models import ScreenSpec, Study
from overnight.wiring.report_ask import AskPart
from overnight.wiring.report_method import settings_of, stages_of, version_of_overnight
from overnight.wiring.report_money import bill_of, jobs_of
from overnight.wiring.report_record import RecordPage
from overnight.wiring.report_screen import ScreenPart


class StudyReporter:
    """Implements run.world.Reporter for `ask` and `screen`."""

    def __init__(self, study: Study, model: Model, thinking: Thinking, world: World) -> None:
        self._study, self._model, self._thinking, self._world = study, model, thinking, world
        page = RecordPage(study, world.task, RowPricing(world).cost_of)
        self._task = ScreenPart(world.task, page) if isinstance(world.task, ScreenTask) else AskPart(world, page)
        self._n = 0
        self._given_up: dict[ProblemKind, list[GivenUp]] = {}
        self._sources: Counter[str] = Counter()
        self._set_aside: Counter[str] = Counter()

    def add(self, record: Record, account: Account, cells: Sequence[Cell]) -> None:
        file = record.source.rsplit(":", 1)[0].rsplit(", row ", 1)[0]
        self._sources[file] += 1
        self._set_aside[file] += record.duplicate_of != ""
        self._n += 1
        self._task.add(self._n, record, account, cells)
        if account.problem is not None:
            self._give_up(record, account, account.problem)

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
                given_up=tuple(one for some in self._given_up.values() for one in some),
                raw=self._world.home.raw.relative_to(self._world.home.folder).as_posix(),
                jobs=tuple(jobs_of(self._world)),
                **self._task.data(closing),
            )
        )

    def _give_up(self, record: Record, account: Account, kind: ProblemKind) -> None:
        some = self._given_up.setdefault(kind, [])
        if len(some) < MOST_GIVEN_UP:
            some.append(GivenUp(record.record_id, kind, detail_of(account) or "", raw_line_of(account) or ""))

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
            stages=tuple(stages_of(self._study, world)),
            files=tuple(InputFile(name, n, self._aside(name)) for name, n in self._sources.items()),
            software=f"overnight {version_of_overnight()}",
            ledger_uid=world.ledger.uid,
            location=world.location,
            settings=(
                ("attempts", str(world.attempts)),
                ("duplicates", self._study.duplicates),
                *settings_of(self._study),
                *self._vanished(),
            ),
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
        "" if closing["pilot"] is None else pilot_words(closing["pilot"]),
    )


def _lines(world: World) -> Lines:
    counts = world.ledger.outcomes.counts(world.realm)
    differ = world.ledger.outcomes.strays_that_differ(world.realm)
    return Lines(counts.lines, counts.accepted, counts.identity, counts.strays, differ)
