"""Sentences and words, well enough to find which sentence speaks of what."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

# Begins with one set of characters, which is what the regex engine scans for fast; alternatives took ten times longer.
_SENTENCE_END: Final = re.compile(r"[.!?\n\u3002\uff01\uff1f][\"')\]]*\s*")
_ENDS_ALONE: Final = "\n\u3002\uff01\uff1f"
_WORD: Final = re.compile(r"[^\W_]+")
_STOP_TEXT: Final = """
    a about after all also an and another any are as at be been before being between both but by can could did do
    does during each else for from had has have her his how if in into is it its may more most much must of on one only
    or other our out over per shall should so some something such than that the their them then there these they this
    those through to under up upon use used using was we were what when where which while who whose will with would
    you your yes include exclude criterion criteria inclusion exclusion text record title abstract study studied"""
_STOP: Final = frozenset(_STOP_TEXT.split())
_DOUBLING: Final = frozenset(("ing", "ings", "ed", "er", "ers"))
NEGATIONS_TEXT: Final = "no not without never neither nor none lack lacked lacking absence absent cannot"
NEGATIONS: Final = frozenset(NEGATIONS_TEXT.split())
_REACH: Final = 4


@lru_cache(maxsize=100_000)
def stem_of(word: str) -> str:
    """The beginning of a word, without its plainest endings; nothing for a word that says little."""
    if word in _STOP or (len(word) < 3 and word.isascii() and not word.isdigit()):
        return ""
    for ending in ("ness", "ings", "ing", "ies", "ied", "ers", "ed", "es", "er", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= (3 if ending == "s" else 4):
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and ending in _DOUBLING:  # napping, planned
                word = word[:-1]
            break
    return word[:7]


def sentence_stems(text: str) -> frozenset[str]:
    return frozenset(stem for word in _WORD.findall(text.lower()) if (stem := stem_of(word)))


@lru_cache(maxsize=2_000)
def stems(text: str) -> frozenset[str]:
    """`sentence_stems` of what recurs: criteria, descriptions, labels."""
    return sentence_stems(text)


def negated(sentence: str) -> bool:
    return not NEGATIONS.isdisjoint(_WORD.findall(sentence.lower()))


def denied(sentence: str, about: frozenset[str]) -> bool:
    """Every word of the sentence that is in `about` (stems) stands within a few words behind a negation; `with and
    without` is none."""
    reach, found, before = 0, False, ""
    for word in _WORD.findall(sentence.lower()):
        reach = _REACH if word in NEGATIONS and before not in {"and", "or"} else reach - 1
        if stem_of(word) in about:
            if reach <= 0:
                return False
            found = True
        before = word
    return found


def sentences(text: str) -> list[str]:
    """Verbatim pieces of the text: what a quote check looks for stands in it character by character."""
    marks = ((found.end(), found[0]) for found in _SENTENCE_END.finditer(text))
    ends = [0, *(end for end, mark in marks if mark[-1].isspace() or mark[0] in _ENDS_ALONE), len(text)]
    return [piece for first, end in pairwise(ends) if (piece := text[first:end].strip())]
