"""Fills the report: sees every record's account once, then asks the ledger for jobs, lines and money."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from overnight.answers.quotes import find_quote
from overnight.core.outcome import NotSent, ProblemKind
from overnight.core.recipe import Recipe
from overnight.core.record import Cell, Record, text_of
from overnight.core.usage import NO_USAGE
from overnight.ledger.bills import SMOKE
from overnight.ledger.shards import ShardFact
from overnight.planning.wants import Account
from overnight.pricing.catalogue import Model
from overnight.pricing.prices import LONG_PROMPT_TOKENS, ONE
from overnight.pricing.thinking import Thinking
from overnight.records.roles import roles_of
from overnight.report.data import (
    Bill,
    Counts,
    Criterion,
    Decisions,
    GivenUp,
    InputFile,
    Job,
    Lines,
    Method,
    ModelBill,
    Part,
    Passage,
    Quote,
    ReportData,
    SampleRecord,
    Stage,
    Verdict,
)
from overnight.report.render import MOST_GIVEN_UP, render_report
from overnight.report.tally import AnswerTally
from overnight.report.words import sample_words
from overnight.requests.cleaning import clean, cleaned
from overnight.run.bill import Billed, StudyBill, Why, sum_of, sum_usage
from overnight.run.billing import RowPricing
from overnight.run.results import detail_of, raw_line_of
from overnight.run.world import World
from overnight.study.models import AskSpec, ScreenSpec, Study

_SAMPLES: Final = 25


class StudyReporter:
    """Implements run.world.Reporter for `ask` and `screen`."""

    def __init__(self, study: Study, model: Model, thinking: Thinking, world: World) -> None:
        self._study, self._model, self._thinking, self._world = study, model, thinking, world
        self._pricing = RowPricing(world)
        self._columns = {column.name: place for place, column in enumerate(world.task.columns)}
        self._task: _AskPart | _ScreenPart = (
            _AskPart(world)
            if isinstance(study.task, AskSpec)
            else _ScreenPart(study.task, self._columns, world.task.recipes[0].cleaning)
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
                bill=_bill(self._world, bill, closing["sample"]),
                lines=_lines(self._world),
                decisions=self._task.decisions(),
                criteria=self._task.criteria(),
                fields=self._task.fields(),
                given_up=tuple(one for some in self._given_up.values() for one in some),
                raw=self._world.home.raw.relative_to(self._world.home.folder).as_posix(),
                samples=tuple(self._samples),
                jobs=tuple(_jobs(self._world)),
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
            stages=tuple(_stage(world, recipe) for recipe in world.task.recipes),
            files=tuple(InputFile(name, n, self._aside(name)) for name, n in self._sources.items()),
            software=f"overnight {_version()}",
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


class _AskPart:
    """Distributions of the answer fields."""

    def __init__(self, world: World) -> None:
        self._tally = AnswerTally(world.task.recipes[0].schema.get("properties", {}))
        self._names = [column.name.removeprefix("a_") for column in world.task.columns]

    def add(self, account: Account, cells: Sequence[Cell]) -> None:  # noqa: ARG002  # the answers hold all of it
        for one in account.settled.values():
            if one.outcome.kind is None:
                self._tally.add(orjson.loads(one.outcome.answer))

    def decisions(self) -> Decisions | None:
        return None

    def criteria(self) -> tuple[Criterion, ...]:
        return ()

    def fields(self) -> Any:
        return self._tally.summaries()

    def passages(self, texts: Mapping[str, str], cells: Sequence[Cell]) -> tuple[Passage, ...]:  # noqa: ARG002  # no quotes
        return tuple(Passage(name, text) for name, text in texts.items() if text.strip())

    def shown(self, cells: Sequence[Cell]) -> tuple[tuple[str, str], ...]:
        return tuple((name, str(cell)) for name, cell in zip(self._names, cells, strict=True) if cell is not None)

    def verdicts(self, cells: Sequence[Cell]) -> tuple[Verdict, ...]:  # noqa: ARG002  # none in an ask
        return ()


class _ScreenPart:
    """Decisions, criteria and quotes, from the result columns."""

    def __init__(self, screen: ScreenSpec, columns: Mapping[str, int], cleaning: int) -> None:
        self._screen, self._columns, self._cleaning = screen, columns, cleaning
        self._decisions: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._by: Counter[str] = Counter()
        self._verdicts: dict[str, Counter[str]] = {criterion.id: Counter() for criterion in screen.criteria}
        self._quotes: dict[str, Counter[bool]] = {criterion.id: Counter() for criterion in screen.criteria}

    def add(self, account: Account, cells: Sequence[Cell]) -> None:
        """Decisions are of all records that have one, as in the results; verdicts of those with an answer."""
        if decision := self._cell(cells, "decision"):
            self._decisions[decision] += 1
            self._by[self._cell(cells, "decided_by").replace("_", " ")] += 1
        if account.outcome != "answer":
            return
        if reason := self._cell(cells, "exclusion_reason"):
            self._reasons[reason] += 1
        for id_ in self._verdicts:
            self._verdicts[id_][self._cell(cells, f"c_{id_}") or "unclear"] += 1
            if self._cell(cells, f"c_{id_}_quote"):
                self._quotes[id_][self._cell(cells, f"c_{id_}_quote_found") != "no"] += 1

    def decisions(self) -> Decisions | None:
        order = {word: self._decisions[word] for word in ("include", "exclude", "unclear")}
        return Decisions(order, tuple(self._reasons.most_common()), tuple(self._by.most_common()))

    def criteria(self) -> tuple[Criterion, ...]:
        return tuple(
            Criterion(
                one.id,
                one.ask,
                one.kind,
                self._verdicts[one.id],
                self._quotes[one.id].total(),
                self._quotes[one.id][True],
            )
            for one in self._screen.criteria
        )

    def fields(self) -> Any:
        return ()

    def passages(self, texts: Mapping[str, str], cells: Sequence[Cell]) -> tuple[Passage, ...]:
        quotes = [(id_, self._cell(cells, f"c_{id_}_quote")) for id_ in self._verdicts]
        return tuple(
            Passage(name, text, tuple(_found(quotes, text, self._cleaning)))
            for name, text in texts.items()
            if text.strip()
        )

    def shown(self, cells: Sequence[Cell]) -> tuple[tuple[str, str], ...]:  # noqa: ARG002  # verdicts say it
        return ()

    def verdicts(self, cells: Sequence[Cell]) -> tuple[Verdict, ...]:
        return tuple(
            Verdict(
                id_,
                self._cell(cells, f"c_{id_}"),
                quote := self._cell(cells, f"c_{id_}_quote"),
                self._cell(cells, f"c_{id_}_quote_found") != "no" if quote else None,
                self._cell(cells, f"c_{id_}_reason"),
            )
            for id_ in self._verdicts
            if self._cell(cells, f"c_{id_}")
        )

    def _cell(self, cells: Sequence[Cell], name: str) -> str:
        value = cells[self._columns[name]]
        return "" if value is None else str(value)


def _found(quotes: Sequence[tuple[str, str]], text: str, cleaning: int) -> Iterator[Quote]:
    """Looked for in what the model saw, shown where it stands in the record."""
    seen = cleaned(text, cleaning)
    for id_, quote in quotes:
        place = find_quote(quote, seen.text) if quote else None
        if place is not None:
            yield Quote(*seen.span(place.start, place.end), id_)


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


def _bill(world: World, bill: StudyBill, sample: Mapping[str, Any] | None) -> Bill:
    before, usage = bill.before, bill.usage
    estimate = None
    if before is not None and before.low is not None and before.expected is not None and before.high is not None:
        estimate = before.low, before.expected, before.high
    return Bill(
        total=bill.total,
        usage=usage,
        lines_without_usage=bill.unknown[Why.NO_COUNTS] + bill.unknown[Why.NO_LINE],
        by_model=tuple(_by(bill, _model_and_price)),
        by_stage=tuple(_by(bill, lambda row: (row.stage, ""))),
        parts=tuple(Part(part.name, part.tokens, part.cost) for part in bill.parts()),
        by_caching=bill.by_caching,
        by_sharing=bill.shared,
        standard=bill.standard(world.prices),
        estimate=estimate,
        worst_case=None if before is None else before.worst,
        limit=world.limit,
        notes=(
            "By job, day and kind of line, each with its price: cost.csv beside this page.",
            *_sample_words(sample),
        ),
    )


def _sample_words(sample: Mapping[str, Any] | None) -> Iterator[str]:
    if sample is None or sample["records_sent"] == sample["of"]:
        return
    yield sample_words(sample)


def _by(bill: StudyBill, words: Callable[[Billed], tuple[str, str]]) -> Iterator[ModelBill]:
    """Rows with token counts, added up by (name, price in words), in the order in which they first come."""
    groups: dict[tuple[str, str], list[Billed]] = {}
    for row in bill.rows:
        if row.usage.known:
            groups.setdefault(words(row), []).append(row)
    for (name, price), rows in groups.items():
        known = all(row.cost is not None for row in rows)
        amount = sum_of(rows) if known else None
        yield ModelBill(name, sum(row.n for row in rows), sum_usage(rows), amount, price)


def _model_and_price(row: Billed) -> tuple[str, str]:
    """Rows asked at once, before a job, have another price than a job's; days on both sides of a change have two."""
    name = (row.served or row.asked) + (", asked before a job" if row.kind == SMOKE else "")
    price = row.price
    if price is None:
        return name, ""
    rates = price.rates(LONG_PROMPT_TOKENS + 1 if row.long else 0)
    until = "" if price.valid_until is None else f" to {price.valid_until}"
    long = ", prompts over 200,000 tokens" if row.long else ""
    factor = price.location_surcharge if row.surcharge else ONE
    dearer = "" if factor == ONE else f" × {factor} for {row.location}"
    cached = "" if rates.cached_usd_per_mtok is None else f", ${rates.cached_usd_per_mtok} cached"
    return name, (
        f"{price.mode}{long}: ${rates.input_usd_per_mtok} in{cached}, ${rates.output_usd_per_mtok} out per million"
        f" tokens{dearer}, from {price.valid_from}{until}; {price.source} [{price.evidence}], checked {price.checked}"
    )


