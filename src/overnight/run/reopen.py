"""`retry` and `forget`: what is settled is opened again, by a person's word only."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from overnight.core.events import Note
from overnight.core.outcome import ProblemKind
from overnight.errors import UsageError
from overnight.planning.standing import State
from overnight.run.world import World


def retry(world: World, kinds: Collection[ProblemKind] = ()) -> Counter[ProblemKind]:
    """Open requests that ended with a problem of these kinds (all kinds when none is named), and lift the breaker.

    With kinds that nothing ended with, the breaker stays. Returns how many of each kind. Nothing is sent: the next run
    does.
    """
    opened: Counter[ProblemKind] = Counter()
    addresses = []
    for address, standing in world.standings().items():
        if standing.state is State.PROBLEM and standing.kind is not None and (not kinds or standing.kind in kinds):
            opened[standing.kind] += 1
            addresses.append((address, standing.attempts))
    world.ledger.outcomes.reopen(addresses, "retry", world.stamp())
    if not kinds or opened:
        lifted = world.ledger.shards.acknowledge_breakers(world.realm)
        if lifted:
            world.tell(Note(f"the stop for suspicious rows ({lifted} {'job' if lifted == 1 else 'jobs'}) is lifted"))
    return opened


@dataclass(frozen=True, slots=True)
class Forgotten:
    """requests: opened. also: other records that have the same text and so the same answer."""

    requests: int
    also: tuple[str, ...]


def forget(world: World, record_ids: Sequence[str]) -> Forgotten:
    """Open the requests of these records, answers too: the next run asks them anew and pays for it.

    Raises UsageError for a record the ledger does not know, or whose request is under way.
    """
    standings = world.standings()
    addresses: dict[bytes, int] = {}
    for record_id in record_ids:
        bindings = world.ledger.bindings.of_record(world.realm, record_id)
        if not bindings:
            raise _never_asked(world, record_id)
        for binding in bindings:
            standing = standings[binding.address]
            if standing.state is State.IN_FLIGHT:
                raise UsageError(
                    f"the request of record {record_id!r} is under way",
                    hint="Wait for its job (`overnight status`), then forget it.",
                )
            if standing.attempts:
                addresses[binding.address] = standing.attempts
    also = [
        binding.record_id
        for binding in world.ledger.bindings.sharing(world.realm, frozenset(addresses))
        if binding.record_id not in record_ids
    ]
    world.ledger.outcomes.reopen(addresses.items(), "forget", world.stamp())
    return Forgotten(len(addresses), tuple(also))


def _never_asked(world: World, record_id: str) -> UsageError:
    survivor = next((one.duplicate_of for one in world.records if one.record_id == record_id), "")
    if survivor:
        what = f"record {record_id!r} is a duplicate: {survivor!r} stands for it"
        return UsageError(what, hint=f"Forget that one: `--record {survivor}`.")
    return UsageError(
        f"no request was ever made for record {record_id!r}",
        where=str(world.home.ledger),
        hint="Record ids are in the column record_id of results.csv.",
    )
