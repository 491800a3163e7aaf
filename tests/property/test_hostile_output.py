"""Law: whatever bytes a service sends as output, the sums hold, and no answer is of a text it was not given for."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overnight.backends.backend import OutputFile
from overnight.core.outcome import ProblemKind, StrayKind
from overnight.core.states import JobStatus
from overnight.ledger.shards import Place
from tests.support.memory_backend import MemoryBackend, answers
from tests.support.outputs import Collected, Row, answer_for, answering, collect, line_of, output
from tests.support.studies import SmallStudy

ROWS = [Row(0, "naps"), Row(1, "no naps", attempt=2), Row(2, "été"), Row(3, "naps", attempt=3)]


def check(found: Collected) -> Collected:
    """`collect` has checked the sums. Nothing is answered for another text, everything fits into SQLite."""
    texts = {row.address: row.text for row in ROWS}
    for address, outcome in found.outcomes.items():
        if outcome.kind is None:
            assert orjson.loads(outcome.answer)["for"] == texts[address]
        outcome.detail.encode()
        assert len(outcome.detail) < 20_000
        assert all(count is None or 0 <= count < 2**63 for count in (outcome.usage.prompt, outcome.usage.answer))
    for stray in found.strays:
        assert len(stray.key.encode()) <= 800
    return found


@given(st.lists(st.binary(max_size=200), max_size=6))
@settings(max_examples=200)
def test_any_bytes(lines: list[bytes]) -> None:
    assert not check(collect(ROWS, lines)).outcomes


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False),
              st.text(max_size=8), st.sampled_from([row.key for row in ROWS] + ["k" * 34, "STOP", "STOP ", "naps"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(
        ["key", "status", "request", "response", "contents", "parts", "text", "candidates", "content", "finishReason",
         "usageMetadata", "promptTokenCount", "modelVersion", "promptFeedback", "blockReason", "processed_time"]
    ), inner, max_size=4)), max_leaves=12,
)  # fmt: skip


def places(value: object, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*path, key))


@given(st.lists(st.tuples(st.sampled_from(ROWS), JSON, st.booleans(), st.data()), max_size=4))
@settings(max_examples=300)
def test_any_value_in_any_place_of_a_line(spoils: list[tuple[Row, Any, bool, st.DataObject]]) -> None:
    lines: list[Any] = []
    for row, value, is_text, data in spoils:
        line = json.loads(orjson.dumps(line_of(row)))
        *holders, last = data.draw(st.sampled_from(list(places(line))))
        if is_text and holders[:1] == ["request"]:
            continue  # an echo is of the text that was answered: that is all that is taken on trust
        place = line
        for step in holders:
            place = place[step]
        place[last] = value
        if "request" in (*holders, last) and line.get("request") != line_of(row)["request"]:
            line["response"] = answering(answer_for("a text nobody sent"))
        lines.append(orjson.dumps(line))
    texts = {row.address: row.text for row in ROWS}
    for address, outcome in collect(ROWS, lines).outcomes.items():
        if outcome.kind is None and outcome.identity is not None and outcome.identity.value in {"key", "fingerprint"}:
            assert orjson.loads(outcome.answer).get("for") in (texts[address], "a text nobody sent")


@given(st.sampled_from(ROWS), st.data())
@example(ROWS[0], None)
@settings(max_examples=200)
def test_a_sound_line_with_bytes_spoiled(row: Row, data: st.DataObject | None) -> None:
    line = bytearray(orjson.dumps(line_of(row)))
    for _ in range(data.draw(st.integers(1, 3)) if data else 0):
        at = data.draw(st.integers(0, len(line) - 1)) if data else 0
        piece = data.draw(st.binary(min_size=1, max_size=4)) if data else b""
        line[at : at + len(piece)] = piece
    for outcome in collect(ROWS, [bytes(line)]).outcomes.values():
        assert outcome.attempt == next(one.attempt for one in ROWS if one.address == outcome.address)


KEY = ROWS[0].key
DEEP = b"[" * 10_000 + b"]" * 10_000


def deep(levels: int) -> bytes:
    return b"[" * levels + b"1" + b"]" * levels


UNIDENTIFIED = {
    "10,000 brackets": b"[" * 10_000,
    "10,000 brackets, closed": DEEP,
    "deep in a field nobody knows": orjson.dumps(line_of(ROWS[0]))[:-1] + b',"x":' + DEEP + b"}",
    "deep as key": b'{"key":' + DEEP + b"}",
    "deep as key, and a status that is a number": b'{"status":5,"key":' + deep(1_000) + b"}",
    "NaN as key": b'{"key":NaN}',
    "Infinity as key": b'{"key":-Infinity}',
    "a key of 100,000 digits": b'{"key":' + b"9" * 100_000 + b"}",
    "half a surrogate as key": b'{"key":"\\ud800"}',
    "half a surrogate in the answer": orjson.dumps(line_of(ROWS[0])).replace(b"naps", b"\\ud800"),
    "50 MB of no line": b"x" * 50_000_000,
    "half a line": orjson.dumps(line_of(ROWS[0]))[:-10],
    "two lines in one": orjson.dumps(line_of(ROWS[0])) * 2,
    "UTF-16": json.dumps(line_of(ROWS[0])).encode("utf-16"),
    "a key that is a number": b'{"key":123}',
    "a key that is true": b'{"key":true}',
    "a key that is an object": b'{"key":{"k":1}}',
}
FOREIGN = {
    "of another study": output("x", key="k" + "f" * 32 + "-a1"),
    "an attempt that was never sent": line_of(ROWS[0], key=KEY.replace("-a1", "-a2")),
    "attempt 0": line_of(ROWS[0], key=KEY.replace("-a1", "-a0"), request=None),
    "attempt 01": line_of(ROWS[0], key=KEY.replace("-a1", "-a01"), request=None),
    "an attempt of 5,000 digits": line_of(ROWS[0], key=KEY.replace("-a1", "-a" + "9" * 5_000), request=None),
    "an Arabic digit": line_of(ROWS[0], key=KEY.replace("-a1", "-a١"), request=None),
    "in capitals": line_of(ROWS[0], key=KEY.upper(), request=None),
    "a NUL behind it": line_of(ROWS[0], key=KEY + "\0", request=None),
    "a line break behind it": line_of(ROWS[0], key=KEY + "\n", request=None),
    "1 MB long": line_of(ROWS[0], key="k" * 1_000_000, request=None),
}


@pytest.mark.parametrize("line", UNIDENTIFIED.values(), ids=UNIDENTIFIED)
def test_what_is_no_line_of_ours_settles_nothing(line: bytes) -> None:
    found = check(collect(ROWS, [line]))
    assert not found.outcomes
    assert found.kinds() == {StrayKind.UNIDENTIFIED: 1}


@pytest.mark.parametrize("line", FOREIGN.values(), ids=FOREIGN)
def test_keys_that_were_not_sent_settle_nothing(line: dict[str, Any]) -> None:
    found = check(collect(ROWS, [line]))
    assert not found.outcomes
    assert found.kinds() == {StrayKind.FOREIGN: 1}


@pytest.mark.parametrize("levels", [100, 253, 254, 255, 300, 1_000, 1_020])
@pytest.mark.parametrize(
    "field", ['"status":%s', '"response":{"candidates":[{"finishReason":%s}]}', '"response":{"modelVersion":%s}',
              '"response":{"usageMetadata":%s}', '"response":{"promptFeedback":{"blockReason":%s}}'],
)  # fmt: skip
def test_a_field_nested_deep_is_a_problem_of_its_row(field: str, levels: int) -> None:
    line = b'{"key":"%s",%s}' % (KEY.encode(), field.encode().replace(b"%s", deep(levels)))
    found = check(collect(ROWS, [line]))
    assert [outcome.kind is None for outcome in found.outcomes.values()] in ([False], [])


ANSWERS = {
    "10,000 brackets": ("[" * 10_000, {ProblemKind.MALFORMED, ProblemKind.INVALID}),
    "deep inside": ('{"for":' + "[" * 10_000 + "]" * 10_000 + "}", {ProblemKind.MALFORMED, ProblemKind.INVALID}),
    "NaN": ('{"for":"naps","note":NaN}', {ProblemKind.MALFORMED}),
    "Infinity": ('{"for":"naps","note":Infinity}', {ProblemKind.MALFORMED}),
    "1e999": ('{"for":"naps","note":1e999}', {ProblemKind.MALFORMED, ProblemKind.INVALID}),
    "100,000 digits": ('{"for":"naps","note":' + "9" * 100_000 + "}", {ProblemKind.MALFORMED, ProblemKind.INVALID}),
    "half a surrogate": ('{"for":"\\ud800"}', {ProblemKind.MALFORMED}),
    "50 MB of prose": ("x" * 50_000_000, {ProblemKind.MALFORMED}),
    "a list": ('[{"for":"naps"}]', {ProblemKind.INVALID}),
}


@pytest.mark.parametrize(("text", "kinds"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_a_monster_is_a_problem(text: str, kinds: set[ProblemKind]) -> None:
    found = check(collect(ROWS[:3], [line_of(ROWS[0], response=answering(text))]))
    assert {outcome.kind for outcome in found.outcomes.values()} <= kinds


@pytest.mark.parametrize(
    "count", [b"-5", b"1e30", b"9" * 400, b'"9999999999999999999999"', b'"\\u00b2"', b"true", b"[]"]
)
def test_tokens_that_cannot_be_are_not_known(count: bytes) -> None:
    line = orjson.dumps(line_of(ROWS[0])).replace(b'"promptTokenCount":5', b'"promptTokenCount":' + count)
    found = check(collect(ROWS[:3], [line]))
    for outcome in found.outcomes.values():
        assert outcome.usage.prompt is None
        assert outcome.kind is None, "the answer is good all the same"


class Hostile(MemoryBackend):
    """Beside its own output lie lines of anybody's, in files that anybody named."""

    more: tuple[tuple[str, bytes], ...] = ()

    def outputs(self, place: Place, status: JobStatus) -> list[OutputFile]:
        own = list(super().outputs(place, status))
        return own + [OutputFile(f"{place.output}/{name}", len(data)) for name, data in self.more if own]

    def fetch(self, place: Place, file: OutputFile, target: Any) -> None:
        found = dict(self.more).get(file.name.removeprefix(f"{place.output}/"))
        if found is None:
            super().fetch(place, file, target)
        else:
            target.write(found)


