"""Bad input: one clear message with what, where and what to do, the documented exit code, nothing written or sent."""

# ruff: noqa: E501  # one row a line

import contextlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from overnight.cli.main import main
from tests.support.person import Seen, tree

STUDY = """\
study: naps
records: {files: [records.csv], id: id}
ask:
  prompt: |
    Who was studied?
    {text}
  answer:
    who: {type: string}
model: {name: gemini-3.5-flash-lite, thinking: low}
attempts: 3
"""
SCREEN = """\
study: naps
records: {files: [records.csv], id: id, text: [text, abstract]}
screen:
  question: Do naps help?
  include:
    - {id: night, ask: They worked at night.}
model: {name: gemini-3.5-flash-lite}
"""
RECORDS = "id,text\nr1,Nurses took naps.\nr2,Drivers did not.\n"
BUG_MARKS = ("Traceback", 'File "', "pydantic", "Error(", "object at 0x", "None")

Folder = Path


@dataclass(frozen=True)
class Row:
    """spoil: what is wrong. says: fragments of the message: the fact, the place, what to do."""

    name: str
    spoil: Callable[[Folder], object]
    code: int
    says: tuple[str, ...]
    command: str = "run"

    def __str__(self) -> str:
        return self.name


def study(old: str, new: str) -> Callable[[Folder], object]:
    """study.yaml with one thing changed."""

    def spoil(folder: Folder) -> None:
        assert old in STUDY, old
        (folder / "study.yaml").write_text(STUDY.replace(old, new), encoding="utf-8")

    return spoil


def whole_study(text: str | bytes) -> Callable[[Folder], object]:
    data = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / "study.yaml").write_bytes(data)


def table(text: str | bytes, name: str = "records.csv") -> Callable[[Folder], object]:
    data = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / name).write_bytes(data)


def without(name: str) -> Callable[[Folder], object]:
    return lambda folder: (folder / name).unlink()


def folder_in_place_of(name: str) -> Callable[[Folder], object]:
    def spoil(folder: Folder) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return spoil


def model(name: str, thinking: str = "low") -> Callable[[Folder], object]:
    return study("{name: gemini-3.5-flash-lite, thinking: low}", f"{{name: {name}, thinking: {thinking}}}")


