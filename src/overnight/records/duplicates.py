"""Which records are of one publication: *sure* by identifiers or all of title, year and first author, *likely* else.

Sure is an equivalence: it does not depend on the order of files, and no two records that contradict each other by
identifiers become one through a third. A person's yes and no come before either.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final, Self

from overnight.records.hashes import hash63, holds
from overnight.records.identifiers import Identifiers
from overnight.records.publications import Publication

_MOST_PAIRED: Final = 20
"""Of more records with one title each is compared with the first only."""
PMID, DOI, TITLE = "same PMID", "same DOI", "same title, year and first author"


class Hashes:
    """Hashes of the PMID, DOI and title of every record, in their order: 24 bytes a record."""

    def __init__(self) -> None:
        self._hashes = tuple(array("q") for _ in range(3))

    def see(self, identifiers: Identifiers, title: str) -> None:
        """title: as `normal_title` gives it."""
        for hashes, text in zip(self._hashes, (identifiers.pmid, identifiers.doi, title), strict=True):
            hashes.append(hash63(text) if text else 0)

    def again(self) -> Self:
        """Emptied, for another look at all records."""
        for hashes in self._hashes:
            del hashes[:]
        return self

    def repeated(self) -> bytearray:
        """1 at the place of every record that shares one of the three with another."""
        found = bytearray(len(self._hashes[0]))
        for hashes in self._hashes:
            several = array("q", _twice(hashes))
            for place, one in enumerate(hashes if several else ()):
                if one and holds(several, one):
                    found[place] = 1
        return found


def _twice(hashes: "array[int]") -> Iterator[int]:
    """Ascending, those that are there more than once."""
    before = said = 0
    for one in sorted(hashes):
        if one and one == before != said:
            said = one
            yield one
        before = one


@dataclass(frozen=True, slots=True)
class Pair:
    a: Publication
    b: Publication
    why: str

    @property
    def ids(self) -> frozenset[str]:
        return frozenset((self.a.record_id, self.b.record_id))


@dataclass(slots=True)
class Found:
    """groups: of two and more publications that are one, in file order. likely: what a person has not decided yet."""

    groups: list[list[Publication]] = field(default_factory=list)
    likely: list[Pair] = field(default_factory=list)


def find_duplicates(publications: Sequence[Publication], decided: Mapping[frozenset[str], bool]) -> Found:
    """decided: a person's yes or no to pairs of record ids."""
    sure, likely = _links(publications)
    groups = _groups(publications, sure)
    kept: list[list[Publication]] = []
    for group in groups:
        parts = _consistent(group, sure)
        kept += parts
        if len(parts) > 1:
            likely += [
                Pair(one[0], other[0], "one by a third, but their identifiers differ")
                for one, other in combinations(sorted(parts, key=lambda part: part[0].position), 2)
            ]
    by_id = {one.record_id: one for one in publications}
    kept = _told(kept, by_id, decided)
    where = {one.position: place for place, group in enumerate(kept) for one in group}
    found = Found([group for group in kept if len(group) > 1])
    asked = {  # a no to one of each group is a no to all of both
        frozenset(where[by_id[name].position] for name in ids)
        for ids, same in decided.items()
        if not same and ids <= by_id.keys()
    }
    for pair in sorted(likely, key=lambda pair: (pair.a.position, pair.b.position)):
        places = frozenset((where[pair.a.position], where[pair.b.position]))
        if len(places) > 1 and places not in asked and pair.ids not in decided:
            asked.add(places)
            found.likely.append(pair)
    return found


def survivors(groups: Iterable[Sequence[Publication]], asked: Callable[[str], int | None]) -> dict[int, str]:
    """Position of each record that another stands for → that one's id.

    One that was asked about before stands for the others, the one named first; else the first with an abstract; else
    the first. asked: the place in the order of naming, None for a record no request was made for.
    """
    found: dict[int, str] = {}
    for group in groups:
        best = min(group, key=lambda one: _rank(one, asked(one.record_id)))
        found |= {one.position: best.record_id for one in group if one is not best}
    return found


def _rank(one: Publication, asked: int | None) -> tuple[bool, int, bool, int]:
    return asked is None, asked or 0, not one.has_abstract, one.position


# --- pairs ----------------------------------------------------------------------------------------------------------

_Links = dict[str, list[list[Publication]]]
"""Why → sets of publications that are one for that reason."""


