"""What stays reserved where nobody knows what a row cost: until it is known, once, for the life of the study."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from overnight.core.events import silent
from overnight.core.states import JobStatus
from overnight.core.usage import Usd
from overnight.errors import OvernightError, UnavailableError
from overnight.ledger.shards import Place, ShardFact
from overnight.pricing.prices import PriceList
from overnight.run import loop
from overnight.run.adopt import adopt
from overnight.run.billing import study_bill
from overnight.run.rebuild import Site, rebuild
from overnight.run.world import Options
from tests.contract.test_run_loop import RECORDS, Desk, TwoStages, length
from tests.support.memory_backend import Line, MemoryBackend, MemoryJob, answers, prompt_of
from tests.support.studies import CLOUD, SmallStudy

MODEL = "gemini-4-argon"
LONG = "nap " * 5_000
GOOD = answers(length, model=MODEL)
BILLED = Usd("0.000175")
"""One line of 100 prompt and 15 output tokens of gemini-4-argon in batch until 2026-11-30, by hand."""


@dataclass
class Placed(MemoryBackend):
    """In a project, as Google's is. lose_reply: of so many creates nobody hears, and while `hidden` none is listed."""

    lose_reply: int = 0
    hidden: bool = False

    def place(self, uid: str, label: str) -> Place:
        return replace(super().place(uid, label), project="p")

    def count_tokens(self, model: str, request: bytes) -> int:
        raise AssertionError("nothing here asks for that")

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        made = super().submit(place, model, labels)
        if self.lose_reply:
            self.lose_reply -= 1
            raise UnavailableError("nothing came back")
        return made

    def find(self, place: Place, key: str, value: str) -> list[JobStatus]:
        return [] if self.hidden else list(super().find(place, key, value))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """On Google, one of twelve texts much longer than the others."""
    study = SmallStudy.of(tmp_path / "study", RECORDS, model=MODEL, attempts=1, more=CLOUD)
    study.texts["r0"] = LONG
    study.write()
    backend = Placed(GOOD)
    backend.patience = replace(backend.patience, then_create=False)
    return Desk(study, backend, TwoStages(qa=False))


def run(desk: Desk, **options: Any) -> None:
    desk.run(yes=True, smoke=False, **options)


def lost_the_long_one(line: Line) -> Line | None:
    return None if LONG in prompt_of(line) else GOOD(line)


def uncounted(line: Line) -> Line:
    found = dict(GOOD(line) or {})
    if LONG in prompt_of(line):
        found["response"] = {name: value for name, value in found["response"].items() if name != "usageMetadata"}
    return found


def shards(desk: Desk, realm: str = "google") -> list[ShardFact]:
    with desk.world() as world:
        return world.ledger.shards.all(realm)


def committed(desk: Desk, realm: str = "google") -> Usd:
    with desk.world() as world:
        return world.ledger.shards.committed(realm)


def kept(shard: ShardFact) -> Usd:
    """Checks what is known of the others on the way."""
    assert shard.billed is not None
    assert shard.kept is not None
    assert shard.row is not None
    return shard.kept


class TestOneRow:
    @pytest.mark.parametrize(
        ("end", "answer", "kind"),
        [
            ("JOB_STATE_EXPIRED", lost_the_long_one, "expired"),
            ("JOB_STATE_CANCELLED", lost_the_long_one, "cancelled"),
            ("JOB_STATE_SUCCEEDED", lost_the_long_one, "missing"),
            ("JOB_STATE_SUCCEEDED", uncounted, ""),
        ],
    )
    def test_whose_cost_is_unknown_keeps_the_worst_case_of_the_longest(
        self, desk: Desk, end: str, answer: Callable[[Line], Line | None], kind: str
    ) -> None:
        desk.backend.answer, desk.backend.end = answer, end
        run(desk)
        (shard,) = shards(desk)
        assert {row["problem"] for row in desk.study.results("results")} == {"", kind}
        assert shard.billed == BILLED * (RECORDS - 1)
        assert kept(shard) == shard.row
        assert shard.reserved is not None
        assert kept(shard) > shard.reserved * (Decimal(1) / RECORDS), "an even share would not hold a long text"
        assert committed(desk) == BILLED * (RECORDS - 1) + kept(shard)

    def test_stays_reserved_when_it_is_answered_later(self, desk: Desk) -> None:
        """Its first serving may be on the bill all the same."""
        desk.backend.answer = lost_the_long_one
        run(desk)
        before = committed(desk)
        assert before > BILLED * (RECORDS - 1)
        desk.backend.answer = GOOD
        desk.retry()
        run(desk)
        assert committed(desk) == before + BILLED
        desk.time.sleep(timedelta(days=300).total_seconds())
        run(desk)
        assert committed(desk) == before + BILLED, "for the life of the study"


