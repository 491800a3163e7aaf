"""A study that is edited between runs, and while a job is under way: what is asked, what is kept, what is paid for."""

from pathlib import Path

import pytest

from overnight.core.recipe import Recipe
from overnight.planning import tasks
from tests.support.cloud import served
from tests.support.local_cloud import LocalCloud
from tests.support.studies import SmallStudy, outcomes, text_of

RECORDS = 20
OTHER_QUESTION = "Who worked at night, and did they rest?"
OTHER_MODEL = "gemini-3.8-flash"


@pytest.fixture
def cloud(child: LocalCloud) -> LocalCloud:
    return child


@pytest.fixture
def study(tmp_path: Path, cloud: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS)


@pytest.fixture
def running(study: SmallStudy, cloud: LocalCloud) -> SmallStudy:
    """A study whose first job waits in the queue; `let_go` lets it run."""
    cloud.switch(stuck_pending=True)
    ended = study.cli("run", "--detach", "--json")
    assert (ended.code, ended.json["detached"], ended.json["requests_in_flight"]) == (0, True, RECORDS)
    return study


def let_go(cloud: LocalCloud) -> None:
    cloud.switch(stuck_pending=False)


def edit(study: SmallStudy, **changes: object) -> None:
    for name, value in changes.items():
        setattr(study, name, value)
    study.write()


def keys(study: SmallStudy) -> dict[str, str]:
    return {row["record_id"]: row["key"] for row in study.results()}


class TestBetweenRuns:
    def test_nothing_changed_nothing_sent_and_the_file_is_the_same(self, study: SmallStudy) -> None:
        assert study.cli("run").code == 0
        before = (study.home / "stand-in" / "results.csv").read_bytes()
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["requests_sent"], len(ended.json["jobs"])) == (0, 0, 1)
        assert (study.home / "stand-in" / "results.csv").read_bytes() == before

    def test_three_edited_texts_are_three_requests_and_nobody_is_asked(self, study: SmallStudy) -> None:
        study.cli("run")
        before = keys(study)
        edit(study, texts=study.texts | {f"r{n}": text_of(900 + n) for n in (1, 5, 9)})
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["requests_sent"], ended.json["answers"]) == (0, 3, RECORDS)
        changed = {record_id for record_id, key in keys(study).items() if key != before[record_id]}
        assert changed == {"r1", "r5", "r9"}
        assert [row["a_people"] for row in study.results() if row["record_id"] in changed] == ["901", "905", "909"]

    def test_five_more_records_are_five_more_requests(self, study: SmallStudy) -> None:
        study.cli("run")
        edit(study, texts=study.texts | {f"r{n}": text_of(n) for n in range(RECORDS, RECORDS + 5)})
        assert study.cli("run", "--json").json["requests_sent"] == 5

    def test_a_removed_record_leaves_the_results_and_comes_back_for_free(self, study: SmallStudy) -> None:
        study.cli("run")
        whole = dict(study.texts)
        edit(study, texts={record_id: text for record_id, text in whole.items() if record_id != "r3"})
        found = study.cli("run", "--json").json
        assert (found["records"], found["answers"], found["requests_sent"]) == (RECORDS - 1, RECORDS - 1, 0)
        edit(study, texts=whole)
        found = study.cli("run", "--json").json
        assert (found["records"], found["answers"], found["requests_sent"]) == (RECORDS, RECORDS, 0)

    def test_records_in_another_order_under_other_names_are_the_same_requests(self, study: SmallStudy) -> None:
        study.cli("run")
        edit(study, texts={f"new-{record_id}": text for record_id, text in reversed(study.texts.items())})
        found = study.cli("run", "--json").json
        assert (found["answers"], found["requests_sent"]) == (RECORDS, 0)
        assert all(row["a_people"] == row["record_id"].removeprefix("new-r") for row in study.results())

    @pytest.mark.parametrize(
        ("change", "why"),
        [({"question": OTHER_QUESTION}, "prompt"), ({"model": OTHER_MODEL}, "model")],
    )
    def test_paying_again_for_an_edited_study_is_asked_first_with_what_it_wastes(
        self, study: SmallStudy, change: dict[str, str], why: str
    ) -> None:
        study.cli("run")
        before = keys(study)
        edit(study, **change)
        plan = study.cli("plan", "--json").json
        assert plan["requests"]["to_send"] == RECORDS
        refused = study.cli("run", "--json")
        assert (refused.code, refused.json["requests_sent"]) == (6, 0)
        assert f"{RECORDS} requests answered before would be asked again: {RECORDS} because the {why} changed" in (
            refused.err
        )
        assert "the answers you have cost $" in refused.err
        assert "--pay-again" in refused.err
        assert keys(study) == before, "refused before anything was done: the results stay as they are"

        agreed = study.cli("run", "--pay-again", "--json")
        assert (agreed.code, agreed.json["requests_sent"], agreed.json["answers"]) == (0, RECORDS, RECORDS)
        assert study.cli("run", "--json").json["requests_sent"] == 0, "agreed once, settled"

    def test_an_edit_taken_back_is_free(self, study: SmallStudy) -> None:
        study.cli("run")
        before = keys(study)
        edit(study, question=OTHER_QUESTION)
        assert study.cli("run", "--pay-again").code == 0
        edit(study, question=SmallStudy(study.home).question)
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["requests_sent"]) == (0, 0)
        assert keys(study) == before

    def test_what_does_not_reach_the_model_costs_nothing(self, study: SmallStudy) -> None:
        study.cli("run")
        edit(study, attempts=5, name="another-name", more="budget: {limit_usd: 3}\n")
        assert study.cli("run", "--json").json["requests_sent"] == 0

    def test_equal_texts_are_sent_once_and_answer_for_all(self, study: SmallStudy, cloud: LocalCloud) -> None:
        edit(study, texts={f"r{n}": text_of(n % 5) for n in range(RECORDS)})
        found = study.cli("run", "--json").json
        assert (found["answers"], found["requests_sent"]) == (RECORDS, 5)
        assert served(cloud.data, study.uid).total() == 5


