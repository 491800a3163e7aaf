"""The Python API through the real local cloud: the same verbs, the same ledger as the command line."""

from pathlib import Path

import pytest

import overnight

STUDY = """\
study: small
records: {files: [reviews.csv], id: id}
ask:
  prompt: "Which complaint does this review make? <record>{text}</record>"
  answer:
    complaint: {type: string, nullable: true}
    severity: {type: string, enum: [none, minor, major]}
model: {name: gemini-3.5-flash-lite, thinking: minimal}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"r{n},The kettle was late by {n} days and the lid is loose." for n in range(12)]
    (tmp_path / "reviews.csv").write_text("\n".join(["id,text", *rows]), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def test_every_verb_of_the_api(folder: Path) -> None:
    study = overnight.open(folder)
    assert study.check().n_records == 12
    assert study.plan().plan.to_send == 12
    first = study.run()
    assert (first.answers, first.requests_sent, first.open) == (12, 12, 0)
    assert first.results["csv"].is_file()
    assert study.run().requests_sent == 0
    assert study.forget(["r3"]).requests == 1
    assert study.status().open == 1
    assert study.run().requests_sent == 1
    assert study.retry() == {}
    assert study.cancel() == 0
    assert study.fetch(reparse=True).answers == 12
    assert study.export(folder / "out.jsonl").results["jsonl"].read_text(encoding="utf-8").count("\n") == 12
    # The package's rooms never take the place of its names (`overnight.run` is a room, not a verb).
    assert all(callable(getattr(overnight, name)) for name in overnight.__all__)


def test_errors_come_as_ours(folder: Path) -> None:
    (folder / "study.yaml").unlink()
    with pytest.raises(overnight.OvernightError, match=r"study\.yaml"):
        overnight.open(folder).check()
