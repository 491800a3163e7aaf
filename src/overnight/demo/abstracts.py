"""The 1,100 fictional records: kinds of study in their shares, then what real exports do to them.

Everything is fictional: titles, abstracts, journals, DOIs (10.99999 is nobody's prefix), people, places. What is true
of each record is known because the record was made from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from overnight.demo import oddities
from overnight.demo.compose import Draft, Writer
from overnight.demo.draw import Draw
from overnight.demo.kinds import CRITERIA, Kind, all_kinds
from overnight.errors import UsageError

SEED: Final = 20261122
N_RECORDS: Final = 1_100

NO_ABSTRACT: Final = ("", "", "[No abstract available]", "[No abstract available]", "No abstract available.")
_MARKED: Final = {
    "STANDIN-BLOCKED": 2,
    "STANDIN-SAFETY-SOMETIMES": 3,
    "STANDIN-LONG": 2,
    "STANDIN-CUT": 1,
    "STANDIN-REFUSED": 1,
}
"""Registration -> how many records have it. To a model they are registrations as any other."""
MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "STANDIN-BLOCKED": ("blocks the prompt", "no answer: a person decides"),
    "STANDIN-SAFETY-SOMETIMES": (
        "stops one sample of three for safety",
        "contested: an adjudicator weighs the other two",
    ),
    "STANDIN-LONG": ("thinks longer than there is room for", "cut off, sent again with more room, answered"),
    "STANDIN-CUT": ("stops in the middle of its JSON, each time", "given up after three attempts: a person decides"),
    "STANDIN-REFUSED": ("refuses the row", "no answer: a person decides"),
}
"""What the stand-in does at a registration, and what becomes of the record."""
_SHARE_NO_ABSTRACT: Final = 0.04
_SHARE_DUPLICATE: Final = 0.025
_SHARE_NEAR_DUPLICATE: Final = 0.011


@dataclass(frozen=True, slots=True)
class DemoRecord:
    """One fictional record and the truth about it.

    verdicts: criterion -> met | not_met | not_stated. decision: include | exclude | unclear. shown: criterion -> the
    passage of the abstract that shows the verdict (missing for not_stated). kind: a key of texts/*.toml.
    copy_of: the record_id of the record it repeats, exactly or nearly. mark: at which the stand-in fails.
    """

    record_id: str
    title: str
    abstract: str
    year: str
    journal: str
    doi: str
    keywords: str
    kind: str
    verdicts: Mapping[str, str]
    decision: str
    shown: Mapping[str, str]
    copy_of: str = ""
    patterns: tuple[str, ...] = ()
    mark: str = ""


def make_records(seed: int = SEED, n: int = N_RECORDS) -> list[DemoRecord]:
    """`n` records, the same ones for the same seed on every platform.

    About 4 % have no abstract (their truth is not_stated throughout, decision unclear: a person has to look), 2.5 %
    repeat another record's title and abstract under an id of their own, 1 % nearly so.

    Raises UsageError for a negative n.
    """
    if n < 0:
        raise UsageError(f"{n} records cannot be made", hint="Ask for 0 or more.")
    n_copies, n_near = round(n * _SHARE_DUPLICATE), round(n * _SHARE_NEAR_DUPLICATE)
    draw = Draw(seed, "records")
    originals = [_record(draft, draw) for draft in draw.shuffled(_drafts(seed, n - n_copies - n_near))]
    originals = _without_abstract(_odd_titles(originals, draw), draw, round(n * _SHARE_NO_ABSTRACT))
    return _with_marks(_with_copies(originals, draw, n_copies, n_near), Draw(seed, "marks"))


def _drafts(seed: int, n: int) -> list[Draft]:
    drafts: list[Draft] = []
    for kind, share in zip(all_kinds(), _shares([kind.share for kind in all_kinds()], n), strict=True):
        drafts.extend(_of_kind(kind, seed, share))
    return drafts


def _of_kind(kind: Kind, seed: int, n: int) -> Iterator[Draft]:
    """`n` abstracts of one kind, no two with the same title where the patterns allow; one in sixty is very long."""
    writer, titles = Writer(kind, seed), set[str]()
    for i in range(n):
        for _ in range(20):
            draft = writer.write(long=i % 60 == 30)
            if draft.title not in titles:
                break
        titles.add(draft.title)
        yield draft


def _shares(weights: Sequence[int], n: int) -> list[int]:
    """`n` divided in proportion to the weights, by largest remainder (the earlier one where they are equal)."""
    total = sum(weights)
    shares = [weight * n // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(weights[i] * n % total), i))
    for i in by_remainder[: n - sum(shares)]:
        shares[i] += 1
    return shares


def _record(draft: Draft, draw: Draw) -> DemoRecord:
    texts = oddities.change([sentence.text for sentence in draft.sentences], draw)
    labelled = not (draft.kind.brief or draft.kind.plain) and draw.chance(0.42)
    words = draft.kind.words
    keywords = draw.shuffled(words["keywords"])[: draw.between(0, 5)]
    return DemoRecord(
        record_id="",
        title=draft.title,
        abstract=oddities.assemble(draft.sentences, texts, draft.kind.joint, draw, labelled=labelled),
        year="" if draw.chance(0.015) else str(2026 - draw.below(9) - draw.below(19)),
        journal=draw.pick(words["journal"]),
        doi=f"10.99999/{draw.pick(words['doi'])}.{draw.between(1000, 9999)}.{draw.between(10, 99)}"
        if draw.chance(0.9)
        else "",
        keywords="; ".join(keywords),
        kind=draft.kind.name,
        verdicts=draft.kind.verdicts,
        decision=draft.kind.decision,
        shown={criterion: texts[i] for criterion, i in draft.shown.items()},
        patterns=tuple(sentence.pattern for sentence in draft.sentences),
    )


def _odd_titles(records: list[DemoRecord], draw: Draw) -> list[DemoRecord]:
    """Title oddities, each on a few records at places drawn once."""
    places = draw.shuffled(range(len(records)))
    for change, place in zip(_TITLE_CHANGES, places, strict=False):
        records[place] = replace(records[place], title=change.format(records[place].title))
    return records


_TITLE_CHANGES: Final = (
    "=SUM(sleep, rest): {0}",
    "+1 hour: {0}",
    "@work: {0}",
    "-- {0} --",
    "😴 {0}",
    "{0} 💤☕",
    "[{0}]",
    "{0} <i>A pilot</i>",
    '"{0}"',
    "“{0}”",
    "{0}\n",
    "  {0}",
    "{0};",
    "{0}, and what it means",
    "<b>{0}</b>",
    "Ｅａｒｌｙ ｖｉｅｗ: {0}",
    "﻿{0}",
    "{0} (II)",
    "{0}†",
    "RETITLED: {0}",
    "{0} – β version",
    "Paper 007: {0}",
    "{0}\tshort report",
    "‘{0}’",
    "1e5 {0}",
    "{0} \\n",
    "N/A: {0}",
    "&quot;{0}&quot;",
    "{0}\u200b",
    "e\u0301tude: {0}",
)


def _without_abstract(records: list[DemoRecord], draw: Draw, n: int) -> list[DemoRecord]:
    silent = dict.fromkeys(CRITERIA, "not_stated")
    for place in draw.shuffled(range(len(records)))[:n]:
        records[place] = replace(
            records[place], abstract=draw.pick(NO_ABSTRACT), verdicts=silent, decision="unclear", shown={}, patterns=()
        )
    return records


def _with_copies(originals: list[DemoRecord], draw: Draw, n_copies: int, n_near: int) -> list[DemoRecord]:
    """Ids for all, and copies of some put in at random places after their original."""
    sources = [i for i in draw.shuffled(range(len(originals))) if originals[i].shown][: n_copies + n_near]
    order = [(float(i), i, "") for i in range(len(originals))]
    for rank, source in enumerate(sources):
        place = source + 0.5 + draw.below(len(originals) - source)
        order.append((place, source, "exact" if rank < n_copies else draw.pick(_NEARLY)))
    ids = _ids(len(order), draw)
    placed = sorted(order)
    id_of = {source: record_id for record_id, (_, source, how) in zip(ids, placed, strict=True) if not how}
    return [
        _copy(replace(originals[source], record_id=record_id), how, id_of[source])
        for record_id, (_, source, how) in zip(ids, placed, strict=True)
    ]


def _with_marks(records: list[DemoRecord], draw: Draw) -> list[DemoRecord]:
    """Registrations at which the local stand-in fails on purpose, each on one included record that nobody repeats."""
    repeated = {record.copy_of for record in records} | {record.record_id for record in records if record.copy_of}
    places = [i for i, one in enumerate(records) if one.decision == "include" and one.record_id not in repeated]
    marks = [mark for mark, n in _MARKED.items() for _ in range(n)]
    for mark, place in zip(marks, draw.shuffled(places), strict=False):
        records[place] = replace(
            records[place], abstract=f"{records[place].abstract}\nRegistration: {mark}.", mark=mark
        )
    return records


_NEARLY: Final = (
    "{0} Copyright 2026 the fictional authors.",
    "Abstract: {0}",
    "{0}\n",
    "{0} (Abstract shortened.)",
    "  {0}",
)


def _copy(record: DemoRecord, how: str, original_id: str) -> DemoRecord:
    if not how:
        return record
    doi = "" if how == "exact" else record.doi
    abstract = record.abstract if how == "exact" else how.format(record.abstract)
    return replace(record, abstract=abstract, doi=doi, copy_of=original_id)


def _ids(n: int, draw: Draw) -> list[str]:
    """Mostly nap-0001; some look like numbers with leading zeros, and two would be the same one: 071 and 0071."""
    ids = [f"nap-{i:04d}" for i in range(1, n + 1)]
    numeric = sorted(draw.shuffled(range(n))[: n // 30])
    for place in numeric:
        ids[place] = f"{place + 1:06d}"
    for place, odd in zip(numeric, ("071", "0071", "0000"), strict=False):
        ids[place] = odd
    return ids
