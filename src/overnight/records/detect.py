"""Which format a file is in, by its content. The name is a hint only, and one that lies is noted."""

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from overnight.errors import Finding, RecordsError
from overnight.records.encoding import marked
from overnight.records.findings import Findings, found, refuse, shown
from overnight.records.references import FORMATS
from overnight.records.source import MOST_RATIO, SMALL_BYTES, UNPACKING, Source

_HEAD_BYTES: Final = 1 << 16
_MOST_MEMBERS: Final = 1_000

_TABLES: Final = {"delimited": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet", "xlsx": "XLSX"}
"""Kinds of tables and their names for people. The other kinds are the names in `FORMATS`."""

_READ: Final = f"This version reads CSV, TSV, {', '.join((*list(_TABLES.values())[1:], *(f.title for f in FORMATS)))}"

_FROM: Final = "In a study, paths begin at the folder of study.yaml."

_REPACK: Final = "Unpack it, or pack it as zip or gzip."

_NOT_TABLES: Final = (
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls) or one with a password", "Save it as .xlsx without a password."),
    (b"\x1f\x8b", "a gzip archive in another one", "Unpack it first."),
    (b"PK\x05\x06", "a zip archive without a file in it", "Pack it again with the table."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _REPACK),
    (b"Rar!", "a RAR archive", _REPACK),
    (b"\xfd7zXZ\0", "an xz archive", _REPACK),
    (b"BZh", "a bzip2 archive", _REPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _REPACK),
    (b"%PDF", "a PDF", f"{_READ}."),
    (b"ARROW1", "an Arrow (Feather) file", "Write it as Parquet."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
)

_NOT_YET: Final = ((re.compile(r"<\?xml|<!DOCTYPE|<html", re.IGNORECASE), "XML or HTML"),)

_SUFFIXES: Final[dict[str, tuple[str, str]]] = {
    ".csv": ("delimited", "CSV"),
    ".tsv": ("delimited", "TSV"),
    ".tab": ("delimited", "TSV"),
    ".jsonl": ("jsonl", "JSON Lines"),
    ".ndjson": ("jsonl", "JSON Lines"),
    ".parquet": ("parquet", "Parquet"),
    ".pq": ("parquet", "Parquet"),
    ".xlsx": ("xlsx", "XLSX"),
    ".xlsm": ("xlsx", "XLSX"),
    ".xls": ("xlsx", "XLSX"),
} | {suffix: (f.name, f.title) for f in reversed(FORMATS) for suffix in f.suffixes if suffix not in {".txt", ".xml"}}

_OBJECT: Final = re.compile(r'\{\s*("([^"\\]|\\.)*"\s*:|\})')


def sources(path: Path) -> list[Source]:
    """What lies in a file: itself, what a gzip file holds, or each member of a zip archive, in its order.

    Raises RecordsError for what is no file that can be read, and for an archive that is damaged or holds no file.
    """
    plain = Source(path)
    head = _head(plain)
    if head.startswith(b"\x1f\x8b"):
        return [Source(path, "gzip")]
    if not head.startswith(b"PK\x03\x04") or _is_workbook(plain):
        return [plain]
    with zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info.filename)]
    _check_members(plain, members)
    return [Source(path, "zip", info.filename) for info in members]


def _check_members(archive: Source, members: Sequence[zipfile.ZipInfo]) -> None:
    """Raises RecordsError for an archive whose members cannot all be read, each one under its own name."""
    if not members:
        raise refuse(archive, "a zip archive without a file in it", hint="Pack it again with the table.")
    if len(members) > _MOST_MEMBERS:
        what = f"a zip archive of {len(members):,} files, of which {_MOST_MEMBERS:,} are read at most"
        raise refuse(archive, what, hint="Pack the tables only, or name them one by one.")
    findings = Findings()
    for name, n in Counter(info.filename for info in members).items():
        if n > 1:
            hint = "Unpack it, and name the files one by one."
            findings.add(found(archive, f"{n} files in it are named {shown(name)}", hint=hint))
    for info in members:
        if info.flag_bits & 1:
            what = f"{shown(info.filename)} in it is locked with a password"
            findings.add(found(archive, what, hint="Unpack it, and name the file that comes out."))
    size_bytes, packed_bytes = sum(info.file_size for info in members), archive.path.stat().st_size
    if size_bytes > max(SMALL_BYTES, packed_bytes * MOST_RATIO):
        what = f"its {packed_bytes:,} bytes unpack to {size_bytes:,}: an archive made to swell"
        findings.add(found(archive, what, hint="If it is sound, unpack it, and name the files in it."))
    findings.raise_if_any()


