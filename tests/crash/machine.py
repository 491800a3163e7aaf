"""The state machine: faults, runs, kills, restarts of the cloud, edits and a person's words, in any order.

`interleaved(stage)` makes a class for hypothesis. After every step it asks what must always be so; at its end the
faults are taken away and every record must settle.
"""

import contextlib
import csv
import shutil
import sqlite3
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from overnight.core.identity import parse_wire_key
from tests.crash.driver import Driver, Struck
from tests.crash.walk import At
from tests.support.cloud import SWIFT
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import QUESTION, SmallStudy, text_of

LAST_ROUNDS = 12
CODES = {
    "run": {0, 6, 8, 10, 11}, "fetch": {0, 8, 10}, "cancel": {0, 8, 10}, "retry": {0}, "forget": {0, 2},
    "status": {0}, "export": {0},
}  # fmt: skip
"""What each command may end with here: 12 (the sums) and 1 (a traceback) never."""


def _call(kind: str, *names: str, times: int = 1, **parameters: Any) -> dict[str, Any]:
    return {"kind": kind, "parameters": parameters, "scope": {"calls": list(names)}, "when": {"times": times}}


def _job(kind: str, **parameters: Any) -> dict[str, Any]:
    return {"kind": kind, "parameters": parameters, "when": {"times": 1}}


def _rows(kind: str, every: int = 3, **parameters: Any) -> dict[str, Any]:
    return {"kind": kind, "parameters": parameters, "scope": {"every": every}, "when": {"times": 4}}


FAULTS: tuple[dict[str, Any], ...] = (
    _call("status", "create"), _call("status", "create", took_effect=True), _call("status", "create", code=429),
    _call("status", "create", code=403), _call("create_reply_lost", "create"), _call("reset_before", "create"),
    _call("status", "get", code=500), _call("reset_after", "get"), _call("status", "list"),
    _call("status", "upload"), _call("reset_after", "upload"), _call("cut", "upload"), _call("cut", "download"),
    _call("wrong_checksum", "download"), _call("status", "download", code=404), _call("status", "list_objects"),
    _call("status", "cancel"), _call("reset_after", "cancel"), _call("status", "delete_object", code=403),
    _job("listed_late", delay_s=0.1), _job("stuck_in_queue", for_s=0.1), _job("stuck_in_queue", state="QUEUED"),
    _job("expired_in_queue"), _job("import_failed"), _job("failed"), _job("failed", code=7, at="queue"),
    _job("expired_running", after_rows=2), _job("cancelled_by_other", after_rows=2), _job("paused", after_rows=2),
    _job("updating", for_s=0.1), _job("unknown_state"), _job("cancelling_ends"), _job("partially_succeeded"),
    _job("no_counts"), _job("output_late", delay_s=0.05), _job("chunk_files"), _job("several_files"),
    _job("truncated_last_line"),
    _rows("row_failed"), _rows("row_failed", code=400), _rows("prompt_blocked"), _rows("max_tokens"),
    _rows("max_tokens", text="none"), _rows("json_cut"), _rows("breaks_schema"), _rows("fenced"), _rows("other_model"),
    _rows("keys_swapped"), _rows("line_missing"), _rows("line_repeated", 2), _rows("line_repeated_otherwise"),
    _rows("key_as_number", 2), _rows("key_missing", 2), _rows("echo_missing"), _rows("echo_normalised", 1),
    _rows("half_line"), _rows("invalid_utf8"), _rows("not_json"),
)  # fmt: skip
"""Not there: `answers_swapped` and `made_twice`, of which no client can know (docs/explanation/reliability.md)."""


@dataclass
class Stage:
    """What all examples share. The cloud is replaced when it is killed: its folder lives on. names: of points seen."""

    cloud: LocalCloud
    driver: Driver
    folder: Path
    runs: int = 0
    steps: int = 0
    kills: int = 0
    names: set[str] = field(default_factory=set)
    strikes: int = 0


def interleaved(stage: Stage) -> type[RuleBasedStateMachine]:
    class Interleaved(_Machine):
        shared = stage

    return Interleaved


