"""A ledger that is lost or damaged is made again from the bucket: same results, no job made, nothing served twice."""

import dataclasses
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

import overnight
from overnight.backends import vertex_storage
from overnight.backends.backend import Patience
from overnight.core.recipe import Part, Recipe
from overnight.pricing import refusals
from overnight.pricing.catalogue import Model
from overnight.pricing.thinking import Thinking
from overnight.requests.render import Renderer
from overnight.requests.shards import SentRow
from overnight.run.rebuild import _row
from tests.support.cloud import jobs_by_label, served
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy

RECORDS = 20
BUCKET = {"google": "my-bucket", "stand-in": "overnight-local"}
FOLDER = {"google": "results", "stand-in": "stand-in"}
SHARDS = (
    "SELECT id, label, place, intended, n_rows, size_bytes, max_output_tokens, reserved_usd, job_name FROM shard"
    " WHERE state <> 'abandoned'"
)
QUICK = Patience((0.05, 0.1), then_create=True, poll_s=(0.02, 0.1), unusual_s=60)


@pytest.fixture
def cloud(shared_google: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    shared_google.reset()
    monkeypatch.setattr(vertex_storage, "LOCAL_PATIENCE", QUICK)
    return shared_google


@pytest.fixture(params=["google", "stand-in"])
def realm(request: pytest.FixtureRequest, cloud: LocalCloud) -> str:
    realm = str(request.param)
    if realm == "google":
        cloud.switch(model_version_suffix="")
    return realm


@pytest.fixture
def study(tmp_path: Path, realm: str) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS, more=CLOUD if realm == "google" else "")


def run(study: SmallStudy, *options: str) -> None:
    ended = study.cli("run", "--yes", "--no-smoke", *options)
    assert ended.code == 0, ended.err


def lose(study: SmallStudy) -> None:
    """The laptop is gone: what is left is the study file and the table."""
    shutil.rmtree(study.home / ".overnight")
    for name in ("results", "stand-in"):
        shutil.rmtree(study.home / name, ignore_errors=True)


def paid(cloud: LocalCloud, uid: str) -> tuple[object, object]:
    """All that costs: jobs made, rows served."""
    return jobs_by_label(cloud, uid), served(cloud.data, uid)


def folder_of(study: SmallStudy) -> str:
    return "results" if study.more else "stand-in"


def results(study: SmallStudy, realm: str) -> bytes:
    return (study.home / FOLDER[realm] / "results.csv").read_bytes()


def after_a_long_life(study: SmallStudy, cloud: LocalCloud) -> None:
    """A shard that came to nothing, a retry round, equal texts, a row given up and one given up that a person had
    opened again, an expired job, records edited and added, and a job that is still running."""
    study.texts["twin"] = study.texts["r3"]
    study.write()
    with Plans(cloud) as plans:
        plans.add("no", "status", {"code": 403}, scope={"calls": ["create"]}, when={"times": 1})
        assert study.cli("run", "--yes", "--no-smoke").code == 8
        plans.clear()
        plans.add("cut", "json_cut", scope={"rows": [2, 5]}, when={"times": 2})
        plans.add("blocked", "prompt_blocked", scope={"rows": [7, 9]}, when={"times": 2})
        run(study)
    assert {row["problem"] for row in study.results(folder_of(study))} == {"", "blocked"}
    assert study.cli("retry", "--kind", "blocked").code == 0
    with Plans(cloud) as plans:
        plans.add("again", "prompt_blocked", scope={"rows": [1]}, when={"times": 1})
        run(study)
    assert study.cli("forget", "--record", "r4").code == 0
    run(study)
    study.texts |= {f"more{n}": f"{text} Again." for n, text in list(study.texts.items())[:6]}
    study.texts["r11"] += " It was a long night."
    study.write()
    with Plans(cloud) as plans:
        plans.add("late", "expired_running", {"after_rows": 4}, when={"times": 1})
        run(study)
    study.texts["new"] = "One more: twelve bakers of shift 77 slept."
    study.write()


