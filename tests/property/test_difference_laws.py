"""Law: wanted − settled − in flight = to send, whatever happened before; and a difference closed is closed."""

from hypothesis import given
from hypothesis import strategies as st

from overnight.core.outcome import AGAIN, Next, ProblemKind
from overnight.planning.causes import PAID_AGAIN
from overnight.planning.difference import Plan
from overnight.planning.standing import State
from overnight.requests.shards import ToRender
from tests.support.tasks import ContestedTask, Desk, SamplesTask, ThirdWhereTwoDiffer, fine, records

TEXTS = st.lists(st.sampled_from(["", "a", "b", "c", "d", "e"]), max_size=8)
TASKS = st.one_of(
    st.builds(SamplesTask, st.integers(1, 3)),
    st.builds(ContestedTask, st.integers(2, 3)),
    st.builds(ThirdWhereTwoDiffer),
)
ENDS = st.one_of(st.sampled_from(["yes", "no"]), st.sampled_from(ProblemKind))


def anything_happens(desk: Desk, data: st.DataObject) -> None:
    """Rounds in which some of what was sent comes back, records and samples change, and a person reopens things."""
    for _ in range(data.draw(st.integers(0, 3))):
        sent = desk.send()
        for request in sent:
            if data.draw(st.booleans()):
                desk.end(request, data.draw(ENDS))
        if data.draw(st.booleans()):
            desk.records = records(*data.draw(TEXTS))
        if data.draw(st.booleans()):
            desk.reopen(data.draw(st.one_of(st.none(), st.sampled_from(ProblemKind))))
        if data.draw(st.booleans()):
            desk.task.samples = max(desk.task.samples, 2)


def comes_back(desk: Desk) -> None:
    """What is still in flight ends well."""
    ended = {(address, attempt) for address, attempt, _, _ in desk.outcomes}
    for address, attempt in desk.sent:
        if (address, attempt) not in ended:
            desk.end(ToRender(address, attempt, ()), "yes")


def check_sums(plan: Plan) -> None:
    parts = (plan.settled, plan.given_up, plan.in_flight, plan.same_prompt, plan.to_send)
    assert plan.wanted == sum(parts)
    assert plan.to_send == sum(plan.reasons.values())
    assert sum(len(rows) for reason, rows in plan.before.items() if reason in PAID_AGAIN) == plan.paid_again


@given(TASKS, TEXTS, st.data())
def test_what_is_wanted_and_neither_settled_nor_in_flight_is_sent_and_nothing_else(
    task: SamplesTask, texts: list[str], data: st.DataObject
) -> None:
    desk = Desk(task, records(*texts))
    anything_happens(desk, data)
    check_sums(desk.plan())
    wants, standings = desk.wants(), desk.standings()
    wanted = {one.address for record in desk.records for one in wants.of(record)}
    in_flight = {address for address, standing in standings.items() if standing.state is State.IN_FLIGHT}
    settled = {address for address in wanted if desk.policy.settled(standings[address])}
    before = set(desk.sent)
    sent = desk.send()
    assert {request.address for request in sent} == wanted - settled - in_flight
    assert len(sent) == len({request.address for request in sent}), "equal prompts once"
    assert not before & {(request.address, request.attempt) for request in sent}, "an attempt is sent once"
    assert desk.send() == [], "and then all of it is in flight"


@given(TASKS, TEXTS, st.data())
def test_a_run_comes_to_an_end_and_leaves_nothing(task: SamplesTask, texts: list[str], data: st.DataObject) -> None:
    desk = Desk(task, records(*texts))
    anything_happens(desk, data)
    comes_back(desk)
    rounds = desk.run(lambda request: data.draw(ENDS))
    assert len(rounds) <= desk.attempts * 3, "each stage at most so many rounds as it has attempts"
    assert desk.run(fine) == []
    assert {outcome for outcome, _ in desk.accounts()} <= {"answer", "problem", "not_sent"}
    assert [outcome == "not_sent" for outcome, _ in desk.accounts()] == [not one.values["text"] for one in desk.records]


@given(TASKS, TEXTS, st.data())
def test_no_request_is_tried_more_often_than_allowed_and_the_permanent_once(
    task: SamplesTask, texts: list[str], data: st.DataObject
) -> None:
    desk = Desk(task, records(*texts), attempts=data.draw(st.integers(1, 4)))
    desk.run(lambda request: data.draw(ENDS))
    tried: dict[bytes, list[ProblemKind | None]] = {}
    for address, attempt, kind, _ in desk.outcomes:
        tried.setdefault(address, []).append(kind)
        assert attempt == len(tried[address])
    for kinds in tried.values():
        assert len(kinds) <= desk.attempts
        assert all(kind is not None and AGAIN[kind] is not Next.GIVE_UP for kind in kinds[:-1])


@given(TEXTS, st.integers(1, 3), st.integers(0, 3))
def test_more_samples_add_only_new_samples(texts: list[str], samples: int, more: int) -> None:
    desk = Desk(SamplesTask(samples), records(*texts))
    desk.run(fine)
    distinct = len(set(texts) - {""})
    desk.task.samples = samples + more
    assert len(desk.send()) == distinct * more
