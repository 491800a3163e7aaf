"""Lines of one job that were served before and after midnight UTC, at a price that changes then: each at its own day's,
over HTTP, from `plan` to cost.csv."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.cloud import SWIFT, instead_of_a_child
from tests.support.google_cli import in_place_of_google
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy

RECORDS = 20
MODEL = "gemini-3.5-flash-lite"
DAY = timedelta(days=1)
ROW = """\
[[price]]
model = "{model}"
input = "{rate}"
output = "{rate}"
cached = "{rate}"
valid_from = {day}
valid_until = {day}
checked = {day}
"""


def rates_from(today: date) -> dict[date, Decimal]:
    """Of input and output alike. Dearer each day, so that it does not matter when midnight really is."""
    return {today + n * DAY: Decimal(3 + n) for n in range(-2, 15)}


@pytest.fixture
def google(tmp_path: Path) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path / "google", **SWIFT, model_version_suffix="")
    cloud.bucket("my-bucket")
    with instead_of_a_child(cloud), in_place_of_google(cloud.endpoint):
        yield cloud
    cloud.stop()


def test_each_line_of_a_job_that_crosses_midnight_has_the_price_of_its_own_day(
    google: LocalCloud, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    rates = rates_from(today)
    study = SmallStudy.of(tmp_path / "study", RECORDS, model=MODEL, more=CLOUD + "models: mine.toml\n")
    rows = [ROW.format(model=MODEL, rate=rate, day=day) for day, rate in rates.items()]
    (study.home / "mine.toml").write_text("\n".join(rows), encoding="utf-8")
    planned = study.cli("plan", "--json")
    assert planned.code == 0, planned.err
    said = planned.json
    assert (today + DAY).isoformat() in {one["from"] for one in said["estimate"]["price_changes"]}
    assert f"From {today + DAY} this costs 1.3 times as much" in study.cli("plan").out

    with Plans(google) as plans:
        plans.add("next", "line_repeated_otherwise", {"later_s": DAY.total_seconds()}, {"every": 3})
        plans.add("before", "line_repeated_otherwise", {"later_s": -DAY.total_seconds()}, {"every": 4})
        ended = study.cli("run", "--yes", "--no-smoke", "--json")
    assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err

    lines = [
        json.loads(line)
        for kept in (study.home / ".overnight" / "raw").glob("*/*.gz")
        for line in gzip.decompress(kept.read_bytes()).splitlines()
    ]
    assert len(lines) > RECORDS
    by_day = Counter[date]()
    for line in lines:
        usage = line["response"]["usageMetadata"]
        names = "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"
        by_day[date.fromisoformat(line["processed_time"][:10])] += sum(usage.get(name, 0) for name in names)
    truth = {day.isoformat(): tokens * rates[day] / 1_000_000 for day, tokens in by_day.items()}
    assert len(truth) >= 3, "the day before, the day and the day after"

    with (study.home / "results" / "cost.csv").open(newline="", encoding="utf-8-sig") as file:
        billed = [row for row in csv.DictReader(file) if row["cost_usd"]]
    found = dict.fromkeys(truth, Decimal())
    for row in billed:
        found[row["day"]] += Decimal(row["cost_usd"])
        assert row["price_from"] == row["day"], "each day has a price of its own"
    assert found == truth
    assert Decimal(ended.json["cost_usd"]) == sum(truth.values())
