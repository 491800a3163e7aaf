"""What a job that was collected is settled at: its bill, and what stays reserved for rows whose cost nobody knows."""

from decimal import Decimal

import pytest

from overnight.core.outcome import ProblemKind, StrayKind
from overnight.core.usage import NO_USAGE, Usage, Usd
from overnight.ledger.shards import Place, ShardFact
from overnight.pricing.prices import BATCH
from overnight.run.bill import ANSWER, Billed, Why
from overnight.run.settled import settled_amounts

PLACE = Place("vertex-storage", "p", "global", "b", "in", "out")


def job(n_rows: int, reserved: str, row: str | None) -> ShardFact:
    of_row = None if row is None else Usd(row)
    return ShardFact(
        1, "google", "answer", "r", "m", 9, "collected", "l", PLACE, "", n_rows, 1, Usd(reserved), None, None, "", "j",
        None, cancelled=False, collected="", lines=0, breaker="", adopted=False, repeats=False, row=of_row,
    )  # fmt: skip


def rows(kind: str, n: int, cost: str | None, why: Why | None = None) -> Billed:
    amount, usage = (None, NO_USAGE) if cost is None else (Usd(cost), Usage(1, 0, 0, 1))
    line = ("", 1, "j", "answer", "r", "m", "m", "2026-11-22", BATCH, "global", kind, n, usage)
    return Billed(*line, cost=amount, why=why)


LOST = ProblemKind.MISSING.value


def test_an_unknown_row_may_have_been_the_dearest() -> None:
    """Ten rows at worst a dollar and twenty cents: one of them eighty, the others about four cents each."""
    settled = settled_amounts(job(10, "1.20", "0.80"), [rows(ANSWER, 9, "0.10"), rows(LOST, 1, None, Why.NO_LINE)])
    assert settled == (Usd("0.10"), Usd("0.80"))


@pytest.mark.parametrize("row", ["0.80", None])
def test_billed_and_kept_never_pass_the_reservation(row: str | None) -> None:
    """A line that lost its key is billed as a stray, and its row has no line: one serving, counted once."""
    stray = rows(StrayKind.UNIDENTIFIED.value, 3, "0.90")
    billed, kept = settled_amounts(job(3, "1.20", row), [stray, rows(LOST, 3, None, Why.NO_LINE)])
    assert (billed, kept) == (Usd("0.90"), Usd("0.30"))


def test_nothing_is_kept_where_all_is_known_or_the_bill_took_all() -> None:
    assert settled_amounts(job(2, "1.20", "0.80"), [rows(ANSWER, 2, "0.10")]) == (Usd("0.10"), Usd())
    dearer = [rows(ANSWER, 1, "1.50"), rows(LOST, 1, None, Why.NO_LINE)]  # by a price that was corrected since
    assert settled_amounts(job(2, "1.20", "0.80"), dearer) == (Usd("1.50"), Usd())


def test_without_the_longest_row_each_keeps_its_even_share() -> None:
    """Jobs of earlier versions."""
    settled = settled_amounts(job(4, "1.20", None), [rows(ANSWER, 3, "0.10"), rows(LOST, 1, None, Why.NO_LINE)])
    assert settled == (Usd("0.10"), Usd("1.20") * Decimal("0.25"))
