"""What was paid for is known again under other ids and after a lost ledger; the plan says what is left of the limit."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.local_cloud import LocalCloud
from tests.support.studies import CLOUD, SmallStudy

RECORDS = 6


@pytest.fixture
def study(tmp_path: Path, google: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS, more=CLOUD)


def edit(study: SmallStudy, before: str, after: str) -> None:
    text = study.path.read_text(encoding="utf-8")
    assert before in text
    study.path.write_text(text.replace(before, after), encoding="utf-8")


class TestOtherIds:
    def test_ids_made_of_the_text_do_not_hide_that_a_new_prompt_pays_again(self, study: SmallStudy) -> None:
        edit(study, "id: id", "id: auto")
        assert study.cli("run", "--yes").code == 0
        edit(study, "Who was studied", "Tell me who was studied")
        edit(study, "<abstract>{text}", "<abstract>{id} {text}")  # other texts, so other ids
        refused = study.cli("run", "--yes")
        assert refused.code == 6
        assert f"the study has {RECORDS} answers" in refused.err
        assert f"none of the {RECORDS} answers" in study.cli("plan").out
        assert study.cli("run", "--yes", "--pay-again", "--json").json["requests_sent"] == RECORDS

    def test_another_id_column_is_noted_although_nothing_is_sent_for_it(self, study: SmallStudy) -> None:
        study.write()
        table = study.home / "records.csv"
        lines = table.read_text(encoding="utf-8").splitlines()
        table.write_text(
            "\n".join([f"{lines[0]},pmid", *(f"{line},p{n}" for n, line in enumerate(lines[1:]))]), encoding="utf-8"
        )
        assert study.cli("run", "--yes").code == 0
        edit(study, "id: id", "id: pmid")
        assert study.cli("run", "--yes", "--json").json["requests_sent"] == 0
        edit(study, "Who was studied", "Tell me who was studied")
        assert study.cli("run", "--yes").code == 6

    def test_a_record_that_shares_an_answer_can_be_forgotten(self, study: SmallStudy) -> None:
        assert study.cli("run", "--yes").code == 0
        study.texts["late"] = study.texts["r2"]
        study.write()
        assert study.cli("run", "--yes", "--json").json["requests_sent"] == 0
        forgotten = study.cli("forget", "--record", "late")
        assert forgotten.code == 0
        assert "r2" in forgotten.out
        assert study.cli("run", "--yes", "--json").json["requests_sent"] == 1

    def test_new_records_under_the_same_prompt_are_no_reason_to_ask(self, study: SmallStudy) -> None:
        assert study.cli("run", "--yes").code == 0
        study.texts = {f"new{n}": f"{text} Again." for n, text in enumerate(study.texts.values())}
        study.write()
        assert study.cli("run", "--yes", "--json").json["requests_sent"] == RECORDS


class TestLostLedger:
    @pytest.fixture
    def robbed(self, study: SmallStudy) -> SmallStudy:
        assert study.cli("run", "--yes").code == 0
        shutil.rmtree(study.home / ".overnight")
        return study

    def test_on_google_it_is_refused_until_a_person_says_so(self, robbed: SmallStudy, google: LocalCloud) -> None:
        before = google.journal()["counts"]["creates"]
        for _ in range(2):  # the refusal itself leaves nothing that would let the next one through
            refused = robbed.cli("run", "--yes")
            assert refused.code == 6
            assert ".overnight" in refused.err
        assert google.journal()["counts"]["creates"] == before
        assert robbed.cli("run", "--yes", "--pay-again").code == 0

    def test_results_of_before_anything_was_sent_are_no_sign_of_a_lost_one(self, study: SmallStudy) -> None:
        assert study.cli("fetch").code == 0  # by a timer, say, that was set up before the first run
        assert len(study.results("results")) == RECORDS
        assert "holds answers" not in study.cli("plan").err
        ended = study.cli("run", "--yes")
        assert ended.code == 0, ended.err

    def test_plan_warns(self, robbed: SmallStudy) -> None:
        assert "everything is asked anew" in robbed.cli("plan").err

    def test_a_renamed_study_is_told_where_its_memory_lies(self, study: SmallStudy) -> None:
        assert study.cli("run", "--yes").code == 0
        study.path.rename(study.home / "naps.yaml")
        renamed = SmallStudy(study.home, texts=study.texts, more=study.more)
        moved = renamed.home / "naps.yaml"
        from overnight.cli.main import main

        assert main(["run", str(moved), "--yes"]) == 6


class TestLimit:
    def limited(self, study: SmallStudy, share_of_worst: str) -> Decimal:
        cost = study.cli("plan", "--json").json["cost_usd"]
        limit = (Decimal(cost["worst"]) * Decimal(share_of_worst)).quantize(Decimal("0.000001"))
        study.more = f"{CLOUD}budget: {{limit_usd: {limit}}}\n"
        study.write()
        return limit

    def test_the_plan_says_what_is_left_and_that_it_goes_in_parts(self, study: SmallStudy) -> None:
        limit = self.limited(study, "0.6")
        plan = study.cli("plan")
        assert "Limit: $" in plan.out
        assert "one job after another" in plan.out
        assert "Next: overnight run" in plan.out
        assert Decimal(study.cli("plan", "--json").json["budget_usd"]["left"]) == limit
        assert "budget " in study.cli("check").out

    def test_the_plan_says_that_the_run_will_refuse(self, study: SmallStudy) -> None:
        self.limited(study, "0.001")
        plan = study.cli("plan")
        assert "`run` will refuse" in plan.out
        assert "Next: overnight run" not in plan.out
        assert study.cli("run", "--yes").code == 5

    def test_detached_for_want_of_money_says_how_many_wait(self, study: SmallStudy, google: LocalCloud) -> None:
        self.limited(study, "0.6")
        google.switch(stuck_pending=True)  # else the job may have ended before the run leaves, and the rest is sent
        left = study.cli("run", "--yes", "--detach", "--json").json
        assert 0 < left["requests_waiting"] < RECORDS
        assert left["requests_waiting"] + left["requests_sent"] == RECORDS
        assert Decimal(left["budget_usd"]["reserved"]) > 0
        google.switch(stuck_pending=False)
        done = study.cli("run", "--yes", "--json").json
        assert (done["answers"], done["requests_waiting"], done["budget_usd"]["reserved"]) == (RECORDS, 0, "0")
