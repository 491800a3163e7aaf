"""Deep think through the loop: what is sent, kept and asked anew, by the ledger and the cloud's journal."""

from collections import Counter
from pathlib import Path

import pytest

from tests.support.cloud import jobs_by_label, served
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.small_screens import NAPS, NIGHT, SmallScreen, screen_text

RECORDS = 24


@pytest.fixture
def cloud(child: LocalCloud) -> LocalCloud:
    return child


@pytest.fixture
def study(tmp_path: Path, cloud: LocalCloud) -> SmallScreen:
    return SmallScreen.of(tmp_path / "study", RECORDS)


def run(study: SmallScreen, *options: str) -> int:
    """Requests sent."""
    ended = study.cli("run", "--json", *options)
    assert ended.code == 0, ended.err
    return int(ended.json["requests_sent"])


def to_send(study: SmallScreen) -> int:
    return int(study.cli("plan", "--json").json["requests"]["to_send"])


def edit(study: SmallScreen, **changes: object) -> None:
    for name, value in changes.items():
        setattr(study, name, value)
    study.write()


def adjudicated(study: SmallScreen) -> set[str]:
    """Records whose decision an adjudicator had a part in, by the requests bound to them."""
    return set(study.bound("adjudicate"))


def contested(study: SmallScreen) -> set[str]:
    """By the results alone: who has an answer of the adjudicator."""
    return {row["record_id"] for row in study.results() if row["decided_by"] == "adjudicator"}


def columns(study: SmallScreen, *names: str) -> dict[str, tuple[str, ...]]:
    return {row["record_id"]: tuple(row[name] for name in names) for row in study.results()}


class TestOnce:
    def test_three_samples_of_each_and_one_adjudication_of_each_that_is_contested(
        self, study: SmallScreen, cloud: LocalCloud
    ) -> None:
        sent = run(study)
        found = contested(study)
        assert 0 < len(found) < RECORDS, "the stand-in's samples differ on some and agree on others"
        assert adjudicated(study) == found
        assert sent == 3 * RECORDS + len(found)
        assert study.stages() == Counter({"screen": 3 * RECORDS, "adjudicate": len(found)})
        assert set(served(cloud.data, study.uid).values()) == {1}
        assert set(jobs_by_label(cloud, study.uid).values()) == {1}
        assert run(study) == 0

    def test_adaptive_asks_the_third_only_where_two_are_contested(self, study: SmallScreen) -> None:
        edit(study, deep="samples: 3, adaptive: true")
        run(study)
        third = study.query("SELECT count(*) FROM binding WHERE stage = 'screen' AND sample = 3")[0][0]
        assert 0 < third < RECORDS
        assert study.stages()["screen"] == 2 * RECORDS + third
        assert {row["agreement"][-4:] for row in study.results()} == {"of 2", "of 3"}
        assert to_send(study) == 0

    def test_all_are_adjudicated_where_that_is_asked_for(self, study: SmallScreen) -> None:
        edit(study, deep="samples: 2, adjudicate: all")
        assert run(study) == 3 * RECORDS
        assert {row["decided_by"] for row in study.results()} == {"adjudicator"}


