"""Guards that no other fast test shows alone: each of these fails when its one guard is taken out (guards.py)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from google.oauth2.credentials import Credentials

from overnight.answers.match import Matcher
from overnight.backends.backend import OutputFile
from overnight.core.states import JobStatus
from overnight.core.usage import Usd
from overnight.errors import AccountingError, CredentialsError, JobError, LedgerError, LockedError, RefusedError
from overnight.google.auth import Access, local_access
from overnight.google.endpoints import local_endpoints
from overnight.google.http import Http
from overnight.google.storage import Storage
from overnight.ledger.ledger import Ledger, Lock
from overnight.ledger.shards import Cap, Place
from overnight.requests.shards import SentRow
from overnight.run import loop
from overnight.run.world import Options
from tests.contract.test_run_loop import FIRST, RECORDS, Desk, TwoStages, forgiving, length
from tests.support.local_cloud import LocalCloud
from tests.support.memory_backend import MemoryBackend, answers
from tests.support.studies import SmallStudy

NOW = "2026-11-22T00:00:00Z"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_with(tmp_path, MemoryBackend(answers(length)))


def desk_with(home: Path, backend: MemoryBackend) -> Desk:
    return Desk(SmallStudy.of(home, RECORDS), backend, TwoStages(qa=False))


def fetch_again(desk: Desk) -> None:
    with desk.world() as world:
        loop.fetch(world, Options(), again=True)


# The ledger by itself


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite", study="s", now=NOW) as opened:
        with opened.transaction():
            opened.recipes.store(FIRST)
        yield opened


def intended(ledger: Ledger, label: str) -> int:
    place = Place("memory", "p", "global", "b", f"{label}/in", f"{label}/out")
    return ledger.shards.intend(
        realm="google", stage=FIRST.stage, recipe=FIRST.digest, model="m", max_output_tokens=9, label=label,
        place=place, now=NOW,
    )  # fmt: skip


def staged(ledger: Ledger, label: str) -> int:
    number = intended(ledger, label)
    ledger.shards.staged(number, [SentRow(label.encode().ljust(16), 1, bytes(16))], 100)
    return number


def test_a_shard_moves_to_the_right_only(ledger: Ledger) -> None:
    number = staged(ledger, "one")
    ledger.shards.submitting(number, None)
    ledger.shards.submitted(number, JobStatus("jobs/1", "JOB_STATE_PENDING"), NOW)
    for back in (lambda: ledger.shards.submitting(number, None), lambda: ledger.shards.abandon(number)):
        with pytest.raises(LedgerError, match="it is submitted"):
            back()
    assert ledger.shards.get(number).state == "submitted"
    assert len(list(ledger.shards.rows(number))) == 1


def test_a_reservation_never_passes_the_cap(ledger: Ledger) -> None:
    caps = [Cap(Usd("1"))]
    first, second = staged(ledger, "one"), staged(ledger, "two")
    assert ledger.shards.submitting(first, Usd("0.6"), caps) is None
    assert ledger.shards.submitting(second, Usd("0.6"), caps) == Usd("0.4")
    assert ledger.shards.get(second).state == "staged"
    assert ledger.shards.committed("google") == Usd("0.6")


def test_half_a_fact_is_none(ledger: Ledger) -> None:
    def half_a_fact() -> None:
        with ledger.transaction() as db:
            db.execute("UPDATE study SET name = 'half'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_a_fact()
    with ledger.transaction() as db:
        assert db.execute("SELECT name FROM study").fetchone() == ("s",)


def test_a_second_lock_is_refused_and_the_first_ones_holder_named(tmp_path: Path) -> None:
    with Lock(tmp_path, "run"):
        with pytest.raises(LockedError, match=r"`overnight run`"), Lock(tmp_path, "fetch"):
            pytest.fail("two at a time")
        assert json.loads((tmp_path / "holder.json").read_text())["command"] == "run"
    with Lock(tmp_path, "fetch"):
        pass


# The run


@dataclass
class Looking(MemoryBackend):
    """Looks into the ledger, through the file, at the moment of each effect."""

    study: SmallStudy | None = None
    seen: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def _look(self, effect: str) -> None:
        assert self.study is not None
        rows = self.study.query("SELECT state, label, place FROM shard")
        self.seen.setdefault(effect, [(state, label, json.loads(place)) for state, label, place in rows])

    def stage(self, place: Place, lines: Iterable[bytes], manifest: Mapping[str, object]) -> None:
        self._look("stage")
        super().stage(place, lines, manifest or {"": ""})

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        self._look("submit")
        return super().submit(place, model, labels)


@pytest.mark.parametrize(("effect", "state"), [("stage", "intended"), ("submit", "submitting")])
def test_the_ledger_says_what_is_meant_before_it_is_done(tmp_path: Path, effect: str, state: str) -> None:
    backend = Looking(answers(length))
    desk = desk_with(tmp_path, backend)
    backend.study = desk.study
    assert desk.run().answers == RECORDS
    (label,) = backend.created
    ((found, its_label, place),) = backend.seen[effect]
    assert (found, its_label) == (state, label)
    assert place["input"] in backend.inputs


@dataclass
class Growing(MemoryBackend):
    """An output file that is listed before all of it is there."""

    shares: list[float] = field(default_factory=lambda: [0.3, 0.6])

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        whole = super().outputs(place, status)
        share = self.shares.pop(0) if self.shares else 1.0
        return [replace(file, size_bytes=int(file.size_bytes * share)) for file in whole]


def test_a_listing_counts_when_two_looks_agree(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, Growing(answers(length)))
    closing = desk.run()
    assert (closing.answers, closing.requests_sent) == (RECORDS, RECORDS)


@dataclass
class Misconfigured(MemoryBackend):
    """Every job fails as one whose input cannot be imported."""

    end: str = "JOB_STATE_FAILED"

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        assert not self.created, "the same job a second time"
        return super().submit(place, model, labels)

    def poll(self, place: Place, job: str) -> JobStatus:
        return replace(super().poll(place, job), error=(3, "Failed to import data. Somehow."))

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        return []


def test_a_job_that_fails_for_its_configuration_stops_the_run(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, Misconfigured(answers(length)))
    with pytest.raises(JobError, match="Failed to import data"):
        desk.run()
    assert len(desk.backend.created) == 1


def test_reading_output_again_leaves_its_answers_as_they_are(desk: Desk) -> None:
    desk.run()
    every = "SELECT row, address, attempt, kind, answer FROM outcome ORDER BY row"
    before = desk.study.query(every)
    fetch_again(desk)
    assert desk.study.query(every) == before
    assert len(before) == RECORDS


def half(prompt: str) -> Mapping[str, Any]:
    """Some of them in quotes, where a number was asked for."""
    return {"n": str(len(prompt)) if len(set(prompt)) % 3 == 0 else len(prompt)}


def test_a_late_answer_of_an_early_attempt_makes_the_later_one_surplus(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.backend = MemoryBackend(lambda line: answers(half if line["key"].endswith("-a1") else length)(line))
    desk.run(detach=True)
    desk.backend.looks = 9
    closing = desk.run(detach=True)
    again = closing.in_flight
    assert 0 < again < RECORDS
    with monkeypatch.context() as patched:
        patched.setattr("overnight.run.collect.validator", forgiving)
        fetch_again(desk)
    closing = desk.run()
    assert (closing.answers, closing.strays, closing.requests_sent) == (RECORDS, {"surplus": again}, 0)
    assert desk.study.query("SELECT count(*) FROM outcome WHERE kind IS NULL") == [(RECORDS,)]


def test_sums_that_do_not_add_up_publish_nothing(desk: Desk) -> None:
    desk.run()
    published = (desk.study.home / "stand-in" / "results.csv").stat().st_mtime_ns
    with desk.world() as world, world.ledger.transaction() as db:
        db.execute("INSERT INTO stray (shard, kind, key, detail, differs, model_version, source)"
                   " VALUES (1, 'duplicate', '', '', 0, '', '')")  # fmt: skip
    with pytest.raises(AccountingError, match="lines = accepted"):
        desk.run()
    assert (desk.study.home / "stand-in" / "results.csv").stat().st_mtime_ns == published


def test_a_job_whose_rows_do_not_add_up_is_not_settled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answers(length)
    texts = iter([False])
    desk.backend = MemoryBackend(lambda line: whole(line) if next(texts, True) else None)
    monkeypatch.setattr(Matcher, "missing", lambda _: iter(()))
    with pytest.raises(AccountingError, match=f"{RECORDS} rows, but {RECORDS - 1} accepted"):
        desk.run()
    assert desk.study.query("SELECT state FROM shard") == [("submitted",)]
    assert desk.study.query("SELECT count(*) FROM outcome") == [(0,)]


# The network


def test_a_create_with_an_expired_token_goes_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's credentials, which google-auth would renew: the reply of Google is what is made up here."""
    asked: list[str] = []

    def answer(_: object, request: requests.PreparedRequest, *__: object, **___: object) -> requests.Response:
        asked.append(str(request.url))
        reply = requests.Response()
        reply.status_code, reply._content, reply.request = 401, b'{"error": {"message": "expired"}}', request
        return reply

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    credentials = Credentials(token="t", refresh_token="r", token_uri="https://oauth2.googleapis.com/token",
                              client_id="c", client_secret="s")  # fmt: skip
    client = Http(Access(credentials, local=False))
    with pytest.raises(CredentialsError, match="expired"):
        client.post_once("https://aiplatform.googleapis.com/v1/x", {})
    assert asked == ["https://aiplatform.googleapis.com/v1/x"]
    client.close()


def test_an_upload_asks_that_nothing_is_there(tmp_path: Path) -> None:
    cloud = LocalCloud(tmp_path)
    storage = Storage(local_endpoints(cloud.endpoint), local_access(), "p")
    try:
        cloud.bucket("bkt")
        cloud.upload("bkt", "o", b"theirs")
        with pytest.raises(RefusedError, match="another object has this name") as refused:
            storage.upload("bkt", "o", [b"ours, of this run"])
        assert (refused.value.code, cloud.download("bkt", "o")) == (412, b"theirs")
    finally:
        storage.close()
        cloud.stop()
