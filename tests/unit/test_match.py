"""Whose answer is this? Each line of the table in answers/match.py, and the breaker."""

from typing import Any

import orjson
import pytest

from overnight.answers.match import Matcher, Tally
from overnight.core.identity import wire_key
from overnight.core.outcome import Identity, ProblemKind, StrayKind
from tests.support.outputs import CHECK, Row, answer_for, answering, collect, expected, line_of, loose, output

A, B, C = Row(1, "Naps at night."), Row(2, "Naps by day."), Row(3, "No naps.")
TWIN = Row(9, A.text)
"""Another sample with A's text."""
FAILED = {"status": 'Bad: {"error":{"code":500}}', "response": {}}


def test_key_and_text_agree() -> None:
    found = collect([A, B], [line_of(B), line_of(A)])
    assert {address: outcome.identity for address, outcome in found.outcomes.items()} == {
        A.address: Identity.KEY,
        B.address: Identity.KEY,
    }
    assert orjson.loads(found.outcomes[A.address].answer)["for"] == A.text
    outcome = found.outcomes[A.address]
    assert (outcome.attempt, outcome.kind, outcome.usage.prompt, outcome.source) == (1, None, 5, "raw:2")
    assert (outcome.model_version, outcome.finish_reason) == ("gemini-3.8-flash", "STOP")
    assert (found.strays, found.missing) == ([], set())


def test_an_echo_that_differs_in_white_space_only_is_counted_as_loose() -> None:
    found = collect([A], [line_of(A, request=output("Naps  at\r\nnight. ")["request"])])
    assert found.outcomes[A.address].identity is Identity.LOOSE


def test_the_loose_form_is_asked_for_once_and_only_when_an_echo_differs() -> None:
    asked = []

    def matcher_of(texts: list[str]) -> None:
        matcher = Matcher("google", expected([A, B]), CHECK, loose=lambda: asked.append(1) or loose([A, B]))  # type: ignore[func-returns-value]
        for row, text in zip([A, B], texts, strict=True):
            matcher.line(orjson.dumps(line_of(row, request=output(text)["request"])), "raw:1")

    matcher_of([A.text, B.text])
    assert asked == []
    matcher_of([A.text + " ", B.text + " "])
    assert asked == [1]


def test_key_and_text_disagree_is_never_an_answer() -> None:
    found = collect([A, B], [line_of(A, key=B.key), line_of(B, key=A.key)])
    assert {outcome.kind for outcome in found.outcomes.values()} == {ProblemKind.MISMATCHED}
    assert {outcome.answer for outcome in found.outcomes.values()} == {b""}
    assert found.matcher.tally.suspicious == 2


def test_a_key_without_an_echo_is_accepted_and_counted_so() -> None:
    for request in (None, {"contents": []}, {"contents": [{"parts": []}]}):
        found = collect([A], [line_of(A, request=request)])
        assert found.outcomes[A.address].identity is Identity.KEY_ONLY
        assert found.outcomes[A.address].kind is None


@pytest.mark.parametrize("key", [None, 12345, 1.5, "", "custom-7", ["x"], {"k": 1}])
def test_without_our_key_the_text_names_the_request(key: object) -> None:
    found = collect([A, B], [line_of(B), line_of(A, key=key)])
    assert found.outcomes[A.address].identity is Identity.FINGERPRINT
    assert orjson.loads(found.outcomes[A.address].answer)["for"] == A.text


def test_several_with_the_same_text_are_given_out_in_key_order_the_better_lines_first() -> None:
    late = output(A.text, processed_time="2026-11-02", response=answering(answer_for(A.text, "late")))
    for lines in ([late, output(A.text)], [output(A.text), late]):
        found = collect([TWIN, A], lines)
        assert orjson.loads(found.outcomes[A.address].answer)["note"] == ""
        assert orjson.loads(found.outcomes[TWIN.address].answer)["note"] == "late"


def test_what_a_key_has_settled_is_not_given_out() -> None:
    found = collect([A, TWIN], [output(A.text), line_of(A)])
    assert (found.outcomes[A.address].identity, found.outcomes[TWIN.address].identity) == ("key", "fingerprint")


