"""The idea of the whole: a run closes the difference between what is wanted and what is settled.

    recover → send what is new → [ watch → collect → plan → gate → send ] until nothing is left to send → publish

Resume after a crash, retry of failed rows only, fifty new records, a second stage for contested ones and "nothing to
do" are this loop and nothing else.
"""

from overnight.core.events import Note, StepStarted
from overnight.core.outcome import NotSent
from overnight.core.states import JOB_STATES, JobPhase, JobStatus
from overnight.errors import (
    BreakerError,
    BudgetError,
    CloudError,
    ConsentError,
    JobError,
    LockedError,
    NotFoundError,
    OvernightError,
    RefusedError,
    StudyError,
    UnavailableError,
)
from overnight.ledger.bills import Said
from overnight.ledger.shards import ShardFact
from overnight.planning.causes import Reason
from overnight.planning.difference import Plan
from overnight.planning.standing import State
from overnight.run.collect import collect, reparse
from overnight.run.fit import Reach
from overnight.run.gate import Agreed, caps_of, check_breaker, gate
from overnight.run.owner import may_send
from overnight.run.plan import Planned, make_plan
from overnight.run.publish import Closing, account, publish
from overnight.run.recover import name_twins, recover, settle_doubts
from overnight.run.send import Sent, accept, send
from overnight.run.settled import settle_anew
from overnight.run.smoke import ask_at_once
from overnight.run.watch import GONE_LOOKS, Watch
from overnight.run.world import Options, World

_DOUBTS = 3
"""Creates in a row that had no usable reply and made no job: then the service is down, not slow."""


_CUTS = 20
"""Looks in a row at which output that is there could not be fetched. Then it is not the way that is cut."""

_MAY_PASS = (UnavailableError, NotFoundError)


def run(world: World, options: Options, closing: Closing | None = None) -> Closing:
    """Close the difference. When it stops early with something sent or collected, that is published too.

    closing: filled also when this raises ConsentError, BudgetError, BreakerError, DoubtfulSubmitError, JobError,
    CloudError … Ctrl-C while jobs run detaches: `closing.detached`.
    """
    closing = closing or Closing(world.study, world.realm)
    try:
        _close_the_difference(world, options, closing)
    except OvernightError as stop:
        _say_what_goes_on(world, stop)
        if closing.requests_sent or closing.jobs_collected:
            publish(world, closing)
        else:  # stopped before anything was done: the results on disk stay as they are
            account(world, closing)
        raise
    except KeyboardInterrupt:
        closing.detached = bool(world.ledger.shards.all(world.realm, "submitting", "submitted"))
        publish(world, closing)
        if not closing.detached:
            raise
        return closing
    publish(world, closing)
    return closing


def _say_what_goes_on(world: World, stop: OvernightError) -> None:
    """A call that failed stops no job."""
    n = len(world.ledger.shards.all(world.realm, "submitted"))
    if n and isinstance(stop, CloudError):
        jobs, them = ("1 job stays", "it") if n == 1 else (f"{n:,} jobs stay", "them")
        world.tell(Note(f"{jobs} under way; the next `overnight run` collects {them}, and nothing is paid twice"))


def fetch(world: World, options: Options, closing: Closing | None = None, *, again: bool = False) -> Closing:
    """Collect what has ended and publish; never sends. again: read kept raw output anew, of every collected job.

    closing: filled also when this raises.
    """
    closing = closing or Closing(world.study, world.realm)
    settle_anew(world)
    doubt = recover(world, options)
    trouble = _collect_ended(world, Watch(world), closing) or doubt
    if again:
        for shard in world.ledger.shards.all(world.realm, "collected"):
            reparse(world, shard)
    publish(world, closing)
    if trouble is not None:
        raise trouble
    return closing


def _close_the_difference(world: World, options: Options, closing: Closing) -> None:
    settle_anew(world)
    doubt = recover(world, options)
    doubts, agreed, watch = 0, Agreed(world.ledger.shards.next_number()), Watch(world)
    if doubt is None:
        _send_what_is_new(world, options, closing, agreed, watch)
    while True:
        watch_and_collect(world, closing, watch, wait=not options.detach)
        if doubt is not None:
            raise doubt
        if world.ledger.shards.all(world.realm, "submitted"):
            closing.detached = True
            return
        world.tell(StepStarted("plan"))
        planned = make_plan(world, reach=_reach(world, options, agreed))
        closing.requests_waiting = 0
        if not planned.plan.to_send:
            _check_that_some_fit(planned)
            _keep_bound(world, planned, agreed)
            accept(world, planned)
            return
        sent = _send_round(world, planned, options, closing, agreed)
        doubts = doubts + 1 if sent.doubtful else 0
        _still_moving(sent, doubts, planned.plan.to_send)


def _reach(world: World, options: Options, agreed: Agreed) -> Reach:
    return Reach(caps_of(world, options, agreed), agreed.bound, options.smoke and not agreed.tried)


