"""Whose answer is this? A job's lines against the rows that were sent in it.

A line is matched by key and verified by the fingerprint of the echoed text (docs/decisions/0002):

    key known, text agrees                  → accepted (`key`, or `loose` when only white space and the like differ)
    key known, text disagrees               → problem `mismatched`, never an answer
    key known, nothing echoed               → accepted as `key_only`
    no key, text names one open request     → accepted as `fingerprint`
    no key, text names several, all alike   → given out in key order, the better lines first
    anything else                           → stray
    two lines for one request               → the better one counts: verified before `key_only` before mismatched,
                                              answer before problem (it is paid for), final file before chunk, earliest
                                              processed_time, smallest digest; the other is a stray
    read again, for a request that was answered in an earlier reading: the line it was taken from is that answer still,
                                              each other one is a stray

One serving may be written several times, as in a chunk and in the final file: the same answer, time, model and tokens.
It carries its tokens once, on whichever of its lines; every other serving carries its own, since it is billed.

So it does not matter in which order the lines come. Sums hold by construction and are checked by the caller:
lines = accepted + strays; rows = accepted + missing + settled before.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import msgspec

from overnight.answers.parse import NotALineError, Reply, as_text, parse_line
from overnight.answers.validate import Validator
from overnight.core.identity import fingerprint, loose_text, parse_wire_key, wire_key
from overnight.core.outcome import COPY, SUSPICIOUS, Identity, Outcome, ProblemKind, Stray, StrayKind
from overnight.core.realm import GOOGLE, STAND_IN_SUFFIX
from overnight.core.usage import NO_USAGE, Usage

BREAKER_SHARE: Final = 0.02
BREAKER_ROWS: Final = 10
_SURPLUS: Final = "settled before by another attempt"


class Expected(msgspec.Struct, frozen=True, gc=False):
    """A row that was sent in the job."""

    attempt: int
    fingerprint: bytes


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A line that was attached to its request. `instead_of`: what an earlier, worse line of it had said.

    counted: this serving's tokens are on a stray that came before, which is a copy of this line from now on.
    """

    outcome: Outcome
    instead_of: Stray | None = None
    counted: bool = False


@dataclass(slots=True)
class Tally:
    """Counts of one job, for the equations and the breaker."""

    lines: int = 0
    accepted: int = 0
    strays: Counter[StrayKind] = field(default_factory=Counter)
    problems: Counter[ProblemKind] = field(default_factory=Counter)
    suspicious: int = 0

    def breaker_tripped(self, n_rows: int) -> bool:
        """More than 2 % of the job's rows, and at least 10, are wrong in ways that rows are not wrong by themselves."""
        return self.suspicious >= BREAKER_ROWS and self.suspicious > BREAKER_SHARE * n_rows


_Rank = tuple[bool, bool, bool, bool, str, bytes]
_SAID: Final = -1
"""Place in a rank of the digest of what was said."""
_Serving = tuple[bytes, str, str, Usage]


