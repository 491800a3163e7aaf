"""Whatever has happened to its file, a ledger opens whole or ends in a LedgerError that says what to do."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from overnight.core.outcome import Outcome, ProblemKind
from overnight.core.recipe import Part, Recipe
from overnight.core.states import JobStatus
from overnight.core.usage import Usage, Usd
from overnight.errors import LedgerError
from overnight.ledger import health
from overnight.ledger.bindings import Binding
from overnight.ledger.ledger import Ledger
from overnight.ledger.shards import Place
from overnight.planning.standing import Standings
from overnight.requests.shards import SentRow

NOW = "2026-11-22T12:00:00Z"
RECIPE = Recipe("answer", "", (Part("slot", "text"),), {"type": "OBJECT"}, {}, own="")
ROWS = 3_000


def fill(ledger: Ledger, shards: int = 1, rows: int = ROWS) -> None:
    with ledger.transaction():
        ledger.recipes.pin([("answer", 1, RECIPE)], NOW)
    for _ in range(shards):
        number = ledger.shards.next_number()
        place = Place("vertex-storage", "p", "global", "b", f"u/{number}/requests.jsonl", f"u/{number}/output")
        ledger.shards.intend(
            realm="google", stage="answer", recipe=RECIPE.digest, model="gemini-3.8-flash", max_output_tokens=100,
            label=f"u-s{number:05d}", place=place, now=NOW,
        )  # fmt: skip
        sent = [SentRow(bytes([number]) + n.to_bytes(15, "big"), 1, bytes(16)) for n in range(rows)]
        ledger.shards.staged(number, sent, 10 * rows)
        ledger.shards.submitting(number, Usd("1.5"))
        ledger.shards.submitted(number, JobStatus(f"jobs/{number}", "JOB_STATE_SUCCEEDED"), NOW)
        with ledger.transaction():
            ledger.bindings.bind(
                "google",
                (Binding(f"r{n}", "answer", 1, row.address, RECIPE.digest, "m") for n, row in enumerate(sent)),
            )
        with ledger.outcomes.collecting(number, NOW) as collecting:
            for n, row in enumerate(sent):
                kind = None if n % 7 else ProblemKind.BLOCKED
                usage = Usage(100, 0, 5, 10)
                collecting.write.outcome(
                    Outcome(row.address, 1, kind, b'{"n":1}', "", usage, "gemini-3.8-flash", source=f"x:{n}")
                )
            collecting.fact.lines, collecting.fact.billed = rows, Usd("0.5")


def read_all(ledger: Ledger) -> None:
    """As `status` and `run` do: every table, every row."""
    outcomes = ledger.outcomes
    standings = Standings(outcomes.sent("google"), outcomes.ended("google"), outcomes.reopened())
    for _, standing in standings.items():
        if standing.row:
            outcomes.settled(standing.row)
    outcomes.counts("google")
    assert ledger.recipes.pinned().keys() <= {("answer", 1)}
    for shard in ledger.shards.all("google"):
        list(ledger.shards.rows(shard.id))
        ledger.bills.of_shard(shard.id, 200_000)
        list(outcomes.answers_of(shard.id))
    ledger.bindings.of_record("google", "r1")
    ledger.bills.shared("google", 200_000)
    ledger.bills.smokes("google")
    ledger.bills.said("google")
    assert ledger.uid


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "ledger.sqlite"
    with Ledger.open(path, study="naps", now=NOW) as ledger:
        fill(ledger)
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    copy = tmp_path / ".overnight" / "ledger.sqlite"
    copy.parent.mkdir()
    shutil.copy(whole, copy)
    return copy


def opened(path: Path, *, only_look: bool = False) -> Ledger:
    return Ledger.open(path, study="naps", now=NOW, only_look=only_look)


def refused(path: Path, *, only_look: bool = False) -> LedgerError:
    """The error of opening it and reading all."""
    with pytest.raises(LedgerError) as caught, opened(path, only_look=only_look) as ledger:
        read_all(ledger)
    assert caught.value.exit_code == 7
    assert caught.value.hint
    return caught.value


def root_of(path: Path, name: str) -> tuple[int, int]:
    """(place of its first page, bytes of a page)"""
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return (root - 1) * size, size


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def test_a_rollback_journal_and_full_syncs_no_write_ahead_log(path: Path) -> None:
    with opened(path) as ledger, ledger.transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        connection.execute("DELETE FROM binding")
        assert sorted(one.name for one in path.parent.iterdir()) == ["ledger.sqlite", "ledger.sqlite-journal"]
    assert [one.name for one in path.parent.iterdir()] == ["ledger.sqlite"]


class TestFile:
    @pytest.mark.parametrize("only_look", [False, True])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
    def test_one_that_is_cut_off_is_refused_with_both_sizes(self, path: Path, share: float, only_look: bool) -> None:
        size = path.stat().st_size
        os.truncate(path, int(size * share))
        error = refused(path, only_look=only_look)
        assert error.what.startswith("the ledger is damaged: ")
        if share > 0.9:
            assert f"bytes are there, and there should be {size:,}" in error.what
        assert "`overnight recover`" in error.hint

    def test_one_of_no_bytes_beside_collected_output_is_no_new_ledger(self, path: Path) -> None:
        os.truncate(path, 0)
        raw = path.parent / "raw" / "u-s00001"
        raw.mkdir(parents=True)
        for only_look in (False, True):
            error = refused(path, only_look=only_look)
            assert "the file is empty, and" in error.what
            assert "`overnight recover`" in error.hint
        assert path.stat().st_size == 0

    def test_one_of_no_bytes_and_nothing_beside_it_is_a_ledger_being_made(self, path: Path) -> None:
        os.truncate(path, 0)
        with opened(path) as ledger:
            assert ledger.shards.all("google") == []

    @pytest.mark.parametrize("only_look", [False, True])
    def test_one_that_is_something_else_is_refused(self, path: Path, only_look: bool) -> None:
        path.write_bytes(b"PK\x03\x04" + random.Random(7).randbytes(9000))
        assert "file is not a database" in refused(path, only_look=only_look).what

    def test_another_program_s_database_is_left_alone(self, path: Path) -> None:
        path.unlink()
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE theirs (x)")
        before = path.read_bytes()
        assert refused(path).what == "this file is no ledger of ours"
        assert path.read_bytes() == before

    def test_a_folder_in_its_place_is_refused(self, path: Path) -> None:
        path.unlink()
        path.mkdir()
        assert "unable to open database file" in refused(path).what

    @pytest.mark.parametrize("rights", [0o000, 0o444])
    def test_one_without_the_right_to_write_says_so(self, path: Path, rights: int) -> None:
        path.chmod(rights)
        script = (
            "import os, sys\n"
            "from overnight.ledger.ledger import Ledger\n"
            "from overnight.errors import LedgerError\n"
            "from pathlib import Path\n"
            "with Ledger.open(Path('other.sqlite'), study='naps', now=''):\n"
            "    if os.geteuid() == 0:\n"
            "        os.setgid(65534); os.setuid(65534)\n"
            "try:\n"
            "    with Ledger.open(Path('ledger.sqlite'), study='naps', now='') as ledger:\n"
            "        ledger.outcomes.reopen([(b'x', 1)], 'retry', '')\n"
            "except LedgerError as error:\n"
            "    print(error); sys.exit(error.exit_code)\n"
        )
        ended = in_the_folder(path.parent, script)
        assert ended.returncode == 7, ended.stderr
        assert "right" in ended.stdout


def in_the_folder(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """In a process that stands in the folder: it needs no right to the folders above."""
    return subprocess.run([sys.executable, "-B", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60)


class TestSchema:
    @pytest.mark.parametrize(
        ("sql", "said"),
        [
            ("ALTER TABLE shard ADD COLUMN mine TEXT", "table 'shard' was altered"),
            ("ALTER TABLE outcome DROP COLUMN finish_reason", "table 'outcome' was altered"),
            ("DROP TABLE notice", "table 'notice' is missing"),
            ("CREATE TABLE mine (x)", "table 'mine' is not ours"),
            ("CREATE TRIGGER mine AFTER INSERT ON sent BEGIN DELETE FROM sent; END", "trigger 'mine' is not ours"),
            ("CREATE VIEW mine AS SELECT 1", "view 'mine' is not ours"),
            ("DROP INDEX stray_of_shard; CREATE INDEX stray_of_shard ON stray (key)", "index 'stray_of_shard' was"),
        ],
    )
    def test_what_was_changed_by_hand_is_named(self, path: Path, sql: str, said: str) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(sql)
        for only_look in (False, True):
            error = refused(path, only_look=only_look)
            assert said in error.what
            assert "`overnight recover`" in error.hint

    def test_an_index_that_was_taken_away_is_made_anew(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP INDEX outcome_of_shard")
        with opened(path, only_look=True) as ledger:
            read_all(ledger)
        with opened(path) as ledger:
            read_all(ledger)
        assert root_of(path, "outcome_of_shard")
        assert list(health.faults(path)) == []


class TestPages:
    @pytest.mark.parametrize("table", ["sent", "outcome", "shard", "binding", "recipe", "study", "outcome_of_shard"])
    def test_a_page_that_was_overwritten_is_noticed_before_anything_is_changed(self, path: Path, table: str) -> None:
        at, size = root_of(path, table)
        overwrite(path, at, b"\xa5" * size)
        with pytest.raises(LedgerError, match="the ledger is damaged"):
            opened(path)

    def test_a_big_ledger_is_not_read_through_and_the_damage_is_said_where_it_is_met(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("overnight.ledger.database.CHECKED_BYTES", 1000)
        at, size = root_of(path, "outcome")
        overwrite(path, at, b"\xa5" * size)
        opened(path).close()
        assert "the ledger is damaged" in refused(path).what
        assert "the ledger is damaged" in refused(path, only_look=True).what

    def test_rows_that_are_gone_without_a_trace_are_noticed(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DELETE FROM sent WHERE address = (SELECT min(address) FROM sent)")
            connection.commit()
        assert f"shard 1 has {ROWS - 1:,} of its {ROWS:,} rows" in refused(path).what

    @pytest.mark.parametrize("checked", [True, False])
    def test_no_damage_ends_in_a_traceback(self, path: Path, checked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """Sixty kinds of damage at random places; unchecked: as in a big ledger, each is met while it is read."""
        if not checked:
            monkeypatch.setattr("overnight.ledger.database.check", lambda *_, **__: None)
        good, chance = path.read_bytes(), random.Random(20261122)
        told: list[LedgerError] = []
        for _ in range(60):
            hurt = bytearray(good)
            for _ in range(chance.randint(1, 3)):
                at, length = chance.randrange(100, len(hurt)), chance.choice((1, 4, 60, 4096))
                hurt[at : at + length] = chance.randbytes(min(length, len(hurt) - at))
            path.write_bytes(hurt)
            try:
                with opened(path) as ledger:
                    read_all(ledger)
            except LedgerError as error:
                told.append(error)
        assert all(error.hint and error.exit_code == 7 for error in told)
        assert len(told) > 20, "most of it is noticed"


class TestInterrupted:
    def in_mid_write(self, path: Path, then: str) -> None:
        """A process that has half a transaction in the file, its journal beside it; then what?"""
        script = (
            "import os, shutil, signal\n"
            "from pathlib import Path\n"
            "from overnight.ledger.ledger import Ledger\n"
            "with Ledger.open(Path('ledger.sqlite'), study='naps', now='') as ledger:\n"
            "    with ledger.transaction() as connection:\n"
            "        connection.execute('PRAGMA cache_size = 5')\n"
            "        connection.execute('UPDATE outcome SET detail = hex(randomblob(200))')\n"
            "        connection.execute('DELETE FROM sent WHERE abs(random()) % 2')\n"
            f"        {then}\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        ended = in_the_folder(path.parent, script)
        assert ended.returncode == -signal.SIGKILL, ended.stderr

    @pytest.mark.parametrize("only_look", [False, True])
    def test_a_journal_left_by_a_kill_is_rolled_back(self, path: Path, only_look: bool) -> None:
        before = path.read_bytes()
        self.in_mid_write(path, "pass")
        assert path.with_name("ledger.sqlite-journal").stat().st_size > 0
        assert path.read_bytes() != before, "half of it was in the file"
        with opened(path, only_look=only_look) as ledger:
            read_all(ledger)
            assert len(list(ledger.shards.rows(1))) == ROWS
        assert list(health.faults(path)) == []

    def test_a_copy_made_in_mid_write_without_its_journal_is_noticed(self, path: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copied.sqlite"
        self.in_mid_write(path, f"shutil.copy('ledger.sqlite', {str(copy)!r})")
        assert "the ledger is damaged" in refused(copy).what


class TestMend:
    def test_rows_are_copied_out_of_a_ledger_whose_index_is_hurt(self, path: Path, tmp_path: Path) -> None:
        at, size = root_of(path, "outcome_of_shard")
        with closing(sqlite3.connect(path)) as connection:
            before = list(connection.iterdump())
        overwrite(path, at, b"\xa5" * size)
        assert health.mend(path, tmp_path / "mended.sqlite")
        with closing(sqlite3.connect(tmp_path / "mended.sqlite")) as connection:
            assert sorted(connection.iterdump()) == sorted(before)

    @pytest.mark.parametrize("table", ["sent", "outcome", "stray", "study"])
    def test_a_table_that_is_hurt_is_not_called_mended(self, path: Path, tmp_path: Path, table: str) -> None:
        at, size = root_of(path, table)
        overwrite(path, at, b"\xa5" * size)
        assert not health.mend(path, tmp_path / "mended.sqlite")
        assert not (tmp_path / "mended.sqlite").exists()
