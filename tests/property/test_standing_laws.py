"""Law: whatever was sent, came back and was reopened, the packed fold is what a naive reading of the facts says."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from overnight.core.outcome import ProblemKind
from overnight.planning.standing import Ended, Policy, Sent, Standing, Standings, State


@dataclass(frozen=True)
class History:
    """untried: attempts whose job was refused before any row ran; they ended with a problem."""

    sent: list[Sent]
    outcomes: list[Ended]
    reopened: dict[bytes, int]
    untried: set[tuple[bytes, int]]

    def folded(self, outcomes: list[Ended] | None = None) -> Standings:
        ended = self.outcomes if outcomes is None else outcomes
        return Standings(self.sent, ended, self.reopened.items(), self.untried)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """For a few requests: attempts 1 to n were sent, any of them have ended, all up to some attempt were reopened."""
    sent, outcomes, reopened = [], [], {}
    kinds = st.one_of(st.sampled_from(ProblemKind), st.sampled_from([None, ProblemKind.TRUNCATED]))
    for number in range(draw(st.integers(0, 4))):
        address = bytes([number]) * 16
        attempts = draw(st.integers(0, 5))
        ended = [attempt for attempt in range(1, attempts + 1) if attempt < attempts or draw(st.booleans())]
        sent += [(address, attempt, draw(st.integers(1, 20))) for attempt in range(1, attempts + 1)]
        outcomes += [(address, attempt, draw(kinds)) for attempt in ended]
        if ended and draw(st.booleans()):
            reopened[address] = draw(st.sampled_from(ended))
    ordered = draw(st.permutations(outcomes))
    problems = [(address, attempt) for address, attempt, kind in outcomes if kind is not None]
    return History(
        draw(st.permutations(sent)),
        [(address, attempt, kind, row) for row, (address, attempt, kind) in enumerate(ordered, start=1)],
        reopened,
        {one for one in problems if draw(st.booleans())},
    )


def naive(history: History, address: bytes) -> Standing:
    """By what a standing means (planning/standing.py), from all the facts of one request at once."""
    attempts = max((attempt for one, attempt, _ in history.sent if one == address), default=0)
    if not attempts:
        return Standing(State.UNKNOWN)
    floor = history.reopened.get(address, 0)
    first = min((hour for one, attempt, hour in history.sent if one == address and attempt > floor), default=0)
    ended = [(attempt, kind, row) for one, attempt, kind, row in history.outcomes if one == address and attempt > floor]
    answers = [row for _, kind, row in ended if kind is None]
    if answers:
        return Standing(State.ANSWERED, attempts, row=min(answers))
    all_ended = [kind for one, _, kind, _ in history.outcomes if one == address]
    tries = sum((address, attempt) not in history.untried for attempt, _, _ in ended)
    truncations = sum(kind is ProblemKind.TRUNCATED for kind in all_ended)
    if attempts <= floor:
        return Standing(State.REOPENED, attempts, truncations=truncations)
    last = [(kind, row) for attempt, kind, row in ended if attempt == attempts]
    if not last:
        return Standing(State.IN_FLIGHT, attempts, tries, truncations, first_sent_h=first)
    return Standing(State.PROBLEM, attempts, tries, truncations, *last[0], first)


@given(histories())
def test_the_fold_is_what_the_facts_say(history: History) -> None:
    folded = history.folded()
    for number in range(5):
        address = bytes([number]) * 16
        assert folded[address] == naive(history, address)
    assert len(folded) == len({address for address, _, _ in history.sent})


@given(histories(), st.data())
def test_the_order_in_which_problems_were_written_changes_nothing(history: History, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations([one for one in history.outcomes if one[2] is not None]))
    problems = [one for one in history.outcomes if one[2] is not None]
    assert dict(history.folded(problems).items()) == dict(history.folded(shuffled).items())


@given(histories(), st.integers(1, 20), st.integers(0, 10))
def test_a_later_deadline_gives_up_more_and_nothing_that_is_not_a_problem(
    history: History, deadline_h: int, later_h: int
) -> None:
    def room(truncations: int) -> int:
        return 100 << min(truncations, 2)

    early, late = Policy(3, room, deadline_h), Policy(3, room, deadline_h + later_h)
    for _, standing in history.folded().items():
        assert early.given_up(standing) <= late.given_up(standing)
        assert Policy(3, room).given_up(standing) <= early.given_up(standing) <= (standing.state is State.PROBLEM)
        assert early.given_up(standing) == (Policy(3, room).given_up(standing) or early.past_deadline(standing))
