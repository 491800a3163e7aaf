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

So it does not matter in which order the lines come. Sums hold by construction and are checked by the caller:
lines = accepted + strays; rows = accepted + missing + settled before.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import msgspec

from overnight.answers.parse import NotALineError, Reply, as_text, parse_line
from overnight.answers.validate import Validator
from overnight.core.identity import fingerprint, loose_text, parse_wire_key, wire_key
from overnight.core.outcome import COPY, SUSPICIOUS, Identity, Outcome, ProblemKind, Stray, StrayKind
from overnight.core.realm import GOOGLE, STAND_IN_SUFFIX
from overnight.core.usage import NO_USAGE

BREAKER_SHARE: Final = 0.02
BREAKER_ROWS: Final = 10


class Expected(msgspec.Struct, frozen=True, gc=False):
    """A row that was sent in the job."""

    attempt: int
    fingerprint: bytes


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A line that was attached to its request. `instead_of`: what an earlier, worse line of it had said.

    copy: the two are one serving written twice, as in a chunk and in the final file: billed once.
    """

    outcome: Outcome
    instead_of: Stray | None = None
    copy: bool = False


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
_TIME: Final = -2
"""Place in a rank of the digest of what was said."""


class Matcher:
    """Feed it every line of a job's output, the final file first; then ask for `rest()`.

    expected: what was sent, by address. answered: requests settled before by another attempt; a line for one of them
    is surplus. loose: fingerprints of the loose form of the texts sent, by address; called once, and only when an
    echo differs, since it means reading the input again.
    """

    def __init__(
        self,
        realm: str,
        expected: Mapping[bytes, Expected],
        validate: Validator,
        *,
        answered: frozenset[bytes] = frozenset(),
        loose: Callable[[], Mapping[bytes, bytes]] = dict,
    ) -> None:
        self.tally = Tally()
        self._realm, self._expected, self._validate, self._answered = realm, expected, validate, answered
        self._loose_source = loose
        self._loose: Mapping[bytes, bytes] | None = None
        self._taken: dict[bytes, tuple[_Rank, Outcome | None]] = {}
        self._keyless: dict[bytes | None, list[tuple[Reply, _Place]]] = defaultdict(list)

    def line(self, data: bytes, source: str, *, chunk: bool = False) -> Taken | Stray | None:
        """One line. None: it carries no key and waits for `rest()`, when it is known which requests are open."""
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
        """Lines without a key, now that all the others are placed."""
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

        free = [address for address in addresses if address not in self._taken and address not in self._answered]
        for reply, place in sorted(lines, key=rank):
            address = free.pop(0) if free else self._worst_of(addresses)
            yield self._settle(address, self._expected[address], reply, place, Identity.FINGERPRINT)

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
    ) -> Taken | Stray:
        outcome = self._outcome(address, row, reply, place, identity)
        if address in self._answered:
            stray = _stray_of(StrayKind.SURPLUS, outcome, "settled before by another attempt")
            self._taken.setdefault(address, (_rank(outcome, place), None))
            return self._stray(stray, bad=False)
        rank = _rank(outcome, place)
        before = self._taken.get(address)
        if before is None:
            self._taken[address] = rank, _without_answer(outcome)
            self._count(outcome, +1)
            return Taken(outcome)
        old_rank, old = before
        differs = old_rank[_SAID] != rank[_SAID]
        copy = old is not None and not differs and old_rank[_TIME] == rank[_TIME] and old.usage == outcome.usage
        if old is None or old_rank < rank or (old_rank == rank and _tie(old) <= _tie(outcome)):
            return self._stray(_duplicate(outcome, "", differs=differs, copy=copy), bad=False)
        self._taken[address] = rank, _without_answer(outcome)
        self._count(old, -1)
        self._count(outcome, +1)
        worse = _duplicate(old, "a better line came", differs=differs, copy=copy)
        self.tally.strays[StrayKind.DUPLICATE] += 1
        return Taken(outcome, instead_of=worse, copy=copy)

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


def _duplicate(outcome: Outcome, detail: str, *, differs: bool, copy: bool) -> Stray:
    """A copy of the line that was taken carries no tokens: it was served, and is billed, once."""
    stray = _stray_of(StrayKind.DUPLICATE, outcome, detail, differs=differs)
    if not copy:
        return stray
    return msgspec.structs.replace(stray, usage=NO_USAGE, detail=COPY)


def _stray_of(kind: StrayKind, outcome: Outcome, detail: str, *, differs: bool = False) -> Stray:
    key = wire_key(outcome.address, outcome.attempt)
    return Stray(
        kind, key, detail, differs, outcome.usage, outcome.model_version, outcome.source, outcome.processed_time
    )
