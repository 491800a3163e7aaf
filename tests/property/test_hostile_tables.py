"""Law: whatever a table holds, `check` and `init --from` end well or say what is wrong; nothing else is touched."""

import contextlib
import gzip
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overnight.cli.main import main
from tests.property.test_records_any_bytes import MARKS, PIECES, sound
from tests.support.person import tree

NAMES = st.sampled_from(
    ["t.csv", "t.tsv", "t.jsonl", "t.parquet", "t.xlsx", "t", "t.csv.gz", "t.json", "=cmd.csv", "-rf.csv"]
)
STUDY = """\
study: naps
records: {{files: ["{name}"], id: auto}}
ask:
  prompt: "Who? {{a}} {{id}} {{t}}"
  answer: {{who: {{type: string}}}}
model: {{name: gemini-3.5-flash-lite}}
"""


@contextlib.contextmanager
def a_table(content: bytes, name: str) -> Iterator[Path]:
    """In a folder of its own, with a study beside it that reads it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / name).write_bytes(content)
        (home / "study.yaml").write_text(STUDY.format(name=name).replace("{a} {id} {t}", "{a}"), encoding="utf-8")
        yield home / name


def told(*words: str | Path) -> tuple[int, str]:
    """Exit code and all that was printed. A traceback would come out of here as an exception."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    said = out.getvalue() + err.getvalue()
    assert not [char for char in said if ord(char) < 32 and char not in "\t\n"], said
    said.encode()
    return code, said


def check_law(content: bytes, name: str) -> tuple[int, int]:
    """The exit codes of `check` and of `init --from`."""
    with a_table(content, name) as table:
        home = table.parent
        before = tree(home.parent)
        checked, said = told("check", home / "study.yaml")
        assert checked in {0, 3, 4}, said
        assert checked == 0 or name in said, said
        assert tree(home.parent) == before, "check writes nothing"
        made, said = told("init", home.parent / "new", "--from", table)
        assert made in {0, 4}, said
        after = tree(home.parent)
        new = {"new": "folder", "new/study.yaml": after.get("new/study.yaml", "")} if made == 0 else {}
        assert after == before | new, said
        if made == 0:
            study = home.parent / "new" / "study.yaml"
            study.write_text(study.read_text(encoding="utf-8").replace("WRITE HERE", "Written"), encoding="utf-8")
            works, said = told("check", study)
            assert works == 0 or "there is no column" in said, said  # none has a name that a study can hold
        return checked, made


def test_the_law_is_not_empty() -> None:
    assert check_law(b"id,a\n1,x\n2,y\n", "t.csv") == (0, 0)
    assert check_law(b"id,b\n1,x\n", "t.csv")[1] == 0
    assert check_law(b"\x01id,a\n1,x\n", "t.csv") == (0, 0), "a column that no study can name is not chosen"
    assert check_law(gzip.compress(b"id,a\n1,x\n"), "t.csv.gz") == (0, 0)


@given(mark=MARKS, content=st.binary(max_size=200), name=NAMES)
@example(mark=b"", content=b"a\n\x1b[2J\n", name="t.csv")
@example(mark=b"", content=b'a\n"\x9b\n', name="t.csv")
@example(mark=b"", content=b'{"a": "\\ud800"}', name="t.jsonl")
@example(mark=b"", content=gzip.compress(b"a\n1"), name="t.csv.gz")
@settings(max_examples=40, deadline=None)
def test_any_bytes(mark: bytes, content: bytes, name: str) -> None:
    check_law(mark + content, name)


@given(st.lists(st.sampled_from(PIECES), max_size=30), NAMES, st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@settings(max_examples=40, deadline=None)
def test_any_arrangement_of_what_tables_are_made_of(pieces: list[str], name: str, encoding: str) -> None:
    check_law("".join(pieces).encode(encoding), name)


CSV = "id,a\n" + "".join(f'r{n},"Nurses, {n} of them, ""napped"".\nAnd slept é."\n' for n in range(20))
JSONL = "".join(f'{{"id": "r{n}", "a": "Nurses {n} \\u00e9", "l": [1, {{"k": null}}]}}\n' for n in range(20))
SOUND = {
    "t.csv": CSV.encode(),
    "t.tsv": CSV.replace(",", "\t").encode("utf-16"),
    "t.jsonl": JSONL.encode(),
    "t.csv.gz": gzip.compress(CSV.encode(), mtime=0),
}


@given(st.sampled_from([*SOUND, "t.parquet", "t.xlsx"]), st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_table(name: str, data: st.DataObject) -> None:
    content = bytearray(SOUND.get(name) or sound(name))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        content[at : at + data.draw(st.integers(0, 8))] = piece
    check_law(bytes(content), name)


MOST_BYTES = 1 << 30
"""What a command may take of memory, whatever a small file holds: Python, Arrow and OpenPyXL take a tenth of it."""
MEMORY = f"import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, ({MOST_BYTES}, {MOST_BYTES})); "


def swelling(path: Path, kind: str) -> None:
    words, n = pa.array(["x" * 900_000, "y"]), 900
    often = pa.DictionaryArray.from_arrays(pa.array([0] * n, pa.int32()), words)
    columns: dict[str, Any] = {"a": often}
    if kind == "one long text":
        columns = {"a": ["x" * 100_000_000]}
    elif kind == "a long text named often in lists":
        columns = {"a": pa.ListArray.from_arrays([0, 3 * n], pa.concat_arrays([often] * 3))}
    pq.write_table(pa.table(columns), path, compression="zstd")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")
@pytest.mark.parametrize(
    "kind",
    [
        "one long text",
        "a long text named often",
        "a long text named often in lists",
    ],
)
def test_a_small_parquet_file_takes_little_memory_whatever_it_holds(tmp_path: Path, kind: str) -> None:
    """4,000 texts of 900,000 characters were 5.3 GB at once."""
    swelling(tmp_path / "t.parquet", kind)
    (tmp_path / "study.yaml").write_text(STUDY.format(name="t.parquet").replace("{a} {id} {t}", "{a}"))
    words = [
        sys.executable,
        "-c",
        MEMORY + "from overnight.cli.main import main; sys.exit(main(sys.argv[1:]))",
        "check",
    ]
    ended = subprocess.run([*words, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 4, ended.stderr[-2000:]
    assert "Traceback" not in ended.stderr
    assert "t.parquet" in ended.stderr


def test_a_line_without_an_end_is_refused_before_it_fills_memory(tmp_path: Path) -> None:
    with (tmp_path / "t.jsonl").open("wb") as file:
        file.write(b'{"a": "' + b"x" * (130 << 20))
    code, said = told("init", tmp_path / "new", "--from", tmp_path / "t.jsonl")
    assert code == 4
    assert "t.jsonl:1: a line of more than 134,217,728 characters" in said
