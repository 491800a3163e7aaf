"""A record once named keeps its name: which of the names known from before belongs to which record of now.

A name has *aliases*: every identifier its record had, and the hash of its text. A record claims each name that has an
alias of its own, but for names whose identifiers contradict it; of two names that a person said are two, not the one
that fits it less. Records ask for the name given first, names prefer the
record that fits them best: the stable matching of the two, whatever the order of files and rows. What is left without
gets the name it would have had in an empty study.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from overnight.records.hashes import hash63
from overnight.records.identifiers import identifiers_named

_WEIGHTS: Final[Mapping[str, int]] = {"pmid": 8, "doi": 4, "key": 2}
"""Any better identifier outweighs all worse ones together; the text weighs 1."""


@dataclass(frozen=True, slots=True)
class Known:
    """A name from before. n: in the order of naming, 0 where it is known from a request only. seen: the print its
    record had last, 0 where that is not known."""

    n: int
    record_id: str
    aliases: tuple[str, ...] = ()
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A record that is not exactly as it was. default: its name in an empty study. aliases: best first, text last."""

    position: int
    default: str
    aliases: tuple[str, ...]


@dataclass(slots=True)
class Settled:
    """names: by position, where it is not the default. merged: names whose record has another one, and which."""

    names: dict[int, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class _Claim:
    n: int
    record_id: str
    weight: int


def settle(
    records: Iterable[Unsettled],
    claimed: Callable[[Unsettled], Sequence[Known]],
    taken: Callable[[Known], bool],
    parted: AbstractSet[frozenset[str]] = frozenset(),
) -> Settled:
    """claimed: names with an alias of the record. taken: does a record that is exactly as it was hold this name?
    parted: pairs of names that a person said are of two records.

    Keeps those records in memory that claim anything.
    """
    rows: dict[int, Unsettled] = {}
    claims: dict[int, list[_Claim]] = {}
    names: set[str] = set()
    held: set[str] = set()
    for record in records:
        found = claimed(record)
        if found:
            rows[record.position] = record
            weighed = [claim for known in found if (claim := _claim(record, known)).weight]
            claims[record.position] = sorted(_unparted(weighed, parted))
            names.update(known.record_id for known in found)
            held.update(known.record_id for known in found if taken(known))
    holders = _match(claims, held)
    named = {position: name for name, position in holders.items()}
    settled = Settled()
    for position, record in rows.items():
        name = named.get(position) or _fresh(record, names)
        if name != record.default:
            settled.names[position] = name
        left = {claim.record_id for claim in claims[position]} - holders.keys() - held
        settled.merged.update((other, name) for other in left if frozenset((other, name)) not in parted)
    return settled


def _claim(record: Unsettled, known: Known) -> _Claim:
    """weight 0: another record."""
    names = (known.record_id, *known.aliases)
    if identifiers_named(record.aliases).contradicts(identifiers_named(names)):
        return _Claim(known.n, known.record_id, 0)
    shared = set(names).intersection((record.default, *record.aliases))
    weight = sum(_WEIGHTS.get(alias.partition(":")[0], 1) for alias in shared)
    return _Claim(known.n, known.record_id, weight)


def _unparted(claims: Sequence[_Claim], parted: AbstractSet[frozenset[str]]) -> list[_Claim]:
    """Without those that fit less than another one that a person told from them. Equals stay: it is not known which."""
    if not parted:
        return list(claims)
    return [
        one
        for one in claims
        if not any(
            other.weight > one.weight and frozenset((other.record_id, one.record_id)) in parted for other in claims
        )
    ]


def _match(claims: Mapping[int, Sequence[_Claim]], held: set[str]) -> dict[str, int]:
    """Name → position. Each record asks in the order of its claims; a name takes who fits best."""
    holders: dict[str, tuple[int, int]] = {}
    asked = dict.fromkeys(claims, 0)
    waiting = sorted(claims)
    while waiting:
        position = heapq.heappop(waiting)
        while asked[position] < len(claims[position]):
            claim = claims[position][asked[position]]
            asked[position] += 1
            offer = claim.weight, -position
            before = holders.get(claim.record_id)
            if claim.record_id in held or (before is not None and before > offer):
                continue
            holders[claim.record_id] = offer
            if before is not None:
                heapq.heappush(waiting, -before[1])
            break
    return {name: -minus for name, (_, minus) in holders.items()}


def _fresh(record: Unsettled, known: AbstractSet[str]) -> str:
    """The default, unless that name belongs to another record: then the text's, with what tells it from its equals."""
    return record.default if record.default not in known else f"{record.aliases[-1]}-{hash63(record.default):016x}"
