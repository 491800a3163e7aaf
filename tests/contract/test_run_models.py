"""`overnight models`, a study's own prices, refusals with prices, and a model that no table knows: through the CLI."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from overnight.cli import models as command
from overnight.cli import models_table
from overnight.cli.main import main
from overnight.pricing import packaged_tables
from overnight.pricing.prices import MODES, SURFACES
from overnight.wiring import opening
from overnight.wiring.opening import open_study
from tests.support.local_cloud import LocalCloud
from tests.support.studies import CLOUD, SmallStudy

FLASH = "gemini-3.8-flash"
OWN = """
[[price]]
model = "{model}"
input = "{rate}"
output = "{rate}"
valid_from = 2026-01-01
checked = 2026-11-20
"""


@pytest.fixture
def study(tmp_path: Path) -> SmallStudy:
    return SmallStudy.of(tmp_path / "s", n=6, model=FLASH)


def priced(study: SmallStudy, rate: str, model: str = FLASH) -> None:
    (study.home / "mine.toml").write_text(OWN.format(model=model, rate=rate), encoding="utf-8")
    named(study, "mine.toml")


def named(study: SmallStudy, file: str) -> None:
    study.path.write_text(study.path.read_text(encoding="utf-8") + f"models: {file}\n", encoding="utf-8")


def at(monkeypatch: pytest.MonkeyPatch, *day: int) -> None:
    monkeypatch.setattr(opening, "utc_now", lambda: datetime(*day, tzinfo=UTC))  # type: ignore[misc,arg-type]


def table(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["models", *arguments]) == 0
    return capsys.readouterr().out


class TestTheTable:
    def test_its_rows_fit_80_columns_whatever_is_said_below_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        for surface in SURFACES:
            for mode in MODES:
                lines = table(capsys, "--all", "--sources", "--surface", surface, "--mode", mode).splitlines()
                assert max(len(line) for line in lines if line.startswith("gemini-")) <= 80

    def test_retired_ones_are_hidden_and_said(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at(monkeypatch, 2026, 11, 22)
        shown = table(capsys)
        assert "gemini-3.6-flash" not in shown
        assert "13 of 14 models; --all shows retired ones." in shown
        assert "gemini-3.6-flash" in table(capsys, "--all")
        assert "from 2027-01-01: in 0.75, out 3.75, cached not known" in shown
        assert "warning" not in shown

    def test_an_old_table_says_so(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        at(monkeypatch, 2026, 12, 14)
        assert "more than 60 days ago, the oldest on 2026-10-14" in table(capsys).replace("\n", " ")

    def test_the_cheapest_come_first_and_those_without_a_price_last(self, capsys: pytest.CaptureFixture[str]) -> None:
        import json

        rows = json.loads(table(capsys, "--json"))["models"]
        rates = [None if row["price"] is None else Decimal(row["price"]["output"]) for row in rows]
        known = [rate for rate in rates if rate is not None]
        assert known == sorted(known)
        assert rates[len(known) :] == [None, None]
        by_name = json.loads(table(capsys, "--json", "--sort", "name"))["models"]
        assert [row["id"] for row in by_name] == sorted(row["id"] for row in by_name)
        unknown = json.loads(table(capsys, "--json", "--batch", "unknown"))["models"]
        assert {row["id"] for row in unknown} == {"gemini-4-argon", "gemini-4-carbon", "gemini-4-hydrogen"}

    def test_every_price_is_traced(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        at(monkeypatch, 2026, 11, 22)
        shown = " ".join(table(capsys, "--sources").split())
        used = [row for row in packaged_tables().prices if row.surface == "vertex" and row.mode == "batch"]
        shown_today = [row for row in used if row.holds_on(date(2026, 11, 22)) and row.model != "gemini-3.6-flash"]
        assert len(shown_today) == 11
        for price in shown_today:
            assert f"{price.source} [{price.evidence}], checked {price.checked}" in shown

    def test_what_can_be_asked_for_is_what_there_is(self) -> None:
        assert (command._SURFACES, command._MODES) == (SURFACES, MODES)
        assert tuple(models_table.ORDERS) == command._ORDERS


class TestOwnPrices:
    def test_they_are_what_the_plan_reckons_with_and_names(self, study: SmallStudy) -> None:
        before = Decimal(study.cli("plan", "--json").json["cost_usd"]["expected"])
        priced(study, "100")
        planned = study.cli("plan", "--json").json
        assert Decimal(planned["cost_usd"]["expected"]) > before * 10
        assert "your own file mine.toml" in study.cli("plan", "--sources").out
        assert "your own row" in " ".join(study.cli("models").out.split())

    def test_what_a_study_would_cost_comes_with_the_thinking_it_is_reckoned_with(self, study: SmallStudy) -> None:
        said = " ".join(study.cli("models").out.split())
        assert "for what is left to send, thinking low; price from" in said
        assert "for what is left to send, thinking off; price from" in said, "2.5 Flash-Lite knows no levels"
        rows = {row["id"]: row for row in study.cli("models", "--json").json["models"]}
        assert rows["gemini-2.5-flash-lite"]["study_thinking"] == "off"
        planned = study.cli("plan", "--json").json["cost_usd"]["expected"]
        assert (rows[FLASH]["study_usd"], rows[FLASH]["study_thinking"]) == (planned, "low")

    def test_a_slip_in_the_file_is_named_with_its_line(self, study: SmallStudy) -> None:
        priced(study, "-1")
        ended = study.cli("check")
        assert ended.code == 3
        assert "mine.toml:2, price[0]: `input` is an amount above zero" in ended.err

    def test_a_file_that_is_not_there(self, study: SmallStudy) -> None:
        named(study, "none.toml")
        assert "there is no file none.toml" in study.cli("check").err


class TestRefusals:
    @pytest.fixture(autouse=True)
    def today(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """3.6 Flash is retired, and no other price changes."""
        at(monkeypatch, 2026, 11, 22)

    def test_a_model_without_a_price_is_told_of_before_run_refuses_it(self, tmp_path: Path) -> None:
        study = SmallStudy.of(tmp_path / "u", n=6, model="gemini-4-carbon")
        study.more = CLOUD
        study.write()
        assert "no source states what gemini-4-carbon costs in a job" in study.cli("check").out
        said = study.cli("plan").out
        assert "Cost: unknown" in said
        assert "`run` will refuse" in said
        assert "at once" not in said
        assert "Next: overnight run" not in said

    def test_the_surcharge_of_a_location_stands_beside_the_price(self, tmp_path: Path) -> None:
        study = SmallStudy.of(tmp_path / "u", n=6, model="gemini-4-argon")
        study.more = CLOUD.replace("location: global", "location: us-central1")
        study.write()
        assert "out a million tokens, × 1.1 in us-central1, since" in study.cli("plan").out
        study.more = CLOUD
        study.write()
        assert "out a million tokens, since" in study.cli("plan").out

    def test_a_retired_model_comes_with_others_and_their_price_for_this_study(self, tmp_path: Path) -> None:
        ended = SmallStudy.of(tmp_path / "r", n=6, model="gemini-3.6-flash").cli("check")
        assert ended.code == 3
        assert "was retired on 2026-11-19 (source: litellm" in ended.err
        assert "→ Use gemini-3.8-flash (about $0.0" in ended.err
        assert "thinking low) or gemini-" in ended.err

    def test_the_price_named_is_the_one_that_plan_gives_for_that_model(self, tmp_path: Path) -> None:
        said = SmallStudy.of(tmp_path / "a", n=6, model="gemini-3.6-flash").cli("check").err
        planned = SmallStudy.of(tmp_path / "b", n=6, model=FLASH).cli("plan").out
        (amount,) = {line.split()[1] for line in planned.splitlines() if line.startswith("  expected")}
        assert f"Use {FLASH} (about {amount} for this study" in said

    def test_what_was_answered_is_shown_after_the_model_is_retired(self, study: SmallStudy) -> None:
        assert study.cli("run", "--json").json["answers"] == 6
        late = {"now": lambda: datetime(2029, 1, 1, tzinfo=UTC)}
        own = '[[model]]\nid = "gemini-3.8-flash"\nvertex = { retired = 2026-11-01 }\n'
        (study.home / "mine.toml").write_text(own, encoding="utf-8")
        named(study, "mine.toml")
        assert study.cli("plan").code == 3
        assert study.cli("status", "--json").json["answers"] == 6
        assert study.cli("fetch", "--json").json["answers"] == 6
        with open_study(study.path, to_send=False, **late) as opened:  # type: ignore[arg-type]
            assert opened.model.id == FLASH


class TestAModelThatNoTableKnows:
    def test_it_needs_the_word_and_a_price_and_then_it_runs(self, tmp_path: Path) -> None:
        study = SmallStudy.of(tmp_path / "u", n=6, model="gemini-9-new")
        assert "--allow-unknown-model" in study.cli("check").err
        unpriced = study.cli("check", "--allow-unknown-model")
        assert unpriced.code == 3
        assert '\n      model = "gemini-9-new"\n' in unpriced.err, "whole lines, to be pasted"
        priced(study, "2", "gemini-9-new")
        checked = study.cli("check", "--allow-unknown-model")
        assert checked.code == 0, checked.err
        assert "no table of this version knows gemini-9-new" in checked.out
        assert study.cli("plan", "--allow-unknown-model", "--json").json["cost_usd"]["expected"] is not None


class TestAModelThatIsRetiredWhileItsJobsAreUnderWay:
    """Collect what is there before judging: only sending is refused."""

    def retire(self, study: SmallStudy) -> None:
        own = '[[model]]\nid = "gemini-3.8-flash"\nvertex = { retired = 2026-11-01 }\n'
        (study.home / "mine.toml").write_text(own, encoding="utf-8")
        study.more = "models: mine.toml\n"
        study.write()

    def test_run_collects_them_and_has_nothing_to_refuse_where_nothing_is_left(self, study: SmallStudy) -> None:
        assert study.cli("run", "--detach", "--json").json["requests_in_flight"] == 6
        self.retire(study)
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["answers"], ended.json["open"]) == (0, 6, 0), ended.err
        assert study.cli("run", "--json").code == 0, "a study that is complete stays so"

    @pytest.mark.parametrize("how", ["run", "fetch"])
    def test_what_is_left_is_said_not_to_be_sent_and_why(
        self, study: SmallStudy, shared_google: LocalCloud, how: str
    ) -> None:
        shared_google.reset()
        shared_google.switch(stuck_pending=True)
        assert study.cli("run", "--detach", "--json").json["requests_in_flight"] == 6
        study.texts |= {"new1": "One more text.", "new2": "And another one."}
        self.retire(study)
        shared_google.switch(stuck_pending=False)
        (job,) = study.query("SELECT job_name FROM shard")[0]
        shared_google.wait(job)
        ended = study.cli(how, "--json")
        assert (ended.json["answers"], ended.json["open"], ended.json["requests_sent"]) == (6, 2, 0), ended.err
        assert "model gemini-3.8-flash was retired on 2026-11-01" in ended.json["cannot_send"]
        status = study.cli("status")
        assert "nothing more is sent: model gemini-3.8-flash was retired on 2026-11-01" in status.out
        assert "Next: overnight check" in status.out
        assert study.query("SELECT count(*) FROM shard") == [(1,)]
        refused = study.cli("run")
        assert refused.code == 3
        assert "2 requests are left, and none can be sent: model gemini-3.8-flash was retired on" in refused.err
        assert "→ Use gemini-" in refused.err
        assert "about $0.0" in refused.err, "and what the others would cost for what is left"

    def test_a_study_that_has_sent_nothing_is_refused_before_anything_is_touched(self, study: SmallStudy) -> None:
        self.retire(study)
        assert study.cli("run").code == 3
        assert not study.ledger.exists()
