"""THE law: whatever a service does to its lines, no answer is ever attached to a request whose text it was not given
for, every line and every row is accounted for, and the order of lines changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from overnight.core.identity import loose_text, wire_key
from overnight.core.outcome import Identity, Outcome, ProblemKind
from tests.support.outputs import Collected, Row, answer_for, answering, collect, output

TEXTS = st.sampled_from(
    ["naps", "naps ", "no naps", "Naps\u00ad at night", "été", "e\u0301te\u0301", "睡眠", "", "x" * 50]
)
"""Few, so that some are equal, and some are loosely equal."""
TIMES = st.sampled_from(["", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00.5Z", "2026-11-02T00:00:00Z"])
ENDS = st.sampled_from(["answered", "answered", "answered", "failed", "blocked", "prose", "truncated", "stand-in"])


@dataclass(frozen=True)
class Job:
    rows: list[Row]
    answered: list[Row]
    lines: list[tuple[Mapping[str, Any], bool] | bytes]


def rows_of(texts: list[str]) -> list[Row]:
    return [Row(number * 7 % 31, text, attempt=1 + number % 2) for number, text in enumerate(texts)]


def ended(text: str, how: str, note: str) -> dict[str, Any]:
    if how == "failed":
        return {"status": 'Oops: {"error":{"code":500}}', "response": {}}
    if how == "blocked":
        return {"response": {"promptFeedback": {"blockReason": "SAFETY"}}}
    response = answering("Here: " + text if how == "prose" else answer_for(text, note))
    if how == "truncated":
        response["candidates"][0]["finishReason"] = "MAX_TOKENS"
    if how == "stand-in":
        response["modelVersion"] += "@local-stand-in"
    return {"response": response}


@st.composite
def echoes(draw: st.DrawFn, text: str) -> dict[str, Any] | None:
    """An echo is of the text that was answered, or it is not there: that is all that is taken on trust."""
    how = draw(st.sampled_from(["whole", "whole", "none", "empty", "parts", "spaced", "odd"]))
    if how == "none":
        return None
    half = len(text) // 2
    parts: dict[str, list[Any]] = {
        "whole": [{"text": text}],
        "empty": [],
        "parts": [{"text": text[:half]}, {"text": text[half:]}],
        "spaced": [{"text": f" {text}\r\n"}],
        "odd": [{"text": text, "thought": "maybe"}, 7],
    }
    return {"contents": [{"role": "user", "parts": parts[how]}]}


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    rows = rows_of(draw(st.lists(TEXTS, max_size=8)))
    strangers = [Row(100, "naps"), Row(101, "a stranger"), Row(0, "naps", attempt=9)]
    keys = st.one_of(
        st.sampled_from([row.key for row in [*rows, *strangers]]),
        st.sampled_from([None, 7, 10**18, "custom", "", ["k"], wire_key(bytes(16), 3)]),
    )
    lines: list[tuple[Mapping[str, Any], bool] | bytes] = []
    for row in draw(st.permutations([*rows, *strangers[: draw(st.integers(0, 3))]])):
        for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
            key = row.key if draw(st.booleans()) else draw(keys)
            fields = ended(row.text, draw(ENDS), draw(st.sampled_from(["", "b"])))
            line = output(row.text, key=key, request=draw(echoes(row.text)), processed_time=draw(TIMES), **fields)
            lines.append((line, draw(st.booleans())))
    lines += draw(st.lists(st.sampled_from([b"garbage", b"[]", b'{"key": "k', b"{}"]), max_size=2))
    answered = [row for row in rows if row.attempt > 1 and draw(st.booleans())]
    return Job(rows, answered, lines)


def run(job: Job) -> Collected:
    return collect(job.rows, job.lines, answered=job.answered)


def without_source(outcomes: Mapping[bytes, Outcome]) -> dict[bytes, Outcome]:
    return {address: msgspec.structs.replace(outcome, source="") for address, outcome in outcomes.items()}


@given(jobs())
@settings(max_examples=300)
def test_no_answer_is_attached_to_a_request_whose_text_it_was_not_given_for(job: Job) -> None:
    texts = {row.address: row.text for row in job.rows}
    for address, outcome in run(job).outcomes.items():
        if outcome.kind is not None:
            assert outcome.answer == b""
            continue
        given_for = orjson.loads(outcome.answer)["for"]
        if outcome.identity is Identity.LOOSE:
            assert loose_text(given_for) == loose_text(texts[address])
        elif outcome.identity is not Identity.KEY_ONLY:
            assert given_for == texts[address]


@given(jobs())
@settings(max_examples=300)
def test_the_order_of_lines_changes_nothing(job: Job) -> None:
    """`run` checks the sums too, in every order."""
    one, other = run(job), run(replace(job, lines=job.lines[::-1]))
    assert without_source(one.outcomes) == without_source(other.outcomes)
    assert one.missing == other.missing
    assert one.kinds() == other.kinds()
    assert one.matcher.tally.suspicious == other.matcher.tally.suspicious
    assert any(stray.differs for stray in one.strays) == any(stray.differs for stray in other.strays)


@given(jobs())
def test_what_was_answered_before_is_never_touched_and_a_stand_in_never_answers(job: Job) -> None:
    found = run(job)
    assert found.outcomes.keys().isdisjoint(row.address for row in job.answered)
    for outcome in found.outcomes.values():
        assert outcome.kind is ProblemKind.MISMATCHED or "stand-in" not in outcome.model_version


@given(st.lists(TEXTS, min_size=1, max_size=8), st.data())
def test_a_row_whose_answer_came_back_with_its_key_or_its_text_has_it(texts: list[str], data: st.DataObject) -> None:
    """Nothing that could be attached is lost, or it would be paid for twice."""
    rows = rows_of(texts)
    lines: list[tuple[Mapping[str, Any], bool]] = []
    for row in rows:
        by_key = data.draw(st.booleans())
        line = output(row.text, key=row.key if by_key else 7, processed_time=data.draw(TIMES))
        lines += [(line, data.draw(st.booleans()))] * data.draw(st.integers(1, 2))
    found = collect(rows, data.draw(st.permutations(lines)))
    assert found.outcomes.keys() == {row.address for row in rows}
    assert {outcome.kind for outcome in found.outcomes.values()} == {None}
    assert found.matcher.tally.suspicious == 0
