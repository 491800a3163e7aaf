"""Damage as files suffer it: cut, doubled, spliced, flipped, decoded wrongly, saved again by another program."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

_TOKENS: Final = (
    *(b"TY  - JOUR", b"ER  - ", b"ER  -", b"AB  - ", b"TI  - zq9991x", b"PMID- 7", b"      ", b"UI  - 8", b"SO  - x"),
    *(
        b"@article{",
        b"@article{k,",
        b"}",
        b"{",
        b"@comment{",
        b"@string{a = {b}}",
        b"%",
        b'"',
        b'""',
        b"\\",
        b"#",
        b"=",
    ),
    *(b"<PubmedArticle>", b"</PubmedArticle>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;", b"&x;", b"<?x?>", b"<"),
    *(b"<record>", b"</record>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"/>", b"PT J", b"ER", b"EF", b"FN x", b"VR 1.0"),
    *(b"%0 Book", b"%T zq9992x", b",", b";", b"\t", b"|", b"sep=;", b"[", b"]", b'{"a": 1}', b"Record #3 of 9", b"<7>"),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\x0b", b"\x0c", b"\x1c", b"\x1e", b"\x1a", b"\x85", b"\xa0", b"\xff"),
    *(
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xa9",
        b"\xc2\x85",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
    ),
)
"""What formats are made of, and what programs trip over."""

_MOST_BYTES: Final = 1 << 18

Change = Callable[[Random, bytes, bytes], bytes]
"""(draw, the file, another file) → the file damaged."""


def damaged(draw: Random, content: bytes, other: bytes) -> bytes:
    """One to four changes; now and then none, so that what is whole is read too."""
    for _ in range(draw.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        content = draw.choice(_CHANGES)(draw, content, other)[:_MOST_BYTES]
    return content


def _place(draw: Random, content: bytes) -> int:
    """Anywhere, or more often where a line begins."""
    at = draw.randint(0, len(content))
    if draw.random() < 0.6:
        found = max(content.rfind(b"\n", 0, at), content.rfind(b"\r", 0, at))
        return found + 1
    return at


def _slice(draw: Random, content: bytes) -> tuple[int, int]:
    start, end = sorted((_place(draw, content), _place(draw, content)))
    return start, end


def _cut_end(draw: Random, content: bytes, other: bytes) -> bytes:
    return content[: _place(draw, content)]


def _cut_start(draw: Random, content: bytes, other: bytes) -> bytes:
    return content[_place(draw, content) :]


def _remove(draw: Random, content: bytes, other: bytes) -> bytes:
    start, end = _slice(draw, content)
    return content[:start] + content[min(end, start + draw.choice((1, 3, 30, 3000))) :]


def _double(draw: Random, content: bytes, other: bytes) -> bytes:
    start, end = _slice(draw, content)
    return content[:end] + content[start:end] * draw.choice((1, 1, 2)) + content[end:]


def _splice(draw: Random, content: bytes, other: bytes) -> bytes:
    at = _place(draw, content)
    start, end = _slice(draw, other)
    return content[:at] + other[start:end] + content[at:]


def _join(draw: Random, content: bytes, other: bytes) -> bytes:
    return content + draw.choice((b"", b"\n", b"\r\n\r\n")) + other


def _flip(draw: Random, content: bytes, other: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8)) if changed else 0):
        changed[draw.randrange(len(changed))] = draw.choice((draw.randrange(256), draw.randrange(32, 127)))
    return bytes(changed)


def _insert(draw: Random, content: bytes, other: bytes) -> bytes:
    at = _place(draw, content)
    return content[:at] + draw.choice(_TOKENS) * draw.choice((1, 1, 1, 2, 40)) + content[at:]


def _swap_lines(draw: Random, content: bytes, other: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) > 1:
        a, b = draw.randrange(len(lines)), draw.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
    return b"".join(lines)


def _drop_line(draw: Random, content: bytes, other: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    if lines:
        del lines[draw.randrange(len(lines))]
    return b"".join(lines)


def _set_in(draw: Random, content: bytes, other: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    first, last = sorted((draw.randint(0, len(lines)), draw.randint(0, len(lines))))
    indent = draw.choice((b" ", b"   ", b"      ", b"\t", b"> "))
    return b"".join(indent + line if first <= number < last else line for number, line in enumerate(lines))


def _line_ends(draw: Random, content: bytes, other: bytes) -> bytes:
    plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return plain.replace(b"\n", draw.choice((b"\n", b"\r\n", b"\r", b"\r\r\n", b"\n\n")))


def _encoding(draw: Random, content: bytes, other: bytes) -> bytes:
    text = content.decode(draw.choice(("utf-8", "cp1252", "latin-1")), "replace")
    return text.encode(draw.choice(("utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1", "utf-16-le")), "replace")


def _case(draw: Random, content: bytes, other: bytes) -> bytes:
    start, end = _slice(draw, content)
    part = content[start:end]
    return content[:start] + (part.lower() if draw.random() < 0.5 else part.upper()) + content[end:]


_CHANGES: Final[Sequence[Change]] = (
    *(_cut_end, _cut_start, _remove, _remove, _double, _splice, _splice, _join, _flip, _flip, _insert, _insert),
    *(_swap_lines, _drop_line, _drop_line, _set_in, _line_ends, _encoding, _case),
)
