"""docs/how-to/unattended.md is true: its cron line and its scripts, run as a timer runs them, with nobody there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.support.google_cli as google_cli
from tests.support.cloud import SWIFT
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy

ROOT = Path(google_cli.__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "unattended.md").read_text(encoding="utf-8")
RECORDS = 6
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="cron and sh are POSIX")


def on_the_page(name: str) -> str:
    """The block that follows `<!-- test: NAME -->`."""
    found = re.search(rf"<!-- test: {re.escape(name)} -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def shared_google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("google"), **SWIFT)
    cloud.bucket("my-bucket")
    yield cloud
    cloud.stop()


@pytest.fixture
def google(shared_google: LocalCloud) -> LocalCloud:
    shared_google.reset()
    shared_google.switch(model_version_suffix="")
    return shared_google


class Machine:
    """A home folder with `overnight` in ~/.local/bin, the page's scripts beside a study, and a cron that calls."""

    def __init__(self, home: Path, google: LocalCloud) -> None:
        self.home, self.google = home, google
        self.study = SmallStudy.of(home / "nap-trials", RECORDS, more=f'{CLOUD}notify: {{command: "sh tell.sh"}}\n')
        for script in ("tell.sh", "nightly.sh"):
            (self.study.home / script).write_text(on_the_page(script), encoding="utf-8")
        programs = home / ".local" / "bin"
        programs.mkdir(parents=True)
        program = programs / "overnight"
        start = f'"{sys.executable}" "{google_cli.__file__}" --endpoint {google.endpoint} -- "$@"'
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec {start}\n', encoding="utf-8")
        program.chmod(0o755)

    def cron(self, **environment: str) -> tuple[int, str]:
        """(exit code, what cron would mail), with as little environment as cron gives."""
        *when, command = on_the_page("cron").strip().split(" ", 5)
        assert re.fullmatch(r"\d+ \* \* \* \*", " ".join(when)), "every hour"
        assert "%" not in command, "cron would read it as a line break"
        return self.sh(command, **environment)

    def sh(self, command: str, **environment: str) -> tuple[int, str]:
        bare = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", **environment}
        ended = subprocess.run(
            ["/bin/sh", "-c", command],
            env=bare,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return ended.returncode, ended.stdout

    @property
    def jobs(self) -> int:
        return sum(self.study.uid in str(entry["labels"]) for entry in self.google.journal("creates"))

    @property
    def log(self) -> str:
        return (self.study.home / "overnight.log").read_text(encoding="utf-8")

    @property
    def told(self) -> list[str]:
        """Subjects of the messages."""
        file = self.study.home / "told.txt"
        return re.findall(r"^overnight: .*", file.read_text(encoding="utf-8"), re.MULTILINE) if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path, google: LocalCloud) -> Machine:
    return Machine(tmp_path, google)


def test_an_hourly_call_sends_collects_tells_once_and_then_does_nothing(machine: Machine) -> None:
    with Plans(machine.google) as plans:
        plans.add("queue", "stuck_in_queue")
        assert machine.cron() == (0, "")
        assert machine.cron() == (0, "")
        assert (machine.jobs, machine.told) == (1, [])
        job = machine.study.query("SELECT job_name FROM shard")[0][0]
    machine.google.wait(job)
    assert machine.cron() == (0, "")
    assert len(machine.study.answers("results")) == RECORDS
    assert machine.cron() == (0, "")
    assert (machine.jobs, machine.told) == (1, [f"overnight: {machine.study.name}: done"])
    assert "nothing to do: every record is settled" in machine.log


def test_what_failed_is_sent_again_by_the_next_call(machine: Machine) -> None:
    with Plans(machine.google) as plans:
        plans.add("down", "row_failed", {"code": 503}, {"rows": [1, 2]}, {"times": 2})
        for _ in range(8):
            assert machine.cron() == (0, "")
            for (job,) in machine.study.query("SELECT job_name FROM shard"):
                machine.google.wait(job)
            if machine.told:
                break
        assert plans.strikes("down") == 2
    assert len(machine.study.answers("results")) == RECORDS
    assert machine.jobs == 2


def test_a_job_that_needs_a_person_is_mailed_by_cron_and_told_once(machine: Machine) -> None:
    with Plans(machine.google) as plans:
        plans.add("held", "paused")
        codes = [machine.cron() for _ in range(3)]
    assert codes[-1] == (10, "overnight: exit code 10; see overnight.log\n")
    assert machine.told == [f"overnight: {machine.study.name}: needs a person"]
    assert "job 1 is paused" in machine.log


def test_the_cap_of_the_script_holds(machine: Machine) -> None:
    assert machine.cron(MAX_USD="0.000001") == (5, "overnight: exit code 5; see overnight.log\n")
    assert machine.jobs == 0
    assert machine.told == [f"overnight: {machine.study.name}: the limit is reached"]


def test_without_a_terminal_a_yes_a_cap_or_a_budget_is_needed(machine: Machine) -> None:
    run = 'PATH="$HOME/.local/bin:$PATH" overnight run nap-trials --detach'
    code, said = machine.sh(run)
    assert code == 6
    assert "Nobody is there to say so" in said
    assert "--max-usd X" in said
    assert machine.jobs == 0
    machine.study.more += "budget: {limit_usd: 5}\n"
    machine.study.write()
    assert machine.sh(run)[0] == 0
    assert machine.jobs == 1


@pytest.mark.parametrize("yes", ["--yes", "--max-usd 5"])
def test_either_of_the_two_words_is_enough(machine: Machine, yes: str) -> None:
    assert machine.sh(f'PATH="$HOME/.local/bin:$PATH" overnight run nap-trials --detach {yes}')[0] == 0
    assert machine.jobs == 1


def test_on_the_stand_in_jobs_left_running_go_on_with_the_next_run(tmp_path: Path) -> None:
    study = SmallStudy.of(tmp_path, RECORDS)
    left = study.ended("run", "--detach", "--json")
    assert left.code == 0, left.err
    assert left.json["detached"] is (left.json["answers"] < RECORDS)
    done = study.ended("run", "--json")
    assert (done.code, done.json["answers"], len(done.json["jobs"])) == (0, RECORDS, 1), done.err


def test_every_exit_code_on_the_page_is_said_of_the_right_thing() -> None:
    """The script's own cases, against the table of exit codes."""
    table = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| ([^|]*)\|", table, re.MULTILINE))
    assert "CloudError" in rows["8"]
    assert "BreakerError" in rows["11"]
    named = {int(code) for code in re.findall(r"^  (\d+)\) ", on_the_page("nightly.sh"), re.MULTILINE)}
    assert named == {0, 8}
