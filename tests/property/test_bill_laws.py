"""Law: whatever lines a job's output holds, in whatever order and files, first read or read again: the bill is the sum
of what was served, each serving once, added up here from the servings themselves with prices typed by hand."""

import contextlib
import csv
import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from overnight.backends.backend import OutputFile
from overnight.core.identity import wire_key
from overnight.core.outcome import COPY, StrayKind
from overnight.core.states import JobStatus
from overnight.core.usage import Usd
from overnight.ledger.shards import Place
from overnight.run import loop
from overnight.run.bill import StudyBill, sum_of
from overnight.run.billing import RowPricing, study_bill
from overnight.run.world import Options
from tests.contract.test_run_loop import Desk, TwoStages, length
from tests.support.memory_backend import Line, MemoryBackend, answers
from tests.support.studies import SmallStudy

BEFORE, AFTER = "2026-11-30T23:59:59.5Z", "2026-12-01T00:00:00Z"
ARGON, FLASH = "gemini-4-argon", "gemini-3.8-flash"
RATES = {
    (ARGON, BEFORE): ("1.00", "0.05", "5.00"),
    (ARGON, AFTER): ("2.00", "0.10", "10.00"),
    (FLASH, BEFORE): ("0.375", "0.0375", "1.875"),
    (FLASH, AFTER): ("0.375", "0.0375", "1.875"),
}
"""US dollars per million input, cached and output tokens in batch (docs/reference/models-and-prices.md)."""


@dataclass(frozen=True)
class Serving:
    """What the service did for one row, once. tokens: (prompt, cached, thinking, answer), None where it says none."""

    record: int
    fate: str
    model: str
    time: str
    tokens: tuple[int, int, int, int] | None

    @property
    def cost(self) -> Decimal:
        if self.tokens is None:
            return Decimal()
        prompt, cached, thinking, answer = self.tokens
        input_, cached_, output = map(Decimal, RATES[self.model, self.time])
        return ((prompt - cached) * input_ + cached * cached_ + (thinking + answer) * output) / 1_000_000

    def line(self, sent: Line, how: str) -> dict[str, Any]:
        """how: what of the request came back beside the answer. A row of no request here has a key of its own."""
        response: dict[str, Any] = {"modelVersion": self.model}
        status = 'Oops: {"error":{"code":500}}' if self.fate == "failed" else ""
        if self.fate == "blocked":
            response["promptFeedback"] = {"blockReason": "SAFETY"}
        elif self.fate != "failed":
            texts = {"one": '{"n": 1}', "two": '{"n": 2}', "prose": "Hm.", "cut": '{"n": '}
            reason = "MAX_TOKENS" if self.fate == "cut" else "STOP"
            content = {"role": "model", "parts": [{"text": texts[self.fate]}]}
            response["candidates"] = [{"content": content, "finishReason": reason}]
        if self.tokens is not None:
            names = "promptTokenCount", "cachedContentTokenCount", "thoughtsTokenCount", "candidatesTokenCount"
            response["usageMetadata"] = dict(zip(names, self.tokens, strict=True))
        line = {"status": status, "processed_time": self.time, "response": response}
        if self.record < 0:
            return {**line, "key": wire_key(bytes(15) + bytes([-self.record]), 1)}
        if how != "without key":
            line["key"] = sent["key"]
        return line if how == "without echo" else {**line, "request": sent["request"]}


TOKENS = st.sampled_from([None, (100, 0, 5, 10), (100, 40, 5, 10), (101, 0, 0, 0), (200_000, 0, 0, 9)])
SERVINGS = st.builds(
    Serving,
    record=st.sampled_from([0, 0, 1, 2, -1]),
    fate=st.sampled_from(["one", "one", "two", "failed", "blocked", "prose", "cut"]),
    model=st.sampled_from([ARGON, FLASH]),
    time=st.sampled_from([BEFORE, AFTER]),
    tokens=TOKENS,
)
HOW = st.sampled_from(["whole", "whole", "without key", "without echo"])
Written = tuple[Serving, str, bool]
"""A serving, what came back with it, and whether in a chunk."""


