"""What can be wrong with lines of output: what becomes of each row, what a person sees, and whose answer it is.

What docs/reference/problems.md has is walked in test_problems_page.py; here is what a row of it does not ask: counts of
strays, what lines were attached by, switches without a fault plan, several faults at once, and that a stop stays one.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.faults.conftest import RECORDS
from tests.support.local_cloud import LocalCloud
from tests.support.studies import Ended, SmallStudy, outcomes

pytestmark = pytest.mark.usefixtures("nobody_has_anothers_answer")


@dataclass(frozen=True)
class Fault:
    """A local cloud so set, and how a run ends. identity: what most lines were attached by."""

    name: str
    switches: dict[str, Any]
    answers: int = RECORDS
    problems: dict[str, int] = field(default_factory=dict)
    strays: dict[str, int] = field(default_factory=dict)
    sent: int = RECORDS
    jobs: int = 1
    code: int = 0
    identity: str = "key"
    said: str = ""


WITHOUT_EFFECT = (
    Fault("in input order", {"shuffle": False}),
    Fault("numbers for enum values", {"numeric_finish_reason": True}),
    Fault("no echo", {"no_echo": True}, identity="key_only"),
    Fault("no keys, each fifth line twice", {"no_key": True, "duplicate_every": 5}, strays={"duplicate": 12},
          identity="fingerprint"),
    Fault("no keys, chunk files", {"no_key": True, "incremental": True}, strays={"duplicate": RECORDS},
          identity="fingerprint"),
)  # fmt: skip
SENT_AGAIN = (
    Fault("a 500 without key or echo", {"fail_every": 20, "echo_on_failure": False}, sent=60 + 3, jobs=2),
    Fault("a 500, said by the job too", {"fail_every": 5, "some_failed_state": "partially_succeeded"}, sent=74, jobs=3),
    Fault("everything at once", {"duplicate_every": 7, "drop_every": 9, "fail_every": 11, "incremental": True},
          sent=60 + 11 + 2, jobs=3, strays={"duplicate": 70 + 12 + 2}),
)  # fmt: skip
GIVEN_UP = (
    Fault("each fifth a 400", {"fail_every": 5, "fail_code": 400}, answers=48, problems={"refused": 12}),
    Fault("every row a 500, and so the job", {"fail_every": 1, "all_failed_state": "failed"}, answers=0, sent=180,
          jobs=3, problems={"service_error": 60}),
)  # fmt: skip
STOPPED = (
    Fault("twelve pairs of keys swapped", {"swap_every": 5}, answers=36, problems={}, code=11),
    Fault("each fifth half a line", {"malformed_every": 5}, answers=48, code=11, strays={"unidentified": 12}),
)  # fmt: skip


def name_of(fault: Fault) -> str:
    return fault.name


def run(cloud: LocalCloud, study: SmallStudy, fault: Fault) -> Ended:
    cloud.switch(**fault.switches)
    ended = study.cli("run", "--json")
    found = ended.json
    settled = found["answers"] + sum(found["problems"].values()) + sum(found["not_sent"].values()) + found["open"]
    assert settled == found["records"] == RECORDS
    for name, strikes in ((name, cloud.strikes(name)) for name in fault.switches):
        passive = name in {"shuffle", "fail_code"} or cloud_describes(name)
        assert strikes or passive, f"{name} never struck: the test tests nothing"
    return ended


def cloud_describes(name: str) -> bool:
    """Switches that say how things look rather than strike."""
    prefixes = ("echo_", "failed_", "some_", "all_", "completion", "numeric")
    return name.startswith(prefixes)


@pytest.mark.parametrize("fault", WITHOUT_EFFECT, ids=name_of)
def test_rows_that_are_all_answered(cloud: LocalCloud, study: SmallStudy, fault: Fault) -> None:
    as_said(run(cloud, study, fault), study, fault)


@pytest.mark.parametrize("fault", SENT_AGAIN, ids=name_of)
def test_rows_that_are_sent_again_and_answered(cloud: LocalCloud, study: SmallStudy, fault: Fault) -> None:
    as_said(run(cloud, study, fault), study, fault)
    again = study.cli("run", "--json").json
    assert (again["requests_sent"], again["answers"]) == (0, RECORDS)


@pytest.mark.parametrize("fault", GIVEN_UP, ids=name_of)
def test_rows_that_are_given_up_until_a_person_says_retry(cloud: LocalCloud, study: SmallStudy, fault: Fault) -> None:
    as_said(run(cloud, study, fault), study, fault)
    cloud.reset()
    assert study.cli("run", "--json").json["requests_sent"] == 0
    n = RECORDS - fault.answers
    assert study.cli("retry").out.startswith(f"{n} request"), "it says how many it opens"
    mended = study.cli("run", "--json").json
    assert (mended["requests_sent"], mended["answers"], mended["problems"]) == (n, RECORDS, {})


@pytest.mark.parametrize("fault", STOPPED, ids=name_of)
def test_too_many_wrong_in_the_same_way_stop_the_run_until_a_person_has_looked(
    cloud: LocalCloud, study: SmallStudy, fault: Fault
) -> None:
    ended = run(cloud, study, fault)
    found = ended.json
    assert (ended.code, found["answers"], found["requests_sent"], len(found["jobs"])) == (11, fault.answers, 60, 1)
    assert "too many rows of job 1 are wrong in the same way, or not there: nothing is sent again" in ended.err
    assert found["strays_by_kind"] == fault.strays
    assert len(study.results()) == RECORDS, "what is known is published all the same"
    cloud.reset()

    stopped = study.cli("run", "--json")
    assert (stopped.code, stopped.json["requests_sent"]) == (11, 0), "it stays stopped, also when the cause is gone"

    assert study.cli("retry").code == 0
    mended = study.cli("run", "--json")
    assert mended.code == 0, mended.err
    assert (mended.json["answers"], mended.json["requests_sent"]) == (RECORDS, RECORDS - fault.answers)


def as_said(ended: Ended, study: SmallStudy, fault: Fault) -> None:
    found = ended.json
    assert ended.code == fault.code, ended.err
    assert fault.said in ended.err
    counts = {"answers": found["answers"], "problems": found["problems"], "strays": found["strays_by_kind"]}
    assert counts == {"answers": fault.answers, "problems": fault.problems, "strays": fault.strays}
    assert (found["requests_sent"], len(found["jobs"]), found["open"]) == (fault.sent, fault.jobs, 0)
    rows = study.results()
    assert {kind: list(outcomes(rows).values()).count(kind) for kind in fault.problems} == fault.problems
    assert fault.identity in {row["identity"] for row in rows if row["outcome"] == "answer"} or not fault.answers
