"""Law: the room of first attempts holds what was needed and half of it; it falls once, then only rises."""

from hypothesis import example, given
from hypothesis import strategies as st

from overnight.core.outcome import ProblemKind
from overnight.planning.standing import Policy, Standing, State
from overnight.pricing.room import ENOUGH_ANSWERS, LEAST_ROOM, Seen, first_room

tokens = st.integers(0, 100_000)
seen = st.builds(Seen, st.integers(0, 3 * ENOUGH_ANSWERS), tokens, tokens)
by_model = st.integers(1, 70_000)


@given(by_model, seen)
def test_it_is_by_the_model_until_enough_was_answered_and_never_more(most: int, found: Seen) -> None:
    room = first_room(most, found)
    assert 1 <= room.tokens <= most == room.by_model
    if found.n_answers < ENOUGH_ANSWERS:
        assert room.tokens == most
    assert room.from_answers == (room.tokens < most)


@given(by_model, seen)
@example(20_000, Seen(ENOUGH_ANSWERS, 5_461, 0))
@example(20_000, Seen(ENOUGH_ANSWERS, 5_462, 0))
def test_below_that_it_holds_the_most_that_was_needed_and_half_of_it(most: int, found: Seen) -> None:
    room = first_room(most, found)
    if room.from_answers:
        assert 2 * room.tokens >= 3 * max(found.largest, found.cut_at)
        assert room.tokens >= LEAST_ROOM
        assert room.tokens.bit_count() == 1, "a step, so that it seldom moves"
        assert room.tokens == LEAST_ROOM or room.tokens < 3 * max(found.largest, found.cut_at), "and the next one up"


@given(by_model, seen, st.integers(0, 100), tokens, tokens)
def test_more_answers_never_make_it_smaller_once_they_are_enough(
    most: int, before: Seen, more: int, largest: int, cut_at: int
) -> None:
    after = Seen(before.n_answers + more, max(before.largest, largest), max(before.cut_at, cut_at))
    if before.n_answers >= ENOUGH_ANSWERS:
        assert first_room(most, before).tokens <= first_room(most, after).tokens


@given(by_model, st.integers(70_000, 200_000), seen, st.integers(1, 6))
def test_what_is_cut_off_has_more_room_each_time_and_no_less_than_without_answers(
    most: int, limit: int, found: Seen, attempts: int
) -> None:
    """Only first attempts are changed: nothing is given up that would have been answered."""

    def room(truncations: int) -> int:
        return min(most << truncations, limit)

    policy, had = Policy(99, room), first_room(most, found).tokens
    for truncations in range(1, attempts + 1):
        standing = Standing(State.PROBLEM, truncations, truncations, truncations, ProblemKind.TRUNCATED, 1, 0, had)
        assert policy.given_up(standing) == (had == limit)
        if had == limit:
            return
        assert policy.next_room(standing) > had
        assert policy.next_room(standing) == room(truncations)
        had = policy.next_room(standing)
