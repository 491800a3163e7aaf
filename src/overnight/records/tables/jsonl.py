"""JSON Lines: one object a line. Flat values keep their types; lists and objects become compact JSON text.

The columns are those of all lines, first seen first, so opening parses the whole file; reading rows parses it again.
"""

import codecs
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Final, NoReturn

from overnight.core.record import Cell
from overnight.errors import Finding
from overnight.records.encoding import CHUNK_BYTES, find_encoding
from overnight.records.findings import Findings, found, refuse, shown
from overnight.records.source import Source
from overnight.records.table import Entry, Table
from overnight.records.tables.header import checked_header
from overnight.records.tables.kinds import kind_of, merged_in_file

LINE_LIMIT: Final = 128 << 20
"""Bytes (characters, outside UTF-8) in one line. A file without line ends is noticed here, before it fills memory."""

_ONE_OBJECT: Final = 'Every line is one whole JSON object, such as {"id": "a1", "text": "…"}.'


def open_jsonl(source: Source) -> Table:
    """Parses every line once. Raises RecordsError with all lines that are no objects."""
    encoding = find_encoding(source)
    findings = Findings()
    kinds: dict[str, str] = {}
    line = 0
    for line, value in _objects(source, encoding.codec, _n_lines(source, encoding.codec)):  # noqa: B007 - named below
        if isinstance(value, Finding):
            findings.add(value)
            continue
        for name, cell in value.items():
            kinds[name] = merged_in_file(kinds.get(name, ""), kind_of(cell))
    findings.raise_if_any()
    if not line:
        raise refuse(source, "an empty table: only blank lines", hint=_ONE_OBJECT)
    if not kinds:
        raise refuse(source, "an empty table: its objects hold nothing", line=line, hint=_ONE_OBJECT)
    keys = tuple(kinds)
    columns, notes = checked_header(source, keys)
    return Table(
        source=source,
        format="jsonl",
        columns=columns,
        types=tuple(_declared(kind) for kind in kinds.values()),
        entries=lambda: _entries(source, encoding.codec, keys, {key for key in keys if "json" in kinds[key]}),
        notes=encoding.notes + notes,
        encoding=encoding.codec,
    )


def _declared(kind: str) -> str:
    return "text" if kind in {"", "text, json"} else kind


def _entries(source: Source, codec: str, keys: Sequence[str], nested: set[str]) -> Iterator[Entry]:
    """nested: the keys under which some line has a list or an object."""
    slots = [i for i, key in enumerate(keys) if key in nested]
    for line, value in _objects(source, codec):
        if isinstance(value, Finding):
            yield line, value, ""
            continue
        row = [value.get(key) for key in keys]
        for i in slots:
            row[i] = _flat(row[i])
        yield line, tuple(row), ""  # type: ignore[arg-type]  # a list or object is under `nested` keys only: open_jsonl saw all


def _flat(value: object) -> Cell:
    if isinstance(value, list | dict):
        import msgspec

        return msgspec.json.encode(value).decode()
    assert value is None or isinstance(value, str | int | float)
    return value


def _n_lines(source: Source, codec: str) -> int:
    """By the line ends in its bytes, which is not how they are read."""
    wide = codec in {"utf-16", "utf-32"}
    decoder = codecs.getincrementaldecoder(codec)()
    ends, last = 0, "\n"
    with source.open() as file:
        while chunk := file.read(CHUNK_BYTES):
            text = decoder.decode(chunk) if wide else ""
            ends += text.count("\n") if wide else chunk.count(b"\n")
            last = text[-1:] or (last if wide else chr(chunk[-1]))
    return ends + (last != "\n")


def _objects(source: Source, codec: str, n_lines: int = 0) -> Iterator[tuple[int, dict[str, object] | Finding]]:
    """(line, its object or what is wrong with it). n_lines: how many there have to be; 0 does not ask."""
    import msgspec

    number = 0

    decoder = msgspec.json.Decoder(dict[str, object])
    with _lines(source, codec) as file:
        for number, line in enumerate(_bounded(source, file), 1):
            if len(line) > LINE_LIMIT:
                what = f"a line of more than {LINE_LIMIT:,} characters; it begins {shown(_start(line), 40)}"
                yield number, found(source, what, line=number, hint=_ONE_OBJECT)
                return
            try:
                yield number, decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                text = line if isinstance(line, str) else line.decode(codec)
                if text and not text.isspace():
                    yield number, found(source, _why(text), line=number, hint=_ONE_OBJECT)
    if n_lines and number != n_lines:
        what = f"{number:,} lines were read and {n_lines:,} counted"
        yield number, found(source, what, line=number, hint="The file may have changed meanwhile: run again.")


def _bounded(source: Source, file: IO[str] | IO[bytes]) -> Iterable[str | bytes]:
    """Its lines, cut where one is too long. A file that is short enough as a whole is read the quick way."""
    if not source.packing and source.path.stat().st_size <= LINE_LIMIT:
        return file
    return iter(lambda: file.readline(LINE_LIMIT + 1), type(file.read(0))())


def _start(line: str | bytes) -> str:
    head = line[:100]
    return head if isinstance(head, str) else head.decode("utf-8", "replace")


def _lines(source: Source, codec: str) -> IO[str] | IO[bytes]:
    """The file at its first line. UTF-8 as bytes, which saves decoding and encoding each line: half of the time."""
    if not codec.startswith("utf-8"):
        return source.open_text(codec, "\n")
    file = source.open()
    if codec == "utf-8-sig":
        file.read(len(BOM_UTF8))
    return file


def _why(line: str) -> str:
    """What is wrong with a line that could not be decoded, by the standard library's more talkative parser."""
    begins = f"; it begins {shown(line.strip(), 40)}"
    try:
        value = json.loads(line, parse_constant=_no_such_number)
    except json.JSONDecodeError as error:
        half = error.pos >= len(line.rstrip()) or error.msg.startswith("Unterminated")
        reason = error.msg[:1].lower() + error.msg[1:]
        return f"{'half a line' if half else 'not JSON'}: {reason} at character {error.colno}{begins}"
    except RecursionError:
        return f"JSON nested too deep{begins}"
    except ValueError as error:
        return f"not JSON: {error}{begins}"
    if not isinstance(value, dict):
        return f"not a JSON object but {_article(value)}{begins}"
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return f"half of a surrogate pair (\\u{ord(error.object[error.start]):04x}), which is no character{begins}"
    return f"a number too large for any program to hold{begins}"


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number (write null)")


def _article(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