OBJECT_NAMES = [
    "../../../escaped.jsonl",
    "/etc/escaped.jsonl",
    "predictions/../../escaped.jsonl",
    "..\\..\\escaped.jsonl",
    "C:escaped.jsonl",
    "%2e%2e%2fescaped.jsonl",
    "nul\0.jsonl",
    "line\n\x1b[2J.jsonl",
    "..",
    "x" * 1000 + ".jsonl",
    "é" * 500 + ".jsonl",
    "\ud800.jsonl".encode("utf-8", "replace").decode(),
    "CON.jsonl",
    "",
]


def test_objects_named_by_anybody_stay_in_their_folder(tmp_path: Path) -> None:
    """A real run and a real ledger: hostile lines in hostile files beside the true ones, read twice."""
    from overnight.run.loop import fetch, run
    from overnight.run.world import Options
    from overnight.wiring.opening import open_study

    study = SmallStudy.of(tmp_path / "inside" / "naps", 1_500)
    hostile = [*UNIDENTIFIED.values()][:8] + [orjson.dumps(line) for line in FOREIGN.values()][:1]
    backend = Hostile(answers(lambda text: {"who": text[:10], "naps": "none", "people": 3}))
    lines = b"\n".join(line for line in hostile if len(line) < 10**6 and b"\n" not in line)
    backend.more = tuple((name, lines if number == 0 else b"{}\n") for number, name in enumerate(OBJECT_NAMES))
    before = set(tmp_path.rglob("*"))
    with open_study(study.path, command="run") as opened:
        opened.world.backend = backend
        closing = run(opened.world, Options(yes=True))
    assert (closing.answers, closing.open, closing.problems.total()) == (1_500, 0, 0)
    assert closing.strays.total() == lines.count(b"\n") + 1 + len(OBJECT_NAMES) - 1
    new = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(study.home) for path in new)
    kept = sorted(path.name for path in (study.home / ".overnight" / "raw").rglob("*.gz"))
    assert len(kept) == 1 + len(OBJECT_NAMES)
    assert all(name.isascii() and name.isprintable() and len(name) < 120 for name in kept)
    with open_study(study.path, command="fetch") as opened:
        opened.world.backend = backend
        again = fetch(opened.world, Options(), again=True)
    assert (again.answers, again.strays) == (closing.answers, closing.strays)


def test_the_ledger_keeps_no_write_ahead_log(tmp_path: Path) -> None:
    """WAL wants shared memory between processes, which network folders do not give: a ledger there would be damaged."""
    study = SmallStudy.of(tmp_path / "naps", 1)
    from overnight.wiring.opening import open_study

    with open_study(study.path, command="run") as opened:
        connection: sqlite3.Connection = opened.world.ledger._db
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert study.query("PRAGMA journal_mode") == [("delete",)]
    assert not list(study.ledger.parent.glob("*-wal"))