def _links(publications: Sequence[Publication]) -> tuple[_Links, list[Pair]]:
    sure: _Links = {PMID: _by(publications, lambda one: one.identifiers.pmid), DOI: [], TITLE: []}
    likely: list[Pair] = []
    for group in _by(publications, lambda one: one.identifiers.doi):
        if _agree(group) and _same_title(group):
            sure[DOI].append(group)
        else:
            likely += _pairs(group, _why_not_doi)
    for group in _by(publications, lambda one: one.title):
        for whole in _by(group, lambda one: (one.year, one.author) if one.year and one.author else None):
            if _agree(whole):
                sure[TITLE].append(whole)
        likely += _pairs(group, _why_likely)
    return sure, likely


_Key = str | tuple[int, str]


def _by(publications: Iterable[Publication], key: Callable[[Publication], _Key | None]) -> list[list[Publication]]:
    """Those that share a key that is not empty, where they are two and more."""
    groups: dict[_Key, list[Publication]] = defaultdict(list)
    for one in publications:
        if value := key(one):
            groups[value].append(one)
    return [group for group in groups.values() if len(group) > 1]


def _agree(group: Iterable[Publication]) -> bool:
    """Do no two contradict each other by their identifiers?"""
    different = {replace(one.identifiers, key="") for one in group}
    if len({one.pmid for one in different if one.pmid}) > 1:
        return False
    return not any(one.contradicts(other) for one, other in combinations(different, 2))


def _same_title(group: Iterable[Publication]) -> bool:
    """Is each the longest one, or what that begins with (a subtitle left out)?"""
    titles = {one.title for one in group if one.title}
    longest = max(titles, key=len, default="")
    return all(longest.startswith(title) for title in titles)


def _pairs(group: Sequence[Publication], why: Callable[[Publication, Publication], str]) -> list[Pair]:
    pairs = combinations(group, 2) if len(group) <= _MOST_PAIRED else ((group[0], other) for other in group[1:])
    return [Pair(a, b, reason) for a, b in pairs if (reason := why(a, b))]


def _why_not_doi(a: Publication, b: Publication) -> str:
    if a.identifiers.pmid and b.identifiers.pmid and a.identifiers.pmid != b.identifiers.pmid:
        return "same DOI, other PMID"
    return "same DOI, other title" if a.title != b.title else DOI


def _why_likely(a: Publication, b: Publication) -> str:
    """Of two with one title. Empty where they are most likely two: other authors, or years apart."""
    if (a.author and b.author and a.author != b.author) or (a.year and b.year and abs(a.year - b.year) > 1):
        return ""
    if a.identifiers.contradicts(b.identifiers):
        return "same title, other identifiers"
    if a.year and b.year and a.year != b.year:
        return "same title, a year apart"
    missing = [word for word, there in (("year", a.year and b.year), ("author", a.author and b.author)) if not there]
    return f"same title, no {' and no '.join(missing)} to compare" if missing else "same title"


# --- groups ---------------------------------------------------------------------------------------------------------


def _groups(publications: Iterable[Publication], links: _Links) -> list[list[Publication]]:
    """Everything joined by links, directly or through others, each group and all of them in file order."""
    ordered = sorted(publications, key=lambda one: one.position)
    of = {one.position: one.position for one in ordered}

    def root(position: int) -> int:
        while of[position] != position:
            of[position] = of[of[position]]
            position = of[position]
        return position

    for groups in links.values():
        for first, *others in groups:
            for other in others:
                low, high = sorted((root(first.position), root(other.position)))
                of[high] = low
    joined: dict[int, list[Publication]] = defaultdict(list)
    for one in ordered:
        joined[root(one.position)].append(one)
    return list(joined.values())


def _consistent(group: list[Publication], links: _Links) -> list[list[Publication]]:
    """The group, or its parts by stronger reasons alone where its members contradict each other."""
    if _agree(group):
        return [group]
    members = {one.position for one in group}
    for reasons in ((PMID, DOI), (PMID,)):
        inside = {why: [link for link in links[why] if link[0].position in members] for why in reasons}
        parts = _groups(group, inside)
        if all(map(_agree, parts)):
            break
    return parts


def _told(
    groups: list[list[Publication]], by_id: Mapping[str, Publication], decided: Mapping[frozenset[str], bool]
) -> list[list[Publication]]:
    """What a person said: two that are not one are parted, then two that are one are joined."""
    pairs = [
        (sorted((by_id[name] for name in ids), key=lambda one: one.position), same)
        for ids, same in decided.items()
        if len(ids) == 2 and all(name in by_id for name in ids)
    ]
    for (a, b), same in pairs:
        for group in groups if not same else ():
            if a in group and b in group:
                group.remove(b)
                groups.append([b])
                break
    said: _Links = {"before": [group for group in groups if len(group) > 1]}
    said["person"] = [pair for pair, same in pairs if same]
    return _groups([one for group in groups for one in group], said)