class TestWhileAJobRuns:
    def test_an_edited_prompt_is_asked_after_the_old_answers_are_collected_and_only_when_agreed(
        self, running: SmallStudy, cloud: LocalCloud
    ) -> None:
        edit(running, question=OTHER_QUESTION)
        let_go(cloud)
        refused = running.cli("run", "--json")
        assert (refused.code, refused.json["requests_sent"]) == (6, 0)
        assert f"{RECORDS} requests answered before would be asked again" in refused.err
        ((state, billed),) = running.query("SELECT state, billed_usd FROM shard")
        assert (state, float(billed) > 0) == ("collected", True), "the old job is collected and billed"
        assert set(outcomes(running.results()).values()) == {"open"}, "an old answer is no answer to the new question"

        edit(running, question=SmallStudy(running.home).question)
        back = running.cli("run", "--json")
        assert (back.json["answers"], back.json["requests_sent"]) == (RECORDS, 0), "they are kept for the old one"

        edit(running, question=OTHER_QUESTION)
        agreed = running.cli("run", "--pay-again", "--json")
        assert (agreed.json["answers"], agreed.json["requests_sent"]) == (RECORDS, RECORDS)

    def test_another_model_is_asked_in_jobs_of_its_own_and_the_old_job_keeps_its_own(
        self, running: SmallStudy, cloud: LocalCloud
    ) -> None:
        edit(running, model=OTHER_MODEL)
        let_go(cloud)
        assert running.cli("run").code == 6
        assert running.cli("run", "--pay-again", "--json").json["answers"] == RECORDS
        assert {row["served_model"] for row in running.results()} == {f"{OTHER_MODEL}@local-stand-in"}
        versions = running.query("SELECT shard, model_version, count(*) FROM outcome GROUP BY 1, 2 ORDER BY 1")
        assert versions == [
            (1, "gemini-3.5-flash-lite@local-stand-in", RECORDS),
            (2, f"{OTHER_MODEL}@local-stand-in", RECORDS),
        ]

    def test_edited_removed_and_added_records(self, running: SmallStudy, cloud: LocalCloud) -> None:
        texts = dict(running.texts)
        old = texts["r1"]
        del texts["r2"]
        edit(running, texts=texts | {"r1": text_of(901), "r99": text_of(99)})
        let_go(cloud)
        found = running.cli("run", "--json").json
        assert (found["records"], found["answers"], found["requests_sent"]) == (RECORDS, RECORDS, 2)
        people = {row["record_id"]: row["a_people"] for row in running.results()}
        assert (people["r1"], people["r99"]) == ("901", "99")
        assert all(number == record_id[1:] for record_id, number in people.items() if record_id != "r1")

        edit(running, texts=running.texts | {"r1": old, "r2": text_of(2)})
        found = running.cli("run", "--json").json
        assert (found["answers"], found["requests_sent"]) == (RECORDS + 1, 0), "the old job answered both"

    def test_a_second_run_while_it_waits_sends_nothing_twice(self, running: SmallStudy, cloud: LocalCloud) -> None:
        again = running.cli("run", "--detach", "--json").json
        assert (again["requests_sent"], again["requests_in_flight"], len(again["jobs"])) == (0, RECORDS, 1)
        let_go(cloud)
        assert running.cli("run", "--json").json["answers"] == RECORDS
        assert set(served(cloud.data, running.uid).values()) == {1}

    def test_the_text_of_a_running_request_cannot_be_forgotten(self, running: SmallStudy) -> None:
        refused = running.cli("forget", "--record", "r1")
        assert refused.code == 2
        assert "under way" in refused.err


