"""The instruments: a commit is seen whichever way SQLite is told, and calls are named by what they are."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.points import call_name

HEAD = """\
import sqlite3, sys
from pathlib import Path
from tests.crash.points import Points, instrument
instrument(Points(Path(sys.argv[1]), ("", int(sys.argv[2])) if sys.argv[2] != "0" else None))
db = sqlite3.connect(sys.argv[1] + ".sqlite", isolation_level=None)
"""
TABLE = "db.execute('CREATE TABLE t (a)'); "
WAYS = {
    "the word": "db.execute('BEGIN'); db.execute('INSERT INTO t VALUES (1)'); db.execute(' commit')",
    "another word": "db.execute('BEGIN'); db.execute('INSERT INTO t VALUES (1)'); db.execute('END TRANSACTION')",
    "a script": "db.executescript('BEGIN; INSERT INTO t VALUES (1); COMMIT;')",
    "a method": "db.execute('BEGIN'); db.execute('INSERT INTO t VALUES (1)'); db.commit()",
    "a context": "db.execute('BEGIN')\nwith db: db.execute('INSERT INTO t VALUES (1)')",
    "a statement alone": "db.execute('INSERT INTO t VALUES (1)')",
    "a cursor": "db.cursor().execute('INSERT INTO t VALUES (1)'); db.execute('SELECT 1')",
}


def passed(folder: Path, script: str, at: int = 0) -> tuple[int, list[str]]:
    log = folder / f"log-{at}"
    ended = subprocess.run([sys.executable, "-c", HEAD + script, str(log), str(at)])
    return ended.returncode, log.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("way", WAYS)
def test_a_commit_is_two_points_however_it_is_told(tmp_path: Path, way: str) -> None:
    assert passed(tmp_path, TABLE + WAYS[way]) == (0, ["before COMMIT", "after COMMIT"] * 2)


def test_a_look_is_none_and_what_is_undone_is_none(tmp_path: Path) -> None:
    script = TABLE + "db.execute('BEGIN'); db.execute('INSERT INTO t VALUES (1)'); db.execute('ROLLBACK')\n"
    assert passed(tmp_path, script + "db.execute('SELECT * FROM t')") == (0, ["before COMMIT", "after COMMIT"])


def test_it_is_killed_at_the_point_and_nothing_follows(tmp_path: Path) -> None:
    assert passed(tmp_path, TABLE + WAYS["the word"], at=3) == (-9, ["before COMMIT", "after COMMIT", "before COMMIT"])


def test_calls_are_named_without_anybodys_names() -> None:
    base = "http://127.0.0.1:1"
    assert call_name("GET", f"{base}/v1/projects/p/locations/l/batchPredictionJobs/12") == (
        "GET v1/projects/locations/batchPredictionJobs"
    )
    assert call_name("POST", f"{base}/v1/projects/p/locations/l/batchPredictionJobs/12:cancel") == (
        "POST v1/projects/locations/batchPredictionJobs:cancel"
    )
    assert call_name("GET", f"{base}/download/storage/v1/b/b1/o/u1%2Fs1%2Foutput%2Fp.jsonl?alt=media&generation=3") == (
        "GET download/storage/v1/b/o/p.jsonl alt=media"
    )
    put = f"{base}/upload/storage/v1/b/b1/o?uploadType=resumable&upload_id=abc"
    assert call_name("PUT", put) == "PUT upload/storage/v1/b/o uploadType=resumable upload_id"
