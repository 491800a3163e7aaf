"""`overnight adopt`: a job made by hand is recognised by what it asks, and then is a job like any other."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud import served
from tests.support.local_cloud import LocalCloud, job_body
from tests.support.studies import CLOUD, Ended, SmallStudy, outcomes, text_of

RECORDS = 12
MODEL = "gemini-3.5-flash-lite"
Line = dict[str, Any]


@pytest.fixture
def cloud(shared_google: LocalCloud) -> LocalCloud:
    shared_google.reset()
    return shared_google


@pytest.fixture
def study(tmp_path: Path, cloud: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS)


def requests_of(study: SmallStudy, n: int = RECORDS) -> list[Line]:
    """The request lines as `plan --show` prints them, for a person to take away."""
    printed = study.cli("plan", "--show", str(n)).out
    found = [json.loads(line) for line in printed.splitlines() if line.lstrip().startswith('{"key"')]
    assert len(found) == n
    return found


def made_by_hand(cloud: LocalCloud, lines: list[Line], model: str = MODEL, *, bucket: str = "by-hand") -> str:
    """The name of a job that somebody makes of these lines, in a bucket of their own."""
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    reply = cloud.create(data, bucket=bucket, model=f"publishers/google/models/{model}")
    assert reply.status_code == 200, reply.text
    return str(reply.json()["name"])


def adopt(study: SmallStudy, job: str) -> Ended:
    return study.cli("adopt", "--job", job)


def with_own_keys(line: Line, number: int) -> Line:
    return {"key": f"row-{number:03d}", "request": line["request"]}


def without_keys(line: Line, number: int) -> Line:
    return {"request": line["request"]}


def in_other_words(line: Line, number: int) -> Line:
    """snake_case, other order, other room for the answer, labels: the model is shown the same."""
    body = line["request"]
    text, config = body["contents"][0]["parts"][0]["text"], body["generationConfig"]
    return {
        "request": {
            "labels": {"who": "me"},
            "generation_config": {
                "max_output_tokens": 4000,
                "thinking_config": config["thinkingConfig"],
                "response_schema": config["responseSchema"],
                "response_mime_type": config["responseMimeType"],
            },
            "contents": [{"parts": [{"text": text}], "role": "user"}],
        },
        "number": number,
    }


@pytest.mark.parametrize("shape", [lambda line, _: line, with_own_keys, without_keys, in_other_words])
def test_an_adopted_job_answers_the_study_and_nothing_is_sent(
    cloud: LocalCloud, study: SmallStudy, shape: Callable[[Line, int], Line]
) -> None:
    truth = SmallStudy.of(study.home.with_name("truth"), RECORDS)
    assert truth.cli("run").code == 0
    lines = [shape(line, number) for number, line in enumerate(requests_of(study))]
    job = made_by_hand(cloud, lines)
    adopted = adopt(study, job)
    assert (adopted.code, f"job 1: {RECORDS} requests of this study" in adopted.out) == (0, True), adopted
    ended = study.cli("run", "--json")
    assert (ended.code, ended.json["answers"], ended.json["requests_sent"]) == (0, RECORDS, 0)
    assert ended.json["jobs"] == [job]
    assert study.answers() == truth.answers()


def test_what_the_job_does_not_hold_is_sent_and_what_it_holds_beside_is_billed(
    cloud: LocalCloud, study: SmallStudy
) -> None:
    other = SmallStudy.of(study.home.with_name("other"), 0)
    other.texts = {"x": text_of(500), "y": text_of(501)}
    other.write()
    job = made_by_hand(cloud, [*requests_of(study)[:5], *requests_of(other, 2)])
    adopted = adopt(study, job)
    assert "5 requests of this study" in adopted.out
    assert "2 lines asked something else: billed by Google, no answer of this study's" in adopted.out
    ended = study.cli("run", "--json")
    assert (ended.code, ended.json["answers"], ended.json["requests_sent"]) == (0, RECORDS, RECORDS - 5)
    assert ended.json["strays_by_kind"] == {"foreign": 2}
    assert set(study.query("SELECT prompt_tokens > 0 FROM stray")) == {(1,)}


def test_a_job_under_way_is_waited_for_and_its_rows_are_not_sent_beside_it(
    cloud: LocalCloud, study: SmallStudy
) -> None:
    cloud.switch(stuck_pending=True)
    job = made_by_hand(cloud, requests_of(study))
    assert adopt(study, job.rsplit("/", 1)[-1]).code == 0, "its number alone is enough"
    assert study.cli("plan", "--json").json["requests"]["in_flight"] == RECORDS
    ended = study.cli("run", "--detach", "--json")
    assert (ended.code, ended.json["requests_sent"], ended.json["requests_in_flight"]) == (0, 0, RECORDS)
    cloud.switch(stuck_pending=False)
    assert study.cli("run", "--json").json["answers"] == RECORDS


def test_truncated_rows_of_an_adopted_job_are_sent_again_with_more_room(cloud: LocalCloud, study: SmallStudy) -> None:
    lines = requests_of(study)
    for line in lines:
        line["request"]["generationConfig"]["maxOutputTokens"] = 1
    adopt(study, made_by_hand(cloud, lines))
    ended = study.cli("run", "--json")
    assert (ended.code, ended.json["answers"], ended.json["requests_sent"]) == (0, RECORDS, RECORDS)


class TestRefused:
    def test_another_model(self, cloud: LocalCloud, study: SmallStudy) -> None:
        job = made_by_hand(cloud, requests_of(study), "gemini-3.8-flash")
        ended = adopt(study, job)
        assert ended.code == 2
        assert f"the job asks gemini-3.8-flash, the study {MODEL}" in ended.err

    def test_another_prompt_says_what_differs(self, cloud: LocalCloud, study: SmallStudy) -> None:
        lines = requests_of(study)
        for line in lines:
            line["request"]["generationConfig"]["temperature"] = 0.5
        ended = adopt(study, made_by_hand(cloud, lines))
        assert ended.code == 2
        assert f"none of the {RECORDS} lines of this job asks what the study asks" in ended.err
        assert "its generationConfig.temperature is not the study's" in ended.err

    def test_other_texts(self, cloud: LocalCloud, study: SmallStudy) -> None:
        lines = requests_of(study)
        study.texts = {"other": text_of(700)}
        study.write()
        ended = adopt(study, made_by_hand(cloud, lines))
        assert (ended.code, "its text is of no record of this study" in ended.err) == (2, True)

    def test_a_job_that_is_the_study_s_already(self, cloud: LocalCloud, study: SmallStudy) -> None:
        study.cli("run")
        (job,) = study.cli("status", "--json").json["jobs"]
        ended = adopt(study, job)
        assert (ended.code, "this is job 1 of the study already" in ended.err) == (2, True)
        by_hand = made_by_hand(cloud, requests_of(SmallStudy.of(study.home.with_name("same"), RECORDS)))
        assert [adopt(study, by_hand).code for _ in range(2)] == [0, 2]

    def test_a_job_that_is_not_there_and_a_name_that_is_none(self, study: SmallStudy) -> None:
        assert adopt(study, "12345").code == 8
        assert adopt(study, "projects/p/jobs/1").code == 2

    def test_input_and_output_in_two_buckets(self, cloud: LocalCloud, study: SmallStudy) -> None:
        data = "".join(json.dumps(line) + "\n" for line in requests_of(study)).encode()
        assert cloud.upload(cloud.bucket("here"), "in.jsonl", data).status_code == 200
        body = {
            **job_body("gs://here/in.jsonl", f"gs://{cloud.bucket('there')}/out"),
            "model": f"publishers/google/models/{MODEL}",
        }
        ended = adopt(study, cloud.post_job(body).json()["name"])
        assert (ended.code, "writes into the same bucket" in ended.err) == (10, True)

    def test_a_job_whose_input_is_gone(self, cloud: LocalCloud, study: SmallStudy) -> None:
        job = made_by_hand(cloud, requests_of(study))
        assert cloud.http.delete(f"{cloud.endpoint}/storage/v1/b/by-hand/o/in.jsonl").status_code == 204
        ended = adopt(study, job)
        assert (ended.code, "its input gs://by-hand/in.jsonl is gone" in ended.err) == (10, True)

    def test_nothing_is_changed_by_a_refusal(self, cloud: LocalCloud, study: SmallStudy) -> None:
        adopt(study, made_by_hand(cloud, requests_of(study), "gemini-3.8-flash"))
        assert study.query("SELECT count(*) FROM shard") == [(0,)]
        assert study.cli("run", "--json").json["requests_sent"] == RECORDS


def test_a_create_that_was_given_up_and_turns_up_later_is_adopted_as_surplus(cloud: LocalCloud, tmp_path: Path) -> None:
    """Its lines carry the same keys as those of the job that was made in its place: stored, billed, replacing none."""
    study = SmallStudy.of(tmp_path / "google", RECORDS, more=CLOUD)
    cloud.switch(model_version_suffix="", create_reply_lost=1, list_delay_s=3600)
    assert study.cli("run", "--yes", "--no-smoke").code == 9
    cloud.switch(list_delay_s=0)
    made = (one for one in cloud.journal("creates") if one["labels"].get("overnight-study") == study.uid)
    lost = next(made)["job"]
    cloud.switch(list_delay_s=3600)
    assert study.cli("run", "--yes", "--no-smoke", "--resubmit").code == 0
    before, spent = study.answers("results"), study.cli("status", "--json").json["cost_usd"]
    adopted = adopt(study, lost)
    assert f"{RECORDS} requests answered before" in adopted.out, adopted
    ended = study.cli("run", "--yes", "--no-smoke", "--json")
    assert (ended.code, ended.json["answers"], ended.json["strays_by_kind"]) == (0, RECORDS, {"surplus": RECORDS})
    assert (ended.json["requests_sent"], study.answers("results")) == (0, before)
    assert float(ended.json["cost_usd"]) == pytest.approx(2 * float(spent)), "what ran is billed, wanted or not"
    assert set(served(cloud.data, study.uid).values()) == {2}
    assert study.query("SELECT kept_usd FROM shard WHERE state = 'abandoned'") == [(None,)], "what it cost is known now"
    cloud.switch(list_delay_s=0)
    assert f"job {lost} reads and writes its files; left alone" in study.cli("clean", "--yes").err
    assert outcomes(study.results("results")) == dict.fromkeys(study.texts, "answer")
