"""The bill over a whole run with a backend in memory: days, tiers, lines that failed, what is unknown, prices anew."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from overnight.core.usage import Usd
from overnight.pricing.prices import Price, PriceList, packaged_prices
from overnight.run import loop
from overnight.run.bill import Why
from overnight.run.billing import study_bill
from overnight.run.plan import make_plan
from overnight.run.publish import Closing
from overnight.run.world import Options
from tests.contract.test_run_loop import RECORDS, Desk, desk, forgiving, length
from tests.support.memory_backend import Line, MemoryBackend, answers, prompt_of

__all__ = ["desk"]  # a fixture

MODEL = "gemini-4-argon"
BEFORE, AFTER = Decimal("0.0001750"), Decimal("0.000350")
"""One line of 100 prompt and 15 output tokens of gemini-4-argon in batch, by hand: 100 · 1.00 + 15 · 5.00 = 175
millionths of a dollar until 2026-11-30; 100 · 2.00 + 15 · 10.00 = 350 from 2026-12-01 on."""


def served(line: Line, **changes: Any) -> Line:
    return {**(answers(length, model=MODEL)(line) or {}), **changes}


@dataclass
class Days(MemoryBackend):
    """Lines are served at these times, in turn; "" is a line without one. ended: endTime of the job."""

    times: Sequence[str] = ()
    ended: str = ""
    _turn: Iterator[str] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        self._turn = cycle(self.times)
        self.answer = self._answer

    def _answer(self, line: Line) -> Line:
        when = next(self._turn)
        return served(line, processed_time=when) if when else served(line, processed_time=None)

    def poll(self, place: Any, job: str) -> Any:
        return replace(super().poll(place, job), end_time=self.ended)


def asking_argon(desk: Desk) -> None:
    desk.study.model = MODEL
    desk.study.write()


def cost_rows(desk: Desk) -> list[dict[str, str]]:
    with (desk.study.home / "stand-in" / "cost.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def added_up(rows: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(row["cost_usd"] or 0) for row in rows), Decimal())


def total(closing: Closing) -> Decimal:
    assert closing.cost is not None
    return closing.cost.amount


class TestMidnight:
    def test_each_line_of_a_run_that_crosses_a_price_change_is_billed_by_its_own_day(self, desk: Desk) -> None:
        asking_argon(desk)
        late, early = "2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00Z"
        desk.backend = Days(answers(length), times=(late, early, late), ended="2026-12-01T03:00:00Z")
        closing = desk.run()
        assert total(closing) == 8 * BEFORE + 4 * AFTER == Decimal("0.0028")
        by_day = {row["day"]: (row["lines"], row["price_from"], row["cost_usd"]) for row in cost_rows(desk)}
        assert by_day == {
            "2026-11-30": ("8", "2026-10-13", "0.0014"),
            "2026-12-01": ("4", "2026-12-01", "0.0014"),
        }
        assert sorted(desk.column("cost_usd")) == ["0.000175"] * 8 + ["0.00035"] * 4

    def test_a_day_is_that_of_utc_whatever_offset_the_time_has(self, desk: Desk) -> None:
        asking_argon(desk)
        times = ("2026-12-01T00:59:59+01:00", "2026-11-30T19:00:00-05:00")
        desk.backend = Days(answers(length), times=times, ended="2026-12-01T03:00:00Z")
        assert total(desk.run()) == 6 * BEFORE + 6 * AFTER

    @pytest.mark.parametrize(
        ("ended", "one"), [("2026-11-30T23:00:00Z", BEFORE), ("2026-12-01T00:00:01Z", AFTER), ("", BEFORE)]
    )
    def test_a_line_without_a_time_has_the_day_its_job_ended_else_that_it_was_collected(
        self, desk: Desk, ended: str, one: Decimal
    ) -> None:
        asking_argon(desk)
        desk.backend = Days(answers(length), times=("",), ended=ended)
        assert total(desk.run()) == RECORDS * one
        assert set(desk.column("cost_usd")) == {f"{one.normalize():f}"}

    @pytest.mark.parametrize("odd", ["now", "12", "soon", "2026-11-31", "2026-99-99T00:00:00Z"])
    def test_a_time_that_is_none_is_no_day(self, desk: Desk, odd: str) -> None:
        asking_argon(desk)
        desk.backend = Days(answers(length), times=(odd,), ended="2026-12-01T00:00:01Z")
        assert total(desk.run()) == RECORDS * AFTER

    def test_a_stray_has_the_price_of_its_own_day_too(self, desk: Desk) -> None:
        asking_argon(desk)
        desk.backend = Twice(answers(length), second="2026-12-01T00:00:00Z")
        closing = desk.run()
        assert closing.strays.total() == RECORDS
        assert total(closing) == RECORDS * (BEFORE + AFTER)

    def test_looking_again_on_a_later_day_changes_no_bill(self, desk: Desk) -> None:
        asking_argon(desk)
        desk.backend = Days(answers(length), times=("",))
        first = total(desk.run())
        desk.time.sleep(timedelta(days=40).total_seconds())
        assert total(desk.run()) == first == RECORDS * BEFORE
        assert not any("anew" in line for line in desk.told)


@dataclass
class Twice(MemoryBackend):
    """Each row served twice, with different answers: the second time on another day."""

    second: str = ""

    def _finish(self, job: Any) -> None:
        lines = []
        self.answer = lambda line: served(line, processed_time="2026-11-30T23:00:00Z")
        super()._finish(job)
        lines.append(self.outputs_[job.place.output])
        other = answers(lambda prompt: {"n": len(prompt) + 1}, model=MODEL)
        self.answer = lambda line: {**(other(line) or {}), "processed_time": self.second}
        super()._finish(job)
        self.outputs_[job.place.output] = b"".join([*lines, self.outputs_[job.place.output]])


class TestWhatIsBilled:
    def test_a_line_with_counts_is_billed_also_when_it_failed(self, desk: Desk) -> None:
        asking_argon(desk)
        desk.study.attempts = 1
        desk.study.write()

        def some_cut(line: Line) -> Line:
            found = served(line)
            if prompt_of(line).endswith("0. On the night shift they took planned naps."):
                return found
            if "did not nap" in prompt_of(line):
                found["response"]["candidates"][0]["finishReason"] = "MAX_TOKENS"
            return found

        desk.backend = MemoryBackend(some_cut)
        closing = desk.run()
        assert closing.problems.total() > 0
        assert total(closing) == RECORDS * BEFORE
        kinds = {row["kind"]: int(row["lines"]) for row in cost_rows(desk)}
        assert kinds == {"answer": closing.answers, "truncated": closing.problems.total()}

    def test_cached_tokens_have_their_own_price_and_what_they_saved_is_said(self, desk: Desk) -> None:
        asking_argon(desk)

        def cached(line: Line) -> Line:
            found = served(line)
            found["response"]["usageMetadata"]["cachedContentTokenCount"] = 40
            return found

        desk.backend = MemoryBackend(cached)
        closing = desk.run()
        assert closing.bill is not None
        assert total(closing) == RECORDS * Decimal("0.000137")  # 60 · 1.00 + 40 · 0.05 + 15 · 5.00 millionths
        assert closing.bill.by_caching == Usd(RECORDS * Decimal("0.000038"))  # 40 · (1.00 − 0.05)

    def test_a_line_has_the_price_of_the_model_that_served_it_not_of_the_one_asked(self, desk: Desk) -> None:
        asking_argon(desk)
        desk.backend = MemoryBackend(answers(length, model="gemini-3.8-flash"))
        closing = desk.run()
        assert total(closing) == RECORDS * Decimal("0.000065625")  # 100 · 0.375 + 15 · 1.875 millionths
        assert {(row["model_asked"], row["model_served"]) for row in cost_rows(desk)} == {(MODEL, "gemini-3.8-flash")}

    def test_surplus_is_billed(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first job's answers were not of the form asked for, the second one is under way, and then they are."""
        asking_argon(desk)
        bad = answers(lambda prompt: {"n": str(len(prompt))}, model=MODEL)
        desk.backend = MemoryBackend(
            lambda line: (bad if line["key"].endswith("-a1") and "nurses" in prompt_of(line) else served)(line)
        )
        desk.run(detach=True)
        desk.backend.looks = 9
        again = desk.run(detach=True).in_flight
        assert 0 < again < RECORDS
        with monkeypatch.context() as patched, desk.world() as world:
            patched.setattr("overnight.run.collect.validator", forgiving)
            loop.fetch(world, Options(), again=True)
        closing = desk.run()
        assert closing.strays == {"surplus": again}
        assert total(closing) == (RECORDS + again) * BEFORE
        assert added_up(cost_rows(desk)) == total(closing)

    def test_a_long_prompt_has_the_tier_of_its_own_request(self, desk: Desk) -> None:
        desk.study.model = "gemini-3.1-pro-preview"
        desk.study.write()
        found = packaged_prices().price("gemini-3.1-pro-preview", date(2026, 11, 22))
        if found is None or found.over_200k is None:
            pytest.skip("no model with a tier in the table")
        sizes = cycle((200_000, 200_001))

        def long(line: Line) -> Line:
            answered = answers(length, model="gemini-3.1-pro-preview")(line) or {}
            answered["response"]["usageMetadata"]["promptTokenCount"] = next(sizes)
            return answered

        desk.backend = MemoryBackend(long)
        closing = desk.run()
        short = 200_000 * found.input_usd_per_mtok + 15 * found.output_usd_per_mtok
        dear = 200_001 * found.over_200k.input_usd_per_mtok + 15 * found.over_200k.output_usd_per_mtok
        assert total(closing) == (short + dear) * RECORDS / 2 / 1_000_000

    def test_equal_texts_are_asked_once_and_what_that_saved_is_said(self, desk: Desk) -> None:
        desk.study.texts |= {f"again{n}": desk.study.texts["r1"] for n in range(3)}
        asking_argon(desk)
        desk.backend = MemoryBackend(served)
        closing = desk.run()
        assert closing.bill is not None
        assert (closing.answers, closing.bill.shared) == (RECORDS + 3, Usd(3 * BEFORE))
        assert total(closing) == RECORDS * BEFORE

    def test_cost_csv_adds_up_to_the_study_and_says_that_it_is_simulated(self, desk: Desk) -> None:
        asking_argon(desk)
        desk.backend = Twice(answers(length), second="2026-12-01T00:00:00Z")
        closing = desk.run()
        rows = cost_rows(desk)
        assert added_up(rows) == total(closing)
        assert {row["simulated"].lower() for row in rows} == {"true"}
        assert {row["kind"] for row in rows} == {"answer", "duplicate"}
        assert {row["price_source"] for row in rows if row["cost_usd"]} != {""}
        assert set(desk.column("cost_simulated")) == {rows[0]["simulated"]}


