"""Deep think where it is paid for: what may follow is priced before, asked for in its turn, and on the bill once."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from overnight.backends import vertex_storage
from overnight.backends.backend import Patience
from overnight.cli.later import later_lines
from overnight.core.usage import Usd
from overnight.run.plan import make_plan
from overnight.study import screen_recipes
from overnight.study.wording import Name, Wording
from overnight.wiring.opening import open_study
from tests.support.local_cloud import LocalCloud
from tests.support.small_screens import SmallScreen, screen_text
from tests.support.studies import CLOUD

RECORDS, MODEL = 30, "gemini-3.5-flash-lite"
QUICK = Patience((0.05, 0.1), then_create=True, poll_s=(0.02, 0.1), unusual_s=60)
IN_USD, OUT_USD = Decimal("1.00"), Decimal("0.01")
PRICES = f"""\
[[price]]
model = "{MODEL}"
input = "{IN_USD}"
output = "{OUT_USD}"
valid_from = 2026-01-01
checked = 2026-11-20
source = "made up, so that the worst case is a few times what is expected"
"""


@pytest.fixture(autouse=True)
def cloud(google: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    monkeypatch.setattr(vertex_storage, "LOCAL_PATIENCE", QUICK)
    return google


@pytest.fixture
def study(tmp_path: Path) -> SmallScreen:
    study = SmallScreen.of(tmp_path / "study", RECORDS, more=f"{CLOUD}models: prices.toml\n", model=MODEL)
    (study.home / "prices.toml").write_text(PRICES, encoding="utf-8")
    return study


def run(study: SmallScreen, *options: str) -> dict[str, Any]:
    ended = study.cli("run", "--yes", "--no-smoke", "--json", *options)
    assert ended.code == 0, ended.err
    return ended.json


def plan(study: SmallScreen) -> dict[str, Any]:
    ended = study.cli("plan", "--json")
    assert ended.code == 0, ended.err
    return ended.json


def change(study: SmallScreen, **changes: object) -> None:
    for name, value in changes.items():
        setattr(study, name, value)
    study.write()


def together(found: Mapping[str, Any]) -> list[Decimal]:
    return [Decimal(found["together_usd"][name]) for name in ("low", "expected", "high", "worst")]


def billed_by_stage(study: SmallScreen) -> dict[str, Decimal]:
    """By DuckDB, over the raw lines, at the prices of this page; the stage is told by the schema that was sent."""
    raw = str(study.home / ".overnight" / "raw" / "**" / "*.jsonl*")
    rows = duckdb.sql(
        "SELECT json_exists(line, '$.request.generationConfig.responseSchema.properties.mistakes') AS adjudicate,"
        " sum(CAST(json_extract(line, '$.response.usageMetadata.promptTokenCount') AS BIGINT)),"
        " sum(coalesce(CAST(json_extract(line, '$.response.usageMetadata.candidatesTokenCount') AS BIGINT), 0)"
        "   + coalesce(CAST(json_extract(line, '$.response.usageMetadata.thoughtsTokenCount') AS BIGINT), 0))"
        f" FROM (SELECT json AS line FROM read_ndjson_objects('{raw}')) GROUP BY 1"
    ).fetchall()
    return {
        "adjudicate" if adjudicate else "screen": (tokens_in * IN_USD + tokens_out * OUT_USD) / 1_000_000
        for adjudicate, tokens_in, tokens_out in rows
    }


def cost_by_stage(study: SmallScreen) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    with (study.home / "results" / "cost.csv").open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            found[row["stage"]] = found.get(row["stage"], Decimal()) + Decimal(row["cost_usd"])
    return found


class TestBefore:
    def test_adjudications_that_may_follow_stand_beside_what_is_sent_now(self, study: SmallScreen) -> None:
        found = plan(study)
        (later,) = found["later"]
        assert (later["stage"], later["records"], later["requests"]["at_worst"]) == ("adjudicate", RECORDS, RECORDS)
        assert later["share_per_thousand"] == {"low": 100, "expected": 200, "high": 400, "of_records": 0}
        assert later["requests"]["expected"] == RECORDS / 5
        for name, whole in zip(("low", "expected", "high", "worst"), together(found), strict=True):
            assert whole == Decimal(found["cost_usd"][name]) + Decimal(later["cost_usd"][name])
        assert together(found) == sorted(together(found))

    def test_without_an_adjudicator_nothing_follows_and_with_all_every_record(self, study: SmallScreen) -> None:
        change(study, deep="samples: 3, adjudicate: never")
        found = plan(study)
        assert (found["later"], found["together_usd"]["worst"]) == ([], found["cost_usd"]["worst"])
        change(study, deep="samples: 3, adjudicate: all")
        (later,) = plan(study)["later"]
        assert later["requests"] == {"low": RECORDS, "expected": RECORDS, "high": RECORDS, "at_worst": RECORDS}

    def test_each_stage_that_may_follow_is_a_round_more(self, study: SmallScreen) -> None:
        rounds = {}
        for deep in ("samples: 3, adjudicate: never", "samples: 3", "samples: 3, adaptive: true"):
            change(study, deep=deep)
            rounds[deep] = tuple(plan(study)["time"]["rounds"].values())
        assert list(rounds.values()) == [(1, 3), (2, 6), (3, 9)] or list(rounds.values()) == [(2, 3), (3, 6), (4, 9)]

    def test_a_third_sample_where_two_differ_is_named_as_one(self, study: SmallScreen) -> None:
        change(study, deep="samples: 3, adaptive: true")
        assert [(one["stage"], one["from_sample"]) for one in plan(study)["later"]] == [
            ("screen", 3),
            ("adjudicate", 1),
        ]
        assert f"of {RECORDS} records to ask further samples of" in study.cli("plan").out

    def test_the_question_before_sending_names_what_may_follow(
        self, study: SmallScreen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import overnight.cli.ask

        questions: list[str] = []
        monkeypatch.setattr(overnight.cli.ask, "asker", lambda _: lambda text: bool(questions.append(text)))
        assert study.cli("run", "--no-smoke").code == 6
        later = plan(study)["later"][0]["cost_usd"]
        low, expected, high = (Usd(later[name]) for name in ("low", "expected", "high"))
        assert (
            f"; what may follow is not in this (adjudicate: about {expected} ({low} to {high})). Go on?"
            in (questions[0])
        )

    def test_other_models_are_compared_with_what_may_follow(self, study: SmallScreen) -> None:
        shown = json.loads(study.cli("models", "--json", "--all").out.strip().splitlines()[-1])
        (own,) = [row for row in shown["models"] if row["id"] == MODEL]
        assert Decimal(own["study_usd"]) == together(plan(study))[1]


class TestAfter:
    def test_one_to_three_samples_pays_for_two_of_each_record_and_the_bill_is_duckdbs_by_stage(
        self, study: SmallScreen
    ) -> None:
        change(study, deep="samples: 1, adjudicate: never")
        assert run(study)["requests_sent"] == RECORDS
        change(study, deep="samples: 2")
        looked_at = plan(study)["estimate"]["answers_looked_at"]
        assert looked_at == RECORDS, "sample 1 tells what 2 will take, whose criteria stand in another order"
        change(study, deep="samples: 3")
        assert plan(study)["reasons"] == {"more_samples": 2 * RECORDS}
        said = study.cli("plan").out
        assert f"{2 * RECORDS} requests to send: further samples of records answered before: never asked" in said

        ended = run(study)
        stages = study.stages()
        assert stages["screen"] == 3 * RECORDS
        assert ended["requests_sent"] == 2 * RECORDS + stages["adjudicate"]
        assert cost_by_stage(study) == billed_by_stage(study)
        assert sum(billed_by_stage(study).values()) == Decimal(ended["cost_usd"])

    def test_what_samples_showed_tells_how_many_more_will_be_adjudicated(self, study: SmallScreen) -> None:
        ended = run(study)
        contested = ended["compared"]["contested"]
        assert (ended["compared"]["records"], ended["compared"]["adjudicated"]) == (RECORDS, contested)
        assert contested == study.stages()["adjudicate"] > 0
        before = plan(study)
        assert (before["later"], before["compared"]) == ([], ended["compared"])
        change(study, texts=study.texts | {f"more{n}": screen_text(500 + n) for n in range(20)})
        (later,) = plan(study)["later"]
        assert later["share_per_thousand"]["expected"] == round(1000 * contested / RECORDS)
        assert (later["records"], later["share_per_thousand"]["of_records"]) == (20, RECORDS)
        assert f"as of {RECORDS} so far" in study.cli("plan").out

        spent = cost_by_stage(study)["adjudicate"]
        run(study)
        paid = cost_by_stage(study)["adjudicate"] - spent
        assert paid <= Decimal(later["cost_usd"]["worst"])

    def test_the_estimate_beside_the_bill_has_later_stages_once(self, study: SmallScreen, cloud: LocalCloud) -> None:
        expected = [f"{amount:f}" for amount in together(plan(study))]
        cloud.switch(stuck_pending=True)
        run(study, "--detach")
        cloud.switch(stuck_pending=False)
        for _ in range(2):
            said = run(study)["bill"]["estimate_usd"]
            assert [f"{Decimal(amount):f}" for amount in said.values()] == expected

    def test_an_edited_criterion_is_agreed_to_once_for_samples_and_what_they_lead_to(
        self, study: SmallScreen, cloud: LocalCloud
    ) -> None:
        run(study)
        change(study, criteria=(study.criteria[0] + " All of them.", study.criteria[1]))
        assert set(plan(study)["reasons"]) == {"criteria_changed"}
        cloud.switch(stuck_pending=True)
        run(study, "--pay-again", "--detach")
        cloud.switch(stuck_pending=False)
        ended = study.cli("run", "--yes", "--no-smoke", "--json")
        assert ended.code == 0, ended.err
        assert ended.json["requests_sent"] > 0
        assert ended.json["compared"]["adjudicated"] == ended.json["compared"]["contested"]

    def test_this_versions_words_are_agreed_to_once_too_and_adjudicated_anew(
        self, study: SmallScreen, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(study)
        package = screen_recipes.wording

        def new_words(name: Name) -> Wording:
            return replace(package(name), text=f"{package(name).text} So it is.")

        monkeypatch.setattr(screen_recipes, "wording", new_words)
        assert plan(study)["requests"]["to_send"] == 0, "the study keeps the words it began with"
        assert study.cli("run", "--yes", "--no-smoke", "--new-recipe").code == 6
        cloud.switch(stuck_pending=True)
        sent = run(study, "--new-recipe", "--pay-again", "--detach")["requests_sent"]
        cloud.switch(stuck_pending=False)
        ended = run(study)
        assert sent == 3 * RECORDS
        assert ended["compared"]["adjudicated"] == ended["compared"]["contested"] > 0
        assert run(study)["requests_sent"] == 0

    def test_too_many_contested_records_are_said_while_planning_and_in_json(self, study: SmallScreen) -> None:
        found = run(study)["compared"]
        words = f"{found['contested']} of {RECORDS} records"
        assert found["too_many_contested"], found
        assert words in study.cli("plan").out


class TestLimit:
    def limit(self, study: SmallScreen, amount: Decimal, when_over: str = "") -> None:
        change(study, more=f"{CLOUD}models: prices.toml\nbudget: {{limit_usd: {amount:.6f}{when_over}}}\n")

    def test_where_only_this_round_fits_it_is_sent_with_a_warning(self, study: SmallScreen) -> None:
        found = plan(study)
        now, whole = Decimal(found["cost_usd"]["expected"]), together(found)[1]
        self.limit(study, (now + whole) / 2)
        said = study.cli("plan").out
        assert f"{Usd(whole)} is expected together" in said
        ended = study.cli("run", "--yes", "--no-smoke")
        assert f"about {Usd(whole)} is expected with what may follow on these requests (adjudicate: about" in ended.err
        assert study.stages()["screen"] > 0

    def test_a_part_that_fits_leaves_room_for_its_adjudications(self, study: SmallScreen) -> None:
        change(study, texts={f"r{n}": screen_text(n) for n in range(4 * RECORDS)}, deep="samples: 3, adjudicate: all")
        whole = together(plan(study))[1]
        self.limit(study, whole / 2, ", when_over: fit, seed: 7")
        found = plan(study)
        n = found["later"][0]["records"]
        assert together(found)[1] <= whole / 2
        assert 0 < n < 2 * RECORDS + 1
        ended = run(study)
        taken = ended["answers"]
        assert n <= taken < 4 * RECORDS, "two rows asked at once are paid for in the plan, and not here"
        assert (study.stages()["adjudicate"], ended["open"]) == (taken, 0), "all who were drawn came to their end"
        assert Decimal(ended["cost_usd"]) <= whole / 2


def test_lines_of_nothing_that_follows_are_none(study: SmallScreen) -> None:
    change(study, deep="samples: 2, adjudicate: never")
    with open_study(study.path) as opened:
        estimated = make_plan(opened.world).estimated
    assert estimated is not None
    lines: Iterator[str] = later_lines(estimated.later, estimated.together)
    assert list(lines) == []
