"""Law: whatever a study file holds, reading it gives a study or a StudyError a person can read; nothing is executed."""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overnight.errors import StudyError
from overnight.study.load import load_study
from overnight.study.models import Study
from overnight.study.told import MOST_FINDINGS

ASK = """\
study: naps
records: {files: [records.csv], id: id, max_text_chars: 1000}
ask:
  system: You read.
  prompt: |
    Who was studied?
    {text}
  answer:
    who: {type: string, nullable: true, description: the people}
    naps: {type: string, enum: [planned, none]}
    people: {type: integer, minimum: 0, maximum: 9}
    all: {type: array, items: {type: object, properties: {name: {type: string}}}}
model: {name: gemini-3.5-flash-lite, thinking: low}
budget: {limit_usd: 20, when_over: refuse}
attempts: 3
cloud: {project: my-project, location: global, bucket: gs://my-bucket/overnight}
"""
SCREEN = """\
study: naps
records: {files: [records.csv], id: auto, text: [text], no_abstract: person}
screen:
  question: Do naps help?
  include:
    - {id: night, ask: They worked at night., if_silent: unclear}
  exclude:
    - {id: no_data, ask: Is a review., reason: Wrong type}
  rule: majority
  prompts: {screen: mine.txt, adjudicate: mine.txt}
deep_think: {samples: 3, adjudicate: contested, adaptive: true, framings: [neutral, for, against]}
model: {name: gemini-3.8-flash, thinking: max}
"""


@cache
def folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="hostile-studies-"))
    (made / "records.csv").write_text("id,text\nr1,Nurses took naps.\n")
    (made / "mine.txt").write_text("Judge it.")
    (made / "odd.txt").write_bytes(b"\xff\x1b[2J\0")
    return made


def read(data: bytes | str) -> Study | StudyError:
    """The study, or its findings, each of them fit for a terminal."""
    path = folder() / "study.yaml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
    before = sorted(folder().iterdir())
    found = attempt(path)
    assert sorted(folder().iterdir()) == before
    if isinstance(found, Study):
        str(found.warnings).encode()
    else:
        check_told(found, path)
    return found


def attempt(path: Path) -> Study | StudyError:
    try:
        return load_study(path)
    except StudyError as error:
        return error


def check_told(error: StudyError, path: Path) -> None:
    told = str(error)
    told.encode()
    assert 0 < len(error.findings) <= MOST_FINDINGS + 1
    assert len(told) < 250_000
    for finding in error.findings:
        assert finding.what
        assert finding.file == str(path) or finding.what.startswith("and ")
        assert not [c for c in f"{finding.what}{finding.path}{finding.hint}" if ord(c) < 32 or 127 <= ord(c) < 160]


def test_the_two_studies_below_are_sound() -> None:
    assert isinstance(read(ASK), Study), str(read(ASK))
    assert isinstance(read(SCREEN), Study)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
@example(b"\xff\xfea\0")
@example("%YAML 99999.1\n---\na: 1")
@settings(max_examples=200, deadline=None)
def test_any_bytes_and_any_text(data: bytes | str) -> None:
    read(data)


PIECES = st.sampled_from(
    ["study", ":", ": ", "\n", "\n  ", "- ", "[", "]", "{", "}", ",", "'", '"', "|", ">", "&a", "*a", "<<", "!!", "!",
     "!!python/object/apply:os.system", "%YAML 1.1\n", "---", "...", "#", "? ", "\t", "\0", "\x85", "\\", "@", "`", "~",
     "records", "ask", "screen", "model", "x", "1", "\ufeff", "\u2028", "é", "\U0001f4a4"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_arrangement_of_what_yaml_is_made_of(text: str) -> None:
    read(text)


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["records.csv", "../../etc/passwd", "/dev/zero", "gs://b", "{text}", "{", "auto", "high", "-1",
                     "odd.txt", ".", "3", "true", "neutral", "for",
                     "1e999", "nan", "9" * 5000, "x" * 5000, "a\ud800", "a\x9b", "a\0b", "\x1b[2J"]),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(["study", "records", "files", "id", "text", "ask", "prompt", "answer", "screen", "include", "model",
                     "name", "thinking", "type", "enum", "minimum", "budget", "limit_usd", "cloud", "bucket", "path",
                     "deep_think", "samples", "adjudicate", "adaptive", "framings", "rule", "prompts"]),
    st.text(max_size=10),
)  # fmt: skip
HOLDERS = lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5))  # noqa: E731
VALUES = st.recursive(LEAVES, HOLDERS, max_leaves=20)


