"""Verdicts: does the record say what a criterion asks for, and where.

A criterion's words are read as groups: `alertness, sleepiness or reaction time` is one, and any of the three will do.
A sentence is worth the part of the groups that it speaks of; words of the criterion's name weigh more, words that every
record has weigh less. How good a sentence has to be is a matter of luck within bounds, each request its own: so that
samples of a record differ now and then, where it can be read both ways.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from overnight.localcloud.standin.lexicon import GENERIC, opposites, ring
from overnight.localcloud.standin.prompt import Prompt
from overnight.localcloud.standin.reviewers import Said, against_all, said_of
from overnight.localcloud.standin.words import NEGATIONS, denied, stem_of, stems

Kind = Literal["include", "exclude", ""]

_MET: Final = 0.56  # of what a criterion asks for, said in one sentence and around it
_PLAINLY: Final = 0.75  # as much has to be said where the record says the opposite too
_HALF: Final = 0.48  # what lies between is said, but not clearly
_SPREAD: Final = 0.13  # how far luck moves both
_LEANING: Final = 0.06  # and how far a reviewer who speaks for one side does
_AROUND: Final = 0.35  # what the rest of the record counts beside its best sentence
_EXAMPLE: Final = 0.5  # this part of an example's words in one sentence, and the example decides
_OFTEN: Final = 3  # what a record is, its title says, or it says so several times
_IN_PASSING: Final = 0.4
_NAMED, _PLAIN, _COMMON = 2.0, 1.0, 0.2
_BOTH_WAYS: Final = 0.12  # an adjudicator leaves so many of the disputed verdicts unclear
_SETTLES: Final = {"met": 2, "not_met": 2, "not_stated": 1, "unclear": 0}
_ALTERED_QUOTES: Final = 0.02  # so that whoever checks quotes has something to find

_KIND: Final = re.compile(r"\((?:to )?(include|exclude)\)")
_EXAMPLE_LINE: Final = re.compile(r"\s*Example of (met|not_met): (.*)")
_WORD: Final = re.compile(r"[^\W_]+")
_TOKEN: Final = re.compile(r"[^\W_]+|[,;:.]")
_NEGATIVE_NAME: Final = re.compile(r"(?:c_)?(?:no|not|non)_")
_FROM_NOW: Final = frozenset(("without", "not", "neither"))  # what follows, up to a comma, need not be there
_JOINS: Final = frozenset((",", "or", "and"))


@dataclass(frozen=True, slots=True)
class Group:
    """alternatives: each some words, each word with those that stand for it. Any alternative will do."""

    weight: float
    alternatives: tuple[tuple[frozenset[str], ...], ...]

    def share(self, said: frozenset[str]) -> float:
        """How much of its best alternative is said."""
        return max(sum(not word.isdisjoint(said) for word in words) / len(words) for words in self.alternatives)


@dataclass(frozen=True)
class Asked:
    """What a prompt asks about one criterion. words: every stem that speaks of it; heads: those of its name.

    against: stems that speak of the opposite. examples: verdict and stems. _worth: what was reckoned before.
    """

    kind: Kind
    groups: tuple[Group, ...]
    words: frozenset[str]
    heads: frozenset[str]
    against: frozenset[str]
    examples: tuple[tuple[str, frozenset[str]], ...]
    _worth: dict[frozenset[str], float] = field(default_factory=dict, repr=False, compare=False)

    def worth(self, said: frozenset[str]) -> float:
        """0 to 1: how much of the criterion these stems speak of. said: a part of `words`."""
        found = self._worth.get(said)
        if found is None:
            weight = sum(group.weight for group in self.groups)
            found = sum(group.weight * group.share(said) for group in self.groups) / weight if weight else 0.0
            if len(self._worth) < 100_000:
                self._worth[said] = found
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """said: the criterion's stems in the best sentence. worth: of that sentence, with what stands around it.

    in_passing: an exclusion, and it is not what the record is about. opposite: a sentence that speaks of the opposite.
    example: the verdict of an example that the sentence is like.
    """

    sentence: str
    said: frozenset[str]
    worth: float
    in_passing: bool
    opposite: str
    example: str


@lru_cache(maxsize=1024)
def asked_about(name: str, description: str, frame: str) -> Asked:
    """What the instructions say about the criterion `name`: the lines that name it and the examples below them, its
    description, else its name."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    kind: Kind = ""
    texts, examples, its_own = [], [], False
    for line in frame.splitlines():
        if pattern.search(line):
            its_own = True
            told = _KIND.search(line)
            kind = told[1] if told else kind  # type: ignore[assignment]  # one of the two
            texts.append(_KIND.sub(" ", pattern.sub(" ", line, count=1)).strip(" -*.:0123456789"))
        elif its_own and (example := _EXAMPLE_LINE.match(line)):
            examples.append((example[1], stems(example[2]) - GENERIC))
        else:
            its_own = False
    text = " ".join([*texts, description]).strip()
    return _asked(name, kind, text if stems(text) else name.replace("_", " "), tuple(examples))


