"""How a request stands: what facts fold up to, and when a problem is final."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from overnight.core.outcome import AGAIN, Next, ProblemKind
from overnight.planning.standing import Policy, Standing, Standings, State, hours

A, B = b"a" * 16, b"b" * 16
Kind = ProblemKind
ERROR, CUT = Kind.SERVICE_ERROR, Kind.TRUNCATED
POLICY = Policy(3, lambda truncations: (100, 200, 400)[min(truncations, 2)])


def folded(
    sent: Iterable[tuple[bytes, int]] = (),
    outcomes: Iterable[tuple[bytes, int, ProblemKind | None, int]] = (),
    reopened: Iterable[tuple[bytes, int]] = (),
) -> Standings:
    """Where it does not matter when an attempt was sent."""
    return Standings([(address, attempt, 0) for address, attempt in sent], outcomes, reopened)


class TestFolding:
    def test_never_sent_is_unknown(self) -> None:
        assert folded()[A] == Standing(State.UNKNOWN)
        assert len(folded()) == 0

    def test_sent_and_nothing_back_is_in_flight(self) -> None:
        assert folded([(A, 1), (A, 2)])[A] == Standing(State.IN_FLIGHT, attempts=2)

    def test_an_answer_settles_and_is_never_replaced(self) -> None:
        found = folded([(A, 1), (A, 2)], [(A, 1, None, 7), (A, 2, None, 8), (A, 2, ERROR, 9)])
        assert found[A] == Standing(State.ANSWERED, attempts=2, row=7)

    def test_an_earlier_attempts_answer_settles_though_a_later_one_is_out(self) -> None:
        assert folded([(A, 1), (A, 2)], [(A, 1, ERROR, 1), (A, 1, None, 2)])[A].state is State.ANSWERED

    def test_problems_are_counted(self) -> None:
        found = folded([(A, 1), (A, 2)], [(A, 1, CUT, 4), (A, 2, ERROR, 5)])
        assert found[A] == Standing(State.PROBLEM, attempts=2, tries=2, truncations=1, kind=ERROR, row=5)

    def test_after_a_problem_the_next_attempt_is_out(self) -> None:
        found = folded([(A, 1), (A, 2)], [(A, 1, CUT, 4)])[A]
        assert (found.state, found.attempts, found.tries, found.truncations) == (State.IN_FLIGHT, 2, 1, 1)

    def test_reading_the_first_jobs_output_again_leaves_what_the_second_said(self) -> None:
        """`fetch --reparse` writes the outcome of attempt 1 anew, after that of attempt 2. In flight it would be for
        ever: open, never sent again."""
        found = folded([(A, 1), (A, 2)], [(A, 2, Kind.BLOCKED, 5), (A, 1, CUT, 6)])
        assert found[A] == Standing(State.PROBLEM, attempts=2, tries=2, truncations=1, kind=Kind.BLOCKED, row=5)

    def test_what_was_reopened_begins_anew_but_its_attempts_go_on(self) -> None:
        sent, ended = [(A, 1), (A, 2)], [(A, 1, CUT, 1), (A, 2, Kind.BLOCKED, 2)]
        assert folded(sent, ended, [(A, 2)])[A] == Standing(State.REOPENED, attempts=2, truncations=1)
        assert folded([*sent, (A, 3)], ended, [(A, 2)])[A] == Standing(State.IN_FLIGHT, attempts=3, truncations=1)
        again = folded([*sent, (A, 3)], [*ended, (A, 3, ERROR, 3)], [(A, 2)])[A]
        assert again == Standing(State.PROBLEM, attempts=3, tries=1, truncations=1, kind=ERROR, row=3)

    def test_what_was_cut_off_begins_anew_with_the_room_it_had(self) -> None:
        """`retry` would else pay for the same truncated answer again."""
        reopened = folded([(A, 1), (A, 2)], [(A, 1, CUT, 1), (A, 2, CUT, 2)], [(A, 2)])[A]
        assert POLICY.room(reopened.truncations) == 400

    def test_a_forgotten_answer_settles_no_longer(self) -> None:
        facts = [(A, 1)], [(A, 1, None, 1)]
        assert folded(*facts, [(A, 1)])[A] == Standing(State.REOPENED, attempts=1)
        assert folded([(A, 1), (A, 2)], [(A, 1, None, 1), (A, 2, None, 2)], [(A, 1)])[A].row == 2

    def test_requests_do_not_touch_each_other(self) -> None:
        found = folded([(A, 1), (B, 1)], [(A, 1, Kind.BLOCKED, 1)], [(B, 1)])
        assert (found[A].state, found[B].state) == (State.PROBLEM, State.IN_FLIGHT)
        assert dict(found.items()) == {A: found[A], B: found[B]}

    @pytest.mark.parametrize("kind", ProblemKind)
    def test_every_kind_and_large_numbers_survive_the_packing(self, kind: ProblemKind) -> None:
        row = 2**45
        found = folded([(A, 65_535)], [(A, attempt, kind, row) for attempt in range(65_136, 65_536)])[A]
        truncations = 255 if kind is CUT else 0
        assert found == Standing(State.PROBLEM, 65_535, tries=255, truncations=truncations, kind=kind, row=row)

    def test_marking_changes_the_state_and_nothing_else(self) -> None:
        found = folded([(A, 1)], [(A, 1, CUT, 9)])
        found.mark(A, State.QUEUED)
        assert found[A] == Standing(State.QUEUED, 1, 1, 1, CUT, 9)
        found.mark(A, State.IN_FLIGHT)
        assert found[A] == Standing(State.IN_FLIGHT, 1, 1, 1, CUT, 9)
        found.mark(B, State.QUEUED)
        assert found[B] == Standing(State.QUEUED)


class TestPolicy:
    @pytest.mark.parametrize("kind", ProblemKind)
    def test_a_permanent_problem_is_given_up_at_once_and_no_other(self, kind: ProblemKind) -> None:
        once = Standing(State.PROBLEM, 1, 1, int(kind is CUT), kind, 1)
        assert POLICY.given_up(once) == (AGAIN[kind] is Next.GIVE_UP) == POLICY.settled(once)

    @pytest.mark.parametrize(("tries", "final"), [(1, False), (2, False), (3, True), (4, True), (255, True)])
    def test_attempts_are_bounded(self, tries: int, final: bool) -> None:
        assert POLICY.given_up(Standing(State.PROBLEM, 9, tries, 0, ERROR, 1)) is final

    @pytest.mark.parametrize(("truncations", "final"), [(1, False), (2, False), (3, True)])
    def test_a_truncated_answer_gets_more_room_until_there_is_none(self, truncations: int, final: bool) -> None:
        patient = Policy(99, POLICY.room)
        assert patient.given_up(Standing(State.PROBLEM, 9, truncations, truncations, CUT, 1)) is final
        other = Standing(State.PROBLEM, 9, truncations, truncations, ERROR, 1)
        assert not patient.given_up(other), "room is no reason to give up what was not cut last"

    def test_after_a_small_room_the_largest_is_still_to_be_tried(self) -> None:
        """A first attempt had 100, since answers before it took less; by the model it would have had all there is."""
        most = Policy(99, lambda truncations: 400)
        cut = Standing(State.PROBLEM, 1, 1, 1, CUT, 1, cut_at=100)
        assert (most.next_room(cut), most.given_up(cut)) == (400, False)
        assert most.given_up(Standing(State.PROBLEM, 2, 2, 2, CUT, 1, cut_at=400))

    @pytest.mark.parametrize(("cut_at", "room"), [(0, 200), (50, 200), (199, 200), (200, 400), (250, 400)])
    def test_the_next_room_is_more_than_what_was_too_little(self, cut_at: int, room: int) -> None:
        """A job made by hand had any room, and may not have said which."""
        cut = Standing(State.PROBLEM, 1, 1, 1, CUT, 1, cut_at=cut_at)
        assert (POLICY.next_room(cut), POLICY.given_up(cut)) == (room, False)
        assert POLICY.given_up(Standing(State.PROBLEM, 1, 1, 1, CUT, 1, cut_at=400))

    def test_the_most_that_was_too_little_is_kept_of_what_was_truncated(self) -> None:
        sent, ended = [(A, 1, 1), (A, 2, 2), (B, 1, 1)], [(A, 1, CUT, 1), (A, 2, CUT, 2), (B, 1, ERROR, 3)]
        found = Standings(sent, ended, cut=[(A, 100), (A, 60)])
        assert (found[A].cut_at, found[B].cut_at) == (100, 0)
        assert dict(found.items())[A] == found[A]

    @pytest.mark.parametrize("state", [state for state in State if state is not State.PROBLEM])
    def test_only_a_problem_is_given_up_and_only_an_answer_settled_besides(self, state: State) -> None:
        standing = Standing(state, 9, 255, 255, Kind.BLOCKED, 1)
        assert not POLICY.given_up(standing)
        assert POLICY.settled(standing) == (state is State.ANSWERED)


class TestDeadline:
    """Requests first sent before POLICY's hour 1,000 are past the deadline."""

    LATE = Policy(3, POLICY.room, deadline_h=1_000)

    @pytest.mark.parametrize(("first_sent_h", "final"), [(999, True), (1_000, False), (1_001, False), (1, True)])
    def test_what_was_first_sent_before_it_is_final(self, first_sent_h: int, final: bool) -> None:
        standing = Standing(State.PROBLEM, 1, 1, 0, ERROR, 1, first_sent_h)
        assert self.LATE.given_up(standing) is final
        assert self.LATE.past_deadline(standing) is final

    def test_without_a_known_time_or_without_a_deadline_nothing_is_past_it(self) -> None:
        assert not self.LATE.given_up(Standing(State.PROBLEM, 1, 1, 0, ERROR, 1))
        assert not POLICY.given_up(Standing(State.PROBLEM, 1, 1, 0, ERROR, 1, 5))

    @pytest.mark.parametrize(("kind", "tries"), [(Kind.BLOCKED, 1), (ERROR, 3)])
    def test_what_is_final_anyway_is_given_up_and_not_for_its_age(self, kind: ProblemKind, tries: int) -> None:
        standing = Standing(State.PROBLEM, tries, tries, 0, kind, 1, 5)
        assert self.LATE.given_up(standing)
        assert not self.LATE.past_deadline(standing)

    @pytest.mark.parametrize("state", [state for state in State if state is not State.PROBLEM])
    def test_only_a_problem_has_a_deadline(self, state: State) -> None:
        standing = Standing(state, 2, 1, 0, ERROR, 1, 5)
        assert not self.LATE.given_up(standing)
        assert not self.LATE.past_deadline(standing)

    def test_the_time_counts_from_the_first_attempt(self) -> None:
        sent = [(A, 2, 1_300), (A, 1, 900), (A, 3, 1_400)]
        assert Standings(sent)[A] == Standing(State.IN_FLIGHT, attempts=3, first_sent_h=900)
        assert Standings(sent, [(A, 1, ERROR, 1), (A, 3, ERROR, 2)])[A].first_sent_h == 900

    def test_after_a_reopening_it_counts_from_the_first_attempt_that_followed(self) -> None:
        sent, ended = (
            [(A, 1, 900), (A, 2, 1_300), (A, 3, 1_400)],
            [(A, 1, ERROR, 1), (A, 2, ERROR, 2), (A, 3, ERROR, 3)],
        )
        again = Standings(sent, ended, [(A, 1)])[A]
        assert again == Standing(State.PROBLEM, 3, 2, 0, ERROR, 3, first_sent_h=1_300)
        assert not self.LATE.given_up(again)
        assert Standings(sent[:1], ended[:1], [(A, 1)])[A] == Standing(State.REOPENED, attempts=1)

    def test_hours_are_of_one_clock_wherever_it_is_read(self) -> None:
        noon = datetime(2026, 11, 22, 12, 59, 59, tzinfo=UTC)
        assert hours(noon) == hours(noon.astimezone(timezone(timedelta(hours=5)))) == 498_708

    def test_the_largest_hour_and_row_survive_the_packing(self) -> None:
        found = Standings([(A, 65_535, 2**24 - 1)], [(A, 65_535, ERROR, 2**45)])[A]
        assert found == Standing(State.PROBLEM, 65_535, 1, 0, ERROR, 2**45, 2**24 - 1)


class TestJobsThatNeverRan:
    """A job refused before any row ran (a bucket, a right) is no try of its requests."""

    SENT = ((A, 1, 1), (A, 2, 2), (A, 3, 3))
    ENDED = ((A, 1, ERROR, 1), (A, 2, ERROR, 2), (A, 3, ERROR, 3))

    def test_its_words_are_the_problem_and_no_try(self) -> None:
        found = Standings(self.SENT, self.ENDED, (), [(A, 1), (A, 2), (A, 3)])[A]
        assert found == Standing(State.PROBLEM, 3, 0, 0, ERROR, 3, 1)
        assert not POLICY.given_up(found)

    def test_the_other_tries_count(self) -> None:
        assert Standings(self.SENT, self.ENDED, (), [(A, 2)])[A].tries == 2

    def test_what_was_reopened_is_not_taken_back_twice(self) -> None:
        found = Standings(self.SENT, self.ENDED, [(A, 2)], [(A, 1), (A, 2)])[A]
        assert found.tries == 1

    def test_an_answer_stays_an_answer(self) -> None:
        answered = Standings(self.SENT, [self.ENDED[0], (A, 2, None, 2)], (), [(A, 1)])[A]
        assert (answered.state, answered.tries) == (State.ANSWERED, 0)
