"""No float ever becomes money: wherever numbers come in they are text or refused, and wherever they go out they are
text."""

import ast
import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from overnight.core.usage import Usd
from overnight.errors import LedgerError
from overnight.ledger.database import open_database
from overnight.ledger.ledger import Ledger
from overnight.pricing.prices import read_prices
from overnight.study.load import load_study
from tests.contract.test_run_loop import Desk, TwoStages, length
from tests.support.memory_backend import MemoryBackend, answers
from tests.support.studies import SmallStudy

SRC = Path(__file__).parents[2] / "src" / "overnight"
ROW = """[[price]]
model = "m"
mode = "batch"
input = {amount}
output = "2"
valid_from = 2026-01-01
evidence = "D"
source = "by hand"
checked = 2026-01-01
"""
CENTS = "20.10"


def test_toml_amounts_are_texts() -> None:
    assert str(next(iter(read_prices(ROW.format(amount='"0.10"')))).input_usd_per_mtok) == "0.10"
    for amount in ("0.10", "1", "1e-1"):
        with pytest.raises(TypeError, match="in quotes"):
            read_prices(ROW.format(amount=amount))


def test_yaml_amounts_are_read_as_written(tmp_path: Path) -> None:
    study = SmallStudy.of(tmp_path, 2, more=f"budget: {{limit_usd: {CENTS}}}\n")
    budget = load_study(study.path).budget
    assert budget is not None
    assert budget.limit_usd == Usd(CENTS), "0.1 + 0.2 would not be 0.3"


def test_json_numbers_are_refused() -> None:
    for text in ('{"usd": 0.1}', '{"usd": 1.0}'):
        for read in (json.loads, orjson.loads):
            with pytest.raises(TypeError):
                Usd(read(text)["usd"])


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("shard", ("reserved_usd", "kept_usd", "billed_usd", "row_usd")),
        ("smoke", ("reserved_usd", "kept_usd", "billed_usd")),
        ("estimate", ("low_usd", "expected_usd", "high_usd", "worst_usd")),
    ],
)
def test_the_ledger_holds_amounts_as_text(tmp_path: Path, table: str, columns: tuple[str, ...]) -> None:
    with closing(open_database(tmp_path / "l.sqlite", study="s", now="now")) as ledger:
        found = {name: type_ for _, name, type_, *_ in ledger.execute(f"PRAGMA table_info({table})")}
        assert {name: found[name] for name in found if name.endswith("_usd")} == dict.fromkeys(columns, "TEXT")
        (sql,) = ledger.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        assert "STRICT" in sql


def test_an_amount_in_the_ledger_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    with Ledger.open(path, study="s", now="now") as ledger:
        with ledger.transaction() as db:
            db.execute("INSERT INTO estimate VALUES ('google', 1, 'then', 2, NULL, 'much', NULL, NULL)")
        with pytest.raises(LedgerError):
            ledger.bills.said("google")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT typeof(expected_usd) FROM estimate").fetchall() == [("text",)]


def test_every_file_of_results_holds_amounts_as_exact_text(tmp_path: Path) -> None:
    desk = Desk(
        SmallStudy.of(tmp_path, 3, model="gemini-3.5-flash-lite"),
        MemoryBackend(answers(length, model="gemini-3.5-flash-lite")),
        TwoStages(qa=False),
    )
    desk.run()
    one = "0.00003375"  # 100 · 0.15 + 15 · 1.25 millionths
    folder = tmp_path / "stand-in"
    assert pq.read_table(folder / "results.parquet")["cost_usd"].to_pylist() == [one] * 3
    lines = (folder / "results.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["cost_usd"] for line in lines] == [one] * 3
    with (folder / "results.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["cost_usd"] for row in csv.DictReader(file)] == [one] * 3
    with (folder / "cost.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["cost_usd"] for row in csv.DictReader(file)] == ["0.00010125"]


def test_no_line_of_ours_makes_a_float_of_an_amount_but_for_a_share_of_another() -> None:
    """A share has no unit: it draws a bar, or says where to begin a search."""
    found = set()
    for path in sorted(SRC.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            if made and any(isinstance(inner, ast.Attribute) and inner.attr == "amount" for inner in ast.walk(node)):
                found.add(path.relative_to(SRC).as_posix())
    assert found == {"core/usage.py"}