def _check_that_some_fit(planned: Planned) -> None:
    """Raises BudgetError where `when_over: fit` leaves all of the records out."""
    n = planned.plan.not_sent[NotSent.OVER_BUDGET]
    if n and not planned.plan.wanted:
        raise BudgetError(
            f"none of the {n:,} records fits under the limit: the first one that was drawn may cost more at worst",
            hint="Raise budget.limit_usd or --max-usd, or choose a cheaper model or less thinking.",
        )


def _keep_bound(world: World, planned: Planned, agreed: Agreed) -> None:
    """What the draw leaves out is known to results from now on. While jobs are under way money may come back from them,
    so that nothing more is called left out."""
    if world.draw is None:
        return
    agreed.bound = min(agreed.bound, planned.bound)
    before = world.ledger.fits.bound(world.realm, world.draw.seed)
    if planned.bound < before and world.ledger.shards.all(world.realm, "submitted"):
        return
    if world.pilot is not None and not planned.plan.not_sent[NotSent.OVER_BUDGET]:
        return  # the money reached for all of the pilot: how far beyond, nobody has looked
    world.ledger.fits.keep(world.realm, world.draw.seed, planned.bound, world.stamp())


def _send_round(world: World, planned: Planned, options: Options, closing: Closing, agreed: Agreed) -> Sent:
    leave = gate(world, planned, options, agreed)
    may_send(world, options)
    _keep_bound(world, planned, agreed)
    _keep_estimate(world, planned, agreed)
    if leave.smoke is not None:
        ask_at_once(world, leave.smoke, leave.caps, planned.plan.to_send)
        agreed.tried = True
    sent = send(world, planned, leave, options)
    closing.requests_sent += sent.n_requests
    closing.requests_waiting = planned.plan.to_send - sent.n_requests
    if sent.over_limit is not None and sent.n_requests:
        waiting = f"{closing.requests_waiting:,} requests wait until what is reserved for this job comes back"
        world.tell(Note(f"{waiting}: {sent.over_limit} is left to spend"))
    return sent


def _keep_estimate(world: World, planned: Planned, agreed: Agreed) -> None:
    """What was said before this invocation's first send, to stand beside its bill, with what may follow: the bill will
    have it too. What is sent again after a problem, and what follows on requests of an earlier run, is in the estimate
    that these were sent with: a run of nothing else says nothing more."""
    if agreed.said:
        return
    began, plan = world.stamp(), planned.plan
    said = Said(agreed.first_shard, began, 0, None, None, None, None)
    if planned.estimated is not None and plan.reasons[Reason.AGAIN] + _foreseen(world, plan) < plan.to_send:
        of = planned.estimated.together
        said = Said(agreed.first_shard, began, plan.to_send, of.low, of.expected, of.high, of.worst)
    world.ledger.bills.say(world.realm, said)
    agreed.said = True


def _foreseen(world: World, plan: Plan) -> int:
    """Requests of later stages that the study had when the answers they follow on were asked for."""
    had = world.ledger.recipes.pinned()
    return sum(ahead.queued for place, ahead in plan.ahead.items() if place in had)


def _send_what_is_new(world: World, options: Options, closing: Closing, agreed: Agreed, watch: Watch) -> None:
    """Records added while jobs of an earlier run are under way are sent beside them, not after them.

    Only where the plan holds nothing else: what is asked again, or in other words, waits for the answers on their way.
    And not after a pilot: what it measures is for the others.
    """
    if not world.ledger.shards.all(world.realm, "submitted"):
        return
    if world.pilot is None and world.ledger.pilots.current(world.realm) is not None:
        return
    trouble = _collect_ended(world, watch, closing)
    if trouble is not None or not world.ledger.shards.all(world.realm, "submitted"):
        return
    world.tell(StepStarted("plan"))
    planned = make_plan(world, reach=_reach(world, options, agreed))
    if not _only_adds(world, planned):
        return
    try:
        _send_round(world, planned, options, closing, agreed)
    except (
        BudgetError,
        BreakerError,
        LockedError,
        StudyError,
    ) as stop:  # jobs under way may free money, and are collected first
        later: OvernightError = stop
    except ConsentError as nobody:
        if options.ask is not None:
            raise
        later = nobody
    else:
        return
    closing.requests_waiting = planned.plan.to_send
    world.tell(Note(f"{planned.plan.to_send:,} new requests wait for the jobs under way: {later.what}", "warning"))


def _only_adds(world: World, planned: Planned) -> bool:
    """Is all that would be sent new: never asked, and no record of it with another request under way?"""
    plan = planned.plan
    if not plan.to_send or set(+plan.reasons) - {Reason.NEW, Reason.MORE_SAMPLES}:
        return False
    if not (plan.settled or plan.in_flight):
        return False
    bindings = world.ledger.bindings
    for record in world.records:
        for wanted in planned.wants.of(record):
            if wanted.standing.state is not State.QUEUED:
                continue
            before = bindings.of(world.realm, record.record_id, wanted.want.stage, wanted.want.sample)
            if before is not None and planned.standings[before.address].state is State.IN_FLIGHT:
                return False
    return True


