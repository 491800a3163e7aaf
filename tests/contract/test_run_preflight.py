"""The account is looked at before a first job at a place: what stops a run before money, and what is only said."""

from pathlib import Path

import pytest

from tests.support.calls import Calls
from tests.support.cloud import jobs_by_label
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy

RECORDS = 6


@pytest.fixture(scope="module", autouse=True)
def other_buckets(shared_google: LocalCloud) -> None:
    shared_google.bucket("other-bucket", "US")
    shared_google.bucket("far-bucket", "EUROPE-WEST4")


@pytest.fixture
def study(tmp_path: Path, google: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS, more=CLOUD)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person at a terminal was asked; they always say yes."""
    import overnight.cli.ask

    asked: list[str] = []
    monkeypatch.setattr(overnight.cli.ask, "asker", lambda *_, **__: lambda text: not asked.append(text))
    return asked


def in_bucket(study: SmallStudy, bucket: str, location: str = "global") -> None:
    study.more = f"cloud: {{project: my-project, location: {location}, bucket: gs://{bucket}/overnight}}\n"
    study.write()


def objects(google: LocalCloud) -> int:
    return int(google.journal()["counts"]["objects"])


class TestErrors:
    def test_a_bucket_that_is_not_there_stops_before_the_person_is_asked(
        self, google: LocalCloud, study: SmallStudy, questions: list[str]
    ) -> None:
        in_bucket(study, "no-such-bucket")
        before, calls = objects(google), Calls(google, "generate")
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["requests_sent"], ended.json["open"]) == (8, 0, RECORDS)
        assert "there is no bucket gs://no-such-bucket" in ended.err
        assert "`overnight check --print-setup` prints the command that makes it" in ended.err
        assert (questions, calls.seen, objects(google)) == ([], 0, before)
        assert study.query("SELECT count(*) FROM shard") == [(0,)]
        assert study.query("SELECT count(*) FROM smoke") == [(0,)]

    def test_everything_that_is_wrong_is_said_at_once(self, google: LocalCloud, study: SmallStudy) -> None:
        in_bucket(study, "no-such-bucket")
        with Plans(google) as plans:
            message = "Publisher Model gemini-3.5-flash-lite was not found or your project does not have access to it."
            plans.add("closed", "status", {"code": 404, "message": message}, {"calls": ["count"]})
            ended = study.cli("run", "--yes")
        assert ended.code == 8
        assert "2 things to mend in the account before anything is sent" in ended.err
        assert "there is no bucket gs://no-such-bucket" in ended.err
        assert "model.name: Google refused: Publisher Model gemini-3.5-flash-lite was not found" in ended.err
        assert "closed to new projects" in ended.err

    @pytest.mark.parametrize(
        ("message", "mended_by"),
        [
            (
                "Vertex AI API has not been used in project my-project before or it is disabled.",
                "gcloud services enable aiplatform.googleapis.com --project=my-project",
            ),
            ("This API method requires billing to be enabled.", "https://console.cloud.google.com/billing/projects"),
            ("Caller may not use quota project x", "gcloud auth application-default set-quota-project"),
            ("Permission 'aiplatform.batchPredictionJobs.list' denied", "roles/aiplatform.user"),
            ("Request is prohibited by organization's policy. VPC Service Controls", "ask the people who run it"),
        ],
    )
    def test_a_refusal_to_list_jobs_names_what_mends_it(
        self, google: LocalCloud, study: SmallStudy, message: str, mended_by: str
    ) -> None:
        with Plans(google) as plans:
            plans.add("no", "status", {"code": 403, "message": message}, {"calls": ["list"]})
            ended = study.cli("run", "--yes")
        assert (ended.code, jobs_by_label(google, study.uid).total()) == (8, 0)
        assert message in ended.err
        assert mended_by in ended.err

    def test_a_login_that_does_not_work_ends_the_look(self, google: LocalCloud, study: SmallStudy) -> None:
        calls = Calls(google, "count")
        with_plans = Plans(google)
        with_plans.add("expired", "status", {"code": 401}, {"calls": ["list"]})
        ended = study.cli("run", "--yes")
        assert (ended.code, calls.seen) == (8, 0)
        assert "gcloud auth application-default login" in ended.err
        assert "1 thing to mend" in ended.err

    def test_it_is_mended_and_the_same_run_goes_on(self, google: LocalCloud, study: SmallStudy) -> None:
        with Plans(google) as plans:
            plans.add("no", "status", {"code": 403}, {"calls": ["list"]})
            assert study.cli("run", "--yes").code == 8
        ended = study.cli("run", "--yes", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS)


class TestWarnings:
    def test_a_model_that_may_not_be_counted_is_said_and_the_run_goes_on(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        with Plans(google) as plans:
            message = "Permission 'aiplatform.endpoints.predict' denied"
            plans.add("no", "status", {"code": 403, "message": message}, {"calls": ["count"]})
            ended = study.cli("run", "--yes", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
        assert f"warning: model.name: Google refused: {message}" in ended.err

    def test_a_bucket_that_lies_elsewhere_is_said_with_both_ways_out(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        in_bucket(study, "far-bucket", "us-central1")
        ended = study.cli("run", "--yes", "--detach")
        assert "the bucket is in europe-west4 and the jobs run in us-central1" in ended.err
        assert "gcloud storage buckets create gs://NAME --project=my-project --location=us-central1" in ended.err
        assert "`location: europe-west4` in the study" in ended.err

    def test_a_fault_of_the_network_is_waited_out(self, google: LocalCloud, study: SmallStudy) -> None:
        with Plans(google) as plans:
            plans.add("tired", "status", {"code": 503}, {"calls": ["list"]}, {"times": 1})
            ended = study.cli("run", "--yes", "--json")
            assert plans.strikes("tired") == 1
        assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err


class TestOnce:
    def test_a_place_that_has_had_a_job_of_the_model_is_not_looked_at_again(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        calls = Calls(google, "count")
        assert study.cli("run", "--yes").code == 0
        study.texts |= {"late": "A record that came late: guards who napped."}
        study.write()
        assert study.cli("run", "--yes").code == 0
        assert calls.seen == 1
        in_bucket(study, "other-bucket")
        study.texts |= {"later": "A record that came later: pilots who napped."}
        study.write()
        assert study.cli("run", "--yes").code == 0
        assert calls.seen == 2, "another bucket is another place"

    def test_nothing_to_send_looks_at_nothing(self, google: LocalCloud, study: SmallStudy) -> None:
        assert study.cli("run", "--yes").code == 0
        in_bucket(study, "no-such-bucket")
        assert study.cli("run", "--yes").code == 0

    def test_the_stand_in_is_no_account(self, google: LocalCloud, study: SmallStudy) -> None:
        google.switch(model_version_suffix="@local-stand-in")
        study.more = ""
        study.write()
        calls = Calls(google, "count")
        assert study.cli("run").code == 0
        assert calls.seen == 0


class TestCheckCloud:
    def test_an_account_in_order(self, study: SmallStudy) -> None:
        ended = study.cli("check", "--cloud")
        assert ended.code == 0, ended.err
        assert "ok         files in gs://my-bucket may be written, read, listed and deleted" in ended.out
        assert "gemini-3.5-flash-lite is served in global" in ended.out

    def test_it_finds_what_the_run_finds(self, study: SmallStudy) -> None:
        in_bucket(study, "no-such-bucket")
        ended = study.cli("check", "--cloud")
        assert ended.code == 3
        assert "there is no bucket gs://no-such-bucket" in ended.err
