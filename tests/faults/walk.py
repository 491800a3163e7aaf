"""One row of docs/reference/problems.md, walked: the fault is set, a small study run, what happens compared with what
the page says; then the fault is taken away, what the page says to do is done, and every record must have its answer.

    with walking(cloud):
        walked = walk(cloud, home, row)

`make reliability` adds these up; tests/faults/test_problems_page.py asks that every sum of what must not be is 0.
"""

import contextlib
import re
import shlex
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from google.cloud.storage import retry as storage_retry

from overnight.backends import vertex_storage
from overnight.backends.backend import Patience
from overnight.google import http, storage
from overnight.run import collect, send
from overnight.run.publish import publish
from tests.faults.machine import CIRCUMSTANCES, NOBODY, Give
from tests.faults.page import Row
from tests.support.cloud import instead_of_a_child, jobs_by_label, served
from tests.support.google_cli import in_place_of_google
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, Ended, SmallStudy

RECORDS: Final = 40
QUICK: Final = Patience((0.05, 0.1), then_create=True, poll_s=(0.02, 0.1), unusual_s=60)
HELD: Final = frozenset({"JOB_STATE_PAUSED", "JOB_STATE_ARCHIVING"})
SCREEN: Final = """\
study: {name}
records: {{files: [records.csv], id: id, text: [text]}}
screen:
  question: Do planned naps help people on night shifts?
  include:
    - {{id: night_shift, ask: The people studied worked at night.}}
    - {{id: planned_nap, ask: They took planned naps.}}
model: {{name: gemini-3.5-flash-lite, thinking: low}}
attempts: {attempts}
"""


@dataclass
class Walked:
    """What came of it. Each of the four counts must be 0.

    differs: where the run was not as the page says. strikes: of the row's plans together. lost: records without an
    answer at the end. wrong: records with another record's answer, at any time. paid_twice: jobs made more than once
    for one label, and requests worked on more often than the page says.
    """

    row: Row
    strikes: int = 0
    lost: int = 0
    wrong: int = 0
    paid_twice: int = 0
    tracebacks: int = 0
    differs: list[str] = field(default_factory=list)
    printed: str = ""


@contextlib.contextmanager
def walking(cloud: LocalCloud) -> Iterator[None]:
    """While it is entered, studies in this process use `cloud`, and waits are tenths of a second."""
    cloud.bucket("my-bucket")
    with pytest.MonkeyPatch.context() as patch, instead_of_a_child(cloud), in_place_of_google(cloud.endpoint):
        quicken(patch)
        yield


def quicken(patch: pytest.MonkeyPatch) -> None:
    """Every wait of ours and of Google's storage client; how often, in what order and for what stays as it is."""
    patch.setattr(vertex_storage, "LOCAL_PATIENCE", QUICK)
    patch.setattr(publish, "__defaults__", (("csv",),))  # the other formats are written alike
    patch.setattr(collect, "_EMPTY_LOOKS_S", (0.02, 0.05, 0.1, 0.2))
    patch.setattr(send, "BUSY_WAITS_S", (0.01, 0.02, 0.03, 0.04, 0.05))
    patch.setattr(http, "FIRST_WAIT_S", 0.01)
    patch.setattr(http, "LONGEST_WAIT_S", 0.05)
    patch.setitem(http.Http.__init__.__kwdefaults__, "timeout_s", 0.8)
    patch.setitem(http.Http.__init__.__kwdefaults__, "patience_s", 0.3)
    patch.setattr(storage, "TIMEOUT_S", 0.8)
    patch.setattr(storage, "LOCAL_PATIENCE_S", 1.0)
    patch.setattr(storage_retry, "DEFAULT_RETRY", storage_retry.DEFAULT_RETRY.with_delay(initial=0.01, maximum=0.05))


