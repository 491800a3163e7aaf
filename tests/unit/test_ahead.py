"""What may follow on a plan's requests, counted before anybody answers; and why later stages are asked again."""

from collections import Counter

import pytest

from overnight.core.outcome import ProblemKind as Kind
from overnight.planning.causes import PAID_AGAIN, Reason
from overnight.requests.shards import ToRender
from tests.support.recipes import recipe
from tests.support.tasks import ContestedTask, Desk, SamplesTask, ThirdWhereTwoDiffer, fine, record, records

PLACE = ("adjudicate", 1)


def desk(*texts: str, task: SamplesTask) -> Desk:
    return Desk(task, records(*texts))


def differing(*texts: str) -> "Service":
    return Service(set(texts))


class Service:
    """Samples of these texts differ; everybody else says yes."""

    def __init__(self, contested: set[str]) -> None:
        self.contested, self.heard = contested, Counter[str]()

    def __call__(self, request: ToRender) -> str:
        text = request.texts[0]
        self.heard[text] += 1
        return f"{self.heard[text]}" if text in self.contested else "yes"


def why(study: Desk) -> dict[Reason, int]:
    return {reason: n for reason, n in study.plan().reasons.items() if n}


class TestAhead:
    def test_every_record_with_a_request_to_send_may_come_to_the_second_stage(self) -> None:
        plan = desk("a", "bb", "ccc", task=ContestedTask()).plan()
        found = plan.ahead[PLACE]
        assert (found.records, found.decided, found.wanted, found.queued) == (3, 0, 0, 0)
        assert (found.text_bytes, found.longest_bytes, found.characters.total) == (6, 3, 6)
        assert found.likely == 1

    def test_equal_texts_come_to_it_once(self) -> None:
        assert desk("a", "a", "b", task=ContestedTask()).plan().ahead[PLACE].records == 2

    def test_after_the_samples_it_is_known_who_came_to_it(self) -> None:
        study = desk("a", "b", "c", task=ContestedTask())
        study.round(differing("b"))
        found = study.plan().ahead[PLACE]
        assert (found.records, found.decided, found.wanted, found.queued) == (0, 3, 1, 1)

    def test_what_is_under_way_is_not_counted_again(self) -> None:
        study = desk("a", "b", task=ContestedTask())
        study.send()
        study.records.append(record("c", 3))
        assert study.plan().ahead[PLACE].records == 1

    def test_what_a_study_has_shown_of_twenty_records_takes_the_place_of_the_guess(self) -> None:
        texts = [f"text {n}" for n in range(20)]
        study = desk(*texts, task=ContestedTask())
        study.run(differing(*texts[:10]))
        study.records += [record(f"new {n}", 100 + n) for n in range(40)]
        found = study.plan().ahead[PLACE]
        assert (found.records, found.decided, found.wanted, found.likely) == (40, 20, 10, 20)

    def test_a_third_sample_of_the_same_stage_may_follow_too(self) -> None:
        study = desk("a", "b", task=ThirdWhereTwoDiffer())
        assert study.plan().ahead["answer", 3].records == 2
        study.round(differing("b"))
        assert (study.plan().ahead["answer", 3].records, study.plan().ahead["answer", 3].wanted) == (0, 1)

    def test_a_task_of_one_stage_has_nothing_ahead(self) -> None:
        assert desk("a", "b", task=SamplesTask(samples=3)).plan().ahead == {}

    def test_samples_side_by_side_are_known_while_planning(self) -> None:
        study = desk("a", "b", "c", task=ContestedTask())
        study.round(differing("b"))
        assert (study.plan().compared.records, study.plan().compared.contested) == (3, 1)


class TestWhy:
    def test_samples_more_of_what_was_answered_are_a_reason_of_their_own_and_no_paying_again(self) -> None:
        study = desk("a", "b", task=SamplesTask())
        study.run(fine)
        study.task = SamplesTask(samples=3)
        study.records.append(record("c", 3))
        assert why(study) == {Reason.MORE_SAMPLES: 4, Reason.NEW: 3}
        assert study.plan().paid_again == 0
        assert study.run(fine) == [7]

    def test_an_adjudication_of_other_samples_says_so_with_what_its_answer_cost_and_needs_no_yes(self) -> None:
        study = desk("b", task=ContestedTask())
        study.run(differing("b"))
        row = len(study.rows)
        study.task = ContestedTask(samples=3)
        assert why(study) == {Reason.MORE_SAMPLES: 1}
        study.round(fine)
        assert why(study) == {Reason.ANSWERS_CHANGED: 1}
        assert (study.plan().before, study.plan().paid_again) == ({Reason.ANSWERS_CHANGED: [row]}, 0)
        assert Reason.ANSWERS_CHANGED not in PAID_AGAIN

    def test_a_sample_opened_again_changes_what_is_weighed(self) -> None:
        study = desk("b", task=ContestedTask())
        first, second = study.send()
        study.end(first, "yes")
        study.end(second, Kind.BLOCKED)
        study.run(fine)
        study.reopen(Kind.BLOCKED)
        assert why(study) == {Reason.RETRY: 1}
        study.round(lambda _: "no")
        assert why(study) == {Reason.ANSWERS_CHANGED: 1}

    @pytest.mark.parametrize(("model", "begin_at"), [("m", 7), ("m2", 7), ("m2", 0)])
    def test_an_edited_study_asks_for_a_yes_to_its_samples_and_not_a_second_one_to_what_they_lead_to(
        self, model: str, begin_at: int
    ) -> None:
        """begin_at: 0 where the samples say again what they said, in the same words."""
        study = desk("b", task=ContestedTask())
        study.run(differing("b"))
        study.task, study.model = ContestedTask(recipe=recipe("Judge well: ", "{text}", stage="answer")), model
        assert study.plan().paid_again == 2
        service = differing("b")
        service.heard["b"] = begin_at
        study.round(service)
        assert why(study) == {Reason.ANSWERS_CHANGED: 1}
        assert study.plan().paid_again == 0

    def test_a_second_stage_in_other_words_over_the_same_samples_is_paid_for_again(self) -> None:
        study = desk("b", task=ContestedTask())
        study.run(differing("b"))

        class OtherWords(ContestedTask):
            def wants(self, record, settled):  # type: ignore[no-untyped-def]
                for want in super().wants(record, settled):
                    if want.stage == "adjudicate":
                        other = recipe("Decide well: ", "{text}", " after ", "{said}", stage="adjudicate")
                        want = type(want)(want.stage, want.sample, other, want.texts)
                    yield want

        study.task = OtherWords()
        assert why(study) == {Reason.RECIPE_CHANGED: 1}
        assert study.plan().paid_again == 1
