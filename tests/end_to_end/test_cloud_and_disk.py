"""No account, no bucket, no room on the disk, a results file in the way: said plainly, in time, with nothing lost."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tests.support.google_cli as google_cli
from tests.support.cloud import SWIFT, jobs_by_label, served, start_beside
from tests.support.local_cloud import LocalCloud
from tests.support.person import Person, Seen, tree
from tests.support.studies import CLOUD, SmallStudy

ROOT = Path(google_cli.__file__).parents[2]
NO_METADATA = {"GCE_METADATA_IP": "192.0.2.1", "GCE_METADATA_HOST": "192.0.2.1"}
"""An address that never answers (TEST-NET-1, RFC 5737): a laptop behind a wall that drops packets."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    running = LocalCloud(tmp_path_factory.mktemp("google") / "data", model_version_suffix="", **SWIFT)
    yield running
    running.process.stdin.close()  # type: ignore[union-attr]  # it was opened as a pipe
    running.process.wait()
    running.process.stdout.close()  # type: ignore[union-attr]  # it was opened as a pipe


def on_google(cloud: LocalCloud, study: SmallStudy, *words: str) -> Seen:
    command = [sys.executable, google_cli.__file__, "--endpoint", cloud.endpoint, "--", *words]
    done = subprocess.run(
        command, cwd=ROOT, env={**Person(study.home).environment(), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    return Seen(done.returncode, done.stdout, done.stderr)


def check_error(seen: Seen, code: int, *says: str) -> None:
    assert seen.code == code, seen.err
    assert "Traceback" not in seen.err
    assert seen.err.count("overnight: ") == 1
    message = seen.err[seen.err.index("overnight: ") :]
    for fragment in (*says, "→"):
        assert fragment in message, f"{fragment!r} is not in:\n{message}"


@pytest.mark.parametrize("command", ["run", "check --cloud"])
def test_no_credentials_is_said_in_time(tmp_path: Path, command: str) -> None:
    study = SmallStudy.of(tmp_path / "naps", 2, more=CLOUD + "budget: {limit_usd: 5}\n")
    started = time.monotonic()
    seen = Person(study.home).types(*command.split(), env=NO_METADATA)
    assert time.monotonic() - started < 30
    check_error(seen, 8, "no usable Google credentials", "gcloud auth application-default login")
    assert not (study.home / "results").exists()


def test_what_sends_nothing_needs_no_credentials(tmp_path: Path) -> None:
    study = SmallStudy.of(tmp_path / "naps", 2, more=CLOUD)
    for command in ("plan", "check", "status", "cancel", "retry"):
        seen = Person(study.home).types(command, env=NO_METADATA)
        assert seen.code == 0, seen.err
        assert "LOCAL STAND-IN" not in seen.out


def test_a_bucket_that_is_not_there_is_named_and_nothing_is_paid(cloud: LocalCloud, tmp_path: Path) -> None:
    gone = CLOUD.replace("gs://my-bucket", "gs://my-gone-bucket") + "budget: {limit_usd: 5}\n"
    study = SmallStudy.of(tmp_path / "naps", 3, more=gone)
    jobs = len(cloud.journal("creates"))
    check_error(on_google(cloud, study, "run", str(study.path)), 8, "my-gone-bucket")
    assert len(cloud.journal("creates")) == jobs
    cloud.bucket("my-gone-bucket")
    mended = on_google(cloud, study, "run", str(study.path), "--json")
    assert mended.code == 0, mended.err
    assert (mended.json["answers"], mended.json["requests_sent"], mended.json["simulated"]) == (3, 3, False)


def test_nobody_there_to_say_yes(cloud: LocalCloud, tmp_path: Path) -> None:
    cloud.bucket("my-bucket")
    study = SmallStudy.of(tmp_path / "naps", 3, more=CLOUD)
    jobs = len(cloud.journal("creates"))
    check_error(on_google(cloud, study, "run", str(study.path)), 6, "Send 3 requests", "--max-usd", "--yes")
    check_error(on_google(cloud, study, "run", str(study.path), "--max-usd", "0"), 5, "--max-usd")
    assert len(cloud.journal("creates")) == jobs
    seen = on_google(cloud, study, "run", str(study.path), "--max-usd", "1")
    assert seen.code == 0, seen.err
    assert "LOCAL STAND-IN" not in seen.out + seen.err
    assert "simulated" not in seen.out


NO_BYTE_CODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""With a limit below: or a child would cut off the byte code that it writes."""


def files_up_to(limit: int) -> Callable[[], None]:
    """For a child: every file may grow to `limit` bytes, and then writing to it fails as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


@pytest.fixture
def ran(tmp_path: Path) -> SmallStudy:
    """A study that has run: 40 records, so that its results are larger than a file may become below."""
    study = SmallStudy.of(tmp_path / "naps", 40)
    beside = start_beside(study.home)
    try:
        assert study.cli("run").code == 0
    finally:
        beside.process.stdin.close()  # type: ignore[union-attr]  # it was opened as a pipe
        beside.process.wait()
        beside.process.stdout.close()  # type: ignore[union-attr]  # it was opened as a pipe
    return study


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
@pytest.mark.parametrize(
    ("limit", "says"), [(0, "temporary directory"), (1_000, "File too large"), (20_000, "File too large")]
)
def test_a_full_disk_leaves_the_results_as_they_were(ran: SmallStudy, limit: int, says: str) -> None:
    before = {name: digest for name, digest in tree(ran.home).items() if name.startswith("stand-in/r")}
    seen = Person(ran.home).types(
        "export", "--to", "stand-in/results.jsonl", "--force",
        env=NO_BYTE_CODE, preexec_fn=files_up_to(limit),
    )  # fmt: skip
    check_error(seen, 13, says)
    after = {name: digest for name, digest in tree(ran.home).items() if name.startswith("stand-in/r")}
    assert after == before
    assert not list(ran.home.rglob("*.tmp"))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
@pytest.mark.parametrize("limit", [50, 4_000, 30_000, 60_000, 90_000])
def test_a_disk_that_fills_during_a_run_costs_nothing_but_time(tmp_path: Path, limit: int) -> None:
    study = SmallStudy.of(tmp_path / "naps", 60)
    beside = start_beside(study.home)
    try:
        check_full(Person(study.home).types("run", env=NO_BYTE_CODE, preexec_fn=files_up_to(limit)))
        assert not list(study.home.rglob(".results*.tmp"))
        again = Person(study.home).types("run", "--json")
        assert again.code == 0, again.err
        assert (again.json["answers"], again.json["open"]) == (60, 0)
        assert set(jobs_by_label(beside).values()) == {1}
        assert sum(served(beside.data).values()) == 60, "nothing is paid twice"
    finally:
        beside.process.stdin.close()  # type: ignore[union-attr]  # it was opened as a pipe
        beside.process.wait()
        beside.process.stdout.close()  # type: ignore[union-attr]  # it was opened as a pipe


def check_full(seen: Seen) -> None:
    assert seen.code in {7, 13}, seen.err
    check_error(seen, seen.code)


@pytest.mark.parametrize("name", ["results.csv", "report.html"])
def test_a_folder_in_the_place_of_results_stops_nothing_but_that_file(ran: SmallStudy, name: str) -> None:
    target = ran.home / "stand-in" / name
    target.unlink()
    target.mkdir()
    (target / "mine.txt").write_text("keep me")
    seen = ran.cli("fetch")
    check_error(seen, 13, name)  # type: ignore[arg-type]  # Ended has the same fields
    assert (target / "mine.txt").read_text() == "keep me"
    assert not list(ran.home.rglob("*.tmp"))
    (target / "mine.txt").unlink()
    target.rmdir()
    assert ran.cli("fetch").code == 0
    assert len(ran.results()) == 40


def test_a_ledger_that_is_no_ledger_is_left_alone(ran: SmallStudy) -> None:
    ran.ledger.write_text("not a database\n" * 100)
    before = tree(ran.home / ".overnight")
    for command in ("status", "plan", "run"):
        check_error(ran.cli(command), 7, "ledger")  # type: ignore[arg-type]  # Ended has the same fields
    assert tree(ran.home / ".overnight") == before


def test_someone_else_runs_the_study(ran: SmallStudy) -> None:
    from overnight.ledger.ledger import Lock

    with Lock(ran.home / ".overnight", "run"):
        check_error(ran.cli("run"), 7, "another overnight works on this study", "overnight run", "status --follow")  # type: ignore[arg-type]  # Ended has the same fields
        assert json.loads(ran.cli("status", "--json").out)["answers"] == 40
