"""What a record wants, and how each of its requests stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from overnight.core.identity import AddressMaker
from overnight.core.outcome import NotSent, ProblemKind
from overnight.core.record import Record
from overnight.core.task import Settled, Settlements, Task, Want
from overnight.errors import AccountingError
from overnight.planning.fit import ALL, Draw
from overnight.planning.standing import Policy, Standing, Standings, State


@dataclass(frozen=True, slots=True)
class Wanted:
    want: Want
    address: bytes
    standing: Standing


@dataclass(frozen=True, slots=True)
class Account:
    """What a record stands at: exactly one of answer, problem, not_sent, open. past_deadline: a problem that is final
    for its age alone. number: the record's in the draw of `when_over: fit`, None without one.
    begun: something of it was sent."""

    outcome: str
    problem: ProblemKind | None
    not_sent: NotSent | None
    wanted: tuple[Wanted, ...]
    settled: Settlements
    past_deadline: bool = False
    number: int | None = None
    begun: bool = False


class Wants:
    """Answers both questions of a run: what is to be sent for this record, and what has become of it.

    settled_row: reads an outcome from the ledger by its row number. draw, bound: of records never begun, those whose
    number is above the bound were left out for their price.
    """

    def __init__(
        self,
        task: Task,
        realm: str,
        model: str,
        standings: Standings,
        policy: Policy,
        settled_row: Callable[[int], Settled],
        draw: Draw | None = None,
        bound: int = ALL,
    ) -> None:
        self.task, self.realm, self.model, self.standings, self.policy = task, realm, model, standings, policy
        self._settled_row = settled_row
        self._draw, self._bound = draw, bound
        self._makers: dict[tuple[str, str, int, str], AddressMaker] = {}

    def of(self, record: Record) -> list[Wanted]:
        """Every request of the record as far as one can know now. Empty when it is not to be sent."""
        return self.unfold(record)[0]

    def unfold(self, record: Record) -> tuple[list[Wanted], Settlements]:
        """The same, with what is settled of it, which is read for a task only that depends on it."""
        if record.duplicate_of:
            return [], {}
        if not self.task.dependent:
            return [self._stand(want) for want in self.task.wants(record, {})], {}
        return self._unfold(record)

    def account(self, record: Record) -> Account:
        """Reads the settled outcomes of the record: for results, not for planning."""
        if record.duplicate_of:
            return Account("not_sent", None, NotSent.DUPLICATE, (), {})
        wanted, settled = self._unfold(record)
        if not wanted:
            return Account("not_sent", None, why_not_sent(self.task, record), (), {})
        number = None if self._draw is None else self._draw(wanted[0].want.texts)
        if not begun(wanted):
            if number is not None and number > self._bound:
                return Account("not_sent", None, NotSent.OVER_BUDGET, (), {}, number=number)
            return Account("open", None, None, tuple(wanted), settled, number=number)
        account = self._begun(wanted, settled)
        return account if number is None else replace(account, number=number)

    def _begun(self, wanted: list[Wanted], settled: Settlements) -> Account:
        if any((one.want.stage, one.want.sample) not in settled for one in wanted):
            return Account("open", None, None, tuple(wanted), settled, begun=True)
        last = [settled[one.want.stage, one.want.sample] for one in wanted if one.want.stage == wanted[-1].want.stage]
        kinds = [one.outcome.kind for one in last]
        problem = None if None in kinds else kinds[0]
        if problem is None:
            return Account("answer", None, None, tuple(wanted), settled, begun=True)
        late = any(self.policy.past_deadline(one.standing) for one in wanted)
        return Account("problem", problem, None, tuple(wanted), settled, late, begun=True)

    def _unfold(self, record: Record) -> tuple[list[Wanted], Settlements]:
        """Ask the task again with what is settled until that tells it nothing new.

        It ends, since each round but the last finds something settled more. Not once a stage: a third sample where two
        differ is of the same stage as the two.
        """
        settled: dict[tuple[str, int], Settled] = {}
        while True:
            wanted = [self._stand(want) for want in self.task.wants(record, settled)]
            more = self._settlements(wanted, settled)
            if not more:
                return wanted, settled
            settled |= more
            if not self.task.dependent:
                return wanted, settled

    def _settlements(
        self, wanted: list[Wanted], known: Mapping[tuple[str, int], Settled]
    ) -> dict[tuple[str, int], Settled]:
        """What of the wanted is settled and was not known to be."""
        return {
            (one.want.stage, one.want.sample): self._settled_row(one.standing.row)
            for one in wanted
            if (one.want.stage, one.want.sample) not in known and self.policy.settled(one.standing)
        }

    def _stand(self, want: Want) -> Wanted:
        address = self.address(want, self.model, want.recipe.digest)
        return Wanted(want, address, self.standings[address])

    def address(self, want: Want, model: str, recipe: str) -> bytes:
        """Of these texts at this place, under any model and recipe."""
        place = model, want.stage, want.sample, recipe
        maker = self._makers.get(place)
        if maker is None:
            maker = self._makers[place] = AddressMaker(self.realm, *place)
        return maker(want.texts)


def begun(found: list[Wanted]) -> bool:
    """Was anything of the record sent, or of one with the same texts?"""
    return any(one.standing.attempts for one in found)


def why_not_sent(task: Task, record: Record) -> NotSent:
    """Of a record that wants nothing. A task that wants nothing and does not say why is a mistake of ours."""
    reason = NotSent.DUPLICATE if record.duplicate_of else task.not_sent(record)
    if reason is None:
        raise AccountingError(f"record {record.record_id!r} wants no request, and the task does not say why")
    return reason


def is_to_send(standing: Standing, policy: Policy) -> bool:
    """Not settled, not in flight, not in this plan already (an equal prompt of another record)."""
    if standing.state in {State.IN_FLIGHT, State.QUEUED, State.ANSWERED}:
        return False
    return not policy.given_up(standing)
