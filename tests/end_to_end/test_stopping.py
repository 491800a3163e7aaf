"""Ctrl-C, SIGTERM, closed pipes, no terminal, odd locales: no traceback, and the next run goes on from there."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import tests.support.google_cli as google_cli
from tests.support.cloud import SWIFT, start_beside
from tests.support.local_cloud import LocalCloud
from tests.support.person import Person
from tests.support.studies import CLOUD, SmallStudy

ROOT = Path(google_cli.__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, pseudo-terminals and pipes are POSIX here")


def ended(cloud: LocalCloud) -> None:
    assert cloud.process.stdin is not None
    assert cloud.process.stdout is not None
    cloud.process.stdin.close()
    cloud.process.wait()
    cloud.process.stdout.close()


@pytest.fixture
def study(tmp_path: Path) -> SmallStudy:
    return SmallStudy.of(tmp_path / "naps", 12)


@pytest.fixture
def slow(study: SmallStudy) -> Iterator[LocalCloud]:
    """Beside the study: its jobs stay pending until it is told otherwise."""
    cloud = start_beside(study.home, pending_s=600)
    yield cloud
    ended(cloud)


@pytest.fixture
def swift(study: SmallStudy) -> Iterator[LocalCloud]:
    cloud = start_beside(study.home)
    yield cloud
    ended(cloud)


def until_says(process: "subprocess.Popen[str]", words: str) -> str:
    """Standard error up to the line that holds these words."""
    assert process.stderr is not None
    heard = ""
    for line in process.stderr:
        heard += line
        if words in line:
            return heard
    pytest.fail(f"it never said {words!r}:\n{heard}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_jobs_run_detaches(study: SmallStudy, slow: LocalCloud, number: signal.Signals) -> None:
    person = Person(study.home)
    with person.start("run", "--json") as process:
        until_says(process, "job 1: pending")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert '"detached": true' in out
    assert '"requests_in_flight": 12' in out
    status = person.types("status")
    assert "job 1: pending, 12 requests" in status.out
    assert "12 requests under way" in status.out
    slow.switch(**SWIFT)
    again = person.types("run", "--json").json
    assert (again["answers"], again["requests_sent"]) == (12, 0)
    assert len(slow.journal("creates")) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_status_follows_is_quiet(study: SmallStudy, slow: LocalCloud, number: signal.Signals) -> None:
    person = Person(study.home)
    assert person.types("run", "--detach").code == 0
    with person.start("status", "--follow") as process:
        assert process.stdout is not None
        assert "job 1: pending" in process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("overnight: stopped;")
    assert "Traceback" not in err
    seen = person.types("cancel")
    assert (seen.code, "1 job asked to stop" in seen.out) == (0, True), seen.err


def test_detach_says_what_goes_on_and_where(study: SmallStudy, slow: LocalCloud) -> None:
    seen = Person(study.home).types("run", "--detach")
    assert seen.code == 0
    assert "Jobs go on only while the local cloud runs. Next: overnight run" in seen.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_local_cloud_ends_with_the_command_that_serves_it(tmp_path: Path, number: signal.Signals) -> None:
    person = Person(tmp_path / "desk")
    with person.start("local-cloud", "--data", "cloud") as process:
        assert process.stdout is not None
        assert "LOCAL STAND-IN" in process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode == (-number if number == signal.SIGKILL else 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port, deadline = taken.getsockname()[1], time.monotonic() + 30
        while "is in use by" in (seen := person.types("local-cloud", "--data", "cloud", "--port", port)).err:
            assert time.monotonic() < deadline, "the folder is still served by an orphan"
    assert (seen.code, f"port {port} on 127.0.0.1" in seen.err) == (2, True), seen.err


@pytest.mark.parametrize("command", ["plan --show 12", "--help", "run --help", "status", "check"])
def test_a_reader_that_has_seen_enough_is_no_error(study: SmallStudy, command: str) -> None:
    person = Person(study.home)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with person.start(*command.split(), stdout=writing) as process:
            _, err = process.communicate(timeout=60)
    finally:
        os.close(writing)
    assert (process.returncode, err) == (0, "")


def test_a_run_ends_well_when_nobody_listens(study: SmallStudy, swift: LocalCloud) -> None:
    person = Person(study.home)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with person.start("run", stdout=writing, stderr=writing) as process:
            process.wait(timeout=60)
    finally:
        os.close(writing)
    assert process.returncode == 0
    assert len(study.answers()) == 12


def test_output_that_cannot_be_written_is_said(study: SmallStudy) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        seen = Person(study.home).types("plan", stdout=full)
    assert seen.code == 13
    assert "No space left on device" in seen.err
    assert "Traceback" not in seen.err


LOCALES = {
    "C": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Latin": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"},
    "none": {"LANG": "", "LC_ALL": "", "HOME": "/nonexistent"},
}


@pytest.mark.parametrize("env", LOCALES.values(), ids=LOCALES)
def test_every_alphabet_survives_any_locale(tmp_path: Path, env: dict[str, str]) -> None:
    study = SmallStudy(tmp_path / "náps 日本", name="naps", texts={"ид-1": "Медсёстры спали. 看護師は仮眠した。 🛌"})
    study.write()
    cloud = start_beside(study.home)
    try:
        person = Person(study.home)
        plan = person.types("plan", "--show", "1", env=env)
        assert (plan.code, plan.err) == (0, "")
        assert "record ид-1" in plan.out
        assert "看護師は仮眠した。 🛌" in plan.out
        run = person.types("run", env=env)
        assert run.code == 0, run.err
    finally:
        ended(cloud)
    assert list(study.answers()) == ["ид-1"]


def on_a_terminal(
    person: Person, *words: str, answer: str = "", program: Sequence[str] = ("-m", "overnight"), **env: str
) -> tuple[int, str]:
    """(exit code, all that came) with a pseudo-terminal as standard input, output and error.

    answer: typed once a question stands there.
    """
    outer, inner = pty.openpty()
    command = [sys.executable, *program, *words]
    environment = person.environment(**{"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **env})
    heard, deadline = b"", time.monotonic() + 40
    with subprocess.Popen(
        command, cwd=person.folder, env=environment, stdin=inner, stdout=inner, stderr=inner
    ) as process:
        os.close(inner)
        while more := _read(outer, deadline):
            heard += more
            if answer and heard.endswith(b"[y/N] "):
                os.write(outer, f"{answer}\n".encode())
                answer = ""
        os.close(outer)
        if time.monotonic() > deadline:
            process.kill()
    return process.returncode, heard.decode("utf-8", "replace")


def _read(terminal: int, deadline: float) -> bytes:
    """What comes next; nothing at the end, or when it has gone on for longer than it should."""
    left = deadline - time.monotonic()
    if left < 0 or not select.select([terminal], [], [], left)[0]:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the other side is closed
        return b""


@pytest.mark.parametrize(
    ("env", "colour", "moves"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, False, False),
    ],
    ids=["terminal", "NO_COLOR", "dumb"],
)
def test_a_terminal_gets_what_it_can_show(
    study: SmallStudy, swift: LocalCloud, env: dict[str, str], colour: bool, moves: bool
) -> None:
    code, heard = on_a_terminal(Person(study.home), "run", **env)
    assert code == 0, heard
    assert "Traceback" not in heard
    assert "12 records" in heard
    assert bool(re.search(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;\dm]", heard)) == colour
    assert ("\x1b[?25l" in heard) == moves, "the cursor is hidden while bars move, and only then"
    assert heard.count("\x1b[?25l") == heard.count("\x1b[?25h"), "and shown again"


@pytest.mark.parametrize(("answer", "code", "made"), [("y", 0, 1), ("n", 6, 0), ("", 6, 0)], ids=["yes", "no", "enter"])
def test_a_question_can_be_read_and_answered_while_bars_move(tmp_path: Path, answer: str, code: int, made: int) -> None:
    study = SmallStudy.of(tmp_path / "naps", 4, more=CLOUD)
    cloud = LocalCloud(tmp_path / "google", model_version_suffix="", **SWIFT)
    cloud.bucket("my-bucket")
    program = (google_cli.__file__, "--endpoint", cloud.endpoint, "--")
    found, heard = on_a_terminal(Person(study.home), "run", answer=answer or "\r", program=program)
    jobs = len(cloud.journal("creates"))
    ended(cloud)
    assert found == code, heard
    assert "Send 4 requests to gemini-3.5-flash-lite: about $" in heard
    assert jobs == made
    asked = heard.index("Send 4 requests")
    drawn = heard[asked : heard.index("[y/N] ", asked)]
    assert "\x1b" not in drawn, "nothing was drawn over the question"