@st.composite
def outputs(draw: st.DrawFn) -> list[Written]:
    """Each serving is there once or twice; of a stranger's row once, since nothing tells two of them from two lines."""
    found: list[Written] = []
    for serving in draw(st.lists(SERVINGS, unique=True, max_size=6)):
        for _ in range(1 if serving.record < 0 else draw(st.integers(1, 2))):
            found.append((serving, draw(HOW), draw(st.booleans())))
    return draw(st.permutations(found))


@dataclass
class Writing(MemoryBackend):
    """Each job's output is what the next of `plans` says, in a chunk and a final file, listed in either order."""

    plans: list[list[Written]] = field(default_factory=list)
    chunk_first: bool = False
    served_by: dict[str, list[Written]] = field(default_factory=dict)

    def _finish(self, job: Any) -> None:
        self.served_by[job.labels["overnight-job"]] = self.plans.pop(0) if self.plans else []
        super()._finish(job)

    def files(self, place: Place) -> list[tuple[OutputFile, bytes]]:
        label = place.input.split("/")[1]
        if label not in self.served_by or place.output not in self.outputs_:
            return []
        written = self.served_by[label]
        made = []
        for chunk in (False, True):
            data = lines_of(written, self.inputs[place.input], chunk=chunk)
            name = "incremental_predictions.jsonl" if chunk else "predictions.jsonl"
            made.append((OutputFile(f"{place.output}/{name}", len(data), chunk), data))
        return made[::-1] if self.chunk_first else made

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        return [file for file, _ in self.files(place)]

    def fetch(self, place: Place, file: OutputFile, target: BinaryIO) -> None:
        target.write(dict(self.files(place))[file])

    @property
    def cost(self) -> Decimal:
        """The independent sum: each serving of each job once."""
        return sum((one.cost for plan in self.served_by.values() for one in servings_of(plan)), Decimal())


def lines_of(written: Sequence[Written], inputs: Sequence[bytes], *, chunk: bool) -> bytes:
    sent = [json.loads(raw) for raw in inputs]
    lines = [one.line(sent[one.record % len(sent)], how) for one, how, in_chunk in written if in_chunk == chunk]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def within(plan: list[Written], n: int) -> list[Written]:
    """Of a job with n rows: the same servings, none of a row that is not there."""
    return [one for one in plan if one[0].record < n]


def write_anew(desk: Desk, plan: list[Written]) -> None:
    """The first job's kept output holds other lines from now on: its own in another order, and more of them."""
    backend = desk.backend
    assert isinstance(backend, Writing)
    label = next(iter(backend.served_by))
    inputs = next(lines for name, lines in backend.inputs.items() if label in name)
    backend.served_by[label] = plan
    for kept in (desk.study.home / ".overnight" / "raw" / label).glob("*.gz"):
        kept.write_bytes(gzip.compress(lines_of(plan, inputs, chunk="incremental" in kept.name)))


def servings_of(plan: list[Written]) -> set[Serving]:
    return {one for one, *_ in plan}


def check(desk: Desk) -> None:
    """Per job, per served model, over cost.csv and in the ledger: the same total, which is the independent sum."""
    backend = desk.backend
    assert isinstance(backend, Writing)
    with desk.world() as world:
        bill = study_bill(world)
        spent, shards = world.ledger.bills.spent(world.realm), world.ledger.shards.all(world.realm, "collected")
    assert bill.known.amount == spent.amount == backend.cost
    labels = {shard.id: shard.label for shard in shards}
    by_job, by_model = dict.fromkeys(backend.served_by, Decimal()), {ARGON: Decimal(), FLASH: Decimal()}
    truth_by_job, truth_by_model = dict(by_job), dict(by_model)
    for row in bill.rows:
        if row.cost is not None:
            by_job[labels[row.job]] += row.cost.amount
            by_model[row.served] += row.cost.amount
    for label, plan in backend.served_by.items():
        for one in servings_of(plan):
            truth_by_job[label] += one.cost
            truth_by_model[one.model] += one.cost
    assert (by_job, by_model) == (truth_by_job, truth_by_model)
    with (desk.study.home / "stand-in" / "cost.csv").open(newline="", encoding="utf-8-sig") as file:
        assert sum(Decimal(row["cost_usd"] or 0) for row in csv.DictReader(file)) == backend.cost
    check_records(desk, bill)


