"""The counts of a screen in screening's own words: identified, removed, screened, included, excluded, for a person."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from overnight.core.compared import contested_words
from overnight.core.outcome import NotSent
from overnight.run.publish import Closing

_Kind = TypeVar("_Kind", bound=str)
_NAME_CHARS: Final = 10
_NUMBER_CHARS: Final = 8
_WHY: Final = {
    "unclear": "unclear",
    "no_abstract": "without an abstract",
    "no_text": "without text",
    "no_answer": "without an answer",
    "samples_differ": "on which samples differ",
    "quote_not_found": "with a quote that is not there",
    "contradicts_itself": "where the model contradicts itself",
    "speaks_to_model": "that speak to the model",
    "other": "for other reasons",
}
"""In the order of their weight; what else is counted comes behind, as it is called."""


def screening_rows(closing: Closing) -> Iterator[str]:
    """Rows in place of answers and decisions. What is open comes between, from the caller."""
    sources = closing.sources if len(closing.sources) > 1 else ()
    yield _row("identified", closing.records, ", ".join(f"{one.records:,} {one.name}" for one in sources))
    if n := closing.not_sent[NotSent.DUPLICATE]:
        yield _row("duplicates", n, "not screened again: another record stands for them")
    others = Counter[NotSent]({kind: n for kind, n in closing.not_sent.items() if kind is not NotSent.DUPLICATE})
    if others:
        yield _row("not sent", others.total(), _not_sent(closing, others))
    yield _row("screened", closing.answers, _samples(closing))
    if closing.problems:
        kinds = _listed({kind.value.replace("_", " "): n for kind, n in _by_number(closing.problems)})
        late = f"; {closing.past_deadline:,} past the deadline, not sent again" if closing.past_deadline else ""
        yield _row("problems", closing.problems.total(), f"{_without(closing)}: {kinds}{late}")


def _without(closing: Closing) -> str:
    """Where the samples answered and the adjudicator did not, the record is decided all the same."""
    n = closing.problems.total()
    decided = n - closing.tally.get("decided_by", Counter())["no_answer"]
    if decided == n:
        return "without an answer of the adjudicator"
    return "without an answer" + (f", {decided:,} of them of the adjudicator alone" if decided else "")


def decision_rows(closing: Closing) -> Iterator[str]:
    reasons = closing.tally.get("exclusion_reason", Counter())
    words = {"exclude": _listed(dict(_by_number(reasons)))}
    for decision in ("include", "exclude", "unclear"):
        yield _row(decision, closing.decisions[decision], words.get(decision, ""))
    people = closing.tally.get("for_a_person", Counter())
    yield _row("a person", people.total(), f"has to look: {_people(people)}" if people else "has to look at none")
    if warning := contested_words(closing.compared.to_json()):
        yield _row("warning", "", warning)


def _not_sent(closing: Closing, others: Mapping[NotSent, int]) -> str:
    """What has no text is told apart by what the task says of it."""
    by = closing.tally.get("decided_by", Counter())
    counts = {_WHY[kind]: by[kind] for kind in ("no_abstract", "no_text") if by[kind]}
    counts |= {kind.value.replace("_", " "): n for kind, n in _by_number(others) if kind is not NotSent.NO_TEXT}
    return _listed(counts)


def _samples(closing: Closing) -> str:
    found = closing.compared
    if not found.records:
        return ""
    said = [f"samples agree on {found.agreed:,}", f"{found.contested:,} contested"]
    if found.adjudicated:
        said.append(f"{found.adjudicated:,} adjudicated")
    return ", ".join(said)


def _people(people: Counter[str]) -> str:
    order = [*_WHY, *(kind for kind in people if kind not in _WHY)]
    return _listed({_WHY.get(kind, kind): people[kind] for kind in order if people[kind]})


def _listed(counts: Mapping[str, int]) -> str:
    """One kind alone needs no number beside the row's."""
    return ", ".join(counts if len(counts) == 1 else (f"{n:,} {words}" for words, n in counts.items()))


def _by_number(counts: Mapping[_Kind, int]) -> list[tuple[_Kind, int]]:
    """Most frequent first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))


def _row(name: str, n: int | str, words: str = "") -> str:
    number = n if isinstance(n, str) else f"{n:,}"
    return f"  {name:<{_NAME_CHARS}} {number:>{_NUMBER_CHARS}}   {words}".rstrip()