def test_a_create_given_up_that_turned_up_after_all_is_surplus_in_the_new_ledger(
    google: LocalCloud, tmp_path: Path
) -> None:
    """Two jobs then hold the same attempts: whichever is collected first has settled them."""
    study = SmallStudy.of(tmp_path / "twice", 9, more=CLOUD)
    google.switch(create_reply_lost=1, list_delay_s=3600)
    assert study.cli("run", "--yes", "--no-smoke").code == 9
    run(study, "--resubmit")
    google.switch(list_delay_s=0)
    before, uid = study.answers("results"), study.uid
    lose(study)
    assert study.cli("recover", "--json").json["jobs"] == 2
    fetched = study.cli("fetch", "--json")
    assert (fetched.code, fetched.json["answers"], fetched.json["strays_by_kind"]) == (0, 9, {"surplus": 9})
    assert study.query("SELECT count(*), count(DISTINCT address) FROM outcome") == [(9, 9)]
    assert (study.answers("results"), study.uid) == (before, uid)


def test_a_lost_ledger_comes_back_with_the_same_results_and_nothing_is_paid_twice(
    study: SmallStudy, cloud: LocalCloud, realm: str
) -> None:
    after_a_long_life(study, cloud)
    with Plans(cloud) as plans:
        plans.add("stuck", "stuck_in_queue")
        run(study, "--detach")
        uid, before = study.uid, results(study, realm)
        shards = study.query(SHARDS)
        assert shards[0][0] == 2, "the first came to nothing"
        pins = study.query("SELECT stage, sample, recipe FROM pin")
        spent, bill = paid(cloud, uid), study.cli("status", "--json").json["cost_usd"]
        lose(study)

        recovered = study.cli("recover", "--json")
        assert recovered.code == 0, recovered.err
        assert (recovered.json["uid"], recovered.json["jobs"]) == (uid, len(shards))
        assert not any(recovered.json[name] for name in recovered.json if name.startswith("jobs_"))
        assert study.query("SELECT stage, sample, recipe FROM pin") == pins
        fetched = study.cli("fetch", "--json")
        assert fetched.code == 0, fetched.err
        assert results(study, realm) == before
        assert paid(cloud, uid) == spent
        assert study.query(SHARDS) == shards
        assert study.query("SELECT id FROM shard WHERE submitted <> json_extract(job, '$.create_time')") == []
        assert study.cli("status", "--json").json["cost_usd"] == bill
    ended = study.cli("run", "--yes", "--json")
    assert (ended.code, ended.json["requests_sent"], ended.json["open"]) == (0, 0, 0), ended.err
    assert max(jobs_by_label(cloud, uid).values()) == 1
    assert all(times == 1 for times in served(cloud.data, uid).values())


def test_a_ledger_that_is_whole_and_knows_jobs_is_never_replaced(study: SmallStudy) -> None:
    run(study)
    before = study.ledger.read_bytes()
    ended = study.cli("recover")
    assert ended.code == 7
    assert "the ledger is whole, and knows 1 jobs of this study" in ended.err
    assert study.ledger.read_bytes() == before


