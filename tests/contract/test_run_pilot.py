"""`overnight pilot`: some records first, all stages, under the same guards; `run` sends the others, nothing twice."""

import csv
import io
import signal
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

import overnight
from overnight.core.events import Event, JobChanged, StepStarted
from overnight.demo.example import example_files
from overnight.errors import ConsentError, UsageError
from overnight.planning.fit import Draw
from tests.support.cloud import created, served, start_beside
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, Ended, SmallStudy, outcomes

RECORDS = 60


@pytest.fixture
def study(tmp_path: Path, google: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS, more=CLOUD)


def first(study: SmallStudy, n: int, seed: int = 1) -> set[str]:
    draw = Draw(seed)
    return set(sorted(study.texts, key=lambda id_: draw([study.texts[id_]]))[:n])


def answered(study: SmallStudy, folder: str = "results") -> set[str]:
    return {id_ for id_, end in outcomes(study.results(folder)).items() if end == "answer"}


def pilot(study: SmallStudy, *options: str) -> Ended:
    ended = study.cli("pilot", "--json", *options)
    assert ended.code == 0, ended.err
    return ended


class TestOnGoogle:
    def test_the_draw_goes_then_more_of_it_then_the_rest_and_nothing_twice(self, study: SmallStudy) -> None:
        one = pilot(study, "--records", "10", "--yes").json
        assert answered(study) == first(study, 10)
        assert (one["answers"], one["open"], one["requests_sent"]) == (10, 50, 10)
        assert one["pilot"]["rest"]["requests"] == 50
        two = pilot(study, "--records", "25", "--yes").json
        assert answered(study) == first(study, 25)
        assert two["requests_sent"] == 15
        three = study.cli("run", "--json", "--yes").json
        assert (three["answers"], three["requests_sent"], three["pilot"]) == (RECORDS, 35, None)
        keys = [row["key"] for row in study.results("results")]
        assert len(set(keys)) == RECORDS
        assert all(key.endswith("-a1") for key in keys)

    def test_what_comes_next_are_the_other_records_where_there_are_others(self, study: SmallStudy) -> None:
        others = "(the other records; these stay answered)"
        assert others in study.cli("pilot", "--records", "10", "--yes").out
        whole = study.cli("pilot", "--records", str(RECORDS), "--yes").out
        assert "the rest  nothing: all that can be asked was asked" in whole
        assert others not in whole

    def test_nobody_is_asked_about_more_than_the_pilot(self, study: SmallStudy) -> None:
        asked: list[str] = []
        opened = overnight.open(study.path)
        with pytest.raises(ConsentError, match="nothing was sent"):
            opened.pilot(10, ask=lambda question: bool(asked.append(question)))
        assert asked[0].startswith("Send 10 requests to gemini-3.5-flash-lite (a pilot: 50 records wait): about $")
        assert opened.pilot(10, ask=lambda question: True).requests_sent == 10

    def test_without_a_yes_nothing_is_sent(self, study: SmallStudy) -> None:
        ended = study.cli("pilot", "--json")
        assert (ended.code, ended.json["requests_sent"], ended.json["pilot"]) == (6, 0, None)

    def test_two_rows_are_asked_at_once_before_its_first_job_and_not_before_the_run(self, study: SmallStudy) -> None:
        assert Decimal(pilot(study, "--records", "10", "--yes").json["smoke_usd"]) > 0
        before = study.query("SELECT count(*) FROM smoke")
        study.cli("run", "--yes")
        assert study.query("SELECT count(*) FROM smoke") == before

    def test_a_cap_too_small_for_the_whole_holds_the_pilot(self, study: SmallStudy) -> None:
        amounts = study.cli("plan", "--json").json["cost_usd"]
        cap = Decimal(amounts["expected"]) / 2
        refused = study.cli("run", "--json", "--no-smoke", "--max-usd", f"{cap:.6f}")
        assert refused.code == 5
        found = pilot(study, "--records", "10", "--no-smoke", "--max-usd", f"{cap:.6f}").json
        assert found["answers"] == 10
        assert Decimal(found["cost_usd"]) <= cap

    def test_run_collects_the_pilots_jobs_before_it_sends_the_others(
        self, study: SmallStudy, google: LocalCloud
    ) -> None:
        Plans(google).add("held", "stuck_in_queue", {"for_s": 0.0}, {})
        one = pilot(study, "--records", "10", "--yes", "--detach").json
        assert (one["detached"], one["requests_in_flight"], one["pilot"]["rest"]) == (True, 10, None)
        shown = study.cli("status").out
        assert "Next: overnight pilot" in shown
        steps: list[str] = []

        def look(event: Event) -> None:
            if isinstance(event, JobChanged):  # it was seen in the queue
                Plans(google).clear()
            elif isinstance(event, StepStarted):
                steps.append(event.step)

        ended = overnight.open(study.path).run(yes=True, tell=look)
        assert (ended.answers, ended.requests_sent) == (RECORDS, 50)
        assert steps.index("collect") < steps.index("upload")

    def test_a_detached_pilot_is_gone_on_with_as_it_was_drawn(self, study: SmallStudy) -> None:
        pilot(study, "--records", "10", "--seed", "4", "--yes", "--detach")
        found = pilot(study, "--yes").json
        assert (found["answers"], found["pilot"]["drawn"]) == (10, "drawn by seed 4")
        assert answered(study) == first(study, 10, seed=4)

    def test_status_says_what_part_was_asked_until_a_run_of_the_whole(self, study: SmallStudy) -> None:
        pilot(study, "--records", "10", "--yes")
        assert "open             50   a pilot of 10 of 60 records, drawn by seed 1" in study.cli("status").out
        assert study.cli("status", "--json").json["pilot"] == {"drawn": "drawn by seed 1", "records": 10, "of": 60}
        report = study.home / "results" / "report.html"
        asked_first = "A pilot: 10 of 60 records were asked first, drawn by seed 1. 50 records are not settled yet"
        assert asked_first in report.read_text("utf-8")
        study.cli("run", "--yes")
        assert study.cli("status", "--json").json["pilot"] is None
        assert "A pilot:" not in report.read_text("utf-8")

    def test_records_outside_it_that_leave_the_files_are_not_missed(self, study: SmallStudy) -> None:
        pilot(study, "--records", "10", "--yes")
        study.texts = {id_: text for id_, text in study.texts.items() if id_ in first(study, 12)}
        study.write()
        assert study.cli("status", "--json").json["n_vanished"] == 0
        gone = min(first(study, 10))
        del study.texts[gone]
        study.write()
        assert study.cli("status", "--json").json["vanished"] == [gone]

    def test_fifty_answers_tell_the_room_and_the_price_of_the_others(self, study: SmallStudy) -> None:
        study.texts |= {f"x{n}": f"{text} Again." for n, text in enumerate(study.texts.values())}
        study.write()
        before = study.cli("plan", "--json").json
        found = pilot(study, "--yes").json
        whole = Decimal(found["cost_usd"]) + Decimal(found["pilot"]["rest"]["cost_usd"]["expected"])
        after = study.cli("plan", "--json").json
        assert after["cost_usd"] == found["pilot"]["rest"]["cost_usd"], "the plan's own estimate"
        assert after["rooms"][0]["max_output_tokens"] < before["rooms"][0]["max_output_tokens"]
        ended = study.cli("run", "--json", "--yes").json
        paid = Decimal(ended["cost_usd"])
        assert abs(paid / whole - 1) < Decimal("0.1"), (paid, whole)
        assert (
            max(int(room) for (room,) in study.query("SELECT max_output_tokens FROM shard WHERE id > 1"))
            == (after["rooms"][0]["max_output_tokens"])
        )

    def test_tokens_are_those_of_the_results(self, study: SmallStudy) -> None:
        found = pilot(study, "--records", "21", "--yes").json["pilot"]["tokens"]["answer"]
        rows = [row for row in study.results("results") if row["outcome"] == "answer"]
        for name in ("prompt", "thinking", "answer"):
            counts = sorted(int(row[f"{name}_tokens"]) for row in rows)
            assert found[name] == {"median": counts[10], "p95": counts[19]}
        assert found["requests"] == 21


