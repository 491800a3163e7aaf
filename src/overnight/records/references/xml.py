"""What the XML formats share: a stream of record elements with their places and bytes, and a count of them by text.

The parser is expat, the one in Python, with no way to fetch anything: a DOCTYPE is read over, an entity that the file
declares itself is refused (it may grow without bound or name another file), an HTML entity becomes its character.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.entities import html5
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from overnight.core.raised import raised
from overnight.errors import Finding
from overnight.records.findings import found, shown
from overnight.records.source import Source

_CHUNK_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 1 << 16
_RECORD_BYTES: Final = 1 << 26
"""More without the end of a record is refused: what has no end would fill the memory."""

_PROLOG: Final = r"(?:\s++|(?><\?.*?\?>)|(?><!--.*?-->)|(?><!DOCTYPE[^>\[]*+(?:\[.*?\]\s*+)?>))*+"
"""Atomic: forty DOCTYPEs in a row would be divided in every way there is."""
_DECLARED: Final = re.compile(rb"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)""")
_ENDS: Final = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_CUT: Final = frozenset({"no element found", "unclosed token", "unclosed CDATA section", "partial character"})


@dataclass(frozen=True, slots=True)
class RecordElement:
    """line: of its first character, 1-based. raw: its text as it stands in the file."""

    line: int
    element: Element
    raw: str


def begins_with(root: str) -> re.Pattern[str]:
    """What a document with such a root matches: declaration, comments and DOCTYPE are read over."""
    return re.compile(_PROLOG + root, re.DOTALL)


def text_of(element: Element | None) -> str:
    """All text within, of inline markup and MathML too, on one line."""
    return _one_line(said(element)) if element is not None else ""


def words_of(element: Element) -> str:
    """As `text_of`, but with a space between the texts of elements that are more than inline markup."""
    if all(child.tag in _INLINE or ":" in child.tag for child in element):
        return text_of(element)
    return _one_line(" ".join(element.itertext()))


_INLINE: Final = frozenset({"i", "b", "u", "sup", "sub", "DispFormula"})


def said(element: Element) -> str:
    """All text within as it stands. What is above or below the line is shown so where digits would run together:
    `10<sup>6</sup>` as 10⁶, a fraction of MathML as (a)/(b), two of its numbers with a blank between them.
    """
    if not len(element):
        return element.text or ""
    return "".join(_pieces(element, "", 0))


_ABOVE: Final = frozenset({"sup", "superscript"})
_BELOW: Final = frozenset({"sub", "inf", "subscript"})
_BASED: Final = {"msup": ("above",), "msub": ("below",), "msubsup": ("below", "above")}
"""MathML: the first element is the base, these are where the others stand."""
_MOST_DEEP: Final = 100
"""Elements within elements. Deeper than this, they were not made for reading, and their texts are only joined."""


def _pieces(element: Element, before: str, depth: int) -> Iterator[str]:
    """The texts of an element without what follows it. before: the character in front of it."""
    if depth > _MOST_DEEP:
        yield from element.itertext()
        return
    if element.text:
        yield element.text
        before = element.text[-1:]
    name = element.tag.rpartition(":")[2]
    places = _BASED.get(name, ())
    for number, child in enumerate(element):
        words = "".join(_pieces(child, before, depth + 1)) if len(child) else child.text or ""
        place = places[number - 1] if 0 < number <= len(places) else _place(child)
        if place:
            words = raised(words.strip(), before, above=place == "above")
        elif name == "mfrac":
            words = f"({words.strip()})" if number == 0 else f"/({words.strip()})"
        elif before.isdigit() and words[:1].isdigit() and child.tag.rpartition(":")[2].startswith("m"):
            words = f" {words}"  # `<mn>10</mn><mn>6</mn>` is not 106
        yield words
        before = words[-1:] or before
        if child.tail:
            yield child.tail
            before = child.tail[-1:]


def _place(element: Element) -> str:
    """Of `<sup>`, `<jats:sub>`, EndNote's `<style face="superscript">`: above, below, or empty."""
    name = element.tag.rpartition(":")[2]
    faces = {name, *element.get("face", "").split()} if name == "style" else {name}
    return "above" if faces & _ABOVE else "below" if faces & _BELOW else ""


_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text or "\t" in text or "  " in text:
        text = _BLANKS.sub(" ", text)
    return text.strip(" ")


