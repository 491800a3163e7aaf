"""Runs in realm google, with a local cloud in Google's place: realm, consent, limits, and a create without a reply."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from overnight.wiring import service
from tests.support import google_cli
from tests.support.cloud import jobs_by_label
from tests.support.local_cloud import LocalCloud
from tests.support.studies import CLOUD, Ended, SmallStudy, outcomes

RECORDS = 24
ASKED = ("--yes",)


@pytest.fixture
def study(tmp_path: Path, google: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS, more=CLOUD)


def uploads(google: LocalCloud) -> int:
    return int(google.journal()["counts"]["objects"])


def price(study: SmallStudy) -> tuple[Decimal, Decimal]:
    """(expected, worst case) of what is to be sent."""
    cost = study.cli("plan", "--json").json["cost_usd"]
    return Decimal(cost["expected"]), Decimal(cost["worst"])


def with_budget(study: SmallStudy, limit: Decimal) -> None:
    study.more = f"{CLOUD}budget: {{limit_usd: {limit:.6f}}}\n"
    study.write()


class TestRealm:
    def test_a_study_tried_on_the_stand_in_sends_everything_again_to_google(
        self, google: LocalCloud, tmp_path: Path
    ) -> None:
        study = SmallStudy.of(tmp_path, RECORDS)
        google.switch(model_version_suffix="@local-stand-in")
        assert study.cli("run", "--json").json["answers"] == RECORDS
        tried = (tmp_path / "stand-in" / "results.csv").read_bytes()

        google.switch(model_version_suffix="")
        study.more = CLOUD
        study.write()
        ended = study.cli("run", *ASKED, "--json")
        assert ended.code == 0, ended.err
        found = ended.json
        assert (found["realm"], found["simulated"]) == ("google", False)
        assert (found["requests_sent"], found["answers"], len(found["jobs"])) == (RECORDS, RECORDS, 1)
        assert Path(found["results"]["csv"]).parent == tmp_path / "results"
        assert (tmp_path / "stand-in" / "results.csv").read_bytes() == tried
        keys = [{row["key"] for row in study.results(folder)} for folder in ("stand-in", "results")]
        assert keys[0].isdisjoint(keys[1]), "no address is shared between realms"
        assert {row["answered_by"] for row in study.results("results")} == {"google"}
        assert "STAND-IN" not in ended.err + study.cli("status").out

    def test_going_back_to_the_stand_in_finds_its_answers_and_sends_nothing(
        self, study: SmallStudy, google: LocalCloud
    ) -> None:
        assert study.cli("run", *ASKED).code == 0
        study.more = ""
        study.write()
        google.switch(model_version_suffix="@local-stand-in")
        assert study.cli("run", "--json").json["requests_sent"] == RECORDS
        study.more = CLOUD
        study.write()
        assert study.cli("run", "--json").json["requests_sent"] == 0

    def test_a_line_that_a_stand_in_answered_is_never_an_answer_of_google(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        google.switch(model_version_suffix="@local-stand-in")
        ended = study.cli("run", *ASKED, "--no-smoke", "--json")  # the smoke test would have seen it before
        assert (ended.code, ended.json["answers"]) == (11, 0)
        assert study.answers("results") == {}
        kinds = study.query("SELECT DISTINCT kind, detail FROM outcome")
        assert kinds == [("mismatched", "answered by gemini-3.5-flash-lite@local-stand-in: a stand-in, not Google")]


class TestConsent:
    def test_without_a_terminal_and_without_a_budget_nothing_is_sent(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        before = uploads(google)
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["requests_sent"], ended.json["open"]) == (6, 0, RECORDS)
        assert "Nobody is there to say so" in ended.err
        assert "--max-usd X (a cap) or --yes" in ended.err
        assert uploads(google) == before
        assert not (study.home / "results").exists()

    @pytest.mark.parametrize("options", [("--yes",), ("--max-usd", "5")])
    def test_a_word_on_the_command_line_is_consent(self, study: SmallStudy, options: tuple[str, ...]) -> None:
        ended = study.cli("run", *options, "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS)

    def test_a_budget_in_the_study_is_consent(self, study: SmallStudy) -> None:
        with_budget(study, Decimal(5))
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS)

    def test_a_person_at_a_terminal_is_asked_with_the_price_and_may_say_no(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import overnight.cli.ask

        asked: list[str] = []

        def no(question: str) -> bool:
            asked.append(question)
            return False

        before = uploads(google)
        monkeypatch.setattr(overnight.cli.ask, "asker", lambda *_, **__: no)
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["requests_sent"], uploads(google)) == (6, 0, before)
        (question,) = asked
        assert f"Send {RECORDS} requests to gemini-3.5-flash-lite: about $" in question
        assert "at worst $" in question

    @pytest.mark.parametrize("how", ["--max-usd", "budget"])
    def test_less_than_is_expected_is_refused_before_anything_is_uploaded(
        self, google: LocalCloud, study: SmallStudy, how: str
    ) -> None:
        before = uploads(google)
        little = price(study)[0] / 2
        if how == "budget":
            with_budget(study, little)
        ended = study.cli("run", "--json", *(("--max-usd", f"{little:.6f}") if how != "budget" else ()))
        assert (ended.code, ended.json["requests_sent"], uploads(google)) == (5, 0, before)
        assert "is expected, and" in ended.err  # by the gate, not by the first shard


class Committed:
    """Looks into the ledger whenever a job is about to be made: what is spent and reserved then?"""

    def __init__(self, backend: Any, study: SmallStudy) -> None:
        self._backend, self._study = backend, study
        self.seen: list[Decimal] = []

    def submit(self, *arguments: Any) -> Any:
        rows = self._study.query(
            "SELECT coalesce(CASE WHEN state = 'collected' THEN billed_usd ELSE reserved_usd END, '0'), kept_usd"
            " FROM shard WHERE realm = 'google'"
        )
        self.seen.append(sum((Decimal(amount) + Decimal(kept or 0) for amount, kept in rows), Decimal()))
        return self._backend.submit(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


class TestLimit:
    def test_work_goes_out_in_tranches_and_what_is_reserved_never_passes_the_limit(
        self, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected, worst = price(study)
        limit = worst / 3
        assert expected < limit
        with_budget(study, limit)
        watching: list[Committed] = []
        backend_of = service.backend_of

        def watched(given: service.Service, tell: Any) -> Committed:
            watching.append(Committed(backend_of(given, tell), study))
            return watching[-1]

        monkeypatch.setattr(service, "backend_of", watched)
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
        (committed,) = watching
        assert len(committed.seen) == len(ended.json["jobs"]) >= 3
        assert all(Decimal(0) < amount <= limit for amount in committed.seen), f"{committed.seen} against {limit}"
        assert Decimal(ended.json["cost_usd"]) <= limit

    def test_a_limit_that_is_used_up_stops_the_run_and_keeps_what_is_answered(self, study: SmallStudy) -> None:
        expected, worst = price(study)
        with_budget(study, max(expected * Decimal("1.01"), worst / RECORDS * Decimal("1.2")))
        study.texts |= {f"more{n}": f"{text} Again." for n, text in study.texts.items()}
        first = dict(list(study.texts.items())[:RECORDS])
        study.texts, both = first, study.texts
        study.write()
        one = study.cli("run", "--json")
        assert one.json["answers"], one.err
        spent = Decimal(one.json["cost_usd"])
        study.texts = both
        with_budget(study, spent + worst / RECORDS / 2)
        ended = study.cli("run", "--json")
        assert ended.code == 5
        assert ended.json["answers"] == one.json["answers"]
        assert Decimal(ended.json["cost_usd"]) <= spent + worst / RECORDS / 2

    def test_a_job_that_fails_after_it_ran_keeps_its_reservation_as_unknown_cost(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        google.switch(fail_job="Internal error encountered.")
        study.attempts = 1
        study.write()
        ended = study.cli("run", "--yes", "--json")
        assert ended.json["problems"] == {"service_error": RECORDS}
        ((billed, kept, reserved),) = study.query("SELECT billed_usd, kept_usd, reserved_usd FROM shard")
        assert Decimal(billed) == 0
        assert Decimal(kept) == Decimal(reserved) > 0


class TestCreateWithoutReply:
    def test_the_job_is_found_by_its_label(self, google: LocalCloud, study: SmallStudy) -> None:
        google.switch(create_reply_lost=1)
        ended = study.cli("run", *ASKED, "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
        assert list(jobs_by_label(google, study.uid).values()) == [1]

    def test_a_job_that_is_not_listed_is_never_made_again_on_a_guess(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        google.switch(create_503=1)
        for _ in range(2):
            ended = study.cli("run", *ASKED, "--json")
            found = ended.json
            assert (ended.code, found["open"], found["requests_in_flight"]) == (9, RECORDS, RECORDS)
            assert "`overnight run --resubmit` sends it again" in ended.err
            assert f"label overnight-job={study.uid}-s00001" in ended.err
            assert jobs_by_label(google, study.uid).total() == 0
        reserved = study.query("SELECT reserved_usd FROM shard")[0][0]
        assert Decimal(reserved) > 0, "it stays reserved: the job may be there"

        ended = study.cli("run", *ASKED, "--resubmit", "--json")
        assert (ended.code, ended.json["answers"], ended.json["requests_sent"]) == (0, RECORDS, RECORDS)
        assert list(jobs_by_label(google, study.uid).values()) == [1]

    def test_a_job_that_is_listed_late_is_found_by_the_next_run_and_not_paid_twice(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        google.switch(create_reply_lost=1, list_delay_s=3600)
        assert study.cli("run", *ASKED).code == 9
        google.switch(list_delay_s=0)
        ended = study.cli("run", *ASKED, "--json")
        assert (ended.code, ended.json["answers"], ended.json["requests_sent"]) == (0, RECORDS, 0)
        assert list(jobs_by_label(google, study.uid).values()) == [1]

    def test_fetch_sends_nothing_in_doubt(self, google: LocalCloud, study: SmallStudy) -> None:
        google.switch(create_503=1)
        assert study.cli("run", *ASKED).code == 9
        assert study.cli("fetch").code == 9
        assert jobs_by_label(google, study.uid).total() == 0


def test_the_same_from_a_process_of_its_own(google: LocalCloud, study: SmallStudy) -> None:
    """What other tests can build on: `python tests/support/google_cli.py --endpoint … -- run study.yaml`."""
    words = [sys.executable, google_cli.__file__, "--endpoint", google.endpoint, "--"]
    assert (refused := other_process(words, "run", study)).code == 6, refused.err
    ended = other_process(words, "run", study, "--max-usd", "5", "--json")
    assert (ended.code, ended.json["answers"], ended.json["realm"]) == (0, RECORDS, "google"), ended.err
    assert set(outcomes(study.results("results")).values()) == {"answer"}


def other_process(words: list[str], command: str, study: SmallStudy, *options: str) -> Ended:
    import subprocess

    ended = subprocess.run(
        [*words, command, str(study.path), *options], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)
