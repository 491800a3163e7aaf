"""Two machines, two people, one study: the owner note in the bucket, in realm google (a local cloud in its place)."""

import contextlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

import overnight
from overnight.backends.vertex_storage import VertexStorage
from overnight.core.events import Note
from overnight.errors import LockedError, RefusedError
from overnight.ledger.owners import Owners
from overnight.ledger.shards import Place, Shards
from overnight.requests.shards import ShardLimits
from tests.support.cloud import jobs_by_label
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, Ended, SmallStudy, text_of

RECORDS = 12
RUN = ("run", "--yes", "--no-smoke", "--json")


@pytest.fixture(scope="module", autouse=True)
def other_bucket(shared_google: LocalCloud) -> None:
    shared_google.bucket("other-bucket")


@pytest.fixture
def study(tmp_path: Path, google: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "first", RECORDS, more=CLOUD)


def copied(study: SmallStudy, folder: str = "second") -> SmallStudy:
    """As another person has it: the whole folder, its ledger included."""
    home = study.home.parent / folder
    shutil.copytree(study.home, home)
    return replace(study, home=home, texts=dict(study.texts))


def grown(study: SmallStudy, n: int = 3) -> SmallStudy:
    """With n more records than it has, so that there is something to send."""
    more = range(len(study.texts), len(study.texts) + n)
    study.texts |= {f"r{number}": text_of(number) for number in more}
    study.write()
    return study


def in_parts(study: SmallStudy) -> None:
    """A limit that lets it go out as several jobs, one after the other."""
    worst = Decimal(study.cli("plan", "--json").json["cost_usd"]["worst"])
    study.more = f"{CLOUD}budget: {{limit_usd: {worst / 3:.6f}}}\n"
    study.write()


def run(study: SmallStudy, *options: str) -> Ended:
    return study.cli(*RUN, *options)


def jobs(google: LocalCloud, study: SmallStudy) -> list[int]:
    """How many jobs were made for each label of the study."""
    return list(jobs_by_label(google, study.uid).values())


def place(study: SmallStudy, bucket: str = "my-bucket") -> str:
    return f"gs://{bucket}/overnight/{study.uid}/owner.json"


def note(google: LocalCloud, study: SmallStudy, bucket: str = "my-bucket") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(google.download(bucket, f"overnight/{study.uid}/owner.json"))
    return found


def remove(google: LocalCloud, name: str) -> None:
    reply = google.http.delete(f"{google.endpoint}/storage/v1/b/my-bucket/o/{requests.utils.quote(name, safe='')}")
    assert reply.status_code == 204, reply.text


def staged(google: LocalCloud, study: SmallStudy) -> set[str]:
    """Labels of the shards whose input lies in the bucket."""
    prefix = f"overnight/{study.uid}/"
    reply = google.http.get(f"{google.endpoint}/storage/v1/b/my-bucket/o", params={"prefix": prefix})
    names = [item["name"].removeprefix(prefix) for item in reply.json().get("items", [])]
    return {name.partition("/")[0] for name in names if name.endswith("requests.jsonl")}


def assert_refused(ended: Ended, google: LocalCloud, study: SmallStudy, *words: str) -> None:
    assert (ended.code, ended.json["requests_sent"]) == (7, 0), ended.err
    for word in (*words, "othing is sent", "overnight run --take-over"):
        assert word in ended.err
    sent = {label for (label,) in study.query("SELECT label FROM shard WHERE state IN ('submitted', 'collected')")}
    ours = {label for (label,) in study.query("SELECT label FROM shard")} - sent
    assert not staged(google, study) & ours, "what was staged is put back"