class Matcher:
    """Feed it every line of a job's output, the final file first; then ask for `rest()`.

    expected: what was sent, by address. answered: requests settled before by another attempt; a line for one of them
    is surplus. stored: answers that an earlier reading of this output took; they stay as they are. loose: fingerprints
    of the loose form of the texts sent, by address; called once, and only when an echo differs, since it means reading
    the input again.
    """

    def __init__(
        self,
        realm: str,
        expected: Mapping[bytes, Expected],
        validate: Validator,
        *,
        answered: frozenset[bytes] = frozenset(),
        stored: Iterable[Outcome] = (),
        loose: Callable[[], Mapping[bytes, bytes]] = dict,
    ) -> None:
        self.tally = Tally()
        self._realm, self._expected, self._validate = realm, expected, validate
        self._loose_source = loose
        self._loose: Mapping[bytes, bytes] | None = None
        self._taken: dict[bytes, tuple[_Rank, Outcome | None]] = {}
        self._servings: dict[bytes, set[_Serving]] = {}
        for one in stored:
            self._taken[one.address] = _rank(one, _Place(one.source, False)), _without_answer(one)
        self._stored = frozenset(self._taken)
        self._answered = answered - self._stored
        self._unseen = set(self._stored)
        self._in_its_place: dict[bytes, tuple[Outcome, _Rank]] = {}
        self._keyless: dict[bytes | None, list[tuple[Reply, _Place]]] = defaultdict(list)

    def line(self, data: bytes, source: str, *, chunk: bool = False) -> Taken | Stray | None:
        """One line. None: nothing is to be written, as it is what an answer that is stored was taken from; or it waits
        for `rest()`, as one without a key does, until it is known which requests are open."""
        self.tally.lines += 1
        try:
            reply = parse_line(data)
        except NotALineError as cause:
            return self._stray(Stray(StrayKind.UNIDENTIFIED, "", f"no output line: {cause}", source=source), bad=True)
        place = _Place(source, chunk)
        found = parse_wire_key(reply.key)
        if found is None:
            if reply.key is not None and isinstance(reply.key, str) and reply.echo is None:
                return self._stray(_foreign(reply, place, "a key that is not ours, and no echo"), bad=True)
            print_ = None if reply.echo is None else fingerprint(reply.echo)
            short = msgspec.structs.replace(reply, echo=None)  # the long part need not wait
            self._keyless[print_].append((short, place))
            return None
        address, attempt = found
        row = self._expected.get(address)
        if row is None or row.attempt != attempt:
            return self._stray(_foreign(reply, place, "this job was not asked about that key"), bad=True)
        return self._settle(address, row, reply, place, self._identify(address, row, reply))

    def rest(self) -> Iterator[Taken | Stray]:
        """Lines that waited, now that all the others are placed."""
        yield from self._without_key()
        for address, (outcome, rank) in sorted(self._in_its_place.items()):
            if address in self._unseen:
                self._see(address)
            else:
                yield self._another(address, outcome, rank)
        for address in sorted(self._unseen):  # its line is not in this output any more: it was there, and was billed
            self.tally.lines += 1
            self._see(address)

    def _without_key(self) -> Iterator[Taken | Stray]:
        asked: dict[bytes, list[bytes]] = defaultdict(list)
        if self._keyless:
            for address, row in self._expected.items():
                if row.fingerprint in self._keyless:
                    asked[row.fingerprint].append(address)
        for print_, lines in self._keyless.items():
            if print_ in asked:
                yield from self._give_out(sorted(asked[print_]), lines)
            else:
                for reply, place in lines:
                    yield self._stray(_unidentified(reply, place, echoed=print_ is not None), bad=True)
        self._keyless.clear()

    def _give_out(self, addresses: list[bytes], lines: "list[tuple[Reply, _Place]]") -> Iterator[Taken | Stray]:
        """Lines with one text to the requests with that text: open ones first, then where a line may do better."""

        def rank(line: "tuple[Reply, _Place]") -> tuple[_Rank, str]:
            outcome = self._outcome(addresses[0], self._expected[addresses[0]], *line, Identity.FINGERPRINT)
            return _rank(outcome, line[1]), _tie(outcome)

        ordered = sorted(lines, key=rank)
        for address in [address for address in addresses if address in self._unseen]:
            found = next((line for line in ordered if self._is_of(address, *line)), None)
            if found is not None:
                ordered.remove(found)
                self._see(address)
        free = [address for address in addresses if address not in self._taken and address not in self._answered]
        for reply, place in ordered:
            address = free.pop(0) if free else self._worst_of(addresses)
            settled = self._settle(address, self._expected[address], reply, place, Identity.FINGERPRINT)
            if settled is not None:
                yield settled

    def _is_of(self, address: bytes, reply: Reply, place: "_Place") -> bool:
        """Is this the line that a stored answer was taken from?"""
        outcome = self._outcome(address, self._expected[address], reply, place, Identity.FINGERPRINT)
        rank, (old_rank, old) = _rank(outcome, place), self._taken[address]
        assert old is not None, "stored"
        return _serving(outcome, rank) == _serving(old, old_rank) or outcome.source == old.source

    def _worst_of(self, addresses: list[bytes]) -> bytes:
        taken = [address for address in addresses if address not in self._answered]
        return max(taken, key=lambda address: self._taken[address][0]) if taken else addresses[0]

    @property
    def settled_before(self) -> int:
        """Rows whose only lines were surplus."""
        return sum(outcome is None for _, outcome in self._taken.values())

    def missing(self) -> Iterator[tuple[bytes, Expected]]:
        """Rows of the job that no line settled, in the order in which they were given."""
        return ((address, row) for address, row in self._expected.items() if address not in self._taken)

    def _identify(self, address: bytes, row: Expected, reply: Reply) -> Identity | None:
        if reply.echo is None:
            return Identity.KEY_ONLY
        if fingerprint(reply.echo) == row.fingerprint:
            return Identity.KEY
        if self._loose is None:
            self._loose = self._loose_source()
        return Identity.LOOSE if self._loose.get(address) == fingerprint(loose_text(reply.echo)) else None

    def _settle(
        self, address: bytes, row: Expected, reply: Reply, place: "_Place", identity: Identity | None
    ) -> Taken | Stray | None:
        outcome = self._outcome(address, row, reply, place, identity)
        rank = _rank(outcome, place)
        if address in self._answered:
            self._taken.setdefault(address, (rank, None))
            copy = self._counted(address, _serving(outcome, rank))
            return self._stray(_stray_of(StrayKind.SURPLUS, outcome, _SURPLUS, copy=copy), bad=False)
        before = self._taken.get(address)
        if before is None:
            self._taken[address] = rank, _without_answer(outcome)
            self._count(outcome, +1)
            return Taken(outcome)
        old_rank, old = before
        assert old is not None, "of one answered before there is nothing but surplus"
        if address in self._unseen:
            if _serving(outcome, rank) == _serving(old, old_rank):
                self._see(address)
                return None
            if outcome.source == old.source:  # another version read it otherwise, or lines were moved
                self._in_its_place[address] = outcome, rank
                return None
        if address in self._stored or old_rank < rank or (old_rank == rank and _tie(old) <= _tie(outcome)):
            return self._another(address, outcome, rank)
        return self._better(address, outcome, rank)

    def _see(self, address: bytes) -> None:
        """The line that a stored answer was taken from: accepted already."""
        self._unseen.discard(address)
        self.tally.accepted += 1

    def _another(self, address: bytes, outcome: Outcome, rank: _Rank) -> Stray:
        """A second line, and not a better one."""
        old_rank, old = self._taken[address]
        assert old is not None
        differs = old_rank[_SAID] != rank[_SAID]
        copy = self._counted(address, _serving(outcome, rank), _serving(old, old_rank))
        return self._stray(_stray_of(StrayKind.DUPLICATE, outcome, "", differs=differs, copy=copy), bad=False)

    def _better(self, address: bytes, outcome: Outcome, rank: _Rank) -> Taken:
        """A second line, and a better one."""
        old_rank, old = self._taken[address]
        assert old is not None
        new_one, old_one = _serving(outcome, rank), _serving(old, old_rank)
        counted = self._counted(address, new_one, old_one)
        self._taken[address] = rank, _without_answer(outcome)
        self._count(old, -1)
        self._count(outcome, +1)
        differs, copy = old_rank[_SAID] != rank[_SAID], new_one == old_one
        worse = _stray_of(StrayKind.DUPLICATE, old, "a better line came", differs=differs, copy=copy)
        self.tally.strays[StrayKind.DUPLICATE] += 1
        return Taken(outcome, instead_of=worse, counted=counted and not copy)

    def _counted(self, address: bytes, serving: _Serving, *first: _Serving) -> bool:
        """Have the tokens of this serving been on a line before? From now on they have. first: of the line taken."""
        servings = self._servings.setdefault(address, set(first))
        before = serving in servings
        servings.add(serving)
        return before

    def _outcome(
        self, address: bytes, row: Expected, reply: Reply, place: "_Place", identity: Identity | None
    ) -> Outcome:
        kind, detail, answer = reply.problem, reply.detail, b""
        if identity is None:
            kind, detail = ProblemKind.MISMATCHED, "the key is of another text than the one echoed beside the answer"
        elif self._realm == GOOGLE and STAND_IN_SUFFIX in reply.model_version:
            kind, detail = ProblemKind.MISMATCHED, f"answered by {reply.model_version}: a stand-in, not Google"
        elif kind is None:
            checked = self._validate(reply.text)
            kind, detail, answer = checked.problem, checked.detail, checked.answer
        return Outcome(
            address,
            row.attempt,
            kind,
            answer,
            detail,
            reply.usage,
            reply.model_version,
            reply.finish_reason,
            identity,
            reply.processed_time,
            place.source,
        )

    def _count(self, outcome: Outcome, by: int) -> None:
        self.tally.accepted += by
        if outcome.kind is not None:
            self.tally.problems[outcome.kind] += by
            if outcome.kind in SUSPICIOUS:
                self.tally.suspicious += by

    def _stray(self, stray: Stray, *, bad: bool) -> Stray:
        self.tally.strays[stray.kind] += 1
        self.tally.suspicious += bad
        return stray