def _asked(name: str, kind: Kind, text: str, examples: tuple[tuple[str, frozenset[str]], ...]) -> Asked:
    phrases = _phrases(text)
    heads = frozenset() if _NEGATIVE_NAME.match(name) else stems(name.replace("_", " ")) - GENERIC
    heads = frozenset(stem for stem in heads if stem != stem_of("c"))
    groups = [_group(alternatives, heads) for alternatives in phrases]
    covered = {stem for alternatives in phrases for words in alternatives for stem in words}
    groups += [_group([[stem]], heads) for stem in sorted(heads & covered)]  # the name's words count a second time
    words = frozenset().union(*(word for group in groups for one in group.alternatives for word in one))
    named = frozenset().union(*(ring(stem) for stem in heads))
    return Asked(kind, tuple(groups), words, named, opposites(heads), examples)


def _group(alternatives: list[list[str]], heads: frozenset[str]) -> Group:
    stems_in = {stem for words in alternatives for stem in words}
    weight = _NAMED if stems_in & heads else _COMMON if stems_in <= GENERIC else _PLAIN
    return Group(weight, tuple(tuple(ring(stem) for stem in words) for words in alternatives))


def _phrases(text: str) -> list[list[list[str]]]:
    """Runs of words that say something, as alternatives where only `or` or a comma stands between them."""
    found: list[list[list[str]]] = []
    run: list[str] = []
    joined = skip = False
    for token in [*_TOKEN.findall(text.lower()), "."]:
        stem = "" if token in NEGATIONS or not token[0].isalnum() else stem_of(token)
        if stem and not skip:
            run.append(stem)
            continue
        if run:
            found = [*found[:-1], [*found[-1], run]] if joined and found else [*found, [run]]
            run, joined = [], token in _JOINS
        elif token not in _JOINS and token not in {"a", "an", "the"}:
            joined = False
        skip = token in _FROM_NOW or (skip and token not in {",", ";", "."})
    return found


def look(prompt: Prompt, asked: Asked) -> Found:
    """The sentence that says most, the first of equals."""
    best, best_worth, best_said = "", 0.0, frozenset[str]()
    around: set[str] = set()
    opposite = example = ""
    spoken: list[int] = []
    silent = asked.words.isdisjoint(prompt.words) and asked.against.isdisjoint(prompt.words)
    for place, (sentence, its_words) in enumerate(() if silent else prompt.sentences):
        if not opposite and not asked.against.isdisjoint(its_words):
            opposite = sentence
        if asked.words.isdisjoint(its_words):
            continue
        said = asked.words & its_words
        around |= said
        spoken.append(place)
        worth = asked.worth(said)
        if worth > best_worth:
            best, best_worth, best_said = sentence, worth, said
    for verdict, words in asked.examples:
        for sentence, its_words in prompt.sentences:
            if words and len(words & its_words) / len(words) >= _EXAMPLE:
                example, best = verdict, sentence
                break
    whole = asked.worth(frozenset(around)) if around else 0.0
    worth = best_worth * (1 - _AROUND) + whole * _AROUND
    in_passing = asked.kind == "exclude" and len(spoken) < _OFTEN and 0 not in spoken
    return Found(best, best_said, worth, in_passing, opposite, example)