class _Machine(RuleBasedStateMachine):
    shared: ClassVar[Stage]

    @initialize()
    def a_new_study(self) -> None:
        self.shared.runs += 1
        self.study = SmallStudy.of(Path(tempfile.mkdtemp(dir=self.shared.folder)), 6)
        self.numbers = {f"r{number}": number for number in range(6)}
        self.next_number = 6
        self.faults = 0
        self.answered: dict[bytes, int] = {}
        self.seen_served = 0
        self.first = [self._journal(f"SELECT coalesce(max(seq), 0) FROM {kind}")[0][0] for kind in _KINDS]

    # What may happen

    @rule(fault=st.sampled_from(FAULTS))
    def something_goes_wrong_at_the_service(self, fault: dict[str, Any]) -> None:
        self.faults += 1
        Plans(self.shared.cloud).add(f"plan-{self.faults}", **fault)

    @precondition(lambda self: self.faults)
    @rule()
    def the_service_is_well_again(self) -> None:
        self._well_again()

    @rule(detach=st.booleans())
    def run(self, detach: bool) -> None:
        self._command("run", *(["--detach"] if detach else []))

    @rule(at=st.integers(1, 150), detach=st.booleans())
    def a_run_is_killed(self, at: int, detach: bool) -> None:
        self._command("run", *(["--detach"] if detach else []), at=("", at))

    @rule(which=st.integers(0, 10_000))
    def a_run_with_something_to_send_is_killed_where_something_changes(self, which: int) -> None:
        """At any point that some command passed before, but for calls that only look."""
        self.a_record_is_added()
        names = sorted(name for name in self.shared.names if " GET " not in name)
        self._command("run", at=(names[which % len(names)], 1) if names else None)

    @rule()
    def the_cloud_is_killed_and_starts_again(self) -> None:
        self.shared.cloud.kill()
        self.shared.cloud = LocalCloud(self.shared.cloud.data, **SWIFT)

    @rule()
    def a_record_is_added(self) -> None:
        self.numbers[f"r{self.next_number}"] = self.next_number
        self._write()

    @precondition(lambda self: len(self.numbers) > 2)
    @rule(data=st.data())
    def a_record_is_taken_out(self, data: st.DataObject) -> None:
        del self.numbers[data.draw(st.sampled_from(sorted(self.numbers)))]
        self._write()

    @rule(data=st.data())
    def a_record_is_changed(self, data: st.DataObject) -> None:
        self.numbers[data.draw(st.sampled_from(sorted(self.numbers)))] = self.next_number
        self._write()

    @rule(words=st.sampled_from([QUESTION, "Who napped, and how many were there?"]), pay_again=st.booleans())
    def the_prompt_is_written_anew(self, words: str, pay_again: bool) -> None:
        self.study.question = words
        self._write()
        self._command("run", *(["--pay-again"] if pay_again else []))

    @rule(command=st.sampled_from(["cancel", "retry", "fetch", "fetch --reparse"]), at=st.integers(0, 30))
    def a_person_says(self, command: str, at: int) -> None:
        """at: 0 lets it end."""
        self._command(*command.split(), at=("", at) if at else None)

    @rule(data=st.data(), at=st.integers(0, 8))
    def a_person_forgets_a_record(self, data: st.DataObject, at: int) -> None:
        record = data.draw(st.sampled_from(sorted(self.numbers)))
        self._command("forget", "--record", record, at=("", at) if at else None)

    # What must always be so

    @invariant()
    def the_sums_hold_and_nobody_has_anothers_answer(self) -> None:
        self.shared.steps += 1
        if not self.study.ledger.exists() or not self.study.ledger.stat().st_size:
            return
        found = self._command("status", "--json").json
        parts = found["answers"] + sum(found["problems"].values()) + sum(found["not_sent"].values()) + found["open"]
        assert found["records"] == parts == len(self.numbers)
        target = self.study.home / "now.csv"
        self._command("export", "--to", str(target), "--force")
        with target.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(self.numbers)
        strangers = [row for row in rows if row["outcome"] == "answer"
                     and row["a_people"] != str(self.numbers[row["record_id"]])]  # fmt: skip
        assert not strangers, f"attached wrongly: {strangers}"

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        labels = Counter(label for (label,) in self._journal(_LABELS, self.first[0]))
        assert max(labels.values(), default=1) == 1, f"jobs paid twice: {labels}"
        keys = [key for (key,) in self._journal(_KEYS, self.first[1])]
        often = [key for key, times in Counter(keys).items() if times > 1]
        assert not often, f"requests paid twice: {often}"
        if not self.study.ledger.exists() or not self._query("SELECT 1 FROM sqlite_schema WHERE name = 'reopened'"):
            return
        reopened = dict(self._query("SELECT address, after_attempt FROM reopened"))
        for key in keys[self.seen_served :]:
            parsed = parse_wire_key(key)
            assert parsed is not None
            address, attempt = parsed
            before = self.answered.get(address)
            opened = reopened.get(address, 0)
            assert before is None or attempt <= before or opened >= before, f"answered, and paid again: {key}"
        self.seen_served = len(keys)
        attempts = self._query("SELECT address, max(attempt) FROM sent GROUP BY address")
        answers = {address for (address,) in self._query("SELECT address FROM outcome WHERE kind IS NULL")}
        self.answered = {address: attempt for address, attempt in attempts if address in answers}

    def teardown(self) -> None:
        """Without faults, whatever happened before, a few runs settle every record."""
        if not hasattr(self, "study"):
            return
        self._well_again()
        ended = self._command("run", "--pay-again")
        for _ in range(LAST_ROUNDS):
            if ended.code == 0 and not ended.json["requests_in_flight"]:
                break
            if ended.code == 11:
                self._command("retry")
            ended = self._command("run", "--pay-again")
        assert (ended.code, ended.json["open"], ended.json["requests_in_flight"]) == (0, 0, 0), ended.err
        self.the_sums_hold_and_nobody_has_anothers_answer()
        self.nothing_is_paid_twice()
        shutil.rmtree(self.study.home)

    # Ways and means

    def _command(self, command: str, *options: str, at: At | None = None) -> Struck:
        words = [command, str(self.study.path), *options, *(["--json"] if command in {"run", "fetch"} else [])]
        ended = self.shared.driver.command(words, self.shared.cloud.endpoint, at)
        self.shared.names.update(ended.points)
        self.shared.kills += ended.killed
        assert "Traceback" not in ended.err, f"a traceback: {ended.err}"
        assert ended.killed or ended.code in CODES[command], f"{command} ended {ended.code}: {ended.err}"
        return ended

    def _well_again(self) -> None:
        plans = Plans(self.shared.cloud)
        self.shared.strikes += sum(plans.strikes(f"plan-{n}") for n in range(1, self.faults + 1))
        plans.clear()
        self.faults = 0

    def _write(self) -> None:
        self.next_number += 1
        self.study.texts = {record: text_of(number) for record, number in self.numbers.items()}
        self.study.write()

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.study.query(sql)

    def _journal(self, sql: str, after: int = 0) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.shared.cloud.data / "journal.sqlite")) as journal:
            return journal.execute(sql, {"after": after}).fetchall()


_KINDS = ("creates", "served")
_LABELS = "SELECT json_extract(labels, '$.overnight-job') FROM creates WHERE seq > :after"
_KEYS = "SELECT key FROM served WHERE seq > :after ORDER BY seq"
