"""JSON Lines in: typed cells, nested values as text, every broken line named."""

from pathlib import Path

import pytest

from overnight.errors import RecordsError
from overnight.records import open_table


def table(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / "t.jsonl"
    path.write_bytes("\n".join(lines).encode(encoding, "surrogatepass"))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(RecordsError) as caught:
        open_table(path)
    return str(caught.value)


def test_cells_keep_their_types_and_nested_ones_become_compact_json(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        '{"id": "007", "n": 1.0, "i": 9007199254740993, "b": false, "x": null}',
        "",
        '{"id": 2, "j": {"é": [1, {"a": "b c"}]}}',
    )
    opened = open_table(path)
    assert opened.columns == ("id", "n", "i", "b", "x", "j")
    assert list(opened.rows()) == [
        (1, ("007", 1.0, 9007199254740993, False, None, None)),
        (3, (2, None, None, None, None, '{"é":[1,{"a":"b c"}]}')),
    ]
    first = next(opened.rows())[1]
    assert [type(cell) for cell in first] == [str, float, int, bool, type(None), type(None)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings_and_crlf(tmp_path: Path, encoding: str) -> None:
    opened = open_table(table(tmp_path, '{"id": "é"}\r', '{"id": "b\\r\\nc"}\r', encoding=encoding))
    assert list(opened.rows()) == [(1, ("é",)), (2, ("b\r\nc",))]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": 1, "t": "half', "half a line"),
        ('{"id": 1', "half a line"),
        ('{"id": 1}}', "not JSON: extra data"),
        ("{'id': 1}", "not JSON: expecting property name"),
        ("[1, 2]", "not a JSON object but a list"),
        ('"x"', "not a JSON object but a text"),
        ("7", "not a JSON object but a number"),
        ("null", "not a JSON object but null"),
        ('{"id": NaN}', "NaN is no JSON number (write null)"),
        ('{"id": 1e999}', "a number too large"),
        ('{"id": "a\\ud800b"}', "half of a surrogate pair (\\ud800)"),
        ('{"id": "\\udc00"}', "half of a surrogate pair (\\udc00)"),
        ('{"id": "x", "\\ud83d": 1}', "half of a surrogate pair (\\ud83d)"),
        ('{"id": {"deep": ["\\ud800 "]}}', "half of a surrogate pair"),
        ('{"id": ' + "[" * 50_000 + "]" * 50_000 + "}", "nested too deep"),
        ('{"id": "a\tb"}', "not JSON: invalid control character"),
    ],
)
def test_a_line_that_is_no_object_is_refused_with_its_number(tmp_path: Path, line: str, said: str) -> None:
    text = refusal(table(tmp_path, '{"id": 1}', line, '{"id": 3}'))
    assert "t.jsonl:2: " in text
    assert said in text


def test_all_broken_lines_come_at_once(tmp_path: Path) -> None:
    text = refusal(table(tmp_path, '{"id": 1}', *["[]"] * 30))
    assert "t.jsonl:2:" in text
    assert "t.jsonl:21:" in text
    assert text.endswith("and 10 more")


def test_surrogate_pairs_are_characters(tmp_path: Path) -> None:
    assert list(open_table(table(tmp_path, '{"id": "\\ud83d\\ude34"}')).rows()) == [(1, ("😴",))]


def test_one_array_and_pretty_printed_json_are_told_what_to_do(tmp_path: Path) -> None:
    assert "this is one JSON array" in refusal(table(tmp_path, "[", '{"id": 1}', "]"))
    assert "t.jsonl:1: half a line" in refusal(table(tmp_path, "{", '"id": 1', "}"))


def test_empty_names_and_objects_that_hold_nothing(tmp_path: Path) -> None:
    assert "column 2 of 2 has no name" in refusal(table(tmp_path, '{"id": 1, "": 2}'))
    assert "its objects hold nothing" in refusal(table(tmp_path, "{}", "{}"))
    assert "only blank lines" in refusal(table(tmp_path, "", " ", ""))
