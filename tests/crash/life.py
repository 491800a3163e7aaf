"""A study's life in the state machine: the commands it is given, and what must be so after each of them.

What is so is judged from outside: by the local cloud's own journal, by what is exported, by what a person said here;
by the ledger only where it must agree with itself.
"""

import contextlib
import csv
import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from overnight.core.identity import parse_wire_key
from tests.crash.driver import Driver, Struck
from tests.crash.mishaps import Mishap
from tests.crash.walk import At
from tests.support.cloud import SWIFT
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import QUESTION, SmallStudy, text_of

RECORDS: Final = 5
LAST_ROUNDS: Final = 14
PATIENCE_S: Final = 10
CODES: Final[Mapping[str, frozenset[int]]] = {
    "run": frozenset({0, 6, 8, 10, 11}), "fetch": frozenset({0, 8, 10}), "cancel": frozenset({0, 8, 10}),
    "retry": frozenset({0}), "forget": frozenset({0, 2}), "status": frozenset({0}), "export": frozenset({0}),
}  # fmt: skip
"""What each command may end with here: 12 (the sums) and 1 (a traceback) never."""
AT_GOOGLE: Final[Mapping[str, frozenset[int]]] = {
    **{name: codes | {9} for name, codes in CODES.items() if name in {"fetch", "cancel"}},
    "run": CODES["run"] | {5, 9},
    "adopt": frozenset({0, 2, 8, 10}), "clean": frozenset({0, 6, 8}), "recover": frozenset({0, 2, 8}),
    "plan": frozenset({0}),
}  # fmt: skip


_CREATE: Final = "POST v1/projects/locations/batchPredictionJobs"
SENDING: Final = ("before submit", f"before {_CREATE}", f"unread {_CREATE}", f"after {_CREATE}", "after submit")


