"""The difference: what is to be sent and why, and that closing it twice sends nothing."""

from collections import Counter

import pytest

from overnight.core.identity import address
from overnight.core.outcome import NotSent, ProblemKind
from overnight.core.record import Record
from overnight.errors import AccountingError
from overnight.planning.causes import PAID_AGAIN, Reason
from overnight.planning.standing import State
from overnight.requests.shards import Shape, ToRender
from tests.support.recipes import recipe
from tests.support.tasks import (
    ADJUDICATE,
    ANSWER,
    ContestedTask,
    Desk,
    SamplesTask,
    Service,
    ThirdWhereTwoDiffer,
    fine,
    record,
    records,
)

Kind = ProblemKind


def desk(*texts: str, task: SamplesTask | None = None) -> Desk:
    return Desk(task or SamplesTask(), records(*texts))


def by_text(answers: dict[str, Kind]) -> Service:
    def service(request: ToRender) -> Kind | str:
        return answers.get(request.texts[0], "yes")

    return service


class TestClosing:
    def test_what_is_wanted_is_sent_once_and_then_nothing_is_left(self) -> None:
        study = desk("a", "b", "c")
        assert study.run(fine) == [3]
        assert study.run(fine) == []
        assert study.accounts() == [("answer", None)] * 3
        assert (study.plan().settled, study.plan().to_send, study.plan().groups) == (3, 0, {})

    def test_a_plan_changes_nothing(self) -> None:
        study = desk("a", "b")
        first = study.plan()
        assert study.plan() == first
        assert study.run(fine) == [2]

    def test_what_is_in_flight_is_not_sent_again(self) -> None:
        study = desk("a", "b")
        (one, _) = study.send()
        assert study.send() == []
        assert study.plan().in_flight == 2
        assert study.accounts() == [("open", None)] * 2
        study.end(one, Kind.SERVICE_ERROR)
        assert [request.attempt for request in study.send()] == [2]

    def test_equal_prompts_are_sent_once_and_answer_for_all(self) -> None:
        study = desk("a", "b", "a", "a")
        plan = study.plan()
        assert (plan.wanted, plan.to_send, plan.same_prompt) == (4, 2, 2)
        assert study.run(fine) == [2]
        assert study.accounts() == [("answer", None)] * 4

    def test_equal_prompts_are_sent_for_each_sample(self) -> None:
        assert desk("a", "a", task=SamplesTask(3)).run(fine) == [3]

    def test_more_records_cost_what_is_more(self) -> None:
        study = desk("a", "b")
        study.run(fine)
        study.records += [record("b", 2), record("c", 3)]
        assert study.plan().reasons == {Reason.NEW: 1}
        assert study.run(fine) == [1]

    def test_fewer_records_cost_nothing_and_back_again_nothing(self) -> None:
        study = desk("a", "b")
        study.run(fine)
        gone = study.records.pop()
        assert (study.run(fine), study.plan().wanted) == ([], 1)
        study.records.append(gone)
        assert study.run(fine) == []

    def test_ids_and_order_are_no_part_of_a_request(self) -> None:
        study = desk("a", "b")
        study.run(fine)
        study.records = [record("b", 0, "other"), record("a", 1, "names")]
        assert study.run(fine) == []

    def test_more_samples_add_only_the_new_ones(self) -> None:
        study = desk("a", "b", task=SamplesTask(1))
        study.run(fine)
        study.task = SamplesTask(3)
        assert [request.address for request in study.send()] == [
            address("stand-in", "m", "answer", sample, ANSWER.digest, (text,)) for text in "ab" for sample in (2, 3)
        ]

    def test_another_realm_knows_nothing_of_this_one(self) -> None:
        study = desk("a", "b")
        study.run(fine)
        study.realm = "google"
        assert study.run(fine) == [2]

    def test_a_record_with_nothing_to_ask_is_not_sent_with_its_reason(self) -> None:
        study = desk("a", "", "")
        assert study.plan().not_sent == {NotSent.NO_TEXT: 2}
        assert study.run(fine) == [1]
        account = study.wants().account(study.records[1])
        assert (account.outcome, account.not_sent, account.wanted) == ("not_sent", NotSent.NO_TEXT, ())

    def test_a_task_that_wants_nothing_and_does_not_say_why_is_found_out(self) -> None:
        class Silent(SamplesTask):
            def not_sent(self, record: Record) -> NotSent | None:
                return None

        for call in (lambda: desk("", task=Silent(0)).plan(), lambda: desk("", task=Silent(0)).accounts()):
            with pytest.raises(AccountingError, match="does not say why"):
                call()