def walk(cloud: LocalCloud, home: Path, row: Row) -> Walked:
    """home: a folder that is not there yet. The cloud is left at rest."""
    cloud.reset()
    walk_ = _Walk(cloud, row, home)
    with Plans(cloud):
        walk_.under_the_fault()
    cloud.reset()
    walk_.until_jobs_move()
    walk_.mended()
    walk_.until_jobs_end()
    return walk_.walked


class _Walk:
    def __init__(self, cloud: LocalCloud, row: Row, home: Path) -> None:
        self.cloud, self.row = cloud, row
        self.walked = Walked(row)
        self.study = SmallStudy.of(home, RECORDS)
        if row.manner == "google":
            self.study.more = CLOUD
            self.study.write()
        if row.manner == "screen":
            self.study.path.write_text(SCREEN.format(name=self.study.name, attempts=self.study.attempts))
        self.give: Give | None = None
        self.realm_folder = "results" if row.manner == "google" else "stand-in"

    def under_the_fault(self) -> None:
        row = self.row
        if row.manner == "google":
            self.cloud.switch(model_version_suffix="")
        plans = Plans(self.cloud)
        for number, plan in enumerate(row.plans):
            plans.add(f"p{number}", plan.kind, plan.parameters, plan.scope, plan.when)
        machine = CIRCUMSTANCES[row.machine] if row.machine else None
        with self._manner(), machine(self.study, self.cloud) if machine else contextlib.nullcontext() as self.give:
            for command in row.while_so:
                ended = self._do(command, yes=row.machine != NOBODY)
        self.give = None
        self._compare(ended)
        for number, plan in enumerate(row.plans):
            strikes = plans.strikes(f"p{number}")
            self.walked.strikes += strikes
            self._must(strikes > 0, f"the plan {plan} never struck")

    def until_jobs_move(self) -> None:
        """A job that a plan held takes a moment to see that the plan is gone."""
        for job in self._jobs():
            self.cloud.wait(job, self._moves)

    def until_jobs_end(self) -> None:
        """One that was given up and goes on would meet the next row's plans, and take a strike from its jobs."""
        for job in self._jobs():
            self.cloud.wait(job)

    def _jobs(self) -> list[str]:
        """Of this study: every job that was made and is there, also those that it does not know."""
        with contextlib.suppress(sqlite3.Error):
            uid = self.study.uid
            made = [one["job"] for one in self.cloud.journal("creates") if one["labels"]["overnight-study"] == uid]
            return [name for name in made if self.cloud.http.get(f"{self.cloud.endpoint}/v1/{name}").ok]
        return []  # no ledger, or a damaged one

    def _moves(self, job: dict[str, Any]) -> bool:
        if any(plan.kind == "output_late" for plan in self.row.plans):
            folder = job["outputInfo"]["gcsOutputDirectory"].removeprefix("gs://")
            bucket, _, prefix = folder.partition("/")
            listed = self.cloud.http.get(f"{self.cloud.endpoint}/storage/v1/b/{bucket}/o", params={"prefix": prefix})
            return "predictions" in listed.text
        return job["state"] not in HELD

    def mended(self) -> None:
        """What the page says to do, then a run that must find nothing left to do."""
        if self.row.manner == "google":
            self.cloud.switch(model_version_suffix="")
        for command in self.row.mend:
            ended = self._do(command)
            self._must(ended.code == 0, f"`{command}` then ended with {ended.code}: {ended.err}")
        last = self._do("overnight run --json")
        self._must(last.code == 0, f"the last run ended with {last.code}: {last.err}")
        if last.code or not last.out.strip():
            self.walked.lost = RECORDS
            return
        found = last.json
        self._must(found["requests_sent"] == 0 or not self.row.mend, f"{found['requests_sent']} requests were left")
        self.walked.lost = found["records"] - found["answers"]
        self._must(found["records"] == RECORDS, f"{found['records']} records of {RECORDS}")
        self._sums(found)
        self._whose_answers()
        self._paid()

    def _do(self, command: str, *, yes: bool = True) -> Ended:
        """yes: the person agrees to what a run on Google will cost, where the command itself does not."""
        verb, *options = shlex.split(command)[1:]
        if self.row.manner == "google" and verb == "run" and yes and not {"--yes", "--max-usd"} & {*options}:
            options.append("--yes")
        ended = self.give(verb, options) if self.give else self.study.cli(verb, *options)
        self.walked.printed += f"$ {command}\n{ended.err}{ended.out}[{ended.code}]\n"
        self.walked.tracebacks += f"{ended.err}{ended.out}".count("Traceback (most recent call last)")
        self._whose_answers()
        return ended

    @contextlib.contextmanager
    def _manner(self) -> Iterator[None]:
        if self.row.manner != "impatient":
            yield
            return
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(vertex_storage, "LOCAL_PATIENCE", Patience(QUICK.look_again_s, True, QUICK.poll_s, 0.0))
            yield

    def _compare(self, ended: Ended) -> None:
        printed = ended.err + ended.out
        self._must(ended.code == self.row.code, f"exit code {ended.code}, the page says {self.row.code}:\n{printed}")
        for words in self.row.says:
            pattern = ".*?".join(re.escape(part) for part in words.split("…"))
            self._must(bool(re.search(pattern, printed)), f"{words!r} is not in:\n{printed}")

    def _sums(self, found: dict[str, Any]) -> None:
        """The three equations, from what is printed and what is in the ledger."""
        ended = found["answers"] + sum(found["problems"].values()) + sum(found["not_sent"].values()) + found["open"]
        self._must(found["records"] == ended, f"records: {found['records']} is not {ended}")
        one = "SELECT (SELECT COALESCE(SUM(lines), 0) FROM shard), (SELECT COUNT(*) FROM stray)"
        lines, strays = self.study.query(one)[0]
        accepted = self.study.query("SELECT COUNT(*) FROM outcome WHERE source <> ''")[0][0]
        self._must(lines == accepted + strays, f"lines: {lines} is not {accepted} + {strays}")
        sent = self.study.query(
            "SELECT COUNT(*) FROM sent JOIN shard ON shard.id = sent.shard WHERE state = 'collected'"
        )[0][0]
        outcomes = self.study.query("SELECT COUNT(*) FROM outcome")[0][0]
        surplus = self.study.query("SELECT COUNT(*) FROM stray WHERE kind = 'surplus'")[0][0]
        self._must(outcomes <= sent <= outcomes + surplus, f"attempts: {sent} is not {outcomes} + {surplus} surplus")

    def _whose_answers(self) -> None:
        """Each answer of the stand-in names its record's own number, in two places."""
        if not (self.study.home / self.realm_folder / "results.csv").is_file():
            return
        for record in self.study.results(self.realm_folder):
            if record["outcome"] == "answer":
                self.walked.wrong += not _is_own(record)

    def _paid(self) -> None:
        uid = self.study.uid
        made_by_the_fault = self.walked.strikes if any(plan.kind == "made_twice" for plan in self.row.plans) else 0
        labels = jobs_by_label(self.cloud, uid)
        self.walked.paid_twice += max(0, labels.total() - len(labels) - made_by_the_fault)
        requests: Counter[str] = Counter()
        for key, times in served(self.cloud.data, uid).items():
            requests[key.rpartition("-a")[0]] += times
        most = max(requests.values(), default=0)
        self._must(most <= self.row.paid, f"a request was worked on {most} times, the page says {self.row.paid}")
        self.walked.paid_twice += most > self.row.paid

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            self.walked.differs.append(what)


def _is_own(record: dict[str, str]) -> bool:
    number = int(record["record_id"][1:])
    if "a_people" in record:
        return record["a_people"] == str(number) and record["a_who"] in record["text"]
    quotes = [value for name, value in record.items() if name.endswith("_quote") and value]
    return record["decision"] == "unclear" or all(quote in record["text"] for quote in quotes)
