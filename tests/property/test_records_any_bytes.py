"""Law: whatever bytes a file holds, reading it gives rows, or a RecordsError that names the file; nothing else."""

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from overnight.errors import Finding, RecordsError
from overnight.records import RecordsFile, open_table, read_records

NAMES = st.sampled_from(["t.csv", "t.tsv", "t.jsonl", "t.parquet", "t.xlsx", "t.bib", "t.csv.gz", "t.zip", "t"])
UNICODE = [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0"]
MARKS = st.sampled_from([*UNICODE, b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08", b"@article{", b"{", b"["])


def read_all(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        refused: tuple[Finding, ...] = ()
        try:
            table = open_table(path)
            for _, row in table.rows():
                assert len(row) == len(table.columns)
            records = read_records([RecordsFile(path)], id="auto", text=table.columns)
            assert records.check() == sum(1 for _ in table.rows())
        except RecordsError as error:
            refused = error.findings
            str(error).encode()  # it can be printed, whatever the file holds
        assert all(finding.what and finding.file in {str(path), f"{path} (member)"} for finding in refused[:20])


def archive(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        new.writestr("member", content)
    return file.getvalue()


@given(mark=MARKS, content=st.binary(max_size=200), name=NAMES)
@example(mark=b"", content=b'a\n"', name="t.csv")
@example(mark=b"", content=b"\r", name="t.csv")
@example(mark=b"", content=b"a,b\r1,2\r", name="t.csv")
@settings(max_examples=250, deadline=None)
def test_any_bytes(mark: bytes, content: bytes, name: str) -> None:
    read_all(mark + content, name)


@given(mark=MARKS, content=st.binary(max_size=100), pack=st.sampled_from([gzip.compress, archive]))
@settings(max_examples=100, deadline=None)
def test_any_bytes_packed(mark: bytes, content: bytes, pack: Callable[[bytes], bytes]) -> None:
    read_all(pack(mark + content), "t")


PIECES = [
    "a",
    "id",
    ",",
    ";",
    "\t",
    "\n",
    "\r\n",
    '"',
    '""',
    "{",
    "}",
    '{"a":',
    "1",
    "\\ud800",
    "é",
    "\0",
    ":",
    "[",
    "]",
    " ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30), NAMES, st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@settings(max_examples=250, deadline=None)
def test_any_arrangement_of_what_tables_are_made_of(pieces: list[str], name: str, encoding: str) -> None:
    read_all("".join(pieces).encode(encoding), name)


@cache
def sound(name: str) -> bytes:
    file = io.BytesIO()
    if name == "t.parquet":
        columns = {"id": range(50), "t": [f"text {i}" for i in range(50)], "l": [[i, None] for i in range(50)]}
        pq.write_table(pa.table(columns), file)
        return file.getvalue()
    book = Workbook()
    for row in (["id", "t"], [1, "x"], [2.5, "=A2"], ["3", None]):
        book.worksheets[0].append(row)
    book.save(file)
    return unpacked(file.getvalue())


def unpacked(archive: bytes) -> bytes:
    """The same archive, stored without compression, so that damage reaches the XML and not only the inflater."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return file.getvalue()


@given(st.sampled_from(["t.parquet", "t.xlsx"]), st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_parquet_and_xlsx(name: str, data: st.DataObject) -> None:
    content = bytearray(sound(name))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        content[at : at + len(piece)] = piece
    read_all(bytes(content), name)