def check_records(desk: Desk, bill: StudyBill) -> None:
    """Each record costs what the line that counts for it cost; no record has a line of another, or none twice."""
    with desk.world() as world:
        pricing, rows = RowPricing(world), desk.study.query("SELECT row FROM outcome")
        amounts = [cost for (row,) in rows if (cost := pricing.cost_of(world.settled(row))) is not None]
    unassigned = sum_of(row for row in bill.rows if row.kind in set(StrayKind))
    assert sum(amounts, unassigned) == bill.known
    costs = [Usd(cell) for cell in desk.column("cost_usd") if cell]
    assert not Counter(costs) - Counter(amounts)


@contextlib.contextmanager
def a_desk(plans: list[list[Written]], *, chunk_first: bool) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder:
        study = SmallStudy(Path(folder), model=ARGON, attempts=2, texts={f"r{n}": "nap " * (n + 1) for n in range(3)})
        study.write()
        backend = Writing(answers(length), looks=1, plans=plans, chunk_first=chunk_first)
        yield Desk(study, backend, TwoStages(qa=False))


def read_again(desk: Desk) -> None:
    with desk.world() as world:
        loop.fetch(world, Options(), again=True)


A = Serving(0, "one", ARGON, AFTER, (100, 0, 5, 10))
EARLIER = replace(A, time=BEFORE)


def test_a_better_line_that_is_read_later_is_billed_beside_the_answer_that_stays() -> None:
    with a_desk([[(A, "whole", False)], []], chunk_first=False) as desk:
        desk.study.attempts = 1
        desk.study.write()
        desk.run()
        write_anew(desk, [(EARLIER, "whole", False), (A, "whole", True), (A, "whole", False)])
        read_again(desk)
        check(desk)
        assert desk.study.query("SELECT processed_time FROM outcome WHERE kind IS NULL") == [(AFTER,)]
        assert desk.study.query("SELECT detail, prompt_tokens FROM stray ORDER BY 2") == [(COPY, None), ("", 100)]


@example([[(A, "whole", False)], []], [(EARLIER, "whole", False)], False)
@example([[(A, "without echo", False), (EARLIER, "whole", False), (A, "whole", False)], []], [], False)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(outputs(), min_size=2, max_size=2), outputs(), st.booleans())
def test_the_bill_is_the_sum_of_what_was_served_first_read_and_read_again(
    plans: list[list[Written]], more: list[Written], chunk_first: bool
) -> None:
    first, second = plans
    with a_desk([first, within(second, 1)], chunk_first=chunk_first) as desk:
        desk.run(detach=True)
        desk.backend.looks = 9
        desk.run(detach=True)  # collects the first job, and sends what has to be sent again
        before = desk.study.query("SELECT row, address, answer FROM outcome WHERE kind IS NULL ORDER BY row")
        write_anew(desk, [*more, *first[::-1]])
        read_again(desk)
        check(desk)
        desk.backend.looks = 1
        desk.run()
        check(desk)
        write_anew(desk, [*first, *more[::-1]])
        read_again(desk)
        check(desk)
        assert before == [row for row in desk.study.query("SELECT row, address, answer FROM outcome") if row in before]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(outputs(), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_files_changes_no_bill(plan: list[Written], random: Any) -> None:
    found = []
    for chunk_first in (False, True):
        order = list(plan)
        random.shuffle(order)
        with a_desk([order], chunk_first=chunk_first) as desk:
            desk.study.attempts = 1
            desk.study.write()
            desk.run()
            check(desk)
            found.append(desk.study.query("SELECT billed_usd, kept_usd FROM shard"))
    assert found[0] == found[1]
