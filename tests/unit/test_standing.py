"""How a request stands: what facts fold up to, and when a problem is final."""

import pytest

from overnight.core.outcome import AGAIN, Next, ProblemKind
from overnight.planning.standing import Policy, Standing, Standings, State

A, B = b"a" * 16, b"b" * 16
Kind = ProblemKind
ERROR, CUT = Kind.SERVICE_ERROR, Kind.TRUNCATED
POLICY = Policy(3, lambda truncations: (100, 200, 400)[min(truncations, 2)])


class TestFolding:
    def test_never_sent_is_unknown(self) -> None:
        assert Standings()[A] == Standing(State.UNKNOWN)
        assert len(Standings()) == 0

    def test_sent_and_nothing_back_is_in_flight(self) -> None:
        assert Standings([(A, 1), (A, 2)])[A] == Standing(State.IN_FLIGHT, attempts=2)

    def test_an_answer_settles_and_is_never_replaced(self) -> None:
        found = Standings([(A, 1), (A, 2)], [(A, 1, None, 7), (A, 2, None, 8), (A, 2, ERROR, 9)])
        assert found[A] == Standing(State.ANSWERED, attempts=2, row=7)

    def test_an_earlier_attempts_answer_settles_though_a_later_one_is_out(self) -> None:
        assert Standings([(A, 1), (A, 2)], [(A, 1, ERROR, 1), (A, 1, None, 2)])[A].state is State.ANSWERED

    def test_problems_are_counted(self) -> None:
        found = Standings([(A, 1), (A, 2)], [(A, 1, CUT, 4), (A, 2, ERROR, 5)])
        assert found[A] == Standing(State.PROBLEM, attempts=2, tries=2, truncations=1, kind=ERROR, row=5)

    def test_after_a_problem_the_next_attempt_is_out(self) -> None:
        found = Standings([(A, 1), (A, 2)], [(A, 1, CUT, 4)])[A]
        assert (found.state, found.attempts, found.tries, found.truncations) == (State.IN_FLIGHT, 2, 1, 1)

    def test_reading_the_first_jobs_output_again_leaves_what_the_second_said(self) -> None:
        """`fetch --reparse` writes the outcome of attempt 1 anew, after that of attempt 2. In flight it would be for
        ever: open, never sent again."""
        found = Standings([(A, 1), (A, 2)], [(A, 2, Kind.BLOCKED, 5), (A, 1, CUT, 6)])
        assert found[A] == Standing(State.PROBLEM, attempts=2, tries=2, truncations=1, kind=Kind.BLOCKED, row=5)

    def test_what_was_reopened_begins_anew_but_its_attempts_go_on(self) -> None:
        sent, ended = [(A, 1), (A, 2)], [(A, 1, CUT, 1), (A, 2, Kind.BLOCKED, 2)]
        assert Standings(sent, ended, [(A, 2)])[A] == Standing(State.REOPENED, attempts=2, truncations=1)
        assert Standings([*sent, (A, 3)], ended, [(A, 2)])[A] == Standing(State.IN_FLIGHT, attempts=3, truncations=1)
        again = Standings([*sent, (A, 3)], [*ended, (A, 3, ERROR, 3)], [(A, 2)])[A]
        assert again == Standing(State.PROBLEM, attempts=3, tries=1, truncations=1, kind=ERROR, row=3)

    def test_what_was_cut_off_begins_anew_with_the_room_it_had(self) -> None:
        """`retry` would else pay for the same truncated answer again."""
        reopened = Standings([(A, 1), (A, 2)], [(A, 1, CUT, 1), (A, 2, CUT, 2)], [(A, 2)])[A]
        assert POLICY.room(reopened.truncations) == 400

    def test_a_forgotten_answer_settles_no_longer(self) -> None:
        facts = [(A, 1)], [(A, 1, None, 1)]
        assert Standings(*facts, [(A, 1)])[A] == Standing(State.REOPENED, attempts=1)
        assert Standings([(A, 1), (A, 2)], [(A, 1, None, 1), (A, 2, None, 2)], [(A, 1)])[A].row == 2

    def test_requests_do_not_touch_each_other(self) -> None:
        found = Standings([(A, 1), (B, 1)], [(A, 1, Kind.BLOCKED, 1)], [(B, 1)])
        assert (found[A].state, found[B].state) == (State.PROBLEM, State.IN_FLIGHT)
        assert dict(found.items()) == {A: found[A], B: found[B]}

    @pytest.mark.parametrize("kind", ProblemKind)
    def test_every_kind_and_large_numbers_survive_the_packing(self, kind: ProblemKind) -> None:
        row = 2**45
        found = Standings([(A, 65_535)], [(A, attempt, kind, row) for attempt in range(65_136, 65_536)])[A]
        truncations = 255 if kind is CUT else 0
        assert found == Standing(State.PROBLEM, 65_535, tries=255, truncations=truncations, kind=kind, row=row)

    def test_marking_changes_the_state_and_nothing_else(self) -> None:
        found = Standings([(A, 1)], [(A, 1, CUT, 9)])
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

    @pytest.mark.parametrize("state", [state for state in State if state is not State.PROBLEM])
    def test_only_a_problem_is_given_up_and_only_an_answer_settled_besides(self, state: State) -> None:
        standing = Standing(state, 9, 255, 255, Kind.BLOCKED, 1)
        assert not POLICY.given_up(standing)
        assert POLICY.settled(standing) == (state is State.ANSWERED)