def _is_litter(name: str) -> bool:
    """What macOS and Windows put into an archive beside the files."""
    last = name.rsplit("/", 1)[-1]
    return name.startswith("__MACOSX/") or last in {".DS_Store", "Thumbs.db", "desktop.ini"}


def detect(source: Source) -> str:
    """A key of `_TABLES`, or the name of a format in `FORMATS`, by the first 64 KB.

    Raises RecordsError for what is no table, or no file that can be read.
    """
    head = _head(source)
    for magic, name, hint in _NOT_TABLES:
        if head.startswith(magic):
            raise refuse(source, f"this is {name}, not a table that can be read", hint=hint)
    if head[257:262] == b"ustar":
        raise refuse(source, "this is a tar archive, not a table that can be read", hint="Unpack it first.")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        if _is_workbook(source):
            return "xlsx"
        raise refuse(source, "this is a zip archive in another one", hint="Unpack it first.")
    return _text_kind(source, head)


def title_of(kind: str) -> str:
    """The name of a kind for people."""
    return _TABLES.get(kind) or next(f.title for f in FORMATS if f.name == kind)


def lying_name(source: Source, kind: str) -> tuple[Finding, ...]:
    """A warning when the name's ending says another format than the content."""
    said, name = _SUFFIXES.get(source.suffix, (kind, ""))
    if said == kind:
        return ()
    is_ = title_of(kind)
    return (found(source, f"named like {name}, but its content is {is_}: read as {is_}", level="warning"),)


def _head(source: Source) -> bytes:
    path = source.path
    if path.is_dir():
        raise refuse(source, "a folder, not a file", hint="Name the files in it, one by one.")
    try:
        with source.open() as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError as cause:
        raise refuse(source, "there is no such file", hint=_nearby(path)) from cause
    except (*UNPACKING, zlib.error) as cause:
        raise _damaged_archive(source, cause) from cause
    except (OSError, ValueError) as cause:  # ValueError: a NUL in the name
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise refuse(source, f"cannot be read: {reason}", hint="Give yourself the right to read it.") from cause
    if not head:
        raise refuse(source, "an empty table: the file holds nothing", hint="Export it again.")
    return head


def _nearby(path: Path) -> str:
    if not path.parent.is_dir():
        return f"Nor is there a folder {path.parent}. {_FROM}"
    names = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file())
    if not names:
        return _FROM
    return f"In {path.parent} there are: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}."


def _is_workbook(source: Source) -> bool:
    try:
        with source.seekable() as file, zipfile.ZipFile(file) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except (*UNPACKING, zlib.error, OSError, ValueError) as cause:
        raise _damaged_archive(source, cause) from cause


def _damaged_archive(source: Source, cause: Exception) -> RecordsError:
    what = "this is a damaged gzip file" if source.packing == "gzip" else "this is a damaged zip archive or XLSX file"
    return refuse(source, f"{what}: {cause}", hint="Copy or export it again.")


def _text_kind(source: Source, head: bytes) -> str:
    text = head.decode(marked(head) or "latin-1", "replace").lstrip("\ufeff \t\r\n")
    for format_ in FORMATS:
        if format_.looks_like(text):
            return format_.name
    for pattern, name in _NOT_YET:
        if pattern.match(text):
            what = f"this is {name}, which this version does not read"
            raise refuse(source, what, hint=f"{_READ}: export it as one of these.")
    if text.startswith("["):
        if source.suffix in {".json", ".jsonl", ".ndjson"}:
            raise refuse(source, "this is one JSON array", hint="Write one object a line (JSON Lines).")
    elif source.suffix in {".jsonl", ".ndjson"}:
        return "jsonl"  # whatever it holds, so that the line that is no object is named
    elif text.startswith("{"):
        named_otherwise = _SUFFIXES.get(source.suffix, ("jsonl", ""))[0] == "delimited"
        return "jsonl" if not named_otherwise or _OBJECT.match(text) else "delimited"
    return "delimited"
