"""What `plan` says a run may cost: before any answer, after some, after an edit, on Google, before a price changes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from overnight.cli.estimate import cost_lines
from overnight.core.usage import Usd
from overnight.run.estimate import estimate_plan
from overnight.run.plan import make_plan
from overnight.wiring.opening import open_study
from tests.support.calls import Calls
from tests.support.cloud import SWIFT, instead_of_a_child
from tests.support.google_cli import in_place_of_google
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy, text_of
from tests.support.tasks import ContestedTask

RECORDS = 30
OTHER_QUESTION = "Who worked at night, and did they rest?"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), **SWIFT)
    cloud.bucket("my-bucket")
    with instead_of_a_child(cloud), in_place_of_google(cloud.endpoint):
        yield cloud
    cloud.stop()


@pytest.fixture
def cloud(shared: LocalCloud) -> LocalCloud:
    shared.reset()
    return shared


@pytest.fixture
def study(tmp_path: Path, cloud: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS)


@pytest.fixture
def on_google(tmp_path: Path, cloud: LocalCloud) -> SmallStudy:
    cloud.switch(model_version_suffix="")
    return SmallStudy.of(tmp_path / "google", RECORDS, more=CLOUD)


def plan(study: SmallStudy, *options: str) -> dict[str, Any]:
    ended = study.cli("plan", "--json", *options)
    assert ended.code == 0, ended.err
    return ended.json


def amounts(found: dict[str, Any]) -> list[Decimal]:
    return [Decimal(found["cost_usd"][name]) for name in ("low", "expected", "high", "worst")]


def add(study: SmallStudy, n: int) -> None:
    study.texts |= {f"more{number}": text_of(1_000 + number) for number in range(n)}
    study.write()


def edit(study: SmallStudy, **changes: object) -> None:
    for name, value in changes.items():
        setattr(study, name, value)
    study.write()


class TestBefore:
    def test_json_has_four_exact_amounts_and_where_the_price_is_from(self, study: SmallStudy) -> None:
        found = plan(study)
        assert list(found["cost_usd"]) == ["low", "expected", "high", "worst"]
        assert list(found["price"]) == ["model", "valid_from", "source", "checked"]
        assert all(isinstance(amount, str) for amount in found["cost_usd"].values())
        assert 0 < amounts(found)[0] < amounts(found)[1] < amounts(found)[2] < amounts(found)[3]

    def test_four_lines_in_words_with_an_assumption_each_within_a_hundred_columns(self, study: SmallStudy) -> None:
        lines = study.cli("plan").out.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith("Cost"))
        assert [line.split("$")[0].strip() for line in lines[start + 1 : start + 5]] == [
            "low", "expected", "high", "worst case",
        ]  # fmt: skip
        assert all("tokens in" in line for line in lines[start + 1 : start + 4])
        assert "each byte a token" in lines[start + 4]
        assert max(len(line) for line in lines if str(study.home) not in line) <= 100
        for said in ("not counted", "a guess for thinking low", "At once instead", "since 20", "all 3 rounds"):
            assert said in "\n".join(lines)

    def test_the_worst_case_knows_the_longest_text(self, study: SmallStudy) -> None:
        """One text above 200,000 tokens has the dearer tier: it must not vanish in an average."""
        edit(study, model="gemini-3.1-pro-preview")
        study.texts |= {"long": "night " * 60_000}
        study.write()
        text = study.path.read_text(encoding="utf-8")
        study.path.write_text(text.replace("id: id}", "id: id, max_text_chars: 500000}"), encoding="utf-8")
        with open_study(study.path) as opened:
            planned = make_plan(opened.world)
        (group,) = planned.plan.groups.values()
        tokens_in = planned.size_bytes + 64 * (RECORDS + 1)
        tokens_out = (RECORDS + 1) * group.shape.max_output_tokens
        assert planned.worst == Usd(Decimal(2 * tokens_in + 9 * tokens_out) / 1_000_000)

    def test_nothing_to_send_costs_nothing(self, study: SmallStudy) -> None:
        study.cli("run")
        assert amounts(plan(study)) == [0, 0, 0, 0]


class TestEarlierAnswers:
    def test_they_tell_what_more_records_will_take(self, study: SmallStudy) -> None:
        before = plan(study)
        study.cli("run")
        add(study, 10)
        found = plan(study)
        assert (found["estimate"]["requests_counted"], found["estimate"]["answers_looked_at"]) == (RECORDS, RECORDS)
        assert "as in 30 earlier answers of this stage" in study.cli("plan").out

        study.cli("run")
        rows = study.query("SELECT prompt_tokens, thinking_tokens + answer_tokens FROM outcome WHERE shard = 2")
        for name, counted in zip(("prompt_tokens", "output_tokens"), map(sum, zip(*rows, strict=True)), strict=True):
            band, guess = found["estimate"][name], before["estimate"][name]
            assert band["low"] <= counted <= band["high"]
            assert band["high"] - band["low"] < (guess["high"] - guess["low"]) / 3
        ((billed,),) = study.query("SELECT billed_usd FROM shard WHERE id = 2")
        assert amounts(found)[0] <= Decimal(billed) <= amounts(found)[2]

    def test_a_record_whose_text_was_answered_changes_nothing(self, study: SmallStudy) -> None:
        study.cli("run")
        add(study, 5)
        before = plan(study)
        study.texts |= {"again": text_of(3)}
        study.write()
        after = plan(study)
        assert (after["cost_usd"], after["estimate"]) == (before["cost_usd"], before["estimate"])

    def test_problems_so_far_tell_what_will_be_sent_again(self, study: SmallStudy, cloud: LocalCloud) -> None:
        assert plan(study)["estimate"]["sent_again_per_thousand"]["attempts"] == 0
        study.cli("run")
        add(study, 1)
        share = plan(study)["estimate"]["sent_again_per_thousand"]
        assert (share["expected"], share["attempts"]) == (0, RECORDS)

    def test_sources_name_who_says_how_long_it_thinks_while_no_answer_tells(self, study: SmallStudy) -> None:
        guess = "thinking low: 50 to 1,500 tokens, 300 expected. Source: ours [?], checked 2026-11-22"
        assert guess in study.cli("plan", "--sources").out
        study.cli("run")
        add(study, 1)
        assert "tokens, 300 expected" not in study.cli("plan", "--sources").out

    def test_an_edited_prompt_keeps_what_the_model_was_seen_to_write(self, study: SmallStudy) -> None:
        study.cli("run")
        edit(study, question=OTHER_QUESTION)
        found = plan(study)["estimate"]
        assert (found["requests_counted"], found["answers_looked_at"]) == (0, RECORDS)
        edit(study, model="gemini-3.8-flash")
        assert plan(study)["estimate"]["answers_looked_at"] == 0, "another model's say nothing"


class TestCauses:
    @pytest.mark.parametrize(
        ("old", "new", "reason", "words"),
        [
            ("Who was studied", "Who else was studied", "prompt_changed", "the prompt changed"),
            ("planned, unplanned, none", "planned, none", "fields_changed", "the answer fields changed"),
            ("thinking: low", "thinking: high", "thinking_changed", "the thinking changed"),
            ("gemini-3.5-flash-lite", "gemini-3.8-flash", "model_changed", "the model changed"),
        ],
    )
    def test_each_is_named_with_what_it_wastes(
        self, study: SmallStudy, old: str, new: str, reason: str, words: str
    ) -> None:
        study.cli("run")
        cost = study.cli("status", "--json").json["cost_usd"]
        text = study.path.read_text(encoding="utf-8")
        study.path.write_text(text.replace(old, new), encoding="utf-8")
        found = plan(study)
        assert found["reasons"] == {reason: RECORDS}
        assert found["asked_again"] == {reason: {"requests": RECORDS, "wasted_usd": cost}}
        said = study.cli("plan").out
        assert f"{RECORDS} requests to send: {words}; their answers cost $" in said
        assert "(--pay-again)" in said

    def test_what_is_wasted_is_not_known_where_an_answer_came_without_counts(self, study: SmallStudy) -> None:
        study.cli("run")
        edit(study, question=OTHER_QUESTION)
        reason = {"requests": RECORDS, "wasted_usd": None}
        assert plan(study)["asked_again"] != {"prompt_changed": reason}
        with closing(sqlite3.connect(study.ledger)) as ledger, ledger:
            ledger.execute("UPDATE outcome SET prompt_tokens = NULL, cached_tokens = NULL WHERE row = 2")
        assert plan(study)["asked_again"] == {"prompt_changed": reason}
        assert "their answers cost an amount that is not known" in study.cli("plan").out

    def test_an_edited_text_and_what_a_person_opened_have_lines_of_their_own(self, study: SmallStudy) -> None:
        study.cli("run")
        assert study.cli("forget", "--record", "r1").code == 0
        study.texts["r2"] += " And more."
        add(study, 3)
        found = plan(study)
        assert found["reasons"] == {"forget": 1, "new": 3, "text_changed": 1}
        assert found["asked_again"]["text_changed"]["requests"] == 1
        said = study.cli("plan").out
        assert "1: opened again by forget" in said
        assert "--pay-again" not in said


class TestCounting:
    def test_the_service_counts_thirty_requests_when_asked_and_only_then(
        self, on_google: SmallStudy, cloud: LocalCloud
    ) -> None:
        add(on_google, 40)
        calls = Calls(cloud, "count")
        assert plan(on_google)["estimate"]["requests_counted"] == 0
        assert calls.seen == 0
        found = plan(on_google, "--count-tokens")
        assert (calls.seen, found["estimate"]["requests_counted"]) == (30, 30)
        assert found["cost_usd"] == plan(on_google, "--count-tokens")["cost_usd"], "the same ones each time"

        on_google.cli("run", "--yes", "--no-smoke")
        ((counted,),) = on_google.query("SELECT sum(prompt_tokens) FROM outcome")
        assert found["estimate"]["prompt_tokens"]["low"] <= counted <= found["estimate"]["prompt_tokens"]["high"]

    def test_rows_asked_at_once_tell_the_order_of_size(self, on_google: SmallStudy, cloud: LocalCloud) -> None:
        Plans(cloud).add("no-job", "status", {"code": 403}, {"calls": ["create"]})
        assert on_google.cli("run", "--yes").code != 0
        found = plan(on_google)["estimate"]
        assert (found["requests_counted"], found["answers_looked_at"]) == (2, 2)
        assert "2 earlier answers: too few" in on_google.cli("plan").out


class TestOnGoogle:
    def test_the_question_shows_the_range_and_the_worst_case(
        self, on_google: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import overnight.cli.ask

        questions: list[str] = []
        monkeypatch.setattr(overnight.cli.ask, "asker", lambda _: lambda text: bool(questions.append(text)))
        assert on_google.cli("run").code == 6
        low, expected, high, worst = map(Usd, amounts(plan(on_google)))
        assert f": about {expected} ({low} to {high}), at worst {worst} (and two of them" in questions[0]

    def test_rounds_and_time_are_said(self, on_google: SmallStudy) -> None:
        assert plan(on_google)["time"] == {
            "rounds": {"usually": 1, "at_worst": 3},
            "usually_s": 24 * 3600,
            "at_worst_s": 3 * 96 * 3600,
        }
        said = on_google.cli("plan").out
        assert "Time: usually 1 round, within 24 hours (Google's aim, no promise);" in said
        assert "at worst 3 rounds of 96 hours" in said


class TestPriceChange:
    @pytest.mark.parametrize(("day", "named"), [(18, False), (19, True), (30, True)])
    def test_one_before_the_latest_possible_end_is_named(self, study: SmallStudy, day: int, named: bool) -> None:
        """gemini-4-argon doubles on 2026-12-01; three rounds of four days begun on the 19th may end on it."""
        edit(study, model="gemini-4-argon")
        with open_study(study.path, now=lambda: datetime(2026, 11, day, 23, 0, tzinfo=UTC)) as opened:
            found = make_plan(opened.world).estimated
            assert found is not None
            said = "\n".join(cost_lines(found, opened.world))
        assert ("From 2026-12-01 this costs twice as much" in said) is named
        if named:
            ((change_day, before, after),) = [(one.day, one.before, one.after) for one in found.changes]
            assert (change_day, after) == (date(2026, 12, 1), before * 2)

    def test_high_and_worst_take_the_dearest_price_a_job_may_meet(self, study: SmallStudy) -> None:
        edit(study, model="gemini-4-argon")
        seen = {}
        for day in (20, 28):
            with open_study(study.path, now=lambda day=day: datetime(2026, 11, day, tzinfo=UTC)) as opened:  # type: ignore[misc]
                found = make_plan(opened.world).estimated
                assert found is not None
                seen[day] = found.amounts
        assert seen[28].low == seen[20].low
        assert seen[28].expected == seen[20].expected
        assert (seen[28].high, seen[28].worst) == (seen[20].high * 2, seen[20].worst * 2)


def test_a_stage_that_may_follow_is_priced_beside_what_is_sent_now(study: SmallStudy) -> None:
    with open_study(study.path) as opened:
        opened.world.task = ContestedTask(samples=2)
        found = make_plan(opened.world).estimated
        assert found is not None
        assert found.amounts.n_requests == 2 * RECORDS
        said = "\n".join(cost_lines(found, opened.world))
    (later,) = found.later
    assert (later.stage, later.records, later.requests.expected, later.at_worst) == ("adjudicate", RECORDS, 6, RECORDS)
    assert f"Later: about 6 of {RECORDS} records to adjudicate: {later.expected} (" in said
    assert "20 % contested, a guess: too few answers yet." in said
    assert max(map(len, said.splitlines())) <= 100
    assert f"Together: {found.amounts.expected + later.expected} (" in said
    assert "Not in these amounts" not in said


def test_another_model_can_be_priced_for_the_same_plan(study: SmallStudy) -> None:
    study.cli("run")
    add(study, 5)
    with open_study(study.path) as opened:
        world, plan_ = opened.world, make_plan(opened.world).plan
        other = estimate_plan(world, plan_, model=world.catalogue.models["gemini-3.1-pro-preview"])
        own = estimate_plan(world, plan_)
    assert own is not None
    assert other is not None
    assert other.amounts.expected > own.amounts.expected
    assert (other.n_answers, own.n_answers) == (0, RECORDS), "what one model took says nothing of another"
