"""A kind of study -> the title and the sentences of one abstract, with the sentence that shows each verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from overnight.demo.draw import Deck, Draw
from overnight.demo.kinds import SECTIONS, Kind, Pattern
from overnight.demo.phrases import Phrasebook

_USUAL: Final = {"background": (1, 3), "method": (1, 5), "results": (3, 7), "conclusion": (1, 3)}  # the rest: one
_LONG: Final = (6, 9)


@dataclass(frozen=True, slots=True)
class Sentence:
    section: str
    text: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One abstract before it is set in type. shown: criterion -> index of the sentence that shows its verdict."""

    kind: Kind
    title: str
    sentences: tuple[Sentence, ...]
    shown: Mapping[str, int]


class Writer:
    """Writes the abstracts of one kind, one after another, each pattern dealt in turn."""

    def __init__(self, kind: Kind, seed: int) -> None:
        self._kind = kind
        self._draw = Draw(seed, f"kind {kind.name}")
        self._own = {section: Deck(patterns, self._draw) for section, patterns in kind.patterns.items()}
        self._shared = {section: Deck(patterns, self._draw) for section, patterns in kind.shared.items()}

    def write(self, *, long: bool = False) -> Draft:
        """The next abstract; a long one has six to nine sentences where others have one to seven."""
        book = Phrasebook(self._kind.words, self._draw)
        finding = "none" if self._draw.chance(0.3) else "better"
        what = self._own["what"].deal(1, lambda _: True) if "what" in self._own else []
        tags = what[0].tags if what else frozenset()
        title = book.fill(self._deal(self._own, "title", 1, tags)[0].text)
        sentences = [
            Sentence(section, book.fill(pattern.text), pattern.text)
            for section in self._order()
            for pattern in (what if section == "what" else self._patterns(section, finding, tags, long=long))
        ]
        shown = {
            criterion: next(i for i, sentence in enumerate(sentences) if sentence.section == section)
            for criterion, section in self._kind.shown.items()
        }
        return Draft(self._kind, title, tuple(sentences), shown)

    def _order(self) -> list[str]:
        """Mostly as one expects; now and then without a background, or the aim first, or the comparison first."""
        order = list(SECTIONS)
        if self._draw.chance(0.15) and "background" not in self._kind.shown.values():
            order.remove("background")
        elif self._draw.chance(0.2):
            order.remove("aim")
            order.insert(0, "aim")
        if self._draw.chance(0.25):
            at = order.index("what")
            order[at - 1], order[at] = order[at], order[at - 1]
        return order

    def _patterns(self, section: str, finding: str, tags: frozenset[str], *, long: bool) -> list[Pattern]:
        """What the finding demands, then the kind's own sentences, then some that would fit other kinds as well."""
        n = 1
        if section in _USUAL and not self._kind.brief:
            n = self._draw.between(*(_LONG if long else _USUAL[section]))
        dealt = self._deal(self._own, f"{section}_{finding}", 1, tags)
        n_shared = self._draw.below(max(1, n)) if section in self._shared else 0
        dealt += self._deal(self._own, section, max(n - n_shared - len(dealt), 0 if dealt else 1), tags)
        return dealt + self._deal(self._shared, section, n - len(dealt), tags)

    @staticmethod
    def _deal(decks: Mapping[str, Deck[Pattern]], section: str, n: int, tags: frozenset[str]) -> list[Pattern]:
        return decks[section].deal(n, lambda pattern: pattern.tags <= tags) if section in decks and n > 0 else []