class TestCancel:
    def test_what_was_cancelled_is_given_up_until_retry(self, running: SmallStudy, cloud: LocalCloud) -> None:
        assert running.cli("cancel").code == 0
        let_go(cloud)
        found = running.cli("run", "--json").json
        assert (found["problems"], found["requests_sent"]) == ({"cancelled": RECORDS}, 0)
        assert running.cli("run", "--json").json["requests_sent"] == 0
        assert running.cli("retry", "--kind", "cancelled").code == 0
        found = running.cli("run", "--json").json
        assert (found["answers"], found["requests_sent"]) == (RECORDS, RECORDS)

    def test_a_cancelled_job_that_ends_well_all_the_same_is_taken(self, study: SmallStudy, cloud: LocalCloud) -> None:
        cloud.switch(running_s=0)
        assert study.cli("run", "--detach").code == 0
        cloud.wait(study.query("SELECT job_name FROM shard")[0][0])
        assert study.cli("cancel").code == 0
        found = study.cli("run", "--json").json
        assert (found["answers"], found["problems"]) == (RECORDS, {})


class TestForget:
    def test_forgetting_three_asks_three_anew_and_their_new_answers_count(
        self, study: SmallStudy, cloud: LocalCloud
    ) -> None:
        study.cli("run")
        before = keys(study)
        said = study.cli("forget", "--record", "r1", "--record", "r2", "--record", "r3")
        assert said.code == 0, said.err
        found = study.cli("run", "--json").json
        assert (found["requests_sent"], found["answers"]) == (3, RECORDS)
        after = keys(study)
        assert {record_id for record_id in after if after[record_id] != before[record_id]} == {"r1", "r2", "r3"}
        assert all(after[record_id].endswith("-a2") for record_id in ("r1", "r2", "r3"))

    def test_records_that_share_the_text_are_named(self, study: SmallStudy) -> None:
        edit(study, texts=study.texts | {"twin": study.texts["r1"]})
        study.cli("run")
        assert "twin" in study.cli("forget", "--record", "r1").out
        assert study.cli("run", "--json").json["requests_sent"] == 1

    def test_an_unknown_record_is_refused(self, study: SmallStudy) -> None:
        study.cli("run")
        assert study.cli("forget", "--record", "nobody").code == 2


class TestPinnedRecipe:
    @pytest.fixture
    def reworded(self, study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> SmallStudy:
        """The study has been answered; then a new version of the package words its system instruction otherwise."""
        study.cli("run")
        real = tasks.ask_recipe

        def new_words(*arguments: object) -> Recipe:
            found = real(*arguments)  # type: ignore[arg-type]
            return Recipe(found.stage, "New words of ours.", found.prompt, found.schema, found.thinking, found.own)

        monkeypatch.setattr(tasks, "ask_recipe", new_words)
        return study

    def test_a_new_version_goes_on_with_the_words_the_study_began_with(self, reworded: SmallStudy) -> None:
        edit(reworded, texts=reworded.texts | {"r99": text_of(99)})
        ended = reworded.cli("run", "--json")
        assert (ended.code, ended.json["requests_sent"], ended.json["answers"]) == (0, 1, RECORDS + 1)
        assert reworded.query("SELECT count(DISTINCT recipe) FROM shard") == [(1,)]

    def test_its_own_words_are_taken_when_asked_for_and_agreed_to(self, reworded: SmallStudy) -> None:
        assert reworded.cli("run", "--new-recipe").code == 6
        ended = reworded.cli("run", "--new-recipe", "--pay-again", "--json")
        assert (ended.code, ended.json["requests_sent"], ended.json["answers"]) == (0, RECORDS, RECORDS)
        assert reworded.query("SELECT count(DISTINCT recipe) FROM shard") == [(2,)]
        assert reworded.cli("run", "--json").json["requests_sent"] == 0, "the new words are pinned now"

    def test_refusing_leaves_the_old_words_pinned(self, reworded: SmallStudy) -> None:
        assert reworded.cli("run", "--new-recipe").code == 6
        assert reworded.cli("run", "--json").json["requests_sent"] == 0
