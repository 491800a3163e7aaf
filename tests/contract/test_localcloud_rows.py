"""What comes back in a line: failures that stay in their row, echo, extras, limits, and every fault on demand."""

import json
import re
from typing import Any

import pytest
import requests

from tests.support.local_cloud import LocalCloud, lines, row, rows

JSON_ANSWER = {
    "responseMimeType": "application/json",
    "responseSchema": {"type": "OBJECT", "properties": {"topic": {"type": "STRING"}}},
}


def keyed(got: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {line["key"]: line for line in got}


def text_of(line: dict[str, Any]) -> str:
    return "".join(part["text"] for part in line["response"]["candidates"][0]["content"]["parts"])


def bad(number: int, **changes: Any) -> dict[str, Any]:
    made = row(number)
    made["request"].update(changes)
    return made


CONTENT = {"parts": [{"text": "hello"}]}
ROW_FAILURES = [
    ("role", {"contents": [{**CONTENT, "role": "system"}]}, 400, "Please use a valid role: user, model."),
    ("no contents", {"contents": []}, 400, "contents"),
    ("no parts", {"contents": [{"role": "user"}]}, 400, "parts"),
    ("parts as text", {"contents": [{"role": "user", "parts": "hello"}]}, 400, "parts"),
    (
        "text as object",
        {"contents": [{"role": "user", "parts": [{"text": {"a": "b"}}]}]},
        400,
        "Starting an object on a scalar field",
    ),
    ("label", {"labels": {"Key": "x"}}, 400, "label"),
    ("output limit", {"generationConfig": {"maxOutputTokens": 100_000}}, 400, "maxOutputTokens"),
    (
        "level the model lacks",
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "XHIGH"}}},
        400,
        "Thinking level XHIGH",
    ),
    (
        "budget and level",
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 5}}},
        400,
        "only set only one",
    ),
]


@pytest.mark.parametrize(
    ("request_part", "code", "text"), [case[1:] for case in ROW_FAILURES], ids=[case[0] for case in ROW_FAILURES]
)
def test_a_bad_request_stays_in_its_row(cloud: LocalCloud, request_part: dict[str, Any], code: int, text: str) -> None:
    job, got = cloud.run(lines(bad(0, **request_part)))
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert job["completionStats"]["failedCount"] == "1"
    lead, _, rest = got[0]["status"].partition(": ")
    assert lead == "Bad Request"
    error = json.loads(rest)["error"]
    assert (error["code"], error["status"]) == (code, "INVALID_ARGUMENT")
    assert text in error["message"]
    assert got[0]["response"] == {}
    assert got[0]["key"] == "k0", "extras come back on failed rows too (facts 2.3 [L])"


def test_status_is_written_exactly_as_documented(cloud: LocalCloud) -> None:
    _, got = cloud.run(lines(bad(0, contents=[{"role": "bad", "parts": [{"text": "x"}]}])))
    assert got[0]["status"] == (
        'Bad Request: {"error":{"code":400,"message":"Please use a valid role: user, model.",'
        '"status":"INVALID_ARGUMENT"}}'
    )


def test_cached_content_fails_its_row(cloud: LocalCloud) -> None:
    _, got = cloud.run(lines(bad(0, cachedContent="projects/p/locations/l/cachedContents/1")))
    assert got[0]["status"].startswith("Internal error occurred. Failed to get generateContentResponse: {")
    assert '"code":404' in got[0]["status"]


@pytest.mark.parametrize(("form", "expected"), [("empty", {}), ("null", None), ("absent", "no such field")])
def test_response_of_a_failed_row(cloud: LocalCloud, form: str, expected: object) -> None:
    cloud.switch(failed_response=form)
    _, got = cloud.run(lines(bad(0, contents=[{"role": "bad", "parts": [{"text": "x"}]}])))
    assert got[0].get("response", "no such field") == expected