def elements(source: Source, names: frozenset[str], noted: str = "") -> Iterator[RecordElement | Finding]:
    """Each element of one of these names that lies in no other, in order, in constant memory.

    noted: the name of an element that holds no record and is worth a warning. A Finding of level error is the last.
    Documents one after another are read as one, if their outermost elements have one name: downloads put together.
    """
    with source.open() as file:
        data = file.read(_CHUNK_BYTES)
        parser = _Parser(source, names, noted, _codec(data))
        while True:
            fault = parser.feed(data)
            yield from parser.done
            parser.done.clear()
            if fault and parser.rest:
                data = parser.rest
                if len(data) < _HEAD_BYTES:
                    data += file.read(_CHUNK_BYTES)
                if next_ := parser.next_document(data):
                    parser = next_
                    continue
            if fault:
                yield fault
            if fault or not data:
                return
            data = file.read(_CHUNK_BYTES)


class _Parser:
    """Feeds expat. Elements named in `names` are built whole; of all others only the beginning is seen."""

    def __init__(self, source: Source, names: frozenset[str], noted: str, codec: str) -> None:
        self.done: list[RecordElement | Finding] = []
        self._n_done = 0
        self._source, self._names, self._noted, self._codec = source, names, noted, codec
        self._window = bytearray()
        """The bytes from the last place that was seen to begin, at `_window_at`."""
        self._window_at = self._seen_at = self._line = self._lines_before = 0
        self._outermost = ""
        self.rest = b""
        """What follows the end of the document."""
        self._root: Element | None = None
        self._said = False
        """Was a warning made of what stands since the last record?"""
        self._builder = TreeBuilder()
        self._refusal: Finding | None = None
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.EntityDeclHandler = self._entity
        self._expat.SkippedEntityHandler = self._skipped
        self._expat.StartElementHandler = self._start
        self._expat.CharacterDataHandler = self._between

    def feed(self, data: bytes) -> Finding | None:
        """Goes on to the end of `data`; without any, the file is at its end. What is wrong, if anything is."""
        del self._window[: self._seen_at - self._window_at]
        self._window_at = self._seen_at
        self._window += data
        try:
            self._expat.Parse(data, not data)
        except expat.ExpatError as error:
            return self._broken(error)
        except (LookupError, ValueError) as error:  # an encoding that Python or expat does not know
            return self._found(f"its declared encoding cannot be read: {error}", "Save it as UTF-8.")
        if len(self._window) > _RECORD_BYTES and not self._refusal:
            return self._found(f"more than {_RECORD_BYTES:,} bytes without the end of a record", "Export it again.")
        return self._refusal

    def _found(self, what: str, hint: str, line: int = 0) -> Finding:
        return found(self._source, what, line=self._lines_before + (line or self._expat.CurrentLineNumber), hint=hint)

    def _broken(self, error: expat.ExpatError) -> Finding:
        if self._refusal:
            return self._refusal
        reason = expat.ErrorString(error.code)
        whole = f"{self._n_done:,} whole record{'' if self._n_done == 1 else 's'}"
        if reason in _CUT:
            what = f"the XML breaks off ({reason}), after {whole}"
            return self._found(what, "The file was cut: export or copy it again.", error.lineno)
        if reason == "junk after document element" or self._at_mark():
            self.rest = bytes(self._window[self._expat.ErrorByteIndex - self._window_at :])
            self._lines_before, error.lineno = self._lines_before + error.lineno - 1, 1
            hint = "Are these several XML files one after another? Save each in a file of its own."
            return self._found(f"something follows the end of the XML, after {whole}", hint, error.lineno)
        what = f"this is not sound XML: {reason}, column {error.offset + 1:,}, after {whole}"
        return self._found(what, "Mend that place, or export the file again.", error.lineno)

    def _at_mark(self) -> bool:
        """Whether it stopped at a byte-order mark behind the end of the document."""
        at = self._expat.ErrorByteIndex - self._window_at
        if not self._window[at : at + 3].startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return False
        return self._window[:at].decode(self._codec, "ignore").rstrip().endswith(f"</{self._outermost}>")

    def next_document(self, data: bytes) -> "_Parser | None":
        """Where another document of the same kind follows, what reads it. data: its first bytes."""
        head = data[:_HEAD_BYTES].decode(self._codec, "ignore").lstrip("\ufeff")
        if _codec(data) != self._codec or not begins_with(rf"<{self._outermost}[\s/>]").match(head):
            return None
        parser = _Parser(self._source, self._names, self._noted, self._codec)
        parser._n_done, parser._lines_before = self._n_done, self._lines_before
        return parser

    def _entity(self, name: str, *_: object) -> None:
        hint = "Entities can name other files or grow without end: a reference file has none. Export it again."
        self._refusal = self._refusal or self._found(f"the XML declares an entity of its own, {shown(name)}", hint)
        raise expat.ExpatError("an entity of its own")  # nothing of the file is read after that

    def _skipped(self, name: str, is_parameter: bool) -> None:
        if self._root is not None and not is_parameter:
            self._builder.data(html5.get(f"{name};", f"&{name};"))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._seen_at = self._expat.CurrentByteIndex
        self._line = self._lines_before + self._expat.CurrentLineNumber
        self._outermost = self._outermost or name
        if name in self._names:
            builder = self._builder = TreeBuilder()
            self._root = builder.start(name, attributes)
            self._expat.StartElementHandler = builder.start
            self._expat.CharacterDataHandler = builder.data
            self._expat.EndElementHandler = self._end
        elif name == self._noted:
            self._said = True
            what = f"an element {name}, which lists numbers and no records"
            self.done.append(found(self._source, what, line=self._line, level="warning"))

    def _between(self, text: str) -> None:
        """Text outside all records, such as that of an element whose name is not known: no record, and not silent."""
        if not self._said and text.strip():
            self._said = True
            what = f"text outside all records: {shown(text.strip())}"
            hint = "It was left out: look whether a record's tags are damaged there."
            line = self._lines_before + self._expat.CurrentLineNumber
            self.done.append(found(self._source, what, line=line, hint=hint, level="warning"))

    def _end(self, name: str) -> None:
        root = self._root
        if root is not None and self._builder.end(name) is root:
            self._n_done += 1
            self.done.append(RecordElement(self._line, root, self._raw(root)))
            self._root = None
            self._said = False
            self._expat.StartElementHandler = self._start
            self._expat.CharacterDataHandler = self._between
            self._expat.EndElementHandler = None

    def _raw(self, root: Element) -> str:
        """From the record's start to the `>` of its end tag, at which the parser is; past a tag that is both."""
        begin, end = self._seen_at - self._window_at, self._expat.CurrentByteIndex - self._window_at
        if len(root) or root.text or not self._window[begin:end].endswith("/>".encode(self._codec)):
            last = ">".encode(self._codec)
            end = self._window.index(last, end) + len(last)
        self._seen_at = self._window_at + end
        return bytes(self._window[begin:end]).decode(self._codec, "replace")


