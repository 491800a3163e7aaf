"""docs/reference/problems.md, walked row by row: each thing that can go wrong goes wrong, and is as the page says."""

import ast
import dataclasses
import gzip
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from overnight.localcloud.faults.catalogue import KINDS
from overnight.localcloud.faults.kind import bounds_of
from tests.faults.machine import CIRCUMSTANCES
from tests.faults.page import PAGE, Plan, Row, named_tests, rows
from tests.faults.walk import walk, walking
from tests.support.cloud import SWIFT
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import Ended, SmallStudy, outcomes

ROWS = rows()
PLANS = [plan for row in ROWS for plan in row.plans]
CODES = {401, 403, 404, 408, 409, 429, 500, 502, 503, 504}
CALLS = ("upload", "create", "get", "list", "cancel", "download")
NEVER_SHOWN = {"JOB_STATE_SUCCEEDED", "JOB_STATE_RUNNING"}
"""Job states that every row goes through."""
LIKE_ANOTHER = {"prompt_blocked.reason": 3, "safety.reason": 1}
"""Parameters whose values the run does not tell apart, and how many of them are walked all the same."""


@pytest.fixture(scope="module")
def walked_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("walk"), **SWIFT)
    with walking(cloud):
        yield cloud
    cloud.stop()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_the_page_says_is_so(walked_cloud: LocalCloud, tmp_path: Path, row: Row) -> None:
    walked = walk(walked_cloud, tmp_path / "study", row)
    assert not walked.differs, "\n".join([*walked.differs, walked.printed])
    bad = {"lost": walked.lost, "wrong": walked.wrong, "twice": walked.paid_twice, "tracebacks": walked.tracebacks}
    assert not any(bad.values()), f"{bad}\n{walked.printed}"
    assert walked.strikes or row.machine


def values_of(kind: str, parameter: str) -> set[object]:
    return {plan.parameters.get(parameter, default_of(kind, parameter)) for plan in PLANS if plan.kind == kind}


def default_of(kind: str, parameter: str) -> object:
    return next(field.default for field in dataclasses.fields(KINDS[kind]) if field.name == parameter)


def test_every_kind_of_fault_stands_on_the_page() -> None:
    assert {plan.kind for plan in PLANS} == KINDS.keys()
    assert len({repr(plan) for plan in PLANS}) >= 70


def test_every_choice_of_every_kind_stands_on_the_page() -> None:
    for name, kind in KINDS.items():
        for field in dataclasses.fields(kind):
            choices = set(bounds_of(field).choices)
            least = LIKE_ANOTHER.get(f"{name}.{field.name}", len(choices))
            assert len(choices & values_of(name, field.name)) >= least, f"{name} {field.name}: {choices}"


@pytest.mark.parametrize("call", CALLS)
def test_every_status_stands_on_the_page_for_each_call(call: str) -> None:
    walked = {plan.parameters.get("code", 503) for plan in PLANS if plan.kind == "status" and call in calls_of(plan)}
    assert walked == CODES


def calls_of(plan: Plan) -> list[str]:
    found: list[str] = plan.scope.get("calls", [])
    return found


def test_each_code_that_a_run_can_end_with_for_a_fault_stands_on_the_page() -> None:
    assert {row.code for row in ROWS} == {0, *range(2, 14)}


def test_every_row_is_walked_or_names_a_test_that_is_there() -> None:
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    said = [line for line in table if line.split(" | ")[0] != "| what happened"]
    assert len(said) >= 100
    assert [line for line in said if not rows(line) and not named_tests(line)] == []
    for file, name in named_tests():
        [place] = PAGE.parents[2].joinpath("tests").rglob(f"{file}.py")
        functions = [one.name for one in ast.walk(ast.parse(place.read_text())) if isinstance(one, ast.FunctionDef)]
        assert functions.count(name) == 1, f"{file} has no {name}"


def test_every_circumstance_stands_on_the_page() -> None:
    assert {row.machine for row in ROWS} - {""} == CIRCUMSTANCES.keys()


def test_a_row_that_says_nothing_of_what_is_seen_or_what_to_do_is_none() -> None:
    assert all(row.says for row in ROWS)
    assert all(row.mend for row in ROWS if row.code)


def _lists_what_was_given_up(study: SmallStudy, ended: Ended) -> None:
    """After the run, in `status`, in the report and for machines: how many, why, where the raw lines are, what next."""
    for said in (ended.out, study.cli("status").out):
        for kind, n in (("blocked", 2), ("refused", 1)):
            assert re.search(rf"^  {kind} +{n}   overnight retry .*--kind {kind}$", said, re.MULTILINE), said
        assert re.search(r"^  reasons   columns problem and detail of .*results\.csv$", said, re.MULTILINE)
        assert re.search(r"^  raw lines column raw_line: FILE:LINE below .*\.overnight/raw/$", said, re.MULTILINE)
    found = study.cli("status", "--json").json
    assert (found["problems"], Path(found["raw"])) == ({"blocked": 2, "refused": 1}, study.home / ".overnight" / "raw")
    page = html.unescape((study.home / "stand-in" / "report.html").read_text(encoding="utf-8"))
    for record in study.results():
        if record["problem"]:
            row = next(row for row in page.split("<tr>") if f'"any">{record["record_id"]}</th>' in row)
            assert record["detail"] in row
            assert record["raw_line"] in row


def test_from_a_record_that_was_given_up_one_comes_to_its_raw_line_and_back(
    walked_cloud: LocalCloud, tmp_path: Path
) -> None:
    """The results name the line, the line holds the key and the service's words; `retry --kind` opens those only."""
    walked_cloud.reset()
    study = SmallStudy.of(tmp_path / "study", 20)
    with Plans(walked_cloud) as plans:
        plans.add("blocked", "prompt_blocked", scope={"rows": [3, 7]})
        plans.add("refused", "row_failed", {"code": 400}, scope={"rows": [5]})
        ended = study.cli("run")
    assert "2 blocked, 1 refused" in ended.out
    _lists_what_was_given_up(study, ended)
    given_up = [record for record in study.results() if record["problem"]]
    assert len(given_up) == 3
    for record in given_up:
        name, _, number = record["raw_line"].rpartition(":")
        line = gzip.decompress((study.home / ".overnight" / "raw" / name).read_bytes()).splitlines()[int(number) - 1]
        found = json.loads(line)
        assert found["key"] == record["key"]
        assert record["text"] in json.dumps(found["request"])
        said = found["status"] or found["response"]["promptFeedback"]["blockReason"]
        assert said in record["detail"]
    assert study.cli("retry", "--kind", "blocked").out.startswith("2 requests open again: 2 blocked")
    again = study.cli("run", "--json").json
    assert (again["requests_sent"], again["problems"]) == (2, {"refused": 1})
    assert sorted(outcomes(study.results()).values()) == ["answer"] * 19 + ["refused"]