def test_late_surplus_is_billed_and_frees_what_was_kept_for_it_once(desk: Desk) -> None:
    desk.backend.answer = lost_the_long_one
    run(desk)
    desk.backend.answer = GOOD
    desk.retry()
    run(desk)
    first, _ = shards(desk)
    line_comes_late(desk, first)
    for _ in range(3):
        with desk.world() as world:
            loop.fetch(world, Options(), again=True)
        one, two = shards(desk)
        assert (one.billed, one.kept, two.billed, two.kept) == (BILLED * RECORDS, Usd(), BILLED, Usd())
        assert committed(desk) == BILLED * (RECORDS + 1)
    with desk.world() as world:
        assert study_bill(world).known == BILLED * (RECORDS + 1)


def line_comes_late(desk: Desk, shard: ShardFact) -> None:
    """The output in the bucket is whole now, and what was kept of it is read no more."""
    for file in (desk.study.home / ".overnight" / "raw" / shard.label).glob("*.gz"):
        file.unlink()
    job = desk.backend.jobs[shard.job_name]
    desk.backend._finish(job)


class TestLostReply:
    def test_what_was_given_up_as_not_made_stays_reserved_until_its_job_is_adopted(self, desk: Desk) -> None:
        backend = desk.backend
        assert isinstance(backend, Placed)
        backend.lose_reply, backend.hidden = 1, True
        with pytest.raises(OvernightError, match="no reply"):
            run(desk)
        (doubtful,) = shards(desk)
        assert committed(desk) == doubtful.reserved
        run(desk, resubmit=True)
        backend.hidden = False
        given_up, made = shards(desk)
        assert (given_up.state, given_up.kept) == ("abandoned", doubtful.reserved)
        assert committed(desk) == BILLED * RECORDS + kept_of(given_up)
        (name,) = [job.status.name for job in backend.jobs.values() if job.labels["overnight-job"] == given_up.label]
        with desk.world() as world:
            adopt(world, name)
        assert committed(desk) == BILLED * RECORDS + kept_of(given_up), "now as the adopted job's worst case"
        run(desk)
        assert committed(desk) == BILLED * RECORDS * 2, "both jobs are billed, and nothing is kept"
        assert made.kept == Usd()


def kept_of(shard: ShardFact) -> Usd:
    assert shard.kept is not None
    return shard.kept