class TestTheNote:
    def test_says_who_sends_from_where_since_when_and_for_which_job(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOGNAME", "maria")
        assert run(study).code == 0
        said = note(google, study)
        ((label,),) = study.query("SELECT label FROM shard")
        assert (said["study"], said["uid"], said["job"]) == (study.name, study.uid, label)
        assert (said["user"], said["folder"], said["moved_to"]) == ("maria", str(study.home), "")
        assert said["host"]
        assert said["at"].endswith("Z")
        ((where, nonce, generation, job),) = study.query("SELECT place, nonce, generation, job FROM owner")
        assert (where, nonce, job) == (place(study), said["nonce"], label)
        assert generation > 0

    def test_moves_on_with_every_create_and_with_nothing_else(self, google: LocalCloud, study: SmallStudy) -> None:
        in_parts(study)
        seen: list[str] = []
        with at_claims(lambda text: seen.append(json.loads(text)["job"])):
            assert run(study).code == 0
            assert len(seen) >= 3
            assert seen == [label for (label,) in study.query("SELECT label FROM shard ORDER BY id")]
            for command in ("status", "plan", "fetch"):
                assert study.cli(command).code == 0
            assert run(study).json["requests_sent"] == 0
        assert len(seen) == len(jobs(google, study))

    def test_is_not_written_for_the_stand_in_nor_where_a_run_is_refused_before_it_sends(
        self, google: LocalCloud, tmp_path: Path, study: SmallStudy
    ) -> None:
        google.switch(model_version_suffix="@local-stand-in")
        own = SmallStudy.of(tmp_path / "own", RECORDS)
        with at_claims(lambda text: pytest.fail("claimed")):
            assert own.cli("run").code == 0
            assert study.cli("run").code == 6
        assert own.query("SELECT * FROM owner") == study.query("SELECT * FROM owner") == []


@contextlib.contextmanager
def at_claims(look: Any) -> Iterator[None]:
    """`look` sees the text of every note just before it is written."""

    def claim(self: VertexStorage, place: str, text: str, generation: int) -> int:
        look(text)
        return real(self, place, text, generation)

    real = VertexStorage.claim
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VertexStorage, "claim", claim)
        yield


