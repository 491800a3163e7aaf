"""Results of two runs of equal studies, byte for byte but for what is new in each run by design.

That is `raw_line`: it names the job's folder, with the study's uid and a random part, and the line in the order in
which the service wrote. Instead of compared, it is looked up: the line must be there, and hold the row's key.
"""

import csv
import gzip
import io
from pathlib import Path

from tests.support.studies import SmallStudy

NEW_EACH_TIME = "raw_line"


def comparable(study: SmallStudy, folder: str = "stand-in") -> bytes:
    """results.csv without that column; empty when there is none. AssertionError for a raw line of another row."""
    path = study.home / folder / "results.csv"
    if not path.exists():
        return b""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = [name for name in reader.fieldnames or () if name != NEW_EACH_TIME]
        kept = io.StringIO(newline="")
        writer = csv.DictWriter(kept, columns, extrasaction="ignore")
        writer.writeheader()
        for row in reader:
            assert_its_raw_line(study.home / ".overnight" / "raw", row)
            writer.writerow(row)
    return kept.getvalue().encode()


def assert_its_raw_line(raw: Path, row: dict[str, str]) -> None:
    """One line for each of the row's keys: of a screen that is one a sample, and the adjudicator's."""
    places = [place for place in row.get(NEW_EACH_TIME, "").split("; ") if place]
    if not places:
        return
    keys = row["key"].split("; ")
    assert len(places) == len(keys)
    for place, key in zip(places, keys, strict=True):
        name, _, number = place.rpartition(":")
        with gzip.open(raw / name, "rt", encoding="utf-8") as lines:
            line = next(line for n, line in enumerate(lines, 1) if n == int(number))
        assert key in line, f"{name}:{number} is not the line of {key}: {line[:200]}"