class TestWithFit:
    """`when_over: fit`: its seed draws, so that the pilot's records are the first of the sample."""

    @pytest.fixture
    def fitted(self, study: SmallStudy) -> SmallStudy:
        expected = Decimal(study.cli("plan", "--json").json["cost_usd"]["expected"])
        study.more = f"{CLOUD}budget: {{limit_usd: {expected * 3 / 5:.6f}, when_over: fit, seed: 7}}\n"
        study.write()
        return study

    def test_the_pilot_is_the_first_of_the_sample_and_the_sample_stays_random(self, fitted: SmallStudy) -> None:
        found = pilot(fitted, "--records", "8", "--seed", "7", "--no-smoke").json
        assert found["pilot"]["drawn"] == "drawn by seed 7"
        assert answered(fitted) == first(fitted, 8, seed=7)
        assert (found["open"], found["not_sent"]) == (52, {}), "nothing is called too dear that was not looked at"
        ended = fitted.cli("run", "--json", "--no-smoke").json
        assert 8 < ended["answers"] < RECORDS
        assert answered(fitted) == first(fitted, ended["answers"], seed=7)
        assert ended["sample"]["simple_random"] is True
        assert ended["not_sent"] == {"over_budget": RECORDS - ended["answers"]}

    def test_a_pilot_after_the_run_calls_nothing_back_that_was_left_out(self, fitted: SmallStudy) -> None:
        left_out = fitted.cli("run", "--json", "--no-smoke").json["not_sent"]
        assert left_out["over_budget"] > 0
        found = pilot(fitted, "--records", "8", "--no-smoke").json
        assert (found["requests_sent"], found["not_sent"]) == (0, left_out)

    def test_another_seed_is_refused(self, study: SmallStudy) -> None:
        study.more = f"{CLOUD}budget: {{limit_usd: 1, when_over: fit, seed: 7}}\n"
        study.write()
        ended = study.cli("pilot", "--seed", "8", "--yes")
        assert ended.code == UsageError.exit_code
        assert "the study draws by its own seed 7" in ended.err


