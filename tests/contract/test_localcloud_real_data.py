"""A thousand real abstracts (PubMedQA) through a job: all served, quotes found, verdicts varied."""

import csv
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.support.local_cloud import LocalCloud, lines

CRITERIA = {
    "randomised": "Participants were randomised to an intervention or a control group.",
    "patients": "The study included patients treated in a hospital.",
    "survival": "Survival or mortality was measured.",
}


@pytest.mark.real_data
@pytest.mark.skipif("OVERNIGHT_DATA" not in os.environ, reason="OVERNIGHT_DATA does not name a folder with real data")
def test_a_thousand_abstracts(cloud: LocalCloud) -> None:
    verdict = {"type": "STRING", "enum": ["met", "not_met", "not_stated", "unclear"]}
    one = {
        "type": "OBJECT",
        "properties": {"verdict": verdict, "quote": {"type": "STRING"}, "reason": {"type": "STRING"}},
    }
    schema = {"type": "OBJECT", "properties": dict.fromkeys(CRITERIA, one)}
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    listed = "\n".join(f"- {name}: {text}" for name, text in CRITERIA.items())
    with (Path(os.environ["OVERNIGHT_DATA"]) / "pubmedqa_1000.csv").open(encoding="utf-8", newline="") as file:
        texts = {f"k{row['id']}": row["abstract"] for row in csv.DictReader(file)}

    def request(text: str) -> dict[str, object]:
        parts = [{"text": f"{listed}\n<record>\n{text}\n</record>"}]
        return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}

    job, got = cloud.run(lines(*({"key": key, "request": request(text)} for key, text in texts.items())))
    assert job["completionStats"]["successfulCount"] == str(len(texts)) == "1000"
    verdicts: Counter[str] = Counter()
    quotes: Counter[bool] = Counter()
    for line in got:
        answer = json.loads(line["response"]["candidates"][0]["content"]["parts"][0]["text"])
        for found in answer.values():
            verdicts[found["verdict"]] += 1
            if found["quote"]:
                quotes[found["quote"] in texts[line["key"]]] += 1
    assert all(verdicts[label] >= 30 for label in ("met", "not_stated", "unclear")), verdicts
    assert verdicts["not_met"], "few abstracts deny a criterion, and a negation has to stand beside its word"
    assert 0.95 < quotes[True] / quotes.total() < 1
