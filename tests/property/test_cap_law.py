"""Law: whatever the service reports within a model's limits, in whatever order, however cut off: no bill passes a cap.

The service here keeps its own account of what it served, lines that never came back included. After every call and at
every end that account is held against the limit, and against what the ledger says is spent or reserved.
"""

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overnight.backends.backend import Patience
from overnight.core.states import JobStatus
from overnight.core.usage import Usage, Usd
from overnight.errors import OvernightError, RefusedError, UnavailableError
from overnight.ledger.ledger import Ledger
from overnight.ledger.shards import Place
from overnight.pricing import packaged_tables, room
from overnight.pricing.bill import cost
from overnight.pricing.prices import BATCH, STANDARD, Mode
from overnight.pricing.tokens import token_bound
from overnight.run import loop
from overnight.run.plan import make_plan
from overnight.run.reopen import retry
from overnight.run.world import Options, World
from tests.contract.test_run_loop import Desk, TwoStages, length
from tests.support.memory_backend import MemoryBackend, MemoryJob, answers
from tests.support.studies import CLOUD, SmallStudy

MODEL = "gemini-3.8-flash"  # twice as dear from 2027-01-01
BEGIN = datetime(2026, 12, 30, tzinfo=UTC)
PRICES = packaged_tables().prices
FATES = ("answered",) * 4 + ("cut", "no counts", "lost", "not served", "twice", "no key", "empty")
ENDS = ("JOB_STATE_SUCCEEDED",) * 4 + ("JOB_STATE_FAILED", "JOB_STATE_EXPIRED", "JOB_STATE_CANCELLED")
REPLIES = ("made",) * 5 + ("lost reply", "no reply, not made", "refused")


class Killed(BaseException):
    """The process is gone: nothing of ours may catch it."""