class TestUnknown:
    def test_lines_without_counts_are_counted_and_never_zero(self, desk: Desk) -> None:
        asking_argon(desk)

        def silent(line: Line) -> Line:
            found = served(line)
            del found["response"]["usageMetadata"]
            return found

        desk.backend = MemoryBackend(silent)
        closing = desk.run()
        assert closing.bill is not None
        assert closing.bill.unknown == {Why.NO_COUNTS: RECORDS}
        assert [(row["cost_usd"], row["why_no_cost"], row["prompt_tokens"]) for row in cost_rows(desk)] == [
            ("", "no_counts", "")
        ]
        with desk.world() as world:
            (shard,) = world.ledger.shards.all(world.realm)
            assert shard.kept == shard.reserved != Usd()

    def test_a_price_that_is_added_later_bills_what_was_unknown_and_frees_what_was_kept(self, desk: Desk) -> None:
        desk.backend = MemoryBackend(answers(length, model="gemini-test"))
        assert desk.run().cost is None
        own = replace(a_price(), model="gemini-test", input_usd_per_mtok=Decimal(3), output_usd_per_mtok=Decimal(4))
        with desk.world() as world:
            world.prices = world.prices.with_own([own])
            closing = loop.run(world, Options())
            assert total(closing) == RECORDS * Decimal("0.00036")  # 100 · 3 + 15 · 4 millionths
            (shard,) = world.ledger.shards.all(world.realm)
            assert (shard.billed, shard.kept) == (closing.cost, Usd())
            assert world.ledger.shards.committed(world.realm) == closing.cost
        assert any("billed anew" in line for line in desk.told)

    def test_a_corrected_price_corrects_what_was_settled(self, desk: Desk) -> None:
        asking_argon(desk)
        desk.backend = MemoryBackend(served)
        assert total(desk.run()) == RECORDS * BEFORE
        with desk.world() as world:
            world.prices = PriceList(tuple(replace(row, input_usd_per_mtok=Decimal(9)) for row in world.prices))
            assert study_bill(world).known == Usd(RECORDS * Decimal("0.000975"))
            assert world.ledger.bills.spent(world.realm) == Usd(RECORDS * BEFORE), "looking changes nothing"
            loop.run(world, Options())
            assert world.ledger.bills.spent(world.realm) == Usd(RECORDS * Decimal("0.000975"))


