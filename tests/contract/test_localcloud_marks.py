"""Words in a record at which the stand-in fails: each in Google's shape, and only where it is whole."""

import json
from typing import Any

import pytest

from overnight.localcloud.standin.marks import FAILURES, LONG_THOUGHT, failure_of
from overnight.localcloud.standin.prompt import read_prompt
from tests.support.local_cloud import LocalCloud, lines, row

LISTED = "1. c_{first} (to include): naps.\n2. c_{second} (to include): nights."


def prompt_of(record: str, first: str = "a", second: str = "b", reviewers: str = "") -> Any:
    told = f"<reviewers>{reviewers}</reviewers>" if reviewers else ""
    text = f"{LISTED.format(first=first, second=second)}\n{told}\n<record>{record}</record>"
    return read_prompt({"contents": [{"parts": [{"text": text}]}]})


@pytest.mark.parametrize("failure", FAILURES)
def test_a_mark_in_the_record_is_heeded_and_one_elsewhere_is_not(failure: str) -> None:
    assert failure_of(prompt_of(f"Naps. Registration: STANDIN-{failure}.")) == failure
    assert failure_of(prompt_of(f"Naps. XSTANDIN-{failure}ER, standin-{failure.lower()}.")) is None
    assert failure_of(prompt_of("Naps.", first=f"STANDIN-{failure}")) is None


def test_sometimes_is_one_order_of_the_criteria_and_never_an_adjudicator() -> None:
    record = "Naps. STANDIN-SAFETY-SOMETIMES."
    assert failure_of(prompt_of(record, "a", "b")) == "SAFETY"
    assert failure_of(prompt_of(record, "b", "a")) is None
    assert failure_of(prompt_of(record, "a", "b", reviewers="Reviewer A")) is None


def test_rows_of_a_batch_fail_in_googles_shape(cloud: LocalCloud) -> None:
    config = {
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"what": {"type": "STRING"}}},
        "maxOutputTokens": 20_000,
    }
    texts = {failure: f"<record>Naps at night. STANDIN-{failure}.</record>" for failure in FAILURES}
    sent = [row(number, text, generationConfig=config) for number, text in enumerate(texts.values())]
    _, got = cloud.run(lines(*sent))
    names = dict(zip((line["key"] for line in sent), texts, strict=True))
    found = {names[line["key"]]: line for line in got}
    assert found["REFUSED"]["status"].startswith("Bad Request: ")
    assert found["BLOCKED"]["response"]["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in found["BLOCKED"]["response"]
    ends = {name: found[name]["response"]["candidates"][0] for name in ("SAFETY", "LONG", "CUT")}
    assert {name: one["finishReason"] for name, one in ends.items()} == {
        "SAFETY": "SAFETY", "LONG": "MAX_TOKENS", "CUT": "STOP",
    }  # fmt: skip
    assert "parts" not in ends["SAFETY"]["content"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(ends["CUT"]["content"]["parts"][0]["text"])
    usage = found["LONG"]["response"]["usageMetadata"]
    assert usage["thoughtsTokenCount"] == 20_000 < LONG_THOUGHT