def _codec(head: bytes) -> str:
    """What the bytes are in, as expat sees it, in a name of Python's."""
    for mark, codec in (
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"<\0", "utf-16-le"),
        (b"\0<", "utf-16-be"),
    ):
        if head.startswith(mark):
            return codec
    declared = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
    try:
        return codecs.lookup(declared[1].decode()).name if declared else "utf-8"
    except LookupError:
        return "latin-1"  # the parser says what is wrong


def starts(source: Source, names: str) -> Iterator[tuple[int, str]]:
    """Line and name of every start tag of these names (`a|b`), outside comments, CDATA and instructions, by text."""
    mark = re.compile(rf"<!--|<!\[CDATA\[|<\?|<(?:{names})(?=[\s/>])")
    with source.open() as file:
        codec = _codec(file.read(_CHUNK_BYTES))
    rest, until, line = "", "", 1
    with io.TextIOWrapper(source.open(), encoding=codec, errors="replace") as file:  # any line break becomes "\n"
        while more := file.read(max(_CHUNK_BYTES, len(rest))):
            rest += more
            whole = rest.rfind(">") + 1
            at = counted = 0
            while True:
                if until:
                    end = rest.find(until, at)
                    if end < 0:
                        at = max(at, len(rest) - 2)
                        break
                    at, until = end + len(until), ""
                hit = mark.search(rest, at, whole)
                if hit is None:
                    at = max(at, whole)
                    break
                at, until = hit.end(), _ENDS.get(hit[0], "")
                if not until:
                    line, counted = line + rest.count("\n", counted, hit.start()), hit.start()
                    yield line, hit[0][1:]
            line, rest = line + rest.count("\n", counted, at), rest[at:]
