"""Every number of a screen is made again by DuckDB from the raw output: verdicts, votes, decisions, counts, cost."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overnight.demo.example import example_files
from tests.support.cloud import SWIFT, instead_of_a_child
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.office import needs_office, opened_in_calc
from tests.support.person import csv_rows
from tests.support.screening_numbers import check_numbers
from tests.support.studies import SmallStudy

BATCH = {"input": "0.375", "cached": "0.0375", "output": "1.875"}
"""gemini-3.8-flash, US dollars per million tokens, from 2026-10-07 on (docs/reference/models-and-prices.md)."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud") / "data", **SWIFT)
    with instead_of_a_child(cloud):
        yield cloud
    cloud.stop()


def demo_like(home: Path, n: int, more: str) -> SmallStudy:
    """The demo's first records, its criteria, and more."""
    files = example_files()
    home.mkdir()
    rows = list(csv.reader(io.StringIO(files["records.csv"].decode("utf-8-sig"), newline="")))
    with (home / "records.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows[: n + 1])
    study = SmallStudy(home)
    text = files["study.yaml"].decode().replace("study: planned-naps", f"study: {study.name}")
    text = re.sub("^deep_think: .*$", "", text, flags=re.MULTILINE)
    study.path.write_text(text + more, encoding="utf-8")
    return study


def run(study: SmallStudy) -> dict[str, Any]:
    ended = study.cli("run", "--json")
    assert ended.code in {0, 1}, ended.err
    assert ended.json["open"] == 0
    return ended.json


@pytest.fixture(scope="module")
def faulty(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallStudy, dict[str, Any]]:
    """Three samples and an adjudicator; some requests of each stage are blocked, cut off or fail."""
    study = demo_like(
        tmp_path_factory.mktemp("numbers") / "study", 240, "\ndeep_think: {samples: 3, adjudicate: contested}\n"
    )
    with Plans(cloud) as plans:
        plans.add("blocked", "prompt_blocked", None, {"every": 17})
        plans.add("failed", "row_failed", {"code": 500}, {"every": 29})
        plans.add("cut", "max_tokens", None, {"every": 31})
        closing = run(study)
    return study, closing


def test_three_samples_and_an_adjudicator_with_faults(
    faulty: tuple[SmallStudy, dict[str, Any]], tmp_path: Path
) -> None:
    study, closing = faulty
    seen = check_numbers(study.home, tmp_path / "made", closing, BATCH)
    assert seen["records"] > 200
    assert min(seen["contested"], seen["sample_lost"], seen["for_a_person"]) > 10, seen
    assert 0 < seen["ruled"] < seen["adjudicated"], "some adjudications have no answer"
    assert seen["quotes_taken"] < seen["quotes"] / 10


@pytest.mark.parametrize(
    ("rule", "unclear", "deep"),
    [
        ("majority", "include", "samples: 4, adjudicate: never"),
        ("any_include", "person", "samples: 3, adjudicate: never"),
        ("unanimous", "person", "samples: 3, adjudicate: never, adaptive: true"),
        ("unanimous", "include", "samples: 2, adjudicate: all, framings: [for, against]"),
        ("unanimous", "person", ""),
    ],
)
def test_every_rule_and_way_to_ask(cloud: LocalCloud, tmp_path: Path, rule: str, unclear: str, deep: str) -> None:
    study = demo_like(tmp_path / "study", 60, f"\ndeep_think: {{{deep}}}\n" if deep else "")
    text = study.path.read_text(encoding="utf-8")
    study.path.write_text(
        text.replace("  unclear: person ", f"  rule: {rule}\n  unclear: {unclear} "), encoding="utf-8"
    )
    with Plans(cloud) as plans:
        plans.add("blocked", "prompt_blocked", None, {"every": 19})
        closing = run(study)
    seen = check_numbers(study.home, tmp_path / "made", closing, BATCH)
    assert seen["records"] > 40
    assert seen["contested" if deep else "for_a_person"] > 3, seen
    assert bool(seen["adjudicated"]) == ("all" in deep)


@needs_office
def test_results_samples_and_the_workbook_open_in_libreoffice(
    faulty: tuple[SmallStudy, dict[str, Any]], tmp_path: Path
) -> None:
    """Every sheet has its rows; each long table's CSV shows what it holds."""
    _, closing = faulty
    written = {name: csv_rows(Path(closing["results"][name])) for name in ("csv", "samples", "verdicts")}
    shown = opened_in_calc(Path(closing["results"]["xlsx"]), tmp_path / "xlsx")
    assert list(shown) == ["Costs", "Criteria", "Read me", "Records", "Samples", "Verdicts"]
    assert [len(shown[name]) - 1 for name in ("Records", "Samples", "Verdicts")] == list(map(len, written.values()))
    counted = Counter(row["decision"] for row in written["csv"] if not row["duplicate_of"])
    assert counted == closing["decisions"]
    for name in ("samples", "verdicts"):
        (table,) = opened_in_calc(Path(closing["results"][name]), tmp_path / name).values()
        assert table[0] == list(written[name][0])
        assert [row[1:4] for row in table[1:]] == [list(row.values())[1:4] for row in written[name]]