def test_a_request_answered_before_does_not_take_an_open_ones_line() -> None:
    """A has A's text and an answer of an earlier attempt; its twin is open, and the one line left is the twin's."""
    found = collect([A, TWIN], [output(A.text)], answered=[A])
    assert set(found.outcomes) == {TWIN.address}
    assert found.missing == {A.address}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"not json", StrayKind.UNIDENTIFIED),
        (b'{"status": "", "resp', StrayKind.UNIDENTIFIED),
        (b"[]", StrayKind.UNIDENTIFIED),
        ({}, StrayKind.UNIDENTIFIED),
        (output(A.text, request=None), StrayKind.UNIDENTIFIED),
        (output(A.text, request=None, key=7), StrayKind.UNIDENTIFIED),
        (output(A.text, request=None, key="custom-7"), StrayKind.FOREIGN),
        (output("Another text."), StrayKind.FOREIGN),
        (output("Another text.", key="custom-7"), StrayKind.FOREIGN),
        (line_of(Row(77, A.text)), StrayKind.FOREIGN),
        (line_of(Row(1, A.text, attempt=2)), StrayKind.FOREIGN),
        (output(A.text, request=None, key=wire_key(bytes(16), 1)), StrayKind.FOREIGN),
    ],
)
def test_what_settles_nothing_is_a_stray_of_its_kind_and_suspicious(line: Any, kind: StrayKind) -> None:
    found = collect([A, B], [line, line_of(B)])
    assert found.kinds() == {kind: 1}
    assert found.matcher.tally.suspicious == 1
    assert found.missing == {A.address}
    assert found.strays[0].source == "raw:1"
    assert found.strays[0].detail


class TestTwoLines:
    """Of two lines for one request the better one counts, in whichever order they come."""

    LATER = "2026-11-01T00:00:01Z"
    OTHER = answering(answer_for(A.text, "other"))

    @pytest.mark.parametrize(
        ("better", "worse"),
        [
            (line_of(A), line_of(A, processed_time=LATER, response=OTHER)),
            (line_of(A), (line_of(A, processed_time="2026-10-01", response=OTHER), True)),
            (line_of(A), line_of(A, processed_time="2026-10-01", request=None, response=OTHER)),
            (line_of(A), line_of(A, processed_time="2026-10-01", request=output(B.text)["request"], response=OTHER)),
            (line_of(A, request=None), line_of(A, processed_time="2026-10-01", request=output(B.text)["request"])),
            (line_of(A), line_of(A, processed_time="2026-10-01", **FAILED)),
            ((line_of(A, processed_time=LATER), True), line_of(A, **FAILED)),
            (line_of(A), line_of(A, processed_time="2026-10-01", response=answering("no json"))),
            (line_of(A, **FAILED), line_of(A, request=output(B.text)["request"])),
            (line_of(A, **FAILED), (line_of(A, processed_time="2026-10-01", response=answering("{}")), True)),
            (output(A.text), line_of(A, request=output(B.text)["request"])),
            (output(A.text), line_of(A, **FAILED)),
            (output(A.text), line_of(A, request=None, processed_time="2026-10-01", response=OTHER)),
        ],
        ids=["earlier", "final", "verified", "matched", "key only before mismatched", "answer before problem",
             "answer in a chunk before problem", "answer before no json", "problem before mismatched",
             "problem in the final file", "text before mismatched", "text before problem", "text before key only"],
    )  # fmt: skip
    def test_the_better_one_counts(self, better: Any, worse: Any) -> None:
        alone = collect([A], [better]).outcomes[A.address]
        for lines in ([better, worse], [worse, better]):
            found = collect([A], lines)
            outcome = found.outcomes[A.address]
            assert (outcome.kind, outcome.answer, outcome.identity) == (alone.kind, alone.answer, alone.identity)
            assert found.kinds() == {StrayKind.DUPLICATE: 1}
            assert found.matcher.tally.suspicious == 0, "what was replaced no longer counts"
            assert found.strays[0].usage.known == self.paid(worse)

    def paid(self, line: Any) -> bool:
        value = line[0] if isinstance(line, tuple) else line
        return bool(value["response"])

    def test_a_duplicate_that_says_something_else_is_flagged(self) -> None:
        assert [stray.differs for stray in collect([A], [line_of(A), line_of(A, response=self.OTHER)]).strays] == [True]
        assert [stray.differs for stray in collect([A], [line_of(A), line_of(A)]).strays] == [False]

    def test_equal_in_all_but_the_model_that_served_is_decided_by_that(self) -> None:
        one = line_of(A, response=answering(answer_for(A.text), version="a"))
        two = line_of(A, response=answering(answer_for(A.text), version="b"))
        assert {collect([A], lines).outcomes[A.address].model_version for lines in ([one, two], [two, one])} == {"a"}

    def test_chunks_beside_a_final_file_without_keys_are_only_duplicates(self) -> None:
        """Otherwise a service that drops keys would trip the breaker of a job in which nothing is wrong."""
        rows = [Row(number, f"text {number}") for number in range(50)]
        final = [output(row.text) for row in rows]
        found = collect(rows, [*final, *((line, True) for line in final)])
        assert (len(found.outcomes), found.kinds(), found.matcher.tally.suspicious) == (
            50,
            {StrayKind.DUPLICATE: 50},
            0,
        )