@dataclass
class Erratic(MemoryBackend):
    """bills: what each served row costs in truth, by the job's label; the label of rows asked at once is empty."""

    data: Any = None
    now: Any = None
    wait: Any = None
    look: Any = None
    strikes_in: int = -1
    strikes_after: bool = False
    bills: list[tuple[str, Usd]] = field(default_factory=list)
    ends_at: dict[str, datetime] = field(default_factory=dict)

    def call(self, effect: Any) -> Any:
        self.strikes_in -= 1
        strikes = self.strikes_in == 0
        self.look()
        if strikes and not self.strikes_after:
            raise Killed
        found = effect()
        self.look()
        if strikes:
            raise Killed
        return found

    def place(self, uid: str, label: str) -> Place:
        return replace(super().place(uid, label), project="p", location="global")

    def generate(self, model: str, request: bytes) -> Mapping[str, object]:
        def asked() -> Mapping[str, object]:
            found = self._serve({"request": json.loads(request)}, "", STANDARD, self.now(), len(request))
            if self.data.draw(st.sampled_from((True, True, False))):
                return found["response"]  # type: ignore[no-any-return]
            raise UnavailableError("the reply was lost")

        return self.call(asked)  # type: ignore[no-any-return]

    def stage(self, place: Place, lines: Any, manifest: Any) -> None:
        self.call(lambda: super(Erratic, self).stage(place, lines, manifest))

    def claim(self, place: str, text: str, generation: int) -> int:
        return self.call(lambda: super(Erratic, self).claim(place, text, generation))  # type: ignore[no-any-return]

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        def create() -> JobStatus:
            reply = self.data.draw(st.sampled_from(REPLIES))
            if reply == "refused":
                raise RefusedError("no", code=400)
            if reply == "no reply, not made":
                raise UnavailableError("nothing came back")
            made = super(Erratic, self).submit(place, model, labels)
            self.jobs[made.name].looks = self.data.draw(st.integers(0, 2))
            self.ends_at[made.name] = self.now() + timedelta(hours=self.data.draw(st.sampled_from((1, 30, 95))))
            if reply == "lost reply":
                raise UnavailableError("nothing came back")
            return made

        return self.call(create)  # type: ignore[no-any-return]

    def find(self, place: Place, key: str, value: str) -> Sequence[JobStatus]:
        there = super().find(place, key, value)
        return there if self.data.draw(st.booleans()) else []

    def poll(self, place: Place, job: str) -> JobStatus:
        return self.call(lambda: super(Erratic, self).poll(place, job))  # type: ignore[no-any-return]

    def fetch(self, place: Place, file: Any, target: Any) -> None:
        self.call(lambda: super(Erratic, self).fetch(place, file, target))

    def finish_all(self) -> None:
        """What nobody looks at runs to its end too."""
        for job in self.jobs.values():
            if job.status.state in {"JOB_STATE_PENDING", "JOB_STATE_RUNNING"}:
                self._finish(job)

    def _finish(self, job: MemoryJob) -> None:
        ended = self.ends_at[job.status.name]
        if ended > self.now():
            self.wait((ended - self.now()).total_seconds())
        state, lines, label = self.data.draw(st.sampled_from(ENDS)), list[bytes](), job.labels["overnight-job"]
        for raw in self.inputs[job.place.input]:
            line = json.loads(raw)
            when = ended - timedelta(hours=self.data.draw(st.integers(0, 1)))
            for fields in self._rows(line, label, when, len(raw)):
                lines.append(json.dumps(fields).encode() + b"\n")
        if lines or state == "JOB_STATE_SUCCEEDED":
            self.outputs_[job.place.output] = b"".join(lines)
        error = (13, "internal") if state == "JOB_STATE_FAILED" else None
        stamp = f"{ended:%Y-%m-%dT%H:%M:%SZ}"
        job.status = replace(job.status, state=state, error=error, start_time=stamp, end_time=stamp)

    def _rows(self, line: dict[str, Any], label: str, when: datetime, size: int) -> Iterator[dict[str, Any]]:
        fate = self.data.draw(st.sampled_from(FATES))
        given = {"processed_time": f"{when:%Y-%m-%dT%H:%M:%SZ}", "request": line["request"], "key": line["key"]}
        if fate == "not served":
            yield {**given, "status": "INTERNAL: try again", "response": {}}
            return
        served = {**given, **self._serve(line, label, BATCH, when, size)}
        candidate = served["response"]["candidates"][0]
        if fate == "cut":
            candidate["finishReason"] = "MAX_TOKENS"
        elif fate == "empty":
            candidate["content"] = {"role": "model", "parts": [{"text": "{}"}]}
        elif fate == "no counts":
            del served["response"]["usageMetadata"]
        elif fate == "no key":
            del served["key"], served["request"]
        if fate != "lost":
            yield served
        if fate == "twice":
            yield served

    def _serve(self, line: dict[str, Any], label: str, mode: Mode, when: datetime, size: int) -> dict[str, Any]:
        """Serves and bills one row: any number of tokens up to what the model may be given and may give."""
        share = st.sampled_from((0.0, 0.3, 1.0, 1.0))
        most = line["request"]["generationConfig"]["maxOutputTokens"]
        prompt, output = int(token_bound(size) * self.data.draw(share)), int(most * self.data.draw(share))
        thinking = int(output * self.data.draw(share))
        price = PRICES.price(MODEL, when.date(), mode)
        assert price is not None
        self.bills.append((label, cost(Usage(prompt, 0, thinking, output - thinking), price)))
        answered = answers(length, model=MODEL)(line)
        assert answered is not None
        answered["response"]["usageMetadata"] = {
            "promptTokenCount": prompt,
            "candidatesTokenCount": output - thinking,
            "thoughtsTokenCount": thinking,
        }
        return answered


@dataclass
class Watched(Desk):
    """Holds the service's account against the caps, whenever it is asked to look."""

    limit: Usd = field(default_factory=Usd)
    cap: tuple[int, Usd] | None = None
    ledger: Ledger | None = None

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.time.clock())

    @contextlib.contextmanager
    def world(self) -> Iterator[World]:
        with super().world() as world:
            self.ledger = world.ledger
            yield world
            self.look()

    def look(self) -> None:
        assert self.ledger is not None
        assert isinstance(self.backend, Erratic)
        committed = self.ledger.shards.committed("google")
        billed = sum((amount for _, amount in self.backend.bills), Usd())
        assert committed <= self.limit, f"{committed!r} spent and reserved, under a limit of {self.limit!r}"
        assert billed <= committed, f"{billed!r} is billed, and the ledger knows of {committed!r}"
        if self.cap is not None:
            assert self.ledger.shards.committed("google", since=self.cap[0]) <= self.cap[1]


