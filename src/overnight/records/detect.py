"""Which format a file is in, by its content. The name is a hint only, and one that lies is noted."""

import re
import zipfile
from pathlib import Path
from typing import Final, Literal

from overnight.errors import Finding, RecordsError
from overnight.records.encoding import marked
from overnight.records.findings import found, refuse

Kind = Literal["delimited", "jsonl", "parquet", "xlsx"]

_HEAD_BYTES: Final = 1 << 16

_READ: Final = "This version reads CSV, TSV, JSON Lines, Parquet and XLSX"

_NOT_TABLES: Final = (
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls) or one with a password", "Save it as .xlsx without a password."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"%PDF", "a PDF", f"{_READ}."),
    (b"ARROW1", "an Arrow (Feather) file", "Write it as Parquet."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
)

_NOT_YET: Final = (
    (re.compile(r"TY  ?-"), "a RIS file"),
    (re.compile(r"PMID ?-"), "a PubMed (.nbib) file"),
    (re.compile(r"(?:%[^\n]*\s+)*@[A-Za-z]+\s*[{(]"), "a BibTeX file"),
    (re.compile(r"<\?xml|<!DOCTYPE|<html|<PubmedArticle", re.IGNORECASE), "XML or HTML"),
)

_SUFFIXES: Final[dict[str, tuple[Kind, str]]] = {
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
}

_OBJECT: Final = re.compile(r'\{\s*("([^"\\]|\\.)*"\s*:|\})')


def detect(path: Path) -> Kind:
    """Looks at the first 64 KB. Raises RecordsError for what is no table, or no file that can be read."""
    head = _head(path)
    for magic, name, hint in _NOT_TABLES:
        if head.startswith(magic):
            raise refuse(path, f"this is {name}, not a table that can be read", hint=hint)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    return _text_kind(path, head)


def lying_name(path: Path, kind: Kind) -> tuple[Finding, ...]:
    """A warning when the name's ending says another format than the content."""
    said, name = _SUFFIXES.get(path.suffix.lower(), (kind, ""))
    if said == kind:
        return ()
    is_ = {"delimited": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet", "xlsx": "XLSX"}[kind]
    return (found(path, f"named like {name}, but its content is {is_}: read as {is_}", level="warning"),)


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise refuse(path, "a folder, not a file", hint="Name the table's file in `records.files`.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError as cause:
        raise refuse(path, "there is no such file", hint=_nearby(path)) from cause
    except (OSError, ValueError) as cause:  # ValueError: a NUL in the name
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise refuse(path, f"cannot be read: {reason}", hint="Give yourself the right to read it.") from cause
    if not head:
        raise refuse(path, "an empty table: the file holds nothing", hint="Export it again.")
    return head


def _nearby(path: Path) -> str:
    if not path.parent.is_dir():
        return f"Nor is there a folder {path.parent}. Paths count from the folder of study.yaml."
    names = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file())
    if not names:
        return "Paths count from the folder of study.yaml."
    return f"In {path.parent} there are: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}."


def _archive(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as cause:
        raise _damaged_archive(path) from cause
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    raise refuse(path, "this is a zip archive, not a table that can be read", hint="Unpack it first.")


def _damaged_archive(path: Path) -> RecordsError:
    return refuse(path, "this is a damaged zip archive or XLSX file", hint="Copy or export it again.")


def _text_kind(path: Path, head: bytes) -> Kind:
    text = head.decode(marked(head) or "latin-1", "replace").lstrip("\ufeff \t\r\n")
    for pattern, name in _NOT_YET:
        if pattern.match(text):
            raise refuse(path, f"this is {name}, which this version does not read", hint=f"{_READ}: export it as CSV.")
    suffix = path.suffix.lower()
    if text.startswith("["):
        if suffix in {".json", ".jsonl", ".ndjson"}:
            raise refuse(path, "this is one JSON array", hint="Write one object a line (JSON Lines).")
    elif suffix in {".jsonl", ".ndjson"}:
        return "jsonl"  # whatever it holds, so that the line that is no object is named
    elif text.startswith("{"):
        named_otherwise = _SUFFIXES.get(suffix, ("jsonl", ""))[0] == "delimited"
        return "jsonl" if not named_otherwise or _OBJECT.match(text) else "delimited"
    return "delimited"