def test_failed_rows_without_echo(cloud: LocalCloud) -> None:
    cloud.switch(echo_on_failure=False)
    _, got = cloud.run(lines(bad(0, contents=[{"role": "bad", "parts": [{"text": "x"}]}])))
    assert set(got[0]) == {"status", "processed_time", "response"}


@pytest.mark.parametrize(("rule", "served"), [("ignore", True), ("refuse", False)])
def test_fields_a_request_does_not_have(cloud: LocalCloud, rule: str, served: bool) -> None:
    cloud.switch(unknown_request_fields=rule)
    _, got = cloud.run(lines(bad(0, config={"temperature": 1})))
    assert (got[0]["status"] == "") is served


def test_some_and_all_failed(cloud: LocalCloud) -> None:
    failed = bad(1, contents=[{"role": "bad", "parts": [{"text": "x"}]}])
    cloud.switch(some_failed_state="partially_succeeded", all_failed_state="failed")
    job, _ = cloud.run(lines(row(0), failed))
    assert job["state"] == "JOB_STATE_PARTIALLY_SUCCEEDED"
    assert job["completionStats"] == {"successfulCount": "1", "failedCount": "1", "incompleteCount": "0"}
    assert cloud.run(lines(failed))[0]["state"] == "JOB_STATE_FAILED"
    cloud.switch(completion_stats="absent")
    assert "completionStats" not in cloud.run(lines(row(0)))[0]


def test_extras(cloud: LocalCloud) -> None:
    extras = {"custom_id": "k7", "number": 5, "digits": "000123", "tags": ["a"], "meta": {"a": "b"}, "yes": True}
    data = lines({**extras, "request": row(0)["request"]})
    _, got = cloud.run(data)
    kept = {name: got[0][name] for name in extras}
    assert kept == {**extras, "digits": 123, "tags": []}
    cloud.switch(extras_numeric="kept", extras_lists="kept")
    _, got = cloud.run(data)
    assert {name: got[0][name] for name in extras} == extras


def test_echo(cloud: LocalCloud) -> None:
    odd = "naps \x01\x7f\u200b \U0001f600 </record> \\u0041"
    made = {"key": "k0", "request": {**row(0, odd)["request"], "system_instruction": {"parts": [{"text": "s"}]}}}
    _, got = cloud.run(lines(made))
    assert got[0]["request"]["contents"][0]["parts"][0]["text"] == odd, "control characters are left alone"
    assert got[0]["request"]["system_instruction"] == {"parts": [{"text": "s"}]}
    cloud.switch(echo_nulls="all", echo_case="camel")
    _, got = cloud.run(lines(made))
    assert got[0]["request"]["systemInstruction"] == {"parts": [{"text": "s"}]}
    assert got[0]["request"]["tools"] is None
    assert got[0]["request"]["contents"][0]["parts"][0]["inlineData"] is None
    cloud.switch(echo_nulls="none", echo_case="snake")
    config = {"responseSchema": {"type": "OBJECT", "properties": {"someName": {"type": "STRING"}}}}
    _, got = cloud.run(lines(row(0, generationConfig=config)))
    echoed = got[0]["request"]["generation_config"]["response_schema"]
    assert echoed == config["responseSchema"], "names the client chose keep their case"


