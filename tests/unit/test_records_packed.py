"""Tables in gzip files and zip archives: each member a table; damage is an error, never fewer rows."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from overnight.errors import RecordsError
from overnight.records import RecordsFile, open_table, read_records
from overnight.records.opening import open_tables
from overnight.records.table import Row

CSV = b"id,title\n" + b"".join(b"%d,Naps %d\n" % (i, i * 7919) for i in range(40))
ROWS = [(i + 2, (str(i), f"Naps {i * 7919}")) for i in range(40)]


def zipped(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def rows(path: Path) -> list[tuple[int, Row]]:
    return list(open_table(path).rows())


def refusal(path: Path) -> str:
    with pytest.raises(RecordsError) as caught:
        all_rows(path)
    return str(caught.value)


def all_rows(path: Path) -> list[tuple[int, Row]]:
    return [entry for table in open_tables(path) for entry in table.rows()]


def as_parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": [str(i) for i in range(40)], "title": [row[1] for _, row in ROWS]}), file)
    return file.getvalue()


FORMATS: dict[str, tuple[bytes, list[str]]] = {
    "t.csv": (CSV, ["0", "Naps 0"]),
    "t.tsv": (CSV.replace(b",", b"\t"), ["0", "Naps 0"]),
    "t.jsonl": (b"\xef\xbb\xbf" + b'{"id": "0", "title": "Naps 0"}\n' * 40, ["0", "Naps 0"]),
    "t.parquet": (as_parquet(), ["0", "Naps 0"]),
    "t.bib": (b"@misc{0, title = {Naps 0}}\n" * 40, ["Naps 0", "0", "misc"]),
}


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("pack", [gzip.compress, None], ids=["gzip", "zip"])
def test_every_format_is_read_packed(tmp_path: Path, name: str, pack: Callable[[bytes], bytes] | None) -> None:
    content, first = FORMATS[name]
    packed = pack(content) if pack else zipped((name, content))
    table = open_table(put(tmp_path, f"{name}.gz" if pack else "t.zip", packed))
    found = list(table.rows())
    assert (len(found), list(found[0][1]), table.notes) == (40, first, ())


def test_the_place_of_a_record_names_archive_and_member(tmp_path: Path) -> None:
    archive = put(tmp_path, "x.zip", zipped(("a.csv", CSV), ("folder/b.csv", CSV)))
    packed = put(tmp_path, "c.csv.gz", gzip.compress(CSV))
    records = read_records([RecordsFile(archive), RecordsFile(packed)], id="auto", text=["title"])
    assert {record.source.rsplit(":", 1)[0] for record in records} == {
        "x.zip (a.csv)",
        "x.zip (folder/b.csv)",
        "c.csv.gz",
    }
    broken = put(tmp_path, "y.zip", zipped(("a.csv", CSV), ("b.csv", CSV + b"1,2,3\n")))
    assert f"{broken} (b.csv):42: 3 columns where the header has 2" in refusal(broken)


def test_an_archive_that_changes_between_two_readings_is_noticed(tmp_path: Path) -> None:
    path = put(tmp_path, "x.zip", zipped(("a.csv", CSV)))
    records = read_records([RecordsFile(path)], id="id", text=["title"])
    assert records.check() == 40
    put(tmp_path, "x.zip", zipped(("a.csv", CSV + b"99,new\n")))
    with pytest.raises(RecordsError, match="the file changed while it was read"):
        records.check()


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_archive_cut_anywhere_is_refused(tmp_path: Path, how: int) -> None:
    whole = zipped(("a.csv", CSV), how=how)
    assert rows(put(tmp_path, "t.zip", whole)) == ROWS
    for length in range(1, len(whole)):
        assert "t.zip" in refusal(put(tmp_path, "t.zip", whole[:length]))


def test_a_gzip_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(CSV)
    for length in range(2, len(whole)):
        assert "gzip file" in refusal(put(tmp_path, "t.csv.gz", whole[:length])) or length > 18


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(("a.csv", content))], ids=["gzip", "zip"])
def test_any_changed_byte_gives_the_same_rows_or_a_refusal(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(CSV)
    for at in range(len(whole)):
        for change in (0x01, 0x80, 0xFF):
            damaged = bytearray(whole)
            damaged[at] ^= change
            path = put(tmp_path, "t", bytes(damaged))
            try:
                read = all_rows(path)
            except RecordsError:
                continue
            assert read == ROWS, (at, change)


def test_several_gzip_members_are_one_table_and_garbage_after_them_is_refused(tmp_path: Path) -> None:
    half = CSV.index(b"20,")
    joined = gzip.compress(CSV[:half]) + gzip.compress(CSV[half:])
    assert rows(put(tmp_path, "t.gz", joined)) == ROWS
    assert rows(put(tmp_path, "t.gz", joined + b"\0" * 512)) == ROWS  # padding, as tape programs leave it
    assert "Not a gzipped file" in refusal(put(tmp_path, "t.gz", joined + b"garbage"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(gzip.compress(CSV)), "a gzip archive in another one"),
        (gzip.compress(zipped(("a.csv", CSV))), "a zip archive in another one"),
        (zipped(("a.csv.gz", gzip.compress(CSV))), "a gzip archive in another one"),
        (zipped(("a.zip", zipped(("a.csv", CSV)))), "a zip archive in another one"),
        (zipped(("a.csv", CSV), ("b.pdf", b"%PDF-1.7")), "t (b.pdf): this is a PDF"),
        (zipped(), "a zip archive without a file in it"),
        (zipped(("__MACOSX/._a.csv", b"x"), ("folder/", b"")), "a zip archive without a file in it"),
        (gzip.compress(b""), "an empty table"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive"),
        (b"a.csv".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (gzip.compress(b"a.csv".ljust(257, b"\0") + b"ustar\x0000"), "a tar archive"),
    ],
    ids=range(11),  # the bytes hold the time: each worker would name its cases otherwise
)
def test_what_cannot_be_unpacked_is_refused_with_words(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refusal(put(tmp_path, "t", content))


def test_what_computers_put_beside_the_table_is_left_out(tmp_path: Path) -> None:
    members = [("a.csv", CSV), ("__MACOSX/._a.csv", b"\0"), ("x/.DS_Store", b"\0"), ("Thumbs.db", b"\0")]
    assert rows(put(tmp_path, "t.zip", zipped(*members))) == ROWS


def test_a_locked_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(("a.csv", CSV)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    assert "'a.csv' in it is locked with a password" in refusal(put(tmp_path, "t.zip", bytes(content)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    """Opened by name, one of them would be read twice and the other never."""
    content = zipped(("a.csv", CSV), ("a.csv", b"id,title\n1,x\n"))
    assert "2 files in it are named 'a.csv'" in refusal(put(tmp_path, "t.zip", content))


def test_archives_made_to_swell_are_refused_before_they_are_read(tmp_path: Path) -> None:
    bomb = b"id,title\n" + b"1,x\n" * (20 << 20)
    said = refusal(put(tmp_path, "t.zip", zipped(("a.csv", bomb))))
    assert "made to swell" in said
    assert f"unpack to {len(bomb):,}" in said
    assert "it unpacks to more than 67,108,864 bytes: made to swell" in refusal(
        put(tmp_path, "t.gz", gzip.compress(bomb))
    )
    small = b"id,title\n" + b"1,x\n" * (1 << 20)
    assert len(rows(put(tmp_path, "t.gz", gzip.compress(small)))) == 1 << 20


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path) -> None:
    content = zipped(*((f"{i}.csv", b"a\n1\n") for i in range(1001)), how=zipfile.ZIP_STORED)
    assert "a zip archive of 1,001 files, of which 1,000 are read at most" in refusal(put(tmp_path, "t.zip", content))


@pytest.mark.parametrize("name", ["/etc/passwd.csv", "../../up.csv", "C:\\x.csv", "ü夜.csv", "a\x1b[31m\nb.csv"])
def test_odd_names_of_members_are_shown_and_never_written(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, "t.zip", zipped((name, CSV)))
    (record, *_) = read_records([RecordsFile(path)], id="id", text=["title"])
    assert record.source.startswith("t.zip (")
    assert record.source.isprintable()
    assert [file.name for file in tmp_path.iterdir()] == ["t.zip"]