def write_budget(desk: Watched, fits: bool) -> None:
    more = ", when_over: fit, seed: 3" if fits else ""
    desk.study.more = f"{CLOUD}budget: {{limit_usd: {desk.limit.exact()}{more}}}\n"
    desk.study.write()


def one_run(desk: Watched, data: st.DataObject, worst: Usd) -> None:
    backend = desk.backend
    assert isinstance(backend, Erratic)
    backend.strikes_in, backend.strikes_after = data.draw(st.integers(-1, 25)), data.draw(st.booleans())
    max_usd = data.draw(st.sampled_from((None, None, worst * Decimal("0.3"))))
    said = {"resubmit": data.draw(st.booleans()), "smoke": data.draw(st.booleans()), "detach": data.draw(st.booleans())}
    with contextlib.suppress(OvernightError, Killed), desk.world() as world:
        desk.cap = None if max_usd is None else (world.ledger.shards.next_number(), max_usd)
        loop.run(world, Options(yes=True, pay_again=True, max_usd=max_usd, **said))
    desk.cap = None
    with desk.world():
        pass


def between(desk: Watched, data: st.DataObject, worst: Usd) -> None:
    what = data.draw(st.sampled_from(("nothing", "records", "limit", "retry", "again", "fit", "refuse", "samples")))
    if what == "samples":
        desk.task.samples += 1
    if what == "records":
        desk.study.texts |= {f"more{len(desk.study.texts)}": "nap " * data.draw(st.sampled_from((2, 20_000)))}
    if what == "limit":
        desk.limit = Usd((desk.limit + worst * Decimal("0.5")).amount.quantize(Decimal("0.000001")))
    write_budget(desk, what == "fit" or (what != "refuse" and "fit" in desk.study.more))
    with contextlib.suppress(OvernightError), desk.world() as world:
        if what == "retry":
            retry(world)
        if what == "again":
            loop.fetch(world, Options(), again=True)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_the_service_bills_passes_neither_the_limit_nor_what_the_ledger_commits(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sizes = data.draw(st.lists(st.sampled_from((1, 40, 20_000)), min_size=1, max_size=5))
        study = SmallStudy(Path(folder), model=MODEL, more=CLOUD)
        study.texts = {f"r{n}": f"{n} " + "nap " * size for n, size in enumerate(sizes)}
        study.write()
        backend = Erratic(answers(length), patience=Patience((), then_create=False, poll_s=(1, 60), unusual_s=1e9))
        task = TwoStages(data.draw(st.sampled_from((1, 1, 2, 3))), qa=data.draw(st.booleans()))
        desk = Watched(study, backend, task, limit=Usd(10**6))
        backend.data, backend.now, backend.wait, backend.look = data, desk.now, desk.time.sleep, desk.look
        with desk.world() as world:
            worst = make_plan(world).worst
        assert worst is not None
        exact = worst * data.draw(st.sampled_from((Decimal("0.3"), Decimal("0.7"), Decimal("1.1"), Decimal(3))))
        desk.limit, worst = (
            Usd(exact.amount.quantize(Decimal("0.000001"))),
            Usd(worst.amount.quantize(Decimal("0.000001"))),
        )
        write_budget(desk, data.draw(st.booleans()))
        with pytest.MonkeyPatch.context() as patch:  # a study as small as this one has no fifty answers
            patch.setattr(room, "ENOUGH_ANSWERS", data.draw(st.sampled_from((1, 2, 50))))
            patch.setattr(room, "LEAST_ROOM", data.draw(st.sampled_from((1, 1_024))))
            for _ in range(data.draw(st.integers(1, 3))):
                one_run(desk, data, worst)
                between(desk, data, worst)
        backend.look = lambda: None
        backend.finish_all()
        with desk.world():
            pass
