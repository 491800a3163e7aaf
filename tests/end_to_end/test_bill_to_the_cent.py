"""Cap and bill of a run in which much goes wrong agree to the last digit with DuckDB over the raw output, added up in
SQL with prices typed by hand."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.between import stand_between
from tests.support.cloud import SWIFT, instead_of_a_child
from tests.support.google_cli import in_place_of_google
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy

RECORDS = 1_000
LIMIT = "20"
LATE = (100, 200, 300)
"""Rows of the first job whose lines come only when they were asked again: one of the two answers is surplus."""

BILL = """
WITH counted AS (
  SELECT DISTINCT line, file FROM (
    SELECT json AS line, filename AS file FROM read_ndjson_objects($raw, filename = true, ignore_errors = true)
  )
), tokens AS (
  SELECT
    CAST(line->>'$.response.usageMetadata.promptTokenCount' AS BIGINT) AS prompt,
    coalesce(CAST(line->>'$.response.usageMetadata.cachedContentTokenCount' AS BIGINT), 0) AS cached,
    coalesce(CAST(line->>'$.response.usageMetadata.thoughtsTokenCount' AS BIGINT), 0) AS thinking,
    coalesce(CAST(line->>'$.response.usageMetadata.candidatesTokenCount' AS BIGINT), 0) AS answer
  FROM counted WHERE line->>'$.response.usageMetadata.promptTokenCount' IS NOT NULL
)
SELECT count(*), sum(cached), sum(thinking), sum(
  (prompt - cached) * CAST($input AS DECIMAL(9, 4)) + cached * CAST($cached AS DECIMAL(9, 4))
  + (thinking + answer) * CAST($output AS DECIMAL(9, 4))
) FROM tokens
"""
"""Amounts in millionths of a dollar. A line that is there twice to the byte was served once."""
BATCH = {"input": "0.15", "cached": "0.015", "output": "1.25"}
STANDARD = {"input": "0.30", "cached": "0.03", "output": "2.50"}
"""gemini-3.5-flash-lite, US dollars per million tokens, from 2026-10-07 on (docs/reference/models-and-prices.md)."""


@pytest.fixture
def google(tmp_path: Path) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path / "google", **SWIFT, model_version_suffix="", cache_from_tokens=8)
    cloud.bucket("my-bucket")
    with instead_of_a_child(cloud), in_place_of_google(cloud.endpoint):
        yield cloud
    cloud.stop()


def by_hand(raw: str, prices: Mapping[str, str]) -> tuple[int, int, int, Decimal]:
    """(lines served, cached and thinking tokens, US dollars)."""
    lines, cached, thinking, millionths = duckdb.execute(BILL, {"raw": raw, **prices}).fetchone() or (0, 0, 0, 0)
    return int(lines), int(cached), int(thinking), Decimal(millionths) / 1_000_000


def go_wrong(plans: Plans) -> None:
    plans.add("failed", "row_failed", {"code": 500}, {"every": 50})
    plans.add("blocked", "prompt_blocked", None, {"every": 71})
    plans.add("cut", "max_tokens", None, {"every": 83}, {"times": 12})
    plans.add("late", "line_missing", None, {"rows": list(LATE), "ordinal": 1})
    plans.add("copies", "line_repeated", None, {"every": 37})
    plans.add("twice", "line_repeated_otherwise", None, {"every": 90})
    plans.add("half", "half_line", None, {"rows": [401], "ordinal": 1})


def bring_late_lines(study: SmallStudy, google: LocalCloud) -> None:
    """Missing lines come into the kept output of the first job, as the service might have written them."""
    ((label, place),) = study.query("SELECT label, place FROM shard WHERE id = 1")
    where = json.loads(place)
    asked = google.download(where["bucket"], where["input"]).splitlines()
    (kept,) = (study.home / ".overnight" / "raw" / label).glob("*.gz")
    lines = gzip.decompress(kept.read_bytes()).splitlines()
    example = next(line for line in map(json.loads, lines[:5]) if line["response"].get("candidates"))
    for row in LATE:
        sent = json.loads(asked[row - 1])
        late = {**example, "key": sent["key"], "request": sent["request"]}
        lines.append(json.dumps(late).encode())
    kept.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))


def cost_file(study: SmallStudy) -> list[dict[str, str]]:
    with (study.home / "results" / "cost.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_estimate_cap_and_bill_agree_with_duckdb_over_the_raw_output(
    google: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = SmallStudy.of(tmp_path / "study", RECORDS, more=CLOUD + f"budget: {{limit_usd: {LIMIT}}}\n")
    replies: list[str] = []

    def keep(number: int, reply: Mapping[str, Any]) -> Mapping[str, Any]:
        replies.append(json.dumps({"number": number, "response": reply}))
        return reply

    stand_between(monkeypatch, reply=keep)
    said = study.cli("plan", "--json").json["cost_usd"]
    with Plans(google) as plans:
        go_wrong(plans)
        assert study.cli("run", "--yes", "--detach", "--json").code == 0
        plans.add("second", "stuck_in_queue", None, {"ordinal": 2})
        again = study.cli("run", "--yes", "--detach", "--json")  # collects the first job and sends what has to be again
        assert (again.code, again.json["requests_in_flight"] > 0) == (0, True), again.err
        bring_late_lines(study, google)
        assert study.cli("fetch", "--reparse", "--json").code == 0
        plans.remove("second")
        ended = study.cli("run", "--yes", "--json")
    assert ended.code in {0, 1}, ended.err
    closing = ended.json
    assert (closing["open"], closing["requests_in_flight"], closing["strays_by_kind"]["surplus"]) == (0, 0, len(LATE))
    assert closing["strays_by_kind"]["duplicate"] > 20
    assert closing["problems"]["blocked"] > 0

    smoke = tmp_path / "smoke.jsonl"
    smoke.write_text("\n".join(replies), encoding="utf-8")
    n, cached, thinking, jobs = by_hand(str(study.home / ".overnight" / "raw" / "*" / "*.gz"), BATCH)
    n_smoke, cached_smoke, thinking_smoke, asked = by_hand(str(smoke), STANDARD)
    assert (n > RECORDS, n_smoke, cached > 0, thinking > 0) == (True, 2, True, True)

    bill = Decimal(closing["cost_usd"])
    assert bill == jobs + asked, "the study's cost is what the raw output comes to"
    assert Decimal(closing["smoke_usd"]) == asked
    assert Decimal(closing["budget_usd"]["spent"]) == bill, "the cap counts the same"
    assert closing["bill"]["tokens"]["cached"] == cached + cached_smoke
    assert closing["bill"]["tokens"]["thinking"] == thinking + thinking_smoke
    settled = study.query("SELECT billed_usd FROM shard WHERE billed_usd IS NOT NULL")
    assert sum(Decimal(amount) for (amount,) in settled) == jobs
    rows = cost_file(study)
    assert sum(Decimal(row["cost_usd"] or 0) for row in rows) == bill
    assert {row["kind"] for row in rows} >= {"answer", "blocked", "truncated", "surplus", "duplicate", "smoke"}
    assert sum(int(row["thinking_tokens"] or 0) for row in rows) == thinking + thinking_smoke

    assert closing["bill"]["estimate_usd"]["worst"] == said["worst"], "what was said before is what is kept"
    assert closing["bill"]["estimate_usd"]["expected"] == said["expected"]
    kept = Decimal(closing["budget_usd"]["reserved"])
    assert kept > 0, "the half line's row was answered later; what the first serving cost is not known"
    assert bill + kept <= Decimal(said["worst"]) * 2 <= Decimal(LIMIT) * 2