class TestAgain:
    def test_what_may_go_away_is_tried_so_often_as_the_study_says(self) -> None:
        for attempts in (1, 2, 5):
            study = desk("a", "b")
            study.attempts = attempts
            assert study.run(lambda request: Kind.SERVICE_ERROR) == [2] * attempts
            assert study.accounts() == [("problem", Kind.SERVICE_ERROR)] * 2
            assert (study.plan().given_up, study.plan().settled) == (2, 0)

    def test_only_what_failed_is_sent_again_and_as_the_next_attempt(self) -> None:
        study = desk("a", "b", "c")
        study.round(by_text({"b": Kind.MISSING}))
        assert study.plan().reasons == {Reason.AGAIN: 1}
        assert [(request.texts, request.attempt) for request in study.send()] == [(("b",), 2)]

    @pytest.mark.parametrize("kind", [Kind.BLOCKED, Kind.REFUSED, Kind.CANCELLED])
    def test_what_is_permanent_is_sent_once(self, kind: Kind) -> None:
        study = desk("a", "b")
        assert study.run(by_text({"a": kind})) == [2]
        assert study.accounts() == [("problem", kind), ("answer", None)]

    def test_a_truncated_answer_gets_more_room_each_time_until_there_is_none(self) -> None:
        study = desk("a")
        study.attempts = 99
        rooms = []
        while (plan := study.plan()).to_send:
            rooms += [shape.max_output_tokens for shape in plan.groups]
            study.round(lambda request: Kind.TRUNCATED)
        assert rooms == [100, 200, 400]
        assert study.accounts() == [("problem", Kind.TRUNCATED)]

    def test_room_once_given_is_kept_whatever_comes_after(self) -> None:
        study = desk("a")
        for kind in (Kind.TRUNCATED, Kind.SERVICE_ERROR):
            study.round(lambda request, kind=kind: kind)  # type: ignore[misc]
        assert list(study.plan().groups) == [Shape("answer", ANSWER.digest, 200)]

    def test_what_has_different_room_goes_in_different_shapes(self) -> None:
        study = desk("a", "b", "c")
        study.round(by_text({"b": Kind.TRUNCATED, "c": Kind.MISSING}))
        study.records.append(record("d", 3))
        groups = study.plan().groups
        assert {shape.max_output_tokens: group.n_requests for shape, group in groups.items()} == {200: 1, 100: 2}

    @pytest.mark.parametrize("kind", ProblemKind)
    def test_what_was_given_up_is_opened_by_a_person_only(self, kind: Kind) -> None:
        study = desk("a", "b")
        study.run(by_text({"a": kind}))
        assert study.run(fine) == []
        study.reopen(kind)
        assert study.plan().reasons == {Reason.RETRY: 1}
        tries = study.run(by_text({"a": kind}))
        assert tries[0] == 1, "the given-up one and no other"
        assert study.run(fine) == []
        study.reopen(kind)
        assert study.run(fine) == [1]
        assert study.accounts() == [("answer", None)] * 2

    def test_what_was_forgotten_is_asked_anew_and_nothing_else(self) -> None:
        study = desk("a", "b", task=SamplesTask(2))
        study.run(fine)
        study.reopened[study.outcomes[0][0]] = 1
        assert study.plan().reasons == {Reason.RETRY: 1}
        assert study.run(fine) == [1]
        assert study.run(fine) == []


class TestWhy:
    """Paying again for what was answered is asked first, when the study was edited."""

    def reasons(self, study: Desk) -> dict[Reason, int]:
        return {reason: n for reason, n in study.plan().reasons.items() if n}

    @pytest.fixture
    def done(self) -> Desk:
        study = desk("a", "b")
        study.round(by_text({"b": Kind.BLOCKED}))
        return study

    def test_another_recipe(self, done: Desk) -> None:
        done.task = SamplesTask(recipe=recipe("Judge well: ", "{text}"))
        assert self.reasons(done) == {Reason.RECIPE_CHANGED: 1, Reason.NEW: 1}, "what had no answer is not paid again"
        plan = done.plan()
        assert (plan.paid_again, plan.before) == (1, {Reason.RECIPE_CHANGED: [1]})

    def test_another_model(self, done: Desk) -> None:
        done.model = "m2"
        assert self.reasons(done) == {Reason.MODEL_CHANGED: 1, Reason.NEW: 1}

    def test_an_edited_text_is_a_new_question(self, done: Desk) -> None:
        done.records = records("a, edited", "b")
        assert self.reasons(done) == {Reason.TEXT_CHANGED: 1}
        assert done.plan().paid_again == 0

    def test_a_text_that_another_record_had_is_not_asked_again(self, done: Desk) -> None:
        done.records = records("a", "a")
        assert self.reasons(done) == {}

    def test_the_old_recipe_back_again_costs_nothing(self, done: Desk) -> None:
        before = done.task
        done.task = SamplesTask(recipe=recipe("Judge well: ", "{text}"))
        done.send()
        done.task = before
        assert (self.reasons(done), done.plan().settled) == ({}, 1)

    def test_what_is_paid_again_is_what_an_edit_of_the_study_does(self) -> None:
        unpaid = {Reason.NEW, Reason.MORE_SAMPLES, Reason.AGAIN, Reason.RETRY, Reason.FORGET}
        unpaid |= {Reason.TEXT_CHANGED, Reason.ANSWERS_CHANGED}
        assert set(Reason) - unpaid == PAID_AGAIN