def a_price() -> Price:
    found = packaged_prices().price(MODEL, date(2026, 11, 22))
    assert found is not None
    return replace(found, valid_from=date(2026, 1, 1), valid_until=None)


class TestBefore:
    def test_what_was_expected_is_kept_and_stands_beside_the_bill(self, desk: Desk) -> None:
        asking_argon(desk)
        desk.backend = MemoryBackend(served)
        with desk.world() as world:
            planned = make_plan(world)
        closing = desk.run()
        assert closing.bill is not None
        assert closing.bill.before is not None
        assert planned.expected is not None
        assert (closing.bill.before.expected, closing.bill.before.worst) == (planned.expected, planned.worst)
        again = desk.run()
        assert again.bill is not None
        assert again.bill.before == closing.bill.before, "a run that sends nothing says nothing new"

    def test_runs_are_told_apart_by_when_they_began(self, desk: Desk) -> None:
        asking_argon(desk)
        desk.backend = MemoryBackend(served)
        desk.run()
        desk.time.sleep(3_600)
        desk.study.texts["new"] = "One more."
        desk.study.write()
        desk.run()
        runs = [row["run"] for row in cost_rows(desk)]
        assert len(set(runs)) == 2
        first, second = (datetime.fromisoformat(run) for run in runs)
        assert second - first >= timedelta(hours=1)
        assert first.tzinfo == UTC


def test_a_settled_amount_that_is_not_the_sum_of_its_lines_publishes_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking_argon(desk)
    desk.backend = MemoryBackend(served)
    desk.run()
    before = (tmp_path / "stand-in" / "results.csv").read_bytes()
    with desk.world() as world:
        with world.ledger.transaction() as db:
            db.execute("UPDATE shard SET billed_usd = '7'")
        monkeypatch.setattr(loop, "settle_anew", lambda _: None)
        with pytest.raises(Exception, match="its lines come to") as stopped:
            loop.run(world, Options())
    assert type(stopped.value).__name__ == "AccountingError"
    assert (tmp_path / "stand-in" / "results.csv").read_bytes() == before