def test_output_limit_is_eaten_by_thinking_first(cloud: LocalCloud) -> None:
    text = "Naps keep nurses awake through the long night and the early morning hours. " * 5

    def served(cap: int, **thinking: Any) -> dict[str, Any]:
        config = {"maxOutputTokens": cap, "thinkingConfig": {"thinkingLevel": "LOW", **thinking}}
        _, got = cloud.run(lines(row(0, text.strip(), generationConfig=config)))
        response: dict[str, Any] = got[0]["response"]
        return response

    whole = served(60_000)
    thoughts = whole["usageMetadata"]["thoughtsTokenCount"]
    assert whole["candidates"][0]["finishReason"] == "STOP"
    none = served(10)
    assert none["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert "parts" not in none["candidates"][0]["content"]
    assert none["usageMetadata"]["thoughtsTokenCount"] == 10
    assert "candidatesTokenCount" not in none["usageMetadata"]
    cut = served(thoughts + 5)
    assert cut["candidates"][0]["finishReason"] == "MAX_TOKENS"
    short = cut["candidates"][0]["content"]["parts"][0]["text"]
    assert whole["candidates"][0]["content"]["parts"][0]["text"].startswith(short)
    assert cut["usageMetadata"]["candidatesTokenCount"] == 5
    shown = served(60_000, includeThoughts=True)["candidates"][0]["content"]["parts"]
    assert shown[0]["thought"] is True
    assert "thought" not in shown[1]


def test_usage(cloud: LocalCloud) -> None:
    cloud.switch(total_missing_every=4, cached_tokens=5)
    _, got = cloud.run(lines(*(row(number, f"About naps and number {number}.") for number in range(100))))
    usages = [line["response"]["usageMetadata"] for line in got]
    assert 5 < sum("totalTokenCount" not in usage for usage in usages) < 60
    assert {usage["cachedContentTokenCount"] for usage in usages} == {5}
    for usage in usages:
        parts = (usage["promptTokenCount"], usage["candidatesTokenCount"], usage["thoughtsTokenCount"])
        assert usage.get("totalTokenCount", sum(parts)) == sum(parts)


def test_model_version_suffix_and_numeric_finish(cloud: LocalCloud) -> None:
    cloud.switch(model_version_suffix="", numeric_finish_reason=True)
    _, got = cloud.run(rows(1))
    assert got[0]["response"]["modelVersion"] == "gemini-3.8-flash"
    assert got[0]["response"]["candidates"][0]["finishReason"] == 1


def test_the_same_input_gives_the_same_output(cloud: LocalCloud) -> None:
    data = rows(60, generationConfig=JSON_ANSWER)
    _, first = cloud.run(data)
    _, second = cloud.run(data)
    for line in first + second:
        del line["processed_time"]
    assert first == second


def every(got: list[dict[str, Any]], count: int = 20) -> tuple[dict[Any, dict[str, Any]], list[str]]:
    found = keyed(got)
    return found, [f"k{number}" for number in range(count) if f"k{number}" not in found]


def test_fault_shuffle_off(cloud: LocalCloud) -> None:
    cloud.switch(shuffle=False)
    _, got = cloud.run(rows(20))
    assert [line["key"] for line in got] == [f"k{number}" for number in range(20)]
    assert cloud.strikes("shuffle") == 0


def test_fault_duplicates(cloud: LocalCloud) -> None:
    cloud.switch(duplicate_every=5)
    _, got = cloud.run(rows(20))
    assert len(got) == 24
    assert sorted(key for key in keyed(got) if sum(line["key"] == key for line in got) == 2) == [
        "k14",
        "k19",
        "k4",
        "k9",
    ]
    assert cloud.strikes("duplicate_every") == 4


def test_fault_drops(cloud: LocalCloud) -> None:
    cloud.switch(drop_every=5)
    job, got = cloud.run(rows(20))
    assert every(got)[1] == ["k4", "k9", "k14", "k19"]
    served = [entry["key"] for entry in cloud.journal("served") if entry["job"] == job["name"]]
    assert len(served) == 20, "they were served, and would be billed"


@pytest.mark.parametrize(
    ("code", "lead"), [(500, "Internal Server Error"), (429, "Too Many Requests"), (503, "Service Unavailable")]
)
def test_fault_failing_rows(cloud: LocalCloud, code: int, lead: str) -> None:
    cloud.switch(fail_every=10, fail_code=code)
    job, got = cloud.run(rows(20))
    found, _ = every(got)
    for key in ("k9", "k19"):
        assert found[key]["status"].startswith(f'{lead}: {{"error":{{"code":{code},')
    assert job["completionStats"]["failedCount"] == "2"


def test_fault_swapped_keys(cloud: LocalCloud) -> None:
    cloud.switch(swap_every=10)
    _, got = cloud.run(rows(20))
    found, missing = every(got)
    assert missing == []
    shown = {key: line["request"]["contents"][0]["parts"][0]["text"].split(":")[0] for key, line in found.items()}
    assert shown["k9"] == "Record 8"
    assert shown["k8"] == "Record 9"
    assert shown["k7"] == "Record 7"
    assert "Record 8" in text_of(found["k9"]), "echo and response stay together"
    assert cloud.strikes("swap_every") == 2


def test_fault_swapped_answers(cloud: LocalCloud) -> None:
    cloud.switch(swap_answers_every=10)
    _, got = cloud.run(rows(20))
    found, _ = every(got)
    assert found["k9"]["request"]["contents"][0]["parts"][0]["text"].startswith("Record 9")
    assert "Record 8" in text_of(found["k9"])


def test_faults_of_keys_and_echo(cloud: LocalCloud) -> None:
    cloud.switch(key_as_number=True)
    assert sorted(line["key"] for line in cloud.run(rows(3))[1]) == [0, 1, 2]
    cloud.switch(key_as_number=False, no_key=True)
    assert all("key" not in line for line in cloud.run(rows(3))[1])
    cloud.switch(no_key=False, no_echo=True)
    assert all("request" not in line for line in cloud.run(rows(3))[1])
    assert [cloud.strikes(name) for name in ("no_key", "no_echo")] == [0, 3], "set anew counts anew"


def test_faults_of_answers(cloud: LocalCloud) -> None:
    cloud.switch(prose_every=5, block_every=7, wrong_model_every=4)
    found, _ = every(cloud.run(rows(20, generationConfig=JSON_ANSWER))[1])
    assert re.fullmatch(r"Here is the answer:\n```json\n\{.*\}\n```", text_of(found["k4"]))
    assert found["k6"]["response"]["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in found["k6"]["response"]
    assert found["k6"]["response"]["usageMetadata"]["promptTokenCount"] > 0
    assert found["k3"]["response"]["modelVersion"] == "gemini-3.8-flash-rerouted@local-stand-in"


def test_fault_broken_lines(cloud: LocalCloud) -> None:
    cloud.switch(malformed_every=10, truncate_last_line=True, shuffle=False)
    reply = cloud.create(rows(15))
    raw = cloud.output(cloud.wait(reply.json()["name"])).split(b"\n")
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw[9])
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw[14])
    assert json.loads(raw[13])["key"] == "k13"
    assert (cloud.strikes("malformed_every"), cloud.strikes("truncate_last_line")) == (1, 1)


