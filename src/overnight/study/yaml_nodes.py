"""YAML as the user wrote it: every scalar is text, every key path knows its line.

PyYAML's BaseLoader resolves nothing, so `yes`, `007`, `2026-01-02` and `1e3` stay what they look like; the models say
where a number is wanted. What YAML can do and a study does not need (anchors, merges, tags, several documents) is
refused: it would make the page mean something a colleague does not see when it is read aloud.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

from overnight.errors import Finding

KeyPath = tuple[str | int, ...]
"""`("records", "files", 1)`; shown as `records.files[1]`."""

Plain = str | list["Plain"] | dict[str, "Plain"] | None
"""A YAML value as text, lists and mappings. None: a key with nothing behind it."""

MAX_BYTES: Final = 500_000
"""PyYAML reads some 200 kB a second, twice."""
MAX_DEPTH: Final = 60
_NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")


@dataclass(slots=True)
class Document:
    """The values of one YAML file and where each of them stands (lines are 1-based).

    lines: key path → line of the key, or of the item in a list. text_lines: for block texts (`|`), the line their first
    word stands on. flow: paths of one-line mappings `{…}`.
    """

    file: str
    values: dict[str, Plain] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    text_lines: dict[KeyPath, int] = field(default_factory=dict)
    flow: set[KeyPath] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def line(self, path: KeyPath) -> int:
        """The line of the path, or of the nearest thing around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def add(self, what: str, path: KeyPath, hint: str = "", *, line: int = 0) -> None:
        self.findings.append(Finding(what, show(path), self.file, line or self.line(path), hint))


def show(path: KeyPath) -> str:
    """`("records", "files", 1)` → `records.files[1]`."""
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return shown.removeprefix(".")


def read_yaml(data: bytes, file: str) -> Document:
    """The document, with everything that is wrong with it as YAML in `findings`. Never raises for what is in `data`."""
    document = Document(file)
    text = _decode(data, document)
    if text is None:
        return document
    try:
        if _only_plain_yaml(text, document):
            root = yaml.compose(text, Loader=yaml.BaseLoader)
            _take_root(root, document)
    except yaml.YAMLError as cause:
        _syntax_finding(cause, text, document)
    except RecursionError:
        document.add(f"the file is nested too deeply (more than {MAX_DEPTH} levels)", ())
    except (ValueError, OverflowError) as cause:  # PyYAML trusts the number in `%YAML 1.1` and in "\\U0001F4A4"
        document.add(f"this is not YAML: {cause}", ())
    return document


def _decode(data: bytes, document: Document) -> str | None:
    if len(data) > MAX_BYTES:
        document.add(f"a study of {len(data):,} bytes is not a page to read aloud (at most {MAX_BYTES:,})", ())
        return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        document.add("the file is UTF-16", (), _AS_UTF8)
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = data.count(b"\n", 0, cause.start) + 1
        byte = data[cause.start : cause.start + 1]
        letter = byte.decode("cp1252", "ignore")
        guess = f': "{letter}", if the file is cp1252, as older Windows programs write' if letter.isprintable() else ""
        document.add(f"byte 0x{byte.hex()} is not UTF-8{guess if letter else ''}", (), _AS_UTF8, line=line)
        return None


_AS_UTF8: Final = (
    "Save the file as UTF-8: Notepad, Save as, Encoding; VS Code, the encoding in the bottom line, Save with Encoding."
)


def _only_plain_yaml(text: str, document: Document) -> bool:
    """False, with findings, where the file uses what a study refuses. Composing an alias to itself would never end."""
    before, depth, documents = len(document.findings), 0, 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            document.add(f"the file is nested too deeply (more than {MAX_DEPTH} levels)", (), line=line)
            return False
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:
                document.add("a second document begins here", (), "Take the line `---` out: a study is one.", line=line)
        elif isinstance(event, yaml.AliasEvent):
            document.add(f"`*{event.anchor}` is a YAML alias", (), "Write the value out.", line=line)
        elif isinstance(event, yaml.NodeEvent):
            _refuse_extras(event, line, document)
    return len(document.findings) == before


def _refuse_extras(event: yaml.NodeEvent, line: int, document: Document) -> None:
    if event.anchor:
        document.add(
            f"`&{event.anchor}` is a YAML anchor", (), "Write the values out where they are needed.", line=line
        )
    tag = getattr(event, "tag", None)
    if tag:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        hint = 'Take it out; for a text that begins with "!", put the text in quotes.'
        document.add(f"`{shown}` is a YAML tag", (), hint, line=line)