@given(st.dictionaries(KEYS, VALUES, max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_values(values: dict[str, Any]) -> None:
    """As JSON, which YAML includes: escapes of every kind reach the values."""
    read(json.dumps(values))


def paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from paths(inner, (*path, key))


HOWS = st.sampled_from(["replaced", "deleted", "monstrous", "deep", "renamed", "many"])


@given(st.sampled_from([ASK, SCREEN]), HOWS, VALUES, st.data())
@settings(max_examples=120, deadline=None)
def test_a_sound_study_with_one_thing_spoiled(text: str, how: str, value: object, data: st.DataObject) -> None:
    study = yaml.safe_load(text)
    *holders, last = data.draw(st.sampled_from(list(paths(study))))
    place = study
    for step in holders:
        place = place[step]
    if how == "deleted":
        del place[last]
    elif how == "renamed" and isinstance(place, dict):
        place[data.draw(KEYS)] = place.pop(last)
    else:
        spoiled = {"monstrous": "x" * 20_000, "deep": [[[[[[place[last]]]]]]], "many": [place[last]] * 300}
        place[last] = spoiled.get(how, value)
    read(json.dumps(study))


@given(st.sampled_from([ASK, SCREEN]), st.data())
@settings(max_examples=200, deadline=None)
def test_a_sound_study_with_a_line_twice_moved_or_cut(text: str, data: st.DataObject) -> None:
    lines = text.splitlines(keepends=True)
    at, to = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines)))
    moved = lines[at] if data.draw(st.booleans()) else lines[at][data.draw(st.integers(0, len(lines[at]))) :]
    lines.insert(to, moved)
    read("".join(lines))


@contextmanager
def within(seconds: float, growth_mb: int) -> Iterator[None]:
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - started < seconds
    if sys.platform == "linux":
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < growth_mb


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
SELF = "study: &a [*a]\n"
MONSTERS = {
    "bomb of aliases": (BOMB, "anchor"),
    "an alias to itself": (SELF, "anchor"),
    "merge keys": (f"base: &b {{a: 1}}\nmodel: {{<<: *b}}\n{ASK}", "anchor"),
    "python tag": ("study: !!python/object/apply:os.system ['touch pwned']\n", "tag"),
    "python name": ("study: !!python/name:os.system\n", "tag"),
    "10 MB": ("study: " + "x" * 10_000_000, "10,000,007 bytes"),
    "NULs": ("study: n\0aps\n", "U+0000"),
    "escaped NUL": (ASK.replace("study: naps", 'study: "n\\0aps"'), "U+0000"),
    "half a surrogate": (ASK.replace("You read.", '"\\ud800"'), "U+D800"),
    "a terminal's escapes in a key": (f'"\\e[2J\\x9b": 1\n{ASK}', "U+001B"),
    "a character beyond all": ('study: "\\UFFFFFFFF"\n', "not YAML"),
    "a version of many digits": (f"%YAML {'9' * 5000}.1\n---\nstudy: x\n", "not YAML"),
    "100,000 brackets": ("study: " + "[" * 100_000, "nested too deeply"),
    "100,000 dashes": ("study:\n" + "- " * 100_000, "nested too deeply"),
    "a number of 100,000 digits": (ASK.replace("attempts: 3", f"attempts: {'9' * 100_000}"), "attempts"),
    "a name of 300,000 letters": (ASK.replace("study: naps", f"study: {'x' * 300_000}"), "study"),
    "a file's name of 5,000 letters": (SCREEN.replace("records.csv", "g" * 5_000), "cannot be looked at"),
    "a file's name with a NUL": (SCREEN.replace("records.csv", '"g\\0"'), "U+0000"),
    "samples of 100,000 digits": (SCREEN.replace("samples: 3", f"samples: {'9' * 100_000}"), "is no number"),
    "10,000 framings": (SCREEN.replace("neutral, for, against", ", ".join(["for"] * 10_000)), "10,000 framings for 3"),
    "a prompt without end": (SCREEN.replace("mine.txt", "/dev/zero"), "there is no file /dev/zero"),
    "10,000 unknown keys": ("".join(f"k{n}: 1\n" for n in range(10_000)) + SCREEN, "more like these"),
    "one key 20,000 times": ("study: a\n" * 20_000, "more like these"),
    "40,000 lone braces": (ASK.replace("{text}", "{ x " * 40_000), "more like these"),
    "10,000 files": (SCREEN.replace("records.csv", ", ".join(f"{n}.csv" for n in range(10_000))), "more like these"),
}


@pytest.mark.parametrize(("text", "says"), MONSTERS.values(), ids=MONSTERS)
def test_a_monster_is_refused_in_bounded_time_and_memory(text: str, says: str) -> None:
    with within(seconds=6, growth_mb=150):
        found = read(text)
    assert isinstance(found, StudyError)
    assert says in str(found), str(found)[:500]
    assert not (folder() / "pwned").exists()


def test_30_000_allowed_answers_take_time_in_proportion() -> None:
    many = ", ".join(f"v{n}" for n in range(30_000))
    text = ASK.replace("planned, none", many)
    with within(seconds=12, growth_mb=200):
        assert isinstance(read(text), Study)


def test_what_is_printed_of_a_monster_is_short(capfd: pytest.CaptureFixture[str]) -> None:
    from overnight.cli.main import main

    read(ASK.replace("study: naps", f"study: {'x' * 300_000}\\e[2J"))
    assert main(["check", str(folder() / "study.yaml")]) == 3
    said = capfd.readouterr()
    assert "\x1b" not in said.err
    assert len(said.err) < 3_000
