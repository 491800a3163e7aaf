"""The importer's rules: every vector through a real job."""

from pathlib import Path

import pytest

from overnight.localcloud.vertex import importer
from overnight.localcloud.vertex.importer import ImportRefusedError, import_file
from tests.support.importer_vectors import VECTORS, Vector, line, nested
from tests.support.local_cloud import LocalCloud, lines, row


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vector(cloud: LocalCloud, vector: Vector) -> None:
    reply = cloud.create(vector.data)
    assert reply.status_code == 200, "a bad file is accepted at create: it fails when it is read"
    job = cloud.wait(reply.json()["name"])
    if not vector.fragment:
        assert job["state"] == "JOB_STATE_SUCCEEDED", job.get("error")
        return
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["code"] == 3
    assert job["error"]["message"].startswith("Failed to import data. ")
    assert vector.fragment in job["error"]["message"]
    assert "completionStats" not in job
    assert job["outputInfo"]["gcsOutputDirectory"], "it is filled on a failed job too (facts 3.1 [L])"


def test_no_row_of_a_refused_file_is_served(cloud: LocalCloud) -> None:
    good = [row(number) for number in range(3)]
    reply = cloud.create(lines(*good, {"key": "kx", "request": {}}))
    name = cloud.wait(reply.json()["name"])["name"]
    assert [entry for entry in cloud.journal("served") if entry["job"] == name] == []


def test_case_clash_can_be_accepted(cloud: LocalCloud) -> None:
    cloud.switch(case_clash="accept")
    job, _ = cloud.run(lines(line(extras={"pmid": "a", "PMID": "b"})))
    assert job["state"] == "JOB_STATE_SUCCEEDED"


@pytest.mark.parametrize(
    ("counts", "levels", "state"), [("records", 16, "SUCCEEDED"), ("records", 17, "FAILED"), ("fields", 16, "FAILED")]
)
def test_nesting_is_counted_as_the_switch_says(cloud: LocalCloud, counts: str, levels: int, state: str) -> None:
    cloud.switch(nesting_counts=counts)
    reply = cloud.create(lines(nested(levels)))
    assert cloud.wait(reply.json()["name"])["state"] == f"JOB_STATE_{state}"


def test_too_many_bytes(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as sparse:
        sparse.truncate(1_000_000_001)
    with pytest.raises(ImportRefusedError, match="1000000001 bytes, more than 1000000000"):
        import_file(file, refuse_case_clash=True, count_fields=True)


def test_too_many_rows(cloud: LocalCloud) -> None:
    one = b'{"key":"k","request":{"contents":[{"role":"user","parts":[{"text":"a"}]}]}}\n'
    job = cloud.wait(cloud.create(one * 200_001).json()["name"])
    assert job["error"]["message"] == "Failed to import data. The input has more than 200000 requests."


def test_the_limits_are_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "input"
    file.write_bytes(lines(row(1), row(2)))
    size_bytes = file.stat().st_size
    for name, exact, words in (("MAX_ROWS", 2, "more than 1 requests"), ("MAX_BYTES", size_bytes, "bytes, more than")):
        with monkeypatch.context() as limited:
            limited.setattr(importer, name, exact)
            assert import_file(file, refuse_case_clash=True, count_fields=True) == 2
            limited.setattr(importer, name, exact - 1)
            with pytest.raises(ImportRefusedError, match=words):
                import_file(file, refuse_case_clash=True, count_fields=True)