@pytest.mark.parametrize("options", [("--records", "0"), ("--records", "-1"), ("--seed", "x")])
def test_what_is_no_pilot_is_refused(study: SmallStudy, options: tuple[str, ...]) -> None:
    assert study.cli("pilot", *options, "--yes").code == UsageError.exit_code
    assert not (study.home / "results").exists()


def test_killed_and_started_again_it_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    study = SmallStudy.of(tmp_path / "study", RECORDS)
    cloud = start_beside(study.home, stuck_pending=True)
    process = study.process("pilot", "--records", "10")
    deadline = time.monotonic() + 30
    while not (study.ledger.exists() and cloud.journal("creates")):
        assert time.monotonic() < deadline
        time.sleep(0.02)  # between two looks
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    cloud.switch(stuck_pending=False)
    found = study.ended("pilot", "--records", "10", "--json").json
    assert (found["answers"], found["open"]) == (10, 50)
    assert study.ended("run", "--json").json["answers"] == RECORDS
    cloud.stop()
    assert max(served(cloud.data).values()) == 1
    assert max(created(cloud.data).values()) == 1
    assert len(served(cloud.data)) == RECORDS


def screen_of(home: Path, n: int) -> SmallStudy:
    """The demo's study, three samples and an adjudicator, with its first n records; some fail on purpose."""
    files = example_files()
    study = SmallStudy(home, "naps")
    home.mkdir(parents=True)
    rows = list(csv.reader(io.StringIO(_text(files["records.csv"]))))
    with (home / "records.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows[: n + 1])
    study.path.write_text(_text(files["study.yaml"]), encoding="utf-8")
    return study


def _text(file: bytes | str) -> str:
    return file.decode() if isinstance(file, bytes) else file


def test_samples_and_adjudication_of_the_pilots_records_and_of_no_others(tmp_path: Path, child: LocalCloud) -> None:
    study = screen_of(tmp_path / "screen", 100)
    found = pilot(study, "--records", "20").json
    part = found["pilot"]
    by_stage = "SELECT stage, count(DISTINCT address) FROM sent JOIN shard ON shard.id = shard GROUP BY stage"
    asked = Counter[str](dict(study.query(by_stage)))
    assert asked["screen"] == 3 * 20
    assert asked["adjudicate"] == part["compared"]["contested"] > 0
    assert (part["answers"] + part["problems"], part["open"]) == (part["records"], 0)
    assert 50 < part["tokens"]["screen"]["requests"] <= 60
    rows = [row for row in study.results() if row["outcome"] in {"answer", "problem"} and not row["duplicate_of"]]
    assert Counter(row["decision"] for row in rows) == part["decisions"]
    assert Counter(row["agreement"] for row in rows if row["agreement"]) == part["agreement"]
    assert sum(row["needs_person"] == "true" for row in rows) == part["needs_person"]
    shown = study.cli("pilot", "--records", "20").out
    assert f"Pilot: {part['records']} of {part['of']} records, drawn by seed 1" in shown
    assert f"{part['compared']['contested']} contested" in shown
    ended = study.cli("run", "--json").json
    assert ended["requests_sent"] >= 3 * (part["of"] - part["records"]) - 20, "equal texts are asked once"
    assert study.query("SELECT count(*) FROM (SELECT 1 FROM sent GROUP BY address, attempt HAVING count(*) > 1)") == [
        (0,)
    ]