def _still_moving(sent: Sent, doubts: int, to_send: int) -> None:
    """Raises when another round would do the same again."""
    if sent.n_requests:
        return
    if sent.over_limit is not None:
        raise BudgetError(
            f"{to_send:,} requests wait: {sent.over_limit} is left of the limit, and the next one may cost more",
            hint="Raise budget.limit_usd or --max-usd, or choose less thinking; what is answered stays answered.",
        )
    if doubts >= _DOUBTS:
        raise UnavailableError(
            f"the service did not take a job {doubts} times in a row", hint="Nothing was paid. Run again later."
        )


def watch_and_collect(world: World, closing: Closing, watch: Watch, *, wait: bool = True) -> None:
    """Until no job is under way, or for one look. Each is collected when it ends: a crash costs nothing but time.

    Raises JobError when a job needs a person, after what has ended was collected; BreakerError after everything was.
    A cut connection is waited out, and output that is listed late; after _CUTS looks in a row that brought nothing,
    and without waiting, the reason is raised: UnavailableError or NotFoundError.
    """
    started, cuts = world.now(), 0
    while world.ledger.shards.all(world.realm, "submitted"):
        before = closing.jobs_collected
        trouble = _collect_ended(world, watch, closing)
        cuts = cuts + 1 if trouble is not None and closing.jobs_collected == before else 0
        if trouble is not None and not (wait and isinstance(trouble, _MAY_PASS) and cuts < _CUTS):
            raise trouble
        if not wait:
            break
        if closing.jobs_collected > before:
            started = world.now()
        else:
            watch.wait(started)
    check_breaker(world)


def _collect_ended(world: World, watch: Watch, closing: Closing) -> JobError | CloudError | None:
    """One look; everything that has ended is collected. Returns why that is not all that can be done.

    JobError: the first reason why a person is needed. UnavailableError, NotFoundError: output that could not be fetched
    just now; its job is as it was, and another look tries again.
    """
    ended = watch.look()
    trouble, cut = watch.trouble, None
    for shard in ended:
        world.tell(StepStarted("collect", f"job {shard.id}"))
        try:
            failed = collect(world, shard)
        except _MAY_PASS as cause:
            world.tell(Note(f"job {shard.id}: its output was not to be had just now ({cause.what})", "warning"))
            cut = cut or cause
            continue
        trouble = trouble or failed
        closing.jobs_collected += 1
    return trouble or cut


def cancel(world: World) -> int:
    """Ask for every running job to be cancelled. Returns how many; what is done is collected by `run` or `fetch`.

    A job whose create had no reply is looked for first. A job that is not there any more is collected at once, as
    cancelled: its requests are given up. What goes wrong with one is raised after the others were asked.
    """
    trouble: OvernightError | None = settle_doubts(world, Options())
    running = [shard for shard in world.ledger.shards.all(world.realm, "submitted") if not _known_to_have_ended(shard)]
    for shard in running:
        try:
            _cancel(world, shard)
        except UnavailableError as cause:  # it may have been heard: the mark stays
            world.tell(Note(f"job {shard.id}: no reply to its cancel ({cause.what})", "warning"))
            trouble = trouble or cause
    if trouble is not None:
        raise trouble
    return len(running)


def _known_to_have_ended(shard: ShardFact) -> bool:
    """A state this version does not know is no end."""
    return shard.job is not None and JOB_STATES.get(shard.job.state) is JobPhase.ENDED


def _cancel(world: World, shard: ShardFact) -> None:
    name_twins(world, shard)
    world.ledger.shards.cancelled(shard.id)
    try:
        found = _ask_to_cancel(world, shard)
    except RefusedError as refused:  # it ended in the meantime (facts 1.3 [L]): by itself
        world.ledger.shards.cancelled(shard.id, asked=shard.cancelled)
        world.tell(Note(f"job {shard.id}: cannot be cancelled now: {refused.what}", "warning"))
        return
    if not found:
        world.tell(Note(f"job {shard.id}: not there any more; its requests are given up", "warning"))
        world.ledger.shards.seen(shard.id, JobStatus(shard.job_name, "JOB_STATE_CANCELLED"))
        collect(world, world.ledger.shards.get(shard.id))
        return
    world.tell(Note(f"job {shard.id}: cancelling; rows it has not done are given up until `overnight retry`"))


def _ask_to_cancel(world: World, shard: ShardFact) -> bool:
    """False: the job is not there, and several looks agree. A job given up too early would run on, and be billed."""
    for wait_s in (0.0, *world.backend.patience.look_again_s[:GONE_LOOKS]):
        if wait_s:
            world.sleep(wait_s)
        try:
            world.backend.cancel(shard.place, shard.job_name)
        except NotFoundError:
            continue
        return True
    return False
