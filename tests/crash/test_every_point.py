"""Law: killed before or after any ledger write, call or file, a run started again ends as if nothing had happened."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cloud import SWIFT, instead_of_a_child, jobs_by_label, served
from tests.support.local_cloud import LocalCloud
from tests.support.studies import SmallStudy

RECORDS = 9
FAILED = 2  # rows 4 and 8 of the first job come back with a 500: there is a second job


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), **SWIFT, fail_every=4)
    yield cloud
    cloud.stop()


def test_killed_at_every_point_a_second_run_ends_the_same(cloud: LocalCloud, tmp_path: Path) -> None:
    template = SmallStudy.of(tmp_path / "template", RECORDS)
    undisturbed = SmallStudy.of(tmp_path / "undisturbed", RECORDS)
    with instead_of_a_child(cloud):
        assert undisturbed.cli("run").code == 0
    wanted = (undisturbed.home / "stand-in" / "results.csv").read_bytes()
    assert undisturbed.query("SELECT n_rows FROM shard ORDER BY id") == [(RECORDS,), (FAILED,)]
    assert not (template.home / ".overnight").exists()

    words = [sys.executable, "-m", "tests.crash.driver", "--endpoint", cloud.endpoint]
    words += ["--template", str(template.home), "--work", str(tmp_path)]
    driver = subprocess.run(words, capture_output=True, text=True, timeout=240)
    assert driver.returncode == 0, driver.stderr
    cases = [json.loads(line) for line in driver.stdout.splitlines()]

    points = [case["point"] for case in cases[:-1]]
    assert cases[-1]["point"] == "", "the last run of the walk was not hit"
    assert {f"{side} {what}" for side in ("before", "after") for what in ("COMMIT", "stage", "submit", "poll")} <= {
        *points
    }
    assert len(points) > 60, "the instruments see fewer points than a run has"
    for case in cases:
        study = SmallStudy(Path(case["home"]))
        where = f"killed {case['point']} (point {case['n']}), see {study.home}"
        assert case["exit"] == 0, where
        assert (study.home / "stand-in" / "results.csv").read_bytes() == wanted, where
        jobs = jobs_by_label(cloud, study.uid)
        assert set(jobs.values()) == {1}, f"{where}: a job was made twice: {jobs}"
        keys = served(cloud.data, study.uid)
        assert (len(keys), keys.total()) == (RECORDS + FAILED,) * 2, f"{where}: served {keys}"
