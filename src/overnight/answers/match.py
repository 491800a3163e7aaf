"""Whose answer is this? A job's lines against the rows that were sent in it.

A line is matched by key and verified by the fingerprint of the echoed text (design section 5):

    key known, text agrees                  → accepted (`key`, or `loose` when only white space and the like differ)
    key known, text disagrees               → problem `mismatched`, never an answer
    key known, nothing echoed               → accepted as `key_only`
    no key, text names one open request     → accepted as `fingerprint`
    no key, text names several, all alike   → given out in key order
    anything else                           → stray
    two lines for one request               → the better one counts: verified before mismatched, final file before
                                              chunk, earliest processed_time, smallest digest; the other is a stray

Sums hold by construction and are checked by the caller: lines = accepted + strays; rows = accepted + missing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from overnight.answers.parse import NotALineError, Reply, parse_line
from overnight.answers.validate import Validator
from overnight.core.identity import fingerprint, loose_text, parse_wire_key
from overnight.core.outcome import SUSPICIOUS, Identity, Outcome, ProblemKind, Stray, StrayKind
from overnight.core.realm import GOOGLE, STAND_IN_SUFFIX

BREAKER_SHARE: Final = 0.02
BREAKER_ROWS: Final = 10


@dataclass(frozen=True, slots=True)
class Expected:
    """A row that was sent in the job."""

    attempt: int
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """A line that was attached to its request. `instead_of`: what an earlier, worse line of it had said."""

    outcome: Outcome
    instead_of: Stray | None = None


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


_Rank = tuple[bool, bool, str, bytes]


class Matcher:
    """Feed it every line of a job's output, the final file first; then ask for `rest()`.

    expected: what was sent, by address. answered: requests settled before by another attempt; a good line for one of
    them is surplus. loose: fingerprints of the loose form of the texts sent, by address; called once, and only when an
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
        self._keyless: list[tuple[Reply, _Place]] = []

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
                return self._stray(self._foreign(reply, place, "a key that is not ours, and no echo"), bad=True)
            self._keyless.append((reply, place))
            return None
        address, attempt = found
        row = self._expected.get(address)
        if row is None or row.attempt != attempt:
            return self._stray(self._foreign(reply, place, "this job was not asked about that key"), bad=True)
        return self._settle(address, row, reply, place, self._identify(address, row, reply))

    def rest(self) -> Iterator[Taken | Stray]:
        """Lines without a key, now that all the others are placed."""
        open_by_text: dict[bytes, list[bytes]] = defaultdict(list)
        if self._keyless:
            for address in sorted(self._expected.keys() - self._taken.keys(), reverse=True):
                open_by_text[self._expected[address].fingerprint].append(address)
        for reply, place in self._keyless:
            candidates = open_by_text.get(fingerprint(reply.echo)) if reply.echo is not None else None
            if candidates:
                address = candidates.pop()
                yield self._settle(address, self._expected[address], reply, place, Identity.FINGERPRINT)
            else:
                yield self._stray(self._unidentified(reply, place), bad=True)
        self._keyless.clear()

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
            self._taken[address] = rank, outcome
            self._count(outcome, +1)
            return Taken(outcome)
        old_rank, old = before
        differs = old_rank[3] != rank[3]
        if old is None or old_rank <= rank:
            return self._stray(_stray_of(StrayKind.DUPLICATE, outcome, "", differs=differs), bad=False)
        self._taken[address] = rank, outcome
        self._count(old, -1)
        self._count(outcome, +1)
        worse = _stray_of(StrayKind.DUPLICATE, old, "a better line came", differs=differs)
        self.tally.strays[StrayKind.DUPLICATE] += 1
        return Taken(outcome, instead_of=worse)

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

    def _foreign(self, reply: Reply, place: "_Place", detail: str) -> Stray:
        return Stray(StrayKind.FOREIGN, str(reply.key), detail, False, reply.usage, reply.model_version, place.source)

    def _unidentified(self, reply: Reply, place: "_Place") -> Stray:
        if reply.echo is None:
            kind, detail = StrayKind.UNIDENTIFIED, "neither a key nor an echo"
        else:
            kind, detail = StrayKind.FOREIGN, "no key, and its text is of no open request of this job"
        key = "" if reply.key is None else str(reply.key)
        return Stray(kind, key, detail, False, reply.usage, reply.model_version, place.source)


@dataclass(frozen=True, slots=True)
class _Place:
    source: str
    chunk: bool


def _rank(outcome: Outcome, place: _Place) -> _Rank:
    """Smaller is better. The digest makes the order total, so that it does not depend on the order of lines."""
    said = outcome.answer or f"{outcome.kind}:{outcome.detail}".encode(errors="replace")
    return outcome.kind is ProblemKind.MISMATCHED, place.chunk, outcome.processed_time, sha256(said).digest()[:8]


def _stray_of(kind: StrayKind, outcome: Outcome, detail: str, *, differs: bool = False) -> Stray:
    key = f"k{outcome.address.hex()}-a{outcome.attempt}"
    return Stray(kind, key, detail, differs, outcome.usage, outcome.model_version, outcome.source)
