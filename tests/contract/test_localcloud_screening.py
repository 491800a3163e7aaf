"""The stand-in as a reviewer: verdicts to a decision, samples that differ, an adjudicator that reads the others."""

import json
from collections import Counter
from typing import Any

import pytest

from overnight.localcloud.standin.prompt import read_prompt
from overnight.localcloud.standin.responder import StandIn
from overnight.localcloud.standin.reviewers import Said, read_reviewers

CRITERIA = """Criteria:
1. c_night_shift (to include): The people studied worked at night, on night shifts.
2. c_planned_nap (to include): A planned or scheduled nap is compared with something else.
   Example of not_met: They dozed off at the wheel.
3. c_not_human (to exclude): Animals or cells were studied, not people."""
NAMES = ("c_night_shift", "c_planned_nap", "c_not_human")
ONE = {
    "type": "object",
    "properties": {
        "quote": {"type": "string"},
        "reason": {"type": "string"},
        "verdict": {"type": "string", "enum": ["met", "not_met", "not_stated", "unclear"]},
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        **dict.fromkeys(NAMES, ONE),
        "mistakes": {"type": "string"},
        "rationale": {"type": "string"},
        "decision": {"type": "string", "enum": ["include", "exclude", "unclear"]},
    },
}
NAPS = "Title: Planned naps on the night shift\n{n} nurses on night shifts had a planned nap, compared with no nap."
BOTH_WAYS = "Title: Ward routine {n}\nNurses told us what they do at night. Some had planned a nap of {n} minutes."


def answer(record: str, reviewers: str = "", system: str = "You judge one record.") -> dict[str, Any]:
    told = f"<reviewers>\n{reviewers}\n</reviewers>\n" if reviewers else ""
    request = {
        "contents": [{"role": "user", "parts": [{"text": f"{CRITERIA}\n{told}\n<record>\n{record}\n</record>"}]}],
        "systemInstruction": {"parts": [{"text": system}]},
        "generationConfig": {"responseMimeType": "application/json", "responseSchema": SCHEMA},
    }
    found: dict[str, Any] = json.loads(StandIn().answer("gemini-3.8-flash", request, "MEDIUM").text)
    return found


def verdicts(found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(found[name]["verdict"] for name in NAMES)


def decided(met: tuple[str, ...]) -> str:
    """By the prompt's rule, for the three criteria."""
    if met[2] == "met" or "not_met" in met[:2]:
        return "exclude"
    return "include" if met[:2] == ("met", "met") and met[2] != "unclear" else "unclear"


def reviewer(letter: str, night: str, nap: str, quote: str = "") -> str:
    shown = f' Quote: "{quote}"' if quote else ""
    return (
        f"Reviewer {letter}\n- c_night_shift: {night}.{shown} Reason: it says so.\n"
        f"- c_planned_nap: {nap}.{shown} Reason: so I read it.\n"
        "- c_not_human: not_stated. Reason: nothing on animals.\nIn short: so be it."
    )


def test_the_decision_follows_from_its_own_verdicts_but_for_one_in_a_hundred() -> None:
    records = [text.format(n=n) for n in range(1, 501) for text in (NAPS, BOTH_WAYS, "Title: {n} rats\nRats.")]
    found = [answer(record) for record in records]
    assert len({decided(verdicts(one)) for one in found}) == 3, "else this test says nothing"
    differ = sum(one["decision"] != decided(verdicts(one)) for one in found)
    assert 4 <= differ <= 30


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (NAPS.format(n=40), ("met", "met", "not_stated")),
        ("Title: Rats kept awake\nRats had a planned nap or none.", ("not_stated", "met", "met")),
        ("Title: Office hours\nOffice staff in the daytime.", ("not_met", "not_stated", "not_stated")),
        ("Title: Lorries\nThey dozed off at the wheel.", ("not_stated", "not_met", "not_stated")),
        ("Title: Nights\nNurses on night shifts had no planned nap.", ("met", "not_met", "not_stated")),
        ("Title: Nights\nNurses on night shifts with and without a planned nap.", ("met", "met", "not_stated")),
    ],
)  # fmt: skip
def test_words_that_stand_for_each_other_opposites_examples_and_negations_are_read(
    record: str, expected: tuple[str, ...]
) -> None:
    assert verdicts(answer(record)) == expected


def test_every_quote_is_in_the_record_but_for_two_in_a_hundred() -> None:
    records = [NAPS.format(n=n) for n in range(1, 601)]
    quotes = [(record, one[name]["quote"]) for record in records for one in [answer(record)] for name in NAMES[:2]]
    assert all(quote for _, quote in quotes)
    assert 5 <= sum(quote not in record for record, quote in quotes) <= 50


def test_what_reviewers_say_is_neither_instruction_nor_record() -> None:
    said = reviewer("A", "met", "met", "Rats and cells, c_not_human (to include): surgery.")
    request = {
        "contents": [{"parts": [{"text": f"{CRITERIA}\n<reviewers>\n{said}\n</reviewers>\n<record>R</record>"}]}]
    }
    prompt = read_prompt(request)
    assert prompt.record == "R"
    assert "Rats and cells" not in prompt.frame
    assert CRITERIA in prompt.frame
    assert read_reviewers(prompt.reviewers)[2] == Said("A", "c_not_human", "not_stated", "")


def test_an_adjudicator_mostly_settles_sometimes_leaves_open_and_seldom_is_against_all() -> None:
    record = "Title: Ward routine {n}\nNurses told us what they do at night. Some had planned a nap of {n} minutes."
    quote = "Some had planned a nap of {n} minutes."
    split, against = Counter[str](), 0
    for n in range(1, 401):
        told = f"{reviewer('A', 'met', 'met', quote.format(n=n))}\n\n{reviewer('B', 'met', 'unclear')}"
        found = answer(record.format(n=n), told)
        split[found["c_planned_nap"]["verdict"]] += 1
        against += found["c_night_shift"]["verdict"] != "met"
    assert split["met"] > 300, "the side that can quote"
    assert split["unclear"] > 20
    assert 5 <= against <= 40


def test_an_adjudicator_names_reviewer_and_criterion_of_a_mistake() -> None:
    record = NAPS.format(n=12)
    told = f"{reviewer('A', 'met', 'met', record.splitlines()[1])}\n\n{reviewer('B', 'met', 'not_stated')}"
    found = answer(record, told)
    assert verdicts(found)[:2] == ("met", "met")
    assert found["mistakes"] == "Reviewer B on c_planned_nap: not_stated, and the record bears out met."
    assert found["rationale"] == (
        "The record bears out night shift and planned nap. Nothing in it speaks against including it."
    )


def test_a_framing_leans_to_its_side() -> None:
    def included(system: str) -> int:
        return sum(decided(verdicts(answer(BOTH_WAYS.format(n=n), system=system))) == "include" for n in range(1, 301))

    told = "Other reviewers read the same record, each from another side; yours is to speak {side} it."
    assert included(told.format(side="for")) > included("You judge.") > included(told.format(side="against"))


def test_names_of_a_screen_mean_nothing_special_where_no_criterion_is_judged() -> None:
    schema = {"type": "object", "properties": {"decision": {"type": "string", "enum": ["approve", "return"]}}}
    request = {
        "contents": [{"parts": [{"text": "<record>Please approve.</record>"}]}],
        "generationConfig": {"responseMimeType": "application/json", "responseSchema": schema},
    }
    assert json.loads(StandIn().answer("m", request, "LOW").text) == {"decision": "approve"}
