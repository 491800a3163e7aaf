"""YAML as the user wrote it: every scalar is text, every key knows its line, and what a study refuses is refused."""

import pytest

from overnight.study.yaml_nodes import Document, read_yaml, show


def read(text: str) -> Document:
    return read_yaml(text.encode(), "study.yaml")


@pytest.mark.parametrize(
    "written",
    ["yes", "no", "on", "Off", "true", "~", "null", "007", "0x1F", "1e3", "2026-01-02", "12:30:45", "1_000", ".5"],
)
def test_a_bare_scalar_is_the_text_that_was_written(written: str) -> None:
    document = read(f"a: {written}\nb: [{written}]\n")
    assert document.values == {"a": written, "b": [written]}
    assert document.findings == []


def test_a_key_with_nothing_behind_it_is_not_an_empty_text() -> None:
    assert read('a:\nb: ""\n').values == {"a": None, "b": ""}


def test_every_key_path_knows_its_line() -> None:
    document = read("a: 1\nb:\n  c: [x,\n    y]\n  d: |\n    one\n    two\n")
    assert document.lines[("a",)] == 1
    assert document.lines[("b", "c")] == 3
    assert document.lines[("b", "c", 1)] == 4
    assert document.text_lines[("b", "d")] == 6
    assert document.line(("b", "c", 7, "unheard")) == 3, "the nearest thing around it"
    assert show(("b", "c", 1)) == "b.c[1]"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "`a` is here twice (first on line 1)"),
        ("a: {b: 1, b: 2}\n", 1, "`b` is here twice"),
        ("a: &x 1\nb: *x\n", 1, "`&x` is a YAML anchor"),
        ("a: 1\nb: *x\n", 2, "`*x` is a YAML alias"),
        ("a: &x [*x]\n", 1, "`&x` is a YAML anchor"),
        ("a: 1\nb: !!int 3\n", 2, "`!!int` is a YAML tag"),
        ("a: !secret x\n", 1, "`!secret` is a YAML tag"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("- a\n- b\n", 1, "not a mapping"),
        ("just words\n", 1, "not a mapping"),
        ("", 1, "the file is empty"),
        ("# only a note\n", 1, "the file is empty"),
        ("a: 1\n{b: c}: d\n", 2, "a key has to be a word"),
        ("a:\n\tb: 1\n", 2, "not YAML"),
        ("a: 1\nb: is a review: yes\n", 2, "not YAML"),
        ("a: [x, y\nb: 1\n", 2, "not YAML"),
        ("a: 'open\n", 2, "not YAML"),
        ('a: 1\nb: "\\ud800"\n', 2, "U+D800"),
        ('a: "\\0"\n', 1, "U+0000"),
        ("a: 1\nb: x\x01y\n", 2, "U+0001"),
        ("[" * 100, 1, "nested too deeply"),
    ],
)
def test_what_is_refused_says_on_which_line(text: str, line: int, says: str) -> None:
    findings = read(text).findings
    assert [f for f in findings if says in f.what and f.line == line], [str(f) for f in findings]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a:\n\tb: 1\n", "no tabs"),
        ("a: is a review: yes\n", "in quotes"),
        ("a: {b: x {y} z}\n", "in quotes"),
        ("a: @x\n", "in quotes"),
        ("a: 'open\n", "not closed"),
    ],
)
def test_a_slip_that_many_make_has_a_hint(text: str, hint: str) -> None:
    (finding,) = read(text).findings
    assert hint in finding.hint


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (b"a: 1\nb: caf\xe9\n", 2, 'byte 0xe9 is not UTF-8: "é", if the file is cp1252'),
        (b"a: 1\nb: \x81\n", 2, "byte 0x81 is not UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "UTF-16"),
        (b"a: " + b"x" * 2_000_001, 1, "not a page to read aloud"),
    ],
)
def test_bytes_that_are_no_study(data: bytes, line: int, says: str) -> None:
    (finding,) = read_yaml(data, "study.yaml").findings
    assert (finding.line, says in finding.what) == (line, True)


def test_a_byte_order_mark_and_windows_line_ends_are_nothing_to_speak_of() -> None:
    document = read_yaml(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n", "study.yaml")
    assert document.values == {"a": "1", "b": "x\ny\n"}
    assert document.lines[("b",)] == 2


def test_a_text_cut_by_a_comment_is_warned_of_and_a_usual_comment_is_not() -> None:
    document = read("a: Trial #3 is meant\nb: person   # or include\nc: 'Trial #3'\nd: |\n  Trial #3\n")
    (warning,) = document.warnings
    assert (warning.path, warning.line, warning.level) == ("a", 1, "warning")
    assert '"#3 is meant"' in warning.what
    assert document.values["c"] == "Trial #3"