class TestFolders:
    def test_one_that_was_moved_goes_on_without_a_word(self, google: LocalCloud, study: SmallStudy) -> None:
        assert run(study).code == 0
        moved = copied(study)
        shutil.rmtree(study.home)
        ended = run(grown(moved))
        assert (ended.code, ended.json["requests_sent"]) == (0, 3), ended.err
        assert "sends for this study" not in ended.err
        assert note(google, moved)["folder"] == str(moved.home)

    @pytest.mark.parametrize("first", ["the original", "the copy"])
    def test_one_that_was_copied_is_refused_by_name_once_the_other_has_sent(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch, first: str
    ) -> None:
        assert run(study).code == 0
        pair = [study, copied(study)]
        sends, refused = pair if first == "the original" else pair[::-1]
        monkeypatch.setenv("LOGNAME", "maria")
        assert run(grown(sends)).json["requests_sent"] == 3
        made = jobs(google, study)

        monkeypatch.setenv("LOGNAME", "jan")
        for _ in range(2):
            said = f"maria on {note(google, study)['host']} sends for this study: last at"
            assert_refused(run(grown(refused)), google, refused, said, f"from {sends.home}")
        assert jobs(google, study) == made == [1, 1]
        assert run(grown(sends)).json["requests_sent"] == 3, "who sent last goes on"

    def test_one_that_was_copied_before_anything_was_sent_is_refused_too(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        assert study.cli("run").code == 6, "it makes the ledger and sends nothing"
        copy = copied(study)
        assert run(study).code == 0
        assert_refused(run(copy), google, copy, str(study.home))
        assert jobs(google, study) == [1]

    def test_one_that_was_copied_in_the_middle_of_a_run_pays_for_nothing_that_went_out_afterwards(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        """The copy holds a ledger that has claimed and sent. Only a note that moves on with each create tells."""
        in_parts(study)
        copies: list[SmallStudy] = []

        def copy_at_the_second(text: str) -> None:
            if "-s00002-" in text and not copies:
                copies.append(copied(study))

        with at_claims(copy_at_the_second):
            assert run(study).code == 0
        kept = staged(google, study)
        made = jobs(google, study)
        assert len(made) >= 3
        ended = run(copies[0])
        assert_refused(ended, google, copies[0], str(study.home))
        assert jobs(google, study) == made
        assert ended.json["jobs"], "what it knew of was collected"
        assert staged(google, study) == kept, "and nothing of the other's was removed"

    @pytest.mark.parametrize("copied_at", ["submitting", "intend"])
    def test_one_that_was_copied_with_a_shard_on_its_way_leaves_its_input_in_its_place(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch, copied_at: str
    ) -> None:
        copy = replace(study, home=study.home.parent / "second")
        owner, codes = (Shards if copied_at == "submitting" else Owners), []
        step, submit = getattr(owner, copied_at), VertexStorage.submit

        def copied_before(*arguments: Any, **named: Any) -> Any:
            if not copy.home.exists():
                copied(study)
            return step(*arguments, **named)

        def after_the_copy(*arguments: Any) -> Any:
            codes.append(run(copy).code)
            return submit(*arguments)

        assert run(study).code == 0
        monkeypatch.setattr(owner, copied_at, copied_before)
        monkeypatch.setattr(VertexStorage, "submit", after_the_copy)
        ended = run(grown(study))
        assert (ended.code, ended.json["answers"]) == (0, RECORDS + 3), ended.err
        assert codes == [7]

    @pytest.mark.parametrize("taken_over", [False, True])
    def test_one_that_was_copied_with_a_shard_on_its_way_cleans_nothing_of_the_other_s_away(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch, taken_over: bool
    ) -> None:
        """The copy has given the shard up as never sent; the other has made its job of it."""
        step = Shards.submitting

        def copied_before(*arguments: Any, **named: Any) -> Any:
            if not (study.home.parent / "second").exists():
                copied(study)
            return step(*arguments, **named)

        assert run(study).code == 0
        with monkeypatch.context() as patch:
            patch.setattr(Shards, "submitting", copied_before)
            assert run(grown(study), "--detach").code == 0
        copy = replace(study, home=study.home.parent / "second")
        assert run(copy).code == 7
        if taken_over:
            assert run(copy, "--take-over", "--pay-again").code == 0
        there = staged(google, study)
        ended = copy.cli("clean", "--yes")
        theirs = {label for (label,) in study.query("SELECT label FROM shard WHERE id = 2")}
        assert theirs <= staged(google, study), ended.err
        if not taken_over:
            assert (ended.code, staged(google, study)) == (7, there), ended.err
            assert str(study.home) in ended.err
        assert run(study).json["answers"] == len(study.texts)

    def test_a_ledger_that_was_restored_from_yesterday_is_refused_in_its_own_folder(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        assert run(study).code == 0
        yesterday = study.ledger.read_bytes()
        assert run(grown(study)).code == 0
        study.ledger.write_bytes(yesterday)
        ended = run(study)
        assert (ended.code, jobs(google, study)) == (7, [1, 1])
        assert "this ledger is older than the last job that was sent from this folder" in ended.err

    def test_a_refused_machine_still_collects_what_it_has_under_way(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        Plans(google).add("held", "stuck_in_queue", {"for_s": 0.0}, {"label": f"overnight-study={uid_of(study)}"})
        assert run(study, "--detach").code == 0
        copy = copied(study)
        assert run(grown(copy), "--detach").code == 0

        def when_it_waits(event: object) -> None:
            if isinstance(event, Note) and "wait for the jobs under way" in event.text:
                Plans(google).clear()

        with pytest.raises(LockedError, match=str(copy.home)):
            overnight.open(grown(study, 5).path).run(yes=True, smoke=False, tell=when_it_waits)
        assert len(study.answers("results")) == RECORDS
        assert study.cli("fetch").code == 0


def uid_of(study: SmallStudy) -> str:
    """Makes the ledger, which gives the study its uid."""
    assert study.cli("run").code == 6
    return study.uid


class Killed(BaseException):
    """In place of a `kill -9`: nothing of ours catches it."""


def killed(study: SmallStudy, owner: type, name: str, *, after: bool) -> None:
    """A run that ends at that call, before or after it took effect."""
    real = getattr(owner, name)

    def dies(*arguments: Any, **named: Any) -> Any:
        if after:
            real(*arguments, **named)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, dies)
        with pytest.raises(Killed):
            run(study)


STEPS = [
    (Owners, "intend", True),
    (VertexStorage, "claim", False),
    (VertexStorage, "claim", True),
    (Owners, "holds", False),
]


class TestKilled:
    @pytest.mark.parametrize(("owner", "name", "after"), STEPS)
    @pytest.mark.parametrize("had_sent", [False, True])
    def test_between_the_steps_of_claiming_it_goes_on_and_nobody_is_asked(
        self, google: LocalCloud, study: SmallStudy, owner: type, name: str, after: bool, had_sent: bool
    ) -> None:
        if had_sent:
            assert run(study).code == 0
            grown(study)
        killed(study, owner, name, after=after)
        ended = run(study)
        assert (ended.code, ended.json["answers"]) == (0, len(study.texts)), ended.err
        assert jobs(google, study) == [1, 1][: 1 + had_sent]
        assert run(grown(study)).code == 0

    def test_once_the_claim_is_known_a_lost_create_is_a_persons_to_judge(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        killed(study, Owners, "holds", after=True)
        assert run(study).code == 9, "its create may have been sent"
        assert run(study, "--resubmit").json["answers"] == RECORDS

    def test_twice_in_a_row_with_the_note_written_each_time_it_is_still_ours(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        for _ in range(2):
            killed(study, VertexStorage, "claim", after=True)
        assert run(study).code == 0
        assert jobs(google, study) == [1]


class TestAtOnce:
    def test_of_two_copies_that_claim_at_the_same_moment_one_sends(self, google: LocalCloud, study: SmallStudy) -> None:
        assert study.cli("run").code == 6
        copy = copied(study)
        ends, noted = at_the_same_moment(study, copy)
        refused = [end for end in ends if isinstance(end, LockedError)]
        assert len(refused) == 1, ends
        assert noted == 2
        winner = study if ends[0] is None else copy
        assert f"from {winner.home}" in refused[0].what
        assert jobs(google, study) == [1]
        assert staged(google, study) == {label for (label,) in winner.query("SELECT label FROM shard")}

    def test_of_two_processes_with_one_ledger_and_no_lock_one_sends(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A network folder on which locks do not hold: both read the ledger before the other writes."""

        monkeypatch.setattr("overnight.wiring.opening.Lock", NoLock)
        assert study.cli("run").code == 6
        ends, noted = at_the_same_moment(study, study)
        assert noted == 2
        assert len([end for end in ends if isinstance(end, LockedError)]) == 1, ends
        assert jobs(google, study) == [1]

    def test_who_was_asked_while_another_sent_with_the_same_ledger_sends_nothing(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its plan is older than what the ledger file says by then: the file is not asked again."""
        monkeypatch.setattr("overnight.wiring.opening.Lock", NoLock)

        def meanwhile(question: str) -> bool:
            assert run(study).code == 0
            return True

        with pytest.raises(LockedError):
            overnight.open(study.path).run(smoke=False, ask=meanwhile)
        assert jobs(google, study) == [1]


class NoLock:
    """As on a file system whose locks do not hold."""

    def __init__(self, folder: Path, command: str) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def at_the_same_moment(one: SmallStudy, other: SmallStudy) -> tuple[list[Exception | None], int]:
    """Both run; neither claims before the other is about to. Returns how they ended, and how many came to that."""
    barrier, ends, came = threading.Barrier(2), [None, None], []

    def meet(text: str) -> None:
        came.append(text)
        barrier.wait(timeout=20)

    def runs(number: int, study: SmallStudy) -> None:
        try:
            overnight.open(study.path).run(yes=True, smoke=False)
        except overnight.OvernightError as error:
            ends[number] = error  # type: ignore[call-overload]

    with at_claims(meet):
        threads = [threading.Thread(target=runs, args=pair) for pair in enumerate((one, other))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    return list(ends), len(came)


class TestTakenOver:
    def test_while_it_was_asleep_a_machine_stops_before_its_next_job(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("overnight.backends.vertex_storage.ShardLimits", lambda: ShardLimits(max_lines=5))
        copy = replace(study, home=study.home.parent / "second")
        others: list[Ended] = []

        def asleep_at_the_second(self: VertexStorage, place: Place, *arguments: Any) -> None:
            stage(self, place, *arguments)
            if "-s00002-" in place.input and not copy.home.exists():
                copied(study)
                others.append(run(copy, "--take-over", "--pay-again"))

        stage = VertexStorage.stage
        monkeypatch.setattr(VertexStorage, "stage", asleep_at_the_second)
        ended = run(study)
        assert [other.code for other in others] == [0]
        assert ended.code == 7, ended.err
        assert f"from {copy.home}" in ended.err
        assert ended.json["answers"] == 5, "its first job was collected and published"
        assert {state for (state,) in study.query("SELECT state FROM shard WHERE id > 1")} == {"abandoned"}
        labels = {label for (label,) in study.query("SELECT label FROM shard WHERE id > 1")}
        assert not staged(google, study) & labels

    def test_jobs_that_it_does_not_know_are_named_and_nothing_is_sent_on_a_guess(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        assert study.cli("run").code == 6
        copy = copied(study)
        assert run(study).code == 0
        ((job,),) = study.query("SELECT job_name FROM shard")
        ended = run(copy, "--take-over")
        assert (ended.code, ended.json["requests_sent"]) == (6, 0)
        for word in (job, "the service lists 1 job of this study", "paid for twice", "--take-over --pay-again"):
            assert word in ended.err
        assert jobs(google, study) == [1]
        assert note(google, study)["folder"] == str(study.home), "nothing was taken over"
        assert run(grown(study)).code == 0

    def test_with_a_yes_it_sends_and_the_other_side_is_refused_from_then_on(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        assert study.cli("run").code == 6
        copy = copied(study)
        assert run(study).code == 0
        questions: list[str] = []

        def yes(question: str) -> bool:
            questions.append(question)
            return True

        closing = overnight.open(copy.path).run(yes=True, smoke=False, take_over=True, ask=yes)
        assert closing.requests_sent == RECORDS
        (question,) = questions
        assert "Take over and send?" in question
        assert_refused(run(grown(study)), google, study, str(copy.home))
        assert run(grown(copy)).code == 0, "--take-over is said once"

    def test_without_unknown_jobs_nobody_is_asked(self, google: LocalCloud, study: SmallStudy) -> None:
        assert run(study).code == 0
        copy = copied(study)
        google.switch(create_503=1)
        assert run(grown(study)).code == 9, "it has claimed, and its job was not made"
        remove_label(google, study)
        ended = run(grown(copy), "--take-over")
        assert (ended.code, ended.json["requests_sent"]) == (0, 3), ended.err

    def test_a_job_that_is_announced_and_not_listed_yet_counts_as_unknown(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        assert run(study).code == 0
        copy = copied(study)
        google.switch(create_reply_lost=1, list_delay_s=3600)
        assert run(grown(study)).code == 9
        ended = run(grown(copy), "--take-over")
        assert ended.code == 6
        label = note(google, study)["job"]
        assert f"overnight-job={label}: announced at" in ended.err
        assert "may be on its way" in ended.err

    def test_it_changes_nothing_where_nobody_else_sends(self, google: LocalCloud, study: SmallStudy) -> None:
        ended = run(study, "--take-over")
        assert (ended.code, "taking over" in ended.err) == (0, False)


def remove_label(google: LocalCloud, study: SmallStudy) -> None:
    """The note as somebody wrote it who has announced no job."""
    said = note(google, study) | {"job": ""}
    data = json.dumps(said).encode()
    assert google.upload("my-bucket", f"overnight/{study.uid}/owner.json", data).status_code == 200


class TestTheNoteIsGone:
    def test_removed_by_hand_it_is_written_anew(self, google: LocalCloud, study: SmallStudy) -> None:
        assert run(study).code == 0
        remove(google, f"overnight/{study.uid}/owner.json")
        ended = run(grown(study))
        assert (ended.code, ended.json["requests_sent"]) == (0, 3), ended.err
        assert note(google, study)["folder"] == str(study.home)

    def test_only_when_several_looks_agree(self, google: LocalCloud, study: SmallStudy) -> None:
        """One 404 too many, and the ledger forgot which generation to write over: its own note refused it for ever."""
        assert run(study).code == 0
        with Plans(google) as plans:
            plans.add("once", "status", {"code": 404}, {"calls": ["download"]}, {"times": 1})
            ended = run(grown(study))
            assert plans.strikes("once") == 1
        assert (ended.code, ended.json["answers"]) == (0, RECORDS + 3), ended.err

    def test_and_a_copy_that_does_not_know_all_jobs_is_refused_by_the_list_of_jobs(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        assert run(study).code == 0
        copy = copied(study)
        assert run(grown(study)).code == 0
        remove(google, f"overnight/{study.uid}/owner.json")
        assert_refused(run(grown(copy)), google, copy, "the service lists 1 job of it that this ledger does not know")
        assert jobs(google, study) == [1, 1]

    def test_removed_while_it_sends_the_run_stops_before_its_next_job(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        in_parts(study)

        def gone_at_the_second(text: str) -> None:
            if "-s00002-" in text:
                remove(google, f"overnight/{study.uid}/owner.json")

        with at_claims(gone_at_the_second):
            ended = run(study)
        assert ended.code == 7, ended.err
        assert "was removed while this run was sending" in ended.err
        assert run(study).json["answers"] == RECORDS

    def test_what_is_no_note_of_ours_is_another_sender(self, google: LocalCloud, study: SmallStudy) -> None:
        uid = uid_of(study)
        assert google.upload("my-bucket", f"overnight/{uid}/owner.json", b"\xff\x1b[31m").status_code == 200
        assert_refused(run(study), google, study, "somebody on another machine")


class TestTheBucketIsChanged:
    def test_it_goes_on_in_the_new_one_and_a_copy_in_the_former_is_refused(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        assert run(study).code == 0
        copy = copied(study)
        study.more = CLOUD.replace("my-bucket", "other-bucket")
        assert run(grown(study)).json["requests_sent"] == 3
        assert note(google, study)["moved_to"] == place(study, "other-bucket")
        assert note(google, study, "other-bucket")["folder"] == str(study.home)
        assert_refused(run(grown(copy)), google, copy, f"moved the study to {place(study, 'other-bucket')}")
        study.more = CLOUD
        assert run(grown(study)).code == 0, "and back again"

    def test_a_copy_that_goes_on_in_another_bucket_is_refused_by_the_note_in_the_former(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        assert run(study).code == 0
        copy = copied(study)
        assert run(grown(study)).code == 0
        copy.more = CLOUD.replace("my-bucket", "other-bucket")
        ended = run(grown(copy))
        assert (ended.code, ended.json["requests_sent"]) == (7, 0)
        assert str(study.home) in ended.err

    def test_a_former_bucket_that_is_gone_holds_nobody_up(self, google: LocalCloud, study: SmallStudy) -> None:
        assert run(study).code == 0
        study.more = CLOUD.replace("my-bucket", "other-bucket")
        Plans(google).add("gone", "status", {"code": 404}, {"calls": ["download", "upload"], "bucket": "my-bucket"})
        assert run(grown(study)).code == 0


class TestTheWay:
    @pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
    def test_a_reply_to_the_writing_that_is_lost_is_made_good(
        self, google: LocalCloud, study: SmallStudy, kind: str
    ) -> None:
        scope = {"calls": ["upload"], "object_prefix": f"overnight/{uid_of(study)}/owner.json"}
        with Plans(google) as plans:
            plans.add("lost", kind, None, scope, {"times": 1})
            assert run(study).code == 0
            assert plans.strikes("lost") == 1
            plans.add("lost", "status", {"code": 503, "took_effect": True}, scope, {"times": 1})
            assert run(grown(study)).code == 0
            assert plans.strikes("lost") == 1
        assert jobs(google, study) == [1, 1]
        assert run(grown(study)).code == 0

    @pytest.mark.parametrize(
        ("call", "right"), [("download", "storage.objects.get"), ("upload", "storage.objects.create and .delete")]
    )
    def test_a_missing_right_is_named_and_nothing_is_sent(
        self, google: LocalCloud, study: SmallStudy, call: str, right: str
    ) -> None:
        scope = {"calls": [call], "object_prefix": f"overnight/{uid_of(study)}/owner.json"}
        with Plans(google) as plans:
            plans.add("forbidden", "status", {"code": 403}, scope)
            ended = run(study)
        assert (ended.code, ended.json["requests_sent"], jobs(google, study)) == (8, 0, [])
        assert right in ended.err
        assert "roles/storage.objectUser" in ended.err
        assert staged(google, study) == set()
        assert run(study).code == 0, "and it goes on once the right is there"

    def test_a_bucket_that_does_not_answer_stops_the_run_with_its_shard_put_back(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("overnight.google.storage.LOCAL_PATIENCE_S", 0.3)
        scope = {"calls": ["upload"], "object_prefix": f"overnight/{uid_of(study)}/owner.json"}
        with Plans(google) as plans:
            plans.add("down", "status", {"code": 503, "took_effect": True}, scope)
            ended = run(study)
        assert (ended.code, jobs(google, study), staged(google, study)) == (8, [], set())
        assert run(study).code == 0, "the note that was written all the same is ours"


def test_the_writing_over_a_generation_is_refused_where_other_bytes_are_there(google: LocalCloud) -> None:
    from overnight.google.auth import local_access
    from overnight.google.endpoints import local_endpoints
    from overnight.google.storage import Storage

    storage = Storage(local_endpoints(google.endpoint), local_access(), "my-project")
    with contextlib.closing(storage):
        first = storage.replace_small("my-bucket", "note", b"one", 0)
        second = storage.replace_small("my-bucket", "note", b"two", first)
        assert storage.read_live("my-bucket", "note") == (b"two", second)
        assert storage.replace_small("my-bucket", "note", b"two", first) == second, "written before an answer was lost"
        for stale in (0, first):
            with pytest.raises(RefusedError) as refused:
                storage.replace_small("my-bucket", "note", b"three", stale)
            assert refused.value.code == 412
        with pytest.raises(RefusedError):
            storage.replace_small("my-bucket", "never", b"four", first)
