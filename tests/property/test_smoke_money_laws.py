"""Law: in whatever order rows asked at once and jobs come, and however they end, what is committed passes no cap."""

import contextlib
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from overnight.core.recipe import Part, Recipe
from overnight.core.usage import Usage, Usd
from overnight.ledger.ledger import Ledger
from overnight.ledger.shards import Cap, Place
from overnight.ledger.smokes import Tried

NOW = "2026-11-22T00:00:00Z"
RECIPE = Recipe("answer", "", (Part("text", "Who?"),), {"type": "object"}, {}, "own")
TRIED = Tried("google", "p/global", "gemini-3.5-flash-lite", RECIPE)
PLACE = Place("vertex-storage", "p", "global", "b", "in", "out")
CENTS = st.integers(1, 60).map(lambda cents: Usd(Decimal(cents) / 100))
SHARES = st.integers(0, 100).map(lambda percent: Decimal(percent) / 100)
ENDS = st.sampled_from(("billed", "kept", "free", "never"))
STEPS = st.lists(st.tuples(st.sampled_from(("row", "job")), CENTS, ENDS, SHARES), max_size=14)


@contextlib.contextmanager
def new_ledger() -> Iterator[Ledger]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger.sqlite", study="s", now=NOW) as ledger,
    ):
        yield ledger


def ask_a_row(ledger: Ledger, worst: Usd, end: str, share: Decimal, caps: list[Cap]) -> None:
    row = ledger.smokes.reserve(TRIED, bytes(16), worst, caps, NOW)
    if row is None or end == "never":
        return
    billed = worst * share if end == "billed" else None
    usage = Usage(1, 0, 0, 1) if end == "billed" else Usage()
    ledger.smokes.end(row, now=NOW, passed=False, kind=None, detail="", usage=usage, billed=billed, keep=end == "kept")


def send_a_job(ledger: Ledger, number: int, worst: Usd, end: str, caps: list[Cap]) -> None:
    with ledger.transaction():
        ledger.recipes.store(RECIPE)
    shard = ledger.shards.intend(
        realm="google",
        stage="answer",
        recipe=RECIPE.digest,
        model=TRIED.model,
        max_output_tokens=1,
        label=f"l{number}",
        place=PLACE,
        now=NOW,
    )
    ledger.shards.staged(shard, [], 1)
    refused = ledger.shards.submitting(shard, worst, caps) is not None
    if refused or end == "free":
        ledger.shards.abandon(shard)
    elif end == "kept":
        ledger.shards.abandon(shard, may_bill=True)


@settings(max_examples=60, deadline=None)
@given(STEPS, CENTS, CENTS, st.integers(0, 8))
def test_committed_never_passes_the_limit_nor_the_cap_of_a_run(
    steps: list[tuple[str, Usd, str, Decimal]], limit: Usd, of_this_run: Usd, begins_at: int
) -> None:
    with new_ledger() as ledger:
        caps = [Cap(limit)]
        for number, (what, worst, end, share) in enumerate(steps):
            before = ledger.shards.committed("google", since=ledger.shards.next_number())
            if number == begins_at and before <= of_this_run:
                caps.append(Cap(of_this_run, since=ledger.shards.next_number()))
            if what == "row":
                ask_a_row(ledger, worst, end, share, caps)
            else:
                send_a_job(ledger, number, worst, end, caps)
            for cap in caps:
                assert ledger.shards.committed("google", since=cap.since) <= cap.limit


@settings(max_examples=30, deadline=None)
@given(CENTS, ENDS, SHARES)
def test_a_row_commits_its_worst_case_until_it_is_known_how_it_ended(worst: Usd, end: str, share: Decimal) -> None:
    with new_ledger() as ledger:
        ask_a_row(ledger, worst, end, share, [])
        wanted = {"billed": worst * share, "kept": worst, "free": Usd(), "never": worst}[end]
        assert ledger.shards.committed("google") == wanted
        assert ledger.smokes.unended(TRIED) == ([worst] if end == "never" else [])
        assert ledger.bills.spent("google") == (wanted if end == "billed" else Usd())