def _take_root(root: yaml.Node | None, document: Document) -> None:
    if not isinstance(root, yaml.MappingNode) or not root.value:
        empty = root is None or root.value in ("", [])
        what = "the file is empty" if empty else "the file is not a mapping of keys to values"
        document.add(what, (), "Begin with a line such as `study: my-study`; `overnight init` writes a whole page.")
        return
    document.lines[()] = root.start_mark.line + 1
    document.values = _mapping(root, (), document)


def _plain(node: yaml.Node, path: KeyPath, document: Document) -> Plain:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return list(_items(node, path, document))
    assert isinstance(node, yaml.ScalarNode)  # there are three kinds of nodes
    return _scalar(node, path, document)


def _mapping(node: yaml.MappingNode, path: KeyPath, document: Document) -> dict[str, Plain]:
    if node.flow_style:
        document.flow.add(path)
    values: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            hint = "A text in braces needs quotes." if node.flow_style or key_node.flow_style else ""
            document.add("a key has to be a word", path, hint, line=line)
            continue
        key = key_node.value
        inner = (*path, key)
        if odd := _NOT_TEXT.search(key):
            document.add(f"a key holds the character U+{ord(odd[0]):04X}", path, "Take it out.", line=line)
            continue
        if key in values:
            first = document.lines[inner]
            document.add(f"`{key}` is here twice (first on line {first})", inner, "Keep one of the two.", line=line)
            continue
        document.lines[inner] = line
        values[key] = _plain(value_node, inner, document)
    return values


def _items(node: yaml.SequenceNode, path: KeyPath, document: Document) -> Iterator[Plain]:
    for i, item in enumerate(node.value):
        document.lines[(*path, i)] = item.start_mark.line + 1
        yield _plain(item, (*path, i), document)


def _scalar(node: yaml.ScalarNode, path: KeyPath, document: Document) -> str | None:
    text = str(node.value)
    if not text and node.style is None:
        return None
    if node.style is None:
        _warn_of_comment(node, path, document)
    if node.style == "|":
        document.text_lines[path] = node.start_mark.line + 2
    odd = _NOT_TEXT.search(text)
    if odd:
        document.add(f"the text holds the character U+{ord(odd[0]):04X}, which no model can read", path, "Take it out.")
    return _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)  # the models could not even read half a surrogate pair


_TAIL_COMMENT: Final = re.compile(r"[ \t]+(#[^\s#][^\n]{0,30})")


def _warn_of_comment(node: yaml.ScalarNode, path: KeyPath, document: Document) -> None:
    """`ask: Trial #3 is meant` is the text "Trial": the rest is a comment. Comments with a space behind # are usual."""
    mark = node.end_mark
    rest = _TAIL_COMMENT.match(mark.buffer, mark.pointer) if mark and mark.buffer else None
    if rest:
        what = f'the text ends before "{rest[1]}": YAML reads that as a comment'
        hint = "Put the text in quotes, or a space behind the #."
        document.warnings.append(Finding(what, show(path), document.file, document.line(path), hint, "warning"))


_HINTS: Final = (
    ("\\t", "Indent with spaces: YAML allows no tabs there."),
    ("mapping values are not allowed", 'Put a text that holds ": " in quotes, or check how far the line is indented.'),
    ("expected ',' or '}'", 'Inside { } put a text that holds , : ? or braces in quotes: ask: "Is it short, or not?"'),
    ("expected ',' or ']'", "Inside [ ] put a text that holds , : or brackets in quotes."),
    ("while scanning a quoted scalar", "A quote is opened and not closed."),
    ("could not find expected ':'", "A key needs a colon and a space behind it; a longer text goes under `|`."),
    ("cannot start any token", "Put a text that begins with this character in quotes."),
    (
        "while parsing a block mapping",
        "Check how far the line is indented, and put texts with : # or quotes in quotes.",
    ),
    (
        "while parsing a block collection",
        "Check how far the line is indented: items of one list stand under each other.",
    ),
)


def _syntax_finding(cause: yaml.YAMLError, text: str, document: Document) -> None:
    mark = getattr(cause, "problem_mark", None) or getattr(cause, "context_mark", None)
    if isinstance(cause, yaml.reader.ReaderError):
        line = text.count("\n", 0, cause.position) + 1
        document.add(f"the character U+{int(cause.character):04X} is not allowed", (), "Take it out.", line=line)
        return
    words = ", ".join(w for w in (getattr(cause, "context", None), getattr(cause, "problem", None)) if w) or str(cause)
    if "could not find expected ':'" in words:  # the problem is seen on the next line, the slip is where the key began
        mark = getattr(cause, "context_mark", None) or mark
    hint = next((hint for fragment, hint in _HINTS if fragment in words), "")
    document.add(f"this is not YAML: {words}", (), hint, line=mark.line + 1 if mark else 1)