STUDY_YAML, TABLE = "study.yaml", "records.csv"
ROWS = (
    Row("no study", without(STUDY_YAML), 3, ("there is no study file here", STUDY_YAML, "overnight init")),
    Row("study is a folder", folder_in_place_of(STUDY_YAML), 3, (STUDY_YAML, "→")),
    Row("study is not YAML", whole_study("study: [naps\nrecords: }\n"), 3, ("study.yaml:", "YAML")),
    Row("study is not text", whole_study(b"\x89PNG\r\n\x1a\n\x00\xff"), 3, (STUDY_YAML, "UTF-8")),
    Row("study is empty", whole_study(""), 3, (STUDY_YAML, "→")),
    Row("study is a list", whole_study("- a\n- b\n"), 3, ("study.yaml:1", "→")),
    Row("YAML typo: tab", study("  prompt: |", "\tprompt: |"), 3, ("study.yaml:4", "tab", "→")),
    Row("YAML typo: no space", study("attempts: 3", "attempts:3"), 3, ("study.yaml:10", "→")),
    Row("unknown key", study("attempts: 3", "atempts: 3"), 3, ("study.yaml:10", "atempts", "attempts")),
    Row("unknown key inside", study("id: id}", "id: id, sep: x}"), 3, ("study.yaml:2", "sep")),
    Row("key twice", study("attempts: 3", "attempts: 3\nattempts: 4"), 3, ("study.yaml:11", "attempts", "twice")),
    Row("known, but later", study("attempts: 3", "gold: {file: gold.csv}"), 3, ("study.yaml:10", "gold", "not in this version", "→")),
    Row("known, in another place", study("attempts: 3", "rule: majority"), 3, ("study.yaml:10", "rule", "has another place", "under `screen`")),
    Row("several samples of an ask", study("attempts: 3", "deep_think: {samples: 3}"), 3, ("study.yaml:10", "`deep_think` is for a `screen`", "→")),
    Row("value known, but later", study("attempts: 3", "budget: {limit_usd: 5, stop_at: 3}"), 3, ("study.yaml:10", "stop_at", "→")),
    Row("wrong value", study("attempts: 3", "attempts: many"), 3, ("study.yaml:10", "attempts", "many")),
    Row("placeholder left", study("Who was studied?", "WRITE HERE"), 3, ("study.yaml:", "WRITE HERE")),
    Row("two tasks", study("attempts: 3", "screen: {question: q, include: [{id: a, ask: b}]}"), 3, ("ask", "screen")),
    Row("model that is not there", model("gemini-3.5-flash-light"), 3, ("gemini-3.5-flash-light", "study.yaml", "gemini-3.5-flash-lite")),
    Row("retired model", model("gemini-2.0-flash"), 3, ("gemini-2.0-flash", "study.yaml", "→")),
    Row("deep think", model("gemini-3-deep-think"), 3, ("Deep Think", "study.yaml", "→")),
    Row("thinking the model does not take", model("gemini-3.5-flash-lite", "5000"), 3, ("thinking: 5000", "study.yaml", "→", "minimal")),
    Row("thinking that is no word", model("gemini-3.5-flash-lite", "deeply"), 3, ("deeply", "→")),
    Row("no table", without(TABLE), 3, ("study.yaml:2", "records.files[0]", "records.csv", "→")),
    Row("table is a folder", folder_in_place_of(TABLE), 3, ("records.csv", "→")),
    Row("wrong id column", study("id: id", "id: pmid"), 4, ("pmid", "records.csv", "id, text", "→")),
    Row("prompt names an unknown column", study("{text}", "{abstract}"), 4, ("ask.prompt", "'abstract'", "records.csv", "text")),
    Row("screen names an unknown column", whole_study(SCREEN), 4, ("records.text", "'abstract'", "records.csv", "text")),
    Row("ids used twice", table("id,text\nr1,One.\nr2,Two.\nr1,Three.\n"), 4, ("'r1'", "records.csv:4", "records.csv:2", "→")),
    Row("no id", table("id,text\nr1,One.\n,Two.\n"), 4, ("records.csv:3", "id", "→")),
    Row("undecodable byte", table(b"id,text\nr1,One.\nr2,caf\xe9 \x81 noir\n"), 4, ("records.csv:3", "0x81", "→")),
    Row("2 MB abstract", table(f"id,text\nr1,One.\nr2,{'nap ' * 500_000}\n"), 4, ("'r2'", "2,000,000 characters", "200,000", "records.csv", "max_text_chars")),
    Row("empty table", table(""), 4, ("records.csv", "→")),
    Row("table of a header only", table("id,text\n"), 4, ("records.csv", "→")),
    Row("row with too many cells", table("id,text\nr1,One.\nr2,Two,three,four\n"), 4, ("records.csv:3", "→")),
    Row("quote left open", table('id,text\nr1,"One.\nr2,Two.\n'), 4, ("records.csv", "→")),
    Row("not a table", table(b"%PDF-1.7 \x00\x01\x02"), 4, ("records.csv", "→")),
    Row("a zip that is no workbook", table(b"PK\x03\x04" + b"\x00" * 40), 4, ("records.csv", "→")),
    Row("half a Parquet", table(b"PAR1" + b"\x01" * 40), 4, ("records.csv", "→")),
    Row("no such command", lambda folder: None, 2, ("sing", "--help"), "sing"),
    Row("unknown option", lambda folder: None, 2, ("--fast", "--help"), "run --fast"),
    Row("no amount", lambda folder: None, 2, ("'ten'", "12.50"), "run --max-usd ten"),
    Row("negative number", lambda folder: None, 2, ("'-3'", "→"), "plan --show=-3"),
    Row("no port", lambda folder: None, 2, ("'99999'", "65535"), "local-cloud --data d --port 99999"),
    Row("export to no format", lambda folder: None, 2, ("out.docx", ".csv", ".xlsx"), "export --to out.docx"),
    Row("export into no folder", lambda folder: (folder / "file").write_text("x"), 2, ("no folder", "file", "→"), "export --to file/out.csv"),
    Row("unknown kind", lambda folder: None, 2, ("'sad'", "malformed"), "retry --kind sad"),
    Row("check --cloud without a cloud", lambda folder: None, 2, ("names no account", "study.yaml", "cloud:"), "check --cloud"),
    Row("setup without a cloud", lambda folder: None, 2, ("names no account", "study.yaml", "cloud:"), "check --print-setup"),
    Row("init from nothing", lambda folder: None, 4, ("gone.csv", "→"), "init new --from gone.csv"),
    Row("init over a file", lambda folder: (folder / "new").write_text("x"), 13, ("new", "→"), "init new"),
)  # fmt: skip


def typed(command: str, folder: Path) -> Seen:
    """`overnight COMMAND` in `folder`, in this process: no exception but SystemExit may leave it."""
    out, err = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(command.split())
    finally:
        os.chdir(before)
    return Seen(code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_one_message_the_code_and_nothing_written(row: Row, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "records.csv").write_text(RECORDS, encoding="utf-8")
    row.spoil(tmp_path)
    before = tree(tmp_path)
    seen = typed(row.command, tmp_path)
    assert seen.code == row.code, seen.err
    assert seen.out == ""
    assert seen.err.count("overnight: ") == 1
    assert seen.err.startswith("overnight: ")
    for fragment in row.says:
        assert fragment in seen.err, f"{fragment!r} is not in:\n{seen.err}"
    for mark in BUG_MARKS:
        assert mark not in seen.err, seen.err
    assert max(map(len, seen.err.splitlines())) < 400
    assert tree(tmp_path) == before