def test_incremental_files_beside_the_final_one(cloud: LocalCloud) -> None:
    cloud.switch(incremental=True)
    job, got = cloud.run(rows(120))
    directory = job["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://bkt/")
    listed = cloud.http.get(f"{cloud.endpoint}/storage/v1/b/bkt/o", params={"prefix": directory}).json()["items"]
    names = [item["name"].rsplit("/", 1)[1] for item in listed]
    assert names == [f"incremental_predictions-{number:05d}.jsonl" for number in (1, 2, 3)] + ["predictions.jsonl"]
    chunks = b"".join(cloud.download("bkt", item["name"]) for item in listed[:-1])
    assert sorted(json.loads(line)["key"] for line in chunks.splitlines()) == sorted(line["key"] for line in got)


def test_fault_jobs(cloud: LocalCloud) -> None:
    def ended(**switches: object) -> dict[str, Any]:
        cloud.reset()
        cloud.switch(**switches)
        return cloud.wait(cloud.create(rows(120)).json()["name"])

    failed = ended(fail_job="System error. Please try this operation again.")
    assert (failed["state"], failed["error"]["code"]) == ("JOB_STATE_FAILED", 13)
    assert failed["completionStats"] == {"successfulCount": "120"}, "a failed job carries only this (facts 1.2 [L])"
    quota = ended(fail_job="RESOURCE_EXHAUSTED error occurred: {}", fail_job_code=8)
    assert quota["error"] == {"code": 8, "message": "RESOURCE_EXHAUSTED error occurred: {}"}
    unwritable = ended(output_unwritable=True)
    assert unwritable["error"]["code"] == 7
    assert "storage.objects.create" in unwritable["error"]["message"]
    assert unwritable["completionStats"] == {"successfulCount": "120"}
    queued = ended(stuck_pending=True, expire_pending=True)
    assert (queued["state"], "outputInfo" in queued) == ("JOB_STATE_EXPIRED", False)
    expired = ended(expire_after_rows=30)
    assert expired["state"] == "JOB_STATE_EXPIRED"
    assert len(cloud.output(expired).splitlines()) == 30
    unreadable = ended(expire_after_rows=30, expired_output="none")
    assert "outputInfo" not in unreadable