def _jobs(world: World) -> Iterator[Job]:
    for shard in world.ledger.shards.all(world.realm, "submitted", "collected"):
        yield _job(shard)


def _job(shard: ShardFact) -> Job:
    status = shard.job
    return Job(
        name=shard.job_name,
        state=status.state if status else "",
        rows=shard.n_rows,
        rows_back=shard.lines if shard.collected else None,
        created=status.create_time if status else "",
        started=status.start_time if status else "",
        ended=status.end_time if status else "",
        error=status.error[1] if status and status.error else "",
    )


def _stage(world: World, recipe: Recipe) -> Stage:
    return Stage(
        name=recipe.stage,
        system=recipe.system,
        prompt="".join(part.value if part.kind == "text" else f"{{{part.value}}}" for part in recipe.prompt),
        schema=orjson.dumps(recipe.schema, option=orjson.OPT_INDENT_2).decode(),
        recipe=recipe.digest,
        max_output_tokens=_rooms(world, recipe),
    )


def _rooms(world: World, recipe: Recipe) -> str:
    """Each `maxOutputTokens` that was sent: less once the first answers were in, more after a truncated one."""
    shards = world.ledger.shards.all(world.realm, "submitted", "collected")
    sent = {shard.max_output_tokens for shard in shards if shard.recipe == recipe.digest and shard.max_output_tokens}
    return ", ".join(f"{room:,}" for room in sorted(sent or {world.room(0)}))


def _version() -> str:
    from importlib.metadata import version

    return version("overnight")
