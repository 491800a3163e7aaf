"""PubMedQA's 1,000 expert-labelled abstracts (MIT), fetched from their repository and reshaped to a table.

What is pinned is the content: a SHA-256 over id, title, abstract and label of all rows, in a form of our own. The
digests of the two JSON files themselves are not pinned: only the reshaped table was at hand when this was written. A
file that differs in white space or in the order of its keys therefore passes; one that differs in a letter of a text
does not.
"""

import csv
import hashlib
import http.client
import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from overnight.demo.example import package_text, write_new
from overnight.errors import CloudError, NotFoundError, RefusedError, UnavailableError, UsageError

COMMIT: Final = "1cbae8e92f72f20c8d3747cbb3bf5bc53554d997"
BASE_URL: Final = f"https://raw.githubusercontent.com/pubmedqa/pubmedqa/{COMMIT}/"
ROWS_SHA256: Final = "5d85322719897c56ec43f2ee99878736e56cd6a456621940fcaa5f2638b9fb9f"
"""`rows_sha256` of the 1,000 rows at COMMIT."""

COLUMNS: Final = (
    "id",
    "title",
    "abstract",
    "conclusion",
    "year",
    "mesh",
    "label",
    "annotator_reasoning_required",
    "annotator_reasoning_free",
    "split",
    "label_children",
    "label_cancer",
)
_ABSTRACTS: Final = "data/ori_pqal.json"
_TEST_SET: Final = "data/test_ground_truth.json"
_CHILDREN: Final = frozenset({"Child", "Child, Preschool", "Infant", "Infant, Newborn", "Adolescent"})
_CANCER: Final = ("neoplasm", "carcinoma", "lymphoma", "leukemia", "melanoma", "sarcoma", "adenocarcinoma")
_LARGEST_BYTES: Final = 64 * 2**20  # the larger file is a few MB; what is far larger is something else

Row = tuple[str, ...]
T = TypeVar("T")


class _Entry(msgspec.Struct, frozen=True):
    """One value of ori_pqal.json. Fields that we do not use may come and go."""

    question: str = msgspec.field(name="QUESTION")
    contexts: list[str] = msgspec.field(name="CONTEXTS")
    labels: list[str] = msgspec.field(name="LABELS")
    meshes: list[str] = msgspec.field(name="MESHES")
    long_answer: str = msgspec.field(name="LONG_ANSWER")
    final_decision: str
    reasoning_required_pred: str
    reasoning_free_pred: str
    year: str | None = msgspec.field(name="YEAR", default=None)


def fetch_pubmedqa(
    folder: Path, *, base_url: str = BASE_URL, sha256: str = ROWS_SHA256, timeout_s: float = 60.0
) -> int:
    """Downloads the set and writes pubmedqa.csv, README.md and study.yaml into `folder`; the number of records.

    Nothing is written unless both files came whole and their rows have the digest `sha256`. Files that are there with
    other contents are never overwritten (UsageError).

    Raises NotFoundError or RefusedError (4xx), UnavailableError (5xx, no connection, timeout, a body cut short),
    CloudError (not the JSON that was expected, or other contents than were pinned), OutputError.
    """
    if not base_url.startswith(("https://", "http://")):
        raise UsageError(
            f"{base_url} is no web address", hint="It begins with https:// (or http:// for a test server)."
        )
    base_url = base_url.rstrip("/") + "/"
    abstracts = _decode(_download(base_url + _ABSTRACTS, timeout_s), dict[str, _Entry], base_url + _ABSTRACTS)
    test_set = _decode(_download(base_url + _TEST_SET, timeout_s), dict[str, str], base_url + _TEST_SET)
    rows = [_row(record_id, entry, test_set, base_url) for record_id, entry in abstracts.items()]
    found = rows_sha256(rows)
    if found != sha256:
        raise CloudError(
            f"not the pinned abstracts: expected SHA-256 {sha256}, found {found} in {len(rows)} rows",
            where=base_url + _ABSTRACTS,
            hint="Nothing was written. Try again; if it stays so, the source has changed: please report it.",
        )
    write_new(folder, _files(rows))
    return len(rows)


def rows_sha256(rows: Iterable[Sequence[str]]) -> str:
    """SHA-256 (hex) of the rows' id, title, abstract and label: one JSON array a line, ASCII, in order of id."""
    at = [COLUMNS.index(column) for column in ("id", "title", "abstract", "label")]
    digest = hashlib.sha256()
    for four in sorted([row[i] for i in at] for row in rows):
        digest.update(json.dumps(four, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def _row(record_id: str, entry: _Entry, test_set: Mapping[str, str], base_url: str) -> Row:
    if len(entry.labels) != len(entry.contexts):
        raise CloudError(
            f"record {record_id} has {len(entry.contexts)} CONTEXTS and {len(entry.labels)} LABELS",
            where=base_url + _ABSTRACTS,
            hint="Nothing was written. The source has changed its form: please report it.",
        )
    sections = zip(entry.labels, entry.contexts, strict=True)
    return (
        record_id,
        entry.question,
        "\n".join(f"{label}: {text}" for label, text in sections),
        entry.long_answer,
        entry.year or "",
        "; ".join(entry.meshes),
        entry.final_decision,
        entry.reasoning_required_pred,
        entry.reasoning_free_pred,
        "test" if record_id in test_set else "cv",
        str(int(not _CHILDREN.isdisjoint(entry.meshes))),
        str(int(any(word in heading.lower() for heading in entry.meshes for word in _CANCER))),
    )


def _files(rows: Sequence[Row]) -> dict[str, bytes]:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return {
        "pubmedqa.csv": table.getvalue().encode(),
        "README.md": package_text("pubmedqa.md").encode(),
        "study.yaml": package_text("pubmedqa.yaml").encode(),
    }


def _download(url: str, timeout_s: float) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as reply:  # noqa: S310 - the scheme was checked
            data: bytes = reply.read(_LARGEST_BYTES + 1)
            length = reply.headers.get("Content-Length")
    except urllib.error.HTTPError as cause:
        with cause:
            raise _refused(cause, url) from cause
    except (OSError, http.client.HTTPException) as cause:  # URLError and timeouts are OSErrors
        raise UnavailableError(f"{url} could not be fetched: {cause}", where=url, hint=_TRY_AGAIN) from cause
    if len(data) > _LARGEST_BYTES:
        raise CloudError(f"{url} is larger than {_LARGEST_BYTES // 2**20} MB", where=url, hint="Nothing was written.")
    if length is not None and len(data) < int(length):  # read(n) does not complain of a body cut short
        raise UnavailableError(f"{url} was cut short: {len(data)} of {length} bytes came", where=url, hint=_TRY_AGAIN)
    return data


_TRY_AGAIN: Final = "Nothing was written. See that this computer reaches the address, then try again."


def _refused(cause: urllib.error.HTTPError, url: str) -> CloudError:
    what = f"{url} answered {cause.code} {cause.reason}"
    if cause.code >= 500:
        return UnavailableError(what, where=url, hint="Nothing was written. Try again later.")
    if cause.code == 404:
        return NotFoundError(
            what, code=404, where=url, hint="Nothing was written. The file has moved: please report it."
        )
    return RefusedError(what, code=cause.code, where=url, hint="Nothing was written.")


def _decode(data: bytes, form: type[T], url: str) -> T:
    try:
        return msgspec.json.decode(data, type=form)
    except msgspec.DecodeError as cause:  # ValidationError is one
        raise CloudError(
            f"{url} does not hold what was expected: {cause}",
            where=url,
            hint="Nothing was written. A proxy's page in its place? Open the address in a browser.",
        ) from cause
