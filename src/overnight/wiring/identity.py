"""Which record is which: names from before are found again, and duplicates set aside."""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from overnight.errors import Finding, RecordsError
from overnight.ledger.ledger import Ledger
from overnight.ledger.names import Naming
from overnight.records.decided import Row, Told, read_decided
from overnight.records.duplicates import Hashes, Pair, find_duplicates, survivors
from overnight.records.hashes import hash63, holds
from overnight.records.naming import Known, Settled, Unsettled, settle
from overnight.records.publications import Publication
from overnight.records.reader import RecordSet
from overnight.records.text_kinds import TextKind
from overnight.run.world import Vanished
from overnight.study.models import Study

_SHOWN: Final = 20
_MERGED_SHOWN: Final = 5


Parted = AbstractSet[frozenset[str]]
"""Pairs of record ids that a person said are two."""


def settle_names(records: RecordSet, ledger: Ledger, *, keep: bool, parted: Parted = frozenset()) -> list[Finding]:
    """Names of `id: auto` as they were before, where the ledger knows them. keep: what is new is kept there.

    Records that are exactly as they were are recognised by their prints, 8 bytes each; only others are looked up, for
    which the files are read once more. May be asked again, of another ledger: it begins anew.
    """
    records.rename({})
    records.set_aside({})
    names = ledger.names
    if not records.made_ids or not (records.by_identifiers or names.any()):
        return []
    prints = records.prints()
    own, other = names.own_prints(), names.other_prints()
    unknown = bytearray(len(prints))
    found: dict[int, str] = {}
    for position, seen in enumerate(prints):
        if seen in other:
            found[position] = other[seen]
        elif not holds(own, seen):
            unknown[position] = 1
    if not any(unknown):
        records.rename(found)
        return []
    settled = Settled()
    if names.any_known():
        settled = settle(_of(records, unknown), partial(_claimed, ledger), _taken(prints), parted)
    records.rename(found | settled.names)
    if keep:
        with ledger.transaction():
            names.keep(_namings(records, unknown, prints, settled.names))
            names.also(settled.merged.items())
    return list(_merged(settled.merged))


def _of(records: RecordSet, unknown: bytearray) -> Iterator[Unsettled]:
    for record, _, aliases in records.identified():
        if unknown[record.position]:
            yield Unsettled(record.position, record.record_id, aliases)


def _claimed(ledger: Ledger, record: Unsettled) -> list[Known]:
    return ledger.names.known_by((record.default, *record.aliases))


def _taken(prints: "array[int]") -> Callable[[Known], bool]:
    """Names of records that are exactly as they were."""
    present = array("q", sorted(prints))
    return lambda known: known.seen != 0 and holds(present, known.seen)


def _namings(
    records: RecordSet, unknown: bytearray, prints: "array[int]", renamed: Mapping[int, str]
) -> Iterator[Naming]:
    for record, _, aliases in records.identified():
        place = record.position
        if unknown[place]:
            yield Naming(record.record_id, aliases, prints[place], place not in renamed)


def _merged(merged: Mapping[str, str]) -> Iterator[Finding]:
    if not merged:
        return
    n = "1 record was" if len(merged) == 1 else f"{len(merged):,} records were"
    first = [f"{now} (also {before})" for before, now in sorted(merged.items())[:_MERGED_SHOWN]]
    more = f" and {len(merged) - len(first):,} more" if len(merged) > len(first) else ""
    what = f"{n} known by two names; the one given first stays: {', '.join(first)}{more}"
    yield Finding(what, path="records.id", level="warning")


