"""The room of a first attempt: by the model, then by what fifty answers took. Later attempts have the room they had."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overnight.core.usage import Usd
from overnight.pricing.room import ENOUGH_ANSWERS
from overnight.run.plan import make_plan
from tests.contract.test_run_loop import FIRST, SECOND, Desk, TwoStages, length
from tests.support.cloud import SWIFT, instead_of_a_child
from tests.support.local_cloud import LocalCloud
from tests.support.memory_backend import Line, MemoryBackend, answers, prompt_of
from tests.support.studies import CLOUD, SmallStudy

MODEL = "gemini-3.8-flash"
PILOT, LONGEST = 60, 600


def served(line: Line) -> Line:
    """Takes as many tokens as its text says, and is cut off where the room is less."""
    found = answers(length, model=MODEL)(line) or {}
    need, room = int(re.findall(r"takes (\d+)", prompt_of(line))[0]), room_of(line)
    found["response"]["usageMetadata"] |= {"thoughtsTokenCount": min(need, room) - 5, "candidatesTokenCount": 5}
    if need > room:
        found["response"]["candidates"][0]["finishReason"] = "MAX_TOKENS"
    return found


def room_of(line: Line) -> int:
    return int(line["request"]["generationConfig"]["maxOutputTokens"])


def texts(first: int, n: int, most: int = LONGEST) -> dict[str, str]:
    return {f"r{k}": f"text {k:03d} takes {most - (k - first)}" for k in range(first, first + n)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    study = SmallStudy(tmp_path, model=MODEL, more=CLOUD + "budget: {limit_usd: 100}\n")
    study.texts = texts(0, PILOT)
    study.write()
    return Desk(study, MemoryBackend(served), TwoStages(qa=False))


def run(desk: Desk) -> None:
    desk.run(yes=True, smoke=False)


def add(desk: Desk, more: dict[str, str]) -> None:
    desk.study.texts |= more
    desk.study.write()


def lines(desk: Desk) -> list[list[Line]]:
    """Of each job, in the order in which they were made."""
    return [[json.loads(raw) for raw in desk.backend.inputs[job.place.input]] for job in desk.backend.jobs.values()]


def rooms(desk: Desk) -> list[int]:
    """Of each job; one job has one."""
    found = [{room_of(line) for line in job} for job in lines(desk)]
    assert {len(one) for one in found} == {1}
    return [one.pop() for one in found]


def by_model(desk: Desk) -> int:
    with desk.world() as world:
        return world.room(0)


class TestFirstAttempts:
    def test_after_fifty_answers_they_have_the_room_that_these_needed_and_half_of_it(self, desk: Desk) -> None:
        run(desk)
        add(desk, texts(100, 10))
        run(desk)
        assert rooms(desk) == [by_model(desk), 1_024]  # 600 and half of it is 900
        assert [len(job) for job in lines(desk)] == [PILOT, 10]
        assert set(desk.backend.served.values()) == {1}, "another room asks nothing again"

    @pytest.mark.parametrize(("answered", "falls"), [(ENOUGH_ANSWERS - 1, False), (ENOUGH_ANSWERS, True)])
    def test_fewer_tell_nothing(self, desk: Desk, answered: int, falls: bool) -> None:
        desk.study.texts = texts(0, answered)
        desk.study.write()
        run(desk)
        add(desk, texts(100, 1))
        run(desk)
        assert (rooms(desk)[1] < rooms(desk)[0]) is falls

    def test_the_worst_case_and_what_is_reserved_shrink_with_it(self, desk: Desk) -> None:
        with desk.world() as world:
            before = make_plan(world).worst
        run(desk)
        desk.study.texts = {f"new{k}": text for k, text in texts(100, PILOT).items()}
        desk.study.write()
        with desk.world() as world:
            after = make_plan(world).worst
        run(desk)
        assert before is not None
        assert after is not None
        assert after < before * Usd("0.2").amount
        first, second = (Usd(amount) for (amount,) in desk.study.query("SELECT row_usd FROM shard ORDER BY id"))
        assert second < first * Usd("0.2").amount
        rows = desk.study.query("SELECT max_output_tokens FROM shard ORDER BY id")
        assert [room for (room,) in rows] == rooms(desk)

    def test_in_parts_under_a_limit_the_next_part_has_it_too_and_is_larger(self, desk: Desk) -> None:
        """One `run`: each job as large as the limit holds when it is made."""
        with desk.world() as world:
            worst = make_plan(world).worst
        assert worst is not None
        desk.study.more = CLOUD + f"budget: {{limit_usd: {(worst * Usd('1.05').amount).exact()}}}\n"
        desk.study.texts = texts(0, 6 * PILOT, most=900)
        desk.study.write()
        run(desk)
        first, *others = rooms(desk)
        assert (first, set(others)) == (by_model(desk), {2_048})
        sizes = [len(job) for job in lines(desk)]
        assert sizes[0] >= ENOUGH_ANSWERS
        assert sizes[1] > 2 * sizes[0]
        assert set(desk.backend.served.values()) == {1}

    def test_answers_of_another_recipe_do_not_count(self, desk: Desk) -> None:
        """Half of the texts are of even length, and go on to the second stage."""
        desk.task = TwoStages()
        desk.study.texts = {f"r{k}": f"{'x' * (k % 2)} takes 600 of {k:03d}" for k in range(PILOT)}
        desk.study.write()
        run(desk)
        assert rooms(desk) == [by_model(desk)] * 2, "the second stage asks something else"
        add(desk, texts(100, 10))
        run(desk)
        stages = desk.study.query("SELECT stage, max_output_tokens FROM shard ORDER BY id")[2:]
        assert stages == [("answer", 1_024), ("qa", by_model(desk))], "thirty answers of it"
        with desk.world() as world:
            counted = [world.rooms()[recipe.digest].seen.n_answers for recipe in (FIRST, SECOND)]
        assert counted == [PILOT + 10, len(lines(desk)[1]) + len(lines(desk)[3])]


class TestCutOff:
    def test_it_is_asked_again_with_twice_the_room_by_the_model_and_nothing_else_is(self, desk: Desk) -> None:
        run(desk)
        add(desk, texts(100, 10) | {"long": "this one takes 2000"})
        run(desk)
        assert rooms(desk) == [by_model(desk), 1_024, 2 * by_model(desk)]
        keys = Counter(line["key"].split("-")[0] for job in lines(desk) for line in job)
        again = [key for key, n in keys.items() if n == 2]
        assert [line["key"] for line in lines(desk)[2]] == [f"{again[0]}-a2"], "the same request, another attempt"
        assert len(again) == 1
        assert {row["outcome"] for row in desk.study.results("results")} == {"answer"}

    def test_what_was_needed_is_learnt_from(self, desk: Desk) -> None:
        run(desk)
        add(desk, {"long": "this one takes 2000"})
        run(desk)
        add(desk, texts(100, 10))
        run(desk)
        assert rooms(desk)[3] == 4_096

    def test_one_without_an_answer_yet_counts_as_more_than_it_had(self, desk: Desk) -> None:
        run(desk)
        desk.study.attempts = 1
        add(desk, {"long": "this one takes 2000"})
        run(desk)
        add(desk, texts(100, 10))
        run(desk)
        assert rooms(desk) == [by_model(desk), 1_024, 2_048]

    def test_one_that_not_even_the_room_by_the_model_holds_says_nothing_of_the_others(self, desk: Desk) -> None:
        """Some answers never end. They are cut off whatever the room is, the sooner the cheaper."""
        add(desk, {"endless": "this one takes 999999"})
        run(desk)
        add(desk, texts(100, 10))
        run(desk)
        assert (rooms(desk)[0], rooms(desk)[-1]) == (by_model(desk), 1_024)
        assert rooms(desk)[1:-1] == sorted(set(rooms(desk)[1:-1])), "more room each time, then given up"


class TestSaid:
    def test_plan_names_the_room_and_what_it_is_from(self, desk: Desk) -> None:
        assert "by model and thinking; 50 answers will tell better" in desk.study.cli("plan").out

    def test_a_stand_ins_answers_are_no_evidence_for_google(self, desk: Desk) -> None:
        desk.study.more = ""
        desk.study.write()
        run(desk)
        desk.study.more = CLOUD
        add(desk, texts(100, 10))
        with desk.world() as world:
            assert not world.rooms()[FIRST.digest].from_answers


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path / "cloud", **SWIFT)
    with instead_of_a_child(cloud):
        yield cloud
    cloud.stop()


def test_with_the_local_cloud_from_the_command_line(tmp_path: Path, cloud: LocalCloud) -> None:
    study = SmallStudy.of(tmp_path / "study", PILOT)
    assert study.cli("run").code == 0
    study.texts |= {"new": "In ward 7 we studied 41 medics. They napped."}
    study.write()
    planned: dict[str, Any] = study.cli("plan", "--json").json["rooms"][0]
    ((largest,),) = study.query("SELECT max(thinking_tokens + answer_tokens) FROM outcome")
    assert (planned["answers"], planned["largest_answer"]) == (PILOT, largest)
    before, after = planned["by_model"], planned["max_output_tokens"]
    assert largest * 3 / 2 <= after < before
    said = study.cli("plan", "--show", "1").out
    assert f"Room: {before:,} → {after:,} tokens an answer: the largest of {PILOT} took {largest:,}." in said
    assert f'"maxOutputTokens":{after}' in said
    assert study.cli("run").code == 0
    assert study.query("SELECT max_output_tokens FROM shard ORDER BY id") == [(before,), (after,)]
    report = (study.home / "stand-in" / "report.html").read_text("utf-8")
    assert f"maxOutputTokens {after:,}, {before:,}" in report