class Broken(AssertionError):
    """What must be so is not. kind: `rows lost`, `attached wrongly`, `paid twice`, `a traceback`, or another word."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(f"{kind}: {words}")
        self.kind = kind


@dataclass
class Stage:
    """What all lives share. The cloud is replaced when it is killed: its folder lives on. counts: what happened."""

    cloud: LocalCloud
    driver: Driver
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)


class Life:
    """One study from its first run to the end. realm: `stand-in` or `google`."""

    def __init__(self, stage: Stage, realm: str, name: str) -> None:
        self.stage, self.realm = stage, realm
        home = stage.folder / f"{name}-{stage.counts['lives']:04d}"
        stage.counts["lives"] += 1
        self._plans = 0
        self.names: list[str] = []
        self._seen_served = 0
        self._first = [self._journal(f"SELECT coalesce(max(seq), 0) FROM {kind}")[0][0] for kind in _KINDS]
        self._answered: dict[bytes, int] = {}
        self._rows: dict[int, tuple[Any, ...]] = {}
        self._shown: dict[str, tuple[bytes, str]] = {}
        self.forgotten: dict[bytes, int] = {}
        self.excused: Counter[str] = Counter()
        self.too_late: set[str] = set()
        self.recovered = False
        self.limit = Decimal(0)
        self.last: Struck | None = None
        stage.cloud.switch(model_version_suffix="" if realm == "google" else "@local-stand-in")
        self.study = SmallStudy.of(home, RECORDS)
        self.numbers = {f"r{number}": number for number in range(RECORDS)}
        self._next_number = RECORDS
        if realm == "google":
            self.raise_the_limit(Decimal(100))
            self._room = Decimal(self.command("plan", "--json").json["cost_usd"]["worst"]) * Decimal("0.7")
            self.raise_the_limit(self._room)
            stage.cloud.bucket("my-bucket")
            self._upload(self.others)

    # What a person does

    def add(self, n: int) -> None:
        for _ in range(n):
            self.numbers[f"r{self._next_number}"] = self._next_number
            self._next_number += 1
        self.write()

    def twin(self, draw: Random) -> None:
        """A record with the text of another."""
        self.numbers[f"r{self._next_number}"] = self.numbers[draw.choice(sorted(self.numbers))]
        self._next_number += 1
        self.write()

    def take_out(self, draw: Random) -> None:
        if len(self.numbers) > 2:
            gone = draw.choice(sorted(self.numbers))
            del self.numbers[gone]
            self._shown.pop(gone, None)
        self.write()

    def change(self, draw: Random) -> None:
        self.numbers[draw.choice(sorted(self.numbers))] = self._next_number
        self._next_number += 1
        self.write()

    def ask_otherwise(self, draw: Random) -> None:
        self.study.question = draw.choice([QUESTION, "Who napped, and how many were there?", "Who was it?"])
        self.write()

    def raise_the_limit(self, limit: Decimal) -> None:
        self.limit = limit
        place = f"cloud: {{project: my-project, location: global, bucket: gs://my-bucket/{self.study.home.name}}}\n"
        self.study.more = f"{place}budget: {{limit_usd: {limit:.6f}}}\n"
        self.study.write()

    def write(self) -> None:
        self.study.texts = {record: text_of(number) for record, number in self.numbers.items()}
        self.study.write()
        self.stage.counts["edits"] += 1

    def forget(self, record: str, at: At | None = None) -> None:
        floors = dict(self._query(_BOUND, (record,))) if self.has_ledger else {}
        self.forgotten |= floors
        for address in floors:
            self._answered.pop(address, None)
        forgot = self.do("forget", "--record", record, at=at)
        sharing = {one for one, (address, _) in self._shown.items() if address in floors}
        for one in sharing:
            del self._shown[one]
        if forgot.code == 0 and "open again" in forgot.out:
            still = [one for one in sharing if one in self.numbers and one not in self.open_records()]
            self.must(not still, "forget", f"{record} was forgotten, and {still} still have their answers")

    # Commands

    def run(self, *options: str, at: At | None = None) -> Struck:
        google = ["--yes"] if self.realm == "google" else []
        return self.do("run", *google, *options, "--json", at=at)

    def command(self, command: str, *options: str, at: At | None = None) -> Struck:
        """One command, killed at a point or not."""
        words = [command, str(self.study.path), *options]
        ended = self.stage.driver.command(words, self.stage.cloud.endpoint, at)
        if "before submit" in ended.points and not ended.killed:
            self.names = list(ended.points)
        self.stage.counts.update(commands=1, kills=int(ended.killed))
        self.must("Traceback" not in ended.err and ended.code not in {1, 99}, "a traceback", ended.err)
        if command == "run":
            self.last = ended
        return ended

    def do(self, command: str, *options: str, at: At | None = None) -> Struck:
        """A command, and what must be so after it."""
        ended = self.command(command, *options, at=at)
        codes = ({**CODES, **AT_GOOGLE} if self.realm == "google" else CODES)[command]
        self.must(ended.killed or ended.code in codes, "exit code", f"{command} ended {ended.code}: {ended.err}")
        self.judge_money()
        return ended

    def point(self, draw: Random, *, sending: bool) -> At:
        """Of those that a run that sends passes. sending: between the intent and the fact of its first job."""
        if sending:
            return draw.choice(SENDING), 1
        if not self.names:
            return "", draw.randint(1, 60)
        place = draw.randrange(len(self.names))
        name = self.names[place]
        return name, self.names[: place + 1].count(name)

    @contextlib.contextmanager
    def mishaps(self, *mishaps: Mishap) -> Iterator[None]:
        """While it is entered; their strikes are counted when it is left."""
        for mishap in mishaps:
            self.goes_wrong(mishap)
        yield
        self.well_again()

    def goes_wrong(self, mishap: Mishap) -> None:
        self._plans += 1
        Plans(self.stage.cloud).add(f"plan-{self._plans}", **mishap)

    def well_again(self) -> None:
        plans = Plans(self.stage.cloud)
        self.stage.counts["strikes"] += sum(plans.strikes(f"plan-{n}") for n in range(1, self._plans + 1))
        plans.clear()
        self._plans = 0

    def lose_the_ledger(self) -> None:
        for path in self.study.ledger.parent.glob("ledger.sqlite*"):
            path.unlink()
        self.recovered = True
        # Where output came too late, or a lost job turned up that was sent again, both answers are there when they are
        # read again, and the earlier one stands.
        if self.too_late or self.excused:
            self._shown.clear()

    def recovered_answers(self) -> None:
        """After `recover` and `fetch`: what was answered is, but for what was adopted by hand."""
        answers = {address for _, address, attempt, _ in self._query(_ANSWERS)}
        lost = [address.hex() for address in self._answered if address not in answers]
        self.must(not lost, "rows lost", f"answered before the ledger was lost, and not after: {lost}")

    def cloud_dies_and_comes_back(self) -> None:
        self.stage.cloud.kill()
        self.stage.cloud = LocalCloud(self.stage.cloud.data, **SWIFT)
        self.stage.counts["cloud killed"] += 1

    # What must be so

    def must(self, holds: bool, kind: str, words: str) -> None:
        if not holds:
            raise Broken(kind, f"{words}\n  see {self.study.home}")

    @property
    def has_ledger(self) -> bool:
        ledger = self.study.ledger
        return ledger.exists() and bool(ledger.stat().st_size) and bool(self._query(_HAS_TABLES))

    def judge(self) -> None:
        """After a step: the sums, whose answers, that a line that is there was read, that answers stay."""
        self.stage.counts["steps"] += 1
        if not self.has_ledger:
            return
        found = self.do("status", "--json").json
        parts = found["answers"] + sum(found["problems"].values()) + sum(found["not_sent"].values()) + found["open"]
        self.must(found["records"] == parts == len(self.numbers), "rows lost", f"{found} of {len(self.numbers)}")
        budget = found["budget_usd"]
        if budget:
            spent = Decimal(budget["spent"]) + Decimal(budget["reserved"])
            self.must(spent <= self.limit or self.recovered, "budget", f"{budget} of {self.limit}")
            if self.limit - spent < self._room:  # work goes out in parts, and yet it goes out
                self.raise_the_limit(spent + self._room)
        self._judge_answers(self.exported())
        if not self._plans:
            self._judge_lines()

    def exported(self) -> list[dict[str, str]]:
        target = self.study.home / "now.csv"
        self.do("export", "--to", str(target), "--force")
        with target.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    def open_records(self) -> set[str]:
        return {row["record_id"] for row in self.exported() if row["outcome"] == "open"}

    def _judge_answers(self, rows: list[dict[str, str]]) -> None:
        self.must(sorted(row["record_id"] for row in rows) == sorted(self.numbers), "rows lost", f"exported: {rows}")
        answers = {row["record_id"]: row for row in rows if row["outcome"] == "answer"}
        strangers = [row for record, row in answers.items() if row["a_people"] != str(self.numbers[record])]
        self.must(not strangers, "attached wrongly", str(strangers))
        for record, row in answers.items():
            address, _ = _parsed(row["key"])
            before = self._shown.get(record)
            if before is not None and before[0] == address:
                self.must(before[1] == row["key"], "an answer was replaced", f"{record}: {before[1]} by {row['key']}")
            self._shown[record] = address, row["key"]

    def _judge_lines(self) -> None:
        """A row that ended without a line has none in what the service wrote."""
        held: dict[str, set[str]] = {}
        for label, place, address, attempt, kind in self._query(_WITHOUT_A_LINE):
            if label in self.too_late:
                continue
            if label not in held:
                held[label] = set(self._lines_of(json.loads(place)))
            key = f"k{address.hex()}-a{attempt}"
            self.must(key not in held[label], "rows lost", f"{key} is called {kind}, and its line is in {label}")

    def _lines_of(self, place: dict[str, str]) -> Iterator[str]:
        """Keys of the whole lines of a job's final output."""
        for name in self.output_of(place):
            for line in self.stage.cloud.download(place["bucket"], name).splitlines():
                with contextlib.suppress(ValueError):
                    found = json.loads(line)
                    if isinstance(found, dict) and found.get("request") and isinstance(found.get("key"), str):
                        yield found["key"]

    def output_of(self, place: dict[str, str]) -> list[str]:
        listed = self.stage.cloud.http.get(
            f"{self.stage.cloud.endpoint}/storage/v1/b/{place['bucket']}/o", params={"prefix": place["output"]}
        )
        names = [item["name"] for item in listed.json().get("items", [])]
        return [name for name in names if name.rsplit("/", 1)[-1].startswith("predictions")]

    def wait_for_output(self, label: str) -> None:
        place = json.loads(self._query("SELECT place FROM shard WHERE label = ?", (label,))[0][0])
        deadline = time.monotonic() + PATIENCE_S
        while not self.output_of(place):
            self.must(time.monotonic() < deadline, "harness", f"the output of {label} never came")
            time.sleep(0.02)  # between two looks

    def judge_money(self) -> None:
        """After each command."""
        labels = Counter(label for (label,) in self._journal(_LABELS, self._first[0]))
        twice = [label for label, times in labels.items() if times > 1]
        self.must(not twice, "paid twice", f"jobs: {twice}")
        keys = [key for (key,) in self._journal(_KEYS, self._first[1])]
        often = [key for key, times in Counter(keys).items() if times > 1 + self.excused[key]]
        self.must(not often, "paid twice", f"requests: {often}")
        if not self.has_ledger:
            return
        for key in keys[self._seen_served :]:
            address, attempt = _parsed(key)
            before = self._answered.get(address)
            self.must(before is None or attempt <= before, "paid twice", f"answered, and asked again: {key}")
        self._seen_served = len(keys)
        answers = self._judge_answer_rows()
        attempts = dict(self._query("SELECT address, max(attempt) FROM sent GROUP BY address"))
        self._answered.update({address: attempts[address] for address in answers})

    def _judge_answer_rows(self) -> set[bytes]:
        """An answer on record stays, and what is answered is not answered again by a later job. Returns what is."""
        rows = {row[0]: row[1:] for row in self._query(_ANSWERS)}
        if not self.recovered:
            gone = [row for row, said in self._rows.items() if rows.get(row) != said]
            self.must(not gone, "an answer was replaced", f"outcomes {gone} are not as they were")
        self._rows = rows
        best: dict[bytes, int] = {}
        for address, attempt, _ in (rows[row] for row in sorted(rows)):
            if attempt <= self.forgotten.get(address, 0):  # by a person's word; the ledger's could be mistaken
                continue
            if address in best:
                self.must(attempt < best[address], "an answer was replaced", f"a{attempt} of {address.hex()}")
            best[address] = min(attempt, best.get(address, attempt))
        return set(best)

    def ends(self) -> None:
        """Without faults, whatever happened before, a few runs and a person's word answer every record."""
        self.well_again()
        ended = self.run("--pay-again")
        for _ in range(LAST_ROUNDS):
            if ended.code == 0 and not ended.json["requests_in_flight"] and not ended.json["problems"]:
                break
            if ended.code in {0, 11}:
                self.do("retry")
            ended = self.heeded(ended)
        told = {name: ended.json[name] for name in ("open", "requests_in_flight", "problems", "answers")}
        wanted = {"open": 0, "requests_in_flight": 0, "problems": {}, "answers": len(self.numbers)}
        self.must((ended.code, told) == (0, wanted), "rows lost", f"at the end {ended.code}, {told}: {ended.err}")
        self.judge()
        if self.realm == "google":
            self.must(self._is_there(self.others), "harness", f"{self.others} was removed")
        shutil.rmtree(self.study.home)

    def heed(self) -> None:
        """At Google a person is asked now and then, and nothing goes on before."""
        if self.last is not None and self.last.code in {5, 9}:
            self.heeded(self.last)

    def heeded(self, ended: Struck) -> Struck:
        """A run, after the person did what the last one asked for."""
        if ended.code == 5:
            self.raise_the_limit(self.limit * 2)
        if ended.code == 9:
            return self.resubmitted()
        return self.run("--pay-again")

    def resubmitted(self, *options: str, at: At | None = None) -> Struck:
        """The person looks once more, then says that the job is not there. Where it was made all the same, and is not
        listed, its rows are paid for twice by that word."""
        ended = self.run("--pay-again")
        if ended.code != 9:
            return ended
        doubtful = self._query("SELECT id, label FROM shard WHERE state = 'submitting'")
        made = {label for (label,) in self._journal(_LABELS, self._first[0])}
        for shard, label in doubtful:
            if label in made:
                rows = self._query("SELECT address, attempt FROM sent WHERE shard = ?", (shard,))
                self.excused.update(f"k{address.hex()}-a{attempt}" for address, attempt in rows)
        self.stage.counts["resubmitted"] += 1
        return self.run("--pay-again", "--resubmit", *options, at=at)

    # Ways and means

    def _query(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.study.ledger)) as ledger:
            return ledger.execute(sql, values).fetchall()

    query = _query

    def _journal(self, sql: str, after: int = 0) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.stage.cloud.data / "journal.sqlite")) as journal:
            return journal.execute(sql, {"after": after}).fetchall()

    def made(self) -> list[tuple[str, str]]:
        """(name, label) of this life's jobs, by the service's journal."""
        return [(name, label) for name, label in self._journal(_MADE, self._first[0])]

    @property
    def others(self) -> str:
        """Somebody else's file, beside the study's."""
        return f"{self.study.home.name}/notes.txt"

    def _upload(self, name: str) -> None:
        assert self.stage.cloud.upload("my-bucket", name, b"of somebody else").ok

    def _is_there(self, name: str) -> bool:
        return self.stage.cloud.download("my-bucket", name) == b"of somebody else"


def _parsed(key: str) -> tuple[bytes, int]:
    parsed = parse_wire_key(key)
    assert parsed is not None, key
    return parsed


_KINDS = ("creates", "served")
_LABELS = "SELECT json_extract(labels, '$.overnight-job') FROM creates WHERE seq > :after"
_MADE = "SELECT job, json_extract(labels, '$.overnight-job') FROM creates WHERE seq > :after ORDER BY seq"
_KEYS = "SELECT key FROM served WHERE seq > :after ORDER BY seq"
_ANSWERS = "SELECT row, address, attempt, answer FROM outcome WHERE kind IS NULL"
_BOUND = "SELECT address, max(attempt) FROM binding JOIN sent USING (address) WHERE record_id = ? GROUP BY address"
_HAS_TABLES = "SELECT 1 FROM sqlite_schema WHERE name = 'reopened'"
_WITHOUT_A_LINE = (
    "SELECT label, place, address, attempt, kind FROM outcome JOIN shard ON shard.id = outcome.shard"
    " WHERE source = '' AND kind IS NOT NULL"
)