def vanished(records: RecordSet, ledger: Ledger, realm: str, parted: Parted = frozenset()) -> Vanished:
    """Records for which a request was made and that are in no file any more, nor is one that is known by their name,
    unless a person said that it is another. Reads all bindings of the realm."""
    present = array("q", sorted(records.census.names))
    first: list[str] = []
    n = 0
    for record_id in ledger.names.asked(realm):
        if holds(present, hash63(record_id)):
            continue
        now = (name for name in ledger.names.now_called(record_id) if frozenset((name, record_id)) not in parted)
        if any(holds(present, hash63(name)) for name in now):
            continue
        n += 1
        if len(first) < _SHOWN:
            first.append(record_id)
    return Vanished(n, tuple(first))


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found of records that are of one publication. looked: False with `duplicates: keep`.

    rows: of duplicates.csv as it is.
    """

    looked: bool = False
    groups: tuple[tuple[Publication, ...], ...] = ()
    likely: tuple[Pair, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def n(self) -> int:
        """Records beside the one of each group that stands for the others."""
        return sum(len(group) - 1 for group in self.groups)

    def kinds(self) -> dict[str, frozenset[TextKind]]:
        """What any record of a group says that the publication is, by the id of each of them: one database knows of a
        retraction, another does not."""
        found: dict[str, frozenset[TextKind]] = {}
        for group in self.groups:
            if said := frozenset[TextKind]().union(*(one.kinds for one in group)):
                found |= dict.fromkeys((one.record_id for one in group), said)
        return found


def decisions_file(study: Study) -> Path:
    return study.home / "duplicates.csv"


def settle_duplicates(
    study: Study, records: RecordSet, hashes: Hashes | None, ledger: Ledger, told: Told
) -> Duplicates:
    """Finds them, and sets those aside that another stands for. After the names are settled. told: duplicates.csv.

    Raises RecordsError for sure ones with `duplicates: error`.
    """
    if hashes is None:
        return Duplicates()
    rows, decided = told
    repeated = hashes.repeated()
    named = frozenset(name for pair in decided for name in pair)
    if not (any(repeated) or named):
        return Duplicates(looked=True)
    publications = list(records.publications(lambda one: repeated[one.position] == 1 or one.record_id in named))
    found = find_duplicates(publications, decided)
    if study.duplicates == "error" and found.groups:
        raise _refused(found.groups)
    records.set_aside(survivors(found.groups, partial(_asked, ledger, study.realm)))
    return Duplicates(True, tuple(map(tuple, found.groups)), tuple(found.likely), tuple(rows))


def _asked(ledger: Ledger, realm: str, record_id: str) -> int | None:
    return (ledger.names.number(record_id) or 0) if ledger.names.was_asked(realm, record_id) else None


def _refused(groups: Sequence[Sequence[Publication]]) -> RecordsError:
    hint = "Take one of them out, or write `duplicates: skip` (one stands for the others) or `keep` (each is sent)."
    findings = [
        Finding(
            f"{other.record_id} ({other.source}) is of the same publication as {first.record_id} ({first.source})",
            path="records.duplicates",
            hint=hint,
        )
        for first, *others in groups
        for other in others
    ]
    return RecordsError(findings[:_SHOWN], max(0, len(findings) - _SHOWN))


@dataclass(frozen=True, slots=True)
class Identified:
    """Names and duplicates settled. state: of the ledger that was asked. parted: by a person."""

    notes: Sequence[Finding]
    duplicates: Duplicates
    aside: Mapping[int, str]
    state: tuple[int, int]
    parted: Parted


def identify(
    study: Study, records: RecordSet, hashes: Hashes | None, ledger: Ledger, *, before: Identified | None = None
) -> Identified:
    """Which record is which. before: what a look found, without the lock: names are kept now, and duplicates are sought
    again only where the ledger has changed since.

    Raises RecordsError as `settle_duplicates`, and for a duplicates.csv that cannot be read: a person's no is asked in
    naming too, whatever becomes of duplicates.
    """
    state = ledger.names.state()
    told = read_decided(decisions_file(study))
    parted = frozenset(pair for pair, same in told[1].items() if not same)
    notes = settle_names(records, ledger, keep=before is not None, parted=parted)
    if before is not None and before.state == state:
        records.set_aside(before.aside)
        return before
    duplicates = settle_duplicates(study, records, hashes, ledger, told)
    return Identified(notes, duplicates, records.aside, state, parted)