class TestFromOneToThree:
    def test_one_to_three_sends_the_two_that_are_missing_and_back_sends_nothing(
        self, study: SmallScreen, cloud: LocalCloud
    ) -> None:
        edit(study, deep="")
        assert run(study) == RECORDS
        alone = columns(study, "decision", "why")
        edit(study, deep="samples: 3")
        assert to_send(study) == 2 * RECORDS, "who is contested is not known before"
        sent = run(study)
        assert study.stages() == Counter({"screen": 3 * RECORDS, "adjudicate": sent - 2 * RECORDS})
        assert sent > 2 * RECORDS
        three = columns(study, "decision", "why", "decided_by", "agreement")
        edit(study, deep="")
        assert run(study) == 0
        assert columns(study, "decision", "why") == alone
        edit(study, deep="samples: 3")
        assert run(study) == 0
        assert columns(study, "decision", "why", "decided_by", "agreement") == three
        assert set(served(cloud.data, study.uid).values()) == {1}

    @pytest.mark.parametrize("deep", ["samples: 5", "samples: 3, adjudicate: never", "samples: 3, adaptive: true"])
    def test_nothing_is_asked_twice_whatever_the_recipe_of_thinking_becomes(
        self, study: SmallScreen, cloud: LocalCloud, deep: str
    ) -> None:
        """An adjudicator who would see other arguments is asked anew; no sample is."""
        run(study)
        edit(study, deep=deep)
        before = study.stages()
        run(study, "--pay-again")
        more = study.stages() - before
        wanted = 2 * RECORDS if "5" in deep else 0
        assert more["screen"] == wanted
        assert set(served(cloud.data, study.uid).values()) == {1}


class TestEdits:
    def test_an_edited_text_asks_its_samples_and_if_contested_its_adjudication(self, study: SmallScreen) -> None:
        run(study)
        before = columns(study, "key")
        (one, *_), others = sorted(contested(study)), set(study.texts)
        edit(study, texts=study.texts | {one: screen_text(900)})
        sent = run(study)
        assert sent == 3 + (one in contested(study))
        changed = {record for record, key in columns(study, "key").items() if key != before[record]}
        assert changed == {one} <= others

    def test_forget_opens_samples_and_adjudication(self, study: SmallScreen) -> None:
        run(study)
        one = min(contested(study))
        before = columns(study, "decision", "key")
        assert "4 requests open again" in study.cli("forget", "--record", one).out
        assert run(study) == 4
        after = columns(study, "decision", "key")
        assert after[one][0] == before[one][0], "the stand-in says the same again"
        assert after[one][1].count("-a2") == 4
        assert {record for record in after if after[record] != before[record]} == {one}

    def test_what_does_not_reach_the_model_sends_nothing_and_changes_what_is_decided(self, study: SmallScreen) -> None:
        run(study)
        before = columns(study, "decision", "decided_by")
        asked = study.query("SELECT record_id, stage, sample, address FROM binding ORDER BY 1, 2, 3")
        for silent in ("not_met", "met", "unclear"):
            edit(study, silent=silent)
            assert (to_send(study), run(study)) == (0, 0)
            found = columns(study, "decision", "decided_by")
            assert (found == before) is (silent == "unclear")
            assert {key for key, (_, who) in found.items() if who == "adjudicator"} == {
                key for key, (_, who) in before.items() if who == "adjudicator"
            }, "who was adjudicated does not change with it"
        for rules in ({"rule": "majority"}, {"rule": "any_include"}, {"unclear": "include"}):
            edit(study, rules=rules)
            assert (to_send(study), run(study)) == (0, 0)
        assert "unclear" not in {word for word, who in columns(study, "decision", "decided_by").values()}
        assert study.query("SELECT record_id, stage, sample, address FROM binding ORDER BY 1, 2, 3") == asked

    def test_a_silence_that_changed_before_the_samples_were_raised_is_the_one_the_study_began_with(
        self, study: SmallScreen
    ) -> None:
        """Else who is adjudicated would depend on the order of two edits, and change again with the next."""
        run(study)
        whole = adjudicated(study)
        other = SmallScreen.of(study.home.with_name("other"), RECORDS, deep="")
        run(other)
        edit(other, silent="not_met")
        run(other)
        edit(other, deep="samples: 3")
        run(other)
        assert adjudicated(other) == whole

    def test_a_criterion_more_asks_all_again_and_only_when_agreed(self, study: SmallScreen) -> None:
        run(study)
        edit(study, criteria=(NIGHT, NAPS, "adults: All of them were adults of the ward."))
        refused = study.cli("run", "--json")
        assert (refused.code, refused.json["requests_sent"]) == (6, 0)
        assert f"{3 * len(study.texts)} requests answered before would be asked again" in refused.err
        assert "the answers you have cost $" in refused.err
        assert run(study, "--pay-again") >= 3 * RECORDS

    def test_new_recipe_takes_the_new_silence(self, study: SmallScreen) -> None:
        edit(study, silent="not_met")
        other = SmallScreen.of(study.home.with_name("other"), RECORDS, silent="unclear")
        run(study)
        run(other)
        edit(other, silent="not_met")
        run(other, "--new-recipe", "--pay-again")
        assert columns(other, "decision", "why", "agreement") == columns(study, "decision", "why", "agreement")


