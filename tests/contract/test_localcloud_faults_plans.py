"""Fault plans as resources: made, shown, removed, refused, counted, and still there after kill -9."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from overnight.localcloud.faults.catalogue import KINDS, markdown
from overnight.localcloud.faults.plan import Plan, read_plans
from overnight.localcloud.faults.scope import ALL_CALLS
from overnight.localcloud.faults.when import When
from tests.support.local_cloud import LocalCloud, Plans, row, rows

Start = Callable[..., LocalCloud]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "faults.md").read_text("utf-8")
TESTS = "".join(path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("test_localcloud_faults_*.py")))
TIRED = {
    "name": "tired-lists",
    "kind": "status",
    "parameters": {"code": 503},
    "scope": {"calls": ["list"]},
    "when": {"times": 2},
}


def control(cloud: LocalCloud, method: str, path: str, **sent: Any) -> requests.Response:
    return cloud.http.request(method, f"{cloud.endpoint}/control/faults{path}", headers=cloud.token, **sent)


def test_a_plan_is_made_shown_counted_and_removed(cloud: LocalCloud) -> None:
    made = control(cloud, "POST", "", json=TIRED)
    assert made.status_code == 200
    found = control(cloud, "GET", "/tired-lists").json()
    assert found["strikes"] == found["seen"] == 0
    assert found["parameters"] == {"code": 503, "retry_after_s": 0, "message": "", "took_effect": False}
    assert (found["scope"], found["when"]) == ({"calls": ["list"]}, {"after": 0, "every": 1, "times": 2})
    url = f"{cloud.base}/batchPredictionJobs"
    assert [cloud.http.get(url).status_code for _ in range(3)] == [503, 503, 200]
    found = control(cloud, "GET", "").json()["faults"]
    assert [(one["name"], one["seen"], one["strikes"]) for one in found] == [("tired-lists", 3, 2)]
    removed = control(cloud, "DELETE", "/tired-lists")
    assert (removed.status_code, removed.json()["strikes"]) == (200, 2)
    assert control(cloud, "GET", "/tired-lists").status_code == 404
    assert control(cloud, "DELETE", "/tired-lists").status_code == 404
    assert control(cloud, "GET", "").json() == {"faults": []}


def test_a_list_is_taken_whole_or_not_at_all(cloud: LocalCloud) -> None:
    other = {**TIRED, "name": "other"}
    refused = control(cloud, "POST", "", json=[TIRED, {**other, "kind": "gremlins"}])
    assert (refused.status_code, control(cloud, "GET", "").json()) == (400, {"faults": []})
    assert control(cloud, "POST", "", json=[TIRED, other]).status_code == 200
    assert len(control(cloud, "DELETE", "").json()["faults"]) == 2
    assert control(cloud, "GET", "").json() == {"faults": []}


def test_a_plan_given_again_counts_anew(cloud: LocalCloud) -> None:
    with Plans(cloud) as plans:
        plans.add(**TIRED)
        assert cloud.http.get(f"{cloud.base}/batchPredictionJobs").status_code == 503
        assert plans.strikes("tired-lists") == 1
        plans.add(**TIRED)
        assert plans.strikes("tired-lists") == 0


def test_plans_need_the_token(cloud: LocalCloud) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "/x"), ("DELETE", "/x")):
        assert requests.request(method, f"{cloud.endpoint}/control/faults{path}", json=TIRED).status_code == 403


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "the name None"),
    ({"name": "switch:shuffle"}, "is not 1 to 63 lowercase letters"),
    ({"name": "x" * 64}, "is not 1 to 63"),
    ({"kind": "gremlins"}, "there is no kind 'gremlins'; there are status, reset_before"),
    ({"colour": "red"}, "plan: there is no 'colour'; there are name, kind, parameters, scope, when"),
    ({"parameters": {"colour": 1}}, "kind status has no parameter 'colour'; it has code, retry_after_s"),
    ({"parameters": {"code": "503"}}, "code: '503' is no int"),
    ({"parameters": {"code": True}}, "code: True is no int"),
    ({"parameters": {"code": 418}}, "code: 418 is none of 401, 403"),
    ({"parameters": {"retry_after_s": -1}}, "retry_after_s: -1 is not between 0 and 86400"),
    ({"parameters": {"took_effect": "yes"}}, "took_effect: 'yes' is no bool"),
    ({"parameters": [1]}, "parameters: [1] is no JSON object"),
    ({"scope": None}, "say which calls: upload, download"),
    ({"scope": {"calls": []}}, "scope.calls: [] is no list with something in it"),
    ({"scope": {"calls": ["telephone"]}}, "there is no call 'telephone'"),
    ({"scope": {"calls": ["list"], "bucket": "b"}}, "list has no bucket; upload, download"),
    ({"scope": {"calls": ["upload", "list_objects"], "object_prefix": "in/"}}, "list_objects has no object_prefix"),
    ({"scope": {"calls": ["list"], "label": "a=b"}}, "list has no label, display_name or ordinal; create, get"),
    ({"scope": {"calls": ["get"], "label": "ab"}}, "scope.label: 'ab' is not name=value"),
    ({"scope": {"calls": ["get"], "ordinal": 0}}, "scope.ordinal: 0 is no whole number of 1 or more"),
    ({"scope": {"calls": ["list"], "rows": [1]}}, "there is no 'rows'; there are calls, bucket"),
    ({"when": {"times": 0}}, "when.times: 0 is no whole number of 1 or more"),
    ({"when": {"often": 1}}, "when: there is no 'often'"),
    ({"when": {"probability": 0.5}}, "nothing here is random without a seed"),
    ({"when": {"probability": 0, "seed": 1}}, "when.probability: 0 is not above 0"),
    ({"kind": "wrong_checksum"}, "kind wrong_checksum cannot strike list, only upload, download, get_object"),
    ({"kind": "made_twice", "parameters": {}}, "kind made_twice cannot strike list, only create"),
    ({"kind": "output_late", "parameters": {}}, "scope of kind output_late: there is no 'calls'; there are label"),
    ({"kind": "line_missing", "parameters": {}}, "there is no 'calls'; there are label, display_name, ordinal, keys"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_plan_that_cannot_be_is_refused_with_what_could(
    cloud: LocalCloud, changes: dict[str, Any], said: str
) -> None:
    sent = {**TIRED, **changes}
    if sent["kind"] != "status" and "parameters" not in changes:
        sent["parameters"] = {}
    reply = control(cloud, "POST", "", json={name: value for name, value in sent.items() if value is not None})
    assert (reply.status_code, reply.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert said in reply.json()["error"]["message"]
    assert control(cloud, "GET", "").json() == {"faults": []}


@pytest.mark.parametrize("body", [b"{", b"[1]", b"7", b'[{"name":"a"}]', json.dumps([TIRED, TIRED]).encode()])
def test_bodies_that_are_no_plans(cloud: LocalCloud, body: bytes) -> None:
    assert control(cloud, "POST", "", data=body).status_code == 400


def test_plans_and_counts_outlive_kill_9(start: Start) -> None:
    cloud = start()
    plans = Plans(cloud)
    plans.add("lists", "status", {"code": 500}, {"calls": ["list"]}, {"after": 1, "times": 2})
    plans.add("doubles", "line_repeated", scope={"every": 2})
    url = "/batchPredictionJobs"
    assert [cloud.http.get(cloud.base + url).status_code for _ in range(2)] == [200, 500]
    cloud.kill()
    cloud = start()
    plans = Plans(cloud)
    assert plans.shown("lists")["seen"] == 2
    assert [cloud.http.get(cloud.base + url).status_code for _ in range(2)] == [500, 200]
    assert plans.strikes("lists") == 2
    assert len(cloud.run(rows(4))[1]) == 6
    assert plans.strikes("doubles") == 2


def test_a_chunk_done_again_after_kill_9_is_struck_and_counted_once(start: Start) -> None:
    cloud = start(rows_per_s=400)
    Plans(cloud).add("doubles", "line_repeated", scope={"every": 10}, when={"times": 30})
    name = cloud.create(rows(600)).json()["name"]
    for _ in range(3):
        served = cloud.journal()["counts"]["served"]
        cloud.wait(name, lambda _, at=cloud, served=served: at.journal()["counts"]["served"] > served)
        cloud.kill()
        cloud = start(rows_per_s=400)
    cloud.switch(rows_per_s=0)
    job = cloud.wait(name)
    keys = [json.loads(line)["key"] for line in cloud.output(job).splitlines()]
    twice = sorted((key for key in set(keys) if keys.count(key) == 2), key=lambda key: int(key[1:]))
    assert twice == [f"k{number}" for number in range(9, 300, 10)]
    assert len(keys) == 630
    assert Plans(cloud).strikes("doubles") == 30


def test_a_job_meets_its_faults_once_though_killed_in_between(start: Start) -> None:
    cloud = start()
    Plans(cloud).add("held", "stuck_in_queue", {"state": "QUEUED"}, when={"times": 1})
    name = cloud.create(rows(2)).json()["name"]
    cloud.wait(name, lambda job: job["state"] == "JOB_STATE_QUEUED")
    cloud.kill()
    cloud = start()
    plans = Plans(cloud)
    assert cloud.job(name)["state"] == "JOB_STATE_QUEUED"
    assert cloud.run(rows(1))[0]["state"] == "JOB_STATE_SUCCEEDED", "the one strike was spent on the first"
    assert (plans.shown("held")["seen"], plans.strikes("held")) == (2, 1)
    plans.remove("held")
    assert cloud.wait(name)["state"] == "JOB_STATE_SUCCEEDED"


@contextmanager
def serving(*command: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(endpoint, control headers) of a process that is killed in the end."""
    data = Path(command[command.index("--data") + 1])
    with subprocess.Popen([sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert b"LOCAL STAND-IN" in process.stdout.readline()
        facts = json.loads((data / "endpoint.json").read_text())
        yield facts["endpoint"], {"X-Local-Cloud-Token": facts["control_token"]}
        process.kill()


def lists(endpoint: str, times: int) -> list[int]:
    url = f"{endpoint}/v1/projects/p/locations/global/batchPredictionJobs"
    return [requests.get(url).status_code for _ in range(times)]


def test_a_file_of_plans_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "plans.json"
    file.write_text(json.dumps([TIRED]))
    command = ("overnight.localcloud", "--data", str(tmp_path / "cloud"), "--faults", str(file))
    with serving(*command) as (endpoint, _):
        assert lists(endpoint, 1) == [503]
    with serving(*command) as (endpoint, headers):
        found = requests.get(f"{endpoint}/control/faults/tired-lists", headers=headers).json()
        assert found["strikes"] == 1, "the same plan goes on counting"
        assert lists(endpoint, 2) == [503, 200]
    file.write_text(json.dumps([{**TIRED, "when": {"times": 1}}]))
    with serving(*command) as (endpoint, _):
        assert lists(endpoint, 2) == [503, 200], "another plan of this name counts anew"


def test_the_command_hands_the_file_on(tmp_path: Path) -> None:
    file = tmp_path / "plans.json"
    file.write_text(json.dumps([TIRED]))
    command = ("overnight.cli.main", "local-cloud", "--data", str(tmp_path / "cloud"), "--faults", str(file))
    with serving(*command) as (endpoint, _):
        assert lists(endpoint, 3) == [503, 503, 200]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ('[{"name": "a", "kind": "gremlins"}]', "plan a: there is no kind 'gremlins'"),
        ('"status"', "no JSON object"),
    ],
)
def test_a_bad_file_of_plans_ends_the_start(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "plans.json"
    file.write_text(text)
    command = [sys.executable, "-m", "overnight.localcloud", "--data", str(tmp_path / "d"), "--faults", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    assert ended.returncode == 2
    assert str(file) in ended.stderr
    assert said in ended.stderr


# Laws


@given(
    after=st.integers(0, 9),
    every=st.integers(1, 9),
    times=st.integers(0, 9),
    chance=st.sampled_from([1.0, 0.3]),
    seed=st.integers(0, 99),
    total=st.integers(0, 120),
)
def test_law_of_when(after: int, every: int, times: int, chance: float, seed: int, total: int) -> None:
    """The first `after` are spared, never more than `times` are struck, and only each n-th; chance repeats itself."""

    def struck() -> list[int]:
        found: list[int] = []
        when = When(after, every, times, chance, seed)
        for number in range(1, total + 1):
            if when.strikes(number, len(found)):
                found.append(number)
        return found

    found = struck()
    candidates = [number for number in range(after + 1, total + 1) if (number - after) % every == 0]
    assert set(found) <= set(candidates)
    assert found == struck()
    if chance == 1.0:
        assert found == (candidates[:times] if times else candidates)
    assert not times or len(found) <= times


def test_chance_is_about_as_often_as_it_says() -> None:
    when = When(probability=0.3, seed=7)
    assert 240 < sum(when.strikes(number, 0) for number in range(1, 1001)) < 360


@pytest.mark.parametrize("name", KINDS)
def test_a_plan_described_is_the_same_plan(name: str) -> None:
    calls = {"calls": list(KINDS[name].calls)} if KINDS[name].calls else {}
    plan = Plan.of({"name": "x", "kind": name, "scope": calls, "when": {"probability": 0.5, "seed": 3, "times": 2}})
    assert Plan.of(plan.describe()) == plan


# The page


def test_the_kinds_on_the_page_are_those_of_the_code() -> None:
    say = "python -c 'from overnight.localcloud.faults.catalogue import markdown; print(markdown())'"
    assert markdown() in PAGE, f"say: {say}"


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_a_source_and_a_test_that_it_struck(name: str) -> None:
    assert KINDS[name].source
    assert re.search(rf'"{name}"', TESTS.replace("KINDS", "")), f"{name} is struck by no test"


def test_every_call_a_scope_can_name_is_on_the_page() -> None:
    assert all(f"`{call}`" in PAGE for call in ALL_CALLS)


def test_the_example_file_on_the_page_is_one(tmp_path: Path) -> None:
    example = PAGE.split("```json\n")[1].split("```")[0]
    plans = read_plans(json.loads(example))
    assert len({type(plan.fault).family for plan in plans}) == 3, "a call, a job, rows"
    file = tmp_path / "plans.json"
    file.write_text(example)
    with serving("overnight.localcloud", "--data", str(tmp_path / "cloud"), "--faults", str(file)) as (url, headers):
        assert len(requests.get(f"{url}/control/faults", headers=headers).json()["faults"]) == len(plans)


def test_a_plan_strikes_what_its_scope_names_and_nothing_else(cloud: LocalCloud) -> None:
    with Plans(cloud) as plans:
        plans.add("one", "row_failed", {"code": 400}, {"label": "arm=a", "rows": [2, 3], "keys": ["k2", "k9"]})
        _, got = cloud.run(rows(5), labels={"arm": "b"})
        assert all(not line["status"] for line in got)
        _, got = cloud.run(rows(5), labels={"arm": "a"})
        assert [line["key"] for line in got if line["status"]] == ["k2"]
        assert plans.shown("one")["seen"] == 1
        ordinal = cloud.journal()["counts"]["creates"] + 2
        plans.add("two", "failed", scope={"ordinal": ordinal, "display_name": "second"})
        assert cloud.run(rows(1), displayName="second")[0]["state"] == "JOB_STATE_SUCCEEDED"
        made = cloud.create("".join(json.dumps(row(n)) + "\n" for n in range(2)).encode(), displayName="second")
        assert cloud.wait(made.json()["name"])["state"] == "JOB_STATE_FAILED"
        assert plans.strikes("two") == 1