def test_fault_pause(cloud: LocalCloud) -> None:
    cloud.switch(pause_after_rows=10)
    name = cloud.create(rows(20)).json()["name"]
    cloud.wait(name, lambda job: job["state"] == "JOB_STATE_PAUSED")
    cloud.switch(pause_after_rows=0)
    assert len(cloud.output(cloud.wait(name)).splitlines()) == 20


def test_faults_of_create(cloud: LocalCloud) -> None:
    cloud.switch(create_503=1, create_429=1, create_reply_lost=1, stuck_pending=True)
    labels = {"try": "doubtful"}
    before = cloud.journal()["counts"]["creates"]
    assert cloud.create(rows(1), labels=labels).status_code == 503
    assert cloud.create(rows(1), labels=labels).status_code == 429
    assert cloud.journal()["counts"]["creates"] == before, "neither had an effect"
    with pytest.raises(requests.ConnectionError):
        cloud.create(rows(1), labels=labels)
    listed = cloud.http.get(f"{cloud.base}/batchPredictionJobs", params={"filter": "labels.try=doubtful"}).json()
    assert len(listed["batchPredictionJobs"]) == 1, "it took effect"
    assert cloud.journal()["jobs_per_label"]["try=doubtful"] == 1
    assert cloud.create(rows(1), labels=labels).status_code == 200
    assert [cloud.strikes(name) for name in ("create_503", "create_429", "create_reply_lost")] == [1, 1, 1]


def test_fault_listed_late(cloud: LocalCloud) -> None:
    cloud.switch(list_delay_s=0.3)
    name = cloud.create(rows(1), labels={"late": "yes"}).json()["name"]
    url, query = f"{cloud.base}/batchPredictionJobs", {"filter": "labels.late=yes"}
    assert cloud.http.get(url, params=query).json()["batchPredictionJobs"] == []
    assert cloud.http.get(f"{cloud.endpoint}/v1/{name}").status_code == 200
    cloud.wait(name, lambda _: bool(cloud.http.get(url, params=query).json()["batchPredictionJobs"]))


def test_a_long_common_beginning_is_cached_from_so_many_tokens_on(cloud: LocalCloud) -> None:
    system = {"parts": [{"text": "You read abstracts of trials with nurses who work at night. " * 20}]}
    counts = []
    for least in (8, 100_000):
        cloud.switch(cache_from_tokens=least)
        _, got = cloud.run(rows(6, systemInstruction=system))
        usages = [line["response"]["usageMetadata"] for line in got]
        assert all(usage.get("cachedContentTokenCount", 0) <= usage["promptTokenCount"] for usage in usages)
        counts.append(sum(usage.get("cachedContentTokenCount", 0) for usage in usages))
    assert counts[0] > 0
    assert counts[1] == 0
