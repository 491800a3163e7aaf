"""Answers one by one → summaries of their fields, in one pass: a million answers need 8 MB a number field."""

import json
import math
import statistics
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from overnight.report.data import Bin, Choices, FieldSummary, Numbers, Texts

MOST_BINS: Final = 20
MOST_CHOICES: Final = 12
MOST_EXAMPLES: Final = 5
MANY_DISTINCT: Final = 50
RARE_SHARE: Final = 0.02
"""A free list with more items than that, none of them in more than this share of the answers, is shown by examples."""
MOST_DISTINCT: Final = 10_000
"""Distinct items of a list field that are counted; the rest goes into "other", so that memory stays bounded."""


class AnswerTally:
    """Counts answers by the answer schema's properties (JSON Schema or responseSchema; types in any case)."""

    def __init__(self, properties: Mapping[str, Mapping[str, object]]) -> None:
        self._fields = {name: _field(name, schema) for name, schema in properties.items()}

    def add(self, answer: Mapping[str, object]) -> None:
        """One answer, decoded. A field it lacks counts as empty."""
        for name, tally in self._fields.items():
            tally.add(answer.get(name))

    def summaries(self) -> tuple[FieldSummary, ...]:
        return tuple(tally.summary() for tally in self._fields.values())


class _Field(Protocol):
    def add(self, value: object) -> None: ...
    def summary(self) -> FieldSummary: ...


def _field(name: str, schema: Mapping[str, object]) -> _Field:
    kind = str(schema.get("type", "")).lower()
    description = str(schema.get("description", ""))
    if kind == "array":
        items = schema.get("items")
        return _ChoiceField(name, description, _enum(items) if isinstance(items, Mapping) else (), several=True)
    if kind == "boolean":
        return _ChoiceField(name, description, ("yes", "no"))
    if options := _enum(schema):
        return _ChoiceField(name, description, options)
    return _NumberField(name, description) if kind in ("integer", "number") else _TextField(name, description)


def _enum(schema: Mapping[str, object]) -> tuple[str, ...]:
    options = schema.get("enum")
    return tuple(map(_shown, options)) if isinstance(options, Sequence) and not isinstance(options, str) else ()


class _ChoiceField:
    def __init__(self, name: str, description: str, options: Sequence[str], *, several: bool = False) -> None:
        self.name, self.description, self.several = name, description, several
        self.options = tuple(dict.fromkeys(options))
        self.counts: Counter[str] = Counter()
        self.other = self.filled = self.empty = 0

    def add(self, value: object) -> None:
        values = value if self.several and isinstance(value, list) else [value]
        found = {_shown(each) for each in values if each is not None and each != ""}
        self.filled += bool(found)
        self.empty += not found
        for each in found:
            if each in self.counts or len(self.counts) < MOST_DISTINCT:
                self.counts[each] += 1
            else:
                self.other += 1

    def summary(self) -> FieldSummary:
        if not self.options and self._hardly_repeats():
            examples = tuple(value for value, _ in self.counts.most_common(MOST_EXAMPLES))
            return Texts(self.name, self.filled, self.empty, examples, self.description)
        order = [*self.options, *(value for value, _ in self.counts.most_common() if value not in self.options)]
        most = max(MOST_CHOICES, len(self.options))
        counts = [(value, self.counts[value]) for value in order[:most]]
        if other := self.other + sum(self.counts[value] for value in order[most:]):
            counts.append(("other values", other))
        return Choices(self.name, tuple(counts), self.filled, self.empty, self.several, self.description)

    def _hardly_repeats(self) -> bool:
        """A list of free texts: bars of one each would say nothing."""
        top = max(self.counts.values(), default=0)
        return len(self.counts) > MANY_DISTINCT and top <= max(2, self.filled * RARE_SHARE)


class _NumberField:
    def __init__(self, name: str, description: str) -> None:
        self.name, self.description = name, description
        self.values = array("d")
        self.empty = 0

    def add(self, value: object) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.values.append(value)
        else:
            self.empty += 1

    def summary(self) -> FieldSummary:
        if not self.values:
            return Texts(self.name, 0, self.empty, (), self.description)
        low, high, median = min(self.values), max(self.values), statistics.median(self.values)
        return Numbers(
            self.name,
            len(self.values),
            number(low),
            number(median),
            number(high),
            histogram(self.values),
            self.empty,
            self.description,
        )


class _TextField:
    def __init__(self, name: str, description: str) -> None:
        self.name, self.description = name, description
        self.filled = self.empty = 0
        self.examples: dict[str, None] = {}

    def add(self, value: object) -> None:
        text = "" if value is None else _shown(value)
        if not text.strip():
            self.empty += 1
            return
        self.filled += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.setdefault(text)

    def summary(self) -> Texts:
        return Texts(self.name, self.filled, self.empty, tuple(self.examples), self.description)


def histogram(values: Sequence[float]) -> tuple[Bin, ...]:
    """At most MOST_BINS bins over the values (not empty): one a whole number where that will do, else equal widths."""
    low, high = min(values), max(values)
    if all(value.is_integer() for value in map(float, values)) and high - low < MOST_BINS:
        seen = Counter(int(value) for value in values)
        return tuple(Bin(number(n), seen[n]) for n in range(int(low), int(high) + 1))
    if low == high:
        return (Bin(number(low), len(values)),)
    shrink = 0.25 if math.isinf(high - low) else 1.0  # the difference of two doubles can be too large for one
    start, span = low * shrink, high * shrink - low * shrink
    places = Counter(min(int((value * shrink - start) / span * MOST_BINS), MOST_BINS - 1) for value in values)
    edges = [low * (1 - n / MOST_BINS) + high * (n / MOST_BINS) for n in range(MOST_BINS + 1)]
    return tuple(Bin(f"{number(edges[n])} to {number(edges[n + 1])}", places[n]) for n in range(MOST_BINS))


def number(value: float) -> str:
    """A number for people: whole ones whole, others with four figures."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:,.4g}".replace("-", "−")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
