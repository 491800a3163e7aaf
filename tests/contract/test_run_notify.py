"""A person who is not there is told once what is worth it, by a real program, and never at the run's cost."""

import shlex
import sys
from pathlib import Path

import pytest

import overnight
from overnight.backends.backend import Patience
from overnight.core.realm import GOOGLE
from overnight.errors import LedgerError
from overnight.ledger.notices import Notices
from overnight.wiring import notify
from tests.support.google_cli import in_place_of_google
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy
from tests.support.told import command, events, notify_with, told

RECORDS = 12
HOURLY = ("--detach", "--yes", "--no-smoke")
IMPATIENT = Patience((0.05, 0.1), then_create=False, poll_s=(0.02, 0.2), unusual_s=0.001)


@pytest.fixture
def study(tmp_path: Path, google: LocalCloud) -> SmallStudy:
    made = SmallStudy.of(tmp_path / "study", RECORDS, more=CLOUD)
    notify_with(made)
    return made


def run(study: SmallStudy, code: int = 0) -> str:
    """`run`, to its end. Returns what it said."""
    ended = study.cli("run", "--yes", "--no-smoke")
    assert ended.code == code, ended.err
    return ended.err


class TestDone:
    def test_what_it_gets_on_standard_input_and_in_the_environment(self, study: SmallStudy) -> None:
        assert "told by " in run(study)
        [heard] = told(study)
        lines = heard["input"].splitlines()
        assert lines[:3] == [f"overnight: {study.name}: done", "", f"{RECORDS} records: {RECORDS} answers."]
        assert lines[3].startswith("Cost so far: $0.")
        assert lines[4] == f"Next: open {study.home / 'results' / 'report.html'}"
        assert lines[5:] == ["", f"Study: {study.path}"]
        assert heard["OVERNIGHT_MESSAGE"] == heard["input"]
        assert (heard["OVERNIGHT_EVENT"], heard["OVERNIGHT_STUDY"]) == ("done", str(study.path))
        assert heard["cwd"] == str(study.home)

    def test_it_is_told_once_and_again_when_more_was_collected(self, study: SmallStudy) -> None:
        for _ in range(3):
            run(study)
        assert events(study) == ["done"]
        study.texts["more"] = "One more text."
        study.write()
        run(study)
        assert events(study) == ["done", "done"]

    def test_a_job_that_is_left_running_is_not_done_and_fetch_tells_when_it_is(
        self, study: SmallStudy, google: LocalCloud
    ) -> None:
        with Plans(google) as plans:
            plans.add("held", "stuck_in_queue")
            assert study.cli("run", *HOURLY).code == 0
            assert study.cli("fetch").code == 0
            assert events(study) == []
        google.wait(study.cli("status", "--json").json["jobs"][0])
        assert study.cli("fetch").code == 0
        assert events(study) == ["done"]

    def test_a_run_that_was_killed_before_it_told_is_followed_by_one_that_tells(
        self, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(*_: object) -> str:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(notify, "run_command", killed)
            assert study.cli("run", "--yes", "--no-smoke").code == 130
        run(study)
        assert events(study) == ["done"]

    def test_the_python_api_tells_too(self, study: SmallStudy) -> None:
        overnight.open(study.path).run(yes=True, smoke=False)
        overnight.open(study.path).fetch()
        assert events(study) == ["done"]

    def test_a_study_that_names_no_program_notes_nothing(self, tmp_path: Path, google: LocalCloud) -> None:
        quiet = SmallStudy.of(tmp_path, 1, more=CLOUD)
        run(quiet)
        assert quiet.query("SELECT * FROM notice") == []


class TestNeedsAPerson:
    def test_a_paused_job_is_told_once_and_the_next_one_anew(self, study: SmallStudy, google: LocalCloud) -> None:
        with Plans(google) as plans:
            plans.add("held", "paused")
            for _ in range(3):
                run(study, 10)
            [heard] = told(study)
            assert heard["input"].startswith(f"overnight: {study.name}: needs a person\n\njob 1 is paused")
            assert "What to do: Look at it in the console" in heard["input"]
        google.wait(study.cli("status", "--json").json["jobs"][0])
        run(study)
        assert events(study) == ["needs_a_person", "done"]
        study.texts["more"] = "One more text."
        study.write()
        with Plans(google) as plans:
            plans.add("held", "paused")
            run(study, 10)
        assert events(study) == ["needs_a_person", "done", "needs_a_person"]

    def test_the_same_refusal_of_every_new_job_is_told_once(self, study: SmallStudy, google: LocalCloud) -> None:
        """An hourly command makes a job in one hour and finds it failed in the next."""
        with Plans(google) as plans:
            plans.add(
                "region", "failed", {"code": 9, "at": "queue", "message": "no bucket for job 17 \x1b[31m{bucket}"}
            )
            for _ in range(4):
                run(study, 10)
        assert len(study.cli("status", "--json").json["jobs"]) == 4
        [heard] = told(study)
        assert "job 1 failed: no bucket for job 17 \N{REPLACEMENT CHARACTER}[31mmy-bucket" in heard["input"]
        assert "\x1b" not in heard["OVERNIGHT_MESSAGE"]
        run(study)
        assert events(study) == ["needs_a_person", "done"]

    def test_a_trouble_that_comes_back_after_a_run_that_collected_is_told_again(
        self, study: SmallStudy, google: LocalCloud
    ) -> None:
        for number in range(2):
            study.texts["more"] = f"Text {number}."
            study.write()
            with Plans(google) as plans:
                plans.add("right", "status", {"code": 403}, {"calls": ["create"]})
                run(study, 8)
                run(study, 8)
            run(study)
        assert events(study) == ["needs_a_person", "done"] * 2

    def test_too_many_bad_rows_are_told_without_a_records_text(self, study: SmallStudy, google: LocalCloud) -> None:
        with Plans(google) as plans:
            plans.add("rubbish", "json_cut")
            said = run(study, 11)
        [heard] = told(study)
        assert "too many rows of job 1 are wrong in the same way" in heard["input"]
        some_text = "In ward 00"
        assert some_text in said, "the raw lines are shown to who sits there"
        assert some_text not in heard["input"]

    @pytest.mark.parametrize(("options", "code"), [((), 6), (("--maxusd", "1"), 2)])
    def test_what_concerns_who_types_is_not_told(self, study: SmallStudy, options: tuple[str, ...], code: int) -> None:
        assert study.cli("run", *options).code == code
        assert events(study) == []


class TestOverBudget:
    def test_it_is_told_once_a_limit(self, study: SmallStudy) -> None:
        before = study.more
        for limit in ("0.000001", "0.000001", "0.000002"):
            study.more = f"{before}budget: {{limit_usd: {limit}}}\n"
            study.write()
            run(study, 5)
        assert events(study) == ["over_budget", "over_budget"]
        text = told(study)[0]["input"]
        assert text.startswith(f"overnight: {study.name}: the limit is reached\n\nabout $0.")
        assert "What to do: Raise budget.limit_usd" in text


class TestStuck:
    def test_it_is_told_once_a_job(self, study: SmallStudy, google: LocalCloud) -> None:
        with in_place_of_google(google.endpoint, IMPATIENT), Plans(google) as plans:
            plans.add("held", "stuck_in_queue")
            for command_ in ("run", "run", "fetch"):
                assert study.cli(command_, *(HOURLY if command_ == "run" else ())).code == 0
            [heard] = told(study)
        assert heard["OVERNIGHT_EVENT"] == "stuck"
        assert heard["input"].startswith(
            f"overnight: {study.name}: a job takes unusually long\n\njob 1 waits in the queue for "
        )
        google.wait(study.cli("status", "--json").json["jobs"][0])
        run(study)
        assert events(study) == ["stuck", "done"]


def test_on_the_stand_in_the_first_words_say_so(tmp_path: Path, google: LocalCloud) -> None:
    google.switch(model_version_suffix="@local-stand-in")
    tried = SmallStudy.of(tmp_path, RECORDS)
    notify_with(tried)
    assert tried.cli("run").code == 0
    [heard] = told(tried)
    assert heard["input"].startswith(f"LOCAL STAND-IN, overnight: {tried.name}: done\n")
    assert "(simulated: nobody pays)" in heard["input"]


class TestTheProgram:
    @pytest.fixture
    def plain(self, tmp_path: Path, google: LocalCloud) -> SmallStudy:
        return SmallStudy.of(tmp_path / "plain", 2, more=CLOUD)

    def test_it_gets_its_words_as_they_are_split_and_no_shell_reads_them(self, plain: SmallStudy) -> None:
        notify_with(plain, "$HOME", "; touch never", "*", "two words")
        run(plain)
        assert told(plain)[0]["argv"] == ["$HOME", "; touch never", "*", "two words"]

    def test_one_that_fails_is_a_warning_and_is_tried_again_by_the_next_run(self, plain: SmallStudy) -> None:
        failing = "import sys; print('first'); sys.exit('no \\x1b[2Jpostman')"
        command(plain, shlex.join([sys.executable, "-c", failing]))
        warning = (
            f"warning: nobody was told (done): {sys.executable} ended with 1: no \N{REPLACEMENT CHARACTER}[2Jpostman"
        )
        assert warning in run(plain)
        assert warning in run(plain)

    def test_one_that_hangs_is_stopped(self, plain: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(notify, "TIMEOUT_S", 0.2)
        command(plain, shlex.join([sys.executable, "-c", "import time; time.sleep(600)"]))
        assert "had not ended after 0 s" in run(plain)

    def test_one_that_is_not_there_is_a_warning_of_check_and_of_the_run(self, plain: SmallStudy) -> None:
        command(plain, "no-such-postman -s done")
        checked = plain.cli("check")
        assert checked.code == 0
        line = plain.path.read_text(encoding="utf-8").splitlines().index('  command: "no-such-postman -s done"') + 1
        assert f"study.yaml:{line}, notify.command: there is no program no-such-postman" in checked.out
        assert "warning: nobody was told (done): there is no program no-such-postman" in run(plain)

    def test_one_beside_the_study_is_found_from_anywhere(
        self, plain: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script = plain.home / "tell.sh"
        script.write_text("#!/bin/sh\ncat > heard.txt\n", encoding="utf-8")
        script.chmod(0o755)
        command(plain, "./tell.sh")
        monkeypatch.chdir(tmp_path)
        assert "there is no program" not in plain.cli("check").out
        run(plain)
        assert (plain.home / "heard.txt").read_text(encoding="utf-8").startswith(f"overnight: {plain.name}: done\n")

    @pytest.mark.parametrize(("words", "says"), [('mail "-s', "no closing quotation"), ("''", "names no program")])
    def test_one_that_cannot_be_split_is_a_finding(self, plain: SmallStudy, words: str, says: str) -> None:
        command(plain, words)
        ended = plain.cli("check")
        assert ended.code == 3
        assert says in ended.err


def test_a_notice_that_cannot_be_noted_does_not_change_how_a_run_ends(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise LedgerError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Notices, "told", full)
        assert "whether this was told before is not known (the disk is full): it may be told again" in run(study)
    run(study)
    assert events(study) == ["done", "done"]
    assert study.query("SELECT realm, what, about FROM notice") == [(GOOGLE, "done", "up to job 1")]
