"""Law: whatever a person types, load_study gives a Study or findings that stand in the file; nothing else escapes."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overnight.errors import Finding, StudyError
from overnight.study.load import load_study
from tests.unit.test_study_load import ASK, SCREEN

ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
SNIPPETS = st.sampled_from(
    [
        "",
        " ",
        "\n",
        "\t",
        ":",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "#",
        "'",
        '"',
        "|",
        "- ",
        "&a",
        "*a",
        "!x",
        "yes",
        "é",
        "🙂",
    ]
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["", "met", "title", "auto", "{x}", "include"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["id", "ask", "x"]), inner)),
    max_leaves=5,
)


def outcome(folder: Path, text: str) -> list[Finding]:
    (folder / "pubmed.csv").touch()
    (folder / "study.yaml").write_text(text, encoding="utf-8", newline="")
    try:
        return list(load_study(folder).warnings)
    except StudyError as error:
        return list(error.findings) or [Finding("")]  # a refusal without a reason is no finding either


def stand_in_the_file(findings: list[Finding], folder: Path, text: str) -> None:
    for finding in findings:
        assert finding.what
        assert finding.file == str(folder / "study.yaml")
        assert 1 <= finding.line <= text.count("\n") + 1


@ANY_FOLDER
@given(st.data())
def test_a_slip_of_the_keyboard(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([SCREEN, ASK]))
    start = data.draw(st.integers(0, len(text)))
    text = text[:start] + data.draw(SNIPPETS) + text[start + data.draw(st.integers(0, 30)) :]
    stand_in_the_file(outcome(tmp_path, text), tmp_path, text)


def _places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    return [path, *(place for step in steps for place in _places(value[step], (*path, step)))]  # type: ignore[index]  # steps come from value


@ANY_FOLDER
@given(st.data())
def test_any_value_in_any_place(tmp_path: Path, data: st.DataObject) -> None:
    values = yaml.safe_load(data.draw(st.sampled_from([SCREEN, ASK])))
    *way, last = data.draw(st.sampled_from(_places(values)[1:]))
    holder = values
    for step in way:
        holder = holder[step]
    holder[last] = data.draw(VALUES)
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    stand_in_the_file(outcome(tmp_path, text), tmp_path, text)


@pytest.mark.parametrize(
    "data", [b"\x00", b"\xff", b"a: \xed\xa0\x80", b"%YAML 9.9\n---\na: 1", b"? a", b"a: >\n\tb", b"-", b"{"]
)
def test_bytes_that_are_not_even_a_page(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "study.yaml").write_bytes(data)
    with pytest.raises(StudyError):
        load_study(tmp_path)