class TestStages:
    def contested(self) -> Desk:
        return desk("a", "b", "c", task=ContestedTask())

    def test_a_second_stage_is_wanted_where_the_first_differs_and_only_there(self) -> None:
        study = self.contested()
        heard: Counter[str] = Counter()

        def service(request: ToRender) -> str:
            heard[request.texts[0]] += 1
            return "no" if request.texts[0] == "b" and heard["b"] == 2 else "yes"

        assert study.run(service) == [6, 1]
        assert study.accounts() == [("answer", None)] * 3
        last = study.rows[len(study.rows)]
        assert last.address == address("stand-in", "m", "adjudicate", 1, ADJUDICATE.digest, ("b", "yes / no"))

    def test_it_waits_until_all_of_the_first_are_settled(self) -> None:
        study = desk("b", task=ContestedTask())
        first, second = study.send()
        study.end(first, "yes")
        assert study.plan().to_send == 0
        study.end(second, "no")
        assert [shape.stage for shape in study.plan().groups] == ["adjudicate"]

    def test_a_given_up_sample_is_settled_too(self) -> None:
        study = desk("b", task=ContestedTask())
        first, second = study.send()
        study.end(first, "yes")
        study.end(second, Kind.BLOCKED)
        assert study.run(fine) == [1]
        assert study.accounts() == [("answer", None)]

    def test_another_answer_of_the_first_asks_the_second_anew(self) -> None:
        """Its texts hold what was said: other parents, another request."""
        study = desk("b", task=ContestedTask())
        first, second = study.send()
        study.end(first, "yes")
        study.end(second, "no")
        study.run(fine)
        study.reopened[second.address] = 1
        assert study.run(lambda request: "perhaps") == [1, 1]

    def test_the_last_stage_says_what_a_record_ends_as(self) -> None:
        study = desk("b", task=ContestedTask())
        first, second = study.send()
        study.end(first, "yes")
        study.end(second, "no")
        study.run(lambda request: Kind.BLOCKED)
        assert study.accounts() == [("problem", Kind.BLOCKED)]
        account = study.wants().account(study.records[0])
        assert set(account.settled) == {("answer", 1), ("answer", 2), ("adjudicate", 1)}

    def test_a_third_sample_where_two_differ_is_of_the_same_stage(self) -> None:
        study = desk("a", "b", task=ThirdWhereTwoDiffer())
        heard: Counter[str] = Counter()

        def service(request: ToRender) -> str:
            heard[request.texts[0]] += 1
            return f"{heard['b']}" if request.texts[0] == "b" else "yes"

        assert study.run(service) == [4, 1]
        assert study.accounts() == [("answer", None)] * 2
        assert set(study.wants().account(study.records[1]).settled) == {("answer", n) for n in (1, 2, 3)}


class TestPlan:
    def test_groups_know_their_size_and_keep_the_first(self) -> None:
        study = desk("été", "b", "")
        ((shape, group),) = study.plan().groups.items()
        assert shape == Shape("answer", ANSWER.digest, 100)
        assert (group.n_requests, group.characters.total, group.recipe) == (2, 4, ANSWER)
        assert (group.text_bytes, group.longest_bytes) == (6, 5)
        assert [(one.record_id, wanted.want.texts) for one, wanted in group.first] == [("r0", ("été",))]

    def test_requests_of_a_shape_come_in_record_order_and_once(self) -> None:
        study = desk("c", "a", "b", "a")
        difference = study.difference()
        difference.plan(study.records)
        shape = Shape("answer", ANSWER.digest, 100)
        assert [request.texts[0] for request in difference.requests(study.records, shape)] == ["c", "a", "b"]
        assert list(difference.requests(study.records, shape)) == []
        assert list(difference.requests(study.records, Shape("other", ANSWER.digest, 100))) == []

    def test_what_is_given_out_is_in_flight_and_the_rest_still_waits(self) -> None:
        study = desk("a", "b")
        difference = study.difference()
        difference.plan(study.records)
        source = difference.requests(study.records, Shape("answer", ANSWER.digest, 100))
        next(source)
        standings = [wanted.standing.state for one in study.records for wanted in difference._wants.of(one)]
        assert standings == [State.IN_FLIGHT, State.QUEUED]
