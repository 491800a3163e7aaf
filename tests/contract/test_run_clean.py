"""`overnight clean`: what the study made is taken out of the cloud, after showing it, and nothing else."""

import shutil
from pathlib import Path

import pytest

from tests.contract.test_run_adopt import adopt, made_by_hand, requests_of
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import SmallStudy, text_of

RECORDS = 9
BUCKET = "overnight-local"


@pytest.fixture
def cloud(shared_google: LocalCloud) -> LocalCloud:
    shared_google.reset()
    return shared_google


@pytest.fixture
def study(tmp_path: Path, cloud: LocalCloud) -> SmallStudy:
    """Run to its end, in two jobs."""
    cloud.switch(fail_every=4)
    study = SmallStudy.of(tmp_path / "study", RECORDS)
    assert study.cli("run").code == 0
    assert study.query("SELECT count(*) FROM shard") == [(2,)]
    cloud.reset()
    return study


def objects(cloud: LocalCloud, bucket: str = BUCKET, prefix: str = "") -> set[str]:
    reply = cloud.http.get(f"{cloud.endpoint}/storage/v1/b/{bucket}/o", params={"prefix": prefix, "maxResults": 1000})
    assert reply.status_code == 200, reply.text
    return {item["name"] for item in reply.json().get("items", [])}


def jobs(cloud: LocalCloud) -> set[str]:
    reply = cloud.http.get(f"{cloud.base}/batchPredictionJobs", params={"pageSize": 100})
    return {job["name"] for job in reply.json().get("batchPredictionJobs", [])}


def test_the_list_is_shown_and_without_a_yes_nothing_goes(cloud: LocalCloud, study: SmallStudy) -> None:
    before = objects(cloud, prefix=study.uid), jobs(cloud)
    assert before[0]
    ended = study.cli("clean")
    assert (ended.code, "nothing was removed" in ended.err, "--yes" in ended.err) == (6, True, True)
    assert all(name.rsplit("/", 1)[-1] in ended.out for name in before[0])
    assert all(job in ended.out for job in study.cli("status", "--json").json["jobs"])
    assert (objects(cloud, prefix=study.uid), jobs(cloud)) == before


def test_after_a_yes_files_and_jobs_are_gone_and_the_study_is_as_complete_as_before(
    cloud: LocalCloud, study: SmallStudy
) -> None:
    before = (study.home / "stand-in" / "results.csv").read_bytes()
    mine = set(study.cli("status", "--json").json["jobs"])
    ended = study.cli("clean", "--yes")
    assert (ended.code, objects(cloud, prefix=study.uid), jobs(cloud) & mine) == (0, set(), set())
    assert "Removed 6 files" in ended.out
    assert "2 ended jobs" in ended.out
    assert str(study.home / ".overnight") in ended.out
    assert "Nothing of this study is left" in study.cli("clean", "--yes").out
    run = study.cli("run", "--json")
    assert (run.code, run.json["requests_sent"], run.json["answers"]) == (0, 0, RECORDS)
    assert study.cli("fetch", "--reparse").code == 0
    assert (study.home / "stand-in" / "results.csv").read_bytes() == before


def test_what_is_under_way_and_what_is_another_s_stays(cloud: LocalCloud, study: SmallStudy, tmp_path: Path) -> None:
    other = SmallStudy.of(tmp_path / "other", 3)
    assert other.cli("run").code == 0
    strange = f"{study.uid}/{study.query('SELECT label FROM shard')[0][0]}/notes.txt"
    cloud.upload(BUCKET, strange, b"somebody's")
    cloud.switch(stuck_pending=True)
    study.texts["new"] = text_of(600)
    study.write()
    assert study.cli("run", "--detach").code == 0
    (under_way,) = study.query("SELECT label, job_name FROM shard WHERE state = 'submitted'")
    ended = study.cli("clean", "--yes")
    assert ended.code == 0
    assert "1 files that are not ours; left alone" in ended.err
    left = objects(cloud, prefix=study.uid)
    assert strange in left
    assert {name.split("/")[1] for name in left - {strange}} == {under_way[0]}
    assert under_way[1] in jobs(cloud)
    assert len(objects(cloud, prefix=other.uid)) == 3
    assert set(other.cli("status", "--json").json["jobs"]) <= jobs(cloud)
    cloud.switch(stuck_pending=False)
    assert study.cli("run", "--json").json["answers"] == RECORDS + 1


def test_a_job_made_by_hand_and_its_files_stay_though_the_study_uses_them(cloud: LocalCloud, tmp_path: Path) -> None:
    study = SmallStudy.of(tmp_path / "adopting", RECORDS)
    job = made_by_hand(cloud, requests_of(study, RECORDS), bucket="by-hand")
    before = objects(cloud, "by-hand")
    assert adopt(study, job).code == 0
    assert study.cli("run").code == 0
    assert "Nothing of this study is left" in study.cli("clean", "--yes").out
    assert job in jobs(cloud)
    assert before <= objects(cloud, "by-hand")


def test_output_that_is_not_on_this_disk_stays_in_the_bucket(cloud: LocalCloud, study: SmallStudy) -> None:
    label = study.query("SELECT label FROM shard ORDER BY id")[0][0]
    shutil.rmtree(study.home / ".overnight" / "raw" / label)
    ended = study.cli("clean", "--yes")
    assert (ended.code, "job 1: its raw output is not on this disk" in ended.err) == (0, True)
    assert {name.split("/")[1] for name in objects(cloud, prefix=study.uid)} == {label}


def test_stopped_in_the_middle_it_goes_on_the_next_time(cloud: LocalCloud, study: SmallStudy) -> None:
    Plans(cloud).add("no", "status", {"code": 403}, {"calls": ["delete_object"]}, {"after": 2, "times": 1})
    assert study.cli("clean", "--yes").code == 8
    assert objects(cloud, prefix=study.uid)
    assert study.cli("clean", "--yes").code == 0
    assert objects(cloud, prefix=study.uid) == set()