def judge(name: str, description: str, prompt: Prompt, verdicts: list[str]) -> dict[str, str]:
    """verdict, quote and reason; verdicts: the labels the schema allows, empty for the usual four."""
    asked = asked_about(name, description, prompt.frame)
    found = look(prompt, asked)
    verdict, sentence = weigh(name, prompt, asked, found)
    said = said_of(name, prompt.reviewers) if prompt.reviewers else ()
    if said:
        verdict, sentence = settle(name, prompt, asked, said, (verdict, sentence))
    if verdicts and verdict not in verdicts:
        verdict = verdicts[int(prompt.chance(f"{name} label") * len(verdicts))]
    if verdict == "not_stated" or not sentence:
        return {"verdict": verdict, "quote": "", "reason": "No sentence speaks of this."}
    return {"verdict": verdict, "quote": _quote(name, prompt, sentence), "reason": _reason(verdict, asked, sentence)}


def weigh(name: str, prompt: Prompt, asked: Asked, found: Found) -> tuple[str, str]:
    """The verdict and the sentence it rests on."""
    if found.example:
        return found.example, found.sentence
    luck = (prompt.chance(f"{name} verdict") * 2 - 1) * _SPREAD - _LEANING * prompt.leaning * _side(asked.kind)
    if found.worth >= _MET + luck and denied(found.sentence, (found.said & asked.heads) or found.said):
        return "not_met", found.sentence
    worth = found.worth * _IN_PASSING if found.in_passing else found.worth
    if worth >= (_PLAINLY if found.opposite else _MET) + luck:
        return "met", found.sentence
    if found.opposite:
        return "not_met", found.opposite
    return ("unclear" if worth >= _HALF + luck else "not_stated"), found.sentence


def settle(name: str, prompt: Prompt, asked: Asked, said: tuple[Said, ...], own: tuple[str, str]) -> tuple[str, str]:
    """As adjudicator: what all say stands, else the side whose quote says most; seldom `unclear`.

    own: what a look of its own at the record gives. Seldom, and of a criterion to include that all hold to be met, it
    says the opposite: so that somebody who is against all reviewers can be seen.
    """
    verdicts = {one.verdict for one in said}
    if verdicts == {"met"} and asked.kind == "include" and against_all(name, prompt):
        return "not_met", own[1]
    if len(verdicts) > 1 and prompt.chance(f"{name} both ways") < _BOTH_WAYS:
        return "unclear", own[1]
    best = max(said, key=lambda one: (_SETTLES[one.verdict], asked.worth(asked.words & stems(one.quote))))
    return best.verdict, best.quote if best.quote and best.quote in prompt.record else own[1]


def _side(kind: Kind) -> int:
    return -1 if kind == "exclude" else 1


def _reason(verdict: str, asked: Asked, sentence: str) -> str:
    common = dict.fromkeys(word for word in _WORD.findall(sentence.lower()) if stem_of(word) in asked.words)
    about = ", ".join([*common][:3]) or "nothing in particular"
    kind = {"met": "says so", "not_met": "says the opposite"}.get(verdict, "leaves it open")
    return f"This sentence {kind} ({about})."


def _quote(name: str, prompt: Prompt, sentence: str) -> str:
    if prompt.chance(f"{name} quote") >= _ALTERED_QUOTES:
        return sentence
    words = sentence.split()
    middle = len(words) // 2
    return " ".join([*words[:middle], "reportedly", *words[middle + 1 :]])
