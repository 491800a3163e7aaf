"""The importer's rules, checked before anything is uploaded.

Vertex AI loads the input file as a table of a hidden BigQuery dataset: one type is inferred per JSON key over the whole
file, and one line that breaks a rule fails the whole job before any row runs, with code 3 and "Failed to import data."
(facts 2.2; the rules and their evidence marks are the constants below). The test vectors in
tests/support/importer_vectors.py go through this linter and through the local cloud.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import orjson

MAX_LINES: Final = 200_000  # [D] requests per job
MAX_BYTES: Final = 1_000_000_000  # [D] "1 GB" of input file; the smaller reading of it
MAX_NESTING: Final = 15  # [L] "Schema nested too deeply, at least 16 compared to the maximum allowed level of 15"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")  # [L] BigQuery column names: no `$`, no space
_NUMBER_LIKE: Final = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")  # [U] such ids come back as numbers


@dataclass(frozen=True, slots=True)
class LintFinding:
    """A broken rule. line: 1-based; path: where in the line."""

    rule: str
    line: int
    path: str
    what: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.path}: {self.what}"


class Linter:
    """Feed it every distinct shape of line of one file; it remembers key and type pairs over all of them."""

    def __init__(self) -> None:
        self._types: dict[str, tuple[str, int]] = {}  # path (list items share one) → (type, line where first seen)
        self._spelling: dict[str, tuple[str, int]] = {}  # lower-case path → (path, line)

    def check(self, data: bytes, line: int) -> list[LintFinding]:
        """Findings of one line (its line end may be there or not). A blank one is no row and has none."""
        if not data.strip():
            return []
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as cause:
            return [LintFinding("json", line, "$", f"not JSON: {cause}")]
        if not isinstance(value, dict) or not isinstance(value.get("request"), dict):
            return [LintFinding("shape", line, "$", "a line is an object with an object `request` in it")]
        return [LintFinding(rule, line, path, what) for rule, path, what in self._walk(value, line)]

    def _walk(self, value: dict[str, object], line: int) -> Iterator[tuple[str, str, str]]:
        for key, inner in value.items():
            if isinstance(inner, str) and _NUMBER_LIKE.fullmatch(inner):
                yield "numeric_string", f"$.{key}", f"{inner!r} looks like a number and would come back as one"
        stack: list[tuple[object, str, int]] = [(value, "$", 0)]
        while stack:
            node, path, depth = stack.pop()
            if node is None:
                yield "null", path, "null where the importer expects a value"
                continue
            yield from self._one_type(node, path, line)
            if isinstance(node, dict):
                if not node:
                    yield "empty_object", path, "an empty object"
                elif depth >= MAX_NESTING:
                    yield "nesting", path, f"names nested deeper than {MAX_NESTING} levels"
                    continue
                for key, inner in node.items():
                    yield from self._name(key, f"{path}.{key}", line)
                    stack.append((inner, f"{path}.{key}", depth + 1))
            elif isinstance(node, list):
                if any(isinstance(inner, list) for inner in node):
                    yield "nested_list", path, "a list in a list"
                stack.extend((inner, f"{path}[]", depth) for inner in node if not isinstance(inner, list))

    def _name(self, key: str, path: str, line: int) -> Iterator[tuple[str, str, str]]:
        if not _NAME.fullmatch(key):
            yield "name", path, f"{key!r} is no column name: letters, digits and underscores only"
        spelled, first = self._spelling.setdefault(path.lower(), (path, line))
        if spelled != path:
            yield "case", path, f"differs only in case from {spelled} (line {first})"

    def _one_type(self, node: object, path: str, line: int) -> Iterator[tuple[str, str, str]]:
        found = _type_name(node)
        known, first = self._types.setdefault(path, (found, line))
        if known != found:
            yield "one_type", path, f"{found} here, {known} on line {first}: one type per key over the whole file"


def lint_lines(lines: Iterable[bytes]) -> list[LintFinding]:
    """All broken rules of a whole input file, limits included."""
    linter, findings, size_bytes, rows, count = Linter(), [], 0, 0, 0
    for count, data in enumerate(lines, start=1):
        size_bytes += len(data)
        rows += bool(data.strip())
        findings += linter.check(data, count)
    if not rows:
        findings.append(LintFinding("no_rows", count, "$", "no request in the file"))
    if rows > MAX_LINES:
        findings.append(LintFinding("lines", count, "$", f"{rows:,} lines, the limit of a job is {MAX_LINES:,}"))
    if size_bytes > MAX_BYTES:
        findings.append(LintFinding("bytes", count, "$", f"{size_bytes:,} bytes, the limit is {MAX_BYTES:,}"))
    return findings


def _type_name(node: object) -> str:
    if isinstance(node, bool):
        return "boolean"
    if isinstance(node, int | float):
        return "number"
    if isinstance(node, str):
        return "string"
    return "object" if isinstance(node, dict) else "list"