def _foreign(reply: Reply, place: "_Place", detail: str) -> Stray:
    return _stray_line(StrayKind.FOREIGN, as_text(reply.key), detail, reply, place)


def _unidentified(reply: Reply, place: "_Place", *, echoed: bool) -> Stray:
    if echoed:
        kind, detail = StrayKind.FOREIGN, "no key, and its text is of no request of this job"
    else:
        kind, detail = StrayKind.UNIDENTIFIED, "neither a key nor an echo"
    key = "" if reply.key is None else as_text(reply.key)
    return _stray_line(kind, key, detail, reply, place)


def _stray_line(kind: StrayKind, key: str, detail: str, reply: Reply, place: "_Place") -> Stray:
    return Stray(kind, key, detail, False, reply.usage, reply.model_version, place.source, reply.processed_time)


class _Place(msgspec.Struct, frozen=True, gc=False):
    source: str
    chunk: bool


def _without_answer(outcome: Outcome) -> Outcome:
    """What is kept of a line to judge a second one by: the rank holds the answer's digest, the answer goes to disk."""
    return msgspec.structs.replace(outcome, answer=b"") if outcome.answer else outcome


def _rank(outcome: Outcome, place: _Place) -> _Rank:
    """Smaller is better."""
    mismatched, unverified = outcome.kind is ProblemKind.MISMATCHED, outcome.identity is Identity.KEY_ONLY
    said = outcome.answer or f"{outcome.kind}:{outcome.detail}".encode(errors="replace")
    problem = outcome.kind is not None
    return mismatched, unverified, problem, place.chunk, outcome.processed_time, sha256(said).digest()[:8]


def _tie(outcome: Outcome) -> str:
    """Between lines that say the same: any order will do that is not the order of lines."""
    return f"{outcome.identity} {outcome.usage} {outcome.model_version} {outcome.finish_reason} {outcome.detail}"


def _serving(outcome: Outcome, rank: _Rank) -> _Serving:
    """Two lines alike in this are one serving."""
    return rank[_SAID], outcome.processed_time, outcome.model_version, outcome.usage


def _stray_of(kind: StrayKind, outcome: Outcome, detail: str, *, differs: bool = False, copy: bool = False) -> Stray:
    """copy: a line of the same serving carries its tokens: it was served, and is billed, once."""
    key, usage, said = wire_key(outcome.address, outcome.attempt), outcome.usage, detail
    if copy:
        usage, said = NO_USAGE, COPY
    return Stray(kind, key, said, differs, usage, outcome.model_version, outcome.source, outcome.processed_time)
