"""`kill -9` at random moments, time and again, of the run alone and of the run and its local cloud together."""

import random
import subprocess
import time
from pathlib import Path

import pytest
from filelock import FileLock

from tests.crash.compare import comparable
from tests.crash.walk import is_its_own
from tests.support.cloud import (
    SWIFT,
    cloud_folder,
    created,
    instead_of_a_child,
    kill_embedded,
    kill_group,
    served,
    start_beside,
    wait_until_free,
)
from tests.support.local_cloud import LocalCloud
from tests.support.small_screens import SmallScreen
from tests.support.studies import SmallStudy

RECORDS = 160
FAIL_EVERY = 7  # 22 of the first job, 3 of the second, none of the third
JOBS = 3
KILLS = 20
MANY = 1000


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    home = tmp_path_factory.mktemp("undisturbed")
    cloud = LocalCloud(home / "cloud", **SWIFT, fail_every=FAIL_EVERY)
    study = SmallStudy.of(home / "study", RECORDS)
    with instead_of_a_child(cloud):
        assert study.cli("run").code == 0
    cloud.stop()
    assert study.query("SELECT n_rows FROM shard ORDER BY id") == [(160,), (22,), (3,)]
    return study


def kill_at_random(study: SmallStudy, moments: random.Random, *, cloud_too: bool = False, most_s: float = 1.8) -> bool:
    """Starts a run and kills it after a while. False when it had ended before.

    cloud_too: and its local cloud with it, when there is one yet. The next run may find it dying.
    """
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    run = study.process("run", **silent)
    try:
        run.wait(moments.uniform(0.1, most_s))
    except subprocess.TimeoutExpired:
        if cloud_too:
            kill_embedded(study.home)
        kill_group(run.pid)
        run.wait()
        return True
    assert run.returncode == 0, "a run that was not killed ends well, also just after one that was"
    return False


def assert_as_if_nothing_had_happened(study: SmallStudy, undisturbed: SmallStudy) -> None:
    """Every byte of results.csv, but for the column that names the job's folder (compare.py)."""
    assert comparable(study) == comparable(undisturbed)
    data = cloud_folder(study.home)
    jobs = created(data)
    assert (len(jobs), jobs.total()) == (JOBS, JOBS), f"each job once: {jobs}"
    assert served(data, study.uid) == served(undisturbed.home.parent / "cloud", undisturbed.uid)


@pytest.mark.parametrize("seed", [1])
def test_the_run_killed_twenty_times_while_the_local_cloud_lives_on(
    tmp_path: Path, undisturbed: SmallStudy, seed: int
) -> None:
    moments = random.Random(seed)
    study = SmallStudy.of(tmp_path, RECORDS)
    cloud = start_beside(study.home, fail_every=FAIL_EVERY, rows_per_s=14)
    try:
        killed = sum(kill_at_random(study, moments) for _ in range(KILLS))
        cloud.switch(rows_per_s=0)
        last = study.ended("run", "--json")
    finally:
        stopped = cloud.stop()
    assert (last.code, stopped) == (0, 0), last.err
    assert last.json["answers"] == RECORDS
    assert killed >= KILLS / 2, "most runs ended before they could be killed: the moments are too late"
    assert_as_if_nothing_had_happened(study, undisturbed)


@pytest.mark.parametrize("seed", [2])
def test_the_run_and_its_local_cloud_killed_together_twenty_times(
    tmp_path: Path, undisturbed: SmallStudy, seed: int
) -> None:
    moments = random.Random(seed)
    study = SmallStudy.of(tmp_path, RECORDS)
    start_beside(study.home, fail_every=FAIL_EVERY, rows_per_s=40).stop()  # its switches are on disk
    killed = sum(kill_at_random(study, moments, cloud_too=True) for _ in range(KILLS))
    wait_until_free(study.home)
    start_beside(study.home, rows_per_s=0).stop()
    last = study.ended("run", "--json")
    assert last.code == 0, last.err
    assert killed >= KILLS / 2
    assert_as_if_nothing_had_happened(study, undisturbed)


def test_a_thousand_records_three_samples_each_and_an_adjudicator_killed_five_times(tmp_path: Path) -> None:
    """And then from one sample to three and back: what was answered is never sent again."""
    moments = random.Random(3)
    study = SmallScreen.of(tmp_path, MANY, deep="")
    cloud = start_beside(study.home, fail_every=97)
    try:
        assert study.ended("run", "--json").json["answers"] == MANY
        study.deep = "samples: 3"
        study.write()
        assert study.ended("plan", "--json").json["requests"]["to_send"] == 2 * MANY
        killed = sum(kill_at_random(study, moments, most_s=4) for _ in range(5))
        last = study.ended("run", "--json")
        data, rows = cloud_folder(study.home), study.results()
        jobs, keys = created(data), served(data, study.uid)
        study.deep = ""
        study.write()
        back = study.ended("plan", "--json")
    finally:
        stopped = cloud.stop()
    assert (last.code, last.json["answers"], stopped, back.json["requests"]["to_send"]) == (0, MANY, 0, 0), last.err
    assert killed >= 3, "most runs ended before they could be killed: the moments are too late"
    assert set(jobs.values()) == {1}, "each label once"
    assert set(keys.values()) == {1}, "each attempt once"
    adjudicated = sum(row["decided_by"] == "adjudicator" for row in rows)
    answered = study.query("SELECT count(*), count(DISTINCT address) FROM outcome WHERE kind IS NULL")
    assert answered == [(3 * MANY + adjudicated,) * 2]
    assert adjudicated > MANY / 20
    assert [row["record_id"] for row in rows if not is_its_own(row)] == []


def test_a_killed_run_leaves_no_half_written_file_in_the_results(undisturbed: SmallStudy) -> None:
    """What `replacing` leaves behind after a kill is hidden, and swept by the next write."""
    folder = undisturbed.home / "stand-in"
    left = folder / ".results.csv.abc.tmp"
    left.write_bytes(b"half")
    cloud = start_beside(undisturbed.home)
    try:
        assert undisturbed.ended("run").code == 0
    finally:
        cloud.stop()
    assert not left.exists()


def test_a_run_beside_a_local_cloud_that_is_just_ending_waits_for_it_and_starts_its_own(tmp_path: Path) -> None:
    """What `endpoint.json` names is then the address of nobody."""
    study = SmallStudy.of(tmp_path, 5)
    data = cloud_folder(study.home)
    start_beside(study.home).stop()
    (data / "endpoint.json").write_text('{"endpoint": "http://127.0.0.1:9", "pid": 1}')
    with FileLock(data / "lock"):
        run = study.process("run", "--json")
        refused = study.home / "stand-in" / "cloud.log"
        deadline = time.monotonic() + 30
        while not (refused.exists() and "is in use by" in refused.read_text()):
            assert time.monotonic() < deadline, "the run never tried to start a local cloud"
            time.sleep(0.02)  # between two looks
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert '"answers": 5' in out