@pytest.mark.parametrize("realm", ["stand-in"], indirect=True)
def test_killed_just_before_the_new_ledger_is_in_its_place_the_old_one_is_there_as_it_was(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    run(study)
    hurt = b"no ledger" * 1000
    study.ledger.write_bytes(hurt)
    with monkeypatch.context() as patched:
        for name in ("rename", "replace"):
            real = getattr(Path, name)

            def dies(self: Path, target: Path, real: Any = real) -> Path:
                if target == study.ledger:
                    raise KilledError
                return real(self, target)

            patched.setattr(Path, name, dies)
        with pytest.raises(KilledError):
            study.cli("recover")
    assert study.ledger.read_bytes() == hurt
    assert study.cli("recover").code == 0
    assert study.cli("fetch", "--json").json["answers"] == RECORDS


def test_where_nothing_was_sent_it_says_where_it_looked(study: SmallStudy, realm: str) -> None:
    ended = study.cli("recover")
    assert ended.code == 2
    assert f"nothing of a study called '{study.name}' was found" in ended.err
    assert f"{BUCKET[realm]}/" in ended.err
    assert not study.ledger.exists()


def test_of_two_studies_of_one_name_a_person_says_which(study: SmallStudy, tmp_path: Path) -> None:
    other = SmallStudy(tmp_path / "other", name=study.name, texts=dict(list(study.texts.items())[:3]), more=study.more)
    other.write()
    run(study)
    run(other, "--pay-again")
    uid, before = study.uid, study.answers(folder_of(study))
    uids = sorted([uid, other.uid])
    lose(study)
    asked = study.cli("recover")
    assert asked.code == 2
    assert [line.split(":")[0].strip() for line in asked.err.splitlines()[2:4]] == uids
    assert f"{uid}: 2026-" in asked.err
    assert "requests in 1 job, gemini-3.5-flash-lite" in asked.err
    assert not study.ledger.exists()
    assert study.cli("recover", "--uid", uid).code == 0
    assert study.cli("fetch").code == 0
    assert study.answers(folder_of(study)) == before


def test_a_study_under_another_name_is_recovered_by_its_uid(study: SmallStudy, tmp_path: Path) -> None:
    run(study)
    uid = study.uid
    lose(study)
    study.name = "renamed"
    study.write()
    asked = study.cli("recover")
    assert asked.code == 2
    assert "`--uid` takes one under another name" in asked.err
    assert study.cli("recover", "--uid", uid, "--json").json["requests"] == RECORDS


def upload_without_a_job(study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The laptop is lost after the upload and before the create."""

    class LostError(BaseException):
        pass

    def lost(*_: object) -> None:
        raise LostError

    with monkeypatch.context() as patched:
        patched.setattr("overnight.run.send._submit", lost)
        with pytest.raises(LostError):
            study.cli("run", "--yes", "--no-smoke")


def test_a_shard_whose_job_was_never_made_is_asked_about_once(
    study: SmallStudy, cloud: LocalCloud, realm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_without_a_job(study, monkeypatch)
    uid = study.uid
    lose(study)
    recovered = study.cli("recover", "--json")
    assert recovered.code == 0, recovered.err
    assert len(recovered.json["jobs_doubtful"]) == 1
    if realm == "google":
        ended = study.cli("run", "--yes", "--no-smoke")
        assert ended.code == 9
        assert "`overnight run --resubmit` sends it again" in ended.err
        assert jobs_by_label(cloud, uid).total() == 0
    ended = study.cli("run", "--yes", "--no-smoke", "--resubmit", "--json")
    assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
    assert (study.uid, jobs_by_label(cloud, uid).total()) == (uid, 1)


@pytest.mark.parametrize("realm", ["google"], indirect=True)
def test_a_job_that_was_made_and_is_not_listed_yet_is_never_made_again_by_a_ledger_that_was_rebuilt(
    study: SmallStudy, cloud: LocalCloud
) -> None:
    """The owner note is there, from the job before: a rebuilt ledger must not conclude from it what was sent."""
    run(study)
    uid = study.uid
    study.texts["one"] = "One more nurse."
    study.write()
    cloud.switch(create_reply_lost=1, list_delay_s=3600, stuck_pending=True)
    assert study.cli("run", "--yes", "--no-smoke").code == 9
    lose(study)
    recovered = study.cli("recover", "--json")
    assert len(recovered.json["jobs_doubtful"]) == 1, recovered.err
    ended = study.cli("run", "--yes", "--no-smoke")
    assert (ended.code, list(jobs_by_label(cloud, uid).values())) == (9, [1, 1]), ended.err
    cloud.switch(list_delay_s=0, stuck_pending=False)
    assert study.cli("run", "--yes", "--no-smoke", "--json").json["answers"] == RECORDS + 1
    assert list(jobs_by_label(cloud, uid).values()) == [1, 1]


def objects(cloud: LocalCloud, bucket: str, uid: str) -> list[str]:
    found = cloud.http.get(f"{cloud.endpoint}/storage/v1/b/{bucket}/o").json().get("items", [])
    return [one["name"] for one in found if uid in one["name"]]


def remove(cloud: LocalCloud, bucket: str, name: str) -> None:
    quoted = requests.utils.quote(name, safe="")
    assert cloud.http.delete(f"{cloud.endpoint}/storage/v1/b/{bucket}/o/{quoted}").status_code == 204


def rewrite(cloud: LocalCloud, bucket: str, study_uid: str, **changes: object) -> None:
    (name,) = (one for one in objects(cloud, bucket, study_uid) if one.endswith("manifest.json"))
    manifest = json.loads(cloud.download(bucket, name)) | changes
    kept = {key: value for key, value in manifest.items() if value is not None}
    assert cloud.upload(bucket, name, json.dumps(kept).encode()).status_code == 200


def test_where_the_input_was_cleaned_away_the_output_says_what_was_asked(
    study: SmallStudy, cloud: LocalCloud, realm: str
) -> None:
    run(study)
    uid, before = study.uid, results(study, realm)
    (name,) = (one for one in objects(cloud, BUCKET[realm], uid) if one.endswith("requests.jsonl"))
    remove(cloud, BUCKET[realm], name)
    lose(study)
    assert study.cli("recover", "--json").json["requests"] == RECORDS
    assert study.cli("fetch").code == 0
    assert results(study, realm) == before


def test_a_job_that_is_listed_no_more_is_collected_from_its_output(
    study: SmallStudy, cloud: LocalCloud, realm: str
) -> None:
    run(study)
    uid, before = study.uid, results(study, realm)
    (job,) = study.query("SELECT job_name FROM shard")[0]
    assert cloud.http.delete(f"{cloud.endpoint}/v1/{job}").status_code == 200
    lose(study)
    assert len(study.cli("recover", "--json").json["jobs_not_listed"]) == 1
    ended = study.cli("fetch", "--json")
    assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
    assert results(study, realm) == before
    assert study.cli("cancel").code == 0
    assert jobs_by_label(cloud, uid).total() == 1


def test_a_shard_of_which_nothing_is_left_is_said_and_keeps_no_other_back(
    study: SmallStudy, cloud: LocalCloud, realm: str
) -> None:
    run(study)
    uid = study.uid
    study.texts["one"] = "One more nurse."
    study.write()
    run(study)
    for name in objects(cloud, BUCKET[realm], uid):
        if "-s00002-" in name and not name.endswith("manifest.json"):
            remove(cloud, BUCKET[realm], name)
    lose(study)
    recovered = study.cli("recover")
    assert recovered.code == 0, recovered.err
    assert "nothing says any more what it asked" in recovered.out
    assert study.cli("fetch", "--json").json["answers"] == RECORDS


@pytest.mark.parametrize("realm", ["google"], indirect=True)
def test_a_job_whose_files_are_all_gone_is_not_paid_for_again_before_a_person_was_asked(
    study: SmallStudy, cloud: LocalCloud, realm: str
) -> None:
    run(study)
    uid = study.uid
    study.texts["one"] = "One more nurse."
    study.write()
    run(study)
    (lost,) = study.query("SELECT job_name FROM shard WHERE id = 2")[0]
    for name in objects(cloud, BUCKET[realm], uid):
        if "-s00002-" in name:  # as a rule of the bucket on the age of files does
            remove(cloud, BUCKET[realm], name)
    lose(study)
    recovered = study.cli("recover")
    assert recovered.code == 0, recovered.err
    assert f"{lost}: has the study's label, and no manifest" in recovered.out
    assert study.cli("run", "--yes", "--no-smoke").code == 7
    ended = study.cli("run", "--yes", "--no-smoke", "--take-over")
    assert (ended.code, lost in ended.err, "paid for twice" in ended.err) == (6, True, True)
    assert jobs_by_label(cloud, uid).total() == 2
    assert study.cli("run", "--yes", "--no-smoke", "--take-over", "--pay-again", "--json").json["requests_sent"] == 1


class TestManifest:
    @pytest.fixture
    def realm(self, cloud: LocalCloud) -> str:
        cloud.switch(model_version_suffix="")
        return "google"

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"version": 2}, "a manifest is of version 2, this overnight knows up to 1"),
            ({"recipe_digest": "0" * 64}, "its recipe reads as"),
            ({"model": 7}, "its 'model' is 7"),
            ({"realm": None}, "it has no 'realm'"),
            ({"uid": "u1"}, "lies in another folder"),
            ({"recipe": "{"}, "a manifest cannot be read"),
        ],
    )
    def test_a_manifest_that_cannot_be_read_stops_it_and_nothing_is_changed(
        self, study: SmallStudy, cloud: LocalCloud, realm: str, changes: dict[str, object], said: str
    ) -> None:
        run(study)
        rewrite(cloud, BUCKET[realm], study.uid, **changes)
        study.ledger.write_bytes(b"no ledger" * 1000)
        ended = study.cli("recover")
        assert ended.code == 7
        assert said in ended.err
        assert study.ledger.read_bytes() == b"no ledger" * 1000
        assert sorted(path.name for path in study.ledger.parent.glob("ledger*")) == ["ledger.sqlite"]

    def test_a_manifest_without_what_was_added_later_is_enough(
        self, study: SmallStudy, cloud: LocalCloud, realm: str
    ) -> None:
        run(study)
        before = results(study, realm)
        added = (
            "version",
            "number",
            "stage",
            "samples",
            "intended",
            "project",
            "location",
            "rows",
            "size_bytes",
            "reopened",
        )
        rewrite(cloud, BUCKET[realm], study.uid, **dict.fromkeys(added))
        lose(study)
        assert study.cli("recover").code == 0
        assert study.cli("fetch").code == 0
        assert results(study, realm) == before


def test_the_words_it_began_with_come_back_so_that_a_newer_package_asks_nothing_anew(
    study: SmallStudy, realm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(study)
    lose(study)
    real = refusals.thinking_config

    def newer(model: Model, asked: str | int) -> Thinking:
        return dataclasses.replace(real(model, asked), config={"thinkingLevel": "MEDIUM"})

    monkeypatch.setattr(refusals, "thinking_config", newer)
    assert study.cli("plan", "--json").json["requests"]["to_send"] == RECORDS
    assert study.cli("recover").code == 0
    ended = study.cli("run", "--yes", "--json")
    assert (ended.code, ended.json["requests_sent"], ended.json["answers"]) == (0, 0, RECORDS)


def test_a_prompt_that_was_edited_since_is_paid_for_again_only_when_a_person_says_so(study: SmallStudy) -> None:
    run(study)
    lose(study)
    study.question = "Who was it, and did they sleep?"
    study.write()
    assert study.cli("recover").code == 0
    ended = study.cli("run", "--yes", "--no-smoke", "--json")
    assert (ended.code, ended.json["requests_sent"]) == (6, 0)


class TestNewLedgerBesideOldJobs:
    @pytest.fixture
    def realm(self, cloud: LocalCloud) -> str:
        cloud.switch(model_version_suffix="")
        return "google"

    def test_the_first_send_is_refused_with_both_ways_out(self, study: SmallStudy, cloud: LocalCloud) -> None:
        run(study)
        uid = study.uid
        lose(study)
        for options in (("--yes",), ("--max-usd", "5")):
            ended = study.cli("run", "--no-smoke", "--json", *options)
            assert (ended.code, ended.json["requests_sent"]) == (6, 0)
            assert f"the bucket holds jobs of a study called '{study.name}' ({uid}, sent since 2026-" in ended.err
            assert "`overnight run --pay-again` if that is meant, or `overnight recover`" in ended.err
        assert jobs_by_label(cloud, uid).total() == 1
        assert objects(cloud, BUCKET["google"], study.uid) == []

    def test_paying_again_is_said_once_and_the_two_do_not_touch_each_other(
        self, study: SmallStudy, cloud: LocalCloud
    ) -> None:
        run(study)
        first = study.uid
        lose(study)
        run(study, "--pay-again")
        assert study.uid != first
        study.texts["new"] = "A baker."
        study.write()
        run(study)
        assert (jobs_by_label(cloud, first).total(), jobs_by_label(cloud, study.uid).total()) == (1, 2)

    def test_another_name_in_the_same_bucket_is_no_reason_to_ask(self, study: SmallStudy, tmp_path: Path) -> None:
        run(study)
        run(SmallStudy.of(tmp_path / "other", 3, more=CLOUD))

    def test_what_the_stand_in_answered_is_set_aside_and_said(self, study: SmallStudy, cloud: LocalCloud) -> None:
        run(study)
        uid = study.uid
        lose(study)
        study.more = ""
        study.write()
        cloud.switch(model_version_suffix="@local-stand-in")
        run(study)
        study.more = CLOUD
        study.write()
        recovered = study.cli("recover", "--json")
        assert (recovered.code, recovered.json["uid"]) == (0, uid), recovered.err
        kept = Path(recovered.json["kept"])
        with closing(sqlite3.connect(kept)) as aside:
            assert aside.execute("SELECT DISTINCT realm FROM shard").fetchall() == [("stand-in",)]

    def test_google_s_jobs_are_not_set_aside_for_the_stand_in_s(self, study: SmallStudy) -> None:
        run(study)
        study.more = ""
        study.write()
        ended = study.cli("recover")
        assert ended.code == 7
        assert "the ledger is whole" in ended.err

    def test_who_recovers_may_send_until_somebody_else_has(self, study: SmallStudy, cloud: LocalCloud) -> None:
        run(study)
        shutil.copytree(study.home, study.home.parent / "elsewhere")
        elsewhere = SmallStudy(study.home.parent / "elsewhere", name=study.name, texts=dict(study.texts), more=CLOUD)
        lose(study)
        assert study.cli("recover").code == 0
        assert study.cli("fetch").code == 0
        elsewhere.texts["theirs"] = "A porter."
        elsewhere.write()
        run(elsewhere)
        study.texts["ours"] = "A pilot."
        study.write()
        refused = study.cli("run", "--yes", "--no-smoke")
        assert refused.code == 7, refused.err
        shutil.rmtree(study.home / ".overnight")
        assert study.cli("recover").code == 0
        run(study)
        assert elsewhere.cli("run", "--yes", "--no-smoke").code == 0, "it has nothing to send"
        elsewhere.texts["more"] = "A welder."
        elsewhere.write()
        assert elsewhere.cli("run", "--yes", "--no-smoke").code == 7
        assert max(served(cloud.data, study.uid).values()) == 1


class TestDamaged:
    @pytest.fixture
    def realm(self, cloud: LocalCloud) -> str:
        return "stand-in"

    def test_a_hurt_index_is_made_anew_and_nothing_else_is_touched(self, study: SmallStudy, realm: str) -> None:
        run(study)
        assert study.cli("forget", "--record", "r1").code == 0
        overwrite_root(study.ledger, "outcome_of_shard")
        refused = study.cli("run")
        assert refused.code == 7
        assert "the ledger is damaged" in refused.err
        assert "`overnight recover` mends it" in refused.err
        recovered = study.cli("recover")
        assert recovered.code == 0, recovered.err
        assert "Only an index was hurt" in recovered.out
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["requests_sent"]) == (0, 1), "the word of `forget` is still there"

    @pytest.mark.parametrize("table", ["sent", "outcome", "shard"])
    def test_a_hurt_table_is_made_again_from_the_bucket_and_the_old_one_is_kept(
        self, study: SmallStudy, realm: str, cloud: LocalCloud, table: str
    ) -> None:
        run(study)
        uid, before = study.uid, results(study, realm)
        overwrite_root(study.ledger, table)
        damaged = study.ledger.read_bytes()
        assert study.cli("run").code == 7
        recovered = study.cli("recover", "--json")
        assert recovered.code == 0, recovered.err
        assert (recovered.json["mended"], recovered.json["uid"]) == (False, uid)
        assert Path(recovered.json["kept"]).read_bytes() == damaged
        assert study.cli("fetch").code == 0
        assert results(study, realm) == before
        assert jobs_by_label(cloud, uid).total() == 1

    def test_an_old_journal_is_set_aside_with_its_ledger(self, study: SmallStudy, realm: str) -> None:
        run(study)
        journal = study.ledger.with_name("ledger.sqlite-journal")
        study.ledger.unlink()
        journal.write_bytes(b"left behind")
        recovered = study.cli("recover", "--json")
        assert recovered.code == 0, recovered.err
        assert not journal.exists()
        assert study.ledger.with_name("ledger.left-over.sqlite-journal").read_bytes() == b"left behind"
        assert study.cli("fetch").code == 0

    def test_killed_before_the_new_one_is_in_place_it_is_begun_again(
        self, study: SmallStudy, realm: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(study)
        before = results(study, realm)
        lose(study)

        class KilledError(BaseException):
            pass

        def killed(*_: object) -> None:
            raise KilledError

        with monkeypatch.context() as patched:
            patched.setattr("overnight.run.rebuild._put_in_place", killed)
            patched.setattr(Path, "unlink", lambda *_, **__: None)
            with pytest.raises(KilledError):
                study.cli("recover")
        assert not study.ledger.exists()
        assert list(study.ledger.parent.glob("ledger.*.part"))
        assert study.cli("recover").code == 0
        assert not list(study.ledger.parent.glob("*.part*"))
        assert study.cli("fetch").code == 0
        assert results(study, realm) == before


def overwrite_root(ledger: Path, name: str) -> None:
    """The first page of a table or an index becomes rubbish."""
    with closing(sqlite3.connect(ledger)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    with ledger.open("r+b") as file:
        file.seek((root - 1) * page_bytes)
        file.write(b"\xa5" * page_bytes)


@given(texts=st.lists(st.text(st.characters(exclude_categories=("Cs",))), min_size=2, max_size=2))
def test_a_line_of_ours_says_the_same_row_as_when_it_was_sent(texts: list[str]) -> None:
    parts = (Part("text", "Is it? "), Part("slot", "title"), Part("text", "\n"), Part("slot", "text"))
    recipe = Recipe("answer", "", parts, {"type": "OBJECT"}, {}, own="")
    line = Renderer(recipe, 100).line(b"0123456789abcdef", 3, texts)
    assert _row(line.data) == SentRow(b"0123456789abcdef", 3, line.fingerprint)


def test_the_python_api_recovers_too(study: SmallStudy) -> None:
    run(study)
    lose(study)
    found = overnight.open(study.path).recover()
    assert (found.shards, found.rows, found.kept) == (1, RECORDS, None)
