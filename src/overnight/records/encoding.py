"""Which encoding a text file is in, found by decoding every byte of it once, strictly.

A byte-order mark decides. Without one: UTF-8; else Windows-1252 with a warning, unless the file is plainly UTF-8 with
damage in it: reading that as Windows-1252 would turn every good letter into two wrong ones without a word. Nor is it
Windows-1252 where that gives what no Western language writes: long runs of letters with accents (Chinese, Japanese,
Cyrillic, Greek), or capitals such as Ž inside words (é of old Macs). Which of those it is, is not guessed: refused.
Neither is a file with control characters: it is no text, such as a compressed one whose first bytes are damaged.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from overnight.errors import Finding, RecordsError
from overnight.records.findings import found, refuse, shown
from overnight.records.source import Source

CHUNK_BYTES: Final = 1 << 20

# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """codec: what `open(encoding=…)` takes. notes: a warning where the encoding is a guess."""

    codec: str
    notes: tuple[Finding, ...] = ()


def marked(head: bytes) -> str | None:
    """The codec that a byte-order mark at the start of a file names."""
    return next((codec for mark, codec in _MARKS if head.startswith(mark)), None)


def find_encoding(source: Source) -> Encoding:
    """Reads the whole file, in constant memory. Raises RecordsError for an undecodable byte or a NUL, with its line."""
    with source.open() as file:
        codec = marked(file.read(4))
    read = _read_through(source, codec or "utf-8")
    if read.fault and codec is not None:
        why = f"is not {_NAMES[codec]}, which the file's first bytes say it is"
        raise _undecodable(source, codec, read.fault, why)
    if read.fault is None:
        if read.has_nul:
            raise _nul(source, codec or "utf-8")
        return Encoding(codec or "utf-8")
    if read.has_nul or _read_through(source, "latin-1").has_nul:
        raise _nul(source, "latin-1")
    return _without_utf8(source, read.fault)


_NAMES: Final = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "utf-32": "UTF-32", "cp1252": "cp1252"}


@dataclass(frozen=True, slots=True)
class _Fault:
    offset: int
    byte: int


@dataclass(frozen=True, slots=True)
class _Read:
    """fault: the first byte that is not of the encoding; reading ended there. has_nul: before it."""

    fault: _Fault | None
    has_nul: bool


def _without_utf8(source: Source, fault: _Fault) -> Encoding:
    good, bad = _tally(source)
    if good > bad:
        others = "the other character outside ASCII is" if good == 1 else f"the {good:,} others outside ASCII are"
        raise _undecodable(source, "utf-8", fault, f"is not UTF-8, though {others}")
    beyond = _read_through(source, "cp1252").fault
    if beyond:
        raise _undecodable(source, "cp1252", beyond, "is neither UTF-8 nor Windows-1252")
    if control := _control(source):
        why = "is a control character, in a file that is not UTF-8: most likely no text at all"
        hint = "If it is a compressed file or another program's own format, it is damaged or not read: export it again."
        raise _undecodable(source, "cp1252", control, why, hint)
    if example := _not_western(source):
        hint = "It is in another encoding: save it again as UTF-8 from the program that made it."
        line = _line_at(source, "cp1252", fault.offset)
        raise refuse(source, f"not UTF-8, and as Windows-1252 it reads {shown(example)}", line=line, hint=hint)
    warning = found(
        source,
        f"not UTF-8 (first at byte 0x{fault.byte:02X}, offset {fault.offset:,}): read as Windows-1252",
        line=_line_at(source, "cp1252", fault.offset),
        hint="Look at letters with accents in what `overnight plan --show 3` prints; UTF-8 is the safe choice.",
        level="warning",
    )
    return Encoding("cp1252", (warning,))


_RUN: Final = re.compile(r"[^\x00-\x7f]{4,}")
_INSIDE_WORD: Final = re.compile(r"\w*[a-z][ŽŸŠƒˆ]\w*")


def _not_western(source: Source) -> str:
    """Words that show that a file is not Windows-1252, where they are half of all outside ASCII; else nothing.

    A run of one character, such as a rule of dashes, shows nothing.
    """
    decoder = codecs.getincrementaldecoder("cp1252")()
    outside = odd = 0
    example = ""
    for chunk in _chunks(source):
        text = decoder.decode(chunk)
        outside += sum(character > "\x7f" for character in text)
        runs = [run for run in _RUN.findall(text) if len(set(run)) > 2]
        words = _INSIDE_WORD.findall(text)
        odd += sum(map(len, runs)) + len(words)
        example = example or next(iter(words + runs), "")
    return example if odd * 2 > outside else ""


_CONTROL: Final = re.compile(rb"[\x01-\x08\x0e-\x19\x1b-\x1f\x7f]")
"""Not tabs, ends of lines and pages, and the 0x1A with which programs of DOS end a file."""


def _control(source: Source) -> _Fault | None:
    before = 0
    for chunk in _chunks(source):
        if first := _CONTROL.search(chunk):
            return _Fault(before + first.start(), chunk[first.start()])
        before += len(chunk)
    return None


_MEND: Final = "Mend that place, or save the file again as UTF-8 from the program that made it."


def _undecodable(source: Source, codec: str, fault: _Fault, why: str, hint: str = _MEND) -> RecordsError:
    return refuse(
        source,
        f"byte 0x{fault.byte:02X} at offset {fault.offset:,} {why}",
        line=_line_at(source, codec, fault.offset),
        hint=hint,
    )


def _chunks(source: Source) -> Iterator[bytes]:
    with source.open() as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _read_through(source: Source, codec: str) -> _Read:
    decoder = codecs.getincrementaldecoder(codec)()
    end, has_nul = 0, False
    try:
        for chunk in _chunks(source):
            end += len(chunk)
            has_nul = "\0" in decoder.decode(chunk) or has_nul
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        # error.object is what the decoder had kept back plus the chunk; both end at `end`.
        return _Read(_Fault(end - len(error.object) + error.start, error.object[error.start]), has_nul)
    return _Read(None, has_nul)


def _tally(source: Source) -> tuple[int, int]:
    """How many characters outside ASCII read well as UTF-8, and how many bytes do not."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    for chunk in _chunks(source):
        outside = [c for c in decoder.decode(chunk) if c > "\x7f"]
        escaped = sum("\udc80" <= c <= "\udcff" for c in outside)
        bad += escaped
        good += len(outside) - escaped
    return good, bad


def _nul(source: Source, codec: str) -> RecordsError:
    line = 1
    decoder = codecs.getincrementaldecoder(codec)()
    for chunk in _chunks(source):
        text = decoder.decode(chunk)
        line += text.partition("\0")[0].count("\n")
        if "\0" in text:
            break
    return refuse(
        source,
        "a NUL character: not a table of text",
        line=line,
        hint="If it is UTF-16 without a byte-order mark, or another program's own format, save it as CSV in UTF-8.",
    )


def _line_at(source: Source, codec: str, offset: int) -> int:
    """1-based number of the line that holds the byte at `offset`."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    line, left = 1, offset
    for chunk in _chunks(source):
        line += decoder.decode(chunk[:left]).count("\n")
        left -= len(chunk)
        if left <= 0:
            break
    return line
