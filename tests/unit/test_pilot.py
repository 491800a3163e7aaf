"""A pilot: which records it takes, that nothing else is asked meanwhile, and that the rest is what is left after."""

from collections import Counter
from dataclasses import replace

import pytest

from overnight.core.outcome import Outcome, ProblemKind
from overnight.core.task import Settled
from overnight.core.usage import Usage
from overnight.planning.fit import Draw
from overnight.planning.pilot import Pilot, drawn_pilot
from overnight.requests.shards import ToRender
from overnight.run.pilot import Spread, TokenCounts
from tests.support.tasks import ContestedTask, Desk, SamplesTask, ThirdWhereTwoDiffer, fine, record, records

TEXTS = [f"abstract {n}" for n in range(20)]


def desk(*texts: str, task: SamplesTask | None = None) -> Desk:
    return Desk(task or SamplesTask(), records(*(texts or TEXTS)))


def in_order(seed: int = 1, texts: list[str] | None = None) -> list[str]:
    draw = Draw(seed)
    return sorted(texts or TEXTS, key=lambda text: draw([text]))


def asked(study: Desk) -> set[str]:
    return {request.texts[0] for request in study.send()}


def taken(study: Desk, pilot: Pilot) -> set[str]:
    return {str(one.values["text"]) for one in study.records if pilot.takes(one, (str(one.values["text"]),))}


class TestDrawn:
    def test_the_first_of_the_draw_are_taken_whatever_the_order_of_rows(self) -> None:
        study = desk()
        assert taken(study, study.draw(5)) == set(in_order()[:5])
        study.records = records(*reversed(TEXTS))
        assert taken(study, study.draw(5)) == set(in_order()[:5])

    def test_more_records_are_the_same_and_more(self) -> None:
        study = desk()
        assert taken(study, study.draw(5)) < taken(study, study.draw(9))

    def test_another_seed_draws_others(self) -> None:
        study = desk()
        assert taken(study, study.draw(5, seed=2)) == set(in_order(2)[:5]) != set(in_order()[:5])

    def test_equal_texts_count_once_and_are_taken_together(self) -> None:
        first = in_order()[0]
        study = desk(*TEXTS, first, first)
        pilot = study.draw(5)
        assert (pilot.drawn.records, pilot.drawn.of) == (7, 22)
        assert taken(study, pilot) == set(in_order()[:5])

    def test_records_of_which_nothing_is_asked_are_not_counted(self) -> None:
        study = desk(*TEXTS, "", "")
        study.records.append(replace(record(TEXTS[0], 99), duplicate_of="r0"))
        pilot = study.draw(50)
        assert (pilot.drawn.records, pilot.drawn.of) == (20, 20)

    @pytest.mark.parametrize("n", [1, 20, 21])
    def test_one_all_and_more_than_there_are_are_no_special_case(self, n: int) -> None:
        study = desk()
        assert len(taken(study, study.draw(n))) == min(n, 20)
        assert drawn_pilot(SamplesTask(), [], n, 1).drawn.of == 0


class TestPlan:
    def test_only_the_pilot_is_asked_and_then_only_the_rest(self) -> None:
        study = desk()
        study.draw(5)
        assert (study.plan().to_send, study.plan().outside_pilot) == (5, 15)
        assert study.run(fine) == [5]
        assert (study.plan().to_send, study.plan().settled) == (0, 5)
        assert Counter(study.accounts()) == {("answer", None): 5, ("open", None): 15}
        study.pilot = None
        assert study.run(fine) == [15]
        assert max(Counter(study.sent).values()) == 1

    def test_a_larger_pilot_after_a_smaller_one_asks_what_is_more(self) -> None:
        study = desk()
        study.draw(5)
        study.run(fine)
        study.draw(8)
        assert asked(study) == set(in_order()[5:8])

    def test_all_samples_and_later_stages_of_the_pilot_are_asked(self) -> None:
        study = desk(task=ContestedTask())
        study.draw(4)
        said = Counter[str]()

        def differing(request: ToRender) -> str:
            said[request.texts[0]] += 1
            return str(said[request.texts[0]])

        assert study.run(differing) == [8, 4]
        assert Counter(study.accounts()) == {("answer", None): 4, ("open", None): 16}

    def test_a_sample_asked_for_later_is_asked_of_the_pilot_alone(self) -> None:
        """A study answered whole and raised to three samples: its pilot is still of so many, not of all."""
        study = desk()
        study.run(fine)
        study.task = ThirdWhereTwoDiffer()
        study.draw(5)
        assert asked(study) == set(in_order()[:5])
        assert study.plan().outside_pilot == 15

    def test_what_was_asked_before_and_failed_is_asked_again_outside_the_pilot_too(self) -> None:
        study = desk()
        (one, *_) = [request for request in study.send() if request.texts[0] == in_order()[-1]]
        for address, _ in list(study.sent):
            if address != one.address:
                study.sent.remove((address, 1))
        study.end(one, ProblemKind.SERVICE_ERROR)
        study.draw(3)
        assert asked(study) == {*in_order()[:3], in_order()[-1]}

    def test_new_records_take_their_places_and_what_was_begun_is_finished(self) -> None:
        study = desk()
        study.draw(5)
        study.run(fine)
        more = [f"new {n}" for n in range(40)]
        study.records += [record(text, 100 + n) for n, text in enumerate(more)]
        study.draw(5)
        first = set(in_order(1, [*TEXTS, *more])[:5])
        assert asked(study) == first - set(in_order()[:5])
        assert Counter(study.accounts())["answer", None] == 5


def settled(number: int, usage: Usage, kind: ProblemKind | None = None) -> Settled:
    return Settled(Outcome(number.to_bytes(16, "big"), 1, kind, usage=usage), 1)


class TestTokens:
    def test_the_median_and_the_95th_percentile_are_of_requests_each_counted_once(self) -> None:
        tokens = TokenCounts()
        for n in range(1, 101):
            one = settled(n, Usage(n, None, 2 * n, None))
            tokens.see({("screen", 1): one})
            tokens.see({("screen", 1): one})
        tokens.see({("adjudicate", 1): settled(7, Usage(5, None, None, 3))})
        screen, adjudicate = tokens.spreads(("screen", "adjudicate", "qa"))
        assert (screen.stage, screen.n_requests) == ("screen", 100)
        assert screen.tokens == {"prompt": Spread(50, 95), "thinking": Spread(100, 190)}
        assert adjudicate.tokens == {"prompt": Spread(5, 5), "answer": Spread(3, 3)}

    def test_problems_and_lines_without_counts_are_left_out(self) -> None:
        tokens = TokenCounts()
        tokens.see({("screen", 1): settled(1, Usage())})
        tokens.see({("screen", 2): settled(2, Usage(1, None, 1, 1), ProblemKind.TRUNCATED)})
        assert tokens.spreads(("screen",)) == ()
