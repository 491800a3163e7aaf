"""Fetching PubMedQA from a web server in this process: what is written, and that nothing is when something is wrong."""

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from overnight.demo.pubmedqa import COLUMNS, fetch_pubmedqa, rows_sha256
from overnight.errors import CloudError, NotFoundError, RefusedError, UnavailableError, UsageError

ABSTRACTS, TEST_SET = "/repo/data/ori_pqal.json", "/repo/data/test_ground_truth.json"


@dataclass
class Site:
    """What the server answers: path -> (status, body, length it claims). Anything else is a 404."""

    base_url: str
    pages: dict[str, tuple[int, bytes, int]] = field(default_factory=dict)

    def serve(self, path: str, value: Any, *, status: int = 200, cut: int = 0) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value, indent=4).encode()
        self.pages[path] = (status, body[: len(body) - cut], len(body))


@pytest.fixture
def site() -> Iterator[Site]:
    pages: dict[str, tuple[int, bytes, int]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, length = pages.get(self.path, (404, b"no such page", 12))
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Site(f"http://127.0.0.1:{server.server_port}/repo/", pages)
        server.shutdown()
        thread.join()


def entry(question: str, **changed: Any) -> dict[str, Any]:
    """A value of ori_pqal.json in the source's own form."""
    return {
        "QUESTION": question,
        "CONTEXTS": ["Little is known, “so far”.", "We asked\n12 people."],
        "LABELS": ["BACKGROUND", "METHODS"],
        "MESHES": ["Humans", "Infant, Newborn", "Female"],
        "YEAR": "2001",
        "reasoning_required_pred": "yes",
        "reasoning_free_pred": "maybe",
        "final_decision": "yes",
        "LONG_ANSWER": "It does.",
    } | changed


SMALL = {
    "0207": entry("Does it?"),
    "11": entry("Is it, or not?", YEAR=None, MESHES=["Breast Neoplasms", "Aged"], final_decision="no"),
}
SMALL_SHA256 = "ea405a48363407ac1b8069373ff99c6d7b5caa1c103ac26b72113890b0523137"


def written(folder: Path) -> list[dict[str, str]]:
    with (folder / "pubmedqa.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_source_is_reshaped_to_one_row_a_record(site: Site, tmp_path: Path) -> None:
    site.serve(ABSTRACTS, SMALL)
    site.serve(TEST_SET, {"11": "no"})
    assert fetch_pubmedqa(tmp_path / "set", base_url=site.base_url, sha256=SMALL_SHA256) == 2
    first, second = written(tmp_path / "set")
    assert tuple(first) == COLUMNS
    assert first == {
        "id": "0207",
        "title": "Does it?",
        "abstract": "BACKGROUND: Little is known, “so far”.\nMETHODS: We asked\n12 people.",
        "conclusion": "It does.",
        "year": "2001",
        "mesh": "Humans; Infant, Newborn; Female",
        "label": "yes",
        "annotator_reasoning_required": "yes",
        "annotator_reasoning_free": "maybe",
        "split": "cv",
        "label_children": "1",
        "label_cancer": "0",
    }
    assert (second["year"], second["split"], second["label_children"], second["label_cancer"]) == ("", "test", "0", "1")
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["README.md", "pubmedqa.csv", "study.yaml"]


def test_fetching_again_into_the_same_folder_changes_nothing(site: Site, tmp_path: Path) -> None:
    site.serve(ABSTRACTS, SMALL)
    site.serve(TEST_SET, {})
    fetch_pubmedqa(tmp_path, base_url=site.base_url, sha256=SMALL_SHA256)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    fetch_pubmedqa(tmp_path, base_url=site.base_url, sha256=SMALL_SHA256)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_changed_study_is_not_overwritten(site: Site, tmp_path: Path) -> None:
    site.serve(ABSTRACTS, SMALL)
    site.serve(TEST_SET, {})
    (tmp_path / "study.yaml").write_text("study: mine\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"study\.yaml would be overwritten"):
        fetch_pubmedqa(tmp_path, base_url=site.base_url, sha256=SMALL_SHA256)
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]
    assert (tmp_path / "study.yaml").read_text(encoding="utf-8") == "study: mine\n"


def test_other_contents_than_pinned_name_both_digests(site: Site, tmp_path: Path) -> None:
    site.serve(ABSTRACTS, SMALL | {"11": entry("Is it, or not ?", final_decision="no")})
    site.serve(TEST_SET, {})
    with pytest.raises(CloudError) as caught:
        fetch_pubmedqa(tmp_path / "set", base_url=site.base_url, sha256=SMALL_SHA256)
    message = str(caught.value)
    assert f"expected SHA-256 {SMALL_SHA256}" in message
    found = message.partition("found ")[2].split()[0]
    assert len(found) == 64
    assert found != SMALL_SHA256
    assert not (tmp_path / "set").exists()


def _missing(site: Site) -> None:
    site.serve(TEST_SET, {})


def _forbidden(site: Site) -> None:
    site.serve(ABSTRACTS, b"no", status=403)


def _broken(site: Site) -> None:
    site.serve(ABSTRACTS, b"busy", status=503)


def _cut_short(site: Site) -> None:
    site.serve(ABSTRACTS, SMALL, cut=40)


def _second_cut_short(site: Site) -> None:
    site.serve(ABSTRACTS, SMALL)
    site.serve(TEST_SET, {"11": "no"}, cut=3)


def _a_page(site: Site) -> None:
    site.serve(ABSTRACTS, b"<html>Please log in</html>")


def _a_list(site: Site) -> None:
    site.serve(ABSTRACTS, [entry("Does it?")])


def _without_labels(site: Site) -> None:
    site.serve(ABSTRACTS, {"5": {key: value for key, value in entry("Does it?").items() if key != "LABELS"}})


def _labels_short(site: Site) -> None:
    site.serve(ABSTRACTS, {"5": entry("Does it?", LABELS=["BACKGROUND"])})
    site.serve(TEST_SET, {})


@pytest.mark.parametrize(
    ("arrange", "error", "says"),
    [
        (_missing, NotFoundError, "ori_pqal.json answered 404"),
        (_forbidden, RefusedError, "answered 403"),
        (_broken, UnavailableError, "answered 503"),
        (_cut_short, UnavailableError, "ori_pqal.json was cut short"),
        (_second_cut_short, UnavailableError, "test_ground_truth.json was cut short"),
        (_a_page, CloudError, "does not hold what was expected"),
        (_a_list, CloudError, "Expected `object`, got `array`"),
        (_without_labels, CloudError, "missing required field `LABELS`"),
        (_labels_short, CloudError, "record 5 has 2 CONTEXTS and 1 LABELS"),
    ],
)
def test_whatever_goes_wrong_is_said_and_nothing_is_written(
    site: Site, tmp_path: Path, arrange: Any, error: type[CloudError], says: str
) -> None:
    arrange(site)
    with pytest.raises(error) as caught:
        fetch_pubmedqa(tmp_path / "set", base_url=site.base_url, sha256=SMALL_SHA256)
    assert type(caught.value) is error
    assert says in str(caught.value)
    assert "Nothing was written" in caught.value.hint
    assert not (tmp_path / "set").exists()


def test_a_server_that_is_not_there(site: Site, tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9/"  # the discard port: nothing listens
    with pytest.raises(UnavailableError, match="could not be fetched"):
        fetch_pubmedqa(tmp_path / "set", base_url=nobody, timeout_s=5)
    assert not (tmp_path / "set").exists()


def test_a_file_is_no_web_address(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no web address"):
        fetch_pubmedqa(tmp_path / "set", base_url=tmp_path.as_uri())


def test_the_digest_is_of_the_content_not_of_its_order() -> None:
    rows = [("2", "b", "text", *["x"] * 3, "no", *["x"] * 5), ("1", "a", "text", *["x"] * 3, "yes", *["x"] * 5)]
    assert rows_sha256(rows) == rows_sha256(rows[::-1])
    swapped = [("1", *rows[0][1:]), ("2", *rows[1][1:])]
    assert rows_sha256(swapped) != rows_sha256(rows)


@pytest.mark.real_data
@pytest.mark.skipif("OVERNIGHT_DATA" not in os.environ, reason="OVERNIGHT_DATA names no folder")
def test_the_pinned_digest_is_that_of_the_real_set(site: Site, tmp_path: Path) -> None:
    data = Path(os.environ["OVERNIGHT_DATA"])
    with (data / "pubmedqa_1000.jsonl").open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    source = {
        record["id"]: {
            "QUESTION": record["title"],
            "CONTEXTS": [section["text"] for section in record["sections"]],
            "LABELS": [section["label"] for section in record["sections"]],
            "MESHES": record["mesh"],
            "YEAR": record["year"],
            "reasoning_required_pred": record["annotator_reasoning_required"],
            "reasoning_free_pred": record["annotator_reasoning_free"],
            "final_decision": record["label"],
            "LONG_ANSWER": record["conclusion"],
        }
        for record in records
    }
    site.serve(ABSTRACTS, source)
    site.serve(TEST_SET, {record["id"]: record["label"] for record in records if record["split"] == "test"})
    assert fetch_pubmedqa(tmp_path, base_url=site.base_url) == 1_000
    with (data / "pubmedqa_1000.csv").open(encoding="utf-8", newline="") as table:
        assert written(tmp_path) == list(csv.DictReader(table))