class TestAdopted:
    def make(self, desk: Desk, *, others: int = 0, limited: bool = True) -> str:
        """A job made by hand of what the study asks, and of other texts; its name."""
        backend = desk.backend
        asked = SmallStudy.of(desk.study.home.with_name("asked"), RECORDS, model=MODEL, more=CLOUD)
        asked.texts |= {"r0": LONG} | {f"other{n}": f"Something else, {n}." for n in range(others)}
        asked.write()
        other = Desk(asked, Placed(GOOD), TwoStages(qa=False))
        other.run(yes=True, smoke=False)
        (lines,) = other.backend.inputs.values()
        place = Place("memory", "p", "global", "by-hand", "by/hand/in", "by/hand/out")
        backend.inputs[place.input] = lines if limited else [without_limit(line) for line in lines]
        status = JobStatus("memory/jobs/77", "JOB_STATE_PENDING", create_time="2026-11-22T00:00:00Z")
        backend.jobs[status.name] = MemoryJob(status, {"overnight-job": ""}, place, 2, MODEL)
        return status.name

    def test_a_row_that_is_missing_keeps_the_worst_case_of_the_longest(self, desk: Desk) -> None:
        name = self.make(desk)
        with desk.world() as world:
            adopt(world, name)
        desk.backend.answer = lost_the_long_one
        with desk.world() as world:
            loop.fetch(world, Options())
            loop.fetch(world, Options())
        (shard,) = shards(desk)
        assert (shard.state, shard.billed, kept(shard)) == ("collected", BILLED * (RECORDS - 1), shard.row)

    def test_lines_of_no_record_are_reserved_for_too(self, desk: Desk) -> None:
        """They are billed as well: 50 of them may cost more than the study's own twelve."""
        name = self.make(desk, others=50)
        with desk.world() as world:
            assert adopt(world, name).others == 50
        (shard,) = shards(desk)
        assert shard.row is not None
        asked = [json.loads(line)["request"] for line in desk.backend.inputs["by/hand/in"]]
        (room,) = {request["generationConfig"]["maxOutputTokens"] for request in asked}
        assert shard.reserved is not None
        assert shard.reserved.amount > (RECORDS + 50) * room * Decimal("0.000005")

    def test_lines_that_set_no_limit_to_their_answer_may_cost_all_that_the_model_can_write(self, desk: Desk) -> None:
        name = self.make(desk, limited=False)
        with desk.world() as world:
            adopt(world, name)
            most = world.model.max_output_tokens
        (shard,) = shards(desk)
        assert shard.reserved is not None
        assert shard.reserved.amount > RECORDS * most * Decimal("0.000005")


def without_limit(line: bytes) -> bytes:
    fields = json.loads(line)
    del fields["request"]["generationConfig"]["maxOutputTokens"]
    return json.dumps(fields).encode() + b"\n"


class TestRecovered:
    def recover(self, desk: Desk, prices: PriceList, now: datetime) -> None:
        with desk.world() as world:
            home = world.home
        home.ledger.rename(home.ledger.with_name("lost.sqlite"))
        assert isinstance(desk.backend, Placed)
        rebuild(Site(desk.study.name, "google", home, desk.backend, prices, lambda: now, silent))

    @pytest.mark.parametrize("later_days", [0, 30])
    def test_a_rebuilt_ledger_holds_at_least_what_the_lost_one_held(self, desk: Desk, later_days: int) -> None:
        """Also where the model is cheaper by then."""
        with desk.world() as world:
            price = world.prices.price(MODEL, date(2026, 11, 22))
            assert price is not None
            dear = replace(price, valid_from=date(2026, 1, 1), valid_until=date(2026, 11, 30))
            cheap = replace(price, valid_from=date(2026, 12, 1), valid_until=None, output_usd_per_mtok=Decimal(1))
            world.prices = PriceList((dear, cheap))
            loop.run(world, Options(yes=True, smoke=False, detach=True))
        (lost,) = shards(desk)
        before = committed(desk)
        assert before == lost.reserved != Usd()
        self.recover(desk, PriceList((dear, cheap)), datetime(2026, 11, 22, tzinfo=UTC) + timedelta(days=later_days))
        (found,) = shards(desk)
        assert committed(desk) == before
        assert (found.reserved, found.row) == (lost.reserved, lost.row)

    def test_and_a_row_that_is_missing_keeps_the_worst_case_of_the_longest(self, desk: Desk) -> None:
        desk.backend.answer, desk.backend.end = lost_the_long_one, "JOB_STATE_EXPIRED"
        run(desk)
        before = committed(desk)
        with desk.world() as world:
            prices = world.prices
        self.recover(desk, prices, datetime(2026, 11, 22, tzinfo=UTC))
        with desk.world() as world:
            loop.fetch(world, Options())
        assert committed(desk) == before


def test_what_google_keeps_is_nothing_to_the_stand_in_nor_the_other_way_round(desk: Desk) -> None:
    desk.backend.answer = lost_the_long_one
    run(desk)
    on_google = committed(desk)
    desk.study.more = ""
    desk.study.write()
    assert committed(desk, "stand-in") == Usd()
    desk.run()
    assert committed(desk) == on_google
    (there,) = shards(desk, "stand-in")
    assert committed(desk, "stand-in") == BILLED * (RECORDS - 1) + kept(there)