class TestProblems:
    def test_a_blocked_sample_is_a_contest_and_its_retry_asks_the_adjudicator_anew_once(
        self, study: SmallScreen, cloud: LocalCloud
    ) -> None:
        with Plans(cloud) as plans:
            plans.add("blocked", "prompt_blocked", scope={"rows": [2, 5]}, when={"times": 2})
            run(study)
        blocked = {record for record, (n,) in columns(study, "agreement").items() if n in {"2 of 3", "1 of 3"}}
        lost = study.query("SELECT DISTINCT record_id FROM binding JOIN outcome USING (address) WHERE kind = 'blocked'")
        assert len(lost) == 2
        assert {record for (record,) in lost} <= blocked & adjudicated(study)
        before = study.bound("adjudicate")
        assert study.cli("retry", "--kind", "blocked").code == 0
        assert to_send(study) == 2, "the adjudication depends on what comes back"
        sent = run(study)
        after = study.bound("adjudicate")
        anew = {record for record in after if after[record] != before.get(record)}
        assert anew <= {record for (record,) in lost}
        assert sent == 2 + len(anew)
        assert (to_send(study), run(study)) == (0, 0)
        assert set(served(cloud.data, study.uid).values()) == {1}

    def test_a_record_without_any_answer_is_never_adjudicated_and_asks_a_person(
        self, study: SmallScreen, cloud: LocalCloud
    ) -> None:
        edit(study, texts={"r0": screen_text(0)})
        with Plans(cloud) as plans:
            plans.add("blocked", "prompt_blocked", scope={"rows": [1, 2]}, when={"times": 3})
            run(study)
        (row,) = study.results()
        assert (row["decision"], row["decided_by"], row["needs_person"]) == ("unclear", "no_answer", "true")
        assert row["detail"].count("blocked") == 1, "what three samples have in common is said once"
        assert study.stages() == Counter({"screen": 3})

    def test_cancel_while_samples_run_adjudicates_nobody_until_they_are_back(
        self, study: SmallScreen, cloud: LocalCloud
    ) -> None:
        cloud.switch(stuck_pending=True)
        run(study, "--detach")
        assert study.cli("cancel").code == 0
        cloud.switch(stuck_pending=False)
        assert run(study) == 0
        assert {row["decided_by"] for row in study.results()} == {"no_answer"}
        assert study.cli("retry", "--kind", "cancelled").code == 0
        assert run(study) >= 3 * RECORDS
        assert contested(study)
        assert set(served(cloud.data, study.uid).values()) == {1}

    def test_an_expired_job_of_the_adjudicator_is_sent_again_and_no_sample_is(
        self, study: SmallScreen, cloud: LocalCloud
    ) -> None:
        edit(study, deep="samples: 3, adjudicate: never")
        run(study)
        edit(study, deep="samples: 3")
        n = to_send(study)
        assert n > 2
        with Plans(cloud) as plans:
            plans.add("late", "expired_running", {"after_rows": 2}, when={"times": 1})
            assert run(study) == n + n - 2
        assert study.stages() == Counter({"screen": 3 * RECORDS, "adjudicate": 2 * n - 2})
        assert contested(study) == adjudicated(study)
        assert set(served(cloud.data, study.uid).values()) == {1}