class TestSurplus:
    def test_a_line_for_what_was_settled_before_is_stored_and_replaces_nothing(self) -> None:
        for line in (line_of(A), output(A.text), line_of(A, request=None)):
            found = collect([A, B], [line, line_of(B)], answered=[A])
            assert set(found.outcomes) == {B.address}
            assert (found.kinds(), found.matcher.settled_before) == ({StrayKind.SURPLUS: 1}, 1)
            assert found.strays[0].usage.prompt == 5, "it is billed"

    def test_two_of_them_are_two(self) -> None:
        found = collect([A], [line_of(A), output(A.text), line_of(A)], answered=[A])
        assert (found.kinds(), found.matcher.settled_before, found.missing) == ({StrayKind.SURPLUS: 3}, 1, set())


class TestStandIn:
    STAND_IN = answering(answer_for(A.text), version="gemini-3.8-flash@local-stand-in")

    def test_its_answers_are_none_in_realm_google(self) -> None:
        for line in (
            line_of(A, response=self.STAND_IN),
            line_of(A, response=self.STAND_IN, request=None),
            output(A.text, response=self.STAND_IN),
        ):
            outcome = collect([A], [line]).outcomes[A.address]
            assert (outcome.kind, outcome.answer) == (ProblemKind.MISMATCHED, b"")
            assert "a stand-in, not Google" in outcome.detail

    @pytest.mark.parametrize("realm", ["stand-in", "upstream:http://127.0.0.1:8080#m"])
    def test_they_are_answers_elsewhere(self, realm: str) -> None:
        assert collect([A], [line_of(A, response=self.STAND_IN)], realm=realm).outcomes[A.address].kind is None

    def test_they_trip_the_breaker(self) -> None:
        rows = [Row(number, f"text {number}") for number in range(10)]
        response = answering("{}", version="x@local-stand-in")
        found = collect(rows, [line_of(row, response=response) for row in rows])
        assert found.matcher.tally.breaker_tripped(len(rows))


def test_an_answer_not_of_the_schema_is_a_problem_with_its_path() -> None:
    outcome = collect([A], [line_of(A, response=answering('{"for":7}'))]).outcomes[A.address]
    assert (outcome.kind, outcome.detail) == (ProblemKind.INVALID, "Expected `str`, got `int` - at `$.for`")


def test_a_failed_line_is_a_problem_with_the_services_words() -> None:
    outcome = collect([A], [line_of(A, status='Bad Request: {"error":{"code":400}}', response=None)]).outcomes[
        A.address
    ]
    assert (outcome.kind, outcome.detail) == (ProblemKind.REFUSED, 'Bad Request: {"error":{"code":400}}')


@pytest.mark.parametrize(
    ("suspicious", "rows", "tripped"),
    [(9, 9, False), (9, 1, False), (10, 10, True), (10, 499, True), (10, 500, False), (11, 500, True), (11, 550, False),
     (20, 1000, False), (21, 1000, True), (4000, 200_000, False), (4001, 200_000, True), (0, 0, False)],
)  # fmt: skip
def test_the_breaker_trips_at_ten_and_above_two_percent(suspicious: int, rows: int, tripped: bool) -> None:
    assert Tally(suspicious=suspicious).breaker_tripped(rows) is tripped


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({"response": answering("no json")}, True),
        ({"response": answering("{}")}, True),
        ({"key": C.key}, True),
        ({"response": {"promptFeedback": {"blockReason": "SAFETY"}}}, False),
        (FAILED, False),
        ({"request": None}, False),
        ({"response": {"candidates": [{"finishReason": "MAX_TOKENS"}]}}, False),
    ],
    ids=["malformed", "invalid", "mismatched", "blocked", "service error", "key only", "truncated"],
)
def test_what_counts_for_the_breaker(changed: dict[str, Any], counts: bool) -> None:
    assert collect([A, C], [line_of(A, **changed)]).matcher.tally.suspicious == counts
